"""`obs doctor`: what is still wrong with a camera's package."""

import re
from collections.abc import Sequence
from pathlib import Path

import click

from obs.checks.open_package import open_package
from obs.cli.ingest import find_files
from obs.cli.table import format_table
from obs.doctor.check import STEPS, Check, next_to_fix
from obs.doctor.examine import Examination, examine
from obs.doctor.picture import draw_frame
from obs.repo.atomic import atomic_write

__all__ = ["doctor"]

_EXAMPLE = """\b
Examples:
  obs doctor mycam night1/*.fits
  obs doctor obs_mycam flat1.fits flat2.fits bias1.fits bias2.fits --output pictures
"""
_ENDING = re.compile(r"(\.(fits?|fts))?(\.(gz|fz|bz2))?$", re.IGNORECASE)
_MARKS = {"ok": "ok", "wrong": "WRONG", "doubtful": "look", "not known": "-"}


@click.command("doctor", epilog=_EXAMPLE)
@click.argument("name", metavar="NAME")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=".",
    show_default=True,
    help="Folder for the pictures, one for each file: doctor-FILE.png.",
)
@click.option("--no-picture", is_flag=True, help="Draw nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Only what is wrong or should be looked at.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
def doctor(name: str, files: tuple[str, ...], output: Path, no_picture: bool, quiet: bool, doraise: bool) -> int:
    """Walk raw FILEs through the package of the camera NAME, and name the next thing to fix.

    NAME is an installed camera or the folder of a package, which may be unfinished or broken. Each exposure in the
    files goes through the translator, the geometry, the overscan, assembly and a signature removal without calibration
    frames. A table says what each value came out as, with its unit and the cards that it comes from, and whether it is
    plausible: `ok`, `WRONG`, `look` for what may be right, `-` for what cannot be known. Two flats of one filter give
    the gains by their photon noise, two biases the read noises. A picture shows each file as it was read and as it is
    assembled, with the boxes of the amplifiers, their read-out corners and overscans.

    The last line is the one thing to mend first, with file, line and key; the exit status is 0 if there is nothing left
    to mend, else 1.
    """
    with open_package(name) as package:
        examination = examine(package, name, find_files(files))
        _print("package", examination.package, quiet)
        for examined in examination.exposures:
            _print(examined.name, examined.checks, quiet)
        if not no_picture:
            _draw(examination, output)
    return _conclude(examination)


def _print(title: str, checks: Sequence[Check], quiet: bool) -> None:
    shown = [check for check in checks if not quiet or check.verdict in ("wrong", "doubtful")]
    shown.sort(key=lambda check: STEPS.index(check.step))
    if not shown:
        return
    rows = [(check.step, check.name, check.value, check.source, _MARKS[check.verdict], check.note) for check in shown]
    click.echo(f"{title}\n{format_table(('step', 'what', 'value', 'from', '', ''), rows)}\n")


def _draw(examination: Examination, output: Path) -> None:
    """Draw the first exposure of each file."""
    drawn: dict[Path, str] = {}
    for examined in examination.exposures:
        frame = examined.frame
        if frame is None or frame.path in drawn:
            continue
        stem = _ENDING.sub("", frame.path.name)
        again = list(drawn.values()).count(stem)
        drawn[frame.path] = stem
        path = output / f"doctor-{stem}{f'-{again + 1}' if again else ''}.png"
        with atomic_write(path) as file:
            draw_frame(frame, file)
        click.echo(f"picture: {path}")


def _conclude(examination: Examination) -> int:
    checks = examination.checks
    n_wrong = sum(check.verdict == "wrong" for check in checks)
    n_doubtful = sum(check.verdict == "doubtful" for check in checks)
    fix = next_to_fix(checks)
    if fix is None:
        looks = f"; {n_doubtful} to look at" if n_doubtful else ""
        click.echo(f"nothing left to fix{looks}")
        return 0
    reason = "" if fix.note in fix.remedy else f" ({fix.name}{f' = {fix.value}' if fix.value else ''}: {fix.note})"
    click.echo(f"{n_wrong} wrong, {n_doubtful} to look at\nnext: {fix.remedy}{reason}")
    return 1
