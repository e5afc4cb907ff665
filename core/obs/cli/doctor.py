"""`obs doctor`: what is still wrong with a camera's package."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from obs.checks.open_package import open_package
from obs.cli.files import find_files
from obs.cli.progress import show_count
from obs.cli.table import format_table
from obs.doctor.agreement import kind_of_image, settle_disagreements
from obs.doctor.check import STEPS, Check, MeasuredValue, next_to_fix
from obs.doctor.examine import Examination, examine
from obs.doctor.orientation import write_mount
from obs.doctor.page import Complaint, find_complaints, find_shared, table_of_files
from obs.doctor.picture import draw_frame
from obs.doctor.places import shown
from obs.doctor.trial import Tried, try_processing
from obs.doctor.whole_files import whole_files
from obs.doctor.write import find_measured, mark_written, write_measured
from obs.instrument.instrument import Instrument
from obs.plural import count_of, list_of
from obs.repo.atomic import atomic_write

__all__ = ["doctor"]

_ENDING = re.compile(r"(\.(fits?|fts))?(\.(gz|fz|bz2))?$", re.IGNORECASE)
_MARKS = {"ok": "ok", "wrong": "WRONG", "doubtful": "look", "not known": "-"}
#: Rows of the table of files, and names of files behind a complaint: more would not fit on a page.
_MOST_ROWS, _MOST_NAMES = 15, 3
_MOST_PICTURES = 6


def doctor(
    name: str,
    files: tuple[str, ...],
    output: Path,
    no_picture: bool,
    no_trial: bool,
    write: bool,
    reference: Path | None,
    everything: bool,
    quiet: bool,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.doctor."""
    with open_package(name) as package, whole_files(package.instrument, find_files(files)) as (paths, parts):
        with show_count(len(paths), "reading") as advance:
            examination = examine(package, name, paths, on_file=lambda _: advance())
        settle_disagreements(examination.exposures)
        measured = [
            replace(one, files=tuple(part for path in one.files for part in parts.get(path, (path,))))
            for one in find_measured(examination)
        ]
        if write and measured and package.instrument is not None:
            _write(examination, package.instrument, measured)
        if everything:
            _print_all(examination, quiet)
        else:
            _print_page(examination, quiet)
        trial, mount = Tried([]), None
        wanted = not no_trial and (reference is not None or not write)
        if wanted and package.instrument is not None and next_to_fix(examination.checks) is None:
            trial = _try(examination, package.instrument, reference, quiet)
            mount = trial.mount
            if write and mount is not None:
                click.echo(
                    f"{shown(write_mount(package.instrument, mount))}: rotation, flip_x and plate_scale are written"
                )
        if not no_picture:
            _draw(examination, output, everything)
    tried = any(check.name == "obs process" and check.verdict == "ok" for check in trial.checks)
    if any(check.name == "orientation" and check.remedy for check in trial.checks) and not write:
        words = ["obs", "doctor", name, *files, "--refcat", str(reference), "--write"]
        click.echo(f"the stars show how the camera is mounted; to write this into the camera:\n  {shlex.join(words)}")
    if write and mount is None:
        click.echo("" if measured else "no gain and no read noise was measured: nothing was written", nl=not measured)
    elif measured:
        _offer(name, measured)
    return _conclude(examination, trial, tried=tried)


def _write(examination: Examination, instrument: Instrument, measured: list[MeasuredValue]) -> None:
    path = write_measured(instrument, measured)
    for one in measured:
        click.echo(f"{shown(path)}: {one.column} of {one.detector} {one.amplifier} is {one.value} now")
    mark_written(examination, measured)


def _offer(name: str, measured: list[MeasuredValue]) -> None:
    """Print what could be written into the camera, and the command that does it."""
    files = dict.fromkeys(str(path) for one in measured for path in one.files)
    names = [f"{one.column} of {one.detector} {one.amplifier} = {one.value}" for one in measured]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    click.echo(f"measured: {', '.join(names[:_MOST_NAMES])}{more}; to write this into the camera:")
    click.echo(f"  {shlex.join(['obs', 'doctor', name, *files, '--write'])}")


def _print_page(examination: Examination, quiet: bool) -> None:
    exposures = examination.exposures
    if not quiet:
        shared = find_shared(exposures)
        if shared:
            _table(f"the same in all {count_of(len(exposures), 'exposure')}", shared)
        elif len(exposures) == 1:
            _table(exposures[0].name, exposures[0].checks)
        if len(exposures) > 1:
            headers, rows = table_of_files(examination)
            click.echo(format_table(headers, rows[:_MOST_ROWS]))
            click.echo(f"... and {len(rows) - _MOST_ROWS} more\n" if len(rows) > _MOST_ROWS else "")
    _table("package", [check for check in examination.package if not quiet or check.verdict != "ok"])
    complaints = find_complaints(exposures)
    if complaints and (quiet or len(exposures) > 1):
        lines = [_complaint_row(complaint, len(exposures)) for complaint in complaints]
        click.echo(f"to fix or to look at\n{format_table(('step', 'what', '', 'why', 'where'), lines)}\n")


