"""`obs report`: one page on which a night is judged."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from obs.cli.interruption import until_interrupted
from obs.cli.options import output_under
from obs.errors import ObsError, RepositoryError
from obs.instrument.discovery import load_instrument
from obs.metrics.own_verdicts import keep_verdicts, read_verdicts
from obs.repo.butler import Butler
from obs.repo.layout import is_repository, open_repository
from obs.repo.metric_rows import query_metric_table
from obs.repo.metric_table import METRIC_FILE
from obs.report.compare import compare_reruns
from obs.report.night import Night, collect_night
from obs.report.page import REPORT_NAME, ReportFiles, write_report
from obs.report.pictures import MOST_PICTURES, Pictures, add_other_pictures, make_pictures
from obs.report.sentence import describe_night

__all__ = ["report", "report_output"]

#: How often results are looked at while a page is watched, s.
_PAUSE = 2.0


def report(
    root: Path,
    rerun: str | None,
    camera: str | None,
    night: str | None,
    output: Path | None,
    gates: Path | None,
    verdicts: Path | None,
    compare: str | None,
    watch: bool,
    pictures: int,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.report."""
    folder = output_under(root, rerun)
    instrument = None if camera is None else load_instrument(camera)
    butler = Butler(folder, instrument=instrument)
    path = output or _default_page(folder)
    if verdicts is not None:
        _take_verdicts(folder, verdicts)
    write = partial(
        report_output,
        butler,
        folder,
        path,
        rerun=rerun or "",
        live=watch,
        known=Pictures(),
        night=night,
        gates_file=gates,
        compare=_other(root, compare),
        most=pictures,
    )
    night_data, files = write()
    click.echo(describe_night(night_data))
    click.echo(f"report: {files.page}")
    if not watch:
        return 0
    with until_interrupted("stopped; the page stays as it is"):
        click.echo("the page is renewed when results change; end with Ctrl-C", err=True)
        seen = _stamp(folder)
        while True:
            time.sleep(_PAUSE)
            if (now := _stamp(folder)) != seen:
                seen = now
                write()
    return 0


def _take_verdicts(folder: Path, file: Path) -> None:
    """Keep the verdicts of a file, and name those of frames that are not there."""
    found = read_verdicts(file)
    missing = keep_verdicts(folder, found)
    click.echo(f"{len(found) - len(missing)} of your {len(found)} verdicts are kept")
    if missing:
        click.echo(f"WARNING not in {folder}: {', '.join(missing)}", err=True)


def report_output(
    butler: Butler,
    folder: Path,
    path: Path,
    *,
    rerun: str = "",
    night: str | None = None,
    gates_file: Path | None = None,
    compare: Path | None = None,
    live: bool = False,
    most: int = MOST_PICTURES,
    known: Pictures | None = None,
) -> tuple[Night, ReportFiles]:
    """Collect the frames of an output and write their report.

    Parameters
    ----------
    butler : Butler
        Reads the output.
    folder : Path
        Folder of the output.
    path : Path
        The page.
    rerun : str, optional
        Name of the rerun.
    night : str, optional
        Date of the night.
    gates_file : Path, optional
        Limits.
    compare : Path, optional
        Folder of another output.
    live : bool, optional
        Whether open pages are to take new data.
    most : int, optional
        Frames with pictures.
    known : Pictures, optional
        Pictures made before, which gain new ones.
    """
    data = collect_night(butler, night=night, gates_file=gates_file, root=folder)
    other: dict[str, Any] | None = None
    if compare is not None:
        rows = query_metric_table(compare).rows
        other = compare_reruns([frame.row for frame in data.detectors], rows, compare.name)
    pictures = make_pictures(butler, data, most=most, known=known)
    if compare is not None:
        add_other_pictures(pictures, Butler(compare, instrument=butler.instrument), data)
    return data, write_report(data, path, pictures, rerun=rerun, other=other, live=live)


def try_report(butler: Butler, folder: Path, *, rerun: str = "") -> None:
    """Write the report of a run that has ended, and print its path; a problem is only a warning."""
    try:
        data, files = report_output(butler, folder, folder / REPORT_NAME, rerun=rerun)
    except (ObsError, OSError, ValueError) as error:
        click.echo(f"WARNING no report: {error}", err=True)
        return
    click.echo(describe_night(data))
    click.echo(f"report: {files.page}")


def _default_page(folder: Path) -> Path:
    """Return where the page of an output is.

    Raises
    ------
    RepositoryError
        If the folder is a repository of the LSST stack, into which nothing is written.
    """
    if not open_repository(folder).is_own:
        raise RepositoryError(
            f"{folder} is a repository of the LSST stack, into which nothing is written; give the output of obs "
            "process instead, or name the page with --output report.html",
            path=folder,
        )
    return folder / REPORT_NAME


def _other(root: Path, compare: str | None) -> Path | None:
    """Return the folder of the output to compare with.

    Raises
    ------
    RepositoryError
        If it is neither a rerun nor a folder of an output.
    """
    if compare is None:
        return None
    for place in (root / "rerun" / compare, Path(compare)):
        if is_repository(place):
            return place
    raise RepositoryError(f"'{compare}' is neither a rerun in {root} nor a repository", path=compare)


def _stamp(folder: Path) -> tuple[int, int]:
    try:
        found = (folder / METRIC_FILE).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
