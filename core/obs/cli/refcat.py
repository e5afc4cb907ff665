"""`obs refcat`: reference catalogs from the Virtual Observatory."""

from pathlib import Path

import click

from obs.cli.ingest_refcat import report_ingested
from obs.cli.logs import configure_logging
from obs.cli.progress import show_count
from obs.errors import DataIdError, FileFormatError
from obs.image.catalog import Catalog
from obs.ingest.reference_catalogs import ingest_reference_catalog
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.ingest.surveys.definitions import find_survey
from obs.ingest.surveys.download import Circle, download
from obs.ingest.surveys.fields import field_radius, find_fields
from obs.repo.butler import Butler
from obs.repo.fits_catalog import read_catalog

__all__ = ["get"]


def get(
    root: Path,
    source: str,
    table: str | None,
    name: str | None,
    faintest: float | None,
    radius: float | None,
    ra: float | None,
    dec: float | None,
    clobber: bool,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.refcat."""
    configure_logging([])
    survey = find_survey(source, table=table)
    butler = Butler(root)
    reach = radius or field_radius(butler.instrument.load_camera())
    circles = _circles(butler, reach, ra, dec)
    with show_count(len(circles), "downloading") as advance:
        files = []
        for circle in circles:
            files.append(download(survey, circle, faintest=faintest))
            advance()
    filled = [path for path in files if len(read_catalog(path))]
    if not filled:
        raise FileFormatError(
            f"{survey.name} has no object in {len(circles)} circles of {reach:.2f} degrees; it may not cover this part "
            "of the sky: try another survey"
        )
    config = ReferenceColumnsConfig(magnitude_systems=survey.systems, **_column_settings(read_catalog(filled[0])))
    done = ingest_reference_catalog(butler.root, name or survey.name, filled, config, clobber=clobber)
    report_ingested(done)
    return 0


def _circles(butler: Butler, radius: float, ra: float | None, dec: float | None) -> list[Circle]:
    if (ra is None) != (dec is None):
        raise click.UsageError("--ra and --dec go together")
    if ra is not None and dec is not None:
        return [Circle(ra % 360.0, dec, radius)]
    circles, n_without = find_fields(butler, radius)
    if not circles:
        raise DataIdError(
            f"none of the raw files of {butler.root} has a pointing in its header ({n_without} files); "
            "give the field with --ra and --dec",
            key="ra",
        )
    if n_without:
        click.echo(f"{n_without} raw files of the sky have no pointing in their header, and are not covered", err=True)
    return circles


def _column_settings(table: Catalog) -> dict[str, str]:
    """Return settings for columns of a downloaded file whose unit the service did not give."""
    return (
        {"coordinate_unit": "deg"} if not table.columns.get("ra", table.columns[next(iter(table.columns))]).unit else {}
    )
