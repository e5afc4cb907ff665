"""How the real library reads our images, in place."""

import importlib
from typing import Any

from lsst.daf.butler import FormatterV2

from obs.repo.fits_background import read_background
from obs.repo.fits_exposure import read_exposure

__all__ = ["ImageFormatter"]


class ImageFormatter(FormatterV2):
    """Reads images, as the stack's own class where the stack is installed, else as `obs.image.exposure.Exposure`."""

    can_read_from_local_file = True

    @classmethod
    def validate_extension(cls, location: Any) -> None:  # noqa: ANN401 - as declared
        """Take files of any ending: raw files have many."""

    def read_from_local_file(self, path: str, component: str | None = None, expected_size: int = -1) -> Any:  # noqa: ANN401 - as declared
        """Read an image or a part of it; see the base class."""
        if self.file_descriptor.storageClass.name == "Background":
            return read_background(path)
        try:
            stack = importlib.import_module("lsst.afw.image")
        except ImportError:
            exposure = read_exposure(path)
        else:
            exposure = stack.ExposureF(path)
        return exposure if component is None else getattr(exposure, component)
