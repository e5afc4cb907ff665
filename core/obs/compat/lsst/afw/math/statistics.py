"""Statistics of pixels, in the stack's words."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import ClippedStatistics, clipped_statistics
from obs.compat.lsst.afw.image.image import Image
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.masked_image import MaskedImageF

__all__ = [
    "ERRORS",
    "IQRANGE",
    "MAX",
    "MEAN",
    "MEANCLIP",
    "MEANSQUARE",
    "MEDIAN",
    "MIN",
    "NPOINT",
    "STDEV",
    "STDEVCLIP",
    "SUM",
    "VARIANCE",
    "VARIANCECLIP",
    "Statistics",
    "StatisticsControl",
    "makeStatistics",
    "stringToStatisticsProperty",
]

#: Bits of what is asked for, as the stack numbers them.
ERRORS, NPOINT, MEAN, STDEV, VARIANCE, MEDIAN, IQRANGE = (1 << bit for bit in range(7))
MEANCLIP, STDEVCLIP, VARIANCECLIP, MIN, MAX, SUM, MEANSQUARE = (1 << bit for bit in range(7, 14))


class StatisticsControl:
    """Which pixels count, as in the LSST stack.

    Parameters
    ----------
    numSigmaClip : float, optional
        Values further from the center than this many sigma are clipped.
    numIter : int, optional
        Number of clippings.
    andMask : int, optional
        Pixels with one of these bits are left out.
    """

    def __init__(self, numSigmaClip: float = 3.0, numIter: int = 3, andMask: int = 0) -> None:
        self._clip, self._n_iteration, self._and_mask = numSigmaClip, numIter, andMask
        self._is_nan_safe = True

    def getNanSafe(self) -> bool:
        """Return whether values that are not numbers are left out."""
        return self._is_nan_safe

    def setNanSafe(self, value: bool) -> None:
        """Set whether values that are not numbers are left out; if not, statistics with them are NaN."""
        self._is_nan_safe = value

    def getWeighted(self) -> bool:
        """Return whether values are weighted, which they never are by this class."""
        return False

    def setWeighted(self, value: bool) -> None:
        """Take note that values are not weighted.

        Raises
        ------
        ValueError
            If they are to be: weights are an argument of `obs.compat.lsst.afw.math.statisticsStack`.
        """
        if value:
            raise ValueError("weights by variances are not done here; give weights to statisticsStack")

    def setCalcErrorFromInputVariance(self, value: bool) -> None:
        """Take note of where errors come from: `Statistics` has them from the scatter of the values."""
        if value:
            raise ValueError("errors come from the scatter of the values here, not from the variance plane")

    def getNumSigmaClip(self) -> float:
        """Return at how many sigma values are clipped."""
        return self._clip

    def setNumSigmaClip(self, value: float) -> None:
        """Set at how many sigma values are clipped."""
        self._clip = value

    def getNumIter(self) -> int:
        """Return the number of clippings."""
        return self._n_iteration

    def setNumIter(self, value: int) -> None:
        """Set the number of clippings."""
        self._n_iteration = value

    def getAndMask(self) -> int:
        """Return the bits of pixels that are left out."""
        return self._and_mask

    def setAndMask(self, value: int) -> None:
        """Set the bits of pixels that are left out."""
        self._and_mask = value


class Statistics:
    """Statistics of the values that count; made by `makeStatistics`.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        The values; those that are not finite are left out.
    flags : int
        What is asked for.
    control : StatisticsControl
        How values are clipped.
    """

    def __init__(self, values: NDArray[np.float64], flags: int, control: StatisticsControl) -> None:
        self._values = values[np.isfinite(values)] if control.getNanSafe() else values
        self._flags, self._control = flags, control
        self._clipped: ClippedStatistics | None = None

    def getValue(self, what: int = 0) -> float:
        """Return one statistic; without a name the only one that was asked for.

        Raises
        ------
        ValueError
            If it was not asked for, or several were and none is named.
        """
        what = what or self._flags & ~ERRORS
        if what not in _VALUES or not what & self._flags:
            raise ValueError(f"name one of the statistics that makeStatistics was asked for, got {what}")
        return float(_VALUES[what](self)) if self._values.size or what == NPOINT else math.nan

    def getError(self, what: int = 0) -> float:
        """Return the standard error of a mean or median, NaN of others."""
        what = what or self._flags & ~ERRORS
        if not self._values.size or what not in (MEAN, MEDIAN, MEANCLIP):
            return math.nan
        if what == MEANCLIP:
            return self._clip().sigma / math.sqrt(max(self._clip().n, 1))
        factor = math.sqrt(math.pi / 2) if what == MEDIAN else 1.0
        return factor * math.sqrt(self._variance() / self._values.size)

    def getResult(self, what: int = 0) -> tuple[float, float]:
        """Return a statistic and its standard error."""
        return self.getValue(what), self.getError(what)

    def _clip(self) -> ClippedStatistics:
        if self._clipped is None:
            self._clipped = clipped_statistics(
                self._values, self._control.getNumSigmaClip(), self._control.getNumIter()
            )
        return self._clipped

    def _variance(self) -> float:
        return float(np.var(self._values, ddof=1)) if self._values.size > 1 else math.nan


_VALUES: dict[int, Callable[[Any], float]] = {
    NPOINT: lambda of: of._values.size,
    MEAN: lambda of: of._values.mean(),
    STDEV: lambda of: math.sqrt(of._variance()),
    VARIANCE: Statistics._variance,
    MEDIAN: lambda of: float(np.median(of._values)),
    IQRANGE: lambda of: float(np.subtract(*np.percentile(of._values, [75, 25]))),
    MEANCLIP: lambda of: of._clip().mean,
    STDEVCLIP: lambda of: of._clip().sigma,
    VARIANCECLIP: lambda of: of._clip().sigma ** 2,
    MIN: lambda of: of._values.min(),
    MAX: lambda of: of._values.max(),
    SUM: lambda of: of._values.sum(),
    MEANSQUARE: lambda of: np.square(of._values).mean(),
}


def makeStatistics(source: Any, *more: Any) -> Statistics:  # noqa: ANN401 - as the stack takes them
    """Return statistics of the pixels that count.

    Parameters
    ----------
    source : ExposureF, MaskedImageF, ImageF, Mask or array
        The pixels.
    *more : object
        Perhaps a mask; then what is wanted, such as ``MEDIAN | STDEVCLIP``; then perhaps a `StatisticsControl`.
    """
    source = source.getMaskedImage() if hasattr(source, "getMaskedImage") else source
    mask = source.getMask() if isinstance(source, MaskedImageF) else None
    rest = list(more)
    if rest and isinstance(rest[0], Mask):
        mask = rest.pop(0)
    flags = int(rest[0])
    control = rest[1] if len(rest) > 1 else StatisticsControl()
    pixels = source.getImage() if isinstance(source, MaskedImageF) else source
    values = np.asarray(pixels.getArray() if isinstance(pixels, Image | Mask) else pixels, np.float64)
    if mask is not None and control.getAndMask():
        values = values[(mask.getArray() & control.getAndMask()) == 0]
    return Statistics(values.ravel(), flags, control)


def stringToStatisticsProperty(name: str) -> int:
    """Return a statistic by its name, such as ``MEANCLIP``.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name not in __all__ or not name.isupper():
        raise ValueError(f"no statistic is called {name!r}; there are {', '.join(filter(str.isupper, __all__))}")
    return int(globals()[name])
