"""`obs verify`: whether the files of a repository are there and whole, and what can be fixed."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import click

from obs.errors import RepositoryError
from obs.ingest.audit import (
    Fault,
    find_changed_inputs,
    find_damaged,
    find_lost_results,
    find_missing_calibs,
    find_orphans,
)
from obs.ingest.calib_staging import recover_builds
from obs.ingest.calib_store import CalibStore
from obs.ingest.fix import forget_missing, is_output, register_orphans, remove_damaged
from obs.ingest.relink import MissingRaw, find_missing_raws, has_foreign_registry, raw_repository, relink
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id
from obs.repo.atomic import TOGETHER
from obs.repo.butler import Butler
from obs.repo.leftovers import find_leftovers, remove_all
from obs.repo.links_out import find_links_out
from obs.shell_command import shell_command

__all__ = ["verify"]


_REMEDIES = {
    "MISSING": "put missing files back, build missing calibrations again, or make missing results again",
    "ORPHANED": "register orphaned files with --fix",
    "TRUNCATED": "take truncated files from a copy; --fix removes truncated results, to be processed again",
    "CHANGED": "take changed files from a copy, or make stale results again, such as by obs process --skip-existing",
}

#: What is said of a leftover that was to be replaced together with others.
_HALF = ": obs calibrate-visits was killed, so that some images may have its calibration and others an earlier one"


@dataclass
class _Findings:
    """What is wrong with a repository."""

    #: The repository that lists the raw files, if it is another one.
    keeper: Path | None = None
    missing: list[MissingRaw] = field(default_factory=list)
    not_copied: int = 0
    orphans: list[Fault] = field(default_factory=list)
    calibs: list[Fault] = field(default_factory=list)
    damaged: list[Fault] = field(default_factory=list)
    inputs: list[Fault] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)

    @property
    def faults(self) -> list[Fault]:
        """All but missing raw files and leftovers."""
        return [*self.calibs, *self.orphans, *self.damaged, *self.inputs]


def verify(
    root: Path,
    folder: Path | None,
    remove_leftovers: bool,
    fix: bool,
    yes: bool,
    validity: int | None,
    camera: str | None,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.verify."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    if folder is not None:
        _relink(butler, folder)
    found = _examine(butler)
    if fix:
        if _fix(butler, found, validity, yes=yes):
            # results that were removed just now are to be made again, which has been said
            removed = [str(fault.path) for fault in found.damaged if not fault.path.exists()]
            found = _examine(butler)
            found.inputs = [
                fault for fault in found.inputs if not any(name.startswith(str(fault.path)) for name in removed)
            ]
    elif remove_leftovers:
        _remove_leftovers(butler, found.leftovers)
        found.leftovers = [path for path in found.leftovers if path.suffix == TOGETHER]
    return _report(root, found)


def _relink(butler: Butler, folder: Path) -> None:
    missing = find_missing_raws(butler)
    if not missing:
        return
    if (keeper := raw_repository(butler).root) != butler.root:
        line = shell_command("obs", "verify", keeper, "--relink", folder)
        raise RepositoryError(f"the raw files are those of {keeper}; link them there: {line}", path=butler.root)
    for report in relink(butler, missing, folder):
        if report.status == "failed":
            click.echo(f"not linked: {report.path}: {report.reason}", err=True)
    left = len(find_missing_raws(butler))
    click.echo(f"{len(missing) - left} of {len(missing)} missing raw files linked")


def _examine(butler: Butler) -> _Findings:
    missing = find_missing_raws(butler)
    is_foreign, keeper = has_foreign_registry(butler), raw_repository(butler).root
    return _Findings(
        keeper=None if keeper == butler.root else keeper,
        missing=[] if is_foreign else missing,
        not_copied=len(missing) if is_foreign else 0,
        orphans=find_orphans(butler),
        calibs=find_missing_calibs(butler),
        damaged=find_damaged(butler),
        inputs=[*find_lost_results(butler), *find_changed_inputs(butler)],
        leftovers=find_leftovers(butler.root),
    )


def _fix(butler: Butler, found: _Findings, validity: int | None, *, yes: bool) -> bool:
    """Fix what can be fixed, a line for each thing; return whether anything was changed."""
    is_changed = _remove_leftovers(butler, found.leftovers)
    for is_in, line in register_orphans(butler, found.orphans, validity):
        click.echo(line, err=not is_in)
        is_changed = is_changed or is_in
    raws = [] if found.keeper else found.missing
    n_gone = len(raws) + len(found.calibs)
    if n_gone and _confirm(
        f"Forget {_count(n_gone, 'row')} of the registry without a file? Say no if the files may come back: if a disk "
        "is not mounted, or if the files are in another folder now (--relink DIR)",
        yes=yes,
    ):
        is_changed |= _print_lines(forget_missing(butler, raws, found.calibs))
    results = found.damaged if is_output(butler) else []
    if results and _confirm(
        f"Remove {_count(len(results), 'damaged result')}? obs process --skip-existing makes them again", yes=yes
    ):
        is_changed |= _print_lines(remove_damaged(results))
    return is_changed


def _confirm(question: str, *, yes: bool) -> bool:
    """Return whether the user agrees; where nobody can be asked, only if --yes was given."""
    if yes:
        return True
    if not sys.stdin.isatty():
        click.echo(f"{question}: not done without --yes", err=True)
        return False
    return click.confirm(question)


def _print_lines(lines: Iterable[str]) -> bool:
    """Print lines, and return whether there were any."""
    said = list(lines)
    for line in said:
        click.echo(line)
    return bool(said)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _remove_leftovers(butler: Butler, leftovers: list[Path]) -> bool:
    """Remove leftovers but those that say that results are to be made anew, and return whether there were any."""
    if any(path.suffix == ".build" for path in leftovers):
        recover_builds(CalibStore(butler))
    gone = [path for path in leftovers if path.suffix != TOGETHER]
    remove_all(gone)
    click.echo(f"{len(gone)} leftovers removed")
    return bool(gone)


def _raw_advice(keeper: Path | None) -> str:
    if keeper is None:
        return "find moved raw files with --relink DIR, or forget them with --fix"
    return f"{shell_command('obs', 'verify', keeper)}, which lists the raw files, finds moved ones with --relink DIR"


def _report(root: Path, found: _Findings) -> int:
    """Print what is wrong and what can be done, and return the exit status."""
    for lost in found.missing:
        place = f"{lost.path}" if lost.link is None else f"{lost.path}, a link to {lost.link}"
        click.echo(f"MISSING {format_data_id(lost.data_id)}: {place}", err=True)
    for fault in found.faults:
        click.echo(str(fault), err=True)
    for path in found.leftovers:
        click.echo(f"LEFTOVER {path}{_HALF if path.suffix == TOGETHER else ''}", err=True)
    if found.not_copied:
        frames = _count(found.not_copied, "frame")
        click.echo(
            f"{frames} of the registry, which another program made, were not copied with it, which is not a fault"
        )
    for path, is_open in find_links_out(root):
        what = "what is written there is" if is_open else "nothing is written there, as it is"
        click.echo(f"{path} is a link to {path.resolve()}: {what} outside of {root}")
    if not found.missing and not found.leftovers and not found.faults:
        click.echo(f"{root}: all registered raw files are there" if not found.not_copied else f"{root}: in order")
        return 0
    advice = [_raw_advice(found.keeper)] if found.missing else []
    kinds = {fault.kind for fault in found.faults}
    advice += [remedy for kind, remedy in _REMEDIES.items() if kind in kinds]
    if any(path.suffix != TOGETHER for path in found.leftovers):
        advice.append("remove leftovers with --remove-leftovers or --fix")
    if any(path.suffix == TOGETHER for path in found.leftovers):
        advice.append("run obs calibrate-visits again")
    numbers = [f"{len(found.missing)} missing", f"{len(found.leftovers)} leftovers"]
    if found.faults:
        numbers.append(f"{len(found.faults)} other faults")
    click.echo(f"{', '.join(numbers)}; {', '.join(advice)}", err=True)
    return 1
