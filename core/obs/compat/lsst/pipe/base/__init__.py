"""What the stack's tasks return."""

from obs.compat.lsst.absent import refuse
from obs.compat.lsst.pipe.base.struct import Struct

__all__ = ["Struct"]

__getattr__ = refuse(__name__)
