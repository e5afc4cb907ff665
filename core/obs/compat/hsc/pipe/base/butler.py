"""Data references, as the HSC pipeline makes them."""

from collections.abc import Mapping
from typing import Any

from obs.repo.butler import Butler
from obs.repo.data_ref import DataRef

__all__ = ["getDataRef"]


def getDataRef(butler: Butler, dataId: Mapping[str, Any], datasetType: str = "raw") -> DataRef:
    """Return the one reference of a data ID.

    Raises
    ------
    DatasetNotFoundError, DataIdError
        If there is none, or there are several.
    """
    return butler.data_ref(datasetType, data_id=dataId)
