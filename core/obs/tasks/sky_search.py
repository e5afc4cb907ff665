"""Search the sky for a frame whose WCS is unknown, or wrong by more than a match can bridge."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.compare import compare_wcs
from obs.algorithms.astrometry.locate import Located, locate_frame
from obs.algorithms.astrometry.sky_stars import covered_area
from obs.config.base import TaskConfig, setting
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs
from obs.sky_vectors import sky_vectors
from obs.tasks.reference import field_circle

__all__ = ["FindReference", "SearchConfig", "Searched", "Sources", "search_sky"]

#: Returns the reference sources within a circle: right ascension, declination and radius, degrees.
FindReference = Callable[[float, float, float], Catalog | None]

_WHOLE_SKY = 180.0  # degrees
_ANY_SCALE = (0.05, 60.0)  # arcsec
_ANY_SCALE_CHANGE = 20.0
#: Scales of frames of another binning, and their largest relative error.
_BINNINGS, _SCALE_ERROR = (2.0, 0.5, 3.0, 1.0 / 3.0, 4.0), 0.05
_FEWEST = 5  # reference sources among which a frame can be


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
    mirrored: bool = setting(True, "Also search for the mirror image of the pattern of reference stars.")
    blind: bool = setting(
        True,
        "Search the whole reference catalog where the frame has no pointing, or is not found near it.",
    )
    maximum_distortion: float = setting(
        0.1,
        "Largest radial distortion of the optics at the corners of the frame, as a fraction of their distance from the "
        "center, that the camera's description does not contain. 0 searches only frames whose distortion is known.",
        ge=0,
        le=0.3,
    )
    maximum_fits: int = setting(8, "Largest number of places on the sky at which a fit of the WCS is tried.", ge=1)
    time_limit: float | None = setting(
        20.0, "Processor time after which the search gives up; null for no limit.", unit="s", gt=0
    )


@frozen(eq=False)
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


@frozen
class Searched:
    """Where a frame was searched.

    Parameters
    ----------
    n_star : int
        Number of reference sources there.
    frame_share : float
        Area of the frame over that which these cover; NaN if its pixel scale is not known.
    ra, dec, radius : float
        Circle on the sky, degrees; NaN for the whole catalog.
    """

    n_star: int
    frame_share: float
    ra: float = float("nan")
    dec: float = float("nan")
    radius: float = float("nan")

    @property
    def everywhere(self) -> bool:
        """Whether it was searched in the whole catalog."""
        return bool(np.isnan(self.radius))


def search_sky(
    sources: Sources,
    guesses: Sequence[TanSipWcs],
    pointed: bool,
    find: FindReference,
    reference_flux: Callable[[Catalog], NDArray[np.float64]],
    config: SearchConfig,
    min_log_odds: float,
    searched: list[Searched],
) -> Iterator[Located]:
    """Yield the places on the sky where a frame may be, for a fit to accept or refuse.

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
        Natural logarithm of the odds of a place that is yielded before all of the others are known.
    searched : list of Searched
        Gains where the frame was searched.

    Yields
    ------
    Located

    Raises
    ------
    ObsError
        If the whole reference catalog cannot be read.
    """
    search = _Search(sources, reference_flux, config, min_log_odds)
    known: list[tuple[float, float, float]] = []
    for guess in _different(guesses, sources.shape, config) if pointed else ():
        ra, dec, reach = field_circle(guess, sources.shape, 0.0)
        reach /= 3600.0
        radius = min(reach * (1.0 + 2.0 * config.radius), _WHOLE_SKY)
        stars = find(ra, dec, radius)
        searched.append(Searched(_count(stars), search.frame_share(guess, stars), ra, dec, radius))
        if stars is not None and len(stars):
            known.append((ra, dec, radius - 2.0 * reach))
            yield from search.locate(guess, stars)
            if config.maximum_scale_change is not None:
                # a frame that was binned, or was not, under the header of the other
                for factor in _BINNINGS:
                    near = stars if factor >= 1.0 else stars.select(_separation(stars, ra, dec) <= factor * radius)
                    found = search.locate(_scaled(guess, factor), near, quick=True)
                    yield from (each for each in found if each.log_odds >= min_log_odds)
    if not config.blind or search.exhausted():
        return
    stars = find(0.0, 0.0, _WHOLE_SKY)
    if stars is None or not len(stars):
        return
    # a frame that is not among the stars near the pointing is among the others, and those a frame inside of their edge
    beyond = np.ones(len(stars), bool)
    for ra, dec, radius in known:
        beyond &= _separation(stars, ra, dec) > radius
    if beyond.sum() >= _FEWEST:
        template = guesses[0] if guesses else None
        searched.append(Searched(len(stars), search.frame_share(template, stars)))
        yield from search.locate(template, stars.select(beyond))


class _Search:
    """Searches one frame within a budget."""

    def __init__(
        self,
        sources: Sources,
        reference_flux: Callable[[Catalog], NDArray[np.float64]],
        config: SearchConfig,
        min_log_odds: float,
    ) -> None:
        self.sources, self.reference_flux = sources, reference_flux
        self.config, self.min_log_odds = config, min_log_odds
        self.start = time.process_time()

    def exhausted(self) -> bool:
        """Return whether the time for the search is over."""
        limit = self.config.time_limit
        return limit is not None and time.process_time() - self.start > limit

    def frame_share(self, wcs: TanSipWcs | None, stars: Catalog | None) -> float:
        """Return the area of the frame over that which reference sources cover."""
        if wcs is None or not _count(stars) or stars is None:
            return float("nan")
        height, width = self.sources.shape
        frame = height * width * np.radians(wcs.pixel_scale / 3600.0) ** 2
        return float(frame / max(covered_area(sky_vectors(stars["coord_ra"], stars["coord_dec"])), 1e-300))

    def locate(self, wcs: TanSipWcs | None, stars: Catalog, *, quick: bool = False) -> Iterator[Located]:
        """Yield where among reference sources the frame may be; a quick search takes the scale for known."""
        config, sources = self.config, self.sources
        change = 1.0 + (_SCALE_ERROR if quick else config.maximum_scale_change or _ANY_SCALE_CHANGE)
        scales = _ANY_SCALE if wcs is None else (wcs.pixel_scale / change, wcs.pixel_scale * change)
        return locate_frame(
            x=sources.x,
            y=sources.y,
            flux=sources.flux,
            ref_ra=stars["coord_ra"],
            ref_dec=stars["coord_dec"],
            ref_flux=self.reference_flux(stars),
            shape=sources.shape,
            wcs=wcs,
            min_scale=scales[0],
            max_scale=scales[1],
            max_rotation=config.maximum_rotation if wcs is not None else 180.0,
            max_distortion=0.0 if quick else config.maximum_distortion,
            quick=quick,
            mirrored=config.mirrored or wcs is None,
            min_log_odds=self.min_log_odds,
            stop=self.exhausted,
        )


def _scaled(wcs: TanSipWcs, factor: float) -> TanSipWcs:
    """Return a WCS without distortion whose pixels are larger by a factor."""
    return replace(wcs, cd=factor * wcs.cd, a=None, b=None, ap=None, bp=None)


def _count(stars: Catalog | None) -> int:
    """Return the number of reference sources."""
    return len(stars) if stars is not None else 0


def _separation(stars: Catalog, ra: float, dec: float) -> NDArray[np.float64]:
    """Return the distances of reference sources from a position, degrees."""
    chord = np.linalg.norm(sky_vectors(stars["coord_ra"], stars["coord_dec"]) - sky_vectors(ra, dec), axis=1)
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(0.5 * chord, 1.0))))


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
