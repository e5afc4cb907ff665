"""Find and measure what a difference image shows, of both signs."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.shape import psf_elongation, psf_sigma
from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.psf.width import light_radius
from obs.image.catalog import Catalog
from obs.image.masked_image import MaskedImage
from obs.image.psf import Psf
from obs.tasks.background import subtract_background
from obs.tasks.calibrated_columns import add_magnitudes, add_times
from obs.tasks.detect import detect_sources
from obs.tasks.difference.config import DifferenceConfig, DipoleConfig
from obs.tasks.difference.subtract import Difference
from obs.tasks.measure import measure_catalog, set_sky_coordinates
from obs.tasks.psf_sizes import FWHM_PER_SIGMA, scale_background

__all__ = ["detect_changes"]

_FLUX = "base_PsfFlux_instFlux"
_PLACE = "base_SdssCentroid"


def detect_changes(
    difference: Difference, psf: Psf, config: DifferenceConfig, *, exposure_id: int, exposure_id_bits: int
) -> Catalog:
    """Detect sources of both signs on a difference image, and measure them.

    Detection is on the difference in units of its local noise, which photons of bright stars and the misfit of the
    kernel raise, so that constant stars leave nothing.

    Parameters
    ----------
    difference : Difference
        The difference; its sky is subtracted, and the planes ``DETECTED`` and ``DETECTED_NEGATIVE`` are set.
    psf : Psf
        PSF of the difference.
    config : DifferenceConfig
        Settings.
    exposure_id, exposure_id_bits : int
        Number of the exposure, which begins every source id.

    Returns
    -------
    Catalog
        Columns as in ``src``; negative sources have negative fluxes and ``flags_negative``.
    """
    exposure = difference.exposure
    pixels = exposure.masked_image
    y, x = ((size - 1) / 2 for size in pixels.shape)
    sigma = psf_sigma(psf, x=x, y=y)
    fwhm = FWHM_PER_SIGMA * sigma
    measurement = config.measurement.scaled(fwhm, light_radius(psf, x=x, y=y), psf_elongation(psf, x=x, y=y))
    subtract_background(pixels, scale_background(config.background, fwhm))
    empty = pixels.mask.any_known(["NO_DATA"])
    pixels.image[empty] = 0
    noise = pixels.variance + difference.model_error**2
    known = ~empty & np.isfinite(noise) & (noise > 0)
    typical = np.median(noise[known]) if known.any() else np.float32(1)
    weight = np.where(known, np.sqrt(typical / np.where(known, noise, 1)), 0).astype(np.float32)
    detection = config.detection.model_copy(update={"reestimate_background": False})
    catalogs, masks = [], []
    for sign in (1, -1):
        image = np.float32(sign) * pixels.image
        shown = MaskedImage(image * weight, pixels.mask.copy(), np.full_like(noise, typical))
        footprints = detect_sources(shown, sigma, detection, config.background).footprints
        footprints = footprints.keep(known[footprints.peaks.y, footprints.peaks.x])
        masks.append(shown.mask)
        found = measure_catalog(
            exposure.with_pixels(MaskedImage(image, shown.mask, pixels.variance)),
            footprints,
            psf,
            measurement,
            None,
            fwhm=fwhm,
            exposure_id=exposure_id,
            exposure_id_bits=exposure_id_bits,
            restore_cores=False,
        )
        catalogs.append(found)
    pixels.mask.array[:] = masks[0].array
    catalog = _joined(*catalogs)
    _scale_to_catalog(catalog, difference.flux_scale)
    set_sky_coordinates(catalog, exposure.wcs)
    text = "half of a dipole: a source of the other sign and of similar flux is next to it"
    dipoles = _dipoles(catalog, fwhm, config.dipole)
    catalog.add("ip_diffim_ClassificationDipole_value", dipoles, "", text)
    add_magnitudes(catalog, exposure.photo_calib)
    add_times(catalog, exposure.visit_info)
    return catalog


def _scale_to_catalog(catalog: Catalog, factor: float) -> None:
    """Bring PSF fluxes to the scale of the image's catalog, for which its zero point holds, in place."""
    for name in (_FLUX, f"{_FLUX}Err"):
        old = catalog.columns[name]
        catalog.add(name, old.data * factor, old.unit, old.description)
    text = "factor applied to base_PsfFlux, from stars: its scale is that of the catalog of the image"
    catalog.add("base_PsfFlux_apCorr", np.full(len(catalog), factor), "", text)


def _joined(positive: Catalog, negative: Catalog) -> Catalog:
    """Return sources of both signs in one table, fluxes with their signs, numbers without gaps."""
    result = Catalog()
    for name, column in positive.columns.items():
        other = negative[name]
        if name.endswith("_instFlux"):
            other = -other
        elif name == "id":
            other = other + len(positive)
        result.add(name, np.concatenate([column.data, other]), column.unit, column.description)
    sign = np.concatenate([np.zeros(len(positive), bool), np.ones(len(negative), bool)])
    result.add("flags_negative", sign, "", "fainter on the image than on the coadd")
    return result


def _dipoles(catalog: Catalog, fwhm: float, config: DipoleConfig) -> NDArray[np.bool_]:
    """Whether each source is half of a dipole, shape (n,)."""
    result = np.zeros(len(catalog), bool)
    flux = catalog[_FLUX]
    places = np.stack([catalog[f"{_PLACE}_x"], catalog[f"{_PLACE}_y"]], axis=1).astype(np.float64)
    good = np.isfinite(places).all(axis=1) & np.isfinite(flux)
    rows = [np.flatnonzero(good & (catalog["flags_negative"] == negative)) for negative in (False, True)]
    if not (rows[0].size and rows[1].size):
        return result
    start, near = PointTree(places[rows[1]]).list_within(places[rows[0]], config.distance * fwhm)
    one, two = np.repeat(rows[0], np.diff(start)), rows[1][near]
    alike = np.abs(flux[one] + flux[two]) < config.balance * (flux[one] - flux[two])
    result[one[alike]] = result[two[alike]] = True
    return result
