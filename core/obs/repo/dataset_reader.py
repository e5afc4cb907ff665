"""Read datasets: whole, by their parts, put together from others, or from what the camera knows."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.policy.dataset_type import DatasetType, Template, placed_part
from obs.policy.mapper import Mapper
from obs.repo.camera_datasets import CAMERA_DATASETS, read_camera_dataset
from obs.repo.component import extract_component
from obs.repo.dataset_files import DatasetFiles, not_found
from obs.repo.defects_folder import read_folder_defects
from obs.repo.find_datasets import find_datasets
from obs.repo.formatters import read_dataset
from obs.repo.input_files import note_input
from obs.repo.raw_parts import RAW_PARTS, RawHeader
from obs.repo.stack_names import find_other_name

__all__ = ["STAND_INS", "DatasetReader"]

_LOG = logging.getLogger(__name__)

#: Datasets that need no file of their own, because they are a part of another one.
STAND_INS = {"psf": "calexp_psf", "wcs": "calexp_wcs"}
#: Other names of datasets: those of an older stack, and the coadd of which only the version without background is kept.
_SAME = {"deepCoadd_src": "deepCoadd_meas"}
_OTHER_FILES = {"deepCoadd": "deepCoadd_calexp"}
_SKY_MAP, _SKY_MAP_PICKLE = "deepCoadd_skyMap", "deepCoadd/skyMap.pickle"
#: Settings of one task, which are a section of those of the run.
_SECTIONS = {"isr_config": "isr", "characterizeImage_config": "characterize", "calibrate_config": "calibrate"}
_SETTINGS = "processCcd_config"


class DatasetReader:
    """Reads the datasets of a repository and its parents.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    mapper : Mapper
        Knows the dataset types.
    files : DatasetFiles
        Knows the files.
    """

    def __init__(self, instrument: Instrument, mapper: Mapper, files: DatasetFiles) -> None:
        self._instrument, self._mapper, self._files = instrument, mapper, files

    def get(self, dataset_type: str, data_id: DataId, bbox: Box | None) -> object:
        """Read a dataset or, with a suffix, a part of it; see `obs.repo.butler.Butler.get`.

        Parameters
        ----------
        dataset_type : str
            Dataset type, perhaps with a suffix such as "_wcs", or with ".COMPONENT".
        data_id : dict
            Keys and values.
        bbox : Box or None
            Region of the suffix "_sub", 0-based pixels.

        Raises
        ------
        DatasetNotFoundError
            If there is no such dataset, or it has no such part.
        """
        if dataset_type in CAMERA_DATASETS:
            return read_camera_dataset(dataset_type, data_id, self._instrument, self.complete_raw)
        types = self._mapper.policy.dataset_types
        if dataset_type in STAND_INS and not self._has_file(dataset_type, data_id):
            return self._stand_in(dataset_type, data_id, bbox)
        dataset_type = self._other_name(dataset_type, data_id)
        whole, point, part = dataset_type.partition(".")
        if point and part in self._mapper.dataset_type(whole).components:
            return self.get(self._mapper.dataset_type(whole).components[part], data_id, bbox)
        kind, suffix = self._mapper.split(dataset_type)
        if kind.components and suffix and f"_{kind.name}" in types:  # what LSST's cameras have beside it for its parts
            return self._read(f"_{kind.name}", suffix, data_id, bbox)
        if kind.components and suffix:
            raise DatasetNotFoundError(
                f"{kind.name} has no part '{suffix}' of its own; ask for that of one of its components: "
                f"{', '.join(kind.components.values())}",
                dataset_type=kind.name,
                data_id=data_id,
            )
        if kind.components:
            return {part: self._part(kind, part, data_id, bbox) for part in kind.components}
        base = kind.name.removesuffix("_schema")
        if base != kind.name and base in types and not self._has_file(kind.name, data_id):
            return self._schema(types[base], data_id)
        if kind.name in _SECTIONS and not self._has_file(kind.name, data_id):
            return self._section(kind, data_id, _SECTIONS[kind.name])
        return self._read(kind.name, suffix, data_id, bbox)

    def _part(self, kind: DatasetType, part: str, data_id: DataId, bbox: Box | None) -> object:
        """Read a part of a composite, or all datasets that it is a list of."""
        name = kind.components[part]
        if part not in kind.subsets:
            return self.get(name, data_id, bbox)
        return [self.get(name, whole, bbox) for whole in self._files.all_of(name, data_id)]

    def complete_raw(self, data_id: Mapping[str, Any]) -> DataId:
        """Return a data ID of raw data with all its keys; see `obs.repo.butler.Butler.complete_raw`."""
        raw = self._instrument.raw_dataset_type
        kind = self._mapper.dataset_type(raw)
        raw = (
            raw if kind.template else placed_part(kind, self._mapper.policy.dataset_types) or raw
        )  # of one that is put together, the part with the header
        whole = self._mapper.complete(raw, data_id)
        if all(key in whole for key in Template(self._instrument.detector).keys):
            return whole
        return self._mapper.complete(raw, whole, keys=[*whole, *Template(self._instrument.detector).keys])

    def _other_name(self, name: str, data_id: DataId) -> str:
        """Return the name under which a dataset is there, if that is another one than what it is asked for by."""
        types = self._mapper.policy.dataset_types
        for known, other in (_SAME | _OTHER_FILES).items():
            if name != known and not (name.startswith(f"{known}_") and name not in types):
                continue
            if name == other or name.startswith(f"{other}_"):
                continue
            if known in types and (known in _SAME or self._has_file(known, data_id)):
                continue
            if other in types and (known in _SAME or self._has_file(other, data_id)):
                return other + name.removeprefix(known)
        return name

    def _has_file(self, name: str, data_id: DataId) -> bool:
        """Return whether a dataset has a file of its own; without a key of its path, such as a tract, it has none."""
        kind = self._mapper.policy.dataset_types.get(name)
        if kind is None or not kind.template:
            return False
        try:
            return self._files.find(kind, data_id)[0] is not None
        except (DataIdError, DatasetNotFoundError):
            return False

    def _stand_in(self, name: str, data_id: DataId, bbox: Box | None) -> object:
        part = STAND_INS[name]
        if name in self._mapper.policy.dataset_types:
            _LOG.warning("no %s of its own for this data ID: this is %s", name, part)
        kind, suffix = self._mapper.split(part)
        return self._read(kind.name, suffix, data_id, bbox)

    def _schema(self, kind: DatasetType, data_id: DataId) -> object:
        """Return the columns of a catalog: as the file of the data ID tells them, or without one any file."""
        try:
            return self._read(kind.name, "schema", data_id, None)
        except (DataIdError, DatasetNotFoundError) as error:
            found = find_datasets(self._files.roots, [kind], [data_id]).get(kind.name, {})
            if not found:
                raise DatasetNotFoundError(
                    f"no {kind.name} from which the columns could be read: {error}",
                    dataset_type=kind.name,
                    data_id=data_id,
                ) from None
            return read_dataset(kind.storage, kind.python, next(iter(found.values())), "schema")

    def _section(self, kind: DatasetType, data_id: DataId, section: str) -> object:
        """Return the settings of one task out of those of the run."""
        whole = self._read(_SETTINGS, "", data_id, None)
        if not isinstance(whole, dict) or section not in whole:
            raise not_found(kind.name, data_id, self._files.find(kind, data_id)[1])
        return whole[section]

    def _read(self, name: str, suffix: str, data_id: DataId, bbox: Box | None) -> object:
        kind = self._mapper.dataset_type(name)
        if suffix == "filename":
            return [self._files.uri(kind, data_id)]
        found, tried = self._files.find(kind, data_id)
        if found is None and name == _SKY_MAP:
            found = next((path for root in self._files.roots if (path := root / _SKY_MAP_PICKLE).is_file()), None)
        found = found or find_other_name(name, tried, self._files.roots)
        if found is None:
            raise not_found(name, data_id, tried)
        note_input(name, found)
        kind = self._files.kind_of(kind, found)
        is_raw = name.removeprefix("_") == self._instrument.raw_dataset_type and self._instrument.translator is not None
        own = suffix.removeprefix("header_")
        reader = self._instrument.reader(name)
        if reader is not None:
            return extract_component(reader(found, self._mapper.complete(name, data_id)), own, bbox, name)
        if kind.folder is not None:
            keys = Template(self._instrument.detector).keys
            detector = self._instrument.find_detector(
                data_id if keys.keys() <= data_id.keys() else self.complete_raw(data_id)
            )
            return extract_component(read_folder_defects(found, detector), own, bbox, name)
        place = self._files.with_hdu(kind, data_id, found)
        if is_raw and (suffix in RAW_PARTS or not suffix):
            return self._read_raw(kind, suffix, data_id, place)
        return read_dataset(kind.storage, kind.python, place, own, bbox)

    def _read_raw(self, kind: DatasetType, suffix: str, data_id: DataId, place: str) -> object:
        """Read a raw frame, or a part of it that the camera's translator tells."""
        whole = self._mapper.complete(kind.name, data_id)
        with suppress(
            DataIdError, DatasetNotFoundError
        ):  # the detector may be told by the registry alone, or by nothing
            whole = self.complete_raw(whole)
        cards = read_dataset(kind.storage, kind.python, place, "md")
        known = cards if isinstance(cards, dict) else {}
        path = self._files.plain(place)
        header = RawHeader(self._instrument, whole, known, path)
        if not header.has_filter:
            header = RawHeader(self._instrument, self._with_filter(kind.name, whole), known, path)
        if suffix:
            return header.part(suffix)
        value = read_dataset(kind.storage, kind.python, place)
        return header.complete(value) if isinstance(value, Exposure) else value

    def _with_filter(self, name: str, data_id: DataId) -> DataId:
        """Return a data ID with the filter that only the registry knows."""
        try:
            found = self._mapper.query(name, ["filter"], data_id)
        except (DataIdError, RepositoryError):  # no such column
            return data_id
        return {**data_id, "filter": found[0][0]} if len(found) == 1 else data_id
