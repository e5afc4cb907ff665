"""See whether a PSF holds all over the frame, judged by all bright sources and not by the stars that were chosen."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.photometry.zero_point_trends import fit_significant_surface
from obs.tasks.psf_stars import BrightSources, isolated_sources

__all__ = ["warn_of_uneven_psf"]

BRIGHT = 50.0
"""Least signal-to-noise ratio of the sources."""

LARGEST_CHANGE = 0.1
"""Relative difference in size between sources and PSF from which a part of the frame counts."""

UNRESOLVED = 0.9
"""Size of the PSF, pixels, below which moments say nothing about it."""

LEAST_SHARE = 0.2
"""Part of the sources there that are on the stellar locus. With fewer, the locus is that of another part."""

LEAST_PART = 0.1
"""Least part of the sources that are in such parts."""


def warn_of_uneven_psf(bright: BrightSources, stars: NDArray[np.bool_], shape: tuple[int, int]) -> list[str]:
    """Return a warning if sources of a part of the frame have another size than the PSF.

    The focus may change over the frame faster than the model follows, or than the stellar locus allows. In the latter
    case stars are chosen in one part of the frame, and they agree with each other; so all bright sources count where
    hardly any of them is a star. Clusters of galaxies have stars among them.

    Parameters
    ----------
    bright : BrightSources
        Sources, measured with the PSF.
    stars : ndarray of bool, shape (n,)
        Those that the PSF rests on, whether fitted or not.
    shape : tuple of int
        Shape (ny, nx) of the frame.
    """
    catalog = bright.catalog
    flux, error = catalog["base_PsfFlux_instFlux"], catalog["base_PsfFlux_instFluxErr"]
    trace, of_psf = (catalog[f"base_SdssShape_{name}xx"] + catalog[f"base_SdssShape_{name}yy"] for name in ("", "psf_"))
    with np.errstate(invalid="ignore", divide="ignore"):
        size = 0.5 * np.log(trace / of_psf)
        known = (flux > BRIGHT * error) & np.isfinite(size)
        noise = error / flux
    if bright.sigma < UNRESOLVED:
        return []

    def fit(use: NDArray[np.bool_]) -> NDArray[np.float64]:
        x, y = (catalog[f"base_SdssCentroid_{axis}"][use] for axis in "xy")
        return fit_significant_surface(size[use], noise[use], x=x, y=y, shape=shape)

    on_locus, every = stars & known, isolated_sources(bright) & known
    if on_locus.any() and (change := float(np.ptp(fit(on_locus)))) > LARGEST_CHANGE:
        return [_describe(f"sizes of stars, relative to it, change by {100 * change:.0f} %")]
    if not every.any():
        return []
    surface = fit(every)
    off = np.abs(surface) > LARGEST_CHANGE
    if off.mean() < LEAST_PART or stars[every][off].mean() > LEAST_SHARE:
        return []
    largest = float(surface[np.argmax(np.abs(surface))])
    kind = "larger" if largest > 0 else "smaller"
    return [
        _describe(
            f"{100 * off.mean():.0f} % of the bright sources are in parts where sources are up to "
            f"{100 * abs(np.expm1(largest)):.0f} % {kind} than it, and not taken for stars"
        )
    ]


def _describe(what: str) -> str:
    return (
        f"the PSF does not hold all over the frame: {what}. The focus changes over the frame faster than the model "
        "follows. PSF fluxes are wrong there; prefer base_CircularApertureFlux with a radius that holds the light"
    )
