"""Raw frames into a repository: each file to its place, its headers' facts into the registry.

Only headers are read. A file that cannot be taken stops nothing. Files are registered in batches, one transaction each,
and get to their places while no other process can write to the registry: it never names a file that is not there, two
processes never register or remove the same file, and a run that is killed can simply be repeated.
"""

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from obs.errors import ObsError, OutputError, PluginError, RepositoryError, describe_fault
from obs.ingest.image_size import find_other_size
from obs.ingest.joined_files import joined
from obs.ingest.moved_files import moved_by_another, rest_of_move
from obs.ingest.raw_plans import IngestOptions, Plan, RawPlanner
from obs.ingest.report import ALREADY, FileReport, IngestReport
from obs.ingest.transfer import Mode, finish_move, is_same_place
from obs.ingest.translation import Translated, load_translator, registry_columns, translate_file, with_columns
from obs.instrument.translator import Translator
from obs.lifeline import end_with_parent
from obs.policy.dataset_type import DatasetType, Template, placed_part, split_hdu
from obs.repo.butler import Butler
from obs.repo.database import has_lost_connection
from obs.repo.fresh_folder import adopt
from obs.repo.key_sources import registry_place
from obs.repo.origin_table import origin_text
from obs.repo.registry import Registry
from obs.repo.sqlite_file import BUSY_SECONDS
from obs.repo.transaction import Transaction

__all__ = ["ALREADY", "IngestOptions", "create_raw_tables", "ingest_raws"]

_TYPE_NAMES = {int: "int", float: "double", str: "text"}
_CHUNK = 50


def ingest_raws(
    butler: Butler,
    files: Sequence[Path],
    options: IngestOptions | None = None,
    *,
    on_done: Callable[[FileReport], None] | None = None,
) -> IngestReport:
    """Ingest raw files into a repository, by their headers.

    Parameters
    ----------
    butler : Butler
        The repository, which must be one of ours.
    files : sequence of Path
        The files.
    options : IngestOptions, optional
        How; the default links files.
    on_done : callable, optional
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
    translator, options = _prepare(butler, options)
    reports: list[FileReport] = []
    # Closed here, not where the garbage is collected: that may be a thread of the pool, which cannot wait for itself.
    with closing(_ingest_whole(butler, translator, options, files)) as done:
        for report in done:
            reports.append(report)
            if on_done is not None:
                on_done(report)
    order = {path: number for number, path in enumerate(files)}
    return IngestReport(sorted(reports, key=lambda report: order[report.path]), options.dry_run)


def _prepare(butler: Butler, options: IngestOptions) -> tuple[Translator, IngestOptions]:
    """Return the camera's translator; where rows are known, a registry that is empty gets all their columns."""
    if not options.rows:
        return load_translator(butler.instrument), options
    place = registry_place(butler.root, butler.policy)
    registry = Registry(place) if "://" in place or Path(place).is_file() else None
    is_empty = registry is None or not registry.has_table("raw") or registry.count("raw") == 0
    there = None if registry is None or is_empty or options.create else registry.columns(["raw"])
    translator = with_columns(butler.instrument, options.rows, list(_placed(butler).keys), there)
    return translator, replace(options, create=options.create or is_empty)


def _ingest_whole(
    butler: Butler, translator: Translator, options: IngestOptions, files: Sequence[Path]
) -> Generator[FileReport, None, None]:
    """Ingest files, those of single amplifiers put together and cubes taken apart, and yield what became of each."""
    if not (translator.amplifier_files or translator.planes) or options.mode == "skip":
        yield from _Ingest(butler, translator, options).run(files)
        return
    with joined(files, translator, butler.root, dry_run=options.dry_run) as whole:
        yield from _Ingest(butler, translator, options).run(whole.alone)
        # What is made is of this run alone: it gets to its place by its name.
        moved = replace(options, mode="move", create=False)
        found: dict[Path, list[FileReport]] = {}
        run = _Ingest(butler, translator, moved, parts=whole.parts, mode=options.mode)
        is_moved = options.mode == "move" and not options.dry_run
        for path, fault in whole.faults.items():
            place = path, run.registry, butler.root
            report = moved_by_another(*place) or rest_of_move(*place) or FileReport(path, "failed", fault)
            yield _of_part(path, [report], is_moved=is_moved)
        for report in run.run(list(whole.parts)):
            for part in whole.parts[report.path]:
                found.setdefault(part, []).append(report)
        for part, reports in found.items():
            yield _of_part(part, reports, is_moved=is_moved)


