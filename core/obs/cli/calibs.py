"""`obs calibs`: build, ingest and list calibration frames."""

from pathlib import Path
from typing import cast

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.calibs_build import build
from obs.cli.ingest import find_files, print_report
from obs.cli.table import format_table
from obs.errors import DatasetNotFoundError, suggest
from obs.ingest.calibs import CalibStore, ingest_calibs
from obs.ingest.transfer import MODES, Mode
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler

__all__ = ["calibs"]

_EXAMPLE = """\b
Examples:
  obs calibs build bias DATA --id dataType=BIAS
  obs calibs build flat DATA --id dataType=DOMEFLAT filter=HSC-R --validity 90
  obs calibs ingest DATA BIAS-*.fits --validity 30
  obs calibs list DATA flat
"""
_INGEST_EXAMPLE = """\b
Example:
  obs calibs ingest DATA masters/*.fits --validity 30 --mode copy
"""
_LIST_EXAMPLE = """\b
Example:
  obs calibs list DATA flat
"""
_ALREADY = "already ingested"


@click.group("calibs", epilog=_EXAMPLE)
def calibs() -> None:
    """Build, ingest and list calibration frames."""


calibs.add_command(build)


@calibs.command("ingest", cls=ManyWordsCommand, epilog=_INGEST_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@click.option(
    "--validity", type=click.IntRange(min=0), required=True, metavar="DAYS", help="Valid so long before and after."
)
@click.option("--mode", type=click.Choice(MODES), default="move", show_default=True, help="How files get there.")
@click.option("--calib", metavar="DIR", type=click.Path(path_type=Path), help="Where the calibration frames are.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--ignore-ingested", is_flag=True, help="Pass over calibrations that are ingested already.")
@click.option("--clobber", is_flag=True, help="Replace calibrations that are there.")
@click.option("--create", is_flag=True, help="Empty the registry of calibrations first.")
@click.option("--camera", metavar="NAME", help="The camera, where the repository does not say; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
def ingest(
    root: Path,
    files: tuple[str, ...],
    validity: int,
    mode: str,
    calib: Path | None,
    dry_run: bool,
    ignore_ingested: bool,
    clobber: bool,
    create: bool,
    camera: str | None,
    doraise: bool,
) -> int:
    """Take the calibration frames FILES into the repository REPO.

    Headers tell what they are (OBSTYPE) and of what (CALIB_ID). Each is valid for some days before and after its date,
    at most to the middle between its neighbors; defects are valid until the next ones.
    """
    report = ingest_calibs(
        _open(root, calib, camera),
        find_files(files),
        validity=validity,
        mode=cast(Mode, mode),
        dry_run=dry_run,
        ignore_ingested=ignore_ingested,
        clobber=clobber,
        create=create,
    )
    return print_report(report, mode, silent=[_ALREADY] if ignore_ingested else [])


@calibs.command("list", cls=ManyWordsCommand, epilog=_LIST_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="[TYPE]", required=False)
@click.option("--calib", metavar="DIR", type=click.Path(path_type=Path), help="Where the calibration frames are.")
@click.option("--camera", metavar="NAME", help="The camera, where the repository does not say; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
def list_calibs(root: Path, dataset_type: str | None, calib: Path | None, camera: str | None, doraise: bool) -> int:
    """List the calibration frames of the repository REPO, of one TYPE or of all, and for which days they are valid."""
    store = CalibStore(_open(root, calib, camera), read_only=True)
    if dataset_type is not None and dataset_type not in store.types:
        raise DatasetNotFoundError(
            f"there is no type of calibration '{dataset_type}'{suggest(dataset_type, store.types)}; "
            f"types: {', '.join(store.types)}",
            dataset_type=dataset_type,
        )
    found = [
        calibration for name in ([dataset_type] if dataset_type else store.types) for calibration in store.find(name)
    ]
    if not found:
        click.echo(f"no {dataset_type or 'calibration'} in {store.root}; see obs calibs build --help", err=True)
        return 0
    keys = [key for key in dict.fromkeys(key for known in found for key in known.data_id) if key != "calibDate"]
    rows = [
        (
            known.dataset_type,
            str(known.data_id["calibDate"]),
            *(str(known.data_id.get(key, "")) for key in keys),
            known.valid_start,
            known.valid_end,
            "MISSING" if known.path is None else str(known.path),
        )
        for known in found
    ]
    click.echo(format_table(("type", "calibDate", *keys, "valid from", "valid to", "file"), rows))
    return 0


def _open(root: Path, calib: Path | None, camera: str | None) -> Butler:
    return Butler(root, calib=calib, instrument=None if camera is None else load_instrument(camera))
