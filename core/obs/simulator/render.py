"""Put sources into an image."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from obs.simulator.galaxies import GalaxyShapes, galaxy_radius, galaxy_stamps
from obs.simulator.moffat import MoffatShapes, moffat_radius, moffat_stamps

__all__ = ["add_galaxies", "add_stars"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Stamps = NDArray[np.float32]

#: Half sizes of stamps, pixels; sources are grouped by the smallest that holds them.
_HALVES = np.array([8, 11, 15, 20, 27, 36, 48, 64, 86, 115, 153, 205, 273, 365, 487, 650])
#: Pixels of the stamps that are in memory together.
_BATCH = 1 << 21


def add_stars(image: Image, psf: MoffatShapes, *, x: Floats, y: Floats, flux: Floats, cutoff: float) -> None:
    """Add point sources to an image.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Changed in place.
    psf : MoffatShapes
        PSF at each source.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels; sources outside of the image reach into it.
    flux : ndarray of float64, shape (n,)
        Total fluxes, in units of the image.
    cutoff : float
        Wings fainter than this, flux a pixel, are left out.
    """
    radius = moffat_radius(psf, flux, cutoff)

    def stamps(rows: NDArray[np.intp], dx: Floats, dy: Floats, half: int) -> Stamps:
        return moffat_stamps(psf.select(rows), x=dx, y=dy, half=half)

    _add(image, stamps, x, y, flux, radius)


def add_galaxies(
    image: Image, shapes: GalaxyShapes, psf: MoffatShapes, *, x: Floats, y: Floats, flux: Floats, cutoff: float
) -> None:
    """Add galaxies to an image.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Changed in place.
    shapes : GalaxyShapes
        Shape of each galaxy.
    psf : MoffatShapes
        PSF at each galaxy.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels; galaxies outside of the image reach into it.
    flux : ndarray of float64, shape (n,)
        Total fluxes, in units of the image.
    cutoff : float
        Outskirts fainter than this, flux a pixel, are left out.
    """
    radius = np.maximum(moffat_radius(psf, flux, cutoff), galaxy_radius(shapes, flux, cutoff) + 2.0 * psf.fwhm)

    def stamps(rows: NDArray[np.intp], dx: Floats, dy: Floats, half: int) -> Stamps:
        return galaxy_stamps(shapes.select(rows), psf.select(rows), x=dx, y=dy, half=half)

    _add(image, stamps, x, y, flux, radius)


def _add(
    image: Image,
    stamps: Callable[[NDArray[np.intp], Floats, Floats, int], Stamps],
    x: Floats,
    y: Floats,
    flux: Floats,
    radius: Floats,
) -> None:
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    for half, rows in _groups(radius):
        near = (column[rows] >= -half) & (column[rows] < image.shape[1] + half)
        near &= (row[rows] >= -half) & (row[rows] < image.shape[0] + half)
        chosen = rows[near]
        if len(chosen):
            values = stamps(chosen, (x - column)[chosen], (y - row)[chosen], half)
            values *= flux[chosen].astype(np.float32)[:, None, None]
            _accumulate(image, values, column[chosen], row[chosen], half)


def _groups(radius: Floats) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Give the sources of each stamp size, in batches."""
    group = np.minimum(np.searchsorted(_HALVES, radius), len(_HALVES) - 1)
    for number in np.unique(group):
        half, members = int(_HALVES[number]), np.flatnonzero(group == number)
        step = max(1, _BATCH // (2 * half + 1) ** 2)
        for start in range(0, len(members), step):
            yield half, members[start : start + step]


def _accumulate(image: Image, stamps: Stamps, column: NDArray[np.int64], row: NDArray[np.int64], half: int) -> None:
    """Add stamps, which may overlap each other and the border."""
    offset = np.arange(-half, half + 1)
    columns, rows = column[:, None] + offset, row[:, None] + offset
    inside_x, inside_y = (columns >= 0) & (columns < image.shape[1]), (rows >= 0) & (rows < image.shape[0])
    index = rows[:, :, None] * image.shape[1] + columns[:, None, :]
    whole = inside_x.all(axis=1) & inside_y.all(axis=1)
    flat = image.reshape(-1)
    np.add.at(flat, index[whole].ravel(), stamps[whole].ravel())
    cut = ~whole
    if cut.any():
        inside = inside_y[cut][:, :, None] & inside_x[cut][:, None, :]
        np.add.at(flat, index[cut][inside], stamps[cut][inside])
