"""Look through the files of a repository: which are gone, which nobody knows, which are cut off or have changed."""

from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from obs.errors import DatasetNotFoundError, ObsError, describe_fault
from obs.frozen import frozen
from obs.ingest.calib_store import CalibStore
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.find_datasets import find_datasets, iterate_datasets
from obs.repo.fits_checksum import checksums_compared
from obs.repo.fits_file import open_fits
from obs.repo.formatters import read_dataset
from obs.repo.input_files import InputFile
from obs.repo.layout import open_repository
from obs.repo.made_with import find_input, iterate_records
from obs.repo.parquet_catalog import parquet_length
from obs.repo.result_record import ResultRecord

__all__ = ["Fault", "find_changed_inputs", "find_damaged", "find_lost_results", "find_missing_calibs", "find_orphans"]

_FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")
_PARQUET, _YAML = (".parq", ".parquet"), (".yaml", ".yml")
_METADATA = "processCcd_metadata"


@frozen
class Fault:
    """Something wrong with a file.

    Parameters
    ----------
    kind : str
        ``MISSING``, ``ORPHANED``, ``TRUNCATED`` or ``CHANGED``.
    path : Path
        The file.
    text : str
        What is wrong, or what it belongs to.
    dataset_type : str
        Of which type the file is; empty if it does not matter.
    data_id : dict
        Its data ID.
    """

    kind: str
    path: Path
    text: str
    dataset_type: str = ""
    data_id: DataId = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.path}: {self.text}"


def find_orphans(butler: Butler) -> list[Fault]:
    """Return the raw files and calibrations in their places that the registry does not know.

    A repository of another program is not looked at: its registry often lists another choice of files.
    """
    if not open_repository(butler.root).is_own:
        return []
    raw = butler.instrument.raw_dataset_type
    keys = list(butler.get_keys(raw))
    rows = butler.query_metadata(raw, keys, {})
    places = {butler.root / split_hdu(butler.mapper.path(raw, dict(zip(keys, row, strict=True))))[0] for row in rows}
    store = CalibStore(butler, read_only=True)
    places |= {store.target(name, data_id) for name, data_id in store.registered()}
    raws = iterate_datasets([butler.root], [butler.mapper.dataset_type(raw)])
    calibs = iterate_datasets([store.root], list(store.types.values()))
    found = {
        path: Fault("ORPHANED", path, f"{kind.name} {format_data_id(data_id)} is not registered", kind.name, data_id)
        for kind, data_id, path in (*raws, *calibs)
        if places.isdisjoint(path.with_name(path.name.removesuffix(ending)) for ending in COMPRESSED)
    }
    return list(found.values())


def find_missing_calibs(butler: Butler) -> list[Fault]:
    """Return the calibrations that are registered and whose files are gone."""
    if not open_repository(butler.root).is_own:
        return []
    store = CalibStore(butler, read_only=True)
    return [
        Fault("MISSING", store.target(name, data_id), f"{name} {format_data_id(data_id)}", name, data_id)
        for name, data_id in store.registered()
        if store.path(name, data_id) is None
    ]


def find_damaged(butler: Butler) -> list[Fault]:
    """Return the files of the repository and of its calibrations that are cut off, or no longer fit their DATASUM.

    Each file is read once as a whole, FITS files piece by piece.
    """
    roots = list(dict.fromkeys([butler.root, butler.calib_root]))
    found: dict[Path, tuple[DatasetType, DataId]] = {}
    for kind, data_id, path in iterate_datasets(roots, list(butler.policy.dataset_types.values())):
        found.setdefault(path, (kind, data_id))
    return [fault for path, known in sorted(found.items()) if (fault := _find_damage(path, *known))]


def _find_damage(path: Path, kind: DatasetType, data_id: DataId) -> Fault | None:
    name = path.name.lower()
    try:
        if name.endswith(_FITS):
            with checksums_compared(True), open_fits(path):
                pass
        elif name.endswith(_PARQUET):
            parquet_length(path)
        elif name.endswith(_YAML):
            read_dataset(kind.storage, kind.python, path)
    except DatasetNotFoundError:
        return None  # a link that leads nowhere, which is missing and not damaged
    except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
        text = describe_fault(error, path)
        return Fault("CHANGED" if "DATASUM" in text else "TRUNCATED", path, text, kind.name, data_id)
    return None


def find_changed_inputs(butler: Butler) -> Iterator[Fault]:
    """Yield the files that results of the repository were made from and that are not what they were.

    Each input is read once as a whole.
    """
    inputs: dict[InputFile, list[str]] = {}
    made = ((name, record) for name, _, record in iterate_records(butler.root) if record is not None)
    for name, record in (*_process_records(butler), *made):
        for item in record.inputs:
            inputs.setdefault(item, []).append(name)
    for item, names in inputs.items():
        place = find_input(butler, item)
        if not item.is_intact(place):
            kind_of_fault = "CHANGED" if place.is_file() else "MISSING"
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield Fault(kind_of_fault, place, f"{item.dataset_type} that {names[0]}{more} was made with")


def find_lost_results(butler: Butler) -> Iterator[Fault]:
    """Yield the results that were made, as their records say, and are gone."""
    types = butler.mapper.key_types(_METADATA) if _METADATA in butler.policy.dataset_types else {}
    for name, record in _process_records(butler):
        data_id = parse_ids(name.split(), types)[0]
        for output in record.outputs:
            if not butler.exists(output, data_id):
                yield Fault("MISSING", _place(butler, output, data_id), f"{output} {name}", output, data_id)
    for name, place, made in iterate_records(butler.root):
        path = butler.root / name
        if made is None:
            yield Fault("TRUNCATED", place, f"the record of what {name} was made from; make that again")
        elif made.outputs and not any(path.with_name(path.name + ending).is_file() for ending in COMPRESSED):
            yield Fault("MISSING", path, f"{made.outputs[0]} was made")


def _place(butler: Butler, dataset_type: str, data_id: DataId) -> Path:
    return butler.root / butler.mapper.path(dataset_type, data_id)


def _process_records(butler: Butler) -> Iterator[tuple[str, ResultRecord]]:
    """Yield the data ID of each result of `obs process`, as text, and its record; damaged ones are left out."""
    kind = butler.policy.dataset_types.get(_METADATA)
    if kind is None:
        return
    for name, path in find_datasets([butler.root], [kind]).get(_METADATA, {}).items():
        try:
            metadata = read_dataset(kind.storage, kind.python, path)
            record = ResultRecord.from_metadata(metadata) if isinstance(metadata, dict) else None
        except ObsError:
            continue
        if record is not None:
            yield name, record
