"""What is to be done with each raw file: its places in the repository, its rows, or why it is left out."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from obs.errors import describe_fault
from obs.frozen import frozen
from obs.ingest.moved_files import moved_by_another
from obs.ingest.report import ALREADY, FileReport
from obs.ingest.transfer import Mode, Transfer, check_owner, is_same_file
from obs.ingest.translation import Translated
from obs.policy.data_id import format_data_id
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.repo.file_keys import COMPRESSED
from obs.repo.registry import Registry

__all__ = ["IngestOptions", "Plan", "RawPlanner"]

_RESTORED = "it was ingested before and its file was missing; the file is in its place again"


@frozen(kw_only=True)
class IngestOptions:
    """Options of how raw files are ingested.

    Parameters
    ----------
    mode : {"link", "copy", "move", "skip"}
        How files get to their place; ``skip`` registers them only.
    dry_run : bool
        Change nothing.
    ignore_ingested : bool
        Let a file pass whose data ID is in the registry, even if it is not the file that was ingested.
    bad_files : sequence of str
        Shell patterns for names of files to leave out.
    bad_ids : sequence of mapping
        Keys and values; what agrees with all of one is left out.
    given : mapping
        Values of columns that neither the header nor the path of a file gives.
    rows : mapping of Path to sequence of mapping
        For files of which more is known than their headers say: the registry's row of each frame in the file.
    clobber : bool
        Replace files that are in the way.
    create : bool
        Empty the registry first.
    processes : int
        Number of processes that read headers.
    batch_size : int
        Files that are registered in one transaction.
    only_missing : bool
        Take only files that are registered and not in their place any more.

    Examples
    --------
    >>> from obs import IngestOptions
    >>> IngestOptions(mode="copy", bad_files=["*focus*"]).mode
    'copy'
    """

    mode: Mode = "link"
    dry_run: bool = False
    ignore_ingested: bool = False
    bad_files: Sequence[str] = ()
    bad_ids: Sequence[Mapping[str, Any]] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[Path, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    clobber: bool = False
    create: bool = False
    processes: int = 1
    batch_size: int = 500
    only_missing: bool = False


@dataclass
class Plan:
    """What is to be done with one file, and then what was done.

    Parameters
    ----------
    translated : Translated
        What its headers say.
    report : FileReport
        What will be reported of it, if all goes well.
    keys : sequence of tuple
        For each row, the values that name it.
    transfers : sequence of Transfer
        Its ways to its places.
    rows : sequence of mapping
        Rows that the registry gains; none for a file that is only put back.
    """

    translated: Translated
    report: FileReport
    keys: Sequence[tuple[Any, ...]] = ()
    transfers: Sequence[Transfer] = ()
    rows: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether there is something to be done."""
        return self.report.status == "ingested"

    def fail(self, reason: str) -> None:
        """Give up this file and take back what was done for it.

        Parameters
        ----------
        reason : str
            Text for the report.
        """
        for transfer in self.transfers:
            transfer.undo()
        self.report = FileReport(self.report.path, "failed", reason)

    def undo(self) -> None:
        """Take back what was done for this file."""
        for transfer in self.transfers:
            transfer.undo()


