"""Proper motions of stars in common, from the visits themselves."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.relative.group import group_detections
from obs.algorithms.relative.motions import fit_motions
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.tangent_plane import from_plane, to_plane
from obs.sky_vectors import sky_vectors
from obs.tasks.relative.astrometry import CommonAstrometry
from obs.tasks.relative.config import StarMotionConfig
from obs.tasks.relative.frames import StarField
from obs.tasks.relative.polynomials import polynomial_terms

__all__ = ["StarMotions", "fit_star_motions", "moved_fields"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_YEAR = 365.25
_NIGHT = 0.5  # days; exposures that follow each other more closely are one epoch
_FEWEST = 10
#: Logarithm of how much more probable motions must make the positions: one chance in 3,000 for one fitted width.
_LEAST_GAIN = 6.0


@frozen
class StarMotions:
    """Motions of stars, and whether the positions show them.

    Parameters
    ----------
    catalog : Catalog or None
        Stars with ``coord_ra``, ``coord_dec`` at ``epoch``, ``pm_ra``, ``pm_dec`` (mas a year) and their errors; None
        if motions are not fitted.
    reason : str
        Why they are not fitted; empty if they are.
    years : float
        Time between the first and the last epoch.
    width : float
        Standard deviation of the motions along an axis, mas a year.
    gain : float
        Logarithm of how much more probable motions make the positions.
    rates : sequence of ndarray, shape (n_star, 2)
        For each field the motion of each star, arcsec a year.
    """

    catalog: Catalog | None
    reason: str
    years: float
    width: float = 0.0
    gain: float = 0.0
    rates: Sequence[Floats] = ()


def fit_star_motions(
    fields: Sequence[StarField], fits: Sequence[CommonAstrometry], config: StarMotionConfig
) -> StarMotions:
    """Fit the motions of stars to the positions in all filters.

    Stars whose motion the reference catalog has keep it. The maps of the visits follow whatever motion neighbors have
    in common, so that motions count from the smooth motion of the field; what that hides is part of the errors.

    Parameters
    ----------
    fields : sequence of StarField
        Stars in common of each filter.
    fits : sequence of CommonAstrometry
        The fit of the positions of each filter.
    config : StarMotionConfig
        Settings.
    """
    dates = np.array([frame.mjd for field in fields for frame in field.frames])
    dates = dates[np.isfinite(dates)]
    years = float(np.ptp(dates)) / _YEAR if len(dates) else 0.0
    if years < config.minimum_years:
        reason = f"the exposures span {years:.2f} years, and {config.minimum_years:g} are needed"
        return StarMotions(None, reason, years)
    center, middle = fields[0].center, float(dates.mean())
    night = np.cumsum(np.diff(np.sort(dates), prepend=-np.inf) > _NIGHT, dtype=np.int64)
    nights = np.sort(dates), night
    parts = [
        _epochs(field, fit, center, nights, middle, number)
        for number, (field, fit) in enumerate(zip(fields, fits, strict=True))
    ]
    place, sigma, time = (np.concatenate([part[name] for part in parts]) for name in ("place", "sigma", "time"))
    counts = np.cumsum([0] + [len(part["star"]) for part in parts])
    group = np.concatenate([part["group"] + first for part, first in zip(parts, counts[:-1], strict=True)])
    star, n_star = _same_stars(parts, center, config.radius)
    if n_star < _FEWEST or not np.any(np.bincount(group, minlength=counts[-1]) > 1):
        return StarMotions(None, f"{n_star} stars without known motion were seen at several epochs", years)
    found = fit_motions(place, sigma, time, group, star)
    if found.gain < _LEAST_GAIN:
        reason = f"the positions are as probable without them (log odds {found.gain:.1f})"
        return StarMotions(None, reason, years, gain=found.gain)
    rates = []
    for field, part, first in zip(fields, parts, counts[:-1], strict=True):
        rate = np.zeros((field.n_star, 2))
        rate[part["star"]] = found.rate[star[first : first + len(part["star"])]]
        rates.append(rate)
    total = np.bincount(star, found.weight, n_star)
    mean = np.stack([np.bincount(star, found.weight * axis, n_star) / total for axis in found.place.T], axis=1)
    ra, dec = from_plane(center, *(mean.T / 3600.0))
    shares = np.concatenate([part["share"] for part in parts])
    hidden = found.width * np.sqrt(np.bincount(star, shares, n_star) / np.bincount(star, minlength=n_star))
    catalog = Catalog()
    catalog.add("coord_ra", ra, "deg", "right ascension at the epoch, ICRS")
    catalog.add("coord_dec", dec, "deg", "declination at the epoch, ICRS")
    catalog.add("epoch", np.full(n_star, middle), "d", "modified Julian day of the position")
    for axis, name in enumerate(("ra", "dec")):
        text = "right ascension, times cos(dec)" if name == "ra" else "declination"
        catalog.add(f"pm_{name}", 1e3 * found.rate[:, axis], "mas/year", f"proper motion in {text}")
        catalog.add(f"pm_{name}Err", 1e3 * np.hypot(found.error, hidden), "mas/year", f"standard error of pm_{name}")
    number = np.bincount(star[group], minlength=n_star)
    catalog.add("n_epoch", number.astype(np.int32), "", "nights with a position, each filter counted by itself")
    known = np.isfinite(found.error)
    return StarMotions(catalog.select(known), "", years, 1e3 * found.width, found.gain, rates)


def moved_fields(fields: Sequence[StarField], motions: StarMotions) -> list[StarField]:
    """Return the stars in common with their fitted motions added to those of the reference catalog.

    Parameters
    ----------
    fields : sequence of StarField
        Stars of each group of exposures.
    motions : StarMotions
        Fitted motions, with one array of rates for each field.
    """
    moved = []
    for field, rate in zip(fields, motions.rates, strict=True):
        dates = np.array([frame.mjd for frame in field.frames])
        years = np.nan_to_num((dates - np.nanmean(dates)) / _YEAR)[field.frame]
        moved.append(replace(field, motion=field.motion + rate[field.star] * years[:, None]))
    return moved


def _epochs(
    field: StarField,
    fit: CommonAstrometry,
    center: tuple[float, float],
    nights: tuple[Floats, Ints],
    middle: float,
    number: int,
) -> dict[str, NDArray[np.generic]]:
    """Return mean places of stars in each night, arcsec in the tangent plane, years, and which star of the field.

    ``share`` is that of the motion of a star which the maps of the visits follow.
    """
    ra, dec, scale = (np.empty(len(field.star)) for _ in range(3))
    for index, (frame, wcs) in enumerate(zip(field.frames, fit.wcs, strict=True)):
        rows = field.frame == index
        ra[rows], dec[rows] = wcs.pixel_to_sky(x=field.x[rows], y=field.y[rows])
        scale[rows] = frame.wcs.pixel_scale
    mjd = np.array([frame.mjd for frame in field.frames])[field.frame]
    has_motion = np.zeros(field.n_star, bool)
    if field.reference is not None:
        has_motion[: field.n_reference] = known_motions(field.reference)
    whole = 3600.0 * np.stack(to_plane(center, ra, dec), axis=1)
    share = np.zeros(len(field.star))
    visits = np.array([frame.visit for frame in field.frames])[field.frame]
    for visit in np.unique(visits):
        share[visits == visit] = _leverage(whole[visits == visit], fit.visit_order)
    rows = np.flatnonzero(np.isfinite(mjd) & ~has_motion[field.star])
    place = whole[rows]
    weight = (field.error[rows] * scale[rows]) ** -2.0
    stars, group = np.unique(field.star[rows], return_inverse=True)
    night = nights[1][np.minimum(np.searchsorted(nights[0], mjd[rows]), len(nights[0]) - 1)]
    cell, first, inverse = np.unique(group * (night.max(initial=0) + 1) + night, return_index=True, return_inverse=True)
    total = np.bincount(inverse, weight, len(cell))

    def mean(values: Floats) -> Floats:
        return np.bincount(inverse, weight * values, len(cell)) / total

    years = (mjd[rows] - middle) / _YEAR
    return {
        "place": np.stack([mean(axis) for axis in place.T], axis=1),
        "sigma": total**-0.5,
        "time": mean(years),
        "group": group[first],
        "star": stars,
        "share": np.bincount(group, share[rows], len(stars)) / np.bincount(group, minlength=len(stars)),
        "field": np.full(len(stars), number),
    }


def _same_stars(parts: Sequence[dict[str, NDArray[np.generic]]], center: tuple[float, float], radius: float) -> tuple[
    Ints, int
]:  # fmt: skip
    """Return the number of the star of each group of places in any filter, and the number of stars."""
    means = []
    for part in parts:
        group, place = np.asarray(part["group"], np.int64), np.asarray(part["place"], np.float64)
        count = np.bincount(group, minlength=len(part["star"]))
        means.append(np.stack([np.bincount(group, axis, len(count)) / count for axis in place.T], axis=1))
    ra, dec = from_plane(center, *(np.concatenate(means).T / 3600.0))
    number = np.concatenate([np.asarray(part["field"], np.int64) for part in parts])
    star = group_detections(sky_vectors(ra, dec), number, radius)
    alone = star < 0
    star[alone] = star.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    numbers, star = np.unique(star, return_inverse=True)
    return star.astype(np.int64), len(numbers)


def _leverage(place: Floats, order: int) -> Floats:
    """Return the share of the motion of each star that a polynomial through the motions of all follows."""
    low, high = place.min(axis=0), place.max(axis=0)
    x, y = (2.0 * (place - low) / np.maximum(high - low, 1e-9) - 1.0).T
    terms = polynomial_terms(x, y, order)
    return np.asarray(np.minimum(np.sum(np.linalg.qr(terms)[0] ** 2, axis=1), 1.0))


def known_motions(reference: Catalog) -> NDArray[np.bool_]:
    """Return which stars of a reference catalog have a proper motion."""
    if any(name not in reference for name in ("pm_ra", "pm_dec", "epoch")):
        return np.zeros(len(reference), bool)
    known = np.isfinite(reference["epoch"])
    for name in ("pm_ra", "pm_dec"):
        known = known & np.isfinite(reference[name])
    return np.asarray(known)