def _complaint_row(complaint: Complaint, n_exposure: int) -> tuple[str, str, str, str, str]:
    check, names = complaint.check, complaint.names
    where = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    if len(names) > 1:
        where = f"all {len(names)}" if len(names) == n_exposure else f"{len(names)} of {complaint.n_checked}: {where}"
    value = f"{check.value}: " if check.value and check.value not in check.note else ""
    return check.step, check.name, _MARKS[check.verdict], f"{value}{check.note}", where


def _print_all(examination: Examination, quiet: bool) -> None:
    for title, checks in [("package", examination.package), *((e.name, e.checks) for e in examination.exposures)]:
        _table(title, [check for check in checks if not quiet or check.verdict in ("wrong", "doubtful")])


def _table(title: str, checks: Sequence[Check]) -> None:
    if not checks:
        return
    ordered = sorted(checks, key=lambda check: STEPS.index(check.step))
    rows = [(check.step, check.name, check.value, check.source, _MARKS[check.verdict], check.note) for check in ordered]
    click.echo(f"{title}\n{format_table(('step', 'what', 'value', 'from', '', ''), rows)}\n")


def _try(examination: Examination, instrument: Instrument, reference: Path | None, quiet: bool) -> Tried:
    """Process a science exposure, and print what came of it."""
    frames = [examined.frame for examined in examination.exposures if examined.frame is not None]
    if any(kind_of_image(frame) == "spectrum" for frame in frames if frame.image_type == "science"):
        note = "the science exposures are spectra: only instrument signature removal applies to them"
        trial = Tried([Check("trial", "obs process", "", "", "not known", note)])
    else:
        trial = try_processing(instrument, frames, [] if reference is None else find_files([str(reference)]))
    _table("trial", [check for check in trial.checks if not quiet or check.verdict in ("wrong", "doubtful")])
    return trial


def _draw(examination: Examination, output: Path, everything: bool) -> None:
    """Draw the first exposure of each file; of many files, the first of each kind and those with something wrong."""
    drawn: dict[Path, str] = {}
    kinds: set[tuple[str, str]] = set()
    for examined in examination.exposures:
        frame = examined.frame
        if frame is None or frame.path in drawn:
            continue
        kind = (frame.image_type, frame.detector.name)
        is_wrong = any(check.verdict == "wrong" for check in examined.checks)
        if not everything and (len(drawn) >= _MOST_PICTURES or (kind in kinds and not is_wrong)):
            continue
        kinds.add(kind)
        stem = _ENDING.sub("", frame.path.name)
        again = list(drawn.values()).count(stem)
        drawn[frame.path] = stem
        with atomic_write(output / f"{stem}{f'-{again + 1}' if again else ''}.png") as file:
            draw_frame(frame, file)
    if drawn:
        click.echo(f"{count_of(len(drawn), 'picture')} in {output}")


def _are_untyped(examination: Examination) -> bool:
    """Whether no header of several files says what its frame is for."""
    frames = [examined.frame for examined in examination.exposures]
    return len(frames) > 1 and all(frame is not None and frame.image_type in ("", "unknown") for frame in frames)


def _lacking(trial: Tried) -> str:
    """Return what obs process lacks with the files that were given, and the switch with which it goes on."""
    if not trial.lacking:
        return ""
    has_flat = not any(name.startswith("flat") for name in trial.lacking)
    commands = "obs calibs build and obs process stop" if has_flat else "obs process stops"
    return f"; {commands} without {list_of(trial.lacking)}: add the files, or --allow-missing to the commands"


def _conclude(examination: Examination, trial: Tried, *, tried: bool) -> int:
    verdicts = [complaint.check.verdict for complaint in find_complaints(examination.exposures)]
    verdicts += [check.verdict for check in (*examination.package, *trial.checks)]
    n_wrong, n_doubtful = verdicts.count("wrong"), verdicts.count("doubtful")
    fix = next_to_fix([*examination.checks, *trial.checks])
    if fix is None and _are_untyped(examination):
        click.echo(
            "nothing wrong was found, but no exposure was processed: no header gives what its frame is for (dataType "
            "is unknown)\nnext: say it in translate_dataType of translator.py, or put bias, dark and flat into the "
            "names of files or folders and run obs new again"
        )
        return 1
    if fix is None:
        looks = f"; {n_doubtful} to look at" if n_doubtful else ""
        click.echo(f"nothing left to fix{', as one processed exposure shows' if tried else ''}{looks}{_lacking(trial)}")
        return 0
    reason = "" if fix.note in fix.remedy else f" ({fix.name}{f' = {fix.value}' if fix.value else ''}: {fix.note})"
    click.echo(f"{n_wrong} wrong, {n_doubtful} to look at\nnext: {fix.remedy}{reason}")
    return 1
