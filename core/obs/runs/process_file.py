"""Process one FITS image that is in no repository."""

import logging
from pathlib import Path

from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_FILE_NAMES
from obs.process_summary import ProcessSummary
from obs.repo.provenance import record_packages
from obs.repo.rerun_settings import config_path, record_config
from obs.runs.settings import Settings, add_settings
from obs.single_image import process_file as process_image
from obs.tasks.process_config import ProcessFileConfig

__all__ = ["is_file_output", "process_file", "record_file_run", "settings_path"]

logger = logging.getLogger(__name__)

_TASK = "process_file"


def process_file(
    image: Path | str, *, output: Path | str, config: Settings | None = None, clobber_config: bool = False
) -> ProcessSummary:
    """Find and measure the sources of a FITS image, without a repository.

    This is ``obs process-file`` for Python.

    Parameters
    ----------
    image : Path or str
        The FITS file.
    output : Path or str
        Folder to write to: ``NAME.fits`` and ``NAME/src.fits``, the settings in ``config`` and the columns of the
        catalogs in ``schema``.
    config : mapping, Path or str, optional
        Settings by dotted name, or a file of settings.
    clobber_config : bool, optional
        Continue in an output that was made with other settings.

    Returns
    -------
    ProcessSummary
        Seeing, zero point, counts, and warnings.

    Raises
    ------
    ObsError
        If the image cannot be read, its pixels do not allow a required measurement, or the output was made with other
        settings.

    Examples
    --------
    >>> from obs import process_file
    >>> summary = process_file("image.fits", output="measured", config={"gain": 2.0})
    >>> summary.n_source > 10
    True
    """
    layers = ConfigLayers(ProcessFileConfig, PROCESS_FILE_NAMES)
    add_settings(layers, config)
    settings = layers.build()
    record_file_run(Path(output), settings, clobber=clobber_config)
    return process_image(Path(image), Path(output), settings)


def record_file_run(output: Path, config: ProcessFileConfig, *, clobber: bool = False) -> None:
    """Record settings and software in the output folder.

    Parameters
    ----------
    output : Path
        Folder, made if need be.
    config : ProcessFileConfig
        Settings of the run.
    clobber : bool, optional
        Replace settings that differ; the old ones are kept as ``process_file.yaml~1``.

    Raises
    ------
    OutputError
        If the output was made with other settings, or cannot be written.
    """
    record_config(output, _TASK, config.model_dump(mode="json"), clobber=clobber)
    for difference in record_packages(output):
        logger.warning("%s was begun with other software: %s", output, difference)


def settings_path(output: Path) -> Path:
    """Return where the settings of an output folder are."""
    return config_path(output, _TASK)


def is_file_output(output: Path) -> bool:
    """Return whether a folder was written by `process_file`."""
    return settings_path(output).is_file()
