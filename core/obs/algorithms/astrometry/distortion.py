"""What an a-priori WCS misses, as functions over the detector, fitted to matched stars.

A ladder of linear least-squares fits, from a similarity over an affine map and the radial distortion of a lens to
polynomials of rising order (Shupe et al. 2005, ADASS XIV, 491), clipped. The one that predicts left-out stars best is
kept.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import Matches
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip

__all__ = ["DistortionFit", "MatchedPlane", "Model", "rms"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_ROUNDS = 10
_INDEPENDENT = 1e-5  # smallest part of a term, of length one, that the others do not hold
_DECISIVE = 0.5  # a model that predicts better by this factor shows that the one before is wrong
_WORTH = 0.98  # a model with more terms must predict better by this factor
_AS_GOOD = 1.02  # models that predict worse by less than this factor are as good


@frozen
class Model:
    """A family of maps of the detector.

    Parameters
    ----------
    name : str
        ``similarity``, ``lens``, ``radial`` or ``polynomial``.
    order : int
        Order of the polynomials that can hold it; 1 is an affine map.
    n_coefficient : float
        Coefficients for each axis.
    min_pairs : int
        Fewest pairs to fit it to.
    """

    name: str
    order: int
    n_coefficient: float
    min_pairs: int


_SIMILARITY = Model("similarity", 1, 2.0, 4)
_LENS = Model("lens", 3, 3.5, 6)
_RADIAL = Model("radial", 3, 4.5, 8)


def _ladder(max_order: int) -> Iterator[Model]:
    """Yield the models beyond a similarity by the number of their coefficients."""
    for order in range(1, max_order + 1):
        n = (order + 1) * (order + 2) // 2
        yield Model("polynomial", order, n, 6 if order == 1 else 3 * n)
        if order == 1 and max_order >= _RADIAL.order:
            yield _LENS
            yield _RADIAL


@frozen(eq=False)
class DistortionFit:
    """Coefficients that take detector pixels to those of the a-priori WCS; ``scatter`` in pixels.

    Parameters
    ----------
    model : Model
        What was fitted.
    coefficients : ndarray of float64
        Shape (n_term, 2) for polynomials; (n_term,) for models that couple the axes.
    keep : ndarray of bool, shape (n_pair,)
        Pairs that were not clipped.
    scatter, predicted : float
        Root mean square residual for each axis, pixels, of stars in the fit and of stars left out one at a time.
    """

    model: Model
    coefficients: Float
    keep: Bool
    scatter: float
    predicted: float


class MatchedPlane:
    """Sources in detector pixels, and reference stars in the pixels in which the a-priori WCS sees them.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n_source,)
        Centroids of the sources, pixels.
    ref_x, ref_y : ndarray of float64, shape (n_star,)
        Places of the reference stars by the a-priori WCS, pixels.
    shape : tuple of int
        Shape (ny, nx) of the image.
    """

    def __init__(self, x: Float, y: Float, ref_x: Float, ref_y: Float, shape: tuple[int, int]) -> None:
        self.x, self.y, self.ref_x, self.ref_y, self.shape = x, y, ref_x, ref_y, shape
        self.x_middle, self.y_middle, self.unit = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0, max(shape) / 2.0

    def design(self, x: Float, y: Float, model: Model) -> Float:
        """Return the terms of a model.

        Parameters
        ----------
        x, y : ndarray of float64, shape (n,)
            Positions, pixels.
        model : Model
            What is fitted.

        Returns
        -------
        ndarray of float64
            Shape (n, n_term) for polynomials, 1, then x, y, then the higher ones; shape (2 n, n_term) for models that
            couple the axes, x of all positions first.
        """
        u, v = (x - self.x_middle) / self.unit, (y - self.y_middle) / self.unit
        if model.name == "polynomial":
            terms = [np.ones_like(u)]
            for total in range(1, model.order + 1):
                last = terms[-total:]
                terms += [term * u for term in last] + [last[-1] * v]
            return np.stack(terms, axis=1)
        one, zero = np.ones_like(u), np.zeros_like(u)
        similarity = [np.r_[one, zero], np.r_[zero, one], np.r_[u, v], np.r_[-v, u]]
        if model.name == "similarity":
            return np.stack(similarity, axis=1)
        square = u**2 + v**2
        # r^2 times the position, and what happens to it where the axis is not in the middle of the detector
        bent = [np.r_[square * u, square * v], np.r_[3 * u**2 + v**2, 2 * u * v], np.r_[2 * u * v, u**2 + 3 * v**2]]
        if model.name == "lens":
            return np.stack(similarity + bent, axis=1)
        affine = [np.r_[term, zero] for term in (one, u, v)] + [np.r_[zero, term] for term in (one, u, v)]
        return np.stack(affine + bent, axis=1)

    def apply(self, solution: DistortionFit, x: Float, y: Float) -> tuple[Float, Float]:
        """Return where the a-priori WCS would have to see pixels for their sky coordinates to be right.

        Parameters
        ----------
        solution : DistortionFit
            The correction.
        x, y : ndarray of float64, shape (n,)
            Positions on the detector, pixels.
        """
        moved = self.design(x, y, solution.model) @ solution.coefficients
        if solution.model.name != "polynomial":
            moved = moved.reshape(2, -1).T
        return x + moved[:, 0], y + moved[:, 1]

    def middle(self, solution: DistortionFit) -> tuple[complex, Float]:
        """Return the shift in the middle of the detector, pixels, and the Jacobian there.

        Parameters
        ----------
        solution : DistortionFit
            Correction from detector pixels to the pixels of the a-priori WCS.

        Returns
        -------
        shift : complex
            Shift in x (real part) and in y (imaginary part), pixels.
        jacobian : ndarray of float64, shape (2, 2)
            Derivatives of the corrected x (first row) and y to x (first column) and y.
        """
        step = np.array([0.0, 1.0, -1.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0, -1.0])
        x, y = self.apply(solution, self.x_middle + step[0], self.y_middle + step[1])
        jacobian = 0.5 * np.array([[x[1] - x[2], x[3] - x[4]], [y[1] - y[2], y[3] - y[4]]])
        return complex(x[0] - self.x_middle, y[0] - self.y_middle), jacobian

    def fit(self, pairs: Matches, model: Model, keep: Bool) -> tuple[DistortionFit, Float]:
        """Fit one model to the kept pairs by least squares.

        Parameters
        ----------
        pairs : Matches
            Rows of sources and of their reference stars.
        model : Model
            What is fitted.
        keep : ndarray of bool, shape (n_pair,)
            Pairs in the fit.

        Returns
        -------
        fitted : DistortionFit
            The fit.
        distance : ndarray of float64, shape (n_pair,)
            Distances of all pairs from it, pixels.
        """
        x, y = self.x[pairs.first], self.y[pairs.first]
        terms = self.design(x, y, model)
        target = np.stack([self.ref_x[pairs.second] - x, self.ref_y[pairs.second] - y], axis=1)
        coupled = model.name != "polynomial"
        values = target.T.ravel() if coupled else target
        rows = np.concatenate([keep, keep]) if coupled else keep
        inverse = _inverse_root(terms[rows])
        leverage = terms[rows] @ inverse
        solution = inverse @ (leverage.T @ values[rows])
        residual = values - terms @ solution
        # what a fit without the star would have missed it by
        left_out = (residual[rows].T / np.maximum(1.0 - np.sum(leverage**2, axis=1), 1e-3)).T
        fitted = DistortionFit(model, solution, keep, rms(residual[rows]), rms(left_out))
        offset = residual.reshape(2, -1) if coupled else residual.T
        return fitted, np.hypot(offset[0], offset[1])

    def fit_clipped(self, pairs: Matches, model: Model, clip: float) -> DistortionFit:
        """Fit one model, dropping pairs that do not follow.

        Parameters
        ----------
        pairs : Matches
            Rows of sources and of their reference stars.
        model : Model
            What is fitted.
        clip : float
            Distance from the fit at which a pair is dropped, in standard deviations of one axis.
        """
        keep = np.ones(len(pairs), bool)
        for _ in range(_ROUNDS):
            fitted, distance = self.fit(pairs, model, keep)
            # the median distance of a two-dimensional Gaussian is 1.1774 of its standard deviation per axis
            narrowed = distance <= np.sqrt(2.0) * clip * np.median(distance[keep]) / 1.1774
            if np.array_equal(narrowed, keep) or narrowed.sum() < model.min_pairs:
                break
            keep = narrowed
        return fitted

    def fit_ladder(
        self, pairs: Matches, max_order: int, clip: float, max_error: float, where: tuple[Float, Float] | None = None
    ) -> DistortionFit:
        """Take models with more terms as long as stars left out are predicted better for it.

        One is not taken if somewhere, far from its stars, it may be wrong by more than ``max_error`` and by more than
        the model before. Without ``where``, one that predicts stars better by far is taken all the same: the error of
        the model before is not what it seems.

        Parameters
        ----------
        pairs : Matches
            Rows of sources and of their reference stars.
        max_order : int
            Highest order of the polynomials.
        clip : float
            See `fit_clipped`.
        max_error : float
            Five times the standard error that a model may have, pixels.
        where : tuple of ndarray of float64, optional
            Positions x, y at which the error matters, pixels; all of the detector if absent.

        Raises
        ------
        MeasurementError
            If there are fewer pairs than a similarity needs.
        """
        if len(pairs) < _SIMILARITY.min_pairs:
            raise MeasurementError(f"no astrometry: only {len(pairs)} sources are near a reference star")
        best = self.fit_clipped(pairs, _SIMILARITY, clip)
        for model in _ladder(max_order):
            if len(pairs) < model.min_pairs or model.order > max(best.model.order, 1) + 2:
                break
            fitted = self.fit_clipped(pairs, model, clip)
            # each model clips the stars that it cannot follow, so only stars that both kept compare them
            common = fitted.keep & best.keep
            if common.sum() <= model.n_coefficient + 1:
                continue
            higher, lower = (self.fit(pairs, each, common)[0] for each in (model, best.model))
            if higher.predicted < _WORTH * lower.predicted:
                error = self.error(pairs, fitted, where)
                # stars that contradict the model before leave no choice, if the result is to hold all over the detector
                decided = where is None and higher.predicted < _DECISIVE * lower.predicted
                if decided or error <= max_error or error <= self.error(pairs, best, where):
                    best = fitted
        return best

    def spread(self, pairs: Matches, solution: DistortionFit, where: tuple[Float, Float]) -> Float:
        """Return the standard error of the fit at positions, pixels, shape (n,).

        Parameters
        ----------
        pairs : Matches
            The pairs that were fitted.
        solution : DistortionFit
            The fit.
        where : tuple of ndarray of float64, shape (n,)
            Positions x, y, pixels.
        """
        kept = pairs.first[solution.keep]
        inverse = _inverse_root(self.design(self.x[kept], self.y[kept], solution.model))
        leverage = np.sum((self.design(*where, solution.model) @ inverse) ** 2, axis=1)
        if solution.model.name != "polynomial":
            leverage = leverage.reshape(2, -1).max(axis=0)
        # the stars of the fit scatter less than others do, by what the coefficients take
        freedom = max(len(kept) - solution.model.n_coefficient, 0.5) / len(kept)
        return np.asarray(solution.scatter * np.sqrt(leverage / freedom))

    def error(self, pairs: Matches, solution: DistortionFit, where: tuple[Float, Float] | None = None) -> float:
        """Return five times the largest standard error of the fit, pixels, on the detector or at given positions.

        Parameters
        ----------
        pairs : Matches
            Rows of sources and of the reference stars that belong to them.
        solution : DistortionFit
            A fit to these pairs.
        where : tuple of ndarray of float64, optional
            Positions x and y, pixels. By default a grid over the detector.
        """
        return 5.0 * float(self.spread(pairs, solution, where or self.grid()).max())

    def ambiguity(self, pairs: Matches, solution: DistortionFit, max_order: int, clip: float) -> float:
        """Return how far models that predict the stars as well are from a fit somewhere on the detector, pixels.

        The standard error of a fit supposes that its model is right. Where there are no stars, only other models tell.
        Infinite if the stars are too few for any that distorts.

        Parameters
        ----------
        pairs : Matches
            The pairs that were fitted.
        solution : DistortionFit
            The fit.
        max_order : int
            Highest order of the other models.
        clip : float
            See `fit_clipped`.
        """
        where = self.grid()
        place, furthest = np.array(self.apply(solution, *where)), 0.0
        for model in _ladder(max_order):
            if len(pairs) < model.min_pairs:
                return float("inf") if model.order <= 2 and solution.model.order == 1 else furthest
            other = self.fit_clipped(pairs, model, clip)
            common = other.keep & solution.keep
            if common.sum() <= max(model.n_coefficient, solution.model.n_coefficient) + 1:
                continue
            rival, own = (self.fit(pairs, each, common)[0].predicted for each in (model, solution.model))
            # high orders follow noise where there are no stars: they count if they are better
            if rival <= (_AS_GOOD if model.order <= _RADIAL.order else _WORTH) * own:
                furthest = max(furthest, float(np.hypot(*(np.array(self.apply(other, *where)) - place)).max()))
        return furthest

    def extent(self, pairs: Matches, solution: DistortionFit) -> float:
        """Return the fraction of the detector that the stars of a fit span.

        Parameters
        ----------
        pairs : Matches
            Rows of sources and of the reference stars that belong to them.
        solution : DistortionFit
            A fit to these pairs; only the stars that it keeps count.

        Returns
        -------
        float
            Area of the smallest upright rectangle about the stars, divided by the area of the detector.
        """
        kept = pairs.first[solution.keep]
        return float(np.ptp(self.x[kept]) * np.ptp(self.y[kept]) / (self.shape[0] * self.shape[1]))

    def grid(self) -> tuple[Float, Float]:
        """Return positions over the detector, pixels."""
        x, y = np.meshgrid(np.linspace(0, self.shape[1] - 1, 20), np.linspace(0, self.shape[0] - 1, 20))
        return x.ravel(), y.ravel()

    def to_wcs(self, solution: DistortionFit, wcs: TanSipWcs) -> TanSipWcs:
        """Join the correction and the a-priori WCS; the distortion that the latter knows is kept.

        Parameters
        ----------
        solution : DistortionFit
            Correction from detector pixels to the pixels of the a-priori WCS.
        wcs : TanSipWcs
            The a-priori WCS.

        Returns
        -------
        TanSipWcs
            Its order is at least that of the a-priori WCS, and at least 3 if the reference pixel had to move onto the
            detector.
        """
        x, y = self.grid()
        moved_x, moved_y = self.apply(solution, x, y)
        ra, dec = wcs.pixel_to_sky(x=moved_x, y=moved_y)
        order = max(solution.model.order, 1 if wcs.a is None else len(wcs.a) - 1)
        crpix = wcs.crpix
        inside = 0 <= crpix[0] < self.shape[1] and 0 <= crpix[1] < self.shape[0]
        if solution.model.order > 1 and not inside:
            # far outside the stars the polynomial means nothing, and the tangent point must be on it
            crpix, order = (self.x_middle, self.y_middle), max(order, 3)
        return fit_tan_sip(x=x, y=y, ra=ra, dec=dec, order=order, crpix=crpix)


def _inverse_root(terms: Float) -> Float:
    """Return R, shape (n_term, n_term), with ``R @ R.T`` the inverse of ``terms.T @ terms``.

    The Cholesky decomposition takes a tenth of the time of one by singular values, which is left to terms that the
    stars hardly tell apart.
    """
    size = np.maximum(np.linalg.norm(terms, axis=0), 1e-300)
    scaled = terms / size
    try:
        triangular = np.linalg.cholesky(scaled.T @ scaled)
    except np.linalg.LinAlgError:
        triangular = np.zeros((1, 1))
    if np.diagonal(triangular).min() > _INDEPENDENT:
        return np.asarray(np.linalg.inv(triangular).T / size[:, None])
    _, values, right = np.linalg.svd(scaled, full_matrices=False)
    known = values > 1e-12 * values[0]
    return np.asarray((right.T * np.where(known, 1 / np.where(known, values, 1.0), 0.0)) / size[:, None])


def rms(values: Float) -> float:
    """Return the root mean square.

    Parameters
    ----------
    values : ndarray of float64
        Values; NaN is returned if there are none.
    """
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")
