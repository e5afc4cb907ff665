"""`obs lightcurve`: the light curve of one object."""

from pathlib import Path
from typing import cast

import click

from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides
from obs.errors import DataIdError, OutputError
from obs.exports.light_curves import format_aavso, format_etd, plot_light_curve, write_light_curve_text
from obs.exports.table_files import TableFormat, write_table
from obs.image.catalog import Catalog
from obs.instrument.instrument import Instrument
from obs.repo.butler import Butler
from obs.runs.calibrate_visits import find_processed, take_tract
from obs.runs.forced import forced_settings
from obs.runs.targets import single_target
from obs.visits.light_curve import LightCurve, measure_light_curve

__all__ = ["lightcurve"]


def lightcurve(
    root: Path,
    target: str,
    table: Path | None,
    tract: int | None,
    flux: str | None,
    output: Path | None,
    kind: str,
    observer: str,
    plot: Path | None,
    clobber: bool,
    doraise: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.lightcurve."""
    configure_logging(log_levels)
    if kind == "aavso" and not observer:
        raise click.UsageError("the AAVSO wants the observer's code; give it with --observer CODE")
    butler = Butler(root)
    layers = forced_settings(butler.instrument)
    add_overrides(layers, overrides)
    ids, tract = take_tract(ids, tract)
    curve = measure_light_curve(
        butler,
        find_processed(butler, ids),
        single_target(butler, target, table, tract),
        layers.build(),
        tract=tract,
        flux=flux,
    )
    if output is not None:
        _write(curve.table, output, kind, target, observer, butler.instrument, clobber=clobber)
    else:
        _print(curve.table)
    if plot is not None:
        plot_light_curve(curve.table, target, plot, clobber=clobber)
    _report(curve)
    return 1 if curve.skipped else 0


def _write(
    table: Catalog, path: Path, kind: str, name: str, observer: str, instrument: Instrument, *, clobber: bool
) -> None:
    left_out = 0
    if kind in ("aavso", "etd"):
        text, left_out = (
            format_etd(table) if kind == "etd" else format_aavso(table, name, observer, _bands(table, instrument))
        )
        write_light_curve_text(text, path, clobber=clobber)
    else:
        if path.exists() and not clobber:
            raise OutputError(f"{path} exists already; --clobber replaces it", path=path)
        write_table(table, path, cast(TableFormat, kind))
    if left_out:
        click.echo(f"{left_out} of {len(table)} rows have no time or no magnitude and are left out", err=True)


def _bands(table: Catalog, instrument: Instrument) -> dict[str, str]:
    bands = {}
    for name in set(table["filter"].tolist()):
        try:
            bands[name] = instrument.find_filter(name).band
        except DataIdError:
            bands[name] = name
    return bands


def _print(table: Catalog) -> None:
    click.echo("bjd_tdb         filter  magnitude  error   limit   seeing  airmass  stars  flags")
    for row in range(len(table)):
        value = {name: table[name][row] for name in table.columns}
        click.echo(
            f"{value['bjd_tdb']:14.6f}  {value['filter']:6s}  {value['magnitude']:9.4f}  {value['magnitude_error']:.4f}"
            f"  {value['upper_limit']:6.3f}  {value['seeing']:6.2f}  {value['airmass']:7.3f}  "
            f"{value['n_comparison']:5d}  {value['flags']}"
        )


def _report(curve: LightCurve) -> None:
    click.echo(f"calibration: {curve.table.metadata['CALIB']}", err=True)
    for name, ensemble in curve.ensembles.items():
        if ensemble.constant.any():
            click.echo(
                f"{name}: {int(ensemble.constant.sum())} comparison stars, which repeat to "
                f"{1e3 * ensemble.scatter:.1f} mmag",
                err=True,
            )
    for note in curve.notes:
        click.echo(note, err=True)
    for warning in curve.warnings:
        click.echo(f"warning: {warning}", err=True)
    for name, reason in curve.skipped:
        click.echo(f"left out: {name}: {reason}", err=True)
