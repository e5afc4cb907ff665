"""Stars that a PSF is fitted to: their stamps, and what is known of each while model and stars take turns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.psf.profile import stamp_radius
from obs.algorithms.psf.star_blocks import for_stars
from obs.image.psf import stamp_sums
from obs.image.resample import shift_matrices, shift_slopes

__all__ = ["PsfStars", "first_guess", "has_core", "variance_slope"]

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

CORE = 1.5
"""Radius, in FWHM, in which a star shows whether it is one."""

PIXEL_CLIP = 5.0
"""Boxes of pixels outside the core that exceed the model by this many sigma belong to something else."""

BOX, LEAST_BOX = 0.6, 3
"""Side of those boxes, in FWHM, and the least, pixels. What is masked about them is half of that wider on each side."""

MIN_GOOD_FRACTION = 0.5
"""Part of a stamp's pixels that must be good."""


@dataclass
class PsfStars:
    """Stamps of stars, and what is known of them while the fit goes on.

    ``stamps``, ``variance``, ``good``, ``model`` have the shape (n, h, w), ``terms`` (n, n_term), ``rows`` and
    ``columns`` (n, h, my) and (n, w, mx), all other arrays (n,). Positions are relative to the middle pixel.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, h, w)
        Images of the stars and their variances; 0 and 1 in pixels that do not count.
    good : ndarray of bool, shape (n, h, w)
        Pixels that count.
    slope : float
        Variance that a unit of the image adds, as of `variance_slope`.
    terms : ndarray of float64, shape (n, n_term)
        Terms of the polynomial at the position of each star.
    candidate : ndarray of bool, shape (n,)
        Stars that may be used.
    used : ndarray of bool, shape (n,)
        Stars that are used at present.
    flux : ndarray of float64, shape (n,)
        Fluxes, image units.
    x, y : ndarray of float64, shape (n,)
        Positions relative to the middle pixel, pixels.
    fwhm : float
        Typical full width at half maximum, pixels.
    sampling : float
        Step between samples of the model, pixels.
    accuracy : float
        Error of the model in units of the light of a pixel, which is added to the noise.
    fit_offset : bool
        Whether a constant background is fitted to each star.
    """

    stamps: Float
    variance: Float
    good: Bool
    slope: float
    terms: NDArray[np.float64]
    candidate: Bool
    used: Bool
    flux: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    fwhm: float
    sampling: float
    accuracy: float
    fit_offset: bool

    def __post_init__(self) -> None:
        n, height, width = self.stamps.shape
        self.offset, self.total = np.zeros(n), np.ones(n)
        self.flux_err = self.chi2 = np.full(n, np.nan)
        self.core = stamp_radius((height, width)) <= CORE * self.fwhm
        self.rows = self.columns = self.model = self.by_x = self.by_y = np.zeros((n, 0, 0), np.float32)

    def place(self, basis: Float) -> None:
        """Take the stars' positions over into the interpolation and the prediction.

        Parameters
        ----------
        basis : ndarray of float32, shape (n_term, my, mx)
            Images of the PSF model, one for each term, on its own sampling.
        """
        height, width = self.stamps.shape[1:]
        self.rows = shift_matrices(self.y, height, basis.shape[1], self.sampling)
        self.columns = shift_matrices(self.x, width, basis.shape[2], self.sampling)
        self.predict(basis)

    def predict(self, basis: Float) -> None:
        """Render every star with unit flux, as `PixelPsf.render` does.

        Parameters
        ----------
        basis : ndarray of float32, shape (n_term, my, mx)
            Images of the PSF model, one for each term, on its own sampling.
        """
        n_term, model_height, model_width = basis.shape
        height, width = self.stamps.shape[1:]
        self.total = self.terms @ stamp_sums(basis, self.sampling, (height, width))
        scaled = (self.terms / self.total[:, None]).astype(np.float32)
        image = (scaled @ basis.reshape(n_term, -1)).reshape(-1, model_height, model_width)
        # If stars are as narrow as pixels, differences between pixels are not slopes of the PSF.
        across = shift_slopes(self.x, width, model_width, self.sampling).transpose(0, 2, 1)
        up = shift_slopes(self.y, height, model_height, self.sampling)
        model, by_x, by_y = (np.empty((len(self.x), height, width), np.float32) for _ in range(3))

        def render(part: slice) -> None:
            rows, shifted = self.rows[part], image[part] @ self.columns[part].transpose(0, 2, 1)
            model[part] = rows @ shifted
            by_x[part] = rows @ (image[part] @ across[part])
            by_y[part] = up[part] @ shifted

        for_stars(render, len(self.x))
        self.model, self.by_x, self.by_y = model, by_x, by_y

    def weight(self) -> Float:
        """Return inverse variances, in which the model stands in for the pixel's own light.

        A variance plane that follows the pixels gives low pixels more weight, and fluxes come out low.
        """
        weight = np.empty_like(self.stamps)

        def weigh(part: slice) -> None:
            weight[part] = self._weight(part)

        for_stars(weigh, len(self.x))
        return weight

    def _weight(self, part: slice) -> Float:
        light = self.flux[part, None, None].astype(np.float32) * self.model[part]
        noise = self.stamps[part] - light - self.offset[part, None, None].astype(np.float32)
        variance = self.variance[part]
        variance = np.maximum(variance - np.float32(self.slope) * noise, np.float32(0.25) * variance)
        variance += (np.float32(self.accuracy) * light) ** 2
        return np.where(self.good[part], 1.0 / variance, np.float32(0.0))

    def measure(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Fit flux and offset, and return the steps in x and y (pixels) to better positions."""
        solution = np.empty((len(self.x), 4 if self.fit_offset else 3))
        flux_err, chi2 = np.empty((2, len(self.x)))

        def fit(part: slice) -> None:
            weight, stamps, model = self._weight(part), self.stamps[part], self.model[part]
            n, shape = len(stamps), stamps.shape
            columns = [model, self.by_x[part], self.by_y[part]] + ([np.ones_like(model)] if self.fit_offset else [])
            design = np.stack([column.reshape(n, -1) for column in columns], axis=1)
            weighted = design * weight.reshape(n, 1, -1)
            normal = (weighted @ design.transpose(0, 2, 1)).astype(np.float64)
            right = (weighted @ stamps.reshape(n, -1, 1)).astype(np.float64)
            found = solution[part] = np.linalg.solve(normal, right)[:, :, 0]
            variance = np.where(self.good[part], self.variance[part], np.float32(0.0))
            flux_err[part] = np.sqrt(np.sum((weight * model) ** 2 * variance, axis=(1, 2))) / normal[:, 0, 0]
            residual = stamps - (found[:, None, :].astype(np.float32) @ design).reshape(shape)
            core = weight * self.core
            number = np.maximum(np.sum(core > 0, axis=(1, 2)) - 3.0, 1.0)
            chi2[part] = np.sum(core * residual**2, axis=(1, 2)) / number

        for_stars(fit, len(self.x))
        self.flux, self.flux_err, self.chi2 = solution[:, 0], flux_err, chi2
        if self.fit_offset:
            self.offset = solution[:, 3]
        steps = np.clip(solution[:, 1:3] / np.maximum(self.flux, 1e-30)[:, None], -0.3, 0.3)
        return steps[:, 0], steps[:, 1]

    def move(
        self,
        step_x: NDArray[np.float64],
        step_y: NDArray[np.float64],
        x_given: NDArray[np.float64],
        y_given: NDArray[np.float64],
    ) -> None:
        """Move the stars, but not their mean: the model could move the other way and fit as well.

        Parameters
        ----------
        step_x, step_y : ndarray of float64, shape (n,)
            Steps from the present positions, pixels.
        x_given, y_given : ndarray of float64, shape (n,)
            Positions at first, pixels from the middle of the stamp. Stars stay within one pixel of these.
        """
        moved = np.stack([self.x + step_x - x_given, self.y + step_y - y_given], axis=1)
        weight = np.clip(self.flux / np.maximum(self.flux_err, 1e-30), 0.0, 100.0) * self.used
        mean = np.linalg.lstsq(self.terms * weight[:, None], moved * weight[:, None], rcond=None)[0]
        moved = np.clip(moved - self.terms @ mean, -1.0, 1.0)
        self.x, self.y = x_given + moved[:, 0], y_given + moved[:, 1]

    def drop_outliers(self, chi2_clip: float, min_stars: int) -> None:
        """Mask pixels outside the core that the model does not explain, and drop stars with high chi-squared.

        Parameters
        ----------
        chi2_clip : float
            Stars whose chi-squared is further above the median than this many standard deviations are dropped.
        min_stars : int
            If fewer stars would be left, the choice of stars stays as it is.
        """
        side = max(LEAST_BOX, 2 * round(0.5 * (BOX * self.fwhm - 1.0)) + 1)

        def clip(part: slice) -> None:
            weight = self._weight(part)
            residual = self.stamps[part] - self.flux[part, None, None].astype(np.float32) * self.model[part]
            residual -= self.offset[part, None, None].astype(np.float32)
            excess, norm = _square_sums(residual * weight, side), _square_sums(weight, side)
            # counted, because a sum of no weights is zero only to rounding
            known = _square_sums((weight > 0).astype(np.float32), side) > 0.5
            significant = (excess > PIXEL_CLIP * np.sqrt(np.maximum(norm, 0.0))) & known & ~self.core
            if significant.any():
                wide = side + 2 * (side // 2)
                self.good[part] &= _square_sums(significant.astype(np.float32), wide) < 0.5

        for_stars(clip, len(self.x))
        chi2 = self.chi2[self.candidate]
        middle = np.median(chi2)
        spread = max(1.4826 * float(np.median(np.abs(chi2 - middle))), float(np.sqrt(2.0 / self.core.sum())))
        used = self.candidate & (self.chi2 <= middle + chi2_clip * spread) & (self.flux > 0) & _is_whole(self.good)
        if used.sum() >= min_stars:
            self.used = used


def _square_sums(stamps: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return sums over the square about each pixel, shape (n, size, size); pixels beyond a stamp count as zero."""
    return box_sums(box_sums(stamps, side, axis=1).astype(np.float32), side, axis=2).astype(np.float32)


def has_core(good: Bool) -> Bool:
    """Return which stamps have all of their middle 3 x 3 pixels and enough of the others.

    Parameters
    ----------
    good : ndarray of bool, shape (n, h, w)
        Pixels that count.
    """
    y, x = good.shape[1] // 2, good.shape[2] // 2
    return np.asarray(good[:, y - 1 : y + 2, x - 1 : x + 2].all(axis=(1, 2)) & _is_whole(good), bool)


def _is_whole(good: Bool) -> Bool:
    """Return which stamps have enough good pixels."""
    return np.asarray(good.mean(axis=(1, 2)) >= MIN_GOOD_FRACTION, bool)


def first_guess(stamps: Float, good: Bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return flux in an aperture and FWHM, pixels, from the area above half of the peak.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, h, w)
        Images of the stars, without background.
    good : ndarray of bool, shape (n, h, w)
        Pixels that count.

    Returns
    -------
    flux : ndarray of float64, shape (n,)
        Flux within twice the median FWHM, in the unit of the image.
    fwhm : ndarray of float64, shape (n,)
        Full width at half maximum, pixels.
    """
    radius = stamp_radius((stamps.shape[1], stamps.shape[2]))
    clean = np.where(good, stamps, np.float32(0.0))
    inner = radius <= radius.max() / 3.0
    peak = np.max(clean * (radius <= 1.5), axis=(1, 2))
    area = np.sum((clean > 0.5 * peak[:, None, None]) & inner, axis=(1, 2))
    fwhm = 2.0 * np.sqrt(np.maximum(area, 1) / np.pi)
    aperture = radius <= 2.0 * np.median(fwhm) if len(fwhm) else inner
    return np.sum(clean * aperture, axis=(1, 2), dtype=np.float64), fwhm


def variance_slope(stamps: Float, variance: Float, good: Bool) -> float:
    """Return how much a pixel's variance follows its own noise, from the pixels at the border of the stamps.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, h, w)
        Images of the stars and their variances.
    good : ndarray of bool, shape (n, h, w)
        Pixels that count.

    Returns
    -------
    float
        Variance that a unit of the image adds; not negative.
    """
    outside = stamp_radius((stamps.shape[1], stamps.shape[2])) > 0.7 * (min(stamps.shape[1:]) // 2)
    border = good[:, outside].astype(np.float64)
    count = np.maximum(border.sum(axis=1, keepdims=True), 1.0)
    values = [np.where(border > 0, plane[:, outside], 0.0) for plane in (stamps, variance)]
    image, var = ((value - value.sum(axis=1, keepdims=True) / count) * border for value in values)
    slopes = np.sum(image * var, axis=1) / np.maximum(np.sum(image**2, axis=1), 1e-30)
    return max(float(np.median(slopes)), 0.0)
