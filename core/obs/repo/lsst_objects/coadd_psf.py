"""The PSF of a coadd of the LSST stack: the weighted mean of the PSFs of its exposures at each position.

References
----------
The stack's meas_algorithms (`CoaddPsf.cc`, `WarpedPsf.cc`).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.image.psf import PixelPsf, polynomial_terms
from obs.image.wcs import TanSipWcs
from obs.repo.lsst_objects.archive import Archive, field, point
from obs.repo.lsst_objects.polygon import read_polygon
from obs.repo.lsst_objects.psf import read_single_psf
from obs.repo.lsst_objects.sky_wcs import read_wcs

__all__ = ["coadd_psf"]

Floats = NDArray[np.float64]

#: Positions along each side of the image at which the PSF is computed, and degree of the polynomial fitted to that.
_GRID, _DEGREE = 8, 3


@frozen
class _Input:
    """One exposure: its PSF, WCS, shape (ny, nx), first pixel, corners of its valid part, and weight."""

    psf: PixelPsf
    wcs: TanSipWcs
    shape: tuple[int, int]
    low: tuple[int, int]
    corners: Floats | None
    weight: float

    def holds(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Return whether positions, pixels of the exposure counted from its first one, are on its valid part."""
        with np.errstate(invalid="ignore"):
            inside = (x >= -0.5) & (x < self.shape[1] - 0.5) & (y >= -0.5) & (y < self.shape[0] - 0.5)
        if self.corners is None:
            return inside
        return inside & _in_polygon(x + self.low[0], y + self.low[1], self.corners)


def coadd_psf(archive: Archive, number: int, shape: tuple[int, int], origin: tuple[int, int]) -> PixelPsf:
    """Return the PSF of a coadd as a polynomial over the image.

    Parameters
    ----------
    archive : Archive
        The archive.
    number : int
        Number of the PSF.
    shape : tuple of int
        Shape (ny, nx) of the image.
    origin : tuple of int
        Position (x, y) of the image's first pixel, as the stack counts pixels.

    Raises
    ------
    FileFormatError
        If a part of it cannot be read, or no exposure is on the image.
    """
    name, rows = archive.find(number)
    if name != "CoaddPsf" or len(rows) != 2 or len(rows[0]) != 1:
        raise FileFormatError(f"its {name} is damaged: expected a table of one row and one of exposures")
    wcs = read_wcs(archive, int(field(rows[0][0], "coaddwcs")), shape, origin)
    inputs = [_input(archive, row) for row in rows[1]]
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = (part.ravel() for part in np.meshgrid(steps * shape[1] - 0.5, steps * shape[0] - 0.5))
    size = max(max(one.psf.stamp_shape) for one in inputs) if inputs else 1
    stamps, depth = np.zeros((len(x), size, size), np.float32), np.zeros(len(x))
    for one in inputs:
        _add(one, wcs, x, y, stamps, depth)
    covered = depth > 0
    if not covered.any():
        raise FileFormatError("its CoaddPsf has no exposure on the image")
    stamps[covered] /= depth[covered, None, None].astype(np.float32)
    return _fit(stamps[covered], x[covered], y[covered], depth[covered], shape)


def _fit(stamps: NDArray[np.float32], x: Floats, y: Floats, depth: Floats, shape: tuple[int, int]) -> PixelPsf:
    """Fit a polynomial to PSFs at positions; where most exposures are, it counts most."""
    degree = _DEGREE
    while degree > 0 and (degree + 1) * (degree + 2) // 2 > len(stamps) / 2:
        degree -= 1
    zero, scale = ((shape[1] - 1) / 2, (shape[0] - 1) / 2), (shape[1] / 2, shape[0] / 2)
    terms = polynomial_terms((x - zero[0]) / scale[0], (y - zero[1]) / scale[1], degree) * depth[:, None]
    basis = np.linalg.lstsq(terms, stamps.reshape(len(stamps), -1) * depth[:, None], rcond=None)[0]
    images = basis.reshape(-1, *stamps.shape[1:]).astype(np.float32)
    return PixelPsf(images, degree, x_zero=zero[0], y_zero=zero[1], x_scale=scale[0], y_scale=scale[1])


def _add(one: _Input, wcs: TanSipWcs, x: Floats, y: Floats, stamps: NDArray[np.float32], depth: Floats) -> None:
    """Add the PSF of one exposure where it has pixels."""

    def to_input(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        ra, dec = wcs.pixel_to_sky(x=u, y=v)
        return one.wcs.sky_to_pixel(ra=ra, dec=dec)

    u, v = to_input(x, y)
    chosen = np.flatnonzero(one.holds(u, v))
    right, above = (np.stack(to_input(x + dx, y + dy)) - (u, v) for dx, dy in ((1.0, 0.0), (0.0, 1.0)))
    offset = np.arange(stamps.shape[1]) - stamps.shape[1] // 2
    for place in chosen:
        stamp = one.psf.evaluate(x=[u[place]], y=[v[place]])[0]
        # the PSF hardly reaches as far as WCSs are not linear
        far_u, far_v = (right[axis, place] * offset[None, :] + above[axis, place] * offset[:, None] for axis in (0, 1))
        at = np.stack([far_v + stamp.shape[0] // 2, far_u + stamp.shape[1] // 2])
        from scipy.ndimage import map_coordinates  # noqa: PLC0415 - slow to import, needed for PSFs of coadds only

        warped = map_coordinates(stamp.astype(np.float64), at, order=3, mode="constant")
        stamps[place] += one.weight * (warped / warped.sum()).astype(np.float32)
        depth[place] += one.weight


def _input(archive: Archive, row: Any) -> _Input:  # noqa: ANN401 - a row of astropy
    low, high = (tuple(int(value) for value in point(row, f"bbox_{end}")) for end in ("min", "max"))
    shape = high[1] - low[1] + 1, high[0] - low[0] + 1
    origin = low[0], low[1]
    names = row.array.dtype.names
    polygon = int(field(row, "validPolygon")) if "validPolygon" in names else 0
    return _Input(
        read_single_psf(archive, int(field(row, "psf")), origin),
        read_wcs(archive, int(field(row, "wcs")), shape, origin),
        shape,
        origin,
        read_polygon(archive, polygon) if polygon else None,
        float(field(row, "weight")),
    )


def _in_polygon(x: Floats, y: Floats, corners: Floats) -> NDArray[np.bool_]:
    """Return whether positions are in a polygon: a ray from there crosses its outline an odd number of times."""
    inside = np.zeros(x.shape, bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
