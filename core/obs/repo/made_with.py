"""Records of what coadds, their catalogs, common calibrations, forced fluxes and differences were made from.

Results of `obs process` have theirs in ``processCcd_metadata``; each of these has a file below the folder ``made_with``
of its output, at the path of its main dataset.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from obs.errors import ConfigError, DatasetNotFoundError, FileFormatError
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler
from obs.repo.fits_checksum import checksums_compared
from obs.repo.input_files import InputFile, inputs_noted
from obs.repo.links_out import check_inside
from obs.repo.result_record import ResultRecord, settings_digest
from obs.version import __version__
from obs.yaml_lines import dump_yaml, load_yaml

__all__ = ["MADE_TOGETHER", "find_input", "find_record", "is_unchanged", "iterate_records", "recording"]

logger = logging.getLogger(__name__)

_FOLDER = "made_with"
_AGAIN = "make the result again without --skip-existing, which writes a new record"

#: Dataset types with a record, and the one whose path the record has.
MADE_TOGETHER = {
    **dict.fromkeys(
        ("deepCoadd", "deepCoaddPsfMatched", "deepCoadd_nImage", "deepCoadd_score", "deepCoadd_inputs"), "deepCoadd"
    ),
    **dict.fromkeys(
        (
            "deepCoadd_calexp",
            "deepCoadd_calexp_background",
            "deepCoadd_meas",
            "deepCoadd_ref",
            "deepCoadd_forced_src",
        ),
        "deepCoadd_ref",
    ),
    **dict.fromkeys(("objectTable", "objectCatalog"), "objectTable"),
    **dict.fromkeys(
        (
            "calibrateVisits_metadata",
            "calibrateVisits_motions",
            "jointcal_wcs",
            "jointcal_photoCalib",
            "wcs",
            "fcr",
        ),
        "calibrateVisits_metadata",
    ),
    **dict.fromkeys(("deepDiff_differenceExp", "deepDiff_diaSrc"), "deepDiff_differenceExp"),
    "forced_src": "forced_src",
}


@contextmanager
def recording(
    butler: Butler,
    dataset_type: str,
    data_id: Mapping[str, Any],
    settings: Mapping[str, Any],
    also: Sequence[InputFile] = (),
    *,
    is_added: bool = False,
) -> Iterator[None]:
    """Record the files that are read inside as what a result was made from, if it is made; compare their checksums.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    dataset_type : str
        Main dataset of the result; see `MADE_TOGETHER`.
    data_id : mapping
        Its data ID.
    settings : mapping
        Settings as plain data.
    also : sequence of InputFile, optional
        Files that were read before.
    is_added : bool, optional
        Whether the result is added to an earlier one, whose inputs stay in the record: visits of another filter.
    """
    earlier = _earlier_record(butler, dataset_type, data_id) if is_added else None
    place = _place(Path(str(butler.output)), butler.mapper.path(dataset_type, data_id))
    # Should this run be killed, the record of an earlier one must not stand for what it has left.
    check_inside(place.parent)
    place.unlink(missing_ok=True)
    with inputs_noted() as files, checksums_compared(True):
        yield
    is_made = butler.exists(dataset_type, data_id, write=True)  # there may have been nothing to write
    own = tuple(name for name, main in MADE_TOGETHER.items() if main == dataset_type)
    before = () if earlier is None else earlier[0].inputs
    # What an earlier run had made is replaced by this one, and is no input of it.
    read = (item for item in (*before, *also, *files.values()) if item.dataset_type not in own)
    inputs = {item.path: item for item in read}
    outputs = own if is_made else ()
    record = ResultRecord(settings_digest(settings), __version__, tuple(inputs.values()), outputs)
    with atomic_write(place) as file:
        file.write(dump_yaml(record.to_metadata()).encode())


def _earlier_record(butler: Butler, dataset_type: str, data_id: Mapping[str, Any]) -> tuple[ResultRecord, Path] | None:
    """Return the record of a result that is added to; None, with a warning, if it is damaged."""
    try:
        return find_record(butler, dataset_type, data_id)
    except FileFormatError as error:
        logger.warning("%s; what the earlier part of the result was made from is not known any more", error)
        return None


def find_record(butler: Butler, dataset_type: str, data_id: Mapping[str, Any]) -> tuple[ResultRecord, Path] | None:
    """Return what a dataset was made from, and the file that says so; None if nothing does.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    dataset_type : str
        Type of the result, for example "calexp".
    data_id : mapping
        Its data ID.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    """
    main = MADE_TOGETHER.get(dataset_type)
    try:
        path = None if main is None else butler.mapper.path(main, data_id)
    except DatasetNotFoundError:
        path = None
    if path is None:
        return None
    place = next((place for root in butler.roots if (place := _place(root, path)).is_file()), None)
    return None if place is None else (_read(place), place)


def find_input(butler: Butler, item: InputFile) -> Path:
    """Return where an input is now: in this repository or its parents, also if they were copied or moved.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    item : InputFile
        Record of the file.

    Returns
    -------
    Path
        The recorded path if the file is not found elsewhere.
    """
    path = Path(item.path)
    roots = [root.absolute() for root in (*butler.roots, butler.calib_root)]
    kind = butler.policy.dataset_types.get(item.dataset_type)
    if kind is None or not kind.template or any(path.is_relative_to(root) for root in roots):
        return path
    names = path.parts[-kind.template.count("/") - 1 :]
    return next((place for root in roots if (place := root.joinpath(*names)).is_file()), path)


def is_unchanged(butler: Butler, dataset_type: str, data_id: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Return whether a result was made by this version with these settings from files that are still the same.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    dataset_type : str
        Type of the result.
    data_id : mapping
        Its data ID.
    settings : mapping
        Settings of the present run.

    Returns
    -------
    bool
        False also for a result without a record, or with a damaged one.
    """
    try:
        found = find_record(butler, dataset_type, data_id)
    except FileFormatError:
        return False
    if found is None:
        return False
    record, _ = found
    is_same = record.settings == settings_digest(settings) and record.version == __version__
    return is_same and all(item.has_content_of(find_input(butler, item)) for item in record.inputs)


def iterate_records(root: Path) -> Iterator[tuple[str, Path, ResultRecord | None]]:
    """Yield the path below a folder of each main dataset that has a record, the record's file, and the record.

    The record is None if the file is damaged.

    Parameters
    ----------
    root : Path
        Repository.
    """
    folder = root / _FOLDER
    for place in sorted(folder.rglob("*.yaml")):
        try:
            record = _read(place)
        except FileFormatError:
            record = None
        yield str(place.relative_to(folder).with_suffix("")), place, record


def _place(root: Path, path: str) -> Path:
    return root / _FOLDER / f"{path}.yaml"


def _read(place: Path) -> ResultRecord:
    try:
        content, _ = load_yaml(place, error=ConfigError)
    except ConfigError as error:
        raise FileFormatError(f"{error}; {_AGAIN}") from None
    record = ResultRecord.from_metadata(content) if isinstance(content, Mapping) else None
    if record is None:
        raise FileFormatError(f"is not a record of what a result was made from; {_AGAIN}", path=place)
    return record
