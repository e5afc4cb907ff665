"""A Butler that gives and takes objects of the stack's classes."""

from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

from obs.compat.lsst.afw.geom.box import Box2I
from obs.compat.lsst.afw.image.exposure import ExposureF
from obs.compat.lsst.afw.image.pixels import PARENT, Pixels
from obs.compat.lsst.daf.persistence.coadd_inputs import OwnCoaddInputs
from obs.compat.lsst.daf.persistence.convert import from_stack, to_stack
from obs.compat.lsst.daf.persistence.data_refs import ButlerDataRef, ButlerSubset
from obs.compat.lsst.daf.persistence.errors import NoResults, raise_as_stack
from obs.compat.lsst.daf.persistence.mapper_class import MapperClass
from obs.compat.lsst.daf.persistence.mappers import CameraMapper, StackMapper
from obs.compat.lsst.obs.base import ExposureIdInfo
from obs.errors import DatasetNotFoundError, ObsError, RepositoryError
from obs.geom import Box
from obs.policy.data_id import DataId
from obs.repo import butler as own
from obs.repo.fits_exposure_header import header_origin
from obs.repo.key_sources import KeySources
from obs.repo.layout import open_repository

__all__ = ["Butler"]

#: Names of the Butler's own arguments for those of a mapper.
_MAPPER_ARGUMENTS = {"calibRoot": "calib", "outputRoot": "output", "outPath": "output"}
#: Coadds, whose exposures obs keeps in a table.
_COADDS = ("deepCoadd", "deepCoadd_calexp")
#: Parts of an image that hold positions.
_PLACED = ("sub", "bbox", "wcs", "psf", "photoCalib")


