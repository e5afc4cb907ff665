"""Flag sources that have the shape of two stars which are not told apart, because their PSF flux is that of neither.

Two stars nearer than the width of the PSF are one peak, and at 0.75 widths one source. Their moments exceed those of
the PSF along the line between them, and agree with it across. Galaxies are wider across, too, unless they are seen from
the side: thin ones have this shape as well.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import robust_sigma
from obs.image.catalog import Catalog

__all__ = ["UNSEPARATED", "flag_unseparated"]

UNSEPARATED = "base_PsfFlux_flag_blended"

AXES = ("xx", "yy", "xy")

SIGNIFICANCE = 4.0
"""Errors by which the longest axis exceeds the PSF."""

THINNEST = 0.25
"""Part of the excess along the line that may be there across it: of a disk, whose axis ratio is then below 0.5."""

LEAST_STARS = 5
"""Fewer stars do not say how wrong the moments of the PSF model are."""

UNKNOWN_SCATTER = 0.003
"""Least scatter of the moments of bright stars, in units of the trace of the PSF's."""


def flag_unseparated(catalog: Catalog, stars: NDArray[np.bool_]) -> None:
    """Add a flag for sources that are drawn out along one line beyond the PSF, as two stars are.

    Parameters
    ----------
    catalog : Catalog
        Measured sources; changed in place.
    stars : ndarray of bool, shape (n,)
        Stars that the PSF was fitted to, or could have been: what they have beyond the PSF is an error of its model.
    """
    trace = catalog["base_SdssShape_psf_xx"] + catalog["base_SdssShape_psf_yy"]
    excess, variance = np.empty((2, len(AXES), len(catalog)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, axis in enumerate(AXES):
            excess[k] = (catalog[f"base_SdssShape_{axis}"] - catalog[f"base_SdssShape_psf_{axis}"]) / trace
            error = catalog[f"base_SdssShape_{axis}Err"] / trace
            use = stars & np.isfinite(excess[k]) & np.isfinite(error)
            scatter = UNKNOWN_SCATTER
            if np.count_nonzero(use) >= LEAST_STARS:
                excess[k] -= np.median(excess[k][use])
                beyond = robust_sigma(excess[k][use]) ** 2 - np.median(error[use]) ** 2
                scatter = max(float(np.sqrt(max(beyond, 0.0))), UNKNOWN_SCATTER)
            variance[k] = error**2 + scatter**2
        xx, yy, xy = excess
        angle = 0.5 * np.arctan2(2.0 * xy, xx - yy)
        along, across = np.cos(angle) ** 2, np.sin(angle) ** 2
        half = np.hypot(0.5 * (xx - yy), xy)
        major, minor = 0.5 * (xx + yy) + half, 0.5 * (xx + yy) - half
        weights = np.stack([along**2, across**2, 4.0 * along * across])
        drawn_out = (major > SIGNIFICANCE * np.sqrt((weights * variance).sum(0))) & (minor < THINNEST * major)
    flag = drawn_out & ~catalog["base_SdssShape_flag"] & catalog["detect_isPrimary"]
    meaning = "the source is drawn out along one line, as two stars that are not told apart are, or a thin galaxy"
    catalog.add(UNSEPARATED, np.asarray(flag), "", meaning)
