"""Reference stars where they were when an exposure was taken."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import Matches
from obs.algorithms.pixels.statistics import robust_sigma
from obs.errors import MeasurementError
from obs.image.catalog import Catalog, Column
from obs.image.exposure import Exposure
from obs.instrument.barycenter import mid_exposure_mjd
from obs.tasks.astrometry import AstrometrySolution, solve_astrometry
from obs.tasks.astrometry_config import AstrometryConfig
from obs.tasks.reference import ReferenceConfig
from obs.tasks.sky_search import FindReference

__all__ = ["MOTION_COLUMNS", "move_to_epoch", "solve_at_epoch", "warn_of_wrong_epoch"]

MOTION_COLUMNS = ("pm_ra", "pm_dec", "epoch")
"""Columns of motions and of the date of the positions."""

YEAR = 365.25
"""Days."""

DEGREES, ARCSEC = np.pi / 180.0, np.degrees(1.0) * 3600.0
UNITS = {"deg": DEGREES, "mas": DEGREES / 3.6e6, "arcsec": DEGREES / 3600.0}
"""Angles of proper motions, radians; those without one of these are in radians."""

LARGE_MOTION = 0.1
"""Median motion since the epoch of the catalog, arcsec, from which on a wrong date can spoil a match."""

LEAST_YEARS, SIGNIFICANT, FEWEST, CLIP = 3.0, 5.0, 20, 4.0
"""Difference between the date and the epoch that the stars show from which on there is a warning, in years and in its
errors; the fewest stars that show it, and the clipping of their residuals."""


class _Motions(NamedTuple):
    """Proper motions, radians a year, in right ascension (times cos(dec)) and declination, and their epochs, MJD."""

    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    epoch: NDArray[np.float64]

    def years_to(self, mjd: float) -> NDArray[np.float64]:
        """Return the time from the epochs of the positions to a date, zero where the motion is not known."""
        years = (mjd - self.epoch) / YEAR
        known = np.isfinite(years) & np.isfinite(self.ra) & np.isfinite(self.dec)
        return np.where(known, years, 0.0)


def _motions(reference: Catalog) -> _Motions | None:
    """Return the proper motions of a catalog, None if it has none."""
    if any(name not in reference for name in MOTION_COLUMNS):
        return None
    ra, dec = (_radians(reference.columns[name]) for name in ("pm_ra", "pm_dec"))
    return _Motions(ra, dec, np.asarray(reference["epoch"], np.float64))


def _radians(motion: Column) -> NDArray[np.float64]:
    """Return a proper motion in radians a year."""
    angle = motion.unit.partition("/")[0].strip()
    return np.asarray(motion.data, np.float64) * UNITS.get(angle, 1.0)


def move_to_epoch(reference: Catalog, mjd: float) -> Catalog:
    """Return reference sources at the places where they were at a date.

    Parameters
    ----------
    reference : Catalog
        With ``coord_ra`` and ``coord_dec`` in degrees; ``pm_ra`` (times cos(dec)) and ``pm_dec`` as angles a year and
        ``epoch`` (MJD) if they are known.
    mjd : float
        The date, modified Julian day; NaN if it is not known.

    Returns
    -------
    Catalog
        The catalog itself where there is no motion to apply.
    """
    motions = _motions(reference) if math.isfinite(mjd) else None
    if motions is None or not len(reference):
        return reference
    years = motions.years_to(mjd)
    east, north = (np.where(years == 0.0, 0.0, motion * years) for motion in (motions.ra, motions.dec))
    ra, dec = (np.radians(np.asarray(reference[name], np.float64)) for name in ("coord_ra", "coord_dec"))
    sin_ra, cos_ra, sin_dec, cos_dec = np.sin(ra), np.cos(ra), np.sin(dec), np.cos(dec)
    # along the tangents of the sphere, so that poles are places as any other
    x = cos_dec * cos_ra - sin_ra * east - sin_dec * cos_ra * north
    y = cos_dec * sin_ra + cos_ra * east - sin_dec * sin_ra * north
    z = sin_dec + cos_dec * north
    moved = {"coord_ra": np.degrees(np.arctan2(y, x)) % 360.0, "coord_dec": np.degrees(np.arctan2(z, np.hypot(x, y)))}
    moved["epoch"] = np.where(years == 0.0, motions.epoch, mjd)
    columns = dict(reference.columns)
    for name, values in moved.items():
        columns[name] = Column(values, columns[name].unit, columns[name].description)
    return Catalog(columns, reference.metadata)


def solve_at_epoch(
    exposure: Exposure,
    catalog: Catalog,
    reference: Catalog,
    band: str,
    config: AstrometryConfig,
    reference_config: ReferenceConfig,
    find: FindReference | None = None,
) -> AstrometrySolution:
    """Fit the WCS with the reference stars where they were at the date of the exposure.

    Where that fails and the stars have moved far, the date may be wrong: the positions of the catalog are tried, too.

    Parameters
    ----------
    exposure : Exposure
        Gets the new WCS; keeps its own if there is no fit.
    catalog : Catalog
        Sources; gains ``calib_astrometry_used``.
    reference : Catalog
        Reference sources about the frame; may be empty.
    band : str
        Band of the exposure.
    config : AstrometryConfig
        Settings of the fit.
    reference_config : ReferenceConfig
        Settings of the reference catalog.
    find : callable, optional
        Returns reference sources elsewhere, for the search. Without it, only ``reference`` is searched.

    Returns
    -------
    AstrometrySolution

    Raises
    ------
    MeasurementError
        If there is no fit and the settings require one.
    """
    mjd = mid_exposure_mjd(exposure.visit_info)

    def solve(move: Callable[[Catalog], Catalog]) -> AstrometrySolution:
        def find_moved(ra: float, dec: float, radius: float) -> Catalog | None:
            found = None if find is None else find(ra, dec, radius)
            return None if found is None else move(found)

        there = None if find is None else find_moved
        return solve_astrometry(exposure, catalog, move(reference), band, config, reference_config, find=there)

    try:
        solution, failure = solve(lambda stars: move_to_epoch(stars, mjd)), None
    except MeasurementError as error:
        solution, failure = None, error
    tried = config.enabled and not config.force_known_wcs
    if tried and (solution is None or solution.fit is None) and _median_motion(reference, mjd) > LARGE_MOTION:
        try:
            other = solve(lambda stars: stars)
        except MeasurementError:
            other = None
        if other is not None and other.fit is not None:
            other.warnings.append(
                f"the date of the exposure ({_year(mjd):.1f}) is probably wrong: reference stars match where the "
                "catalog has them, not where their proper motions put them at that date; correct the date"
            )
            return other
    if failure is not None:
        raise failure
    assert solution is not None  # noqa: S101 - one of the two is there
    return solution


def _median_motion(reference: Catalog, mjd: float) -> float:
    """Return how far stars moved from the epoch of the catalog to a date, arcsec; zero if that is not known."""
    motions = _motions(reference) if math.isfinite(mjd) else None
    if motions is None or not len(reference):
        return 0.0
    distance = np.hypot(motions.ra, motions.dec) * np.abs(motions.years_to(mjd))
    known = distance[np.isfinite(distance)]
    return float(np.median(known)) * ARCSEC if len(known) else 0.0


def warn_of_wrong_epoch(catalog: Catalog, reference: Catalog, matches: Matches, mjd: float) -> list[str]:
    """Return a warning if the places of stars show another date than the exposure has.

    Parameters
    ----------
    catalog, reference : Catalog
        Sources with their sky coordinates, and reference sources as they were matched, degrees.
    matches : Matches
        Rows of both.
    mjd : float
        Date of the exposure, modified Julian day; NaN if it is not known.
    """
    motions = _motions(reference)
    if motions is None or len(matches) < FEWEST:
        return []
    rows = matches.second
    d_ra = (catalog["coord_ra"][matches.first] - reference["coord_ra"][rows] + 180.0) % 360.0 - 180.0
    east = np.radians(d_ra) * np.cos(np.radians(reference["coord_dec"][rows]))
    north = np.radians(catalog["coord_dec"][matches.first] - reference["coord_dec"][rows])
    speed, offset = np.r_[motions.ra[rows], motions.dec[rows]], np.r_[east, north]
    # the WCS took what all stars have in common
    axis = np.repeat([0, 1], len(rows))
    keep = np.isfinite(speed) & np.isfinite(offset)
    for _ in range(3):
        if np.count_nonzero(keep) < 2 * FEWEST:
            return []
        for values in (speed, offset):
            values -= np.array([np.mean(values[keep & (axis == k)]) for k in (0, 1)])[axis]
        square = float(np.sum(speed[keep] ** 2))
        if square == 0.0:
            return []
        years = float(speed[keep] @ offset[keep]) / square
        residual = offset - years * speed
        scatter = robust_sigma(residual[keep])
        keep &= np.abs(residual) <= CLIP * scatter
    error = scatter / math.sqrt(square)
    if abs(years) < max(LEAST_YEARS, SIGNIFICANT * error):
        return []
    epoch = mjd if math.isfinite(mjd) else float(np.nanmedian(motions.epoch))
    given = f"the date of the exposure is {_year(mjd):.1f}" if math.isfinite(mjd) else "the exposure has no date"
    return [
        f"the proper motions of the stars show the year {_year(epoch) + years:.1f} with an error of {error:.1f}, "
        f"{given}: correct the date, or use another reference catalog"
    ]


def _year(mjd: float) -> float:
    """Return a Julian year."""
    return 2000.0 + (mjd - 51544.5) / YEAR
