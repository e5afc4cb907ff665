"""Write raw frames and their exposures into a third-generation repository."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lsst.daf.butler import DatasetRef, DatasetType

from obs.errors import DataIdError, ObsError
from obs.gen3_repository.exposures import exposure_number
from obs.gen3_repository.formatter import ImageFormatter
from obs.gen3_repository.places import RAW_KEYS
from obs.gen3_repository.records import ExposureFacts, exposure_records
from obs.gen3_repository.target import Target
from obs.image.visit_info import VisitInfo
from obs.ingest.image_headers import first_image
from obs.ingest.translation import read_frames
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler

__all__ = ["RawExport", "filter_there", "raw_note"]

#: Columns of registries that tell something of an exposure.
_COLUMNS = ("filter", "physical_filter", "dataType", "field", "dateObs", "taiObs")
_KINDS = {"bias": "bias", "zero": "bias", "dark": "dark", "flat": "flat", "fringe": "fringe"}


class RawExport:
    """Writes exposures, each once, and raw frames.

    Parameters
    ----------
    butler : Butler
        Our repository.
    target : Target
        The other.
    """

    def __init__(self, butler: Butler, target: Target) -> None:
        self.butler, self.target = butler, target
        self.instrument: Instrument = butler.instrument
        self._exposures: dict[int, ExposureFacts] = {}

    def run(self) -> None:
        """Write the raw frames of the repository."""
        kind = self.target.dataset_type("raw", ("instrument", "exposure", "detector"), "Exposure")
        run = f"{self.instrument.name}/raw/all"
        files: dict[Path, list[DatasetRef]] = defaultdict(list)
        rows: dict[int, dict[str, DataId]] = defaultdict(dict)
        unsaid: set[int] = set()
        for known in self.butler.subset(self.instrument.raw_dataset_type):
            data_id = known.data_id
            if not self.butler.exists(self.instrument.raw_dataset_type, data_id):
                self.target.report.n_absent += 1
                continue
            with self.target.attempt(format_data_id(data_id)):
                # the key of the detector may be one that only the registry has
                self._raw(kind, run, self.butler.complete_raw(data_id), files, rows, unsaid)
        self.target.ingest(files, ImageFormatter)
        self.target.report.note = raw_note(self.instrument) if files else ""
        if unsaid:
            keys = self.target.dataset_type(RAW_KEYS, ("instrument", "exposure"), "StructuredDataDict")
            for exposure in sorted(unsaid):
                if (ref := self.target.new(keys, run, instrument=self.instrument.name, exposure=exposure)) is not None:
                    self.target.there.put(rows[exposure], ref)

    def _raw(
        self,
        kind: DatasetType,
        run: str,
        data_id: DataId,
        files: dict[Path, list[DatasetRef]],
        rows: dict[int, dict[str, DataId]],
        unsaid: set[int],
    ) -> None:
        facts = self.facts(data_id)
        path = self.butler.path(self.instrument.raw_dataset_type, data_id)
        detector = self.instrument.find_detector(data_id).id
        ref = self.target.new(kind, run, instrument=self.instrument.name, exposure=facts.id, detector=detector)
        if ref is not None:
            files[path].append(ref)
            row = rows[facts.id][str(detector)] = self._whole_row(data_id)
            if not self._says(path, row):
                unsaid.add(facts.id)

    def _whole_row(self, data_id: DataId) -> DataId:
        """Return all that is known of a raw frame, by the names of the registry's columns."""
        raw = self.instrument.raw_dataset_type
        wanted = [key for key in self.butler.id_keys(raw) if key not in data_id]
        rows = self.butler.query_metadata(raw, wanted, data_id) if wanted else []
        return {**(dict(zip(wanted, rows[0], strict=True)) if len(rows) == 1 else {}), **data_id}

    def _says(self, path: Path, row: DataId) -> bool:
        """Return whether the headers of a raw file alone give what is known of a frame."""
        with suppress(ObsError):
            frames = read_frames(path, self.instrument.make_translator())
            return any(all(frame.row.get(key) == value for key, value in row.items()) for frame in frames)
        return False

    def facts(self, data_id: DataId) -> ExposureFacts:
        """Return what is known of the exposure of a data ID, whose records are in the other repository then.

        Parameters
        ----------
        data_id : dict
            Data ID of a raw frame.

        Raises
        ------
        ObsError, ValueError
            If too little is known of it.
        """
        number = exposure_number(self.instrument, data_id)
        if number not in self._exposures:
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
            self.target.insert(exposure_records(self.instrument.name, facts))
            self._exposures[number] = facts
        return self._exposures[number]

    def _row(self, data_id: DataId) -> Mapping[str, Any]:
        """Return what the registry, or the data ID, tells of an exposure."""
        raw = self.instrument.raw_dataset_type
        known = self.butler.id_keys(raw)
        wanted = [key for key in _COLUMNS if key in known]
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
        name = next((str(row[key]) for key in ("filter", "physical_filter") if row.get(key)), "")
        return filter_there(self.instrument, name, self.target)


def filter_there(instrument: Instrument, name: str, target: Target) -> str:
    """Return the name of a filter in the other repository, which knows it then.

    Data IDs of a camera with one filter need not name it.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    name : str
        Filter of the data ID; empty if it has none.
    target : Target
        The other repository.
    """
    filters = instrument.filters
    if not name and len(filters) == 1:
        return filters[0].physical_filter
    try:
        return instrument.find_filter(name).physical_filter
    except DataIdError:
        # bias and dark frames are taken with anything, or nothing, in the beam
        record = {"instrument": instrument.name, "name": name or "unknown", "band": "unknown"}
        target.insert({"physical_filter": [record]})
        return name or "unknown"


def raw_note(instrument: Instrument) -> str:
    """Return what of a camera's raw files the stack's reader does not know."""
    amplifiers = [amp for detector in instrument.load_camera() for amp in detector.amplifiers]
    apart = any(amp.overscan_hdu for amp in amplifiers)
    if not apart and not any(amp.raw_hdu for amp in amplifiers):
        return ""
    what = "overscan in HDUs of its own" if apart else "amplifiers in HDUs of their own"
    return f"raw files are exported whole, but their reader for the stack takes one image, and they have {what}"
