"""A Butler that gives and takes objects of the stack's classes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obs.compat.lsst.daf.persistence.convert import from_stack, to_stack
from obs.errors import DatasetNotFoundError
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.policy.dataset_type import DatasetType
from obs.repo import butler as own
from obs.repo.data_ref import DataRef

__all__ = ["Butler", "ButlerDataRef", "NoResults"]

ButlerDataRef = DataRef
#: What the stack raises where nothing is found.
NoResults = DatasetNotFoundError


class Butler(own.Butler):
    """Reads and writes the datasets of a repository; see `obs.repo.butler.Butler`.

    Exposures, images, catalogs and all that is part of them come as objects of `obs.compat.lsst`, and are taken as such
    or as our own.
    """

    def get(
        self,
        dataset_type: str = "",
        data_id: Mapping[str, Any] | None = None,
        immediate: bool = True,
        **keys: Any,
    ) -> Any:  # noqa: ANN401 - any dataset
        """Read a dataset, or with a suffix a part of it; see `obs.repo.butler.Butler.get`."""
        dataset_type = keys.pop("datasetType", dataset_type)
        value = super().get(dataset_type, data_id, immediate=immediate, **keys)
        if dataset_type == "camera" or dataset_type.startswith("ccdExposureId"):
            return to_stack(value)
        kind, suffix = self.mapper.split(dataset_type)
        detector = self._detector(kind, data_id, keys)
        return to_stack(value, suffix=suffix, is_calibration=kind.is_calibration, detector=detector)

    def put(
        self,
        value: object,
        dataset_type: str = "",
        data_id: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        """Write a dataset; see `obs.repo.butler.Butler.put`."""
        super().put(from_stack(value), keys.pop("datasetType", dataset_type), data_id, **keys)

    @staticmethod
    def getMapperClass(root: Path | str) -> Instrument:
        """Return the camera of a repository, which stands here for the class of its mapper."""
        return own.Butler(root).instrument

    def _detector(self, kind: DatasetType, data_id: Mapping[str, Any] | None, keys: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Return the detector of a data ID; None where it does not name one."""
        whole: DataId = {**(data_id or {}), **(keys.get("dataId") or {}), **keys}
        try:
            return self.instrument.find_detector(whole)
        except (ValueError, KeyError):
            return None
