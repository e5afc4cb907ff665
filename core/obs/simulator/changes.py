"""What changes in the sky with time: proper motions, variable stars, transients, moving objects."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.simulator.changes_config import ChangesConfig
from obs.simulator.seeds import generator

__all__ = ["add_proper_motions", "change_sky", "mid_mjd"]

Floats = NDArray[np.float64]

_MJD_ZERO = datetime(1858, 11, 17)
_DAYS_PER_YEAR = 365.25
_MAS = 1.0 / 3.6e6  # degrees
#: Ids of transients and moving objects begin here; those of stars are below.
_TRANSIENT, _MOVING = 1 << 60, 1 << 61


@frozen
class _Circle:
    """A circle on the sky, degrees."""

    ra: float
    dec: float
    radius: float


def mid_mjd(begin: datetime, exposure_time: float) -> float:
    """Return the middle of an exposure, MJD in UTC.

    Parameters
    ----------
    begin : datetime
        Begin of the exposure, UTC.
    exposure_time : float
        Exposure time, seconds.
    """
    return ((begin - _MJD_ZERO).total_seconds() + 0.5 * exposure_time) / 86400.0


def change_sky(
    sky: Catalog, config: ChangesConfig, *, ra: float, dec: float, radius: float, mjd: float, seed: int
) -> Catalog:
    """Return the sky as it is at one time.

    Parameters
    ----------
    sky : Catalog
        Sources as from `obs.simulator.sky.make_sky`.
    config : ChangesConfig
        What changes.
    ra, dec, radius : float
        Circle, degrees, in which there are transients and moving objects.
    mjd : float
        Time, MJD.
    seed : int
        Seed of the simulation.

    Returns
    -------
    Catalog
        The sources at their places at this time, with a column ``delta_magnitude`` and, where things change, what is
        true of them. The input is returned as it is if nothing changes.
    """
    if config.proper_motion:
        sky = _move_stars(add_proper_motions(sky, config, seed=seed), mjd)
    if config.variable_fraction:
        sky = _vary_stars(sky, config, mjd, seed)
    circle = _Circle(ra, dec, radius)
    if config.transient_density:
        sky = _join(sky, _transients(config, circle, mjd, seed))
    if config.moving_density:
        sky = _join(sky, _moving_objects(config, circle, mjd, seed))
    return sky


def add_proper_motions(sky: Catalog, config: ChangesConfig, *, seed: int) -> Catalog:
    """Return the sources with columns ``pm_ra`` (times cos(dec)), ``pm_dec`` (mas/yr) and ``epoch`` (MJD).

    Parameters
    ----------
    sky : Catalog
        Sources with ``id`` and ``is_star``; it is not changed.
    config : ChangesConfig
        Standard deviation of the motions along each axis, mas/yr, and their epoch, MJD.
    seed : int
        Seed. The motion of a star depends on its id and the seed only.

    Returns
    -------
    Catalog
        Galaxies do not move.
    """
    result = Catalog(sky.columns, sky.metadata)
    star = np.asarray(sky["is_star"], bool)
    for name, axis in (("pm_ra", "right ascension, times cos(dec)"), ("pm_dec", "declination")):
        normal = _normal(sky["id"], seed, name)
        result.add(name, np.where(star, config.proper_motion * normal, 0.0), "mas/yr", f"proper motion in {axis}")
    result.add("epoch", np.full(len(sky), config.proper_motion_epoch), "d", "epoch of the reference position, MJD")
    return result


def _move_stars(sky: Catalog, mjd: float) -> Catalog:
    years = (mjd - sky["epoch"]) / _DAYS_PER_YEAR
    dec = sky["coord_dec"] + years * sky["pm_dec"] * _MAS
    ra = sky["coord_ra"] + years * sky["pm_ra"] * _MAS / np.maximum(np.cos(np.radians(sky["coord_dec"])), 1e-9)
    sky.add("coord_ra", np.mod(ra, 360.0), "deg", "right ascension at the time of the exposure")
    sky.add("coord_dec", np.clip(dec, -90.0, 90.0), "deg", "declination at the time of the exposure")
    return sky


def _vary_stars(sky: Catalog, config: ChangesConfig, mjd: float, seed: int) -> Catalog:
    result = Catalog(sky.columns, sky.metadata)
    ids = sky["id"]
    varies = np.asarray(sky["is_star"], bool) & (_uniform(ids, seed, "varies") < config.variable_fraction)
    shortest, longest = config.variable_period
    period = shortest * (longest / shortest) ** _uniform(ids, seed, "period")
    phase = _uniform(ids, seed, "phase")
    delta = config.variable_amplitude * np.sin(2.0 * np.pi * (mjd / period + phase))
    result.add("is_variable", varies, "", "whether the star varies")
    result.add("period", np.where(varies, period, np.nan), "d", "period of a variable star")
    result.add("delta_magnitude", np.where(varies, delta, 0.0), "mag", "magnitude minus its mean")
    return result


def _transients(config: ChangesConfig, circle: _Circle, mjd: float, seed: int) -> Catalog:
    epoch = _epoch(config, mjd)
    random, place = _scatter(config.transient_density, circle, "transients", seed, epoch)
    since = mjd - (epoch + config.transient_span * random.random(len(place[0])))
    magnitude = config.transient_magnitude + 2.5 / np.log(10.0) * np.maximum(since, 0.0) / config.transient_decay
    seen = since >= 0.0
    numbers = _TRANSIENT + np.arange(len(seen))
    found = Catalog()
    found.add("id", numbers[seen])
    found.add("coord_ra", place[0][seen])
    found.add("coord_dec", place[1][seen])
    found.add("magnitude", magnitude[seen])
    found.add("is_transient", np.ones(int(seen.sum()), bool))
    return found


def _moving_objects(config: ChangesConfig, circle: _Circle, mjd: float, seed: int) -> Catalog:
    epoch = _epoch(config, mjd)
    random, (ra, dec) = _scatter(config.moving_density, circle, "moving", seed, epoch)
    n = len(ra)
    rate, angle = config.moving_rate * random.random(n), 2.0 * np.pi * random.random(n)
    moved = rate * (mjd - epoch) * 24.0 / 3600.0
    north = dec + moved * np.cos(angle)
    found = Catalog()
    found.add("id", _MOVING + np.arange(n))
    found.add("coord_ra", np.mod(ra + moved * np.sin(angle) / np.maximum(np.cos(np.radians(dec)), 1e-9), 360.0))
    found.add("coord_dec", np.clip(north, -90.0, 90.0))
    found.add("magnitude", random.uniform(*config.moving_magnitude, n))
    found.add("is_moving", np.ones(n, bool))
    found.add("rate", rate, "arcsec/h", "rate of motion")
    found.add("direction", np.degrees(angle), "deg", "direction of motion, from north through east")
    return found


def _epoch(config: ChangesConfig, mjd: float) -> float:
    return float(np.floor(mjd)) if config.epoch is None else config.epoch


def _scatter(
    density: float, circle: _Circle, purpose: str, seed: int, epoch: float
) -> tuple[np.random.Generator, tuple[Floats, Floats]]:
    """Return random numbers, and random places around a field; the same for all exposures near one place.

    The places are drawn in a square around the center of the cell, a degree wide, in which the circle's center is.
    """
    side = 1.0
    low = np.floor(circle.dec / side) * side
    east = side / max(float(np.cos(np.radians(low + side / 2))), 1e-3)
    left = np.floor(circle.ra / east) * east
    random = generator(seed, purpose, int(low * 10) + 900, int(left * 1000), int(epoch * 1000))
    # The square reaches one side beyond the cell, so that a field at its border is filled, too.
    n = int(random.poisson(density * (3.0 * side) ** 2))
    ra = left + east * random.uniform(-1.0, 2.0, n)
    dec = low + side * random.uniform(-1.0, 2.0, n)
    return random, (np.mod(ra, 360.0), np.clip(dec, -90.0, 90.0))


def _join(sky: Catalog, new: Catalog) -> Catalog:
    """Return the sky with new point sources, whose magnitude is the same in every band."""
    if not len(new):
        return sky
    joined = Catalog(metadata=sky.metadata)
    n_old, n_new = len(sky), len(new)
    for name in dict.fromkeys([*sky.columns, *(name for name in new.columns if name != "magnitude")]):
        old = sky.columns.get(name)
        column = old or new.columns[name]
        filler = np.zeros(n_new, column.data.dtype)
        if name.startswith("mag_"):
            filler = new["magnitude"]
        elif name in ("is_star", "axis_ratio"):
            filler = np.ones(n_new, column.data.dtype)
        first = old.data if old is not None else np.zeros(n_old, column.data.dtype)
        added = new.columns.get(name)
        second = filler if added is None else added.data
        joined.add(name, np.concatenate([first, second]), column.unit, column.description)
    return joined


def _uniform(ids: NDArray[np.int64], seed: int, purpose: str) -> Floats:
    """Return a number from 0 to 1 for each id, which depends on the id, the seed and the purpose alone."""
    salt = np.uint64(generator(seed, purpose).integers(0, 2**63))
    mixed = np.asarray(ids).astype(np.uint64) + salt
    with np.errstate(over="ignore"):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53)


def _normal(ids: NDArray[np.int64], seed: int, purpose: str) -> Floats:
    """Return a normally distributed number for each id, as `_uniform` does."""
    radius = np.sqrt(-2.0 * np.log(1.0 - _uniform(ids, seed, f"{purpose} radius")))
    return np.asarray(radius * np.cos(2.0 * np.pi * _uniform(ids, seed, f"{purpose} angle")))
