"""Write results of processing, of one exposure, a tract or a patch, into a third-generation repository."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lsst.daf.butler import DatasetRef
from lsst.daf.butler import DatasetType as Gen3Type
from lsst.daf.butler.formatters.parquet import ParquetFormatter
from lsst.daf.butler.formatters.yaml import YamlFormatter
from lsst.sphgeom import ConvexPolygon

from obs.errors import ObsError
from obs.gen3_repository.export_raws import RawExport
from obs.gen3_repository.exposures import exposure_number
from obs.gen3_repository.formatter import ImageFormatter
from obs.gen3_repository.metrics import export_metrics
from obs.gen3_repository.places import BAND_FILTER, DICTIONARY, SKY_MAP, SKY_MAP_RUN, TABLE, Place, find_place
from obs.gen3_repository.records import region, visit_records
from obs.gen3_repository.sky_map_records import sky_map_name, sky_map_record, tract_records
from obs.gen3_repository.target import Target
from obs.image.catalog import Catalog
from obs.plural import count_of
from obs.policy.data_id import DataId, format_data_id
from obs.policy.dataset_type import DatasetType
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.repo.metric_table import MetricTable
from obs.skymap.sky_map import SkyMap

__all__ = ["export_results"]

_PARQUET = (".parq", ".parquet")
#: Files that the library reads without obs, and its class for that; all others are read by our own.
_FORMATTERS = {TABLE: ParquetFormatter, DICTIONARY: YamlFormatter}
#: What of an output is no dataset: PSFs for frames with few stars, logs, what results were made with.
_RECORDS = ("good_psf", "logs", "made_with")
_Found = tuple[DatasetType, DataId, Path]


def export_results(butler: Butler, target: Target, raws: RawExport) -> None:
    """Write the results in the folder of a repository, without those of its parents.

    Parameters
    ----------
    butler : Butler
        Our repository.
    target : Target
        The other.
    raws : RawExport
        Knows the exposures.
    """
    types = [kind for kind in butler.policy.dataset_types.values() if kind.group != "calibrations"]
    skipped = (butler.instrument.raw_dataset_type, "raw")
    found: list[tuple[Place, list[_Found]]] = []
    by_type = _by_type(butler.root, types)
    target.report.left |= _unnamed_settings(butler.root, {path for datasets in by_type for _, _, path in datasets})
    target.report.left |= _records(butler.root)
    for datasets in by_type:
        kind = datasets[0][0]
        if kind.name in skipped:
            continue
        place = find_place(kind, butler.instrument)
        readable = [one for one in datasets if place is not None and _is_readable(one[2])]
        if left := len(datasets) - len(readable):
            target.report.left[kind.name] = left
        if place is not None and readable:
            found.append((place, readable))
    export = _ResultExport(butler, target, raws)
    if found:
        export.run(found)
    export_metrics(MetricTable(butler.root), target, export.run_name)


def _by_type(root: Path, types: list[DatasetType]) -> list[list[_Found]]:
    """Return datasets by their type; a file that several types fit is of the first."""
    found: dict[str, list[_Found]] = {kind.name: [] for kind in types}
    seen: set[Path] = set()
    for kind, data_id, path in iterate_datasets([root], types):
        if path not in seen:
            seen.add(path)
            found[kind.name].append((kind, data_id, path))
    return [datasets for datasets in found.values() if datasets]


def _unnamed_settings(root: Path, known: set[Path]) -> dict[str, int]:
    """Return the files of settings of an output that no dataset type names, each of which counts once."""
    files = [path for path in (root / "config").glob("[!.]*") if path.is_file() and path not in known]
    return {path.relative_to(root).as_posix(): 1 for path in files}


def _records(root: Path) -> dict[str, int]:
    """Return the numbers of files that tell how an output was made, by their place."""
    files = {name: [root / name, *(root / name).rglob("*")] for name in _RECORDS}
    return {name: count for name, paths in files.items() if (count := sum(path.is_file() for path in paths))}


def _is_readable(path: Path) -> bool:
    """Return whether a file is none of those that only the stack of its time reads: Python, pickles, XML."""
    return path.suffix not in (".py", ".pickle", ".pkl", ".boost", ".txt", ".png")


class _ResultExport:
    def __init__(self, butler: Butler, target: Target, raws: RawExport) -> None:
        self.butler, self.target, self.raws = butler, target, raws
        self.instrument = butler.instrument
        self.run_name = f"u/obs/{butler.root.name}"
        self.sky_map: SkyMap[Any] | None = None
        self.sky_map_name = ""
        self.tracts: set[int] = set()
        self.visits: set[int] = set()
        self.n_homeless = 0

    def run(self, found: list[tuple[Place, list[_Found]]]) -> None:
        with suppress(ObsError):
            self.sky_map = self.butler.get(SKY_MAP)
        if self.sky_map is not None:
            self.sky_map_name = sky_map_name(self.target.there, self.sky_map)
            self.target.insert({"skymap": [sky_map_record(self.sky_map, self.sky_map_name)]})
        self._visits(data_id for place, datasets in found if place.of_exposure for _, data_id, _ in datasets)
        for place, datasets in found:
            kind = self.target.dataset_type(place.name, place.dimensions, place.storage)
            files: dict[type, dict[Path, list[DatasetRef]]] = defaultdict(lambda: defaultdict(list))
            for ours, data_id, path in datasets:
                if place.of_exposure and self._number(data_id) not in self.visits:
                    self.n_homeless += 1
                    continue
                with self.target.attempt(f"{ours.name} {format_data_id(data_id)}".rstrip()):
                    self._result(kind, ours, data_id, path, files)
            for formatter, some in files.items():
                self.target.ingest(some, formatter)
        if self.n_homeless:
            self.target.report.failures.append(f"{count_of(self.n_homeless, 'result')} of exposures that are not there")

    def _result(
        self,
        kind: Gen3Type,
        ours: DatasetType,
        data_id: DataId,
        path: Path,
        files: dict[type, dict[Path, list[DatasetRef]]],
    ) -> None:
        run = SKY_MAP_RUN if ours.name == SKY_MAP else self.run_name
        ref = self.target.new(kind, run, **self._coordinate(kind, data_id))
        if ref is None:
            return
        storage = kind.storageClass_name
        if storage == TABLE and path.suffix not in _PARQUET:
            catalog: Catalog = self.butler.get(ours.name, data_id)
            self.target.put(catalog.to_table(), ref)
        else:
            files[_FORMATTERS.get(storage, ImageFormatter)][path].append(ref)

    def _coordinate(self, kind: Gen3Type, data_id: DataId) -> dict[str, Any]:
        """Return the data ID in the other repository, whose records are there then."""
        names = set(kind.dimensions.required)
        found: dict[str, Any] = {}
        if "instrument" in names:
            found["instrument"] = self.instrument.name
        if "visit" in names:
            found["visit"] = self._number(data_id)
        if "exposure" in names:
            found["exposure"] = self._number(data_id)
        if "detector" in names:
            found["detector"] = self.instrument.find_detector(data_id).id
        if "skymap" in names:
            found |= self._place_on_sky(names, data_id)
        if "band" in names:
            found["band"] = self._band(found, str(data_id["filter"]))
        return found

    def _place_on_sky(self, names: set[str], data_id: DataId) -> dict[str, Any]:
        if self.sky_map is None:
            raise ValueError(f"{self.butler.root} has no sky map, and so its tracts no place on the sky")
        found: dict[str, Any] = {"skymap": self.sky_map_name}
        if "tract" in names:
            tract = self.sky_map.tract(int(data_id["tract"]))
            if tract.number not in self.tracts:
                self.target.insert(tract_records(tract, self.sky_map_name))
                self.tracts.add(tract.number)
            found["tract"] = tract.number
            if "patch" in names:
                x, y = tract.patch(str(data_id["patch"])).index
                found["patch"] = y * tract.n_patch[0] + x
        return found

    def _band(self, place: dict[str, Any], name: str) -> str:
        """Return the band of a filter.

        Raises
        ------
        ValueError
            If coadds of another filter have that band, so that both would have the same data IDs.
        """
        known = self.instrument.find_filter(name)
        kind = self.target.dataset_type(BAND_FILTER, ("skymap", "tract", "band"), DICTIONARY)
        keys = {"skymap": place["skymap"], "tract": place["tract"], "band": known.band}
        ref = self.target.new(kind, self.run_name, **keys)
        if ref is not None:
            self.target.there.put({"filter": name}, ref)
            return known.band
        taken = self.target.there.get(kind, keys, collections=self.run_name)["filter"]
        if taken != name:
            raise ValueError(
                f"data IDs of coadds have the band there ({known.band}), which coadds of {taken} have taken; "
                f"export those of {name} into another repository"
            )
        return known.band

    # visits

    def _visits(self, data_ids: Iterable[DataId]) -> None:
        """Insert the visits of some data IDs, with the regions of those of their detectors that have a WCS."""
        regions: dict[int, dict[int, ConvexPolygon]] = defaultdict(dict)
        seen: dict[int, DataId] = {}
        for data_id in data_ids:
            if (number := self._number(data_id)) is None:
                continue
            seen.setdefault(number, data_id)
            with suppress(ObsError):
                detector = self.instrument.find_detector(data_id).id
                if detector not in regions[number] and (part := self._region(data_id)) is not None:
                    regions[number][detector] = part
        for number, data_id in seen.items():
            with self.target.attempt(format_data_id(data_id)):
                self.target.insert(visit_records(self.instrument.name, self.raws.facts(data_id), regions[number]))
                self.visits.add(number)

    def _region(self, data_id: DataId) -> ConvexPolygon | None:
        """Return the part of the sky that an image covers, by its calexp or, without one, by its first image."""
        for name in ("calexp", "icExp", "postISRCCD"):
            with suppress(ObsError):
                box = self.butler.get(f"{name}_bbox", data_id)
                return region(self.butler.get(f"{name}_wcs", data_id), (box.height, box.width))
        return None

    def _number(self, data_id: DataId) -> int | None:
        """Return the number of the exposure of a data ID; None if its keys do not give one."""
        with suppress(ObsError):
            return exposure_number(self.instrument, data_id)
        return None
