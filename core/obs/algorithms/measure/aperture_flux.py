"""Flux within circles.

Small circles are integrated over the band-limited image that the pixels sample, which knows no pixel corners
(Bickerton & Lupton 2013, MNRAS 431, 1275); large ones over the pixels, with the exact area of overlap, which costs
less and differs less.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import sep
from numpy.typing import NDArray

from obs.algorithms.measure.fluxes import Fluxes, add_up
from obs.algorithms.numeric.special import bessel
from obs.frozen import frozen
from obs.image.resample import shift_matrices
from obs.kernels.library import Kernel

__all__ = [
    "SINC_MARGIN",
    "SubpixelShifts",
    "aperture_name",
    "measure_aperture_flux",
    "measure_ellipse_flux",
    "sinc_half",
]

_COMPILED = Kernel(
    "sum_under_moved",
    *("float32", "float32", "int", "int", "float32", "int"),
    *("float32", "float32", "int", "float64", "float64"),
)
_LINES = Kernel("any_of_lines", "bool", "int", "int", "bool", "bool")
_ELLIPSES = Kernel(
    "sum_ellipses",
    *("float32", "float32", "int", "int", "float64", "float64", "float64", "int"),
    *("float64", "float64", "float64"),
)

EXACT = 0
"""How sep is asked to use the exact area of overlap between circle and pixel."""

SUBPIXELS = 5
"""Pixels on the border of an ellipse are divided into this many in x and in y."""

OFF_CENTER = 1e-9
"""Distance, pixels, by which no center is exactly that of a pixel."""

SINC_MARGIN = 10
"""The kernel of a circle rings on beyond it, falling as the third half power; these pixels hold all but 1e-4 of it."""

OVERSAMPLING = 4
"""The kernel's transform is sampled this many times finer than the kernel's own extent demands."""


def aperture_name(radius: float) -> str:
    """Return the name of a circle's columns, ``base_CircularApertureFlux_12_0`` for 12 pixels.

    Parameters
    ----------
    radius : float
        Radius, pixels, rounded to a tenth.
    """
    return "base_CircularApertureFlux_" + f"{radius:.1f}".replace(".", "_")


@lru_cache(maxsize=32)
def sinc_kernel(radius: float, half: int) -> NDArray[np.float32]:
    """Weights of the pixels about a circle's center that integrate the band-limited image over the circle.

    Parameters
    ----------
    radius : float
        Radius, pixels.
    half : int
        Half the size of the kernel, pixels.

    Returns
    -------
    ndarray of float32, shape (2 half + 1, 2 half + 1)
    """
    n = OVERSAMPLING * (2 * half + 1)
    frequency = np.fft.fftfreq(n)
    k = 2 * np.pi * np.hypot(frequency[:, None], frequency[None, :])
    with np.errstate(invalid="ignore", divide="ignore"):
        transform = np.where(k > 0, 2 * np.pi * radius * bessel(1, k * radius) / k, np.pi * radius**2)
    kernel = np.fft.fftshift(np.fft.ifft2(transform).real)
    middle = n // 2
    inner = slice(middle - half, middle + half + 1)
    return np.ascontiguousarray(kernel[inner, inner], np.float32)


@frozen
class SubpixelShifts:
    """Matrices that move kernels to the sub-pixel places of sources, for circles of several radii.

    Parameters
    ----------
    rows, columns : ndarray of float32, shape (n, size, size)
        Shifts in y and x of the widest kernel; narrower ones have those of its middle.
    """

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]

    @classmethod
    def to(cls, dx: NDArray[np.float64], dy: NDArray[np.float64], half: int) -> "SubpixelShifts":
        """Return shifts by (dx, dy), shape (n,), pixels, of kernels of up to ``2 half + 1`` pixels.

        Parameters
        ----------
        dx, dy : ndarray of float64, shape (n,)
            Shifts in x and y, pixels.
        half : int
            Half the size of the largest kernel, pixels.
        """
        size = 2 * half + 1
        return cls(shift_matrices(dy, size, size), shift_matrices(dx, size, size))

    def move(self, kernel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a kernel, shape (k, k), moved to every place, shape (n, k, k).

        Parameters
        ----------
        kernel : ndarray of float32, shape (k, k)
            Kernel of odd size, not larger than that of the shifts.
        """
        cut = (self.rows.shape[1] - len(kernel)) // 2
        inner = slice(cut, cut + len(kernel))
        moved = self.rows[:, inner, inner] @ kernel @ self.columns[:, inner, inner].transpose(0, 2, 1)
        return np.asarray(moved, np.float32)


