"""`obs skymap`: make and show the division of the sky into tracts and patches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from obs.cli.output_repository import open_output
from obs.cli.table import format_table
from obs.coadds.draw import draw_sky_map
from obs.coadds.frames import Frame, find_frames
from obs.coadds.inputs import overlaps, patches_near
from obs.coadds.sky_maps import describe_tract, load_sky_map, save_sky_map, sky_map_around
from obs.errors import ConfigError
from obs.instrument.discovery import load_instrument
from obs.plural import count_of
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler
from obs.repo.filter_words import read_ids
from obs.runs.results import warn_of_absent
from obs.skymap.tract import Tract
from obs.skymap.types import make_sky_map

__all__ = ["make", "show"]

_MOST_LISTED = 200


def make(
    root: Path,
    kind: str | None,
    discrete: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    border: float,
    append: bool,
    replace: bool,
    output: Path | None,
    rerun: str | None,
    camera: str | None,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.skymap."""
    settings = dict(_setting(text) for _, text in overrides)
    around = discrete and kind in (None, "discrete")
    if not around and kind is None:
        raise click.UsageError("name a TYPE (rings, dodecahedron, equatorial, healpix, discrete), or add --discrete")
    if not around and (append or border or ids or discrete):
        raise click.UsageError("--discrete, --append, --border and --id make a tract around exposures; leave out TYPE")
    butler = open_output(root, output=output, rerun=rerun, camera=camera)
    if around:
        frames = _frames(butler, ids)
        old = load_sky_map(butler) if append else None
        sky_map = sky_map_around(frames, settings, border=border, old=old)
    else:
        sky_map = make_sky_map(str(kind), settings)
    sky_map.tract(0)  # settings with which tracts cannot be made are refused now
    written = save_sky_map(butler, sky_map, replace=replace or append)
    if sky_map.type_name == "discrete":
        for number in range(sky_map.n_tract):
            click.echo(describe_tract(sky_map.tract(number)))
    else:
        size = count_of(sky_map.n_tract, "tract")
        click.echo(f"{sky_map.type_name}: {size}, pixel scale {sky_map.settings.pixel_scale} arcsec")
    click.echo(f"{'written' if written else 'there already'}: {butler.path('deepCoadd_skyMap')}")
    return 0


def show(
    root: Path, ids: list[list[str]], tract: Sequence[int], output: Path | None, camera: str | None, doraise: bool
) -> int:
    """Do what the command says; see obs.cli.commands.skymap."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    sky_map = load_sky_map(butler)
    frames = _frames(butler, ids)
    if tract:
        tracts = [sky_map.tract(number) for number in tract]
    elif frames:
        found = {tract.number for frame in frames for tract in sky_map.tracts_with(**_position(frame))}
        tracts = [sky_map.tract(number) for number in sorted(found)]
    else:
        tracts = [sky_map.tract(number) for number in range(min(sky_map.n_tract, _MOST_LISTED))]
    if not tracts:
        click.echo("no tract of the sky map overlaps an exposure; obs skymap make --discrete makes one", err=True)
        return 1
    if output is not None:
        with atomic_write(output) as file:
            draw_sky_map(tracts, frames, file)
        click.echo(str(output))
        return 0
    for one in tracts:
        click.echo(describe_tract(one))
    rows = [row for one in tracts for row in _patch_rows(one, frames)]
    if rows:
        click.echo(format_table(("tract", "patch", "exposures", "corner RA", "corner Dec"), rows, right="rlrrr"))
    return 0


def _patch_rows(tract: Tract, frames: Sequence[Frame]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for patch in patches_near(frames, tract):
        count = sum(overlaps(frame, tract, patch.outer_box) for frame in frames)
        if count:
            ra, dec = tract.corners(patch.inner_box)[0]
            rows.append((str(tract.number), patch.name, str(count), f"{ra:.4f}", f"{dec:.4f}"))
    return rows


def _position(frame: Frame) -> dict[str, Any]:
    outline = frame.outline()
    return {"ra": outline[:, 0], "dec": outline[:, 1]}


def _frames(butler: Butler, ids: Sequence[Sequence[str]]) -> list[Frame]:
    types = butler.mapper.key_types("calexp")
    frames = find_frames(butler, read_ids(butler, ids, types))
    warn_of_absent(butler, "calexp", ids)
    return frames


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"a setting of a sky map is NAME=VALUE, got '{text}'")
    try:
        return name.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"{name}: '{value}' cannot be read as a value") from None
