"""The Butler, whose datasets have the stack's classes."""

from obs.compat.lsst.daf.persistence.butler import Butler, ButlerDataRef, NoResults

__all__ = ["Butler", "ButlerDataRef", "NoResults"]
