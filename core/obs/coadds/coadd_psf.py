"""The PSF of a coadd at any position, from its exposures."""

import math
from collections.abc import Sequence

import numpy as np
import sep
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.coadd.psf import fit_psf_model
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.psf import PixelPsf
from obs.image.resample import shift_matrices, shift_slopes
from obs.image.wcs import TanSipWcs

__all__ = ["CoaddPsf", "PsfInput"]

_GRID = 16
_TOGETHER = 32  # exposures whose PSF models are in memory side by side


@frozen
class PsfInput:
    """What one exposure adds to the PSF of a coadd.

    Parameters
    ----------
    psf : PixelPsf
        Its PSF on the pixels of the coadd.
    wcs : TanSipWcs
        WCS of the exposure.
    shape : tuple of int
        Shape (ny, nx) of the exposure.
    weight : float
        Its weight.
    light : float, optional
        Part of the light of its PSF that its zero point counts as all light of a star; NaN if it is not known.
    """

    psf: PixelPsf
    wcs: TanSipWcs
    shape: tuple[int, int]
    weight: float
    light: float = math.nan


class CoaddPsf:
    """The weighted mean of the PSFs of all exposures that hold a position.

    Parameters
    ----------
    inputs : sequence of PsfInput
        The exposures, at least one.
    wcs : TanSipWcs
        WCS of the coadd.
    fill : bool, optional
        Where no exposure is, return the mean of all instead of raising an error.

    Examples
    --------
    >>> from obs import Butler
    >>> from obs.coadds.inputs_table import read_coadd_psf
    >>> psf = read_coadd_psf(Butler("out"), tract=0, patch="0,0", filter="r")
    >>> psf.evaluate(x=[100.0], y=[200.0]).shape[0]
    1
    """

    def __init__(self, inputs: Sequence[PsfInput], wcs: TanSipWcs, *, fill: bool = False) -> None:
        self._inputs, self._wcs, self._fill = list(inputs), wcs, fill
        shapes = [one.psf.stamp_shape for one in inputs]
        self._shape = max(height for height, _ in shapes), max(width for _, width in shapes)

    def filled(self) -> "CoaddPsf":
        """Return the same PSF, which where no exposure is returns the mean of all."""
        return CoaddPsf(self._inputs, self._wcs, fill=True)

    @property
    def stamp_shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the stamps, both odd."""
        return self._shape

    def weights(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the weight of each exposure at positions, shape (n_input, n); zero where it has no pixels.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions on the coadd, 0-based pixels.
        """
        ra, dec = self._wcs.pixel_to_sky(x=x, y=y)
        result = np.zeros((len(self._inputs), np.atleast_1d(ra).size))
        for row, one in zip(result, self._inputs, strict=True):
            u, v = (np.atleast_1d(value) for value in one.wcs.sky_to_pixel(ra=ra, dec=dec))
            height, width = one.shape
            with np.errstate(invalid="ignore"):
                row[:] = one.weight * ((u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < height - 0.5))
        return result

    def model(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return the PSF at positions, sampled as that of the exposures, shape (n, my, mx).

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions on the coadd, 0-based pixels.

        Raises
        ------
        MeasurementError
            If no exposure holds a position.
        """
        x, y = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
        weights = self.weights(x=x, y=y)
        total = weights.sum(axis=0)
        if self._fill:
            weights[:, total == 0] = np.array([one.weight for one in self._inputs])[:, None]
            total = weights.sum(axis=0)
        if (total == 0).any():
            place = int(np.flatnonzero(total == 0)[0])
            raise MeasurementError(
                f"cannot compute the PSF of the coadd at x={x[place]:.0f} y={y[place]:.0f}: no input images at that "
                "point"
            )
        size = max(one.psf.basis.shape[1] for one in self._inputs)
        result = np.zeros((x.size, size * size), np.float32)
        shares = (weights / total).astype(np.float32)
        there = np.flatnonzero(shares.any(axis=1))
        for first in range(0, len(there), _TOGETHER):
            factors, images = [], []
            for index in there[first : first + _TOGETHER]:
                psf = self._inputs[index].psf
                margin = (size - psf.basis.shape[1]) // 2
                images.append(np.pad(psf.basis, ((0, 0), (margin, margin), (margin, margin))))
                factors.append(psf.coefficients(x=x, y=y) * shares[index, :, None])
            # where an exposure is not, its polynomial may be anything
            factor = np.where(np.isfinite(whole := np.concatenate(factors, axis=1)), whole, np.float32(0))
            result += factor @ np.concatenate(images).reshape(factor.shape[1], -1)
        return result.reshape(-1, size, size)

    def counted_light(self, *, x: ArrayLike, y: ArrayLike, radius: float) -> NDArray[np.float64]:
        """Return the light of a star within a circle on the coadd, in units of what the exposures count as all of it.

        Each exposure's zero point belongs to an aperture that follows its own seeing. An exposure that counts less of
        its wings is brighter on the coadd at every radius than one that counts more. Exposures of which it is not known
        what they count add one.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.
        radius : float
            Radius of the circle, pixels.

        Returns
        -------
        ndarray of float64, shape (n,)
            One where no exposure is.
        """
        x, y = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
        weights = self.weights(x=x, y=y)
        light = np.zeros(x.size)
        for weight, one in zip(weights, self._inputs, strict=True):
            there = np.flatnonzero(weight)
            part = np.ones(len(there))
            if one.light > 0:
                coefficients = one.psf.coefficients(x=x[there], y=y[there])
                part = coefficients @ _light_within(one.psf, radius) / one.light
            light[there] += weight[there] * part
        total = weights.sum(axis=0)
        return np.where(total > 0, light / np.where(total > 0, total, 1.0), 1.0)

    def evaluate(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return stamps, float32, shape (n, ny, nx), centered on their middle pixel; see `model`.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions on the coadd, 0-based pixels.

        Raises
        ------
        MeasurementError
            If a position is on no exposure.
        """
        model = self.model(x=x, y=y)
        rows, columns = (
            shift_matrices(np.zeros(1), size, model.shape[1], self._inputs[0].psf.sampling, "star")[0]
            for size in self._shape
        )
        return np.asarray(rows @ model @ columns.T, np.float32)

    def render(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return stamps, float32, shape (n, ny, nx), whose middle pixel is the one nearest to (x, y).

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions on the coadd, 0-based pixels.

        Raises
        ------
        MeasurementError
            If a position is on no exposure.
        """
        return self.render_slopes(x=x, y=y)[0]

    def render_slopes(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float32], ...]:
        """Return what `render` does, and how it changes with x and with y, 1/pixel.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions on the coadd, 0-based pixels.

        Returns
        -------
        stamps, x_slopes, y_slopes : ndarray of float32, shape (n, ny, nx)
            Stamps, and their derivatives by the position in x and in y.

        Raises
        ------
        MeasurementError
            If a position is on no exposure.
        """
        x, y = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
        model = self.model(x=x, y=y)
        (height, width), size, sampling = self._shape, model.shape[1], self._inputs[0].psf.sampling
        rows, row_slopes = (
            make(y - np.rint(y), height, size, sampling, "star") for make in (shift_matrices, shift_slopes)
        )
        columns, column_slopes = (
            make(x - np.rint(x), width, size, sampling, "star").transpose(0, 2, 1)
            for make in (shift_matrices, shift_slopes)
        )
        shifted = model @ columns
        return rows @ shifted, rows @ (model @ column_slopes), row_slopes @ shifted

    def fit(self, shape: tuple[int, int], *, degree: int) -> tuple[PixelPsf, float]:
        """Return a polynomial model over an image, and how far it is from the PSF.

        Parameters
        ----------
        shape : tuple of int
            Shape (ny, nx) of the image.
        degree : int
            Degree of the polynomial.

        Returns
        -------
        psf : PixelPsf
        error : float
            Root mean square difference of the fluxes that both measure of a star, as a share.

        Raises
        ------
        MeasurementError
            If no exposure reaches the grid.
        """
        x, y, weights = self._grid(shape)
        stamps = self.model(x=x, y=y)
        fwhm = float(np.average([one.psf.fwhm for one in self._inputs], weights=[one.weight for one in self._inputs]))
        sampling = self._inputs[0].psf.sampling
        psf = fit_psf_model(stamps, x, y, shape, degree=degree, sampling=sampling, fwhm=fwhm, weights=weights)
        fitted = psf.model(x=x, y=y)
        share = np.sum(stamps * fitted, axis=(1, 2)) / np.sum(fitted * fitted, axis=(1, 2)) - 1
        return psf, float(np.sqrt(np.average(share**2, weights=weights)))

    def _grid(self, shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return x, y and weights, shape (n,), of positions on the covered part of an image.

        The square of the depth counts: there most sources are, and the PSF changes where few exposures end.
        """
        outlines = []
        for one in self._inputs:
            height, width = one.shape
            x, y = np.meshgrid(np.linspace(0, width - 1, 5), np.linspace(0, height - 1, 5))
            ra, dec = one.wcs.pixel_to_sky(x=x.ravel(), y=y.ravel())
            outlines.append(np.stack(self._wcs.sky_to_pixel(ra=ra, dec=dec)))
        points = np.concatenate(outlines, axis=1)
        low = np.maximum(points.min(axis=1), 0)
        high = np.minimum(points.max(axis=1), [shape[1] - 1, shape[0] - 1])
        steps = (np.arange(_GRID) + 0.5) / _GRID
        x, y = (axis.ravel() for axis in np.meshgrid(*(low[:, None] + (high - low)[:, None] * steps)))
        weights = self.weights(x=x, y=y).sum(axis=0)
        covered = weights > 0
        if not covered.any():
            raise MeasurementError("no exposure reaches the grid on which the PSF of the coadd is computed")
        return x[covered], y[covered], (weights[covered] / weights.max()) ** 2


def _light_within(psf: PixelPsf, radius: float) -> NDArray[np.float64]:
    """Return the light of each image of a PSF model within a circle, shape (n_term,), in the unit of its stamps."""
    size = psf.basis.shape[1]
    middle, wide = np.array([size // 2]), radius / psf.sampling >= size // 2
    inside = [
        image.sum(dtype=np.float64)
        if wide
        else sep.sum_circle(image, middle, middle, radius / psf.sampling, subpix=0)[0][0]
        for image in psf.basis
    ]
    return np.array(inside) * psf.sampling**2
