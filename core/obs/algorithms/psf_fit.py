"""Fit a PSF that varies over the detector to stamps of stars.

The model is an image a polynomial term, sampled at a step of its own (Bertin 2011). Every stamp is predicted by moving
the model to the star's sub-pixel place with the very interpolation that `PixelPsf.render` uses, so that what is fitted is
what photometry will use. The images follow from weighted least squares, solved by conjugate gradients with the problem
without interpolation as preconditioner; fluxes, places and offsets of the stars follow from the model; the two take
turns while outlying pixels and stars are dropped.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter, uniform_filter

from obs.errors import MeasurementError
from obs.image.psf import PixelPsf, _resampling, polynomial_terms

__all__ = ["PsfFit", "fit_psf"]

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

_STARS_FOR_DEGREE = ((3, 250), (2, 36), (1, 12))
_CRITICAL_FWHM = 3.0
_FINE_SAMPLING = 0.5
_MOFFAT_BETA = 3.0
_PRIOR_WEIGHT = 1e-4
_PIXEL_CLIP = 5.0
_MIN_GOOD_FRACTION = 0.5


@dataclass(frozen=True, slots=True)
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
        Positions, pixels. They are refined, but their mean (as a polynomial over the detector) is kept: it defines where
        the centre of the PSF is.
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
    width_guess = float(np.median(fwhm[candidate]))
    if sampling is None:
        sampling = 1.0 if width_guess >= _CRITICAL_FWHM else _FINE_SAMPLING

    x_zero, y_zero, x_scale, y_scale = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0, shape[1] / 2.0, shape[0] / 2.0
    index = np.flatnonzero(usable)
    stars = _Stars(
        stamps=np.where(good[index], stamps[index], np.float32(0.0)),
        variance=np.where(good[index], variance[index], np.float32(1.0)),
        good=good[index],
        slope=_variance_slope(stamps[index], variance[index], good[index]),
        dx=px[index] - np.rint(px[index]),
        dy=py[index] - np.rint(py[index]),
        terms=polynomial_terms((px[index] - x_zero) / x_scale, (py[index] - y_zero) / y_scale, degree).astype(np.float32),
        flux=flux[index],
        offset=np.zeros(len(index), np.float32),
        used=candidate[index],
        sampling=sampling,
        accuracy=accuracy,
        fit_offset=fit_offset,
    )
    may_be_used = stars.used.copy()
    basis = _first_basis(width_guess, (height, width), sampling, stars.terms.shape[1])
    stars.move(basis, 0.0, 0.0)
    stars.measure(basis, move=False)
    for number in range(rounds):
        if number > 0:
            stars.drop_outliers(may_be_used, width_guess, chi2_clip, min_stars)
        basis = _solve(stars, basis, steps=12 if number == 0 else 6)
        basis = stars.normalise(basis)
        stars.predict(basis)
        stars.measure(basis, move=number < rounds - 1)
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
    measured = np.full((6, len(px)), np.nan)
    measured[:, index] = (
        stars.chi2,
        stars.flux,
        stars.flux_err,
        np.rint(px[index]) + stars.dx,
        np.rint(py[index]) + stars.dy,
        stars.offset,
    )
    return PsfFit(psf, used, *measured)


class _Stars:
    """The stamps, and what is known of the stars as the fit goes on.

    ``stamps``, ``variance``, ``good``, ``model`` have the shape (n, h, w), ``terms`` (n, n_term), ``rows``, ``columns``
    (n, h, my), (n, w, mx); everything else (n,).
    """

    def __init__(
        self,
        *,
        stamps: Float,
        variance: Float,
        good: Bool,
        slope: float,
        dx: NDArray[np.float64],
        dy: NDArray[np.float64],
        terms: Float,
        flux: Float,
        offset: Float,
        used: Bool,
        sampling: float,
        accuracy: float,
        fit_offset: bool,
    ) -> None:
        self.stamps, self.variance, self.good, self.slope = stamps, variance, good, np.float32(slope)
        self.dx, self.dy, self.terms, self.flux, self.offset, self.used = dx, dy, terms, flux, offset, used
        self.sampling, self.accuracy, self.fit_offset = sampling, np.float32(accuracy), fit_offset
        self.dx_given, self.dy_given = dx.copy(), dy.copy()
        self.chi2 = self.flux_err = np.full(len(dx), np.nan, np.float32)
