"""Fit a PSF that varies over the detector to stamps of stars.

The model is an image a polynomial term, sampled at a step of its own (Bertin 2011). Every stamp is predicted by moving
the model to the star's sub-pixel place with the very interpolation that `PixelPsf.render` uses, so that photometry uses
what was fitted. The images follow from weighted least squares, solved by conjugate gradients with the problem without
interpolation as preconditioner; fluxes, places and offsets of the stars follow from the model; the two take turns while
outlying pixels and stars are dropped.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.psf.center import windowed_centers
from obs.algorithms.psf.profile import cut_into_rings, moffat, stamp_radius
from obs.algorithms.psf.solve import fit_rings, solve_psf
from obs.algorithms.psf.stars import PsfStars, first_guess, has_core, variance_slope
from obs.algorithms.psf.width import half_maximum_width
from obs.algorithms.psf.wings import fit_pedestal
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.psf import PixelPsf, polynomial_terms, stamp_sums

__all__ = ["PsfFit", "fit_psf"]

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

_STARS_FOR_DEGREE = ((3, 300), (2, 60), (1, 15))
# a finer model has 1.8 times the unknowns: with few stars that costs more than the steps of one pixel do
_CRITICAL_FWHM, _CRITICAL_FWHM_FEW_STARS, _FEW_STARS = 2.5, 2.0, 60
_FINE_SAMPLING, _FINEST_SAMPLING = 0.75, 0.4
_PRIOR_TIGHTNESS = (0.1, 2.0)
# a model of fewer terms is improved, not begun anew; of fewer stars chance decides; a star cannot fit better than this
_FEWER_ROUNDS, _FEWEST_TESTED, _LEAST_CHI2 = 2, 5, 0.1


@frozen(eq=False)
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
    is_draft: bool = False,
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
        Pixels to use: false for bad pixels and for those that belong to a neighbor.
    x, y : array-like, shape (n,)
        Positions, pixels. They are refined, so that the light of the model is centered on its middle everywhere on the
        detector.
    shape : tuple of int
        Shape (ny, nx) of the detector, to scale the positions with.
    use : array-like of bool, shape (n,), optional
        Stars that may shape the model; the others (reserved stars) are only measured. All if absent.
    degree : int, optional
        Degree of the polynomial. If absent, the highest that the number of stars allows and that predicts the stars
        left out of the fit better than a PSF that is the same everywhere.
    sampling : float, optional
        Step of the model, pixels; if absent 1, or finer where stars are narrow.
    accuracy : float
        Relative error granted to the model, so that a few very bright stars do not rule it.
    fit_offset : bool
        Fit a constant under each star too. The light in the PSF's wings at the border of the stamp is then not known,
        and is that of the profile that fits the light further in.
    is_draft : bool
        Whether the model only serves to find better stars. If ``degree`` is absent, it is then the highest that the
        number of stars allows, and not held against one that is the same everywhere.
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
    usable = has_core(good)
    candidate = usable if use is None else usable & np.asarray(use, bool)
    flux, fwhm = first_guess(stamps, good)
    usable &= flux > 0
    candidate &= usable
    n = int(candidate.sum())
    if n < min_stars:
        raise MeasurementError(f"no PSF: {n} usable stars, {min_stars} are needed; loosen the star selection")
    x_zero, y_zero, x_scale, y_scale = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0, shape[1] / 2.0, shape[0] / 2.0
    # of areas in whole pixels the mean tells more than the median, which is one of few values
    middle = np.median(fwhm[candidate])
    typical_fwhm = float(np.mean(fwhm[candidate & (np.abs(fwhm - middle) <= 0.3 * middle)]))
    if sampling is None:
        critical = _CRITICAL_FWHM if n >= _FEW_STARS else _CRITICAL_FWHM_FEW_STARS
        sampling = 1.0 if typical_fwhm >= critical else min(_FINE_SAMPLING, max(typical_fwhm / 3.0, _FINEST_SAMPLING))
    index = np.flatnonzero(usable)
    x_given, y_given = px[index] - np.rint(px[index]), py[index] - np.rint(py[index])
    u, v = (px[index] - x_zero) / x_scale, (py[index] - y_zero) / y_scale
    highest = next((value for value, least in _STARS_FOR_DEGREE if n >= least), 0) if degree is None else degree
    for order in range(highest, -1, -1):
        stars = PsfStars(
            stamps=np.where(good[index], stamps[index], np.float32(0.0)),
            variance=np.where(good[index], variance[index], np.float32(1.0)),
            good=good[index],
            slope=variance_slope(stamps[index], variance[index], good[index]),
            terms=polynomial_terms(u, v, order),
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
        rules = _Rules(order, chi2_clip, rounds, min_stars)
        first = _first_basis(typical_fwhm, (height, width), sampling, stars.terms.shape[1])
        basis = _take_turns(stars, first, rules)
        if basis is not None:
            break
    else:
        # stars change by more than this polynomial can follow
        raise MeasurementError("no PSF: the model of the stars has no light in its middle")
    if degree is None and order > 0 and not is_draft:
        stars, basis, order = _lower_order(stars, basis, rules)
    psf = PixelPsf(
        basis,
        order,
        x_zero=x_zero,
        x_scale=x_scale,
        y_zero=y_zero,
        y_scale=y_scale,
        sampling=sampling,
        stamp_shape=(height, width),
        chi2=float(np.median(stars.chi2[stars.used])),
        n_star=int(stars.used.sum()),
        interpolation="star",
    )
    psf.fwhm = half_maximum_width(psf, x=x_zero, y=y_zero)
    used = np.zeros(len(px), bool)
    used[index] = stars.used
    result = np.full((6, len(px)), np.nan)
    rounded_x, rounded_y = np.rint(px[index]), np.rint(py[index])
    result[:, index] = stars.chi2, stars.flux, stars.flux_err, rounded_x + stars.x, rounded_y + stars.y, stars.offset
    return PsfFit(psf, used, *result)


@frozen
class _Rules:
    """Degree of the polynomial, and how model and stars take turns."""

    degree: int
    chi2_clip: float
    rounds: int
    min_stars: int


def _take_turns(stars: PsfStars, basis: Float, rules: _Rules, *, improve: bool = False) -> Float | None:
    """Fit model and stars in turn, from a model that is a first guess or is to be improved.

    Returns
    -------
    ndarray of float32, shape (n_term, my, mx), or None
        The model's images; None if it has no light in its middle somewhere. What is known of the stars is in ``stars``.
    """
    shape = (stars.stamps.shape[1], stars.stamps.shape[2])
    x_given, y_given = stars.x, stars.y
    stars.place(basis)
    stars.measure()
    for number in range(rules.rounds):
        first = number == 0 and not improve
        prior = basis[0] if first else fit_rings(stars, cut_into_rings(basis[0]))
        basis = solve_psf(stars, basis, prior, _PRIOR_TIGHTNESS[0 if first else 1], steps=12 if first else 6)
        basis = _normalize(basis, stars.sampling, shape, stars.fwhm if stars.fit_offset else None)
        stars.predict(basis)
        step_x, step_y = stars.measure()
        if number < rules.rounds - 1:
            off_x, off_y = _center_offsets(basis, rules.degree, stars.sampling, stars.fwhm)
            if not np.isfinite([off_x, off_y]).all():
                return None
            x_given, y_given = x_given + stars.terms @ off_x, y_given + stars.terms @ off_y
            stars.move(step_x, step_y, x_given, y_given)
            stars.place(basis)
            stars.drop_outliers(rules.chi2_clip, rules.min_stars)
    return basis


def _lower_order(stars: PsfStars, basis: Float, rules: _Rules) -> tuple[PsfStars, Float, int]:
    """Return stars, images and degree of the model with fewer terms that predicts stars better, if there is one.

    The model that does not vary is the one to beat. If it wins, the linear one has a try from there.
    """
    kept = stars, basis, rules.degree
    constant = _with_terms(stars, [0])
    images = _take_turns(constant, basis[:1], replace(rules, degree=0, rounds=_FEWER_ROUNDS), improve=True)
    if images is None or _predicts_better(stars, constant):
        return kept
    kept = constant, images, 0
    if rules.degree > 1:
        linear, start = _with_terms(stars, [0, 1, rules.degree + 1]), np.zeros((3, *images.shape[1:]), np.float32)
        start[0] = images[0]
        tilted = _take_turns(linear, start, replace(rules, degree=1, rounds=_FEWER_ROUNDS), improve=True)
        if tilted is not None and _predicts_better(linear, constant):
            kept = linear, tilted, 1
    return kept


def _with_terms(stars: PsfStars, which: list[int]) -> PsfStars:
    """Return stars that a model of some of the terms is fitted to, none of them dropped."""
    return replace(stars, terms=stars.terms[:, which], good=stars.good.copy(), used=stars.candidate.copy())


def _predicts_better(one: PsfStars, other: PsfStars) -> bool:
    """Whether one model predicts the stars that did not shape it better than the other does.

    Those are the reserved stars, and the ones that only one of both models keeps: survivors of clipping always agree.
    """
    tested = ~one.candidate | (one.used != other.used)
    tested &= np.isfinite(one.chi2) & np.isfinite(other.chi2)
    if np.count_nonzero(tested) < _FEWEST_TESTED:
        return True
    gain = np.log(np.maximum(other.chi2[tested], _LEAST_CHI2) / np.maximum(one.chi2[tested], _LEAST_CHI2))
    return bool(np.clip(gain, -1.0, 1.0).mean() > 0)


def _normalize(basis: Float, sampling: float, shape: tuple[int, int], fwhm: float | None) -> Float:
    """Return images of which the first adds up to one and the others to zero: light is the stars', not the model's.

    With the width of the PSF, the constant that stars with offsets leave open is chosen so that the wings go on as a
    profile of seeing does.
    """
    images = basis.astype(np.float64)
    if fwhm is not None:
        border = np.ones(basis.shape[1:], bool)
        border[1:-1, 1:-1] = False
        images -= images[:, border].mean(axis=1)[:, None, None]
        images[0] /= stamp_sums(images[:1], sampling, shape)[0]
        images[0] -= fit_pedestal(images[0], fwhm, sampling)
    sums = stamp_sums(images, sampling, shape)
    images[0] /= sums[0]
    images[1:] -= sums[1:, None, None] * images[0]
    return images.astype(np.float32)


def _center_offsets(
    basis: Float, degree: int, sampling: float, fwhm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far from its middle the light of the model is centered, pixels, as polynomials over the detector."""
    node = np.linspace(-1.0, 1.0, 2 * degree + 1)
    u, v = (axis.ravel() for axis in np.meshgrid(node, node))
    terms = polynomial_terms(u, v, degree)
    images = (terms.astype(np.float32) @ basis.reshape(len(basis), -1)).reshape(-1, *basis.shape[1:])
    centers = np.stack(windowed_centers(images, fwhm / sampling), axis=1) * sampling
    x, y = np.linalg.lstsq(terms, centers, rcond=None)[0].T
    return x, y


def _first_basis(fwhm: float, shape: tuple[int, int], sampling: float, n_term: int) -> Float:
    """Return a round Moffat profile for the constant term and nothing for the others."""
    height, width = (2 * int(np.ceil((size // 2) / sampling)) + 1 for size in shape)
    basis = np.zeros((n_term, height, width), np.float32)
    basis[0] = moffat(stamp_radius((height, width), sampling), fwhm)
    basis[0] /= stamp_sums(basis[:1], sampling, shape)[0]
    return basis
