"""Bring files and registry of a repository to agree: register files, forget rows, remove damaged results.

Nothing is decided from what was seen before: each step looks again, in the transaction that changes the registry.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from obs.errors import OutputError, describe_fault
from obs.ingest.audit import Fault
from obs.ingest.calib_origin import CalibOrigin
from obs.ingest.calib_store import CalibStore
from obs.ingest.calibs import read_calib_id
from obs.ingest.image_headers import first_image
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.relink import MissingRaw
from obs.ingest.translation import load_translator
from obs.os_advice import write_advice
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.key_sources import registry_place
from obs.repo.layout import open_repository
from obs.repo.registry import Registry
from obs.repo.transaction import Transaction

__all__ = ["forget_missing", "is_output", "register_orphans", "remove_damaged"]

_VISITS = "raw_visit"


def register_orphans(butler: Butler, orphans: Sequence[Fault], validity: int | None) -> Iterator[tuple[bool, str]]:
    """Register files that are in the places of raw files and calibrations, if their headers agree with their places.

    Parameters
    ----------
    butler : Butler
        The repository.
    orphans : sequence of Fault
        From `obs.ingest.audit.find_orphans`.
    validity : int or None
        Days for which a calibration is valid before and after its date; without it calibrations are left alone.

    Yields
    ------
    bool, str
        Whether a file was registered, and a line about it.

    Raises
    ------
    OutputError
        If the registry cannot be written.
    """
    raw = butler.instrument.raw_dataset_type
    raws = [orphan.path for orphan in orphans if orphan.dataset_type == raw]
    yield from _register_raws(butler, raws)
    calibs = [orphan for orphan in orphans if orphan.dataset_type != raw]
    if not calibs:
        return
    if validity is None:
        yield from ((False, f"{orphan.path}: say with --validity DAYS for how long it is valid") for orphan in calibs)
        return
    store, origin = CalibStore(butler), CalibOrigin(butler)
    for orphan in calibs:
        try:
            name, data_id = read_calib_id(store, orphan.path)
            doubts = origin.check(first_image(orphan.path), data_id)
            _check_place(orphan.path, [store.target(name, data_id)])
        except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
            yield False, f"{orphan.path}: {describe_fault(error, orphan.path)}"
            continue
        store.add([(name, data_id)], validity)
        yield True, "; ".join([f"{orphan.path}: registered as {name} {format_data_id(data_id)}", *doubts])


def _register_raws(butler: Butler, paths: Sequence[Path]) -> Iterator[tuple[bool, str]]:
    fitting = []
    for report in ingest_raws(butler, paths, IngestOptions(mode="skip", dry_run=True)).files if paths else ():
        try:
            if report.status == "failed":
                raise OutputError(report.reason)
            _check_place(report.path, report.targets)
        except OutputError as error:
            yield False, f"{report.path}: {error}"
        else:
            fitting.append(report.path)
    for report in ingest_raws(butler, fitting, IngestOptions(mode="skip")).files if fitting else ():
        names = ", ".join(map(format_data_id, report.data_ids))
        is_in = report.status == "ingested"
        yield is_in, f"{report.path}: {f'registered as {names}' if is_in else report.reason}"


def _check_place(path: Path, targets: Sequence[Path]) -> None:
    """Raise an error if the header of a file belongs to another place."""
    here = path.parent.resolve() / path.name
    names = [here.name.removesuffix(ending) for ending in COMPRESSED]
    fits = len(targets) == 1 and targets[0].parent.resolve() == here.parent and targets[0].name in (here.name, *names)
    if not fits:
        places = ", ".join(map(str, targets)) or "no place"
        raise OutputError(
            f"is left alone, because its header belongs to {places}; move it away and ingest it from there"
        )


def forget_missing(butler: Butler, raws: Sequence[MissingRaw], calibs: Sequence[Fault]) -> list[str]:
    """Remove the rows of raw files and calibrations whose files are gone, and links that lead nowhere in their places.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    raws : sequence of MissingRaw
        Raw frames without a file. A frame whose file is there again is kept.
    calibs : sequence of Fault
        Calibrations without a file.

    Returns
    -------
    list of str
        A line for each row that was removed.

    Raises
    ------
    OutputError
        If a registry or a link cannot be changed.
    """
    lines = []
    if raws:
        registry = Registry(registry_place(butler.root, butler.policy), read_only=False)
        raw = butler.instrument.raw_dataset_type
        with registry.transaction() as changes:
            gone = [lost for lost in raws if not butler.exists(raw, lost.data_id)]
            for lost in gone:
                changes.delete("raw", lost.data_id)
                lines.append(f"{format_data_id(lost.data_id)}: no longer registered")
            if registry.has_table(_VISITS):
                _forget_empty_visits(butler, changes, gone)
        for lost in gone:
            if lost.link is not None:
                _unlink(lost.path)
    if calibs:
        removed = CalibStore(butler).remove([(fault.dataset_type, fault.data_id) for fault in calibs])
        lines += [f"{name} {format_data_id(data_id)}: no longer registered" for name, data_id in removed]
    return lines


def _forget_empty_visits(butler: Butler, changes: Transaction, gone: Sequence[MissingRaw]) -> None:
    translator = load_translator(butler.instrument)
    keys = [name for name in translator.unique if name in translator.visit] or list(translator.visit)
    visits: list[DataId] = []
    for lost in gone:
        if all(key in lost.data_id for key in keys):
            visit = {key: lost.data_id[key] for key in keys}
            if visit not in visits and not changes.lookup(keys, visit, ["raw"]):
                visits.append(visit)
    for visit in visits:
        changes.delete(_VISITS, visit)


def is_output(butler: Butler) -> bool:
    """Return whether a repository is an output of ours, all of whose datasets were made from others."""
    description = open_repository(butler.root)
    return description.is_own and bool(description.parents)


def remove_damaged(faults: Sequence[Fault]) -> list[str]:
    """Remove results that cannot be read, so that a run with ``--skip-existing`` makes them again.

    Parameters
    ----------
    faults : sequence of Fault
        Files to remove.

    Returns
    -------
    list of str
        A line for each.

    Raises
    ------
    OutputError
        If one cannot be removed.
    """
    for fault in faults:
        _unlink(fault.path)
    return [f"{fault.path}: removed" for fault in faults]


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot remove {path}: {write_advice(error)}", path=path) from error
