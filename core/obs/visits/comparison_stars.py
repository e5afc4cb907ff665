"""Stars that a light curve is compared with: bright, on most of the images, and not the object itself."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.relative.group import group_detections
from obs.errors import DatasetNotFoundError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.repo.butler import Butler
from obs.sky_vectors import sky_vectors
from obs.tasks.reference import usable_sources
from obs.visits.calibration import FrameCalibration
from obs.visits.reference_neighbors import typical_noise

__all__ = ["Detections", "detections_on", "find_comparison_stars"]

Floats = NDArray[np.float64]

_SIGNAL_TO_NOISE = 50.0
_MOST = 150  # brightest stars; more make the zero point no better
_SHARE = 0.5  # of the images that a star is on
_MATCH = 0.3  # FWHM; detections of one star
_APART = 1.5  # FWHM; a star this close to the object shares its light


@frozen
class Detections:
    """Where sources of one image are on the sky.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Unit vectors.
    flux : ndarray of float64, shape (n,)
        PSF fluxes on the scale of the sky, from magnitudes; NaN without a zero point.
    flux_err : ndarray of float64, shape (n,)
        Standard errors of these.
    is_star : ndarray of bool, shape (n,)
        Bright stars without flaws.
    fwhm : float
        Seeing, radians.
    target : ndarray of float64, shape (3,)
        Unit vector of the object, the first if there are several, at the time of the image.
    noise : float
        Error of the fluxes of faint sources.
    mjd : float
        Middle of the exposure, modified Julian day.
    """

    vectors: Floats
    flux: Floats
    flux_err: Floats
    is_star: NDArray[np.bool_]
    fwhm: float
    target: Floats
    noise: float
    mjd: float

    def nearest(self) -> tuple[float, float]:
        """Return distance (FWHM) and flux of the source nearest to the object; infinite and NaN if there is none."""
        if not len(self.vectors):
            return np.inf, np.nan
        distance = np.linalg.norm(self.vectors - self.target, axis=1)
        row = int(np.argmin(distance))
        return float(distance[row]) / self.fwhm, float(self.flux[row])


def detections_on(
    butler: Butler, data_id: dict[str, object], calibration: FrameCalibration, seeing: float, target: Floats, mjd: float
) -> Detections | None:
    """Return the sources of an image; None if it has no catalog or no WCS.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : dict
        The image.
    calibration : FrameCalibration
        Its calibration.
    seeing : float
        Full width at half maximum of the PSF, arcsec.
    target : ndarray of float64, shape (3,)
        Unit vector of the object at the time of the image.
    mjd : float
        Middle of the exposure, modified Julian day.
    """
    try:
        catalog: Catalog = butler.get("src", data_id)
    except DatasetNotFoundError:
        return None
    if calibration.wcs is None:
        return None
    catalog = catalog.select(np.asarray(catalog["detect_isPrimary"] & ~catalog["base_SdssCentroid_flag"], bool))
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    star = usable_sources(catalog, _SIGNAL_TO_NOISE) & (catalog["base_ClassificationExtendedness_value"] < 0.5)
    flux, flux_err, noise = np.full(len(x), np.nan), np.full(len(x), np.nan), np.nan
    if calibration.photo_calib is not None and len(x):
        magnitude = calibration.photo_calib.magnitude(catalog["base_PsfFlux_instFlux"], x=x, y=y)
        flux = 10.0 ** (-0.4 * magnitude)
        with np.errstate(divide="ignore", invalid="ignore"):
            flux_err = flux * catalog["base_PsfFlux_instFluxErr"] / catalog["base_PsfFlux_instFlux"]
        noise = typical_noise(catalog) / calibration.photo_calib.flux_mag0
    ra, dec = calibration.wcs.pixel_to_sky(x=x, y=y)
    vectors = sky_vectors(ra, dec).reshape(-1, 3)
    is_star = np.asarray(star & np.isfinite(flux), bool)
    return Detections(vectors, flux, flux_err, is_star, np.radians(seeing / 3600.0), target, noise, mjd)


def find_comparison_stars(images: Sequence[Detections]) -> Floats:
    """Return the mean places of bright stars that are on at least half of the images.

    Parameters
    ----------
    images : sequence of Detections
        Sources of each image; stars that share light with the object are left out.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit vectors, the brightest first.
    """
    if not images:
        return np.empty((0, 3))
    fwhm = float(np.median([image.fwhm for image in images]))
    vectors = np.concatenate([image.vectors[image.is_star] for image in images])
    flux = np.concatenate([image.flux[image.is_star] for image in images])
    frame = np.concatenate([np.full(int(image.is_star.sum()), number) for number, image in enumerate(images)])
    frame = frame.astype(np.int64)
    targets = np.stack([image.target for image in images])[frame]
    far = np.linalg.norm(vectors - targets, axis=1) > _APART * fwhm
    vectors, flux, frame = vectors[far], flux[far], frame[far]
    star = group_detections(vectors, frame, np.degrees(_MATCH * fwhm) * 3600.0)
    known = star >= 0
    n = int(star.max(initial=-1)) + 1
    seen = np.bincount(star[known], minlength=n)
    mean = np.stack([np.bincount(star[known], vectors[known, axis], n) for axis in range(3)], axis=1)
    light = np.bincount(star[known], flux[known], n) / np.maximum(seen, 1)
    often = np.flatnonzero(seen >= max(2.0, _SHARE * len(images)))
    often = often[np.argsort(-light[often], kind="stable")][:_MOST]
    return np.asarray(mean[often] / np.linalg.norm(mean[often], axis=1, keepdims=True), np.float64)
