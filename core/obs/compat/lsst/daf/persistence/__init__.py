"""The Butler, whose datasets have the stack's classes."""

from obs.compat.lsst.daf.persistence.butler import Butler
from obs.compat.lsst.daf.persistence.butler_factory import ButlerFactory
from obs.compat.lsst.daf.persistence.data_refs import ButlerDataRef, ButlerSubset
from obs.compat.lsst.daf.persistence.errors import NoResults
from obs.compat.lsst.daf.persistence.mappers import CameraMapper
from obs.compat.lsst.daf.persistence.repository import DataId, RepositoryArgs

__all__ = [
    "Butler",
    "ButlerDataRef",
    "ButlerFactory",
    "ButlerSubset",
    "CameraMapper",
    "DataId",
    "NoResults",
    "RepositoryArgs",
]
