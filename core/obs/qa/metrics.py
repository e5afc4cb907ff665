"""Measured sources against what is true of them."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import match_pixels
from obs.algorithms.numeric.nearest import PointTree
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.simulator.moffat import MoffatShapes, moffat_stamps

__all__ = ["TruthComparison", "compare_with_truth", "limiting_magnitude", "robust_scatter", "true_width"]

Floats = NDArray[np.float64]

_MATCH_RADIUS = 2.0  # pixels
#: A star is isolated if no source this bright, relative to it, is within so many widths of the PSF.
_NEIGHBOUR_FLUX, _NEIGHBOUR_WIDTHS = 0.02, 4.0
_BRIGHT = 100.0  # signal to noise
_DEPTH = 5.0  # signal to noise
_COMPLETE = 10.0  # signal to noise
_SAMPLING = 16  # samples a pixel
_MILLIARCSEC = 3.6e6  # in a degree
_SIGMA_OF_MAD = 1.4826
_FLUX = "base_PsfFlux_instFlux"
_SPOILED = (
    "base_PixelFlags_flag_saturatedCenter",
    "base_PixelFlags_flag_interpolatedCenter",
    "base_PixelFlags_flag_edge",
    "base_PsfFlux_flag",
    "base_SdssCentroid_flag",
)


@frozen
class TruthComparison:
    """Isolated stars of one frame, as measured and as they are.

    Parameters
    ----------
    magnitude : ndarray of float64, shape (n,)
        True AB magnitudes.
    x, y : ndarray of float64, shape (n,)
        True positions, pixels.
    signal_to_noise : ndarray of float64, shape (n,)
        That of the measured PSF flux.
    magnitude_error : ndarray of float64, shape (n,)
        Measured minus true magnitudes.
    ra_error, dec_error : ndarray of float64, shape (n,)
        Measured minus true positions on the sky, mas; along right ascension as an angle on the sky.
    seeing : float
        True full width at half maximum of the PSF in the middle of the sources, pixels; NaN if there are none.
    depth : float
        Magnitude of a point source at five times its error.
    completeness : float
        Part of the isolated stars at true signal to noise above ten that was found; NaN if there is none.
    """

    magnitude: Floats
    x: Floats
    y: Floats
    signal_to_noise: Floats
    magnitude_error: Floats
    ra_error: Floats
    dec_error: Floats
    seeing: float
    depth: float
    completeness: float

    @property
    def bright(self) -> NDArray[np.bool_]:
        """Stars whose noise hardly matters."""
        return self.signal_to_noise > _BRIGHT

    @property
    def photometric_offset(self) -> float:
        """Median error of bright stars' magnitudes."""
        return _median(self.magnitude_error[self.bright])

    @property
    def photometric_scatter(self) -> float:
        """Scatter of bright stars' magnitudes."""
        return robust_scatter(self.magnitude_error[self.bright])

    @property
    def astrometric_scatter(self) -> tuple[float, float]:
        """Scatter of bright stars' right ascensions and declinations, mas."""
        return robust_scatter(self.ra_error[self.bright]), robust_scatter(self.dec_error[self.bright])

    @property
    def astrometric_offset(self) -> tuple[float, float]:
        """Median error of bright stars' right ascensions and declinations, mas."""
        return _median(self.ra_error[self.bright]), _median(self.dec_error[self.bright])


def compare_with_truth(source: Catalog, truth: Catalog, photo_calib: PhotoCalib | None) -> TruthComparison:
    """Compare isolated stars with a simulation's truth.

    Parameters
    ----------
    source : Catalog
        Measured sources, as in ``src``.
    truth : Catalog
        True sources of the same frame.
    photo_calib : PhotoCalib or None
        The frame's calibration; magnitudes are NaN without.
    """
    chosen = source.select(_usable(source))
    stars = _isolated_stars(truth)
    pairs = match_pixels(
        chosen["base_SdssCentroid_x"],
        chosen["base_SdssCentroid_y"],
        truth["x"][stars],
        truth["y"][stars],
        radius=_MATCH_RADIUS,
    )
    found, real = chosen.select(pairs.first), truth.select(stars[pairs.second])
    flux, error = found[_FLUX], found[f"{_FLUX}Err"]
    place = {"x": found["base_SdssCentroid_x"], "y": found["base_SdssCentroid_y"]}
    measured = np.full(len(found), np.nan) if photo_calib is None else photo_calib.magnitude(flux, **place)
    east = (found["coord_ra"] - real["coord_ra"] + 180.0) % 360.0 - 180.0
    with np.errstate(divide="ignore", invalid="ignore"):
        signal_to_noise = np.asarray(flux / error, np.float64)
    return TruthComparison(
        magnitude=real["magnitude"],
        x=real["x"],
        y=real["y"],
        signal_to_noise=signal_to_noise,
        magnitude_error=measured - real["magnitude"],
        ra_error=east * np.cos(np.radians(real["coord_dec"])) * _MILLIARCSEC,
        dec_error=(found["coord_dec"] - real["coord_dec"]) * _MILLIARCSEC,
        seeing=true_width(truth),
        depth=limiting_magnitude(source, photo_calib),
        completeness=_completeness(source, truth.select(stars), real, signal_to_noise),
    )


