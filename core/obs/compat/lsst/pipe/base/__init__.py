"""What the stack's tasks return."""

from obs.compat.lsst.pipe.base.struct import Struct

__all__ = ["Struct"]
