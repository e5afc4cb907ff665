"""Calibration frames into a repository: each to its place, its dates into the registry of calibrations."""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from obs.errors import FileFormatError, ObsError, OutputError, describe_fault
from obs.ingest.calib_origin import CalibOrigin
from obs.ingest.calib_store import CalibStore
from obs.ingest.headers import FileHeader
from obs.ingest.image_headers import first_image
from obs.ingest.moved_files import moved_by_another
from obs.ingest.report import ALREADY, FileReport, IngestReport
from obs.ingest.transfer import Mode, Transfer, check_owner, finish_move, is_same_file, is_same_place
from obs.ingest.translation import load_translator
from obs.instrument.image_types import IMAGE_TYPE_CARDS, read_types, type_of_master
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.repo.calibration_type import calibration_type
from obs.repo.file_keys import COMPRESSED
from obs.repo.origin_table import origin_text

__all__ = ["ingest_calibs", "read_calib_id"]

_DATE = "calibDate"


def ingest_calibs(
    butler: Butler,
    files: Sequence[Path],
    *,
    validity: int,
    mode: Mode = "move",
    dry_run: bool = False,
    ignore_ingested: bool = False,
    clobber: bool = False,
    create: bool = False,
) -> IngestReport:
    """Ingest calibration frames into a repository.

    Parameters
    ----------
    butler : Butler
        The repository.
    files : sequence of Path
        The files; their headers tell type (OBSTYPE) and data ID (CALIB_ID).
    validity : int
        For how many days before and after its date each is valid.
    mode : {"link", "copy", "move", "skip"}, default: "move"
        How files come into their places.
    dry_run : bool, default: False
        Whether nothing is written.
    ignore_ingested : bool, default: False
        Whether a file whose data ID is registered already passes, even if it is another file.
    clobber : bool, default: False
        Whether other files in their places are replaced.
    create : bool, default: False
        Whether the registry is emptied first.

    Raises
    ------
    RepositoryError
        If the repository is not ours to write to.
    OutputError
        If the registry cannot be written.
    """
    store = CalibStore(butler, read_only=dry_run)
    if create and not dry_run:
        store.clear()
    ingest = _CalibIngest(store, mode, ignore_ingested=ignore_ingested, clobber=clobber)
    plans = [ingest.plan(path) for path in files]
    if not dry_run:
        ingest.carry_out(plans, validity)
    return IngestReport([plan.report for plan in plans], dry_run)


@dataclass
class _CalibPlan:
    """What is to be done with one file, and then what was done."""

    report: FileReport
    name: str = ""
    data_id: DataId = field(default_factory=dict)
    transfer: Transfer | None = None

    @property
    def is_open(self) -> bool:
        return self.report.status == "ingested"

    def fail(self, reason: str) -> None:
        self.report = FileReport(self.report.path, "failed", reason)


