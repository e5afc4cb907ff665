"""How well measurements repeat before and after a fit."""

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["Gain", "measure_gain", "robust_scatter"]

Floats = NDArray[np.float64]

_NORMAL = 1.4826
_FEW = 5
_SPOILED = 1.5


@frozen
class Gain:
    """Robust standard deviations of all differences, none left out, in the unit of the differences.

    Parameters
    ----------
    before, after : float
        Of all, before and after the fit; NaN if there are too few.
    bright_before, bright_after : float
        Of those with a signal-to-noise ratio above 100.
    n, n_bright : int
        Their number.
    """

    before: float
    after: float
    bright_before: float
    bright_after: float
    n: int
    n_bright: int

    @property
    def is_worse(self) -> bool:
        """Whether the scatter grew by more than the error of such a scatter."""
        return self.n > 0 and self.after > self.before * (1.0 + 3.0 / self.n**0.5)

    @property
    def is_spoiled(self) -> bool:
        """Whether the scatter grew so much that the fit is of something else."""
        return self.is_worse and self.after > _SPOILED * self.before

    def to_metadata(self) -> dict[str, float | int]:
        """Return the numbers by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def measure_gain(before: Floats, after: Floats, bright: NDArray[np.bool_]) -> Gain:
    """Compare differences before and after a fit.

    Parameters
    ----------
    before, after : ndarray of float64, shape (n,) or (n, 2)
        Differences, NaN where there are none; both axes count alike.
    bright : ndarray of bool, shape (n,)
        Which of them have a high signal-to-noise ratio.
    """
    known = np.isfinite(before.reshape(len(before), -1)).all(axis=1) & np.isfinite(after.reshape(len(after), -1)).all(1)
    choice = known & bright
    return Gain(
        robust_scatter(before[known]),
        robust_scatter(after[known]),
        robust_scatter(before[choice]),
        robust_scatter(after[choice]),
        int(known.sum()),
        int(choice.sum()),
    )


def robust_scatter(values: Floats) -> float:
    """Return the standard deviation about zero that the median of the absolute values stands for; NaN if too few.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Residuals; fewer than 5 are too few.
    """
    return float(_NORMAL * np.median(np.abs(values))) if len(values) >= _FEW else float("nan")
