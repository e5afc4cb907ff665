"""Raw frames into a repository: each file to its place, its headers' facts into the registry.

Only headers are read. A file that cannot be taken stops nothing. Files are registered in batches, one transaction each;
they are in their place before, so that the registry never names a file that is not there, and a run that is killed can
simply be repeated.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError

from obs.errors import ObsError, OutputError, PluginError, RepositoryError
from obs.ingest.report import FileReport, IngestReport
from obs.ingest.transfer import Mode, finish_transfer, is_same_file, place_file
from obs.ingest.translation import Translated, load_translator, registry_columns, translate_file
from obs.instrument.translator import Translator
from obs.policy.data_id import format_data_id
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.key_sources import registry_place
from obs.repo.layout import open_repository
from obs.repo.registry import Registry

__all__ = ["ALREADY", "IngestOptions", "create_raw_tables", "ingest_raws"]

#: Reason for which a file is skipped that was ingested before.
ALREADY = "already ingested"

_TYPE_NAMES = {int: "int", float: "double", str: "text"}
_CHUNK = 50


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """How to ingest.

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
    clobber : bool
        Replace files that are in the way.
    create : bool
        Empty the registry first.
    processes : int
        Number of processes that read headers.
    batch_size : int
        Files that are registered in one transaction.

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
    clobber: bool = False
    create: bool = False
    processes: int = 1
    batch_size: int = 500


def ingest_raws(
    butler: Butler,
    files: Sequence[Path],
    options: IngestOptions | None = None,
    *,
    on_done: Callable[[FileReport], None] | None = None,
) -> IngestReport:
    """Ingest raw frames.

    Parameters
    ----------
    butler
        The repository, which must be one of ours.
    files
        The files.
    options
        How; the default links files.
    on_done
        Called with the report of every file as soon as it is known.

    Returns
    -------
    IngestReport

    Raises
    ------
    RepositoryError
        If the repository is not ours to write to.
    PluginError
        If the camera's translator cannot be used, or does not give the keys of the raw template.
    OutputError
        If the registry cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from obs import Butler, ingest_raws
    >>> report = ingest_raws(Butler("DATA"), [Path("night1/a0022.fits")])
    >>> report.ok, [file.status for file in report.files]
    (True, ['skipped'])
    """
    options = options or IngestOptions()
    translator = load_translator(butler.instrument)
    ingest = _Ingest(butler, translator, options)
    reports: list[FileReport] = []
    for report in ingest.run(files):
        reports.append(report)
        if on_done is not None:
            on_done(report)
    order = {path: number for number, path in enumerate(files)}
    return IngestReport(sorted(reports, key=lambda report: order[report.path]), options.dry_run)


def create_raw_tables(registry: Registry, translator: Translator) -> None:
    """Make the tables ``raw`` and ``raw_visit`` if they are not there.

    Raises
    ------
    OutputError
        If the database refuses.
    """
    columns = {name: _TYPE_NAMES[kind] for name, kind in registry_columns(translator).items()}
    registry.create_table("raw", columns, translator.unique)
    visit = {name: columns[name] for name in translator.visit}
    if visit:
        unique = [name for name in translator.unique if name in visit] or list(visit)
        registry.create_table("raw_visit", visit, unique, numbered=False)


