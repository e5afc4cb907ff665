"""Search the sky for a frame whose WCS is unknown, or wrong by more than a match can bridge."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.compare import compare_wcs
from obs.algorithms.astrometry.locate import Located, locate_frame
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError, ObsError
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs
from obs.tasks.reference import NO_REFERENCE, field_circle

__all__ = ["FindReference", "SearchConfig", "Sources", "search_sky"]

#: Returns the reference sources within a circle: right ascension, declination and radius, degrees.
FindReference = Callable[[float, float, float], Catalog | None]

_WHOLE_SKY = 180.0  # degrees
_ANY_SCALE = (0.05, 60.0)  # arcsec
_ANY_SCALE_CHANGE = 20.0


class SearchConfig(TaskConfig):
    """The search for a frame whose WCS does not match."""

    enabled: bool = setting(
        True,
        "Search the frame by the patterns of its stars where no WCS that it may have matches. A warning says where it "
        "was found.",
    )
    radius: float = setting(
        3.0, "How far from its pointing a frame is searched, in units of its diagonal.", unit="frame diagonal", ge=0
    )
    maximum_rotation: float = setting(
        180.0, "Largest error of the rotation of the WCS; 180 searches any rotation.", unit="deg", ge=0, le=180
    )
    maximum_scale_change: float | None = setting(
        0.2, "Largest relative error of the pixel scale; null searches any scale, which takes longer.", gt=0
    )
    mirrored: bool = setting(True, "Search mirror images too.")
    blind: bool = setting(
        True,
        "Search the whole reference catalog where the frame has no pointing, or is not found near it.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Sources that are good enough to be matched.

    Parameters
    ----------
    x, y, flux : ndarray of float64, shape (n,)
        Positions, pixels, and fluxes, adu.
    shape : tuple of int
        Shape (ny, nx) of the frame.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    flux: NDArray[np.float64]
    shape: tuple[int, int]


def search_sky(
    sources: Sources,
    guesses: Sequence[TanSipWcs],
    pointed: bool,
    find: FindReference,
    reference_flux: Callable[[Catalog], NDArray[np.float64]],
    config: SearchConfig,
    min_log_odds: float,
) -> Located:
    """Find a frame on the sky.

    Parameters
    ----------
    sources : Sources
        Sources of the frame.
    guesses : sequence of TanSipWcs
        What its WCS may be, the likeliest first; may be empty.
    pointed : bool
        Whether the guesses say where on the sky the frame is; if not, only their scale and distortion count.
    find : callable
        Returns reference sources.
    reference_flux : callable
        Returns the fluxes of reference sources.
    config : SearchConfig
        Settings.
    min_log_odds : float
        Natural logarithm of the smallest odds to accept.

    Returns
    -------
    Located

    Raises
    ------
    MeasurementError
        If the frame is not found; says where it was searched.
    """
    searched: list[str] = []
    largest = 0
    for guess in _different(guesses, sources.shape, config) if pointed else ():
        ra, dec, reach = field_circle(guess, sources.shape, 0.0)
        radius = min(reach * (1.0 + 2.0 * config.radius) / 3600.0, _WHOLE_SKY)
        stars = find(ra, dec, radius)
        n_star = len(stars) if stars is not None else 0
        searched.append(f"of {n_star} reference sources within {radius:.3g} degrees of ra={ra:.4f} dec={dec:.4f} deg")
        largest = max(largest, n_star)
        if stars is not None and n_star:
            with suppress(MeasurementError):
                return _locate(sources, guess, stars, reference_flux(stars), config, min_log_odds)
    if config.blind:
        try:
            stars = find(0.0, 0.0, _WHOLE_SKY)
        except ObsError as error:
            raise MeasurementError(" and ".join([*searched, str(error)])) from error
        if stars is not None and len(stars) > largest:
            largest = len(stars)
            searched.append(f"of all {len(stars)} sources of the reference catalog")
            with suppress(MeasurementError):
                template = guesses[0] if guesses else None
                return _locate(sources, template, stars, reference_flux(stars), config, min_log_odds)
    scale = (
        f"pixel scales within {100 * config.maximum_scale_change:g} %" if config.maximum_scale_change else "any scale"
    )
    if not largest:
        raise MeasurementError(NO_REFERENCE)
    where = " nor with those ".join(searched)
    raise MeasurementError(f"the quads of {len(sources.x)} sources do not agree with those {where}, at {scale}")


def _locate(
    sources: Sources,
    wcs: TanSipWcs | None,
    stars: Catalog,
    flux: NDArray[np.float64],
    config: SearchConfig,
    min_log_odds: float,
) -> Located:
    """Search a frame among reference sources."""
    change = 1.0 + (config.maximum_scale_change or _ANY_SCALE_CHANGE)
    scales = _ANY_SCALE if wcs is None else (wcs.pixel_scale / change, wcs.pixel_scale * change)
    return locate_frame(
        x=sources.x,
        y=sources.y,
        flux=sources.flux,
        ref_ra=stars["coord_ra"],
        ref_dec=stars["coord_dec"],
        ref_flux=flux,
        shape=sources.shape,
        wcs=wcs,
        min_scale=scales[0],
        max_scale=scales[1],
        max_rotation=config.maximum_rotation if wcs is not None else 180.0,
        mirrored=config.mirrored or wcs is None,
        min_log_odds=min_log_odds,
    )


def _different(guesses: Sequence[TanSipWcs], shape: tuple[int, int], config: SearchConfig) -> list[TanSipWcs]:
    """Return the guesses whose searches do not include one another's."""
    chosen: list[TanSipWcs] = []
    for guess in guesses:
        for other in chosen:
            change = compare_wcs(guess, other, shape)
            reach = field_circle(other, shape, 0.0)[2]
            scale = abs(np.log(change.scale)) < np.log1p(config.maximum_scale_change or _ANY_SCALE_CHANGE)
            turned = change.mirrored or abs(change.rotation) > config.maximum_rotation
            if change.offset < reach * max(config.radius, 0.1) and scale and (config.mirrored or not turned):
                break
        else:
            chosen.append(guess)
    return chosen
