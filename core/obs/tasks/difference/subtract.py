"""Subtract a template from an image after their PSFs were made equal."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from obs.algorithms.coadd.matching_kernel import KernelBasis, MatchingKernel, fit_matching_kernel
from obs.algorithms.measure.shape import psf_sigma
from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.statistics import weighted_median
from obs.algorithms.pixels.window import plane_windows
from obs.frozen import frozen
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import UNUSABLE_PLANES
from obs.image.masked_image import MaskedImage
from obs.image.psf import PixelPsf, Psf
from obs.tasks.difference.config import DifferenceConfig, MatchConfig
from obs.tasks.difference.match_models import (
    convolve_variance,
    match_models,
    matching_basis,
    scaled_places,
    spread_unusable,
)
from obs.tasks.difference.psf_steps import Stamps, missed_by_smooth_kernel
from obs.tasks.difference.register import Registered, register_stars
from obs.tasks.psf_sizes import FWHM_PER_SIGMA

__all__ = ["Difference", "subtract_template"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

_STAMP_FWHMS = 4.0
_MISFIT_FWHMS = (1.0, 3.0)
_SATURATED_FWHMS = 4.0  # around saturated pixels, differences say nothing so far
_FILLED_FWHMS = 1.0  # the light that is missing in filled pixels spreads by the kernel
_FEWEST_STARS = (30, 150, 300)  # for kernels that vary by a polynomial of degree 1, 2, 3
#: What a template that cannot be trusted makes of the difference.
_CARRIED = ("SAT", "BAD")
#: Pixels of an image or a coadd whose value was filled in, because no exposure measured it.
_FILLED = ("INTRP", "CR")
#: Pixels whose value nobody knows, which convolution spreads.
_LOST = ("SAT", "NO_DATA", "UNMASKEDNAN")


@frozen
class Difference:
    """An image minus its template.

    Parameters
    ----------
    exposure : Exposure
        The difference, on the flux scale of the image, with the wider of both PSFs.
    model_error : ndarray of float32, shape (ny, nx)
        Standard error of what was subtracted, from the kernel's misfit, as independent pixels would need it.
    convolved_template : bool
        Whether the template was convolved; else the image was.
    n_star : int
        Stars that the kernel was fitted to; 0 if it comes from the PSF models.
    flux_ratio : float
        Flux of stars on the image over that on the template.
    misfit : float
        Share of the light of bright stars that the kernel misses beyond noise; 0 without stars.
    shifts : tuple of float
        Scatter of the stars' misplacement along x and y, pixels, which was corrected star by star; 0 if it was not.
    flux_scale : float
        Flux of stars in the catalog of the image, to which the zero point belongs, over the flux that the PSF of the
        difference finds of them; 1 without stars.
    """

    exposure: Exposure
    model_error: Image
    convolved_template: bool
    n_star: int
    flux_ratio: float
    misfit: float
    shifts: tuple[float, float]
    flux_scale: float


def subtract_template(
    exposure: Exposure,
    psf: Psf,
    template: MaskedImage,
    template_psf: PixelPsf,
    stars: Catalog | None,
    config: DifferenceConfig,
    exact_psf: tuple[Stamps, float] | None = None,
) -> Difference:
    """Subtract a template from an image after the sharper of both was convolved to the PSF of the other.

    Parameters
    ----------
    exposure : Exposure
        Background-subtracted image.
    psf : Psf
        Its PSF.
    template : MaskedImage
        The template on the same pixels and scale of fluxes; finite, ``NO_DATA`` where there is none.
    template_psf : PixelPsf
        Its PSF on these pixels.
    stars : Catalog or None
        Sources of the image to fit the kernel to.
    config : DifferenceConfig
        Settings.
    exact_psf : tuple of callable and float, optional
        The template's PSF at places of the image, with its steps, and pixels of these stamps for one of the image.

    Returns
    -------
    Difference
    """
    pixels = exposure.masked_image
    unusable = [part.mask.any_known(UNUSABLE_PLANES) | ~np.isfinite(part.image) for part in (pixels, template)]
    image = np.where(np.isfinite(pixels.image), pixels.image, np.float32(0))
    middle_y, middle_x = ((size - 1) / 2 for size in pixels.shape)
    sigmas = tuple(psf_sigma(one, x=middle_x, y=middle_y) for one in (psf, template_psf))
    forward = sigmas[1] <= sigmas[0]  # the template is sharper
    basis = matching_basis(min(sigmas), max(sigmas), config.match)
    source, target = (template.image, image) if forward else (image, template.image)
    noises = pixels.variance, template.variance
    source_psf, target_psf = (template_psf, psf) if forward else (psf, template_psf)
    half = int(np.ceil(_STAMP_FWHMS * FWHM_PER_SIGMA * max(sigmas)))
    x, y, catalog_flux = _bright_stars(stars, unusable[0] | unusable[1], half + basis.half, config.match)
    places = x, y
    kernel = None
    if len(places[0]) >= config.match.minimum_stars:
        ordered = noises[::-1] if forward else noises
        kernel = _fit_stars((source, target), ordered, places, half, basis, config.match)
    n_star = 0 if kernel is None else int(np.count_nonzero(kernel.used))
    if kernel is None or n_star < config.match.minimum_stars:
        whole = Box(0, 0, pixels.shape[1], pixels.shape[0])
        kernel, n_star = match_models(source_psf, target_psf, whole, half, basis, config.match), 0
    matched = kernel.convolve(source)
    spread = convolve_variance(noises[1 if forward else 0], kernel)
    convolved = template if forward else pixels
    spoiled = spread_unusable(convolved.mask.any_known(_LOST) | ~np.isfinite(convolved.image), kernel)
    scale = np.float32(1 if forward else 1 / kernel.flux_ratio)
    model = matched if forward else template.image
    difference = (image - matched if forward else matched - template.image) * scale
    variance = (noises[0 if forward else 1] + spread) * scale**2
    mask = pixels.mask.copy()
    for name in (*_CARRIED, *_FILLED):
        mask.set(grow(template.mask.any_known([name]), 1), name)
    empty = template.mask.any_known(["NO_DATA"]) | mask.any_known(["NO_DATA"])
    lost = empty | (spoiled & ~mask.any_known(_CARRIED))
    saturated = pixels.mask.any_known(["SAT"]) | template.mask.any_known(["SAT"])
    filled = pixels.mask.any_known(_FILLED) | template.mask.any_known(_FILLED)
    for unknown, fwhms in ((saturated, _SATURATED_FWHMS), (filled, _FILLED_FWHMS)):
        if unknown.any():
            mask.set(grow(unknown, int(np.ceil(fwhms * FWHM_PER_SIGMA * max(sigmas)))), "SUSPECT")
    difference[lost] = 0
    mask.set(lost, "NO_DATA")
    misfit = np.full((1, 1), kernel.misfit if n_star else 0.0, np.float32)
    registered = Registered(float(misfit[0, 0]), (0.0, 0.0), misfit)
    if n_star and config.match.shift_stars:
        spread_noise = np.sum(kernel.stamp() ** 2)
        pixel_noise = (noises[0 if forward else 1] + noises[1 if forward else 0] * spread_noise) * scale**2
        registered = register_stars(difference, model * scale, pixel_noise.astype(np.float32), places, max(sigmas))
    result = exposure.with_pixels(MaskedImage(difference, mask, variance.astype(np.float32)))
    final_psf = psf if forward else template_psf
    result.psf = final_psf
    ratio = kernel.flux_ratio if forward else 1 / kernel.flux_ratio
    # what the kernel misses of a star lies mostly within its width, some in the wings, and neighboring pixels share it
    light = np.zeros(model.shape, np.float32)
    for reach in _MISFIT_FWHMS:
        size = 2 * int(np.ceil(reach * FWHM_PER_SIGMA * max(sigmas))) + 1
        light = np.maximum(light, uniform_filter(np.square(model * scale), size, mode="constant"))
    area = np.float32(4 * np.pi * max(sigmas) ** 2)
    share = registered.share
    if exact_psf is not None:
        stars_used = (x[kernel.used], y[kernel.used], catalog_flux[kernel.used]) if n_star else (x[:0], y[:0], x[:0])
        steps = missed_by_smooth_kernel(exact_psf[0], stars_used, pixels.shape, kernel.order, exact_psf[1], max(sigmas))
        share = np.hypot(share, steps)
    model_error = share * np.sqrt(light * area)
    flux_scale = _flux_scale(image if forward else matched * scale, final_psf, places, catalog_flux)
    return Difference(result, model_error, forward, n_star, ratio, registered.misfit, registered.scatter, flux_scale)


def _bright_stars(
    stars: Catalog | None, unusable: NDArray[np.bool_], half: int, config: MatchConfig
) -> tuple[Floats, Floats, Floats]:
    """Return x, y and flux of bright sources whose surroundings are whole, the brightest first."""
    nothing = np.zeros(0), np.zeros(0), np.zeros(0)
    if stars is None or not len(stars):
        return nothing
    flux, error = stars["base_PsfFlux_instFlux"], stars["base_PsfFlux_instFluxErr"]
    x, y = stars["base_SdssCentroid_x"], stars["base_SdssCentroid_y"]
    with np.errstate(invalid="ignore"):
        good = (flux > config.minimum_signal_to_noise * error) & np.isfinite(x) & np.isfinite(y)
    if "detect_isPrimary" in stars:
        good &= stars["detect_isPrimary"]
    height, width = unusable.shape
    with np.errstate(invalid="ignore"):
        good &= (x >= half) & (x < width - half - 1) & (y >= half) & (y < height - half - 1)
    rows = np.flatnonzero(good)
    rows = rows[np.argsort(-flux[rows], kind="stable")][: 3 * config.maximum_stars]
    if not rows.size:
        return nothing
    row, column = np.rint(y[rows]).astype(np.int64), np.rint(x[rows]).astype(np.int64)
    whole = ~plane_windows(unusable.astype(np.uint8), row, column, half).any(axis=(1, 2))
    rows = rows[whole][: config.maximum_stars]
    return np.asarray(x[rows], np.float64), np.asarray(y[rows], np.float64), np.asarray(flux[rows], np.float64)


def _flux_scale(image: Image, psf: Psf, places: tuple[Floats, Floats], flux: Floats) -> float:
    """Return how much larger fluxes of stars are in a catalog than a PSF finds them on an image."""
    if not len(flux):
        return 1.0
    x, y = places
    model = psf.render(x=x, y=y)
    seen = plane_windows(image, np.rint(y).astype(np.int64), np.rint(x).astype(np.int64), model.shape[1] // 2)
    found = np.sum(model * seen, axis=(1, 2)) / np.sum(np.square(model), axis=(1, 2))
    good = found > 0
    return float(weighted_median(flux[good] / found[good], np.sqrt(flux[good]))) if good.any() else 1.0


def _fit_stars(
    images: tuple[Image, Image],
    variances: tuple[Image, Image],
    places: tuple[Floats, Floats],
    half: int,
    basis: KernelBasis,
    config: MatchConfig,
) -> MatchingKernel:
    x, y = places
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    noises = [plane_windows(plane, row, column, half).mean(axis=(1, 2), dtype=np.float64) for plane in variances]
    sources = plane_windows(images[0], row, column, half + basis.half)
    targets = plane_windows(images[1], row, column, half)
    u, v = scaled_places(x, y, images[0].shape)
    order = min(config.order, int(np.searchsorted(_FEWEST_STARS, len(x), side="right")))
    return fit_matching_kernel(sources, targets, (noises[0], noises[1]), u, v, basis, order=order)