class _CalibIngest:
    """One run of `ingest_calibs`."""

    def __init__(self, store: CalibStore, mode: Mode, *, ignore_ingested: bool, clobber: bool) -> None:
        self.store, self.mode = store, mode
        self.ignore_ingested, self.clobber = ignore_ingested, clobber
        self.known = store.known()
        self.origin = CalibOrigin(store.butler)
        #: The file of this run that has a type and data ID.
        self.taken: dict[tuple[str, str], Path] = {}

    def plan(self, path: Path) -> _CalibPlan:
        """Decide what happens to a file."""
        try:
            name, data_id = read_calib_id(self.store, path)
            warnings = self.origin.check(first_image(path), data_id)
            target = self.store.target(name, data_id)
            if self.mode == "move":
                check_owner(path, target)
        except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
            moved = moved_by_another(path, self.store.registry, self.store.root)
            return _CalibPlan(moved or FileReport(path, "failed", describe_fault(error, path)))
        ending = next((ending for ending in COMPRESSED if ending and path.name.endswith(ending)), "")
        if not target.name.endswith(ending):
            target = target.with_name(target.name + ending)
        report = FileReport(
            path, "ingested", targets=(target,), data_ids=({"type": name, **data_id},), warnings=warnings
        )
        plan = _CalibPlan(report, name, data_id, Transfer(path, target, self.mode, clobber=self.clobber))
        first = self.taken.setdefault((name, format_data_id(data_id)), path)
        if first is path:
            self._refuse_known(plan)
        elif first == path:
            plan.report = replace(report, status="skipped", reason="named twice")
        else:
            plan.fail(f"the same {name} with {format_data_id(data_id)} as {first}")
        return plan

    def _refuse_known(self, plan: _CalibPlan) -> None:
        """Leave out a file whose data ID is registered."""
        if (plan.name, format_data_id(plan.data_id)) not in self.known:
            return
        there = self.store.path(plan.name, plan.data_id)
        is_same = there is not None and is_same_file(plan.report.path, there)
        # One that is gone has been moved here by another process.
        is_gone = there is not None and not os.path.lexists(plan.report.path)
        if self.ignore_ingested or is_gone or (is_same and not self.clobber):
            plan.report = replace(plan.report, status="skipped", reason=ALREADY)
        elif not self.clobber and there is not None:
            plan.fail(f"there is a {plan.name} with {format_data_id(plan.data_id)} already; --clobber replaces it")

    def carry_out(self, plans: Sequence[_CalibPlan], days: int) -> None:
        """Put the files in their places and register them; then remove the sources of a move."""
        self._each(plans, Transfer.prepare)
        try:
            with self.store.registry.transaction() as changes:
                self.known = self.store.known(changes)
                for plan in plans:
                    if plan.is_open:
                        self._refuse_known(plan)
                self._each(plans, Transfer.place)
                changes.keep_origins(
                    [
                        (os.path.relpath(target, self.store.root), origin_text([plan.report.path]), self.mode)
                        for plan in plans
                        for target in plan.report.targets
                        if plan.is_open and not is_same_place(plan.report.path, target)
                    ]
                )
                self.store.add_within(changes, [(plan.name, plan.data_id) for plan in plans if plan.is_open], days)
        except BaseException:
            self._take_back(plans)
            raise
        for plan in plans:
            if plan.transfer is not None and not plan.is_open:
                plan.transfer.discard()
            is_in = plan.is_open or plan.report.reason == ALREADY
            if self.mode == "move" and is_in:
                try:
                    finish_move(plan.report.path, plan.report.targets)
                except OutputError as error:
                    plan.report = replace(plan.report, warnings=(*plan.report.warnings, str(error)))

    def _each(self, plans: Sequence[_CalibPlan], step: Callable[[Transfer], None]) -> None:
        for plan in plans:
            if plan.is_open and plan.transfer is not None:
                try:
                    step(plan.transfer)
                except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
                    # One that is gone may have been ingested by another process, which the registry will know.
                    if step is not Transfer.prepare or os.path.lexists(plan.report.path):
                        plan.fail(describe_fault(error, what="cannot be ingested"))

    def _take_back(self, plans: Sequence[_CalibPlan]) -> None:
        """Remove what was put in place and is not registered; the sources are still there."""
        with suppress(ObsError), self.store.registry.transaction() as changes:
            known = self.store.known(changes)
            for plan in plans:
                if plan.transfer is not None and (plan.name, format_data_id(plan.data_id)) not in known:
                    plan.transfer.undo()
        for plan in plans:
            if plan.transfer is not None:
                plan.transfer.discard()


def read_calib_id(store: CalibStore, path: Path) -> tuple[str, DataId]:
    """Return the dataset type and the data ID of a calibration frame, from its header.

    Parameters
    ----------
    store : CalibStore
        Calibrations of the repository.
    path : Path
        Calibration frame with the cards OBSTYPE and CALIB_ID, or those of the image type and of the keys.

    Raises
    ------
    FileFormatError
        If the header does not give them.
    DataIdError
        If it does not say all keys, or a wrong value.
    """
    header = first_image(path)
    given_type = name = calibration_type(header)
    if name not in store.types:
        name = type_of_master(header)[0] or next(read_types(header, IMAGE_TYPE_CARDS), name)
    if name not in store.types:
        names = ", ".join(store.types)
        what = "OBSTYPE" if given_type else "the image type"
        problem = f"{what} '{given_type or name}' is not a calibration of this camera" if name else "OBSTYPE is missing"
        raise FileFormatError(f"{problem}; the types are {names}")
    words = str(header.get("CALIB_ID", ""))
    given: dict[str, Any] = dict(re.findall(r"(\w+)=(\S+)", words)) if words else _from_header(store, header)
    return name, store.complete(name, given)


def _from_header(store: CalibStore, header: FileHeader) -> dict[str, Any]:
    """Return the keys of a frame that has no CALIB_ID, as of a raw frame."""
    columns = load_translator(store.butler.instrument).registry_columns(header)
    day = str(header.get("DATE-OBS", columns.get("dateObs", "")))[:10]
    return columns | ({_DATE: day} if day else {})
