"""Fit a PSF that varies over the detector to stamps of stars.

The model is an image a polynomial term, sampled at a step of its own (Bertin 2011). Every stamp is predicted by moving
the model to the star's sub-pixel place with the very interpolation that `PixelPsf.render` uses, so that photometry uses
what was fitted. The images follow from weighted least squares, solved by conjugate gradients with the problem without
interpolation as preconditioner; fluxes, places and offsets of the stars follow from the model; the two take turns while
outlying pixels and stars are dropped.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter, uniform_filter

from obs.algorithms.psf_profile import moffat, smooth_profile, stamp_radius
from obs.errors import MeasurementError
from obs.image.psf import PixelPsf, polynomial_terms
from obs.image.resample import shift_matrices

__all__ = ["PsfFit", "fit_psf"]

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

_STARS_FOR_DEGREE = ((3, 300), (2, 60), (1, 15))
# a finer model has 1.8 times the unknowns: with few stars that costs more than the steps of one pixel do
_CRITICAL_FWHM, _CRITICAL_FWHM_FEW_STARS, _FEW_STARS = 2.5, 2.0, 60
_FINE_SAMPLING = 0.75
_PRIOR_TIGHTNESS = (0.1, 3.0)
_PRIOR_FLOOR = 1e-6
_CORE = 1.5  # radius, in FWHM, in which a star shows whether it is one
_PIXEL_CLIP = 5.0
_MIN_GOOD_FRACTION = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class PsfFit:
    """A fitted PSF and what it says about each star.

    Parameters
    ----------
    psf : PixelPsf
        The model.
    used : ndarray of bool, shape (n,)
        Stars that shaped the model in the last round.
    chi2 : ndarray of float64, shape (n,)
        Reduced chi-squared of each star; NaN for stars without a usable stamp.
    flux, flux_err : ndarray of float64, shape (n,)
        Flux of each star under the model, image units, and its error; NaN as ``chi2``.
    x, y : ndarray of float64, shape (n,)
        Refined positions, pixels.
    offset : ndarray of float64, shape (n,)
        Constant found under each star, image units; zero unless asked for.
    """

    psf: PixelPsf
    used: Bool
    chi2: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    offset: NDArray[np.float64]


def fit_psf(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    good: NDArray[np.bool_],
    *,
    x: ArrayLike,
    y: ArrayLike,
    shape: tuple[int, int],
    use: ArrayLike | None = None,
    degree: int | None = None,
    sampling: float | None = None,
    accuracy: float = 0.01,
    fit_offset: bool = False,
    chi2_clip: float = 4.0,
    rounds: int = 4,
    min_stars: int = 3,
) -> PsfFit:
    """Fit a polynomially varying pixel PSF to stars.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, h, w)
        Pixels about each star, background subtracted; the middle pixel is (round(x), round(y)); h and w odd.
    variance : ndarray of float32, shape (n, h, w)
        Their variance, image units squared.
    good : ndarray of bool, shape (n, h, w)
        Pixels to use: false for bad pixels and for those that belong to a neighbour.
    x, y : array-like, shape (n,)
        Positions, pixels. They are refined, but their mean, as a polynomial over the detector, is kept: it defines
        where the centre of the PSF is.
    shape : tuple of int
        Shape (ny, nx) of the detector, to scale the positions with.
    use : array-like of bool, shape (n,), optional
        Stars that may shape the model; the others (reserved stars) are only measured. All if absent.
    degree : int, optional
        Degree of the polynomial; follows the number of stars if absent.
    sampling : float, optional
        Step of the model, pixels; if absent 1, or finer where stars are narrow.
    accuracy : float
        Relative error granted to the model, so that a few very bright stars do not rule it.
    fit_offset : bool
        Fit a constant under each star too. The light in the PSF's wings at the border of the stamp is then not known,
        and its mean there is taken as zero.
    chi2_clip : float
        Stars are dropped whose chi-squared is this many standard deviations above that of the others.
    rounds : int
        Rounds of model, stars, and clipping.
    min_stars : int
        Fewest stars that make a PSF.

    Returns
    -------
    PsfFit
        Model, and flux, place and chi-squared of every star.

    Raises
    ------
    MeasurementError
        If fewer than ``min_stars`` stars can be used.
    ValueError
        If the arrays do not belong together, or a stamp's size is even.

    References
    ----------
    E. Bertin (2011), Automated morphometry with SExtractor and PSFEx, ADASS XX, 435.
    """
    px, py = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if stamps.ndim != 3 or not stamps.shape == variance.shape == good.shape or len(px) != len(stamps):
        raise ValueError(
            f"stamps {stamps.shape}, variance {variance.shape}, good {good.shape} and {len(px)} positions do not match"
        )
    height, width = stamps.shape[1:]
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(f"stamps have odd sizes, got {height} x {width}")
    good = good & np.isfinite(stamps) & (variance > 0) & np.isfinite(variance)
    usable = _has_core(good)
    candidate = usable if use is None else usable & np.asarray(use, bool)
    flux, fwhm = _first_guess(stamps, good)
    usable &= flux > 0
    candidate &= usable
    n = int(candidate.sum())
    if n < min_stars:
        raise MeasurementError(f"no PSF: {n} usable stars, {min_stars} are needed; loosen the star selection")
    if degree is None:
        degree = next((value for value, least in _STARS_FOR_DEGREE if n >= least), 0)
    x_zero, y_zero, x_scale, y_scale = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0, shape[1] / 2.0, shape[0] / 2.0
    # of areas in whole pixels the mean tells more than the median, which is one of few values
    middle = np.median(fwhm[candidate])
    typical_fwhm = float(np.mean(fwhm[candidate & (np.abs(fwhm - middle) <= 0.3 * middle)]))
    if sampling is None:
        critical = _CRITICAL_FWHM if n >= _FEW_STARS else _CRITICAL_FWHM_FEW_STARS
        sampling = 1.0 if typical_fwhm >= critical else _FINE_SAMPLING
    index = np.flatnonzero(usable)
    x_given, y_given = px[index] - np.rint(px[index]), py[index] - np.rint(py[index])
    stars = _Stars(
        stamps=np.where(good[index], stamps[index], np.float32(0.0)),
        variance=np.where(good[index], variance[index], np.float32(1.0)),
        good=good[index],
        slope=_variance_slope(stamps[index], variance[index], good[index]),
        terms=polynomial_terms((px[index] - x_zero) / x_scale, (py[index] - y_zero) / y_scale, degree),
        candidate=candidate[index],
        used=candidate[index],
        flux=flux[index],
        x=x_given,
        y=y_given,
        fwhm=typical_fwhm,
        sampling=sampling,
        accuracy=accuracy,
        fit_offset=fit_offset,
    )
    basis = _first_basis(typical_fwhm, (height, width), sampling, stars.terms.shape[1])
    stars.place(basis)
    stars.measure()
    for number in range(rounds):
        first = number == 0
        prior = basis[0] if first else smooth_profile(basis[0])
        basis = _solve(stars, basis, prior, _PRIOR_TIGHTNESS[0 if first else 1], steps=12 if first else 6)
        basis = _normalise(basis, sampling, (height, width), fit_offset)
        stars.predict(basis)
        step_x, step_y = stars.measure()
        if number < rounds - 1:
            stars.move(step_x, step_y, x_given, y_given)
            stars.place(basis)
            stars.drop_outliers(chi2_clip, min_stars)
    psf = PixelPsf(
        basis,
        degree,
        x_zero,
        x_scale,
        y_zero,
        y_scale,
        sampling=sampling,
        stamp_shape=(height, width),
        fwhm=_fwhm(basis, degree, sampling, (height, width)),
        chi2=float(np.median(stars.chi2[stars.used])),
        n_star=int(stars.used.sum()),
    )
    used = np.zeros(len(px), bool)
    used[index] = stars.used
    result = np.full((6, len(px)), np.nan)
    rounded_x, rounded_y = np.rint(px[index]), np.rint(py[index])
    result[:, index] = stars.chi2, stars.flux, stars.flux_err, rounded_x + stars.x, rounded_y + stars.y, stars.offset
    return PsfFit(psf, used, *result)


@dataclass
class _Stars:
    """The stamps, and what is known of the stars while the fit goes on.

    ``stamps``, ``variance``, ``good``, ``model`` have the shape (n, h, w), ``terms`` (n, n_term), ``rows`` and
    ``columns`` (n, h, my) and (n, w, mx), all other arrays (n,). Positions are relative to the middle pixel.
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
        self.core = stamp_radius((height, width)) <= _CORE * self.fwhm
        self.rows = self.columns = self.model = np.zeros((n, 0, 0), np.float32)

    def place(self, basis: Float) -> None:
        """Take the stars' positions over into the interpolation and the prediction."""
        height, width = self.stamps.shape[1:]
        self.rows = shift_matrices(self.y, height, basis.shape[1], self.sampling)
        self.columns = shift_matrices(self.x, width, basis.shape[2], self.sampling)
        self.predict(basis)

    def predict(self, basis: Float) -> None:
        """Render every star with unit flux, as `PixelPsf.render` does."""
        n_term, model_height, model_width = basis.shape
        height, width = self.stamps.shape[1:]
        self.total = self.terms @ _stamp_sums(basis, self.sampling, (height, width))
        scaled = (self.terms / self.total[:, None]).astype(np.float32)
        image = (scaled @ basis.reshape(n_term, -1)).reshape(-1, model_height, model_width)
        self.model = self.rows @ image @ self.columns.transpose(0, 2, 1)

    def weight(self) -> Float:
        """Return inverse variances, in which the model stands in for the pixel's own light.

        A variance plane that follows the pixels gives low pixels more weight, and fluxes come out low.
        """
        light = self.flux[:, None, None].astype(np.float32) * self.model
        noise = self.stamps - light - self.offset[:, None, None].astype(np.float32)
        variance = np.maximum(self.variance - np.float32(self.slope) * noise, np.float32(0.25) * self.variance)
        variance += (np.float32(self.accuracy) * light) ** 2
        return np.where(self.good, 1.0 / variance, np.float32(0.0))

    def measure(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Fit flux and offset, and return the steps in x and y (pixels) to better positions."""
        weight = self.weight()
        by_x, by_y = (np.asarray(np.gradient(self.model, axis=axis), np.float32) for axis in (2, 1))
        columns = [self.model, -by_x, -by_y] + ([np.ones_like(self.model)] if self.fit_offset else [])
        design = np.stack([column.reshape(len(self.x), -1) for column in columns], axis=1)
        weighted = design * weight.reshape(len(self.x), 1, -1)
        normal = (weighted @ design.transpose(0, 2, 1)).astype(np.float64)
        right = (weighted @ self.stamps.reshape(len(self.x), -1, 1)).astype(np.float64)
        solution = np.asarray(np.linalg.solve(normal, right)[:, :, 0], np.float64)
        self.flux = solution[:, 0]
        if self.fit_offset:
            self.offset = solution[:, 3]
        variance = np.where(self.good, self.variance, np.float32(0.0))
        self.flux_err = np.sqrt(np.sum((weight * self.model) ** 2 * variance, axis=(1, 2))) / normal[:, 0, 0]
        residual = self.stamps - (solution[:, None, :].astype(np.float32) @ design).reshape(self.stamps.shape)
        core = weight * self.core
        self.chi2 = np.sum(core * residual**2, axis=(1, 2)) / np.maximum(np.sum(core > 0, axis=(1, 2)) - 3.0, 1.0)
        steps = np.clip(solution[:, 1:3] / np.maximum(self.flux, 1e-30)[:, None], -0.3, 0.3)
        return steps[:, 0], steps[:, 1]

    def move(
        self,
        step_x: NDArray[np.float64],
        step_y: NDArray[np.float64],
        x_given: NDArray[np.float64],
        y_given: NDArray[np.float64],
    ) -> None:
        """Move the stars, but not their mean: the model could move the other way and fit as well."""
        moved = np.stack([self.x + step_x - x_given, self.y + step_y - y_given], axis=1)
        weight = np.clip(self.flux / np.maximum(self.flux_err, 1e-30), 0.0, 100.0) * self.used
        mean = np.linalg.lstsq(self.terms * weight[:, None], moved * weight[:, None], rcond=None)[0]
        moved = np.clip(moved - self.terms @ mean, -1.0, 1.0)
        self.x, self.y = x_given + moved[:, 0], y_given + moved[:, 1]

    def drop_outliers(self, chi2_clip: float, min_stars: int) -> None:
        """Mask pixels outside the core that the model does not explain, and drop stars with high chi-squared."""
        weight = self.weight()
        residual = self.stamps - self.flux[:, None, None].astype(np.float32) * self.model
        residual -= self.offset[:, None, None].astype(np.float32)
        box = (1, 3, 3)
        excess = uniform_filter(residual * weight, box, mode="constant")
        norm = uniform_filter(weight, box, mode="constant")
        significant = (excess * 3.0 > _PIXEL_CLIP * np.sqrt(np.maximum(norm, 0.0))) & (norm > 0) & ~self.core
        if significant.any():
            self.good &= ~maximum_filter(significant, (1, 5, 5))
        chi2 = self.chi2[self.candidate]
        middle = np.median(chi2)
        spread = max(1.4826 * float(np.median(np.abs(chi2 - middle))), float(np.sqrt(2.0 / self.core.sum())))
        used = self.candidate & (self.chi2 <= middle + chi2_clip * spread) & (self.flux > 0) & _is_whole(self.good)
        if used.sum() >= min_stars:
            self.used = used


def _solve(stars: _Stars, basis: Float, prior: Float, tightness: float, steps: int) -> Float:
    """Improve the model's images by conjugate gradients, starting from the present ones.

    Parameters
    ----------
    stars : _Stars
        Data.
    basis : ndarray of float32, shape (n_term, my, mx)
        Present images.
    prior : ndarray of float32, shape (my, mx)
        What the first image is expected to be; the others are expected to be zero.
    tightness : float
        Inverse of the relative standard deviation that the expectation is granted. It matters only where the stars say
        less: far out, where noise would pass for light.
    steps : int
        Number of conjugate-gradient steps.
    """
    used = stars.used
    weight, rows, columns = stars.weight()[used], stars.rows[used], stars.columns[used]
    rows_t, columns_t = np.ascontiguousarray(rows.transpose(0, 2, 1)), np.ascontiguousarray(columns.transpose(0, 2, 1))
    scaled = (stars.terms * (stars.flux / stars.total)[:, None])[used].astype(np.float32)
    n_term, model_height, model_width = basis.shape

    def predict(images: Float) -> Float:
        each = (scaled @ images.reshape(n_term, -1)).reshape(-1, model_height, model_width)
        return np.asarray(rows @ each @ columns_t, np.float32)

    def gather(pixels: Float) -> Float:
        each = rows_t @ pixels @ columns
        return np.asarray((scaled.T @ each.reshape(len(each), -1)).reshape(basis.shape), np.float32)

    spread = ((rows_t**2) @ weight @ (columns**2)).reshape(len(weight), -1)
    products = (scaled[:, :, None] * scaled[:, None, :]).reshape(len(scaled), -1)
    blocks = (spread.T @ products).reshape(-1, n_term, n_term).astype(np.float64)
    damping = (tightness / np.maximum(prior, _PRIOR_FLOOR * prior.max())) ** 2
    blocks += damping.reshape(-1, 1, 1) * np.eye(n_term)
    inverse = np.linalg.inv(blocks).astype(np.float32)

    def precondition(images: Float) -> Float:
        return np.asarray(
            (inverse @ images.reshape(n_term, -1).T[:, :, None])[:, :, 0].T.reshape(basis.shape), np.float32
        )

    constant = stars.offset[used, None, None].astype(np.float32)
    residual = gather(weight * (stars.stamps[used] - constant - predict(basis))) - damping * basis
    residual[0] += damping * prior
    solution = basis.copy()
    conditioned = precondition(residual)
    direction, norm = conditioned, float(np.vdot(residual, conditioned))
    first_norm = norm
    for _ in range(steps):
        if not norm > 1e-8 * first_norm:
            break
        image = gather(weight * predict(direction)) + damping * direction
        length = norm / float(np.vdot(direction, image))
        solution += np.float32(length) * direction
        residual -= np.float32(length) * image
        conditioned = precondition(residual)
        last, norm = norm, float(np.vdot(residual, conditioned))
        direction = conditioned + np.float32(norm / last) * direction
    return solution


def _stamp_sums(basis: NDArray[Any], sampling: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the sum of each image over a centred stamp of detector pixels, shape (n_term,)."""
    zero = np.zeros(1)
    rows = shift_matrices(zero, shape[0], basis.shape[1], sampling)[0].sum(axis=0, dtype=np.float64)
    columns = shift_matrices(zero, shape[1], basis.shape[2], sampling)[0].sum(axis=0, dtype=np.float64)
    return np.asarray(np.einsum("i,tij,j->t", rows, basis, columns), np.float64)


def _normalise(basis: Float, sampling: float, shape: tuple[int, int], fit_offset: bool) -> Float:
    """Return images of which the first adds up to one and the others to zero: light is the stars', not the model's."""
    images = basis.astype(np.float64)
    if fit_offset:
        border = np.ones(basis.shape[1:], bool)
        border[1:-1, 1:-1] = False
        images -= images[:, border].mean(axis=1)[:, None, None]
    sums = _stamp_sums(images, sampling, shape)
    images[0] /= sums[0]
    images[1:] -= sums[1:, None, None] * images[0]
    return images.astype(np.float32)


def _has_core(good: Bool) -> Bool:
    """Return which stamps have all of their middle 3 x 3 pixels and enough of the others."""
    y, x = good.shape[1] // 2, good.shape[2] // 2
    return np.asarray(good[:, y - 1 : y + 2, x - 1 : x + 2].all(axis=(1, 2)) & _is_whole(good), bool)


def _is_whole(good: Bool) -> Bool:
    """Return which stamps have enough good pixels."""
    return np.asarray(good.mean(axis=(1, 2)) >= _MIN_GOOD_FRACTION, bool)


def _first_guess(stamps: Float, good: Bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return flux in an aperture and FWHM, pixels, from the area above half of the peak."""
    radius = stamp_radius((stamps.shape[1], stamps.shape[2]))
    clean = np.where(good, stamps, np.float32(0.0))
    inner = radius <= radius.max() / 3.0
    peak = np.max(clean * (radius <= 1.5), axis=(1, 2))
    area = np.sum((clean > 0.5 * peak[:, None, None]) & inner, axis=(1, 2))
    fwhm = 2.0 * np.sqrt(np.maximum(area, 1) / np.pi)
    aperture = radius <= 2.0 * np.median(fwhm) if len(fwhm) else inner
    return np.sum(clean * aperture, axis=(1, 2), dtype=np.float64), fwhm


def _variance_slope(stamps: Float, variance: Float, good: Bool) -> float:
    """Return how much a pixel's variance follows its own noise, from the pixels at the border of the stamps."""
    outside = stamp_radius((stamps.shape[1], stamps.shape[2])) > 0.7 * (min(stamps.shape[1:]) // 2)
    border = good[:, outside].astype(np.float64)
    count = np.maximum(border.sum(axis=1, keepdims=True), 1.0)
    values = [np.where(border > 0, plane[:, outside], 0.0) for plane in (stamps, variance)]
    image, var = ((value - value.sum(axis=1, keepdims=True) / count) * border for value in values)
    slopes = np.sum(image * var, axis=1) / np.maximum(np.sum(image**2, axis=1), 1e-30)
    return max(float(np.median(slopes)), 0.0)


def _first_basis(fwhm: float, shape: tuple[int, int], sampling: float, n_term: int) -> Float:
    """Return a round Moffat profile for the constant term and nothing for the others."""
    height, width = (2 * int(np.ceil((size // 2) / sampling)) + 1 for size in shape)
    basis = np.zeros((n_term, height, width), np.float32)
    basis[0] = moffat(stamp_radius((height, width), sampling), fwhm)
    basis[0] /= _stamp_sums(basis[:1], sampling, shape)[0]
    return basis


def _fwhm(basis: Float, degree: int, sampling: float, shape: tuple[int, int]) -> float:
    """Return the width in the middle of the detector, pixels, of the circle that covers what is above half maximum."""
    offsets = np.arange(8) / 8.0 - 0.4375
    x, y = (axis.ravel() for axis in np.meshgrid(offsets, offsets))
    fine = PixelPsf(basis, degree, x_scale=1e9, y_scale=1e9, sampling=sampling, stamp_shape=shape).render(x=x, y=y)
    return float(2.0 * np.sqrt(np.sum(fine > 0.5 * fine.max()) / len(x) / np.pi))
