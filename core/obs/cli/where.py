"""`obs where`: the files of datasets."""

import re
from collections.abc import Sequence
from pathlib import Path

import click

from obs.coadds.frames import find_frames, frames_with
from obs.coadds.sky_maps import load_sky_map
from obs.errors import DataIdError, DatasetNotFoundError
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.filter_words import read_ids
from obs.runs.results import find_results, warn_of_absent, warn_of_unmatched
from obs.shell_command import shell_command

__all__ = ["parse_position", "where"]

_NUMBER = r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+"
_SEXAGESIMAL = r"[+-]?\d+:\d+(?::\d+(?:\.\d*)?)?"
_POSITION = re.compile(rf"({_SEXAGESIMAL}|{_NUMBER})\s*,\s*({_SEXAGESIMAL}|{_NUMBER})")
_DEGREES_PER_HOUR = 15.0


def where(root: Path, dataset_type: str, camera: str | None, ids: list[list[str]]) -> int:
    """Do what the command says; see obs.cli.commands.where."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    position = parse_position(dataset_type)
    if position is not None:
        return _print_position(butler, *position, ids)
    found = find_results(butler, dataset_type, ids)
    if not found:
        advice = f"{shell_command('obs', 'ls', root, dataset_type)} lists what there is"
        click.echo(f"no {dataset_type} in {root} that fits; {advice}", err=True)
        return 1
    warn_of_unmatched(butler, [dataset_type], ids, [result.data_id for result in found])
    for path in dict.fromkeys(result.path for result in found):
        click.echo(str(path))
    return 0


def parse_position(text: str) -> tuple[float, float] | None:
    """Return right ascension and declination, degrees, of ``10.5,-0.7`` or ``00:42:00,-00:42:00``; None of other text.

    Raises
    ------
    DataIdError
        For a declination beyond the poles.
    """
    match = _POSITION.fullmatch(text.strip())
    if match is None:
        return None
    ra = _degrees(match[1]) * (_DEGREES_PER_HOUR if ":" in match[1] else 1.0)
    dec = _degrees(match[2])
    if not -90.0 <= dec <= 90.0:
        raise DataIdError(f"'{text}': the declination {dec:g} is not from -90 to 90 degrees; write RA,DEC")
    return ra % 360.0, dec


def _degrees(text: str) -> float:
    sign = -1.0 if text.startswith("-") else 1.0
    parts = [float(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part / 60.0**place for place, part in enumerate(parts))


def _print_position(butler: Butler, ra: float, dec: float, ids: Sequence[Sequence[str]]) -> int:
    """Print tracts, patches and exposures that hold a position; return 1 if there is none."""
    lines = []
    try:
        sky_map = load_sky_map(butler)
    except DatasetNotFoundError:
        click.echo("no sky map here; obs skymap make makes one", err=True)
    else:
        own = int(sky_map.find_tract(ra=[ra], dec=[dec])[0])
        for tract in sky_map.tracts_with(ra=[ra], dec=[dec]):
            x, y = tract.wcs.sky_to_pixel(ra=ra, dec=dec)
            column, row = tract.find_patch(ra=[ra], dec=[dec])[0]
            note = "" if tract.number == own else " (in the overlap; its own tract is another)"
            lines.append(f"tract={tract.number} patch={column},{row}: x={x:.2f} y={y:.2f}{note}")
    types = butler.id_keys("calexp")
    wanted = read_ids(butler, ids, types)
    warn_of_absent(butler, "calexp", ids)
    for frame in frames_with(find_frames(butler, wanted), ra, dec):
        x, y = frame.wcs.sky_to_pixel(ra=ra, dec=dec)
        lines.append(f"calexp {frame.name}: x={x:.2f} y={y:.2f}")
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo(f"neither a tract nor a calibrated exposure holds RA {ra:g}, Dec {dec:g}", err=True)
    return 0 if lines else 1
