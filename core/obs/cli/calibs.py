"""`obs calibs`: build, ingest and list calibration frames."""

from pathlib import Path
from typing import cast

import click

from obs.cli.files import find_files
from obs.cli.ingest_report import print_report
from obs.cli.options import calib_folder
from obs.cli.table import format_table
from obs.errors import DatasetNotFoundError, suggest
from obs.ingest.calib_store import CalibStore
from obs.ingest.calibs import ingest_calibs
from obs.ingest.curated_defects import ingest_defects
from obs.ingest.transfer import Mode
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler

__all__ = ["defects", "ingest", "list_calibs"]

_ALREADY = "already ingested"


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
    """Do what the command says; see obs.cli.commands.calibs."""
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


def defects(
    root: Path, folder: Path | None, calib: Path | None, dry_run: bool, camera: str | None, doraise: bool
) -> int:
    """Do what the command says; see obs.cli.commands.calibs."""
    butler = _open(root, calib, camera)
    report = ingest_defects(butler, folder or butler.instrument.folder / "curated" / "defects", dry_run=dry_run)
    return print_report(report, "copy")


def list_calibs(root: Path, dataset_type: str | None, calib: Path | None, camera: str | None, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.calibs."""
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
    return Butler(root, calib=calib_folder(root, calib), instrument=None if camera is None else load_instrument(camera))
