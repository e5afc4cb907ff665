"""A Butler that gives and takes objects of the stack's classes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.image.exposure import ExposureF
from obs.compat.lsst.afw.image.pixels import PARENT, Pixels
from obs.compat.lsst.daf.persistence.coadd_inputs import OwnCoaddInputs
from obs.compat.lsst.daf.persistence.convert import from_stack, to_stack
from obs.errors import DatasetNotFoundError, ObsError, RepositoryError
from obs.geom import Box
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.repo import butler as own
from obs.repo.data_ref import DataRef
from obs.repo.fits_exposure_header import header_origin

__all__ = ["Butler", "ButlerDataRef", "NoResults"]

ButlerDataRef = DataRef
#: What the stack raises where nothing is found.
NoResults = DatasetNotFoundError
#: Coadds, whose exposures obs keeps in a table.
_COADDS = ("deepCoadd", "deepCoadd_calexp")
#: Parts of an image that hold positions.
_PLACED = ("sub", "bbox", "wcs", "psf", "photoCalib")


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
        dataset_type, data_id = keys.pop("datasetType", dataset_type), keys.pop("dataId", data_id)
        box, counted = keys.pop("bbox", None), keys.pop("imageOrigin", PARENT)
        is_calibration, suffix = self._describe(dataset_type)
        kind = dataset_type.removesuffix(f"_{suffix}") if suffix else dataset_type
        x, y = origin = self._origin(dataset_type, suffix, data_id, keys)
        own_box = box.to_box() if isinstance(box, Box2I) else box
        if own_box is not None and counted == PARENT:
            own_box = Box(own_box.x_min - x, own_box.y_min - y, own_box.width, own_box.height)
        try:
            value = super().get(dataset_type, data_id, immediate=immediate, bbox=own_box, **keys)
        except RepositoryError as error:  # the registry has no table of such calibrations: there are none
            raise NoResults(str(error), dataset_type=dataset_type) from None
        detector = self._detector(data_id, keys)
        found = to_stack(
            value, suffix=suffix, is_calibration=is_calibration, detector=detector, origin=(0, 0) if own_box else origin
        )
        if isinstance(found, ExposureF) and kind in _COADDS and "coaddInputs" not in found.exposure.attached:
            self._attach_inputs(found, data_id, keys)
        if own_box is not None and isinstance(found, Pixels):
            found.setXY0(own_box.x_min + x, own_box.y_min + y)
        return found

    def put(
        self,
        value: object,
        dataset_type: str = "",
        data_id: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        """Write a dataset; see `obs.repo.butler.Butler.put`."""
        dataset_type, data_id = keys.pop("datasetType", dataset_type), keys.pop("dataId", data_id)
        super().put(from_stack(value), dataset_type, data_id, **keys)

    @staticmethod
    def getMapperClass(root: Path | str) -> Instrument:
        """Return the camera of a repository, which stands here for the class of its mapper."""
        return own.Butler(root).instrument

    def _describe(self, dataset_type: str) -> tuple[bool, str]:
        """Return whether a dataset is a calibration, and the suffix of its name."""
        try:
            kind, suffix = self.mapper.split(dataset_type)
        except DatasetNotFoundError:  # of the camera, part of a composite or of another dataset
            return False, ""
        return kind.is_calibration, suffix

    def _origin(
        self, dataset_type: str, suffix: str, data_id: Mapping[str, Any] | None, keys: Mapping[str, Any]
    ) -> tuple[int, int]:
        """Return the place of an image in its parent, for a part of it in which the stack counts from there."""
        if suffix not in _PLACED:
            return 0, 0
        try:
            header = super().get(f"{dataset_type.removesuffix(suffix)}md", data_id, **keys)
        except ObsError:  # of the part itself, in a moment
            return 0, 0
        return header_origin(header) if isinstance(header, Mapping) else (0, 0)

    def _attach_inputs(self, coadd: ExposureF, data_id: Mapping[str, Any] | None, keys: Mapping[str, Any]) -> None:
        """Attach the exposures of a coadd that obs made."""
        name = "deepCoadd_inputs"
        try:
            if self.exists(name, data_id, **keys):
                read = partial(super().get, name, data_id, **keys)
                coadd.exposure.attached = OwnCoaddInputs(read, self.instrument)
        except ObsError:  # not of a camera with coadds
            return

    def _detector(self, data_id: Mapping[str, Any] | None, keys: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Return the detector of a data ID; None where it does not name one."""
        whole: DataId = {**(data_id or {}), **(keys.get("dataId") or {}), **keys}
        try:
            return self.instrument.find_detector(whole)
        except (ValueError, KeyError):
            return None
