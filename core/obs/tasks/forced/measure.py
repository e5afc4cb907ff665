"""PSF and aperture fluxes at given pixels of an image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from obs.algorithms.measure.aperture_flux import aperture_name, measure_aperture_flux
from obs.algorithms.measure.fluxes import Fluxes
from obs.algorithms.measure.pixel_flags import AT_CENTER
from obs.algorithms.measure.psf_flux import measure_psf_flux
from obs.algorithms.pixels.window import plane_windows
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.psf import Psf
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.relative.polynomials import n_terms, polynomial_terms

__all__ = ["Scale", "measure_forced"]

Floats = NDArray[np.float64]

_PSF = "base_PsfFlux"
_ORDER = 2  # of the aperture correction over a detector
_MARGIN = 8  # pixels beyond the largest aperture
_TYPICAL_FWHM = 4.0  # pixels; where the PSF does not know its width


@dataclass(frozen=True)
class Scale:
    """What brings raw PSF fluxes to the scale of the catalog ``src``, whose zero point holds.

    Parameters
    ----------
    correction : ndarray of float64, shape (n,)
        Aperture correction at each position; NaN if not known.
    error_factor : float
        Errors of the catalog over those of independent pixels: noise that pixels share.
    """

    correction: Floats
    error_factor: float


def measure_forced(exposure: Exposure, x: Floats, y: Floats, sources: Catalog | None, config: ForcedConfig) -> Catalog:
    """Measure fluxes at given positions, which are not changed.

    Parameters
    ----------
    exposure : Exposure
        A calexp with a PSF.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels, on the image.
    sources : Catalog or None
        The catalog ``src`` of the image: neighbors, aperture correction and errors come from it.
    config : ForcedConfig
        Settings.

    Returns
    -------
    Catalog
        PSF and aperture fluxes in counts, on the scale of the catalog ``src``, and flags.

    Raises
    ------
    MeasurementError
        If the image has no PSF.
    """
    psf = exposure.psf
    if psf is None:
        raise MeasurementError("the calexp has no PSF; process the image anew")
    image = exposure.masked_image.image
    if config.subtract_neighbors and sources is not None and len(x):
        image = image - _neighbors(exposure.shape, psf, x, y, sources, config)
    point = _psf_fluxes(image, exposure, psf, x, y)
    scale = _scale(exposure, psf, x, y, sources)
    catalog = Catalog()
    catalog.add("base_TransformedCentroid_x", x, "pix", "forced position, x")
    catalog.add("base_TransformedCentroid_y", y, "pix", "forced position, y")
    factor = np.where(np.isfinite(scale.correction), scale.correction, 1.0)
    flux, error = point.flux * factor, point.flux_err * factor * scale.error_factor
    catalog.add(f"{_PSF}_instFlux", flux, "count", "flux of the PSF at the position")
    catalog.add(f"{_PSF}_instFluxErr", error, "count", "standard error of the flux of the PSF")
    catalog.add(f"{_PSF}_flag", point.failed | ~np.isfinite(error), "", "flux of the PSF: not to be trusted")
    catalog.add(f"{_PSF}_flag_edge", point.edge, "", "flux of the PSF: too close to the border")
    text = "no aperture correction is known: the flux is not on the scale of the zero point"
    catalog.add(f"{_PSF}_flag_apCorr", ~np.isfinite(scale.correction), "", text)
    _add_apertures(catalog, image, exposure, x, y, config, scale.error_factor)
    _add_flags(catalog, exposure, x, y)
    return catalog


def _psf_fluxes(image: NDArray[np.float32], exposure: Exposure, psf: Psf, x: Floats, y: Floats) -> Fluxes:
    rendered = psf.render(x=x, y=y)
    half = rendered.shape[1] // 2
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    stamps, variance, inside = _stamps(image, exposure, row, column, half)
    middle = np.full(len(x), half)
    return measure_psf_flux(stamps, variance, inside, rendered, middle, middle)


def _stamps(
    image: NDArray[np.float32], exposure: Exposure, row: NDArray[np.int64], column: NDArray[np.int64], half: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    pixels = exposure.masked_image
    data = np.ascontiguousarray(np.where(np.isfinite(image), image, np.float32(0.0)))
    seen = np.ones(exposure.shape, np.uint8)
    inside = plane_windows(seen, row, column, half).astype(bool)
    return plane_windows(data, row, column, half), plane_windows(pixels.variance, row, column, half), inside


def _neighbors(
    shape: tuple[int, int], psf: Psf, x: Floats, y: Floats, sources: Catalog, config: ForcedConfig
) -> NDArray[np.float32]:
    """Return the light of detected sources near the positions, without what is measured there."""
    model = np.zeros(shape, np.float32)
    flux = np.asarray(sources[f"{_PSF}_instFlux"], np.float64)
    if f"{_PSF}_apCorr" in sources:
        flux = flux / np.where(sources[f"{_PSF}_apCorr"] > 0, sources[f"{_PSF}_apCorr"], 1.0)
    place = np.stack([sources["base_SdssCentroid_x"], sources["base_SdssCentroid_y"]], axis=1).astype(np.float64)
    use = np.asarray(sources["detect_isPrimary"], bool) & ~sources[f"{_PSF}_flag"] & (flux > 0)
    rows = np.flatnonzero(use & np.isfinite(place).all(axis=1))
    if not len(rows):
        return model
    reach = psf.stamp_shape[0]
    distance, _ = cKDTree(np.stack([x, y], axis=1)).query(place[rows], distance_upper_bound=float(reach))
    rows = rows[np.isfinite(distance) & (distance > config.match_radius * _width(psf))]
    if not len(rows):
        return model
    light = psf.render(x=place[rows, 0], y=place[rows, 1]) * flux[rows, None, None].astype(np.float32)
    half = light.shape[1] // 2
    step = np.arange(-half, half + 1)
    row = np.rint(place[rows, 1]).astype(np.int64)[:, None, None] + step[:, None]
    column = np.rint(place[rows, 0]).astype(np.int64)[:, None, None] + step
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    row, column = np.broadcast_to(row, light.shape)[inside], np.broadcast_to(column, light.shape)[inside]
    np.add.at(model, (row, column), light[inside])
    return model


def _width(psf: Psf) -> float:
    fwhm = float(getattr(psf, "fwhm", np.nan))
    return fwhm if np.isfinite(fwhm) and fwhm > 0 else _TYPICAL_FWHM


def _scale(exposure: Exposure, psf: Psf, x: Floats, y: Floats, sources: Catalog | None) -> Scale:
    """Return aperture correction and error factor, from the catalog of the image."""
    unknown = Scale(np.full(len(x), np.nan), 1.0)
    if sources is None or f"{_PSF}_apCorr" not in sources:
        return unknown
    place = [np.asarray(sources[f"base_SdssCentroid_{axis}"], np.float64) for axis in "xy"]
    correction = np.asarray(sources[f"{_PSF}_apCorr"], np.float64)
    good = np.isfinite(correction) & (correction > 0) & np.isfinite(place[0] + place[1]) & ~sources[f"{_PSF}_flag"]
    rows = np.flatnonzero(good)
    if not len(rows):
        return unknown
    scaled = [2.0 * part / max(size - 1, 1) - 1.0 for part, size in zip(place, exposure.shape[::-1], strict=True)]
    order = _ORDER if len(rows) >= 3 * n_terms(_ORDER) else 0
    terms = polynomial_terms(scaled[0][rows], scaled[1][rows], order)
    fit = np.linalg.lstsq(terms, correction[rows], rcond=None)[0]
    u, v = (2.0 * part / max(size - 1, 1) - 1.0 for part, size in zip((x, y), exposure.shape[::-1], strict=True))
    chosen = rows[np.argsort(-sources[f"{_PSF}_instFlux"][rows])][:200]
    again = _psf_fluxes(exposure.masked_image.image, exposure, psf, place[0][chosen], place[1][chosen])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sources[f"{_PSF}_instFluxErr"][chosen] / correction[chosen] / again.flux_err
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    return Scale(polynomial_terms(u, v, order) @ fit, float(np.median(ratio)) if len(ratio) else 1.0)


def _add_apertures(
    catalog: Catalog,
    image: NDArray[np.float32],
    exposure: Exposure,
    x: Floats,
    y: Floats,
    config: ForcedConfig,
    error_factor: float,
) -> None:
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    half = int(max(config.apertures, default=0.0)) + _MARGIN
    stamps, variance, inside = _stamps(image, exposure, row, column, half)
    for radius in config.apertures:
        found = measure_aperture_flux(stamps, variance, inside, x - column, y - row, radius, sinc=False)
        name = aperture_name(radius)
        catalog.add(f"{name}_instFlux", found.flux, "count", f"flux within {radius} pixels")
        text = f"standard error of the flux within {radius} pixels"
        catalog.add(f"{name}_instFluxErr", found.flux_err * error_factor, "count", text)
        catalog.add(f"{name}_flag", found.failed | found.edge, "", f"flux within {radius} pixels: not to be trusted")


def _add_flags(catalog: Catalog, exposure: Exposure, x: Floats, y: Floats) -> None:
    """Add flags of the mask in the three by three pixels about each position."""
    mask = exposure.masked_image.mask
    height, width = exposure.shape
    near = np.arange(-1, 2)
    rows = np.clip(np.rint(y).astype(np.int64)[:, None] + near, 0, height - 1)
    columns = np.clip(np.rint(x).astype(np.int64)[:, None] + near, 0, width - 1)
    around = np.bitwise_or.reduce(mask.array[rows[:, :, None], columns[:, None, :]], axis=(1, 2))
    for name, planes in {**AT_CENTER, "bad": ("BAD", "NO_DATA"), "edge": ("EDGE",)}.items():
        flag = (around & mask.known_bits(planes)) != 0
        catalog.add(f"base_PixelFlags_flag_{name}", flag, "", f"mask plane {' or '.join(planes)} at the position")