def _of_part(part: Path, reports: Sequence[FileReport], *, is_moved: bool) -> FileReport:
    """Return what became of a file by what became of those made from it; the source of a move is removed."""
    order = {"failed": 0, "ingested": 1, "skipped": 2}
    worst = min(reports, key=lambda report: order[report.status])
    warnings = list(dict.fromkeys(text for report in reports for text in report.warnings))
    if is_moved and all(report.status == "ingested" or report.reason == ALREADY for report in reports):
        try:
            part.unlink(missing_ok=True)
        except OSError as error:
            warnings.append(f"cannot remove {part}: {error.strerror or error}; it is ingested")
    return FileReport(
        part,
        worst.status,
        worst.reason,
        tuple(target for report in reports for target in report.targets),
        tuple(data_id for report in reports for data_id in report.data_ids),
        tuple(warnings),
    )


def create_raw_tables(registry: Registry, translator: Translator, *, anew: bool = False) -> None:
    """Make the tables ``raw`` and ``raw_visit`` if they are not there.

    Parameters
    ----------
    registry : Registry
        The registry.
    translator : Translator
        The camera's, which says what the columns are.
    anew : bool, default: False
        Remove both first, with all that they hold.

    Raises
    ------
    OutputError
        If the database refuses.
    """
    columns = {name: _TYPE_NAMES[kind] for name, kind in registry_columns(translator).items()}

    def create(changes: Transaction) -> None:
        if anew:
            for table in ("raw", "raw_visit"):
                changes.drop_table(table)
        changes.create_table("raw", columns, translator.unique)
        if translator.visit:
            visit = {name: columns[name] for name in translator.visit}
            unique = [name for name in translator.unique if name in visit] or list(visit)
            changes.create_table("raw_visit", visit, unique, numbered=False)

    registry.apply(create)


def _placed(butler: Butler) -> DatasetType:
    """Return the type of raw frames with the path of their files; of one put together from HDUs, that of its parts."""
    types = butler.policy.dataset_types
    raw = butler.mapper.dataset_type(butler.instrument.raw_dataset_type)
    part = None if raw.template else types.get(placed_part(raw, types) or "")
    return raw if part is None else replace(raw, template=split_hdu(part.template or "")[0])


