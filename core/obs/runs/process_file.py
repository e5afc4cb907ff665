"""Process one FITS image that is in no repository."""

from pathlib import Path

from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_FILE_NAMES
from obs.pipeline import ProcessSummary
from obs.runs.settings import Settings, add_settings
from obs.single_image import process_file as process_image
from obs.tasks.process_config import ProcessFileConfig

__all__ = ["process_file"]


def process_file(image: Path | str, *, output: Path | str, config: Settings | None = None) -> ProcessSummary:
    """Find and measure the sources of a FITS image, without a repository.

    This is ``obs process-file`` for Python.

    Parameters
    ----------
    image : Path or str
        The FITS file.
    output : Path or str
        Folder to write to: ``NAME.fits`` and ``NAME/src.fits``.
    config : mapping, Path or str, optional
        Settings by dotted name, or a file of settings.

    Returns
    -------
    ProcessSummary
        Seeing, zero point, counts, and warnings.

    Raises
    ------
    ObsError
        If the image cannot be read, or its pixels do not allow a required measurement.

    Examples
    --------
    >>> from obs import process_file
    >>> summary = process_file("image.fits", output="measured", config={"gain": 2.0})
    >>> summary.n_source > 10
    True
    """
    layers = ConfigLayers(ProcessFileConfig, PROCESS_FILE_NAMES)
    add_settings(layers, config)
    return process_image(Path(image), Path(output), layers.build())
