"""What a third-generation repository holds that one of ours can take: raw frames, calibration frames, results."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsst.daf.butler import Butler as Gen3Butler
from lsst.daf.butler import DatasetRef
from lsst.daf.butler._collection_type import CollectionType

from obs.errors import RepositoryError
from obs.gen3_repository.places import BAND_FILTER, METRICS, RAW_KEYS, find_place, our_name
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId

__all__ = ["Gen3Contents", "count_datasets", "find_contents", "open_gen3"]

#: Dataset types that belong to others.
_APART = ("raw", RAW_KEYS, BAND_FILTER, "skyMap")
_CALIBRATIONS = ("bias", "dark", "flat", "fringe", "sky", "defects")


@dataclass
class Gen3Contents:
    """Files and datasets of a third-generation repository.

    Attributes
    ----------
    raws : list of Path
        Raw files.
    rows : dict of Path to list of DataId
        What is known of each frame of raw files whose headers do not give all of it.
    calibrations : dict of int to list of Path
        Files of calibration frames, by the number of days before and after their date for which they are valid.
    results : dict of str to list of DatasetRef
        Datasets of processing, by the run that made them.
    left : dict of str to int
        Dataset types that have no place here, and how many datasets each has.
    failures : list of str
        Lines about what cannot be taken.
    """

    raws: list[Path] = field(default_factory=list)
    rows: dict[Path, list[DataId]] = field(default_factory=lambda: defaultdict(list))
    calibrations: dict[int, list[Path]] = field(default_factory=lambda: defaultdict(list))
    results: dict[str, list[DatasetRef]] = field(default_factory=lambda: defaultdict(list))
    left: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def find_contents(root: Path, instrument: Instrument, collections: str = "*") -> Gen3Contents:
    """Look for what can be taken.

    Parameters
    ----------
    root : Path
        The repository.
    instrument : Instrument
        The camera; its name in the repository may have other capitals.
    collections : str, default: "*"
        Pattern of the collections to look in.

    Raises
    ------
    RepositoryError
        If it is none, or has nothing of the camera.
    """
    there = open_gen3(root)
    known = [record.name for record in there.registry.queryDimensionRecords("instrument")]
    name = next((name for name in known if name.lower() == instrument.name.lower()), None)
    if name is None:
        there_are = ", ".join(known) or "no camera"
        raise RepositoryError(f"{root} has nothing of the camera {instrument.name}; it has: {there_are}", path=root)
    found = Gen3Contents()
    unsaid = {int(ref.dataId["exposure"]): there.get(ref) for ref in _refs(there, (RAW_KEYS,), name, collections)}
    for ref in _refs(there, ("raw",), name, collections):
        _add_file(there, ref, found.raws, found)
        row = unsaid.get(int(ref.dataId["exposure"]), {}).get(str(ref.dataId["detector"]))
        if row and found.raws:
            found.rows[Path(there.getURI(ref).ospath)].append(row)
    types = instrument.load_policy().dataset_types
    for kind in sorted(there.registry.queryDatasetTypes(), key=lambda kind: kind.name):
        if kind.name in _APART or kind.isCalibration():
            continue
        ours = types.get(our_name(kind.name))
        place = find_place(ours, instrument) if ours is not None else None
        refs = list(_refs(there, (kind.name,), name, collections))
        is_metrics = kind.name.startswith(METRICS)
        if not is_metrics and (place is None or set(place.dimensions) != set(kind.dimensions.required)):
            found.left |= {kind.name: len(refs)} if refs else {}
            continue
        for ref in refs:
            found.results[ref.run].append(ref)
    for collection in there.registry.queryCollections(collections, collectionTypes=CollectionType.CALIBRATION):
        for calibration in _CALIBRATIONS:
            known_there = _has(there, calibration)
            for association in there.registry.queryDatasetAssociations(calibration, collection) if known_there else ():
                if association.ref.dataId["instrument"] == name:
                    _add_file(there, association.ref, found.calibrations[_days(association.timespan)], found)
    return found


def count_datasets(root: Path) -> tuple[list[str], dict[str, int]]:
    """Return the cameras of a repository, and how many datasets it has of each type.

    Parameters
    ----------
    root : Path
        Third-generation repository.

    Returns
    -------
    cameras : list of str
        Names of the cameras, sorted.
    counts : dict of str to int
        Dataset type to the number of its datasets.

    Raises
    ------
    RepositoryError
        If it cannot be opened.
    """
    there = open_gen3(root)
    cameras = sorted(record.name for record in there.registry.queryDimensionRecords("instrument"))
    runs = list(there.registry.queryCollections(collectionTypes=CollectionType.RUN))
    kinds = sorted(kind.name for kind in there.registry.queryDatasetTypes())
    counts = {kind: len(set(there.registry.queryDatasets(kind, collections=runs))) if runs else 0 for kind in kinds}
    return cameras, counts


def open_gen3(root: Path) -> Gen3Butler:
    """Open a repository to read from.

    Raises
    ------
    RepositoryError
        If it cannot be opened.
    """
    try:
        return Gen3Butler.from_config(str(root), writeable=False)
    except Exception as error:
        message = f"{root} cannot be opened as a third-generation repository: {error}"
        raise RepositoryError(message, path=root) from error


def _has(there: Gen3Butler, kind: str) -> bool:
    return bool(list(there.registry.queryDatasetTypes(kind)))


def _refs(there: Gen3Butler, kinds: tuple[str, ...], instrument: str, collections: str) -> Iterator[DatasetRef]:
    """Yield the datasets of a camera, and those that belong to no camera."""
    names = sorted(there.registry.queryCollections(collections, collectionTypes=CollectionType.RUN))
    for name in kinds:
        if names and _has(there, name):
            found = set(there.registry.queryDatasets(name, collections=names))
            yield from sorted(ref for ref in found if ref.dataId.get("instrument", instrument) == instrument)


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
