"""What a third-generation repository holds that one of ours can take: raw frames, calibration frames, results."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet
from astropy.table.meta import get_header_from_yaml
from lsst.daf.butler import Butler as Gen3Butler
from lsst.daf.butler import DatasetRef
from lsst.daf.butler._collection_type import CollectionType

from obs.errors import FileFormatError, ObsError, RepositoryError
from obs.gen3_repository.export import RAW_KEYS
from obs.gen3_repository.exposures import exposure_number
from obs.image.catalog import Catalog
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.repo.fits_background import read_background
from obs.repo.fits_exposure import read_exposure

__all__ = ["Gen3Contents", "count_datasets", "find_contents", "take_results"]

_CALIBRATIONS = ("bias", "dark", "flat", "fringe", "sky")
_RESULTS = ("calexp", "calexpBackground", "src", "processCcd_metadata")
#: Where the library keeps facts about a whole table, and how the names of its own begin.
_FACTS, _OF_LIBRARY = b"table_meta_yaml", "LSST."


@dataclass
class Gen3Contents:
    """Files and datasets of a third-generation repository.

    Attributes
    ----------
    raws
        Raw files.
    keys
        Keys of data IDs of raw files whose headers do not give them.
    calibrations
        Files of calibration frames, by the number of days before and after their date for which they are valid.
    results
        Datasets of processing, by the run that made them.
    failures
        Lines about what cannot be taken.
    """

    raws: list[Path] = field(default_factory=list)
    keys: dict[Path, DataId] = field(default_factory=dict)
    calibrations: dict[int, list[Path]] = field(default_factory=lambda: defaultdict(list))
    results: dict[str, list[DatasetRef]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)


def find_contents(root: Path, instrument: str, collections: str = "*") -> Gen3Contents:
    """Look for what can be taken.

    Parameters
    ----------
    root
        The repository.
    instrument
        Name of the camera, in our spelling; that of the repository may have other capitals.
    collections
        Pattern of the collections to look in.

    Raises
    ------
    RepositoryError
        If it is none, or has nothing of the camera.
    """
    there = _open(root)
    known = [record.name for record in there.registry.queryDimensionRecords("instrument")]
    name = next((name for name in known if name.lower() == instrument.lower()), None)
    if name is None:
        raise RepositoryError(f"{root} has nothing of the camera {instrument}; it has: {', '.join(known)}", path=root)
    found = Gen3Contents()
    unsaid = {int(ref.dataId["exposure"]): there.get(ref) for ref in _refs(there, (RAW_KEYS,), name, collections)}
    for ref in _refs(there, ("raw", *_RESULTS), name, collections):
        if ref.datasetType.name == "raw":
            _add_file(there, ref, found.raws, found)
            keys = unsaid.get(int(ref.dataId["exposure"]), {}).get(str(ref.dataId["detector"]))
            if keys and found.raws:
                found.keys[Path(there.getURI(ref).ospath)] = keys
        else:
            found.results[ref.run].append(ref)
    for collection in there.registry.queryCollections(collections, collectionTypes=CollectionType.CALIBRATION):
        for kind in _CALIBRATIONS:
            for association in there.registry.queryDatasetAssociations(kind, collection) if _has(there, kind) else ():
                if association.ref.dataId["instrument"] == name:
                    _add_file(there, association.ref, found.calibrations[_days(association.timespan)], found)
    return found


def count_datasets(root: Path) -> tuple[list[str], dict[str, int]]:
    """Return the cameras of a repository, and how many datasets it has of each type.

    Raises
    ------
    RepositoryError
        If it cannot be opened.
    """
    there = _open(root)
    cameras = sorted(record.name for record in there.registry.queryDimensionRecords("instrument"))
    runs = list(there.registry.queryCollections(collectionTypes=CollectionType.RUN))
    kinds = sorted(kind.name for kind in there.registry.queryDatasetTypes())
    counts = {kind: len(set(there.registry.queryDatasets(kind, collections=runs))) if runs else 0 for kind in kinds}
    return cameras, counts


def _open(root: Path) -> Gen3Butler:
    try:
        return Gen3Butler.from_config(str(root), writeable=False)
    except Exception as error:
        message = f"{root} cannot be opened as a third-generation repository: {error}"
        raise RepositoryError(message, path=root) from error


def _has(there: Gen3Butler, kind: str) -> bool:
    return bool(list(there.registry.queryDatasetTypes(kind)))


def _refs(there: Gen3Butler, kinds: tuple[str, ...], instrument: str, collections: str) -> Iterator[DatasetRef]:
    names = sorted(there.registry.queryCollections(collections, collectionTypes=CollectionType.RUN))
    for kind in kinds:
        if names and _has(there, kind):
            yield from sorted(set(there.registry.queryDatasets(kind, collections=names, instrument=instrument)))


def _add_file(there: Gen3Butler, ref: DatasetRef, files: list[Path], found: Gen3Contents) -> None:
    uri = there.getURI(ref)
    if not uri.isLocal:
        found.failures.append(f"{ref}: is not on this machine: {uri}")
    elif (path := Path(uri.ospath)) not in files:
        files.append(path)


def _days(timespan: Any) -> int:  # noqa: ANN401 - a class of the library
    """Return half the length of a validity range in days, whose last day is valid to its end."""
    if timespan is None or timespan.begin is None or timespan.end is None:
        return 3650
    days: float = (timespan.end - timespan.begin).to_value("day")
    return max(round(days - 1.0) // 2, 0)


def take_results(butler: Butler, root: Path, refs: list[DatasetRef]) -> tuple[int, list[str]]:
    """Write results of a third-generation repository into the output of one of ours, which has the raw frames.

    Parameters
    ----------
    butler
        Our repository, with an output.
    root
        The other.
    refs
        The datasets.

    Returns
    -------
    int
        Number of datasets that were taken.
    list of str
        Lines about the others.
    """
    there = _open(root)
    instrument = butler.instrument
    data_ids: dict[tuple[int, int], DataId] = {}
    for known in butler.subset(instrument.raw_dataset_type):
        number = exposure_number(instrument, known.data_id)
        data_ids[number, instrument.find_detector(known.data_id).id] = known.data_id
    count, failures = 0, []
    for ref in refs:
        data_id = data_ids.get((int(ref.dataId["visit"]), int(ref.dataId["detector"])))
        try:
            if data_id is None:
                raise FileFormatError("there is no raw frame of this visit and detector")
            butler.put(_read(there, ref), ref.datasetType.name, data_id)
            count += 1
        except (ObsError, OSError, ValueError) as error:
            what = format_data_id(data_id) if data_id else str(ref.dataId)
            failures.append(f"{ref.datasetType.name} {what}: {error}")
    return count, failures


def _read(there: Gen3Butler, ref: DatasetRef) -> object:
    name = ref.datasetType.name
    if name == "src":
        catalog = Catalog.from_table(there.get(ref, storageClass="ArrowAstropy"))
        catalog.metadata |= _table_facts(there.getURI(ref).ospath)
        return catalog
    if name == "processCcd_metadata":
        return there.get(ref)
    path = there.getURI(ref).ospath
    return read_background(path) if name == "calexpBackground" else read_exposure(path)


def _table_facts(path: str) -> dict[str, Any]:
    """Return facts about a whole table, which the library writes to its file and does not read."""
    text = (pyarrow.parquet.read_schema(path).metadata or {}).get(_FACTS, b"").decode("utf-8", "replace")
    facts = get_header_from_yaml(text.splitlines()).get("meta", {}) if text else {}
    return {str(name): value for name, value in dict(facts).items() if not str(name).startswith(_OF_LIBRARY)}
