"""Find the WCS of a frame from its stars, whatever its rotation, parity, scale and pointing."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.astrometry.search import Alignment, SearchLimits, search_alignments, straighten
from obs.algorithms.astrometry.sky_stars import SkyStars
from obs.frozen import frozen
from obs.image.tangent_plane import to_plane
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip
from obs.sky_vectors import sky_vectors

__all__ = ["Located", "locate_frame"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

_GRID = 12  # points a side at which the WCS found is fitted
_ARCSEC = np.radians(1.0 / 3600.0)


@frozen
class Located:
    """A WCS that was found.

    Parameters
    ----------
    wcs : TanSipWcs
        The a-priori WCS, shifted, rotated, scaled and perhaps mirrored; its distortion is kept.
    log_odds : float
        Natural logarithm of the odds that it is right.
    trials : float
        Natural logarithm of the number of alignments among which it was found.
    around : tuple of float
        Position (x, y) of the stars that suggested it, pixels, where it is most exact.
    bend : float
        Radial distortion that ``wcs`` lacks: positions on the detector are to be moved outward by this fraction for the
        square of each pixel of their distance from the middle.
    mirrored : bool
        Whether it is the mirror image of the a-priori WCS; without one, of sky coordinates that run as x and y.
    """

    wcs: TanSipWcs
    log_odds: float
    trials: float
    around: tuple[float, float]
    bend: float
    mirrored: bool


def locate_frame(
    *,
    x: ArrayLike,
    y: ArrayLike,
    flux: ArrayLike,
    ref_ra: ArrayLike,
    ref_dec: ArrayLike,
    ref_flux: ArrayLike,
    shape: tuple[int, int],
    wcs: TanSipWcs | None,
    min_scale: float,
    max_scale: float,
    max_rotation: float = 180.0,
    max_distortion: float = 0.1,
    mirrored: bool = True,
    error: float = 1.0,
    min_log_odds: float = 13.8,
    quick: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Located]:
    """Yield the places among reference stars where a frame is likelier than not, the likeliest first.

    They are where `obs.algorithms.astrometry.fit.fit_astrometry` should start, which accepts or refuses each. The
    search goes on only while the caller asks for more.

    Parameters
    ----------
    x, y, flux : array-like, shape (n,)
        Positions of sources, pixels, and fluxes, any unit; those that are not finite or not positive are left out.
    ref_ra, ref_dec, ref_flux : array-like, shape (m,)
        All reference stars that may be on the frame, degrees, and fluxes, any unit; those without a finite flux come
        last.
    shape : tuple of int
        Shape (ny, nx) of the frame.
    wcs : TanSipWcs or None
        Its scale, orientation and distortion are what the search starts from; None if nothing is known.
    min_scale, max_scale : float
        Limits of the pixel scale, arcsec.
    max_rotation : float
        Largest rotation, degrees; 180 for any.
    max_distortion : float
        Largest radial distortion that ``wcs`` may lack, at the corners of the frame, as a fraction.
    mirrored : bool
        Whether mirror images are looked for.
    error : float
        Error of a position, per axis, pixels.
    min_log_odds : float
        Natural logarithm of the odds of places that are yielded as soon as they are found.
    quick : bool
        Whether only the commonest number of bright stars is tried.
    stop : callable, optional
        Asked now and then whether to give up.

    Yields
    ------
    Located
    """
    px, py, counts = (np.asarray(values, np.float64) for values in (x, y, flux))
    ra, dec, ref_counts = (np.asarray(values, np.float64) for values in (ref_ra, ref_dec, ref_flux))
    usable = np.flatnonzero(np.isfinite(px) & np.isfinite(py) & (counts > 0))
    bright = usable[np.argsort(-counts[usable], kind="stable")]
    stars = np.argsort(-np.nan_to_num(ref_counts, nan=-np.inf), kind="stable")
    height, width = shape
    corners = np.array([0, width - 1, width - 1, 0]), np.array([0, 0, height - 1, height - 1])
    limits = SearchLimits(
        min_scale=min_scale * _ARCSEC,
        max_scale=max_scale * _ARCSEC,
        max_rotation=float(np.radians(max_rotation)) if max_rotation < 180.0 else np.inf,
        mirrored=mirrored,
        sigma=error,
        min_log_odds=min_log_odds,
        max_bend=max_distortion,
        quick=quick,
    )
    plane, sky = _to_plane(px[bright], py[bright], shape, wcs), SkyStars(sky_vectors(ra[stars], dec[stars]))
    for found in search_alignments(plane, sky, limits, _to_plane(*corners, shape, wcs), stop):
        yield _to_located(found, shape, wcs)


def _to_located(found: Alignment, shape: tuple[int, int], wcs: TanSipWcs | None) -> Located:
    """Return the WCS of an alignment."""
    height, width = shape
    grid_x, grid_y = (
        part.ravel() for part in np.meshgrid(np.linspace(0, width - 1, _GRID), np.linspace(0, height - 1, _GRID))
    )
    plane = _to_plane(grid_x, grid_y, shape, wcs)
    grid_ra, grid_dec = found.to_sky(plane)
    order = 1 if wcs is None or wcs.a is None else len(wcs.a) - 1
    middle = (width - 1) / 2, (height - 1) / 2
    located = fit_tan_sip(x=grid_x, y=grid_y, ra=grid_ra, dec=grid_dec, order=order, crpix=middle)
    # as exact as the distance between two points of the grid, which does
    nearest = int(np.argmin(np.abs(straighten(plane, found.bend) - found.quad)))
    around = float(grid_x[nearest]), float(grid_y[nearest])
    return Located(located, found.log_odds, found.trials, around, found.bend, found.mirrored)


def _to_plane(x: Float, y: Float, shape: tuple[int, int], wcs: TanSipWcs | None) -> Complex:
    """Return positions about the middle of the frame, free of the distortion that is known, in a-priori pixels."""
    middle = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    if wcs is None:
        return np.asarray(x - middle[0] + 1j * (y - middle[1]))
    ra, dec = wcs.pixel_to_sky(x=middle[0], y=middle[1])
    xi, eta = to_plane((float(ra), float(dec)), *wcs.pixel_to_sky(x=x, y=y))
    return np.asarray((xi + 1j * eta) * 3600.0 / wcs.pixel_scale)
