"""`obs verify`: whether the files of a repository are there."""

from pathlib import Path

import click

from obs.ingest.audit import find_changed_inputs, find_damaged, find_missing_calibs, find_orphans
from obs.ingest.calib_staging import recover_builds
from obs.ingest.calib_store import CalibStore
from obs.ingest.relink import find_missing_raws, relink
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.leftovers import find_leftovers, remove_all

__all__ = ["verify"]


_REMEDIES = {
    "MISSING": "put missing files back, or build missing calibrations again",
    "ORPHANED": "register orphaned files with obs ingest or obs calibs ingest",
    "TRUNCATED": "take truncated files from a copy, or process truncated results again",
    "CHANGED": "take changed files from a copy, or process stale results again with obs process --skip-existing",
}


def verify(root: Path, folder: Path | None, remove_leftovers: bool, camera: str | None, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.verify."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    missing = find_missing_raws(butler)
    if folder is not None and missing:
        reports = relink(butler, missing, folder)
        for report in reports:
            if report.status == "failed":
                click.echo(f"not linked: {report.path}: {report.reason}", err=True)
        n_missing = len(missing)
        missing = find_missing_raws(butler)
        click.echo(f"{n_missing - len(missing)} of {n_missing} missing raw files linked")
    for lost in missing:
        place = f"{lost.path}" if lost.link is None else f"{lost.path}, a link to {lost.link}"
        click.echo(f"MISSING {format_data_id(lost.data_id)}: {place}", err=True)
    faults = [
        *find_missing_calibs(butler),
        *find_orphans(butler),
        *find_damaged(butler),
        *find_changed_inputs(butler),
    ]
    for fault in faults:
        click.echo(str(fault), err=True)
    leftovers = find_leftovers(butler.root)
    if remove_leftovers:
        if any(path.suffix == ".build" for path in leftovers):
            recover_builds(CalibStore(butler))
        remove_all(leftovers)
        click.echo(f"{len(leftovers)} leftovers removed")
        leftovers = []
    for path in leftovers:
        click.echo(f"LEFTOVER {path}", err=True)
    if not missing and not leftovers and not faults:
        click.echo(f"{root}: all registered raw files are there")
        return 0
    advice = []
    if missing:
        advice.append("find moved raw files with --relink DIR")
    kinds = {fault.kind for fault in faults}
    advice += [remedy for kind, remedy in _REMEDIES.items() if kind in kinds]
    if leftovers:
        advice.append("remove leftovers with --remove-leftovers")
    numbers = [f"{len(missing)} missing", f"{len(leftovers)} leftovers"]
    if faults:
        numbers.append(f"{len(faults)} other faults")
    click.echo(f"{', '.join(numbers)}; {', '.join(advice)}", err=True)
    return 1
