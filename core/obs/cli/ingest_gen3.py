"""`obs ingest --from-butler`: take what a third-generation repository holds."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from obs.cli.ingest_report import print_report
from obs.gen3_repository.library import import_butler
from obs.ingest.calibs import ingest_calibs
from obs.ingest.raws import ALREADY, IngestOptions, ingest_raws
from obs.repo.butler import Butler

__all__ = ["ingest_from_butler"]


def ingest_from_butler(butler: Butler, there: Path, collections: str, options: IngestOptions) -> int:
    """Take raw frames, calibration frames and results of a third-generation repository, and tell what was taken.

    Parameters
    ----------
    butler : Butler
        Our repository.
    there : Path
        The other.
    collections : str
        Pattern of the collections to take from.
    options : IngestOptions
        How files get here.

    Returns
    -------
    int
        The exit status.
    """
    import_butler()
    from obs.gen3_repository.read import find_contents  # noqa: PLC0415 - needs a library that is an extra
    from obs.gen3_repository.take import take_results  # noqa: PLC0415 - the same

    found = find_contents(there, butler.instrument, collections)
    silent = [ALREADY] if options.ignore_ingested else []
    report = ingest_raws(butler, found.raws, replace(options, rows=found.rows))
    statuses = [print_report(report, options.mode, silent=silent)] if found.raws else []
    for days, files in found.calibrations.items():
        report = ingest_calibs(
            butler,
            files,
            validity=days,
            mode=options.mode,
            dry_run=options.dry_run,
            ignore_ingested=options.ignore_ingested,
            clobber=options.clobber,
        )
        statuses.append(print_report(report, options.mode, silent=["already ingested"] if silent else []))
    failures = list(found.failures)
    for run, refs in found.results.items():
        rerun = _rerun(run, found.results)
        if options.dry_run:
            click.echo(f"{len(refs)} results of {run} would go to rerun/{rerun}")
            continue
        output = Butler(butler.root, rerun=rerun)
        output.prepare_output()
        count, more = take_results(output, there, refs)
        failures += more
        click.echo(f"{count} of {len(refs)} results of {run} in {output.output}")
    if found.left:
        left = ", ".join(f"{name} ({count})" for name, count in found.left.items())
        click.echo(f"not taken, because they have no place here: {left}", err=True)
    for line in failures:
        click.echo(f"FAILED {line}", err=True)
    return 1 if failures or any(statuses) else 0


def _rerun(run: str, runs: Iterable[str]) -> str:
    """Return the name of the rerun for a run: the last part of its name, or all where others end alike."""
    last = run.rpartition("/")[2]
    return last if sum(other.rpartition("/")[2] == last for other in runs) == 1 else run.replace("/", "-")
