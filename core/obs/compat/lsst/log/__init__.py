"""Messages, which go to Python's own logging."""

from obs.compat.lsst.log.log import Log, getLogger

__all__ = ["Log", "getLogger"]
