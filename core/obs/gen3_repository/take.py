"""Take results of a third-generation repository into the output of one of ours."""

import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet
from astropy.table.meta import get_header_from_yaml
from lsst.daf.butler import Butler as Gen3Butler
from lsst.daf.butler import DatasetRef

from obs.errors import FileFormatError, ObsError
from obs.gen3_repository.exposures import NUMBERS, exposure_number
from obs.gen3_repository.metrics import take_metrics
from obs.gen3_repository.places import BAND_FILTER, DICTIONARY, METRICS, SKY_MAP, TABLE, our_name
from obs.gen3_repository.read import open_gen3
from obs.image.catalog import Catalog
from obs.policy.data_id import DataId, format_data_id
from obs.policy.dataset_type import Template
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler
from obs.repo.formatters import read_dataset
from obs.repo.metric_table import MetricTable
from obs.repo.sky_map_file import read_sky_map

__all__ = ["take_results"]

#: Where the library keeps facts about a whole table, and how the names of its own begin.
_FACTS, _OF_LIBRARY = b"table_meta_yaml", "LSST."
_PARQUET = (".parq", ".parquet")
_FITS = (".fits", ".fit", ".fts")
_YAML = (".yaml", ".yml")


def take_results(butler: Butler, root: Path, refs: list[DatasetRef]) -> tuple[int, list[str]]:
    """Write results of a third-generation repository into the output of one of ours, which has the raw frames.

    Parameters
    ----------
    butler : Butler
        Our repository, with an output.
    root : Path
        The other.
    refs : list of DatasetRef
        The datasets.

    Returns
    -------
    int
        Number of datasets that were taken.
    list of str
        Lines about the others.
    """
    there = open_gen3(root)
    ids = _DataIds(butler, there)
    failures = []
    for name in sorted({str(ref.dataId["skymap"]) for ref in refs if "skymap" in ref.dataId}):
        try:
            _take_sky_map(butler, there, name)
        except (ObsError, OSError, ValueError, LookupError) as error:
            failures.append(f"skyMap {name}: {error}")
    count = 0
    for ref in refs:
        data_id: DataId | None = None
        try:
            if ref.datasetType.name.startswith(METRICS):
                take_metrics(there, ref, MetricTable(butler.output or butler.root))
            else:
                data_id = ids.ours(ref)
                _take(butler, there, ref, data_id)
            count += 1
        except (ObsError, OSError, ValueError) as error:
            what = str(ref.dataId) if data_id is None else format_data_id(data_id)
            failures.append(f"{ref.datasetType.name} {what}: {error}")
    return count, failures


class _DataIds:
    """Our data IDs of those of a third-generation repository."""

    def __init__(self, butler: Butler, there: Gen3Butler) -> None:
        self.butler, self.there = butler, there
        self.instrument = butler.instrument
        self._patch = cache(self._find_patch)
        self._filter = cache(self._find_filter)
        self._frames: dict[tuple[int, int], DataId] = {}
        for known in butler.subset(self.instrument.raw_dataset_type):
            whole = butler.complete_raw(known.data_id)
            number = exposure_number(self.instrument, whole)
            self._frames[number, self.instrument.find_detector(whole).id] = whole
        beside = {key for key in Template(self.instrument.detector).keys if key != "filter"}
        self._visits = {
            number: {key: value for key, value in data_id.items() if key not in beside}
            for (number, _), data_id in self._frames.items()
        }

    def ours(self, ref: DatasetRef) -> DataId:
        """Return our data ID of a dataset.

        Raises
        ------
        FileFormatError
            If there is none.
        """
        keys: dict[str, Any] = dict(ref.dataId.mapping)
        number = keys.get("visit", keys.get("exposure"))
        found: DataId = {}
        if number is not None:
            detector = keys.get("detector")
            frame = self._visits.get(number) if detector is None else self._frames.get((number, detector))
            if frame is None:
                raise FileFormatError("there is no raw frame of this visit and detector")
            found |= frame
            ours = self.butler.policy.dataset_types.get(our_name(ref.datasetType.name))
            # a registry may number exposures otherwise than the names of results do
            keys_here = {} if ours is None else ours.keys
            found |= {key: int(number) for key in NUMBERS if key in keys_here and found.get(key) is None}
        if "tract" in keys:
            found["tract"] = int(keys["tract"])
            if "patch" in keys:
                found["patch"] = self._patch(keys["skymap"], keys["tract"], keys["patch"])
            if "band" in ref.datasetType.dimensions.required:
                found["filter"] = self._filter(ref.run, keys["skymap"], keys["tract"], keys["band"])
        return found

    def _find_patch(self, sky_map: str, tract: int, patch: int) -> str:
        (record,) = self.there.registry.queryDimensionRecords("patch", skymap=sky_map, tract=tract, patch=patch)
        return f"{record.cell_x},{record.cell_y}"

    def _find_filter(self, run: str, sky_map: str, tract: int, band: str) -> str:
        """Return the filter of the coadds of a band: the one that was exported, or the only one of the camera."""
        if list(self.there.registry.queryDatasetTypes(BAND_FILTER)):
            ref = self.there.find_dataset(BAND_FILTER, skymap=sky_map, tract=tract, band=band, collections=run)
            if ref is not None:
                return str(self.there.get(ref)["filter"])
        return self.instrument.find_filter(band).physical_filter


def _take_sky_map(butler: Butler, there: Gen3Butler, name: str) -> None:
    (ref,) = _any_of(there.registry.queryDatasets("skyMap", collections="*", skymap=name))
    butler.put(read_sky_map(Path(there.getURI(ref).ospath)), SKY_MAP)


def _any_of(refs: Iterable[DatasetRef]) -> list[DatasetRef]:
    """Return one dataset of those that are the same in several collections."""
    found = sorted(set(refs))[:1]
    if not found:
        raise FileFormatError("is not in the repository")
    return found


def _take(butler: Butler, there: Gen3Butler, ref: DatasetRef, data_id: DataId) -> None:
    """Write a dataset: its file where that is one of ours, or else what is in it."""
    name = our_name(ref.datasetType.name)
    kind = butler.policy.dataset_types[name]
    uri = there.getURI(ref)
    if not uri.isLocal:
        raise FileFormatError(f"is not on this machine: {uri}")
    path = Path(uri.ospath)
    place = butler.path(name, data_id, write=True)
    storage = ref.datasetType.storageClass_name
    if any(path.suffix in some and place.suffix in some for some in (_FITS, _YAML, _PARQUET)):
        read_dataset(kind.storage, kind.python, path)  # a damaged file is not taken
        butler.prepare_output()
        with open(path, "rb") as source, atomic_write(place) as copy:
            shutil.copyfileobj(source, copy)
    elif path.suffix in _PARQUET:
        catalog = Catalog.from_table(there.get(ref, storageClass=TABLE))
        catalog.metadata |= _table_facts(path)
        butler.put(catalog, name, data_id)
    elif place.suffix in _YAML:
        butler.put(there.get(ref, storageClass=DICTIONARY), name, data_id)
    else:
        raise FileFormatError(f"{path.name} ({storage}) has no counterpart here")


def _table_facts(path: Path) -> dict[str, Any]:
    """Return facts about a whole table, which the library writes to its file and does not read."""
    text = (pyarrow.parquet.read_schema(path).metadata or {}).get(_FACTS, b"").decode("utf-8", "replace")
    facts = get_header_from_yaml(text.splitlines()).get("meta", {}) if text else {}
    return {str(name): value for name, value in dict(facts).items() if not str(name).startswith(_OF_LIBRARY)}
