"""Tell point sources from extended ones by their spread, with what the PSF model gets wrong taken out."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.extended_probability import extended_probability
from obs.algorithms.photometry.surface_fit import fit_surface
from obs.image.catalog import Catalog

__all__ = ["classify_by_spread"]

SPREAD = "base_ClassificationSpread"

LEAST_STARS = 5
"""Fewer stars do not say how wrong the PSF model is."""

UNKNOWN_SCATTER = 0.002
"""Scatter of the spread of bright stars where it cannot be measured: two thirds of the limit usual for SPREAD_MODEL."""

ORDER = 2
CLIP = 3.0


def classify_by_spread(catalog: Catalog, stars: NDArray[np.bool_], shape: tuple[int, int]) -> None:
    """Take the spread of stars off all spreads, and add the probability that a source is extended.

    Parameters
    ----------
    catalog : Catalog
        Measured sources; changed in place.
    stars : ndarray of bool, shape (n,)
        Stars that the PSF was fitted to, or could have been.
    shape : tuple of int
        Shape (ny, nx) of the image.
    """
    spread, error = catalog[f"{SPREAD}_value"].copy(), catalog[f"{SPREAD}_valueErr"]
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    use = stars & np.isfinite(spread) & np.isfinite(error)
    scatter = UNKNOWN_SCATTER
    if np.count_nonzero(use) >= LEAST_STARS:
        fit = fit_surface(x[use], y[use], spread[use], error[use], shape, order=ORDER, clip=CLIP, robust=True)
        spread -= fit.surface.evaluate(x=x, y=y)
        scatter = fit.excess
    known = np.hypot(error, scatter)
    primary = catalog["detect_isPrimary"]
    flux = np.where(primary, catalog["base_PsfFlux_instFlux"], np.nan)
    old = catalog.columns[f"{SPREAD}_value"]
    catalog.add(f"{SPREAD}_value", spread, old.unit, old.description)
    old = catalog.columns[f"{SPREAD}_valueErr"]
    catalog.add(f"{SPREAD}_valueErr", known, old.unit, old.description)
    catalog.add(
        f"{SPREAD}_probability",
        extended_probability(spread, known, flux),
        "",
        "probability that the source is extended, by its spread and the spreads of all sources; NaN for divided blends",
    )
