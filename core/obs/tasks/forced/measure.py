"""PSF and aperture fluxes at given pixels of an image."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import aperture_name, measure_aperture_flux
from obs.algorithms.measure.fluxes import Fluxes
from obs.algorithms.measure.pixel_flags import AT_CENTER
from obs.algorithms.measure.psf_flux import measure_psf_flux
from obs.algorithms.pixels.window import plane_windows
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.psf import Psf
from obs.tasks.forced.blends import find_blends
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.forced.neighbors import KnownStars, SharedLight, detected_neighbors, psf_width
from obs.tasks.relative.polynomials import n_terms, polynomial_terms

__all__ = ["BLENDED", "Forced", "Scale", "measure_forced", "seeing_aperture_name"]

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]

_PSF = "base_PsfFlux"
BLENDED = f"{_PSF}_flag_blended"
_ORDER = 2  # of the aperture correction over a detector
_MARGIN = 8  # pixels beyond the largest aperture


@frozen
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


@frozen
class Forced:
    """What was measured at given positions.

    Parameters
    ----------
    catalog : Catalog
        PSF and aperture fluxes in counts, on the scale of the catalog ``src``, and flags.
    known_flux, known_error : ndarray of float64, shape (m,)
        PSF fluxes of the known stars before aperture correction, counts, and their errors without what was known.
    """

    catalog: Catalog
    known_flux: Floats
    known_error: Floats


@frozen
class _Separated:
    """PSF fluxes of positions and known neighbors; the image without any of their light; what the light was."""

    fluxes: Fluxes
    cleaned: Pixels
    shared: SharedLight | None


def seeing_aperture_name(part: float) -> str:
    """Return the name of the columns of a circle of so many FWHM, ``base_SeeingApertureFlux_1_50`` for 1.5.

    Parameters
    ----------
    part : float
        Radius of the circle in units of the FWHM, rounded to a hundredth.
    """
    return "base_SeeingApertureFlux_" + f"{part:.2f}".replace(".", "_")


def measure_forced(
    exposure: Exposure,
    x: Floats,
    y: Floats,
    sources: Catalog | None,
    config: ForcedConfig,
    *,
    known: KnownStars | None = None,
) -> Forced:
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
    known : KnownStars, optional
        Neighbors that a reference catalog knows; they are fitted together with the positions.

    Returns
    -------
    Forced

    Raises
    ------
    MeasurementError
        If the image has no PSF.
    """
    psf = exposure.psf
    if psf is None:
        raise MeasurementError("the calexp has no PSF; process the image anew")
    n = len(x)
    known = known or KnownStars.none()
    light = _separate(exposure.masked_image.image, exposure, psf, x, y, sources, config, known)
    point = light.fluxes
    scale = _scale(exposure, psf, x, y, sources)
    catalog = Catalog()
    catalog.add("base_TransformedCentroid_x", x, "pix", "forced position, x")
    catalog.add("base_TransformedCentroid_y", y, "pix", "forced position, y")
    factor = np.where(np.isfinite(scale.correction), scale.correction, 1.0)
    flux, error = point.flux[:n] * factor, point.flux_err[:n] * factor * scale.error_factor
    catalog.add(f"{_PSF}_instFlux", flux, "ct", "flux of the PSF at the position")
    catalog.add(f"{_PSF}_instFluxErr", error, "ct", "standard error of the flux of the PSF")
    catalog.add(f"{_PSF}_flag", point.failed[:n] | ~np.isfinite(error), "", "flux of the PSF: not to be trusted")
    catalog.add(f"{_PSF}_flag_edge", point.edge[:n], "", "flux of the PSF: too close to the border")
    text = "no aperture correction is known: the flux is not on the scale of the zero point"
    catalog.add(f"{_PSF}_flag_apCorr", ~np.isfinite(scale.correction), "", text)
    blended = np.zeros(n, bool)
    if sources is not None:
        beside = np.stack([known.x, known.y], axis=1) if config.subtract_neighbors else np.empty((0, 2))
        blended = find_blends(x, y, sources, beside, psf_width(psf))
    text = "the source here is off the position: the flux is shared with another star, or the position is inexact"
    catalog.add(BLENDED, blended, "", text)
    _add_apertures(catalog, light, exposure, x, y, config, scale.error_factor)
    _add_flags(catalog, exposure, x, y)
    return Forced(catalog, point.flux[n:], point.flux_err[n:])


