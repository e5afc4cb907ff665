"""What the common fit takes from each detector image, and how detections become stars in common."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.relative.group import group_detections
from obs.camera.detector import Detector
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.image.tangent_plane import to_plane
from obs.image.wcs import TanSipWcs
from obs.sky_vectors import sky_vectors
from obs.tasks.reference import usable_sources
from obs.tasks.relative.config import StarsConfig

__all__ = ["FrameStars", "StarField", "make_star_field", "select_stars"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DAYS_PER_YEAR = 365.25
#: A tangent plane wider than this, degrees, is not a place for polynomials.
_WIDEST = 10.0


@frozen
class FrameStars:
    """Stars of one detector image.

    Parameters
    ----------
    name : str
        Its data ID.
    visit : str
        Name of the exposure, which its other detectors share.
    detector : Detector
        The detector.
    shape : tuple of int
        Shape (ny, nx).
    wcs : TanSipWcs
        WCS of the image alone.
    photo_calib : PhotoCalib or None
        Zero point of the image alone.
    mjd : float
        Middle of the exposure; NaN if not known.
    x, y, error : ndarray of float64, shape (n,)
        Positions and their mean error along an axis, pixels.
    flux, flux_err : ndarray of float64, shape (n,)
        Flux and its error, counts.
    """

    name: str
    visit: str
    detector: Detector
    shape: tuple[int, int]
    wcs: TanSipWcs
    photo_calib: PhotoCalib | None
    mjd: float
    x: Floats
    y: Floats
    error: Floats
    flux: Floats
    flux_err: Floats


@frozen
class StarField:
    """Detections of all frames, one after the other, and the stars that they are of.

    Parameters
    ----------
    frames : sequence of FrameStars
        The frames.
    center : tuple of float
        Tangent point, degrees, of the plane in which positions are fitted.
    frame : ndarray of int, shape (n,)
        Number of the frame of each detection.
    star : ndarray of int, shape (n,)
        Number of its star; detections that belong to none are left out.
    n_star : int
        Number of stars; those of the reference catalog come first.
    x, y, error, flux, flux_err : ndarray of float64, shape (n,)
        As in `FrameStars`.
    xi, eta : ndarray of float64, shape (n,)
        Position by the WCS of the frame alone, in the tangent plane, arcsec.
    motion : ndarray of float64, shape (n, 2)
        What the star moved from the mean epoch to the exposure, by its known proper motion, arcsec.
    reference : Catalog or None
        Reference stars, positions at the mean epoch.
    """

    frames: Sequence[FrameStars]
    center: tuple[float, float]
    frame: Ints
    star: Ints
    n_star: int
    x: Floats
    y: Floats
    error: Floats
    flux: Floats
    flux_err: Floats
    xi: Floats
    eta: Floats
    motion: Floats
    reference: Catalog | None

    @property
    def n_reference(self) -> int:
        """Number of stars that are in the reference catalog."""
        return 0 if self.reference is None else len(self.reference)


def select_stars(catalog: Catalog, flux: str, config: StarsConfig) -> NDArray[np.bool_]:
    """Return which sources of a catalog ``src`` can be used, shape (n,).

    Parameters
    ----------
    catalog : Catalog
        Sources of one exposure.
    flux : str
        Kind of flux, for example "base_PsfFlux"; it must be positive and have a finite error.
    config : StarsConfig
        Settings.
    """
    good = usable_sources(catalog, config.minimum_signal_to_noise)
    good = good & (catalog["base_ClassificationExtendedness_value"] <= config.maximum_extendedness)
    for name in ("base_SdssCentroid_xErr", "base_SdssCentroid_yErr", f"{flux}_instFluxErr"):
        good = good & np.isfinite(catalog[name]) & (catalog[name] > 0)
    return np.asarray(good & (catalog[f"{flux}_instFlux"] > 0))


def make_star_field(frames: Sequence[FrameStars], reference: Catalog | None, config: StarsConfig) -> StarField:
    """Bring the stars of all frames together.

    Parameters
    ----------
    frames : sequence of FrameStars
        The frames.
    reference : Catalog or None
        Reference stars.
    config : StarsConfig
        How far detections of one star may be apart.

    Raises
    ------
    MeasurementError
        If the frames lie too far apart for one tangent plane.
    """
    sky = [frame.wcs.pixel_to_sky(x=frame.x, y=frame.y) for frame in frames]
    ra, dec = (np.concatenate([place[axis] for place in sky]) for axis in (0, 1))
    center = _center(frames)
    number = np.repeat(np.arange(len(frames)), [len(frame.x) for frame in frames])
    mjd = np.array([frame.mjd for frame in frames])
    epoch = float(np.nanmean(mjd)) if np.isfinite(mjd).any() else float("nan")
    known = None if reference is None or not len(reference) else _at_epoch(reference, epoch)
    first = None if known is None else sky_vectors(known["coord_ra"], known["coord_dec"])
    star = group_detections(sky_vectors(ra, dec), number, config.radius, first=first)
    kept = star >= 0
    xi, eta = (3600.0 * part[kept] for part in to_plane(center, ra, dec))
    columns = {
        name: np.concatenate([getattr(frame, name) for frame in frames])[kept]
        for name in ("x", "y", "error", "flux", "flux_err")
    }
    motion = _motions(known, star[kept], mjd[number[kept]] - epoch, center)
    n_known = 0 if known is None else len(known)
    n_star = max(int(star.max(initial=-1)) + 1, n_known)
    return StarField(
        frames, center, number[kept], star[kept], n_star, xi=xi, eta=eta, motion=motion, reference=known, **columns
    )


def _center(frames: Sequence[FrameStars]) -> tuple[float, float]:
    """Return the mean of the middles of the frames on the sky."""
    middles = [frame.wcs.pixel_to_sky(x=0.5 * frame.shape[1], y=0.5 * frame.shape[0]) for frame in frames]
    vectors = sky_vectors(*(np.array([float(place[axis]) for place in middles]) for axis in (0, 1)))
    east, north, up = (float(part) for part in vectors.mean(axis=0))
    mean = np.array([east, north, up]) / max(np.linalg.norm([east, north, up]), 1e-12)
    chord = np.linalg.norm(vectors - mean, axis=1)
    width = np.degrees(2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0)))
    if width.max() > _WIDEST:
        far = frames[int(width.argmax())].name
        raise MeasurementError(
            f"the images are up to {width.max():.1f} degrees from their middle ({far}), and one fit reaches "
            f"{_WIDEST:.0f}; choose the images of one field with --id"
        )
    return float(np.degrees(np.arctan2(north, east))) % 360.0, float(np.degrees(np.arctan2(up, np.hypot(east, north))))


def _motion_rates(reference: Catalog) -> tuple[Floats, Floats]:
    """Return proper motions, degrees a year, along right ascension (times cos(dec)) and declination; 0 if unknown."""
    rates = []
    for name in ("pm_ra", "pm_dec"):
        if name not in reference:
            return np.zeros(len(reference)), np.zeros(len(reference))
        unit = reference.columns[name].unit
        to_degrees = 1.0 / 3.6e6 if unit.startswith("mas") else 1.0 if unit.startswith("deg") else 180.0 / np.pi
        rates.append(np.nan_to_num(np.asarray(reference[name], np.float64)) * to_degrees)
    return rates[0], rates[1]


def _moved(ra: Floats, dec: Floats, rates: tuple[Floats, Floats], years: Floats) -> tuple[Floats, Floats]:
    """Return positions after some years on straight lines; right also at the poles."""
    alpha, delta = np.radians(ra), np.radians(dec)
    place = sky_vectors(ra, dec)
    zero = np.zeros_like(alpha)
    east = np.stack([-np.sin(alpha), np.cos(alpha), zero], axis=-1)
    north = np.stack([-np.sin(delta) * np.cos(alpha), -np.sin(delta) * np.sin(alpha), np.cos(delta)], axis=-1)
    step = np.radians(years)[:, None] * (rates[0][:, None] * east + rates[1][:, None] * north)
    x, y, z = np.moveaxis(place + step, -1, 0)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _at_epoch(reference: Catalog, epoch: float) -> Catalog:
    """Return reference stars with their positions at an epoch, MJD; unchanged where epoch or motion is unknown."""
    if "epoch" not in reference or not np.isfinite(epoch):
        return reference
    years = np.nan_to_num((epoch - np.asarray(reference["epoch"], np.float64)) / _DAYS_PER_YEAR)
    ra, dec = _moved(reference["coord_ra"], reference["coord_dec"], _motion_rates(reference), years)
    result = Catalog(reference.columns, reference.metadata)
    result.add("coord_ra", ra, "deg", "right ascension at the mean epoch of the visits")
    result.add("coord_dec", dec, "deg", "declination at the mean epoch of the visits")
    return result


def _motions(reference: Catalog | None, star: Ints, days: Floats, center: tuple[float, float]) -> Floats:
    """Return the motion of each detection's star since the mean epoch, in the tangent plane, arcsec, shape (n, 2)."""
    motion = np.zeros((len(star), 2))
    if reference is None:
        return motion
    rates = _motion_rates(reference)
    rows = np.flatnonzero((star < len(reference)) & np.isfinite(days))
    if not len(rows) or not (rates[0].any() or rates[1].any()):
        return motion
    of = star[rows]
    ra, dec = reference["coord_ra"][of], reference["coord_dec"][of]
    moved = _moved(ra, dec, (rates[0][of], rates[1][of]), days[rows] / _DAYS_PER_YEAR)
    motion[rows] = 3600.0 * (np.stack(to_plane(center, *moved), axis=1) - np.stack(to_plane(center, ra, dec), axis=1))
    return motion
