"""Say why a PSF is not what it should be, from what the pixels show, and what to do."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.algorithms.psf.double_images import DoubleImages, find_double_images
from obs.algorithms.psf.fit import PsfFit
from obs.image.catalog import Catalog
from obs.tasks.crowding import CROWDED_BEAMS, beams_per_source
from obs.tasks.psf_model import PsfModel
from obs.tasks.psf_stars import BrightSources, blended_sources

__all__ = ["explain_no_stars", "find_companion", "warn_of_double_images", "warn_of_poor_psf"]

DOUBLE_REACH = 100.0
"""Largest distance of the second image of a star, pixels."""

UNRESOLVED = 0.9
"""Size of the PSF, pixels, below which moments say nothing about it."""

LEAST_USED = 0.6
"""Smallest part of the stars that the PSF should fit."""

SIGNIFICANT = 10.0
"""Signal-to-noise ratio of sources that say something about the PSF."""

MANY_HITS, MANY_SOURCES = 100, 20
"""Pixels of cosmic rays that an image of the sky without any source would not have alone; sources of a crowd."""

TRAILED, DEFOCUSED, UNDERSAMPLED = 0.5, 10.0, 1.7
"""Largest axis ratio of trails, least width of stars out of focus and largest of undersampled ones, pixels."""

LARGEST_OFFSET, LARGEST_SCATTER = 0.02, 0.06
"""Largest median, and scatter, of the relative difference in size between all stars and the PSF."""


def warn_of_poor_psf(
    bright: BrightSources, stars: NDArray[np.bool_], fit: PsfFit, *, shape: tuple[int, int], fwhm: float
) -> list[str]:
    """Return warnings where the PSF does not hold for all stars, those included that the fit dropped.

    Parameters
    ----------
    bright : BrightSources
        Sources, measured with the PSF.
    stars : ndarray of bool, shape (n,)
        All stars, whether fitted or not.
    fit : PsfFit
        The fit.
    shape : tuple of int
        Shape (ny, nx) of the image.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    """
    catalog = bright.catalog
    trace, of_psf = (
        catalog[f"base_SdssShape_{name}xx"][stars] + catalog[f"base_SdssShape_{name}yy"][stars] for name in ("", "psf_")
    )
    size = np.sqrt(trace / of_psf)
    size = size[np.isfinite(size)]
    if len(size) < 3 or bright.sigma < UNRESOLVED:
        # moments of undersampled stars depend on the place in the pixel
        return []
    offset, scatter = float(np.median(size)) - 1.0, robust_sigma(size)
    doubts = []
    candidates = int(np.isfinite(fit.chi2).sum())
    if fit.used.sum() < LEAST_USED * candidates:
        doubts.append(f"it fits {fit.used.sum()} of {candidates} stars")
    if abs(offset) > LARGEST_OFFSET:
        doubts.append(f"stars are {100 * abs(offset):.0f} % {'larger' if offset > 0 else 'smaller'} than it")
    if scatter > LARGEST_SCATTER:
        doubts.append(f"their sizes scatter by {100 * scatter:.0f} %")
    if not doubts:
        return []
    beams = beams_per_source(catalog, shape, fwhm)
    cause = f". The field is crowded: {beams:.0f} beams for each bright source" if beams < CROWDED_BEAMS else ""
    return ["the PSF does not hold for all stars: " + ", ".join(doubts) + cause]


def find_companion(catalog: Catalog, sigma: float) -> DoubleImages | None:
    """Return the companion that most bright sources of a catalog share, or None; ``sigma`` is the PSF's, pixels.

    Parameters
    ----------
    catalog : Catalog
        Sources; deblended parents do not count.
    sigma : float
        Standard deviation of the PSF, pixels.
    """
    leaf = catalog["deblend_nChild"] == 0
    return find_double_images(
        catalog["base_SdssCentroid_x"][leaf],
        catalog["base_SdssCentroid_y"][leaf],
        catalog["base_PsfFlux_instFlux"][leaf],
        sigma=sigma,
        reach=DOUBLE_REACH,
    )


def warn_of_double_images(catalog: Catalog, sigma: float) -> list[str]:
    """Return a warning if most bright sources have the same companion.

    Parameters
    ----------
    catalog : Catalog
        Sources, measured with the PSF.
    sigma : float
        Size of the PSF, pixels.
    """
    found = find_companion(catalog, sigma)
    if found is None:
        return []
    return [
        f"stars are double: {found.n_with} of {found.n_bright} bright sources are pairs with the fainter image at "
        f"({found.dx:+.1f}, {found.dy:+.1f}) pixels and {100 * found.part:.0f} % of the light. The guiding jumped "
        "during the exposure, or two exposures were added. Each image is measured as a star of its own: fluxes are too "
        "low by that part, which a zero point from a reference catalog takes in, and second images are false sources; "
        "leave the exposure out"
    ]


def explain_no_stars(
    bright: BrightSources, model: PsfModel, n_star: int, *, fwhm: float, n_cosmic_ray_pixel: int
) -> str:
    """Return a warning that says what the PSF rests on, why on no more stars, and what that means.

    Parameters
    ----------
    bright : BrightSources
        Sources, measured with the PSF.
    model : PsfModel
        The PSF, and where it comes from.
    n_star : int
        Stars that it was fitted to.
    fwhm : float
        Its width, pixels.
    n_cosmic_ray_pixel : int
        Pixels that cosmic rays hit.
    """
    catalog = bright.catalog
    signal = catalog["base_PsfFlux_instFlux"] / catalog["base_PsfFlux_instFluxErr"]
    seen = (signal > SIGNIFICANT) & (catalog["parent"] == 0)
    n_seen = int(np.count_nonzero(seen))
    basis = {
        "few stars": f"the PSF rests on {n_star} {'star' if n_star == 1 else 'stars'}",
        "nearest good exposure": f"no PSF could be fitted: the PSF of {model.exposure} is used",
        "gaussian": f"no PSF could be fitted: it is a Gaussian of {fwhm:.1f} pixels, the median shape of the sources",
        "assumed": f"no PSF could be measured: it is assumed to be a Gaussian of {fwhm:.1f} pixels",
    }[model.origin]
    remedy = {
        "few stars": "Check PSF fluxes against base_CircularApertureFlux.",
        "nearest good exposure": "The seeing may have changed since; prefer base_CircularApertureFlux.",
        "gaussian": "PSF fluxes are approximate; prefer base_CircularApertureFlux.",
        "assumed": "If you know the width, set characterize.initial_psf_fwhm.",
    }[model.origin]
    return f"{basis}. {_cause(bright, seen, n_seen, n_cosmic_ray_pixel, fwhm)}. {remedy}"


def _cause(bright: BrightSources, seen: NDArray[np.bool_], n_seen: int, n_hit: int, fwhm: float) -> str:
    """Say what the pixels show."""
    catalog = bright.catalog
    if not n_seen and n_hit > MANY_HITS:
        return f"No source stands out, but {n_hit} pixels of cosmic rays: a dark frame, or a shutter that stayed closed"
    if not n_seen:
        return "No source stands out from the noise: an empty field, clouds, or not an image of the sky"
    saturated = int(np.count_nonzero(catalog["base_PixelFlags_flag_saturated"] & seen))
    if saturated > 0.5 * n_seen:
        return f"{saturated} of {n_seen} bright sources are saturated: the exposure is too long for them"
    blended = int(np.count_nonzero(blended_sources(bright) & seen))
    if blended > 0.5 * n_seen and n_seen > MANY_SOURCES:
        return f"{blended} of {n_seen} bright sources are blends: the field is crowded, or the images are double"
    ratio = _axis_ratio(bright, seen)
    if ratio < TRAILED:
        return f"{n_seen} bright sources, with an axis ratio of {ratio:.2f}: the image is trailed"
    if fwhm > DEFOCUSED:
        return f"{n_seen} bright sources, {fwhm:.0f} pixels wide: the image is out of focus, or finely sampled"
    if fwhm < UNDERSAMPLED:
        return f"{n_seen} bright sources, {fwhm:.1f} pixels wide: the image is undersampled"
    return f"{n_seen} sources above S/N {SIGNIFICANT:.0f}: a sparse field, a short exposure, or clouds"


def _axis_ratio(bright: BrightSources, seen: NDArray[np.bool_]) -> float:
    """Return the axis ratio of the median moments; one where there are none."""
    catalog = bright.catalog
    measured = seen & ~catalog["base_SdssShape_flag"]
    if not measured.any():
        return 1.0
    xx, yy, xy = (float(np.median(catalog[f"base_SdssShape_{name}"][measured])) for name in ("xx", "yy", "xy"))
    mean, spread = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    return float(np.sqrt(max(mean - spread, 0.0) / (mean + spread)))