def _separate(
    image: Pixels,
    exposure: Exposure,
    psf: Psf,
    x: Floats,
    y: Floats,
    sources: Catalog | None,
    config: ForcedConfig,
    known: KnownStars,
) -> _Separated:
    """Fit the PSF at all positions and known neighbors, and take the light of others out of the apertures."""
    fwhm = psf_width(psf)
    every_x, every_y = x, y
    if config.subtract_neighbors:
        every_x, every_y = np.append(x, known.x), np.append(y, known.y)
        if sources is not None and len(x):
            image = image - detected_neighbors(
                exposure.shape, psf, every_x, every_y, sources, config.match_radius * fwhm
            )
    model = psf.render(x=every_x, y=every_y)
    single = _psf_fluxes(image, exposure, model, every_x, every_y)
    if not config.subtract_neighbors:
        return _Separated(single, image, None)
    shared = SharedLight.fit(single, model, every_x, every_y, known, config.separation * fwhm)
    joint = shared.joint
    fluxes = Fluxes.checked(joint.flux, single.flux_err * joint.inflation, single.edge)
    return _Separated(fluxes, shared.remove_from(image), shared)


def _psf_fluxes(image: Pixels, exposure: Exposure, model: Pixels, x: Floats, y: Floats) -> Fluxes:
    half = model.shape[1] // 2
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    stamps, variance, inside = _stamps(image, exposure, row, column, half)
    middle = np.full(len(x), half)
    return measure_psf_flux(stamps, variance, inside, model, middle, middle)


def _stamps(
    image: Pixels, exposure: Exposure, row: NDArray[np.int64], column: NDArray[np.int64], half: int
) -> tuple[Pixels, Pixels, NDArray[np.bool_]]:
    pixels = exposure.masked_image
    data = np.ascontiguousarray(np.where(np.isfinite(image), image, np.float32(0.0)))
    seen = np.ones(exposure.shape, np.uint8)
    inside = plane_windows(seen, row, column, half).astype(bool)
    return plane_windows(data, row, column, half), plane_windows(pixels.variance, row, column, half), inside


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
    at = place[0][chosen], place[1][chosen]
    again = _psf_fluxes(exposure.masked_image.image, exposure, psf.render(x=at[0], y=at[1]), *at)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sources[f"{_PSF}_instFluxErr"][chosen] / correction[chosen] / again.flux_err
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    return Scale(polynomial_terms(u, v, order) @ fit, float(np.median(ratio)) if len(ratio) else 1.0)


def _add_apertures(
    catalog: Catalog, light: _Separated, exposure: Exposure, x: Floats, y: Floats, config: ForcedConfig, factor: float
) -> None:
    """Add the fluxes within circles, of radii in pixels and in units of the seeing, without the light of neighbors."""
    fwhm = psf_width(exposure.psf) if exposure.psf is not None else np.nan
    circles = {aperture_name(radius): (radius, f"{radius:g} pixels") for radius in config.apertures}
    circles |= {seeing_aperture_name(part): (part * fwhm, f"{part:g} FWHM") for part in config.seeing_apertures}
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    half = int(max((radius for radius, _ in circles.values()), default=0.0)) + _MARGIN
    stamps, variance, inside = _stamps(light.cleaned, exposure, row, column, half)
    if light.shared is not None:
        stamps = stamps + light.shared.render_own_light(len(x), half)
    for name, (radius, text) in circles.items():
        found = measure_aperture_flux(stamps, variance, inside, x - column, y - row, radius, sinc=False)
        catalog.add(f"{name}_instFlux", found.flux, "ct", f"flux within {text}")
        catalog.add(f"{name}_instFluxErr", found.flux_err * factor, "ct", f"standard error of the flux within {text}")
        catalog.add(f"{name}_flag", found.failed | found.edge, "", f"flux within {text}: not to be trusted")


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
