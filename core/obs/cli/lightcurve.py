"""`obs lightcurve`: the light curve of one object."""

from pathlib import Path
from typing import cast

import click
import numpy as np

from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides
from obs.errors import DataIdError, OutputError
from obs.exports.light_curves import (
    AavsoWords,
    aavso_filter,
    check_aavso_words,
    format_aavso,
    format_etd,
    name_of_place,
    plot_light_curve,
    write_light_curve_text,
)
from obs.exports.table_files import FORMATS_BY_ENDING, TableFormat, write_table
from obs.image.catalog import Catalog
from obs.instrument.instrument import Instrument
from obs.repo.butler import Butler
from obs.repo.reference_choice import reference_names
from obs.runs.calibrate_visits import find_processed, take_tract
from obs.runs.forced import forced_settings
from obs.runs.targets import single_target
from obs.tasks.forced.config import ForcedConfig
from obs.visits.changed_images import warn_of_changed_images
from obs.visits.light_curve import LightCurve, measure_light_curve

__all__ = ["lightcurve"]

_AAVSO_FILES = (".txt", ".csv", ".tsv")


def lightcurve(
    root: Path,
    target: str,
    table: Path | None,
    tract: int | None,
    flux: str | None,
    check: str | None,
    output: Path | None,
    kind: str | None,
    observer: str,
    star: str,
    chart: str,
    observation_type: str,
    plot: Path | None,
    clobber: bool,
    doraise: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.lightcurve."""
    configure_logging(log_levels)
    if kind == "aavso":
        star = _check_aavso(star, target, table, observer, output)
    for path in (output, plot):
        if path is not None and path.exists() and not clobber:  # before images are measured for nothing
            raise OutputError(f"{path} exists already; --clobber replaces it", path=path)
    butler = Butler(root)
    layers = forced_settings(butler.instrument)
    add_overrides(layers, overrides)
    ids, tract = take_tract(ids, tract)
    images = find_processed(butler, ids)
    warn_of_changed_images(butler, images, tract=tract)
    curve = measure_light_curve(
        butler,
        images,
        single_target(butler, target, table, tract),
        layers.build(),
        tract=tract,
        flux=flux,
        check=None if check is None else single_target(butler, check, table, tract),
    )
    if kind in ("aavso", "etd"):
        words = None
        if kind == "aavso":
            _leave_out_instrumental(curve)
            words = _aavso_words(curve, butler, star, observer, chart, observation_type, layers.build())
        _send(curve.table, output, words, clobber=clobber)
    elif output is not None:
        by_ending = FORMATS_BY_ENDING.get(output.suffix.lower(), "ecsv")
        write_table(curve.table, output, by_ending if kind is None else cast(TableFormat, kind))
    else:
        _print(curve.table)
    if plot is not None:
        plot_light_curve(curve.table, target, plot, clobber=clobber)
    _report(curve)
    return 1 if curve.skipped else 0


def _leave_out_instrumental(curve: LightCurve) -> None:
    """Leave the filters out whose magnitudes are instrumental; the AAVSO takes those of a standard system."""
    if not curve.instrumental:
        return
    names = ", ".join(sorted(curve.instrumental))
    keep = ~np.isin(np.asarray(curve.table["filter"]).astype(str), sorted(curve.instrumental))
    if not keep.any():
        raise OutputError(
            f"the magnitudes in {names} are instrumental, which the AAVSO does not take; process with "
            "-c calibrate.reference.flux_names.BAND=OTHER, so that they have the zero point of a band"
        )
    click.echo(f"{names}: magnitudes are instrumental, which the AAVSO does not take; left out", err=True)
    curve.table = curve.table.select(keep)


def _check_aavso(star: str, target: str, table: Path | None, observer: str, output: Path | None) -> str:
    """Return the name of the star; raise an error if the AAVSO would refuse the file, before anything is measured."""
    if not observer:
        raise click.UsageError("the AAVSO needs the observer's code; give it with --observer CODE")
    if not star and table is not None and not target.strip().isdigit():
        star = target
    if not star:
        raise click.UsageError("the AAVSO needs the name of the star, such as 'RR Lyr'; give it with --star NAME")
    check_aavso_words(star, observer)
    if output is not None and output.suffix.lower() not in _AAVSO_FILES:
        raise click.UsageError(f"the AAVSO takes files that end in {', '.join(_AAVSO_FILES)}, not {output.name}")
    return star


def _aavso_words(
    curve: LightCurve, butler: Butler, star: str, observer: str, chart: str, kind: str, config: ForcedConfig
) -> AavsoWords:
    """Return what a file for the AAVSO says beside the light curve; say what it cannot know."""
    filters, is_color = _filters(curve.table, butler.instrument)
    for physical, (band, code) in filters.items():
        if code == "O":
            click.echo(
                f"{physical}: the AAVSO has no filter code for it with the zero point of band {band}; O (other) is "
                "written, and NOTES name it",
                err=True,
            )
    if is_color and not kind:
        click.echo("OBSTYPE is CCD, as for cameras of astronomy with CMOS; --obstype DSLR for a DSLR", err=True)
    if not chart:
        names = reference_names(butler.roots)
        chart = config.reference.name or (names[0] if len(names) == 1 else "")
    check = {name: name_of_place(*place) for name, place in curve.check.items()}
    for name, place in check.items():
        click.echo(f"{name}: check star {place}, which is not among the comparison stars", err=True)
    return AavsoWords(star, observer, filters, check, chart, kind or "CCD")


def _send(table: Catalog, path: Path | None, words: AavsoWords | None, *, clobber: bool) -> None:
    """Write, or print, a light curve in the format of the AAVSO, or without words in that of the ETD."""
    text, left_out = format_etd(table) if words is None else format_aavso(table, words)
    if path is None:
        click.echo(text, nl=False)
    else:
        write_light_curve_text(text, path, clobber=clobber)
    if left_out:
        click.echo(
            f"{left_out} of {len(table)} rows have no time, no magnitude, or flags S, B or P, and are left out",
            err=True,
        )


def _filters(table: Catalog, instrument: Instrument) -> tuple[dict[str, tuple[str, str]], bool]:
    """Return band and code of the AAVSO of each physical filter of a light curve; whether the camera has colors."""
    is_color = any(detector.color_plane is not None for detector in instrument.load_camera())
    filters = {}
    for name in dict.fromkeys(map(str, table["filter"])):
        try:
            band = instrument.find_filter(name).band
        except DataIdError:
            band = name
        filters[name] = band, aavso_filter(name, band, is_color=is_color)
    return filters, is_color


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
