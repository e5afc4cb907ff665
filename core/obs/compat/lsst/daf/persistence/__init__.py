"""The Butler, whose datasets have the stack's classes."""

from obs.compat.lsst.daf.persistence.butler import Butler, ButlerDataRef, NoResults
from obs.compat.lsst.daf.persistence.repository import DataId, RepositoryArgs

__all__ = ["Butler", "ButlerDataRef", "DataId", "NoResults", "RepositoryArgs"]
