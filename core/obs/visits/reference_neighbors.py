"""Stars that a reference catalog knows near given positions."""

import logging
import math

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.errors import DataIdError, DatasetNotFoundError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT
from obs.instrument.barycenter import mid_exposure_mjd
from obs.repo.butler import Butler
from obs.repo.reference_choice import find_reference
from obs.sky_vectors import sky_positions, sky_vectors
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.forced.neighbors import KnownStars, psf_width
from obs.tasks.proper_motion import move_to_epoch
from obs.tasks.reference import any_reference_flux, reference_flux_name
from obs.visits.calibration import FrameCalibration

__all__ = ["ReferenceStars", "known_neighbors", "reference_stars", "typical_correction", "typical_noise"]

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_REACH = 3.0  # FWHM; light of a star farther away does not matter, but in an aperture
_SAME = 0.1  # FWHM; what is this close to a position is the object itself
#: How much a flux of the catalog may be off: estimated from other bands, variable; or in another band altogether.
_SAME_BAND, _OTHER_BAND = 0.2, 0.7
_PER_NANOJANSKY = 10.0 ** (-0.4 * NANOJANSKY_ZERO_POINT)
_FAINT = 20.0  # percentile of the errors of sources: the noise of faint ones
_NO_SKY_LARGER = 90.0  # degrees


@frozen
class ReferenceStars:
    """Stars of a reference catalog at a date.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Unit vectors.
    flux : ndarray of float64, shape (n,)
        Fluxes on the scale of the sky: 1 is magnitude 0.
    share : float
        How much a flux may be off.
    """

    vectors: Floats
    flux: Floats
    share: float


def reference_stars(
    butler: Butler, physical_filter: str, ra: Floats, dec: Floats, margin: float, mjd: float, config: ForcedConfig
) -> ReferenceStars | None:
    """Return the stars of the reference catalog about some positions; None if no catalog is chosen.

    Parameters
    ----------
    butler : Butler
        The repository, with its reference catalogs.
    physical_filter : str
        Filter of the fluxes; those of another one are taken if the catalog has not got it.
    ra, dec : ndarray of float64, shape (n,)
        Positions, degrees.
    margin : float
        Distance from them within which stars are wanted, degrees.
    mjd : float
        Date to which stars are moved, modified Julian day.
    config : ForcedConfig
        Settings.
    """
    vectors = sky_vectors(ra, dec).reshape(-1, 3)
    center = vectors.mean(axis=0)
    center /= np.linalg.norm(center)
    middle_ra, middle_dec = (float(value[0]) for value in sky_positions(center[None]))
    radius = math.degrees(2.0 * math.asin(min(0.5 * float(np.linalg.norm(vectors - center, axis=1).max()), 1.0)))
    radius = min(radius + margin, _NO_SKY_LARGER)
    try:
        found = find_reference(butler.roots, config.reference.name, middle_ra, middle_dec, radius, [])
    except DatasetNotFoundError as error:
        logger.info("neighbors are those of the image alone: %s", error)
        return None
    if found is None:
        return None
    found = move_to_epoch(found, mjd)
    try:
        band = butler.instrument.find_filter(physical_filter).band
    except DataIdError:
        band = physical_filter
    share = _OTHER_BAND if reference_flux_name(found, band, config.reference) is None else _SAME_BAND
    flux = any_reference_flux(found, band, config.reference) * _PER_NANOJANSKY
    return ReferenceStars(sky_vectors(found["coord_ra"], found["coord_dec"]).reshape(-1, 3), flux, share)


def known_neighbors(
    butler: Butler,
    exposure: Exposure,
    calibration: FrameCalibration,
    x: Floats,
    y: Floats,
    sources: Catalog | None,
    config: ForcedConfig,
) -> KnownStars | None:
    """Return the stars of the reference catalog whose light reaches given positions.

    Parameters
    ----------
    butler : Butler
        The repository, with its reference catalogs.
    exposure : Exposure
        A calexp with a PSF.
    calibration : FrameCalibration
        Its WCS and zero point.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    sources : Catalog or None
        The catalog ``src`` of the image, for its noise and its aperture correction.
    config : ForcedConfig
        Settings.

    Returns
    -------
    KnownStars or None
        Stars that are bright enough to matter, without those that are the positions themselves. None if nothing can
        be said: there is no reference catalog that is chosen, no zero point, or no catalog of the image.
    """
    wcs, calib, psf = calibration.wcs, calibration.photo_calib, exposure.psf
    if not config.reference_neighbors or wcs is None or calib is None or psf is None or sources is None or not len(x):
        return None
    if calibration.is_instrumental:  # fluxes of the catalog are on another scale
        return None
    fwhm = psf_width(psf)
    reach = max(_REACH * fwhm, max(config.apertures, default=0.0) + 2.0 * fwhm)
    around = reach * wcs.pixel_scale / 3600.0
    mjd = mid_exposure_mjd(exposure.visit_info)
    reference = reference_stars(butler, exposure.physical_filter, *wcs.pixel_to_sky(x=x, y=y), around, mjd, config)
    if reference is None or not len(reference.flux):
        return None
    ra, dec = sky_positions(reference.vectors)
    place = np.stack(wcs.sky_to_pixel(ra=ra, dec=dec), axis=1)
    flux, share = reference.flux * calib.flux_mag0 / typical_correction(sources), reference.share
    noise = typical_noise(sources)
    height, width = exposure.shape
    with np.errstate(invalid="ignore"):
        on = ((place > -0.5) & (place < np.array([width, height]) - 0.5)).all(axis=1) & (flux > noise)
    place, flux = place[on], flux[on]
    if not len(place):
        return None
    positions = np.stack([x, y], axis=1)
    distance, _ = PointTree(positions).nearest(place)
    own_distance, own = PointTree(place).nearest(positions)
    others = (distance > _SAME * fwhm) & (distance < reach)
    others[own[own_distance < config.match_radius * fwhm]] = False
    return KnownStars(place[others, 0], place[others, 1], flux[others], share * flux[others])


def typical_correction(sources: Catalog) -> float:
    """Return the median aperture correction of PSF fluxes in a catalog ``src``; 1 if it has none.

    Parameters
    ----------
    sources : Catalog
        Sources; values that are not finite and positive do not count.
    """
    if "base_PsfFlux_apCorr" not in sources:
        return 1.0
    correction = np.asarray(sources["base_PsfFlux_apCorr"], np.float64)
    correction = correction[np.isfinite(correction) & (correction > 0)]
    return float(np.median(correction)) if len(correction) else 1.0


def typical_noise(sources: Catalog) -> float:
    """Return the error of the PSF fluxes of faint sources in a catalog ``src``, counts; NaN if it is empty.

    Parameters
    ----------
    sources : Catalog
        Sources; errors that are not finite do not count.
    """
    errors = np.asarray(sources["base_PsfFlux_instFluxErr"], np.float64)
    errors = errors[np.isfinite(errors)]
    return float(np.percentile(errors, _FAINT)) if len(errors) else math.nan