class Butler(own.Butler):
    """Reads and writes the datasets of a repository; see `obs.repo.butler.Butler`.

    Exposures, images, catalogs and all that is part of them come as objects of `obs.compat.lsst`, and are taken as such
    or as our own.

    Parameters
    ----------
    root : Path or str, optional
        The repository. It is written to, too, if it was itself made from others, such as a rerun.
    mapper : str, class or object, optional
        The mapper, where the repository itself does not say.
    **arguments : Any
        What `obs.repo.butler.Butler` takes: ``inputs``, ``outputs``, ``output``, ``rerun``, ``calib``, ``registry``,
        ``instrument``; and arguments of a mapper: ``calibRoot``, ``outputRoot``.

    Raises
    ------
    RuntimeError
        If the root is not a repository, no camera is known for it, or both ways of naming repositories are used.
    """

    @raise_as_stack
    def __init__(self, root: Path | str | None = None, mapper: Any = None, **arguments: Any) -> None:  # noqa: ANN401
        given = {_MAPPER_ARGUMENTS.get(name, name): value for name, value in arguments.items()}
        if isinstance(mapper, CameraMapper):
            root, given = mapper.root if root is None else root, mapper.butler_arguments() | given
        if mapper is not None and root is not None:
            given |= {"inputs": {"root": root, "mapper": mapper}, "outputs": given.pop("output", None)}
            root = None
        super().__init__(root, **given)
        if self.output is not None:  # the stack makes it at once
            self.prepare_output()

    def _make_mapper(self, sources: KeySources) -> StackMapper:
        return StackMapper(self.policy, sources, read_camera=partial(self.get, "camera"))

    @cached_property
    def _writer(self) -> "Butler":
        """The Butler that writes: of a repository that was made from others, into this repository itself."""
        is_made = self.output is None and len(self._lineage.inputs) > 1 and bool(open_repository(self.root).parents)
        return Butler(outputs=self.root, instrument=self.instrument) if is_made else self

    @raise_as_stack
    def get(
        self,
        dataset_type: str = "",
        data_id: Mapping[str, Any] | None = None,
        immediate: bool = True,
        **keys: Any,
    ) -> Any:  # noqa: ANN401 - any dataset
        """Read a dataset, or with a suffix a part of it; see `obs.repo.butler.Butler.get`."""
        dataset_type, data_id = keys.pop("datasetType", dataset_type), keys.pop("dataId", data_id)
        if dataset_type.endswith("_filterLabel"):
            dataset_type = dataset_type.removesuffix("Label")
        if dataset_type.endswith("_calib"):  # its name before 2018
            dataset_type = f"{dataset_type.removesuffix('calib')}photoCalib"
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
        if dataset_type == "expIdInfo":
            return ExposureIdInfo(*value)
        detector = self._detector(data_id, keys)
        found = to_stack(
            value,
            suffix=suffix,
            is_calibration=is_calibration,
            detector=detector,
            camera=None if detector is None else self.instrument.load_camera(),
            origin=(0, 0) if own_box else origin,
        )
        if isinstance(found, ExposureF) and kind in _COADDS and "coaddInputs" not in found.exposure.attached:
            self._attach_inputs(found, data_id, keys)
        if own_box is not None and isinstance(found, Pixels):
            found.setXY0(own_box.x_min + x, own_box.y_min + y)
        return found

    @raise_as_stack
    def put(
        self,
        value: object,
        dataset_type: str = "",
        data_id: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        """Write a dataset; see `obs.repo.butler.Butler.put`."""
        dataset_type, data_id = keys.pop("datasetType", dataset_type), keys.pop("dataId", data_id)
        super(Butler, self._writer).put(from_stack(value), dataset_type, data_id, **keys)

    @raise_as_stack
    def exists(
        self, dataset_type: str = "", data_id: Mapping[str, Any] | None = None, *, write: bool = False, **keys: Any
    ) -> bool:
        """Return whether a dataset is there; see `obs.repo.butler.Butler.exists`."""
        dataset_type, data_id = keys.pop("datasetType", dataset_type), keys.pop("dataId", data_id)
        return super(Butler, self._writer if write else self).exists(dataset_type, data_id, write=write, **keys)

    @raise_as_stack
    def get_uri(
        self, dataset_type: str = "", data_id: Mapping[str, Any] | None = None, *, write: bool = False, **keys: Any
    ) -> str:
        """Return the path of a dataset; see `obs.repo.butler.Butler.get_uri`."""
        dataset_type, data_id = keys.pop("datasetType", dataset_type), keys.pop("dataId", data_id)
        return super(Butler, self._writer if write else self).get_uri(dataset_type, data_id, write=write, **keys)

    @raise_as_stack
    def subset(
        self,
        dataset_type: str = "",
        level: str | None = None,
        data_id: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> ButlerSubset:
        """Return the data IDs that complete one; see `obs.repo.butler.Butler.subset`."""
        dataset_type, data_id = keys.pop("datasetType", dataset_type), keys.pop("dataId", data_id)
        found = super().subset(dataset_type, level, data_id, **keys)
        return ButlerSubset(self, dataset_type, level, [dict(reference.data_id) for reference in found])

    @raise_as_stack
    def dataRef(self, *arguments: Any, **keys: Any) -> ButlerDataRef:
        """Return the one data ID that `subset` gives; see `obs.repo.butler.Butler.data_ref`.

        Raises
        ------
        RuntimeError
            If there is none, or there are several.
        """
        return cast(ButlerDataRef, super().data_ref(*arguments, **keys))

    @raise_as_stack
    def queryMetadata(
        self,
        dataset_type: str = "",
        keys: Any = None,  # noqa: ANN401 - as the docstring says
        data_id: Any = None,  # noqa: ANN401 - as the docstring says
        *others: Any,
        **named: Any,
    ) -> list[Any]:
        """Return what the registry has for a data ID; see `obs.repo.butler.Butler.query_metadata`.

        Older stacks name a key before the format: ``queryMetadata("raw", "visit", ["visit", "ccd"], dataId)``.
        """
        dataset_type = named.pop("datasetType", dataset_type)
        given = [keys, data_id, *others, *(named.pop(name, None) for name in ("key", "format", "dataId"))]
        formats = [value for value in given if value is not None and not isinstance(value, Mapping)]
        whole = next((value for value in given if isinstance(value, Mapping)), None)
        return super().query_metadata(dataset_type, formats[-1] if formats else (), whole, **named)

    datasetExists = exists
    getUri = get_uri

    @staticmethod
    @raise_as_stack
    def getMapperClass(root: Path | str) -> MapperClass:
        """Return the camera of a repository, which stands here for the class of its mapper."""
        return MapperClass(own.Butler(root).instrument)

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
