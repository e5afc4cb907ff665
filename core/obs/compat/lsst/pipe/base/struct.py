"""Results of a task by name."""

from types import SimpleNamespace
from typing import Any

__all__ = ["Struct"]


class Struct(SimpleNamespace):
    """Results of a task as attributes.

    Examples
    --------
    >>> from obs.compat.lsst.pipe.base import Struct
    >>> Struct(exitStatus=0).getDict()
    {'exitStatus': 0}
    """

    def getDict(self) -> dict[str, Any]:
        """Return all results by name."""
        return dict(vars(self))
