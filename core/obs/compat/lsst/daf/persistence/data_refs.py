"""Data references, one and several."""

from typing import Any

from obs.policy.data_id import DataId
from obs.repo.data_ref import DataRef, Datasets

__all__ = ["ButlerDataRef", "ButlerSubset"]


class ButlerDataRef(DataRef):
    """A data ID together with its Butler; see `obs.repo.data_ref.DataRef`."""

    @property
    def butlerSubset(self) -> "ButlerSubset":
        """What the reference is one of, as in the LSST stack."""
        return ButlerSubset(self.butler, self.dataset_type, self.level, [self.data_id])


class ButlerSubset(list[DataRef]):
    """The data references that complete a data ID.

    Parameters
    ----------
    butler : Butler
        Reads and writes.
    datasetType : str
        The dataset type that is meant where none is named.
    level : str or None
        The level of the data IDs.
    cache : list of dict
        The data IDs.
    """

    def __init__(self, butler: Datasets, datasetType: str, level: str | None, cache: list[DataId]) -> None:
        super().__init__(ButlerDataRef(butler, datasetType, level, data_id) for data_id in cache)
        self.butler: Any = butler
        self.datasetType, self.level, self.cache = datasetType, level, cache
