"""See from stars alone what a detector does to light: tails of charge left behind, bright stars that are larger."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.photometry.star_tails import FEWEST_STARS, NO_TAILS, measure_tails, robust_line
from obs.image.catalog import Catalog
from obs.image.masked_image import MaskedImage
from obs.tasks.background import bad_pixels

__all__ = ["StarTrends", "measure_star_trends"]

BRIGHT, FAR = 50.0, 6.0
"""Least signal-to-noise ratio of the stars, and the FWHM within which another source is a neighbor."""

LONG_TAIL = 0.005
"""Part of a star's light in its tail from which there is a warning."""

GROWTH, CERTAIN = 0.01, 5.0
"""Relative growth of the size of stars with their flux from which there is a warning, and its least significance."""

BRIGHTEST = 95.0
"""Percentile of the fluxes at which the growth is given."""

UNRESOLVED = 0.9
"""Size of the PSF, pixels, below which moments say nothing about it."""

DEFECTS = ["BAD", "SAT", "CR", "INTRP", "NO_DATA", "UNMASKEDNAN", "STREAK", "EDGE"]


class StarTrends(NamedTuple):
    """What stars show of the detector.

    Parameters
    ----------
    tail : float
        Part of their light in tails that grow from one border to the other, where they are longest; 0 if
        there are none.
    growth : float
        Relative growth of their size from the faintest to the brightest; 0 if there is none. NaN for too few stars.
    warnings : tuple of str
        What the user should know.
    """

    tail: float = float("nan")
    growth: float = float("nan")
    warnings: tuple[str, ...] = ()


NO_TRENDS = StarTrends()
"""Nothing was measured."""


def measure_star_trends(
    masked_image: MaskedImage, catalog: Catalog, stars: NDArray[np.bool_], fwhm: float
) -> StarTrends:
    """Measure tails of stars, and how their size grows with flux.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels.
    catalog : Catalog
        Measured sources.
    stars : ndarray of bool, shape (n,)
        Stars among them.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    """
    flux, error = (catalog[f"base_PsfFlux_{name}"].astype(np.float64) for name in ("instFlux", "instFluxErr"))
    x, y = (catalog[f"base_SdssCentroid_{axis}"].astype(np.float64) for axis in "xy")
    with np.errstate(invalid="ignore"):
        use = stars & (catalog["parent"] == 0) & (flux > BRIGHT * error) & np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(use) < FEWEST_STARS:
        return NO_TRENDS
    x, y, flux, error = (values[use] for values in (x, y, flux, error))
    bad = bad_pixels(masked_image, DEFECTS)
    noise = float(np.sqrt(np.nanmedian(masked_image.variance[:: max(1, len(bad) // 256)])))
    tails = (
        measure_tails(masked_image.image, bad, x=x, y=y, flux=flux, fwhm=fwhm, noise=noise) if noise > 0 else NO_TAILS
    )
    warnings = []
    if tails.part > LONG_TAIL:
        side = {"y": ("upper", "lower"), "x": ("right", "left")}[tails.axis][not tails.upward]
        warnings.append(
            f"stars have tails along {tails.axis} that grow toward the {side} border, where they hold "
            f"{100 * tails.part:.1f} % of the light: charge that the read-out leaves behind. PSF fluxes miss part of "
            "it there. Where raw frames have overscan, restore it by isr.do_deferred_charge=true, else prefer "
            "base_CircularApertureFlux with a radius that holds the tail"
        )
    growth = _growth(catalog, use, flux, error)
    if abs(growth) > GROWTH:
        kind = "larger" if growth > 0 else "smaller"
        warnings.append(
            f"the brightest stars are {100 * abs(growth):.1f} % {kind} than faint ones: the brighter-fatter effect "
            "(isr.do_brighter_fatter corrects it), or counts that are not proportional to light (enter the linearity, "
            "see Crosstalk and linearity in the guide). PSF fluxes of bright stars are wrong by about as much"
        )
    return StarTrends(tails.part, growth, tuple(warnings))


def _growth(catalog: Catalog, use: NDArray[np.bool_], flux: NDArray[np.float64], error: NDArray[np.float64]) -> float:
    """Return how much the size of stars grows, relative to the PSF, from no light to that of the brightest."""
    trace, of_psf = (
        (catalog[f"base_SdssShape_{name}xx"] + catalog[f"base_SdssShape_{name}yy"])[use].astype(np.float64)
        for name in ("", "psf_")
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        size = 0.5 * np.log(trace / of_psf)
    known = np.isfinite(size)
    if np.count_nonzero(known) < FEWEST_STARS or not np.sqrt(0.5 * np.median(of_psf[known])) > UNRESOLVED:
        return float("nan")
    at = flux[known] / np.percentile(flux[known], BRIGHTEST)
    _, _, slope, slope_error = robust_line(size[known], (error / flux)[known], at)
    return slope if abs(slope) > CERTAIN * slope_error else 0.0