def sinc_half(radius: float, size: int) -> int:
    """Half the size of the kernel of a circle, pixels, in stamps of a given size.

    Parameters
    ----------
    radius : float
        Radius of the circle, pixels.
    size : int
        Side of the stamps, pixels; the kernel is not larger.
    """
    return min(size // 2, int(np.ceil(radius)) + SINC_MARGIN)


def measure_aperture_flux(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    inside: NDArray[np.bool_],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    radius: float,
    *,
    sinc: bool,
    shifts: SubpixelShifts | None = None,
) -> Fluxes:
    """Add up the light within a circle about each source.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance.
    inside : ndarray of bool, shape (n, size, size)
        Pixels in the image.
    dx, dy : ndarray of float64, shape (n,)
        Center relative to the middle pixel.
    radius : float
        Radius, pixels.
    sinc : bool
        Integrate the band-limited image instead of the pixels.
    shifts : SubpixelShifts, optional
        Shifts by (dx, dy), where they are known from a circle at least as wide.

    Returns
    -------
    Fluxes
        ``edge`` where the circle leaves the image or its stamp, and the flux is then a lower limit; NaN and ``failed``
        where the center does; ``failed`` too where a pixel has no variance and the error is not known.
    """
    reach = np.full(len(stamps), radius)
    touched = _leaves(inside, dx, dy, reach, reach)
    if sinc:
        half = sinc_half(radius, stamps.shape[1])
        flux, flux_err = _sinc_sum(
            stamps, variance, sinc_kernel(radius, half), SubpixelShifts.to(dx, dy, half) if shifts is None else shifts
        )
    else:
        flux, flux_err = _sum_pixels(sep.sum_circle, stamps, variance, dx, dy, [radius], reach, EXACT)
    return Fluxes.checked(flux, flux_err, touched)


def _sum_pixels(
    function: Callable[..., tuple[NDArray[np.float64], NDArray[np.float64], object]],
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    figure: Sequence[float | NDArray[np.float64]],
    reach: NDArray[np.float64],
    subpix: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Call one of sep's functions once for all stamps, laid one on the other.

    Where a figure reaches out of its stamp, empty rows keep it from the next one.
    """
    if not len(stamps):
        return np.zeros(0), np.zeros(0)
    half = stamps.shape[1] // 2
    gap = max(0, int(np.ceil(np.max(np.abs(dy) + reach) - half - 0.5)))
    if gap:
        stamps, variance = (np.pad(a, ((0, 0), (gap, gap), (0, 0))) for a in (stamps, variance))
    tall = stamps.reshape(-1, stamps.shape[2])
    y = dy + half + gap + np.arange(len(stamps)) * stamps.shape[1]
    flux, flux_err, _ = function(tall, dx + half, y, *figure, var=variance.reshape(tall.shape), subpix=subpix)
    return flux, flux_err


def _leaves(
    inside: NDArray[np.bool_],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    reach_x: NDArray[np.float64],
    reach_y: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether a figure touches a pixel outside image or stamp; boxes, since the image's border is straight."""
    half, last = inside.shape[1] // 2, inside.shape[1] - 1
    ends = []
    for center, reach, line in zip((dy, dx), (reach_y, reach_x), _lines_inside(inside), strict=True):
        low = np.floor(center - reach + half + 0.5).astype(int)
        high = np.ceil(center + reach + half - 0.5).astype(int)
        rows = np.arange(len(inside))
        whole = line[rows, np.clip(low, 0, last)] & line[rows, np.clip(high, 0, last)]
        ends.append(~(whole & (low >= 0) & (high <= last)))
    return np.asarray(ends[0] | ends[1])


def _lines_inside(inside: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows, and which columns, of stamps have a pixel in the image; both shape (n, size)."""
    if not _LINES:
        return np.asarray(inside.any(axis=2)), np.asarray(inside.any(axis=1))
    rows, columns = np.empty(inside.shape[:2], np.bool_), np.empty(inside.shape[:2], np.bool_)
    _LINES(np.ascontiguousarray(inside), len(inside), inside.shape[1], rows, columns)
    return rows, columns


def _sinc_sum(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    kernel: NDArray[np.float32],
    shifts: SubpixelShifts,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    center, half = stamps.shape[1] // 2, len(kernel) // 2
    if _COMPILED:
        total, square = np.empty(len(stamps)), np.empty(len(stamps))
        matrices = (np.ascontiguousarray(matrix) for matrix in (shifts.rows, shifts.columns))
        planes = (np.ascontiguousarray(plane) for plane in (stamps, variance))
        moved = kernel, len(kernel), *planes, stamps.shape[1]
        if _COMPILED(*matrices, len(stamps), shifts.rows.shape[1], *moved, total, square) == 0:
            return total, np.sqrt(square)
    inner = slice(center - half, center + half + 1)
    return add_up(shifts.move(kernel), stamps[:, inner, inner], variance[:, inner, inner])


def measure_ellipse_flux(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    inside: NDArray[np.bool_],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    theta: NDArray[np.float64],
) -> Fluxes:
    """Add up the light within an ellipse about each source; pixels on its border are divided finely.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Pixels and variance.
    inside : ndarray of bool, shape (n, size, size)
        Pixels in the image.
    dx, dy : ndarray of float64, shape (n,)
        Center relative to the middle pixel.
    a, b : ndarray of float64, shape (n,)
        Semi-axes, pixels.
    theta : ndarray of float64, shape (n,)
        Angle of the major axis from x to y, radian, -pi/2 to pi/2.

    Returns
    -------
    Fluxes
        As of `measure_aperture_flux`.
    """
    cosine, sine = np.cos(theta) ** 2, np.sin(theta) ** 2
    edge = _leaves(inside, dx, dy, np.sqrt(a**2 * cosine + b**2 * sine), np.sqrt(a**2 * sine + b**2 * cosine))
    if _ELLIPSES:
        shape = np.c_[cosine / a**2 + sine / b**2, sine / a**2 + cosine / b**2, np.sin(2 * theta) * (a**-2 - b**-2) / 2]
        n, size = stamps.shape[:2]
        planes = (np.ascontiguousarray(plane) for plane in (stamps, variance))
        centers = (np.ascontiguousarray(center, np.float64) for center in (dx, dy))
        weight, flux, square = np.empty(size + 1), np.empty(n), np.empty(n)
        _ELLIPSES(*planes, n, size, *centers, shape, SUBPIXELS, weight, flux, square)
        return Fluxes.checked(flux, np.sqrt(square), edge)
    reach = np.maximum(a, b)
    # sep counts the whole of a pixel whose middle is exactly that of an ellipse narrower than the pixel
    figure: list[float | NDArray[np.float64]] = [a, b, theta, 1.0]
    flux, flux_err = _sum_pixels(sep.sum_ellipse, stamps, variance, dx + OFF_CENTER, dy, figure, reach, SUBPIXELS)
    return Fluxes.checked(flux, flux_err, edge)
