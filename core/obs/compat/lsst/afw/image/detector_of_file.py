"""The detector of an exposure that was read from a file, without a Butler."""

import logging
from pathlib import Path

from obs.compat.lsst.afw.cameraGeom import Detector
from obs.errors import ObsError
from obs.repo.butler import Butler
from obs.repo.layout import is_repository

__all__ = ["find_detector"]

_LOG = logging.getLogger(__name__)


def find_detector(path: Path | None, name: str) -> Detector | None:
    """Return a detector by its name, of the camera of the repository that a file is in.

    Where there is none a line in the log says how to set it.

    Parameters
    ----------
    path : Path or None
        The file.
    name : str
        Name of the detector, as the file has it.
    """
    root = None if path is None else next((folder for folder in path.resolve().parents if is_repository(folder)), None)
    reason = "the exposure is of no file in a data repository, whose camera would have it"
    if root is not None:
        try:
            camera = Butler(root).instrument.load_camera()
            return Detector(camera.detector(name), camera=camera)
        except ObsError as error:
            reason = f"{root}: {error}"
    advice = "exposure.setDetector(butler.get('camera')[NUMBER]) sets it"
    _LOG.warning("detector %s is known by its name only, and None is returned: %s; %s", name, reason, advice)
    return None
