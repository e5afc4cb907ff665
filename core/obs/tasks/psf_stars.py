"""Choose the stars that a PSF is fitted to."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.psf.star_selection import reserve, select_stars
from obs.algorithms.sources.detection import Footprints
from obs.config.base import TaskConfig, setting
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.psf import Psf

__all__ = [
    "ENOUGH_STARS",
    "FAINTER",
    "BrightSources",
    "StarConfig",
    "blended_sources",
    "choose_stars",
    "isolated_sources",
    "reserve_stars",
]

BLEND_RATIO = 0.02
"""A star is blended if its footprint has a second peak of more than this part of its height."""

ENOUGH_STARS = 10
"""With so many stars no fainter ones are asked for."""

FEW_STARS = 4
"""With so many stars those whose stamps the image cuts are not needed: of fewer, one that is double spoils the PSF."""

FAINTER = (1.0, 0.5, 0.25)
"""Parts of the limits in signal-to-noise ratio that are tried in turn until there are enough."""

NARROW, NARROW_WIDTH, WIDTH = 0.8, 0.25, 0.1
"""Moments of stars narrower than this, pixels, depend on the place in the pixel: their sizes scatter more."""

DAMAGE_FLAGS = ("interpolatedCenter", "saturated", "crCenter", "bad", "suspectCenter", "streakCenter")


class StarConfig(TaskConfig):
    """Which sources are taken for stars."""

    minimum_signal_to_noise: float = setting(
        50.0,
        "Minimum signal-to-noise ratio of stars for the PSF. It is lowered to a quarter where fewer than 10 "
        "stars remain. Lower it in sparse fields.",
        gt=0,
    )
    maximum_flux: float = setting(
        float("inf"),
        "Maximum flux of a star that the PSF is fitted to. Set it where bright stars are nonlinear.",
        unit="count",
        gt=0,
    )
    maximum_number: int = setting(
        500, "Maximum number of stars that the PSF is fitted to. The brightest are used.", ge=3
    )
    reserve_fraction: float = setting(
        0.2, "Fraction of the stars that are kept out of the PSF fit to test it. 0 tests nothing.", ge=0, lt=1
    )


@frozen
class BrightSources:
    """Bright sources, their footprints, and the PSF that they were measured with.

    Parameters
    ----------
    catalog : Catalog
        Measurements.
    footprints : Footprints
        Their regions.
    sigma : float
        Size of the PSF, pixels.
    psf : Psf
        The PSF.
    crowded : bool
        So few are isolated that parts of blends count as stars too.
    """

    catalog: Catalog
    footprints: Footprints
    sigma: float
    psf: Psf
    crowded: bool = False


def isolated_sources(bright: BrightSources, *, at_edges: bool = False) -> NDArray[np.bool_]:
    """Return which sources nothing is wrong with: unsaturated, away from the edge, measured, and unblended.

    In a crowd the parts of blends are taken, too; with ``at_edges`` also sources whose stamps the image cuts.

    Parameters
    ----------
    bright : BrightSources
        Bright sources of the exposure.
    at_edges : bool, default: False
        Whether sources at the edge of the image count.
    """
    catalog = bright.catalog
    bad = (catalog["deblend_nChild"] > 0) | catalog["base_SdssShape_flag"]
    if at_edges:
        bad = bad | ~np.isfinite(catalog["base_PsfFlux_instFlux"])
    else:
        bad = bad | catalog["base_PsfFlux_flag"] | catalog["base_PixelFlags_flag_edge"]
    if not bright.crowded:
        bad = bad | (catalog["parent"] > 0) | blended_sources(bright)
    for name in DAMAGE_FLAGS:
        bad = bad | catalog[f"base_PixelFlags_flag_{name}"]
    return np.asarray(~bad)


def choose_stars(bright: BrightSources, config: StarConfig, part: float = 1.0) -> NDArray[np.bool_]:
    """Return the isolated sources on the stellar locus, above a part of the limit in signal-to-noise ratio.

    Where there are few, as in a cutout of some stamps, those at the edges count.

    Parameters
    ----------
    bright : BrightSources
        Bright sources of the exposure.
    config : StarConfig
        Settings.
    part : float, default: 1.0
        Fraction of the least signal-to-noise ratio of the settings.
    """
    stars = _on_locus(bright, isolated_sources(bright), config, part)
    if np.count_nonzero(stars) >= FEW_STARS:
        return stars
    more = _on_locus(bright, isolated_sources(bright, at_edges=True), config, part)
    return more if np.count_nonzero(more) > np.count_nonzero(stars) else stars


def _on_locus(bright: BrightSources, isolated: NDArray[np.bool_], config: StarConfig, part: float) -> NDArray[np.bool_]:
    """Return which isolated sources are on the stellar locus."""
    catalog = bright.catalog
    # relative to the PSF as far as it is known, whose change over the detector would else widen the locus
    size = np.sqrt(
        (catalog["base_SdssShape_xx"] + catalog["base_SdssShape_yy"])
        / (catalog["base_SdssShape_psf_xx"] + catalog["base_SdssShape_psf_yy"])
    )
    shape = [catalog[f"base_SdssShape_{name}"] for name in ("xx", "yy", "xy")]
    return select_stars(
        flux=catalog["base_PsfFlux_instFlux"],
        flux_err=catalog["base_PsfFlux_instFluxErr"],
        size=size,
        bad=~isolated,
        x=catalog["base_SdssCentroid_x"],
        y=catalog["base_SdssCentroid_y"],
        e1=(shape[0] - shape[1]) / (shape[0] + shape[1]),
        e2=2.0 * shape[2] / (shape[0] + shape[1]),
        min_signal_to_noise=part * config.minimum_signal_to_noise,
        max_flux=config.maximum_flux,
        max_width=NARROW_WIDTH if bright.sigma < NARROW else WIDTH,
        max_stars=config.maximum_number,
    )


def reserve_stars(catalog: Catalog, stars: NDArray[np.bool_], config: StarConfig) -> NDArray[np.bool_]:
    """Stars kept out of the fit; chosen by their place on the detector, which a second round does not change.

    Parameters
    ----------
    catalog : Catalog
        Sources with their centroids.
    stars : ndarray of bool, shape (n,)
        Which of them are stars.
    config : StarConfig
        Its ``reserve_fraction`` is the fraction of the stars to reserve.

    Returns
    -------
    ndarray of bool, shape (n,)
        Nothing is reserved if there are few stars.
    """
    x, y = (np.rint(catalog[f"base_SdssCentroid_{c}"]).astype(np.int64) for c in "xy")
    if np.count_nonzero(stars) < ENOUGH_STARS:
        return np.zeros(len(stars), bool)
    return reserve(stars, fraction=config.reserve_fraction, ids=(y << 20) + x)


def blended_sources(bright: BrightSources) -> NDArray[np.bool_]:
    """Return which sources have a second peak in their footprint that the first does not outshine.

    Parameters
    ----------
    bright : BrightSources
        Bright sources of the exposure.

    Returns
    -------
    ndarray of bool, shape (n,)
        One for each row of its catalog.
    """
    footprints = bright.footprints
    peaks = footprints.peaks
    first = np.searchsorted(peaks.footprint, np.arange(1, footprints.n + 1))
    second = np.minimum(first + 1, len(peaks) - 1)
    several = (second > first) & (peaks.footprint[second] == peaks.footprint[first])
    result = np.zeros(len(bright.catalog), bool)
    # footprints come first in the catalog, children after them
    result[: footprints.n] = several & (peaks.value[second] > BLEND_RATIO * peaks.value[first])
    return result