class RawPlanner:
    """Decides about files one after another; a data ID can be taken once.

    Parameters
    ----------
    root : Path
        The repository.
    raw : DatasetType
        The dataset type of raw frames.
    unique : sequence of str
        Columns that name a row.
    options : IngestOptions
        How to ingest.
    registry : Registry or None
        The registry; None if there is none yet.
    check : callable
        Called with a row; raises an error for one that cannot be of this camera.
    """

    def __init__(
        self,
        root: Path,
        raw: DatasetType,
        unique: Sequence[str],
        options: IngestOptions,
        registry: Registry | None,
        *,
        check: Callable[[Mapping[str, Any]], object],
    ) -> None:
        self.root, self.raw, self.unique, self.check = root, raw, tuple(unique), check
        self.options, self.registry = options, registry
        #: For each data ID that is taken: the file of this run that has it, or None for one ingested before.
        self.taken: dict[tuple[Any, ...], Path | None] = {}
        if registry is not None and registry.has_table("raw"):
            self.taken |= dict.fromkeys(registry.lookup(self.unique, {}, ["raw"]))

    def plan(self, translated: Translated) -> Plan:
        """Decide about a file, and take its data IDs."""
        path, rows = translated.path, translated.rows
        if translated.stranger:
            return Plan(translated, FileReport(path, "skipped", translated.stranger))
        if translated.error:
            if (moved := moved_by_another(path, self.registry, self.root)) is not None:
                return Plan(translated, moved)
            return Plan(
                translated, FileReport(path, "skipped" if translated.is_no_exposure else "failed", translated.error)
            )
        for bad in self.options.bad_ids:
            if rows and all(all(row.get(key) == value for key, value in bad.items()) for row in rows):
                return Plan(translated, FileReport(path, "skipped", f"it is --bad-id {format_data_id(bad)}"))
        try:
            for row in rows:
                self.check(_known(row))
            targets = self._targets(path, rows)
            if self.options.mode == "move":
                check_owner(path, targets[0])
        except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
            return Plan(translated, FileReport(path, "failed", describe_fault(error, path, "has no place")))
        keys = [tuple(row[name] for name in self.unique) for row in rows]
        data_ids = tuple(dict(zip(self.unique, key, strict=True)) for key in keys)
        report = FileReport(path, "ingested", targets=targets, data_ids=data_ids, warnings=translated.warnings)
        is_lost = self._is_lost(targets, keys, rows)
        refusal = None if is_lost else self._refusal(path, targets[0], keys)
        if refusal is not None:
            return Plan(translated, refusal, keys)
        if self.options.only_missing and not is_lost:
            names = "; ".join(map(self._name, keys))
            return Plan(translated, FileReport(path, "failed", f"no registered frame without a file is {names}"), keys)
        self.taken |= dict.fromkeys(keys, path)
        transfers: list[Transfer] = []
        for target in targets:
            first = transfers[0] if transfers else None
            transfers.append(Transfer(path, target, self.options.mode, clobber=self.options.clobber, first=first))
        if is_lost:
            return Plan(translated, replace(report, warnings=(*report.warnings, _RESTORED)), keys, transfers)
        return Plan(translated, report, keys, transfers, rows)

    def forget(self, plan: Plan) -> None:
        """Let other files have the data IDs of a file that was not ingested."""
        for key in plan.keys:
            if self.taken.get(key) == plan.report.path:
                del self.taken[key]

    def _targets(self, path: Path, rows: Sequence[Mapping[str, Any]]) -> tuple[Path, ...]:
        """Return the places of a file, which keep the ending of its compression.

        A file with several detectors has a place for each, unless the template has one for all of them.
        """
        names = dict.fromkeys(split_hdu(self.raw.format(_known(row)))[0] for row in rows)
        ending = next((ending for ending in COMPRESSED if ending and path.name.endswith(ending)), "")
        return tuple(self.root / (name if name.endswith(ending) else name + ending) for name in names)

    def _is_lost(
        self, targets: Sequence[Path], keys: Sequence[tuple[Any, ...]], rows: Sequence[Mapping[str, Any]]
    ) -> bool:
        """Return whether a file was ingested, has the same place as then, and is not there any more."""
        if self.registry is None or self.options.mode == "skip":
            return False
        if not all(key in self.taken and self.taken[key] is None for key in keys):
            return False
        if any(place.exists() for target in targets for place in _variants(target)):
            return False
        columns = list(self.raw.compiled.keys)
        return all(
            self.registry.lookup(columns, dict(zip(self.unique, key, strict=True)), ["raw"])
            == [tuple(row[name] for name in columns)]
            for key, row in zip(keys, rows, strict=True)
        )

    def _refusal(self, path: Path, target: Path, keys: Sequence[tuple[Any, ...]]) -> FileReport | None:
        """Return the report of a file whose data ID is taken, or that holds one twice."""
        if len(set(keys)) < len(keys):
            return FileReport(path, "failed", f"two of its extensions have the same {self._name(keys[0])}")
        there = [key for key in keys if key in self.taken]
        if not there:
            return None
        name, first = self._name(there[0]), self.taken[there[0]]
        if first is not None:
            if first.absolute() == path.absolute():
                return FileReport(path, "skipped", "named twice")
            return FileReport(path, "failed", f"the same data ID {name} as {first}, which is ingested")
        is_whole = len(there) == len(keys)
        is_alike = self.options.ignore_ingested or self.options.mode == "skip" or is_same_file(path, target)
        # One that is gone has been moved here by another process.
        if is_whole and (is_alike or not os.path.lexists(path)):
            return FileReport(path, "skipped", ALREADY, (target,))
        if not is_whole:
            return FileReport(path, "failed", f"a part of it, {name}, is in the registry already")
        holder = next((f" as {found}" for found in _variants(target) if os.path.lexists(found)), "")
        return FileReport(path, "failed", f"{name} is ingested already{holder}, and that is another file")

    def _name(self, key: tuple[Any, ...]) -> str:
        return format_data_id(dict(zip(self.unique, key, strict=True)))


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _variants(target: Path) -> Iterator[Path]:
    """Yield the places where a dataset may be, whatever its compression."""
    name = target.name
    for ending in COMPRESSED:
        name = name.removesuffix(ending) if ending else name
    for ending in COMPRESSED:
        yield target.with_name(name + ending)
