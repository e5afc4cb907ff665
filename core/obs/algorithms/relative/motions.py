"""Proper motions of stars from positions at several epochs, as far as the positions show that stars move.

The places of a star in one filter at several epochs are a constant plus its motion plus noise, which is that of the
photons and a floor that all epochs share. Motions are drawn from a normal distribution whose width is found together
with the floor: the pair that makes all places most probable. So the noise of single stars does not become motion, and
where epochs cannot tell motion from a floor (two epochs in one filter), the places are as probable without motions.
"""

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["Motions", "fit_motions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Misfits of a star beyond its number of places are cut to a straight line from here on, standard errors.
_ROBUST = 2.0
_STEPS, _ZOOMS = 13, 4
_LARGEST = 30.0  # widths are looked for up to this many times the scatter of the places
#: Share of the stars, those that speak most for motions, that are not heard: one wrong match must not decide.
_UNHEARD = 0.1
#: Misfit per degree of freedom above which places do not lie on a line.
_LARGEST_MISFIT = 9.0


@frozen
class Motions:
    """Motions of stars along both axes.

    Parameters
    ----------
    rate : ndarray of float64, shape (n_star, 2)
        Motion, unit of the positions per unit of time; 0 for stars whose positions do not show a motion.
    error : ndarray of float64, shape (n_star,)
        Its standard error along each axis; infinite where nothing is known.
    place : ndarray of float64, shape (n_group, 2)
        Places of each group at time 0.
    weight : ndarray of float64, shape (n_group,)
        Inverse variances of these, apart from the motion's.
    width : float
        Standard deviation of the motions of all stars.
    floor : float
        Error of places beyond that of their photons.
    gain : float
        Logarithm of how much more probable motions make the places, without the stars that speak most for them.
    """

    rate: Floats
    error: Floats
    place: Floats
    weight: Floats
    width: float
    floor: float
    gain: float


def fit_motions(place: Floats, sigma: Floats, time: Floats, group: Ints, star: Ints) -> Motions:
    """Fit the motions of stars.

    Parameters
    ----------
    place : ndarray of float64, shape (n, 2)
        Places.
    sigma : ndarray of float64, shape (n,)
        Their standard errors along each axis.
    time : ndarray of float64, shape (n,)
        Their times.
    group : ndarray of int, shape (n,)
        Number of the group of each place, from 0: places of one star with an offset of their own, as in one filter.
    star : ndarray of int, shape (n_group,)
        Star of each group, numbered from 0.
    """
    sums = _Sums(place, sigma, time, group, star)
    scale = float(np.sqrt(np.median(sigma**2) + sums.scatter() ** 2))
    still = _search(sums, scale, time, moving=False)
    moving = _search(sums, scale, time, moving=True)
    gains = np.sort(sums.log_probability(*moving) - sums.log_probability(*still))
    heard = gains[: len(gains) - int(np.ceil(_UNHEARD * len(gains)))]
    floor, width = moving
    fit = sums.solve(floor)
    precision = fit.time_square + width**-2
    rate = fit.time_place / precision[:, None]
    is_line = fit.misfit(width).max(axis=1) <= _LARGEST_MISFIT * np.maximum(sums.freedom, 1)
    rate = np.where(is_line[:, None], rate, 0.0)
    error = np.where(is_line & (fit.time_square > 0), precision**-0.5, np.inf)
    middle = fit.mean_place - rate[star] * fit.mean_time[:, None]
    return Motions(rate, error, middle, fit.weight, width, floor, float(heard.sum()))


def _search(sums: "_Sums", scale: float, time: Floats, *, moving: bool) -> tuple[float, float]:
    """Return the floor and the width of the motions that make the places most probable."""
    span = max(float(np.ptp(time)), 1e-12)
    floors = scale * np.geomspace(1e-2, _LARGEST, _STEPS)
    widths = scale / span * np.geomspace(1e-2, _LARGEST, _STEPS) if moving else np.array([scale / span * 1e-6])
    best = floors[0], widths[0]
    for _ in range(_ZOOMS):
        values = [(float(sums.log_probability(floor, width).sum()), floor, width)
                  for floor in floors for width in widths]  # fmt: skip
        best = max(values)[1:]
        floors = _around(floors, best[0])
        widths = _around(widths, best[1]) if moving else widths
    return float(best[0]), float(best[1])


def _around(values: Floats, best: float) -> Floats:
    step = values[1] / values[0]
    return np.asarray(best * np.geomspace(1.0 / step, step, 7))


@frozen
class _Fit:
    """Sums of each star after the offset of each group is taken out, for one floor."""

    weight: Floats
    mean_time: Floats
    mean_place: Floats
    time_square: Floats
    time_place: Floats
    place_square: Floats
    log_variance: Floats

    def misfit(self, width: float) -> Floats:
        """Return the misfit of each star along each axis when motions have a width, shape (n_star, 2)."""
        return np.asarray(self.place_square - self.time_place**2 / (self.time_square + width**-2)[:, None])


class _Sums:
    """Places of stars, and how probable they are."""

    def __init__(self, place: Floats, sigma: Floats, time: Floats, group: Ints, star: Ints) -> None:
        self._place, self._variance, self._time, self._group, self._star = place, sigma**2, time, group, star
        self._n_star = int(star.max(initial=-1)) + 1
        count = np.bincount(group, minlength=len(star))
        #: Places of each star beyond those that its offsets need.
        self.freedom = np.bincount(star, np.maximum(count - 1, 0), self._n_star)

    def scatter(self) -> float:
        """Return the robust scatter of the places of a group about their mean."""
        off = self._place - self.solve(0.0).mean_place[self._group]
        many = np.bincount(self._group, minlength=len(self._star))[self._group] > 1
        return float(1.4826 * np.median(np.abs(off[many]))) if many.any() else 0.0

    def solve(self, floor: float) -> _Fit:
        variance = self._variance + floor**2
        weight, n = 1.0 / variance, len(self._star)
        total = np.bincount(self._group, weight, n).astype(np.float64)
        known = np.maximum(total, np.finfo(float).tiny)
        mean_time = np.bincount(self._group, weight * self._time, n) / known
        mean_place = np.stack([np.bincount(self._group, weight * part, n) / known for part in self._place.T], axis=1)
        time, place = self._time - mean_time[self._group], self._place - mean_place[self._group]

        def of_star(values: Floats) -> Floats:
            return np.bincount(self._star[self._group], values, self._n_star).astype(np.float64)

        log_variance = of_star(np.log(variance)) + np.bincount(self._star, np.log(known), self._n_star)
        return _Fit(
            weight=total,
            mean_time=mean_time,
            mean_place=mean_place,
            time_square=of_star(weight * time**2),
            time_place=np.stack([of_star(weight * time * part) for part in place.T], axis=1),
            place_square=np.stack([of_star(weight * part**2) for part in place.T], axis=1),
            log_variance=log_variance,
        )

    def log_probability(self, floor: float, width: float) -> Floats:
        """Return the logarithm of how probable the places of each star are, both axes, up to a constant."""
        fit = self.solve(floor)
        root = np.sqrt(np.maximum(fit.misfit(width), 0.0))
        limit = (np.sqrt(self.freedom) + _ROBUST)[:, None]
        square = np.where(root < limit, root**2, 2.0 * limit * root - limit**2)
        spread = fit.log_variance + np.log1p(width**2 * fit.time_square)
        return np.asarray(-0.5 * (square.sum(axis=1) + 2.0 * spread))
