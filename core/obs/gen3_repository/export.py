"""Write a third-generation repository with what one of ours holds, through the real library's public interface."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from astropy.time import Time
from lsst.daf.butler import Butler as Gen3Butler
from lsst.daf.butler import DatasetRef, DatasetType, FileDataset, Timespan
from lsst.daf.butler._collection_type import CollectionType
from lsst.sphgeom import ConvexPolygon

from obs.errors import DataIdError, ObsError, OutputError
from obs.gen3_repository.exposures import exposure_number
from obs.gen3_repository.formatter import ImageFormatter
from obs.gen3_repository.records import ExposureFacts, exposure_records, instrument_records, region, visit_records
from obs.image.catalog import Catalog
from obs.image.visit_info import VisitInfo
from obs.ingest.calib_store import Calibration, CalibStore
from obs.ingest.translation import first_image
from obs.instrument.instrument import Instrument
from obs.instrument.possible_wcs import known_cards
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets

__all__ = ["CLASS_PLACE", "RAW_KEYS", "Gen3Report", "export_gen3"]

logger = logging.getLogger(__name__)

#: Where the library finds the class of a camera; see `obs.gen3_repository.instruments`.
CLASS_PLACE = "obs.gen3_repository.instruments"
#: Results that are exported, their storage class there, and whether they are files that are taken as they are.
_FILES = {"calexp": "ExposureF", "calexpBackground": "Background"}
_TABLES = {"src": "ArrowAstropy"}
_DICTIONARIES = {"processCcd_metadata": "StructuredDataDict"}
#: Keys of data IDs that neither the headers of raw files nor their names there give, by the number of the detector.
RAW_KEYS = "raw_keys"
_CALIBRATIONS = dict.fromkeys(("bias", "dark", "flat", "fringe", "sky"), "ExposureF")
#: Columns of registries that tell something of an exposure.
_COLUMNS = ("filter", "physical_filter", "dataType", "field", "dateObs", "taiObs")
_KINDS = {"bias": "bias", "zero": "bias", "dark": "dark", "flat": "flat", "fringe": "fringe"}


@dataclass
class Gen3Report:
    """Numbers of datasets that were exported, and failures.

    Attributes
    ----------
    counts
        Dataset type to number of datasets.
    n_absent
        Raw frames that the registry lists and that have no file.
    left
        Dataset types that are not exported, and how many datasets each has.
    note
        What the stack's reader of raw files does not know of the camera; empty if nothing.
    failures
        Lines about what could not be exported.
    """

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    n_absent: int = 0
    left: dict[str, int] = field(default_factory=dict)
    note: str = ""
    failures: list[str] = field(default_factory=list)


def export_gen3(butler: Butler, out: Path, *, transfer: str = "copy") -> Gen3Report:
    """Write cameras, exposures, visits and datasets of a repository into a third-generation one.

    Parameters
    ----------
    butler
        Our repository; its results are exported too, if it is an output of processing.
    out
        Folder of the third-generation repository, made if need be; another export into it adds what it lacks.
    transfer
        How files get there: ``copy``, ``symlink``, ``hardlink`` or ``direct`` (they stay, and are named by their path).

    Returns
    -------
    Gen3Report

    Raises
    ------
    OutputError
        If the folder holds something else.
    """
    return _Export(butler, _open(out), transfer).run()


def _open(out: Path) -> Gen3Butler:
    if not (out / "butler.yaml").exists():
        if out.exists() and any(out.iterdir()):
            raise OutputError(f"{out} is not a third-generation repository and not empty; name a new folder", path=out)
        Gen3Butler.makeRepo(str(out))
    return Gen3Butler.from_config(str(out), writeable=True)


class _Export:
    def __init__(self, butler: Butler, there: Gen3Butler, transfer: str) -> None:
        self.butler, self.there, self.transfer = butler, there, transfer
        self.instrument: Instrument = butler.instrument
        self.name = self.instrument.name
        self.report = Gen3Report()
        self.exposures: dict[int, ExposureFacts] = {}
        self.visits: set[int] = set()

    def run(self) -> Gen3Report:
        records = instrument_records(self.instrument, f"{CLASS_PLACE}.{self.name}")
        self._insert(records)
        self._raws()
        self._results()
        self._calibrations()
        chain = [name for name in (f"{self.name}/raw/all", f"{self.name}/calib") if self._exists(name)]
        if chain:
            self._chain(f"{self.name}/defaults", chain)
        return self.report

    def _insert(self, records: Mapping[str, list[dict[str, Any]]]) -> None:
        """Insert records; those of an earlier export are left as they are."""
        with self.there.transaction():
            for element, rows in records.items():
                for row in rows:
                    self.there.registry.syncDimensionData(element, row, update=True)

    def _exists(self, collection: str) -> bool:
        return bool(self.there.registry.queryCollections(collection)) if self._known(collection) else False

    def _known(self, collection: str) -> bool:
        return collection in set(self.there.registry.queryCollections())

    def _chain(self, name: str, members: list[str]) -> None:
        self.there.registry.registerCollection(name, CollectionType.CHAINED)
        self.there.registry.setCollectionChain(name, members)

    def _type(self, name: str, dimensions: Iterable[str], storage: str, *, calibration: bool = False) -> DatasetType:
        kind = DatasetType(
            name, ("instrument", *dimensions), storage, universe=self.there.dimensions, isCalibration=calibration
        )
        self.there.registry.registerDatasetType(kind)
        return kind

    @contextmanager
    def _attempt(self, what: str) -> Iterator[None]:
        """Do something for one dataset; if it cannot be done, say so and go on."""
        try:
            yield
        except (ObsError, ValueError, KeyError, OSError) as error:
            self.report.failures.append(f"{what}: {' '.join(str(error).split())}")

    # raw frames

    def _raws(self) -> None:
        kind = self._type("raw", ("exposure", "detector"), "Exposure")
        run = f"{self.name}/raw/all"
        files: dict[Path, list[DatasetRef]] = defaultdict(list)
        unsaid: dict[int, dict[str, DataId]] = defaultdict(dict)
        for known in self.butler.subset(self.instrument.raw_dataset_type):
            data_id = known.data_id
            if not self.butler.exists(self.instrument.raw_dataset_type, data_id):
                self.report.n_absent += 1
                continue
            with self._attempt(format_data_id(data_id)):
                self._raw(kind, run, data_id, files, unsaid)
        self._ingest(run, files)
        self.report.note = _raw_note(self.instrument) if files else ""
        if unsaid:
            keys = self._type(RAW_KEYS, ("exposure",), "StructuredDataDict")
            for exposure, value in unsaid.items():
                if (ref := self._ref(keys, run, exposure=exposure)) is not None:
                    self.there.put(value, ref)

    def _raw(
        self,
        kind: DatasetType,
        run: str,
        data_id: DataId,
        files: dict[Path, list[DatasetRef]],
        unsaid: dict[int, dict[str, DataId]],
    ) -> None:
        facts = self._facts(data_id)
        path = self.butler.path(self.instrument.raw_dataset_type, data_id)
        detector = self.instrument.find_detector(data_id).id
        ref = self._ref(kind, run, exposure=facts.id, detector=detector)
        if ref is not None:
            files[path].append(ref)
            if keys := self._unsaid(path, data_id):
                unsaid[facts.id][str(detector)] = keys

    def _unsaid(self, path: Path, data_id: DataId) -> DataId:
        """Return the keys of a data ID that the header of the raw file does not give."""
        with suppress(ObsError):
            row = self.instrument.make_translator().registry_columns(known_cards(first_image(path)))
            return {key: value for key, value in data_id.items() if row.get(key) is None}
        return {}

    def _facts(self, data_id: DataId) -> ExposureFacts:
        number = exposure_number(self.instrument, data_id)
        if number not in self.exposures:
            row = self._row(data_id)
            info = self._visit_info(data_id)
            said = str(row.get("dataType", "")).lower()
            kind = next((kind for word, kind in _KINDS.items() if word in said), "science")
            facts = ExposureFacts(
                id=number,
                physical_filter=self._filter(row),
                info=info,
                kind=kind,
                target=str(row.get("field", "") or ""),
                date=str(row.get("dateObs") or row.get("taiObs") or ""),
            )
            if facts.day is None:
                raise ValueError("its header has no date, which a third-generation repository needs")
            self._insert(exposure_records(self.name, facts))
            self.exposures[number] = facts
        return self.exposures[number]

    def _row(self, data_id: DataId) -> Mapping[str, Any]:
        """Return what the registry, or the data ID, tells of an exposure."""
        raw = self.instrument.raw_dataset_type
        known = self.butler.id_keys(raw)
        wanted = [
            key for key in ("filter", "physical_filter", "dataType", "field", "dateObs", "taiObs") if key in known
        ]
        rows = self.butler.query_metadata(raw, wanted, data_id) if wanted else []
        return {**dict(zip(wanted, rows[0] if len(rows) == 1 else (), strict=False)), **data_id}

    def _visit_info(self, data_id: DataId) -> VisitInfo:
        """Return the circumstances, by the translator from the raw header or, where there is none, from the result."""
        with suppress(ObsError):
            header = first_image(self.butler.path(self.instrument.raw_dataset_type, data_id))
            return self.instrument.make_translator().visit_info(header)
        with suppress(ObsError):
            found: VisitInfo = self.butler.get("calexp_visitInfo", data_id)
            return found
        raise ValueError("neither its raw file nor a calexp has the time when it was taken")

    def _filter(self, row: Mapping[str, Any]) -> str:
        """Return the filter of an exposure; a camera's only one where its data IDs do not have it."""
        name = next((str(row[key]) for key in ("filter", "physical_filter") if row.get(key)), "")
        filters = self.instrument.filters
        if not name and len(filters) == 1:
            return filters[0].physical_filter
        try:
            return self.instrument.find_filter(name).physical_filter
        except DataIdError:
            # bias and dark frames are taken with anything, or nothing, in the beam
            self._insert({"physical_filter": [{"instrument": self.name, "name": name or "unknown", "band": "unknown"}]})
            return name or "unknown"

    def _ref(self, kind: DatasetType, run: str, **data_id: Any) -> DatasetRef | None:
        """Return the reference of a new dataset; None if the repository has it already."""
        self.there.registry.registerRun(run)
        coordinate = self.there.registry.expandDataId({"instrument": self.name, **data_id}, dimensions=kind.dimensions)
        if self.there.find_dataset(kind, coordinate, collections=run) is not None:
            return None
        return DatasetRef(kind, coordinate, run=run)

    def _ingest(self, run: str, files: Mapping[Path, list[DatasetRef]]) -> None:
        datasets = [FileDataset(str(path.resolve()), refs, formatter=ImageFormatter) for path, refs in files.items()]
        if datasets:
            self.there.ingest(*datasets, transfer=self.transfer)
        for dataset in datasets:
            self.report.counts[dataset.refs[0].datasetType.name] += len(dataset.refs)

    # results

    def _results(self) -> None:
        if self.butler.output is None and self.butler.root == self.butler.roots[-1]:
            return
        run = f"u/obs/{self.butler.root.name}"
        everything = find_datasets(self.butler.roots, list(self.butler.mapper.policy.dataset_types.values()))
        exported = {*_FILES, *_TABLES, *_DICTIONARIES, self.instrument.raw_dataset_type}
        self.report.left |= {name: len(found) for name, found in everything.items() if name not in exported}
        found = {name: list(self._found(name)) for name in (*_FILES, *_TABLES, *_DICTIONARIES)}
        self._visits(found["calexp"])
        files: dict[Path, list[DatasetRef]] = defaultdict(list)
        for name, storage in (_FILES | _TABLES | _DICTIONARIES).items():
            kind = self._type(name, ("visit", "detector"), storage)
            for data_id in found[name]:
                with self._attempt(f"{name} {format_data_id(data_id)}"):
                    self._result(kind, run, data_id, files)
        self._ingest(run, files)

    def _found(self, name: str) -> Iterator[DataId]:
        kind = self.butler.mapper.dataset_type(name)
        for path in find_datasets([self.butler.root], [kind]).get(name, {}).values():
            data_id = kind.parse(path.relative_to(self.butler.root).as_posix())
            if data_id is not None:
                yield data_id

    def _visits(self, data_ids: Iterable[DataId]) -> None:
        regions: dict[int, dict[int, ConvexPolygon]] = defaultdict(dict)
        for data_id in data_ids:
            with self._attempt(f"calexp {format_data_id(data_id)}"):
                self._region(data_id, regions)
        for number, parts in regions.items():
            self._insert(visit_records(self.name, self.exposures[number], parts))
            self.visits.add(number)

    def _region(self, data_id: DataId, regions: dict[int, dict[int, ConvexPolygon]]) -> None:
        wcs = self.butler.get("calexp_wcs", data_id)
        if wcs is None:
            raise ValueError("it has no WCS, and so no place on the sky")
        box = self.butler.get("calexp_bbox", data_id)
        number = self._facts(data_id).id
        regions[number][self.instrument.find_detector(data_id).id] = region(wcs, (box.height, box.width))

    def _result(self, kind: DatasetType, run: str, data_id: DataId, files: dict[Path, list[DatasetRef]]) -> None:
        name = kind.name
        number = exposure_number(self.instrument, data_id)
        if number not in self.visits:
            raise ValueError("its visit has no calexp with a WCS")
        ref = self._ref(kind, run, visit=number, detector=self.instrument.find_detector(data_id).id)
        if ref is None:
            return
        if name in _FILES:
            files[self.butler.path(name, data_id)].append(ref)
            return
        value = self.butler.get(name, data_id)
        self.there.put(value.to_table() if isinstance(value, Catalog) else value, ref)
        self.report.counts[name] += 1

    # calibrations

    def _calibrations(self) -> None:
        store = CalibStore(self.butler, read_only=True)
        for name in store.types:
            if name in _CALIBRATIONS:
                found = [known for known in store.find(name) if known.path is not None]
                self._calibration_type(name, found)
            elif count := len(store.find(name)):
                self.report.left[name] = count

    def _calibration_type(self, name: str, found: list[Calibration]) -> None:
        filtered = any("filter" in known.data_id for known in found)
        dimensions = ("detector", "physical_filter") if filtered else ("detector",)
        if not found:
            return
        kind = self._type(name, dimensions, _CALIBRATIONS[name], calibration=True)
        collection = f"{self.name}/calib"
        self.there.registry.registerCollection(collection, CollectionType.CALIBRATION)
        for known in found:
            with self._attempt(f"{name} {format_data_id(known.data_id)}"):
                self._calibration(kind, collection, known)

    def _calibration(self, kind: DatasetType, collection: str, known: Calibration) -> None:
        keys: dict[str, Any] = {"detector": self.instrument.find_detector(known.data_id).id}
        if "physical_filter" in kind.dimensions:
            keys["physical_filter"] = self._filter(known.data_id)
        ref = self._ref(kind, f"{self.name}/calib/{known.data_id['calibDate']}", **keys)
        if ref is None or known.path is None:
            return
        self._ingest(ref.run, {known.path: [ref]})
        begin = Time(known.valid_start, scale="utc").tai
        end = Time(known.valid_end, scale="utc").tai + timedelta(days=1)  # the last day is valid to its end
        self.there.registry.certify(collection, [ref], Timespan(begin, end))


def _raw_note(instrument: Instrument) -> str:
    """Return what of a camera's raw files the stack's reader does not know."""
    amplifiers = [amp for detector in instrument.load_camera() for amp in detector.amplifiers]
    apart = any(amp.overscan_hdu for amp in amplifiers)
    if not apart and not any(amp.raw_hdu for amp in amplifiers):
        return ""
    what = "overscan in HDUs of its own" if apart else "amplifiers in HDUs of their own"
    return f"raw files are exported whole, but their reader for the stack takes one image, and they have {what}"
