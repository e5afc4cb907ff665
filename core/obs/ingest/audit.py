"""Look through the files of a repository: which are gone, which nobody knows, which are cut off or have changed."""

import gzip
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from astropy.io import fits

from obs.errors import FileFormatError, ObsError
from obs.ingest.calib_store import CalibStore
from obs.policy.data_id import format_data_id
from obs.policy.dataset_type import split_hdu
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.find_datasets import find_datasets
from obs.repo.fits_checksum import compare_datasums
from obs.repo.formatters import read_dataset
from obs.repo.input_files import InputFile
from obs.repo.layout import open_repository
from obs.repo.result_record import ResultRecord

__all__ = ["Fault", "find_changed_inputs", "find_damaged", "find_missing_calibs", "find_orphans"]

_FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")
_METADATA = "processCcd_metadata"


@dataclass(frozen=True)
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
    """

    kind: str
    path: Path
    text: str

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
    raws = find_datasets([butler.root], [butler.mapper.dataset_type(raw)])
    calibs = find_datasets([store.root], list(store.types.values()))
    found = {
        path: f"{kind} {name} is not registered"
        for kind, files in [*raws.items(), *calibs.items()]
        for name, path in files.items()
        if places.isdisjoint(path.with_name(path.name.removesuffix(ending)) for ending in COMPRESSED)
    }
    return [Fault("ORPHANED", path, text) for path, text in found.items()]


def find_missing_calibs(butler: Butler) -> list[Fault]:
    """Return the calibrations that are registered and whose files are gone."""
    if not open_repository(butler.root).is_own:
        return []
    store = CalibStore(butler, read_only=True)
    return [
        Fault("MISSING", store.target(name, data_id), f"{name} {format_data_id(data_id)}")
        for name, data_id in store.registered()
        if store.path(name, data_id) is None
    ]


def find_damaged(butler: Butler) -> list[Fault]:
    """Return the FITS files of the repository and of its calibrations that are cut off, or no longer fit their DATASUM.

    Each file is read once as a whole.
    """
    roots = list(dict.fromkeys([butler.root, butler.calib_root]))
    found = find_datasets(roots, list(butler.policy.dataset_types.values()))
    paths = sorted({path for files in found.values() for path in files.values()})
    return [fault for path in paths if path.name.lower().endswith(_FITS) and (fault := _find_damage(path))]


def _find_damage(path: Path) -> Fault | None:
    try:
        # Warnings are collected, not raised: astropy would leave the file open.
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with fits.open(path, lazy_load_hdus=False):
                pass
        cut = [str(warning.message) for warning in told if "truncated" in str(warning.message)]
        if cut:
            return Fault("TRUNCATED", path, " ".join(cut[0].split()))
        with gzip.open(path) if path.name.lower().endswith(".gz") else open(path, "rb") as file:
            compare_datasums(cast(BinaryIO, file))
    except FileFormatError as error:
        return Fault("CHANGED", path, " ".join(str(error).split()))
    except (OSError, EOFError, ValueError, zlib.error, fits.VerifyError) as error:
        return Fault("TRUNCATED", path, " ".join(str(error).split()) or "no FITS file")
    return None


def find_changed_inputs(butler: Butler) -> Iterator[Fault]:
    """Yield the files that results of the repository were made from and that are not what they were.

    Each input is read once as a whole.
    """
    kind = butler.policy.dataset_types.get(_METADATA)
    if kind is None:
        return
    inputs: dict[InputFile, list[str]] = {}
    for name, path in find_datasets([butler.root], [kind]).get(_METADATA, {}).items():
        try:
            metadata = read_dataset(kind.storage, kind.python, path)
            record = ResultRecord.from_metadata(metadata) if isinstance(metadata, dict) else None
        except ObsError as error:
            yield Fault("CHANGED", path, f"cannot be read: {error}")
            continue
        for item in () if record is None else record.inputs:
            inputs.setdefault(item, []).append(name)
    for item, names in inputs.items():
        if not item.is_intact():
            kind_of_fault = "CHANGED" if Path(item.path).is_file() else "MISSING"
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield Fault(kind_of_fault, Path(item.path), f"{item.dataset_type} that {names[0]}{more} was made with")