def limiting_magnitude(source: Catalog, photo_calib: PhotoCalib | None) -> float:
    """Return the magnitude of a point source at five times the median error of faint sources; NaN if not known.

    Parameters
    ----------
    source : Catalog
        Sources with PSF fluxes and errors.
    photo_calib : PhotoCalib or None
        Photometric calibration; its mean over the image counts.
    """
    flux, error = source[_FLUX], source[f"{_FLUX}Err"]
    faint = np.isfinite(error) & (error > 0) & (flux < 4.0 * _DEPTH * error)
    if photo_calib is None or not faint.any():
        return float("nan")
    return float(photo_calib.mean.magnitude(_DEPTH * np.median(error[faint])))


def true_width(truth: Catalog) -> float:
    """Return the diameter, pixels, of a circle as large as the part of the PSF above half of its maximum.

    It is that of the PSF as pixels see it, at the source nearest to the middle of all.

    Parameters
    ----------
    truth : Catalog
        Truth catalog of a simulated frame, with positions in pixels and the shape of the PSF.
    """
    if not len(truth):
        return float("nan")
    x, y = truth["x"], truth["y"]
    nearest = [int(np.argmin(np.hypot(x - np.mean(x), y - np.mean(y))))]
    width, g1, g2 = (truth[name][nearest] for name in ("psf_fwhm", "psf_g1", "psf_g2"))
    shapes = MoffatShapes(width, g1, g2, float(truth.metadata["BETA"]))
    half = int(np.ceil(shapes.fwhm[0])) + 1
    stamp = moffat_stamps(shapes, x=np.zeros(1), y=np.zeros(1), half=half, sampling=_SAMPLING)[0]
    area = np.count_nonzero(stamp > 0.5 * stamp.max()) / _SAMPLING**2
    return float(2.0 * np.sqrt(area / np.pi))


def robust_scatter(values: Floats) -> float:
    """Return the standard deviation as the median absolute deviation tells it; NaN for fewer than two values.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Values; those that are not finite are left out.
    """
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return float("nan")
    return float(_SIGMA_OF_MAD * np.median(np.abs(known - np.median(known))))


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _usable(source: Catalog) -> NDArray[np.bool_]:
    usable = np.isfinite(source[_FLUX]) & source["detect_isPrimary"]
    for name in _SPOILED:
        if name in source:
            usable &= ~source[name]
    return np.asarray(usable, np.bool_)


def _isolated_stars(truth: Catalog) -> NDArray[np.intp]:
    """Return the rows of stars on the detector beside which nothing shines."""
    place = np.stack([truth["x"], truth["y"]], axis=1)
    reach = _NEIGHBOUR_WIDTHS * float(np.median(truth["psf_fwhm"])) if len(truth) else 0.0
    isolated = truth["is_star"] & np.isfinite(truth["counts"])
    pairs = PointTree(place).pairs_within(reach) if len(truth) else np.zeros((0, 2), np.intp)
    flux = truth["electrons"]
    for a, b in ((0, 1), (1, 0)):
        spoils = flux[pairs[:, b]] > _NEIGHBOUR_FLUX * flux[pairs[:, a]]
        isolated[pairs[spoils, a]] = False
    return np.flatnonzero(isolated)


def _completeness(source: Catalog, stars: Catalog, found: Catalog, signal_to_noise: Floats) -> float:
    """Return the part of the stars that was found, of those that are bright enough by the error of the faint ones."""
    faint = (signal_to_noise > 0) & (signal_to_noise < _BRIGHT)
    if not faint.any():
        return float("nan")
    noise = np.median(found["electrons"][faint] / signal_to_noise[faint])
    wanted = stars.select(stars["electrons"] > _COMPLETE * noise)
    if not len(wanted):
        return float("nan")
    pairs = match_pixels(
        source["base_SdssCentroid_x"],
        source["base_SdssCentroid_y"],
        wanted["x"],
        wanted["y"],
        radius=_MATCH_RADIUS,
    )
    return len(pairs) / len(wanted)
