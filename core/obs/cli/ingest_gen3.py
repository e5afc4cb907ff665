"""`obs ingest --from-butler`: take what a third-generation repository holds."""

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
    butler
        Our repository.
    there
        The other.
    collections
        Pattern of the collections to take from.
    options
        How files get here.

    Returns
    -------
    int
        The exit status.
    """
    import_butler()
    from obs.gen3_repository.read import find_contents, take_results  # noqa: PLC0415 - needs a library that is an extra

    found = find_contents(there, butler.instrument.name, collections)
    silent = [ALREADY] if options.ignore_ingested else []
    statuses = [print_report(ingest_raws(butler, found.raws, options), options.mode, silent=silent)]
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
        rerun = run.rpartition("/")[2]
        if options.dry_run:
            click.echo(f"{len(refs)} results of {run} would go to rerun/{rerun}")
            continue
        output = Butler(butler.root, rerun=rerun)
        output.prepare_output()
        count, more = take_results(output, there, refs)
        failures += more
        click.echo(f"{count} of {len(refs)} results of {run} in {output.output}")
    for line in failures:
        click.echo(f"FAILED {line}", err=True)
    return 1 if failures or any(statuses) else 0
