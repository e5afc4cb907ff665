"""Process one FITS image that is in no repository."""

from pathlib import Path

from obs.config.earlier_names import EARLIER_PROCESS_NAMES
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_FILE_NAMES
from obs.process_summary import ProcessSummary
from obs.repo.rerun_settings import config_path
from obs.runs.record import RecordOptions, record
from obs.runs.settings import Settings, add_settings
from obs.single_image import process_file as process_image
from obs.tasks.process_config import ProcessFileConfig

__all__ = ["is_file_output", "process_file", "record_file_run", "settings_path"]

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
    layers = ConfigLayers(ProcessFileConfig, PROCESS_FILE_NAMES | EARLIER_PROCESS_NAMES)
    add_settings(layers, config)
    settings = layers.build()
    record_file_run(Path(output), settings, RecordOptions(clobber=clobber_config))
    return process_image(Path(image), Path(output), settings)


def record_file_run(output: Path, config: ProcessFileConfig, options: RecordOptions | None = None) -> None:
    """Record settings and software in the output folder.

    Parameters
    ----------
    output : Path
        Folder, made if need be.
    config : ProcessFileConfig
        Settings of the run.
    options : RecordOptions, optional
        What to do where the output was made with others; by default other settings are an error.

    Raises
    ------
    OutputError
        If the output was made with other settings, or cannot be written.
    """
    record(output, _TASK, config.model_dump(mode="json"), options or RecordOptions())


def settings_path(output: Path) -> Path:
    """Return where the settings of an output folder are.

    Parameters
    ----------
    output : Path
        Folder of results.
    """
    return config_path(output, _TASK)


def is_file_output(output: Path) -> bool:
    """Return whether a folder was written by `process_file`.

    Parameters
    ----------
    output : Path
        Folder; one that does not exist is not an output.
    """
    return settings_path(output).is_file()