class _Ingest:
    """One run of `ingest_raws`."""

    def __init__(
        self,
        butler: Butler,
        translator: Translator,
        options: IngestOptions,
        *,
        parts: Mapping[Path, Sequence[Path]] | None = None,
        mode: Mode | None = None,
    ) -> None:
        #: The files that a file was made from, and how those were to get to their place.
        self.parts, self.mode = parts or {}, mode
        if not adopt(butler.root, butler.instrument.name, dry_run=options.dry_run):
            raise RepositoryError(
                f"{butler.root} is a repository of another program, which is only read; make one with obs init",
                path=butler.root,
            )
        self.butler, self.translator, self.options = butler, translator, options
        raw = _placed(butler)
        self.columns = registry_columns(translator)
        self.unique = tuple(translator.unique)
        astray = [key for key in (*raw.compiled.keys, *self.unique) if key not in self.columns]
        if astray:
            raise PluginError(
                f"the translator of camera '{butler.instrument.name}' gives no {', '.join(dict.fromkeys(astray))}, "
                f"which the raw template {raw.template} or the registry needs",
                plugin=butler.instrument.name,
            )
        self.needed = tuple(dict.fromkeys((*self.unique, *raw.compiled.keys)))
        self.template = raw.compiled.text
        self.widths: set[int] = set()
        with suppress(ObsError):  # a camera that cannot be described has no sizes
            self.widths = {0, *(detector.raw_shape[1] for detector in butler.instrument.load_camera().detectors)}
        self.registry = self._open_registry()
        self.planner = RawPlanner(butler.root, raw, self.unique, options, self.registry, check=self._check_detector)

    def _check_detector(self, row: Mapping[str, Any]) -> None:
        """Raise an error if the camera does not have the detector of a row, which its header may have wrong."""
        if all(key in row for key in Template(self.butler.instrument.detector).keys):
            self.butler.instrument.find_detector(row)

    def _check_size(self, translated: Translated) -> Translated:
        """Warn of a file whose image has another size: it takes the place of the exposure with its number.

        One that lacks rows is the exposure, whose readout was interrupted; processing says so.
        """
        if not translated.rows or translated.size[1] in self.widths or translated.path in self.options.rows:
            return translated
        other = find_other_size(translated.path, self.butler.instrument) if self.widths else ""
        return replace(translated, warnings=(*translated.warnings, other)) if other else translated

    def _open_registry(self) -> Registry | None:
        """Return the registry with its tables made; None for a dry run in a repository that has none."""
        place = registry_place(self.butler.root, self.butler.policy)
        if self.options.dry_run:
            if self.options.create or not ("://" in place or Path(place).is_file()):
                return None
            registry = Registry(place)
        else:
            registry = Registry(place, read_only=False)
            create_raw_tables(registry, self.translator, anew=self.options.create)
        if registry.has_table("raw"):
            there = registry.columns(["raw"])
            if lacking := [name for name in self.columns if name not in there]:
                raise RepositoryError(
                    f"the registry {place} has no column {', '.join(lacking)}: it was made with another version of "
                    "the camera; --create makes it anew from the files given",
                    path=place,
                )
        return registry

    def run(self, files: Sequence[Path]) -> Generator[FileReport, None, None]:
        wanted: list[Path] = []
        for path in files:
            pattern = next((bad for bad in self.options.bad_files if fnmatch(path.name, bad)), None)
            if pattern is None:
                wanted.append(path)
            else:
                yield FileReport(path, "skipped", f"its name matches --bad-file {pattern}")
        with closing(self._translate(wanted)) as translated:
            while batch := list(islice(translated, self.options.batch_size)):
                yield from self._ingest_batch(batch)

    def _translate(self, files: Sequence[Path]) -> Generator[Translated, None, None]:
        # A name where there is one: it is less to send to another process.
        named = self.butler.instrument.translator
        reference = named if isinstance(named, str) and not self.options.rows else self.translator
        work = partial(
            translate_file,
            reference=reference,
            needed=self.needed,
            template=self.template,
            given=dict(self.options.given),
            rows=self.options.rows,
        )
        processes = min(self.options.processes, -(-len(files) // _CHUNK))
        if processes <= 1:
            yield from map(work, files)
            return
        with ProcessPoolExecutor(processes, get_context("spawn"), initializer=end_with_parent) as pool:
            yield from pool.map(work, files, chunksize=_CHUNK)

    def _ingest_batch(self, batch: Sequence[Translated]) -> Iterator[FileReport]:
        plans = [self.planner.plan(self._check_size(translated)) for translated in batch]
        if not self.options.dry_run and self.registry is not None:
            self._put_in_again(plans)
            plans = [self._look_again(plan) for plan in plans]
        for plan in plans:
            yield self._finish(plan)

    def _put_in_again(self, plans: Sequence[Plan]) -> None:
        """Put files in, again and again while the server is being restarted."""
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._put_in(plans)
            except OutputError as error:
                if time.monotonic() > end or not has_lost_connection(error):
                    raise

    def _put_in(self, plans: Sequence[Plan]) -> None:
        """Put files in their places and register them; what is not registered is taken back."""
        try:
            self._prepare(plans)
            self._register(plans)
        except BaseException:
            self._take_back(plans)
            raise

    def _write(self) -> AbstractContextManager[Transaction]:
        """Begin to write to the registry, which a run that is not dry has."""
        if self.registry is None:
            raise OutputError(f"{self.butler.root} has no registry")
        return self.registry.transaction()

    def _prepare(self, plans: Sequence[Plan]) -> None:
        for plan in plans:
            try:
                for transfer in plan.transfers:
                    transfer.prepare()
            except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
                # One that is gone may have been ingested by another process, which the registry knows.
                if os.path.lexists(plan.report.path):
                    self._fail(plan, error)

    def _register(self, plans: Sequence[Plan]) -> None:
        """Put the files in their places and register them, while no other process can do that."""
        with self._write() as changes:
            wanted = [key for plan in plans if plan.is_open and plan.rows for key in plan.keys]
            late = changes.find_present("raw", self.unique, wanted)
            for plan in plans:
                if plan.is_open and late.isdisjoint(plan.keys):
                    self._place(plan)
            chosen = [plan for plan in plans if plan.is_open and late.isdisjoint(plan.keys)]
            changes.keep_origins([row for plan in chosen for row in self._origins(plan)])
            try:
                self._insert(changes, chosen)
            except OutputError as error:
                if isinstance(error.__cause__, OperationalError):
                    raise  # a full disk, a lost connection: no file is to blame
                for plan in chosen:  # one of them the database does not take: which one?
                    try:
                        self._insert(changes, [plan])
                    except OutputError as refusal:
                        self._fail(plan, refusal)
            for key in late:
                self.planner.taken[key] = None

    def _origins(self, plan: Plan) -> Iterator[tuple[str, str, str]]:
        """Yield of each place of a file, relative to the repository, where the file came from and how."""
        sources = self.parts.get(plan.report.path, [plan.report.path])
        text = origin_text(sources)
        mode = self.mode or self.options.mode
        for transfer in plan.transfers:
            if not is_same_place(transfer.source, transfer.target):
                yield os.path.relpath(transfer.target, self.butler.root), text, mode

    def _place(self, plan: Plan) -> None:
        try:
            for transfer in plan.transfers:
                transfer.place()
        except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
            self._fail(plan, error)

    def _insert(self, changes: Transaction, plans: Sequence[Plan]) -> None:
        rows = [row for plan in plans for row in plan.rows]
        if self.translator.visit and rows:
            visits = {
                tuple(row[name] for name in self.visit_key): {name: row[name] for name in self.translator.visit}
                for row in reversed(rows)
            }
            there = changes.find_present("raw_visit", self.visit_key, visits.keys())
            changes.insert("raw_visit", [visit for key, visit in reversed(visits.items()) if key not in there])
        changes.insert("raw", rows)

    @property
    def visit_key(self) -> tuple[str, ...]:
        """The columns that name a row of ``raw_visit``."""
        visit = tuple(self.translator.visit)
        return tuple(name for name in self.unique if name in visit) or visit

    def _look_again(self, plan: Plan) -> Plan:
        """Return what is to be said of a file that another process has registered in the meantime."""
        if not (plan.is_open and plan.rows and any(self.planner.taken.get(key) is None for key in plan.keys)):
            return plan
        plan.undo()
        self.planner.forget(plan)
        again = self.planner.plan(plan.translated)
        self._prepare([again])
        if again.is_open:
            self._place(again)
        return again

    def _take_back(self, plans: Sequence[Plan]) -> None:
        """Remove what was put in place and is not registered; the sources are still there."""
        for plan in plans:
            for transfer in plan.transfers:
                transfer.discard()
        placed = [plan for plan in plans if plan.is_open and plan.rows]
        # If the registry cannot be asked any more, what is there stays: the next run takes it.
        with suppress(ObsError), self._write() as changes:
            there = changes.find_present("raw", self.unique, [key for plan in placed for key in plan.keys])
            for plan in placed:
                if there.isdisjoint(plan.keys):
                    plan.undo()

    def _finish(self, plan: Plan) -> FileReport:
        """Remove the source of a move, also of one that an earlier run registered and was killed before the end."""
        report = plan.report
        is_in = report.status == "ingested" or report.reason == ALREADY
        if self.options.dry_run or self.options.mode != "move" or not is_in:
            return report
        try:
            finish_move(report.path, report.targets)
        except OutputError as error:
            return replace(report, warnings=(*report.warnings, str(error)))
        return report

    def _fail(self, plan: Plan, error: Exception) -> None:
        self.planner.forget(plan)
        plan.fail(describe_fault(error, what="cannot be ingested"))
