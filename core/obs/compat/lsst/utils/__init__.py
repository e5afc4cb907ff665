"""Where packages of cameras are."""

from importlib.util import find_spec
from pathlib import Path

__all__ = ["getPackageDir"]


def getPackageDir(packageName: str) -> str:
    """Return the folder of an installed package, such as ``obs_hsc``.

    Raises
    ------
    LookupError
        If it is not installed.
    """
    found = find_spec(packageName)
    if found is None or found.origin is None:
        raise LookupError(f"the package {packageName} is not installed; obs cameras lists those that are")
    return str(Path(found.origin).parent)
