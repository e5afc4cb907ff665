"""How the real library reads our images, in place."""

import importlib
from collections.abc import Callable
from typing import Any

from lsst.daf.butler import FormatterV2

from obs.repo.formatters import read_dataset

__all__ = ["ImageFormatter"]

#: What `read_dataset` calls the storage classes that it does not know by their name.
_CLASSES = {"Background": "BackgroundList", "Wcs": "SkyWcs", "SkyMap": "BaseSkyMap", "Exposure": "ExposureF"}


class ImageFormatter(FormatterV2):
    """Reads all but tables: exposures as the stack's own class where the stack is installed, all else as ours."""

    can_read_from_local_file = True

    @classmethod
    def validate_extension(cls, location: Any) -> None:  # noqa: ANN401 - as declared
        """Take files of any ending: raw files have many."""

    def read_from_local_file(self, path: str, component: str | None = None, expected_size: int = -1) -> Any:  # noqa: ANN401 - as declared
        """Read a dataset or a part of it; see the base class.

        Parameters
        ----------
        path : str
            The file.
        component : str, optional
            Attribute of the dataset to return instead of the whole.
        expected_size : int, default: -1
            Size of the file, bytes. It is not used.
        """
        name = self.file_descriptor.storageClass.name
        found = _read_exposure(name, path) if name.startswith("Exposure") else None
        if found is None:
            found = read_dataset("", _CLASSES.get(name, name), path)
        return found if component is None else getattr(found, component)


def _read_exposure(name: str, path: str) -> object | None:
    """Return an exposure as the stack reads it; None where the stack is not installed."""
    try:
        stack = importlib.import_module("lsst.afw.image")
    except ImportError:
        return None
    reader: Callable[[str], object] = getattr(stack, _CLASSES.get(name, name))
    return reader(path)