class _Ingest:
    """One run of `ingest_raws`."""

    def __init__(self, butler: Butler, translator: Translator, options: IngestOptions) -> None:
        if not open_repository(butler.root).is_own:
            raise RepositoryError(
                f"{butler.root} is a repository of another program, which is only read; make one with obs init",
                path=butler.root,
            )
        self.butler, self.translator, self.options = butler, translator, options
        self.raw: DatasetType = butler.mapper.dataset_type(butler.instrument.raw_dataset_type)
        self.columns = registry_columns(translator)
        self.unique = tuple(translator.unique)
        astray = [key for key in (*self.raw.compiled.keys, *self.unique) if key not in self.columns]
        if astray:
            raise PluginError(
                f"the translator of camera '{butler.instrument.name}' gives no {', '.join(dict.fromkeys(astray))}, "
                f"which the raw template {self.raw.template} or the registry needs",
                plugin=butler.instrument.name,
            )
        self.needed = tuple(dict.fromkeys((*self.unique, *self.raw.compiled.keys)))
        #: For each data ID that is taken: the file of this run that has it, or None for one ingested before.
        self.taken: dict[tuple[Any, ...], Path | None] = {}
        self.visits: set[tuple[Any, ...]] = set()
        self.registry = self._open_registry()

    def _open_registry(self) -> Registry | None:
        """Return the registry with its tables made; None for a dry run in a repository that has none."""
        place = registry_place(self.butler.root, self.butler.policy)
        if self.options.dry_run:
            if self.options.create or not ("://" in place or Path(place).is_file()):
                return None
            registry = Registry(place)
        else:
            registry = Registry(place, read_only=False)
            if self.options.create:
                for table in ("raw", "raw_visit"):
                    registry.drop_table(table)
            create_raw_tables(registry, self.translator)
        if registry.has_table("raw"):
            there = registry.columns(["raw"])
            if lacking := [name for name in self.columns if name not in there]:
                raise RepositoryError(
                    f"the registry {place} has no column {', '.join(lacking)}: it was made with another version of "
                    "the camera; --create makes it anew from the files given",
                    path=place,
                )
            self._load_known(registry)
        return registry

    def _load_known(self, registry: Registry) -> None:
        self.taken |= dict.fromkeys(registry.lookup(self.unique, {}, ["raw"]))
        if self.translator.visit:
            self.visits |= set(registry.lookup(self.visit_key, {}, ["raw_visit"]))

    @property
    def visit_key(self) -> tuple[str, ...]:
        """The columns that name a row of ``raw_visit``."""
        visit = tuple(self.translator.visit)
        return tuple(name for name in self.unique if name in visit) or visit

    def run(self, files: Sequence[Path]) -> Iterator[FileReport]:
        wanted: list[Path] = []
        for path in files:
            pattern = next((bad for bad in self.options.bad_files if fnmatch(path.name, bad)), None)
            if pattern is None:
                wanted.append(path)
            else:
                yield FileReport(path, "skipped", f"its name matches --bad-file {pattern}")
        translated = self._translate(wanted)
        while batch := list(islice(translated, self.options.batch_size)):
            yield from self._ingest_batch(batch)

    def _translate(self, files: Sequence[Path]) -> Iterator[Translated]:
        # A name where there is one: it is less to send to another process.
        named = self.butler.instrument.translator
        reference = named if isinstance(named, str) else self.translator
        work = partial(translate_file, reference=reference, needed=self.needed)
        processes = min(self.options.processes, -(-len(files) // _CHUNK))
        if processes <= 1:
            yield from map(work, files)
            return
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            yield from pool.map(work, files, chunksize=_CHUNK)

    def _ingest_batch(self, batch: Sequence[Translated]) -> Iterator[FileReport]:
        reports = [self._place(translated) for translated in batch]
        try:
            self._register(reports)
        except OutputError as error:
            if not isinstance(error.__cause__, IntegrityError) or self.registry is None:
                self._take_back(reports)
                raise
            # Another process has registered some of the same in the meantime: look again.
            self._take_back(reports)
            self._load_known(self.registry)
            reports = [self._place(translated) for translated in batch]
            self._register(reports)
        for pending in reports:
            report = pending.report
            if report.status == "ingested" and not self.options.dry_run:
                try:
                    finish_transfer(report.path, report.targets, self.options.mode)
                except OutputError as error:
                    report = replace(report, warnings=(*report.warnings, str(error)))
            yield report

    def _place(self, translated: Translated) -> "_Pending":
        """Decide what becomes of a file, and put it in its place."""
        path, rows = translated.path, translated.rows
        if translated.error:
            return _Pending(FileReport(path, "failed", translated.error))
        for bad in self.options.bad_ids:
            if rows and all(all(row.get(key) == value for key, value in bad.items()) for row in rows):
                return _Pending(FileReport(path, "skipped", f"it is --bad-id {format_data_id(bad)}"))
        new: list[Path] = []
        try:
            targets = self._targets(path, rows)
            keys = [tuple(row[name] for name in self.unique) for row in rows]
            refusal = self._refusal(path, targets[0], keys)
            if refusal is not None:
                return _Pending(refusal)
            if not self.options.dry_run:
                for target in targets:
                    if place_file(path, target, self.options.mode, clobber=self.options.clobber):
                        new.append(target)
        except ObsError as error:
            _remove(new)
            return _Pending(FileReport(path, "failed", str(error)))
        self.taken |= dict.fromkeys(keys, path)
        data_ids = tuple(dict(zip(self.unique, key, strict=True)) for key in keys)
        report = FileReport(path, "ingested", targets=targets, data_ids=data_ids, warnings=translated.warnings)
        return _Pending(report, rows, tuple(new))

    def _targets(self, path: Path, rows: Sequence[Mapping[str, Any]]) -> tuple[Path, ...]:
        """Return the places of a file, which keep the ending of its compression.

        A file with several detectors has a place for each, unless the template has one for all of them.
        """
        names = dict.fromkeys(split_hdu(self.raw.format(_known(row)))[0] for row in rows)
        ending = next((ending for ending in COMPRESSED if ending and path.name.endswith(ending)), "")
        return tuple(self.butler.root / (name if name.endswith(ending) else name + ending) for name in names)

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
        if is_whole and (self.options.ignore_ingested or self.options.mode == "skip" or is_same_file(path, target)):
            return FileReport(path, "skipped", ALREADY, (target,))
        if not is_whole:
            return FileReport(path, "failed", f"a part of it, {name}, is in the registry already")
        holder = next((f" as {found}" for found in _variants(target) if os.path.lexists(found)), "")
        return FileReport(path, "failed", f"{name} is ingested already{holder}, and that is another file")

    def _name(self, key: tuple[Any, ...]) -> str:
        return format_data_id(dict(zip(self.unique, key, strict=True)))

    def _register(self, reports: Iterable["_Pending"]) -> None:
        if self.registry is None or self.options.dry_run:
            return
        rows = [row for pending in reports for row in pending.rows]
        visits: dict[tuple[Any, ...], dict[str, Any]] = {}
        if self.translator.visit:
            for row in rows:
                key = tuple(row[name] for name in self.visit_key)
                if key not in self.visits:
                    visits.setdefault(key, {name: row[name] for name in self.translator.visit})
        self.registry.change({"raw": rows, "raw_visit": visits.values()} if visits else {"raw": rows})
        self.visits |= visits.keys()

    def _take_back(self, reports: Iterable["_Pending"]) -> None:
        """Remove what was put in place for a batch that is not registered; the sources are still there."""
        for pending in reports:
            if pending.report.status == "ingested":
                for data_id in pending.report.data_ids:
                    self.taken.pop(tuple(data_id.values()), None)
            _remove(pending.new)


@dataclass(frozen=True)
class _Pending:
    """A file on its way: its report, its rows, and its places where something new is."""

    report: FileReport
    rows: Sequence[Mapping[str, Any]] = ()
    new: tuple[Path, ...] = ()


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _variants(target: Path) -> Iterator[Path]:
    """Yield the places where a dataset may be, whatever its compression."""
    name = target.name
    for ending in COMPRESSED:
        name = name.removesuffix(ending) if ending else name
    for ending in COMPRESSED:
        yield target.with_name(name + ending)
