"""Point-spread functions on pixels, varying as a polynomial over the detector."""

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.image.psf_views import PsfViews
from obs.image.resample import Interpolation, shift_matrices, shift_slopes

__all__ = ["PixelPsf", "Psf", "polynomial_terms", "stamp_sums"]


class Psf(Protocol):
    """What algorithms ask of a point-spread function.

    Examples
    --------
    >>> from obs import Butler, Psf
    >>> psf: Psf = Butler("DATA/rerun/first").get("calexp", visit=21).psf
    >>> round(float(psf.evaluate(x=[100.0], y=[200.0]).sum()), 2)
    1.0
    """

    @property
    def stamp_shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the stamps, both odd."""
        ...

    def evaluate(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return stamps that are centered on their middle pixel.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        ndarray of float32, shape (n, ny, nx)
            Stamps that each add up to one.
        """
        ...

    def render(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return the images of point sources at their places between the pixels.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        ndarray of float32, shape (n, ny, nx)
            Stamps whose middle pixel is (round(x), round(y)).
        """
        ...

    def render_slopes(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float32], ...]:
        """Return the images of point sources, and how they change as the sources move.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        image, slope_x, slope_y : ndarray of float32, shape (n, ny, nx)
            Stamps as of `render`, and their derivatives by x and by y, 1/pixel.
        """
        ...


def polynomial_terms(u: NDArray[np.float64], v: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Return the terms ``u**i * v**j`` with ``i + j <= degree`` in PSFEx's order.

    Parameters
    ----------
    u, v : ndarray of float64, shape (n,)
        Scaled positions.
    degree : int
        Total degree.

    Returns
    -------
    ndarray of float64, shape (n, n_term)
        Terms 1, u, u^2 .. v, u v .. v^degree.
    """
    powers_u = u[:, None] ** np.arange(degree + 1)
    powers_v = v[:, None] ** np.arange(degree + 1)
    return np.concatenate([powers_u[:, : degree + 1 - j] * powers_v[:, j : j + 1] for j in range(degree + 1)], axis=1)


def stamp_sums(basis: NDArray[Any], sampling: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the sum of each image over a centered stamp of detector pixels.

    Parameters
    ----------
    basis : ndarray of any type, shape (n, my, mx)
        Images.
    sampling : float
        Step between their samples, pixels.
    shape : tuple of int
        Shape (ny, nx) of the stamp.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    zero = np.zeros(1)
    rows = shift_matrices(zero, shape[0], basis.shape[1], sampling)[0].sum(axis=0, dtype=np.float64)
    columns = shift_matrices(zero, shape[1], basis.shape[2], sampling)[0].sum(axis=0, dtype=np.float64)
    return np.asarray(np.einsum("i,tij,j->t", rows, basis, columns), np.float64)


class PixelPsf(PsfViews):
    """A PSF given by images that are added with polynomial weights, as PSFEx files describe it.

    The images hold the light that a detector pixel sees (the pixel's own response is included), sampled every
    ``sampling`` pixels. The PSF at (x, y) is normalized to a sum of one over its stamp.

    Parameters
    ----------
    basis : ndarray of float32, shape (n_term, my, mx)
        One image a polynomial term, in the order of `polynomial_terms`; my and mx odd.
    degree : int
        Total degree of the polynomial.
    x_zero, x_scale, y_zero, y_scale : float
        Positions, pixels, enter as ``(x - x_zero) / x_scale``.
    sampling : float, optional
        Step between samples of the basis, pixels.
    stamp_shape : tuple of int, optional
        Shape (ny, nx) of the stamps, odd; that of the basis in detector pixels if absent.
    fwhm : float, optional
        Full width at half maximum, pixels; NaN where not known.
    chi2 : float, optional
        Reduced chi-squared of the fit; NaN where not known.
    n_star : int, optional
        Number of stars in the fit; 0 where not fitted.
    interpolation : {"lanczos", "star"}, optional
        Weights with which the images are moved: those that they were fitted with.

    Raises
    ------
    ValueError
        If the number of images does not fit the degree, or a size is even.

    References
    ----------
    E. Bertin (2011), Automated morphometry with SExtractor and PSFEx, ADASS XX, 435.

    Examples
    --------
    >>> import numpy as np
    >>> from obs import PixelPsf
    >>> profile = np.exp(-0.5 * (np.arange(-10, 11) / 2.0) ** 2)
    >>> psf = PixelPsf(np.outer(profile, profile)[None].astype(np.float32), 0)
    >>> psf.evaluate(x=[50.0], y=[60.0]).shape
    (1, 21, 21)
    """

    def __init__(
        self,
        basis: NDArray[np.float32],
        degree: int,
        *,
        x_zero: float = 0.0,
        x_scale: float = 1.0,
        y_zero: float = 0.0,
        y_scale: float = 1.0,
        sampling: float = 1.0,
        stamp_shape: tuple[int, int] | None = None,
        fwhm: float = float("nan"),
        chi2: float = float("nan"),
        n_star: int = 0,
        interpolation: Interpolation = "lanczos",
    ) -> None:
        n_term = (degree + 1) * (degree + 2) // 2
        if basis.ndim != 3 or len(basis) != n_term:
            raise ValueError(f"degree {degree} needs {n_term} images, got an array of shape {basis.shape}")
        if stamp_shape is None:
            height, width = (2 * int((size // 2) * sampling) + 1 for size in basis.shape[1:])
            stamp_shape = height, width
        if any(size % 2 == 0 for size in (*basis.shape[1:], *stamp_shape)):
            raise ValueError(f"PSF sizes are odd, got basis {basis.shape[1:]} and stamp {stamp_shape}")
        self.basis = np.ascontiguousarray(basis, np.float32)
        self.degree, self.sampling = degree, sampling
        self.x_zero, self.x_scale, self.y_zero, self.y_scale = x_zero, x_scale, y_zero, y_scale
        self.fwhm, self.chi2, self.n_star = fwhm, chi2, n_star
        self.interpolation: Interpolation = interpolation
        self._stamp_shape = stamp_shape

    @property
    def stamp_shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the stamps, both odd."""
        return self._stamp_shape

    @cached_property
    def _centering(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        zero = np.zeros(1)
        (height, width), (model_height, model_width) = self.stamp_shape, self.basis.shape[1:]
        return (
            shift_matrices(zero, height, model_height, self.sampling, self.interpolation)[0],
            shift_matrices(zero, width, model_width, self.sampling, self.interpolation)[0],
        )

    @cached_property
    def _sums(self) -> NDArray[np.float64]:
        """Sum of each image over a centered stamp."""
        rows, columns = (weights.sum(axis=0, dtype=np.float64) for weights in self._centering)
        return np.asarray(np.einsum("i,tij,j->t", rows, self.basis, columns), np.float64)

    def model(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return the sampled model at positions.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        ndarray of float32, shape (n, my, mx)
            Models scaled so that stamps in detector pixels add up to one.
        """
        scaled = self.coefficients(x=x, y=y)
        return np.asarray((scaled @ self.basis.reshape(len(self.basis), -1)).reshape(-1, *self.basis.shape[1:]))

    def coefficients(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return what the images of the basis are multiplied by to give `model` at positions.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        ndarray of float32, shape (n, n_term)
        """
        u = (np.atleast_1d(np.asarray(x, np.float64)) - self.x_zero) / self.x_scale
        v = (np.atleast_1d(np.asarray(y, np.float64)) - self.y_zero) / self.y_scale
        terms = polynomial_terms(u, v, self.degree)
        return np.asarray(terms / (terms @ self._sums)[:, None], np.float32)

    def evaluate(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return the PSF at positions, centered on the middle pixel.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        ndarray of float32, shape (n, ny, nx)
            Stamps that each add up to one.
        """
        model = self.model(x=x, y=y)
        if self.sampling == 1.0 and model.shape[1:] == self.stamp_shape:
            return model
        rows, columns = self._centering
        return np.asarray(rows @ model @ columns.T, np.float32)

    def render(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return the PSF of point sources at their sub-pixel places.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        ndarray of float32, shape (n, ny, nx)
            Stamps whose middle pixel is (round(x), round(y)).
        """
        x, y = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
        model = self.model(x=x, y=y)
        height, width = self.stamp_shape
        how = self.sampling, self.interpolation
        rows = shift_matrices(y - np.rint(y), height, model.shape[1], *how)
        columns = shift_matrices(x - np.rint(x), width, model.shape[2], *how)
        return np.asarray(rows @ model @ columns.transpose(0, 2, 1), np.float32)

    def render_slopes(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float32], ...]:
        """Return the PSF of point sources, and how it changes as they move.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels.

        Returns
        -------
        image, slope_x, slope_y : ndarray of float32, shape (n, ny, nx)
            Stamps as of `render`, and their derivatives by x and by y, 1/pixel.
        """
        x, y = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
        model = self.model(x=x, y=y)
        (height, width), (model_height, model_width) = self.stamp_shape, model.shape[1:]
        how = self.sampling, self.interpolation
        rows, row_slopes = (make(y - np.rint(y), height, model_height, *how) for make in (shift_matrices, shift_slopes))
        columns, column_slopes = (
            make(x - np.rint(x), width, model_width, *how).transpose(0, 2, 1) for make in (shift_matrices, shift_slopes)
        )
        shifted = model @ columns
        return rows @ shifted, rows @ (model @ column_slopes), row_slopes @ shifted
