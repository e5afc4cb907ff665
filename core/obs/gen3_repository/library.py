"""The real library, which is an extra of this package."""

import importlib
from types import ModuleType

from obs.errors import PluginError

__all__ = ["import_butler"]


def import_butler() -> ModuleType:
    """Return the module ``lsst.daf.butler``, if it is installed.

    Raises
    ------
    PluginError
        If it is not installed.
    """
    try:
        return importlib.import_module("lsst.daf.butler")
    except ImportError as error:
        raise PluginError(
            f"lsst-daf-butler is needed for third-generation repositories and is not installed ({error}); "
            "pip install 'obs-toolkit[gen3]'",
            plugin="gen3",
        ) from error
