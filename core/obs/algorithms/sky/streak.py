"""The trail of a satellite, an aircraft or a meteor."""

from typing import NamedTuple

__all__ = ["Streak"]


class Streak(NamedTuple):
    """A trail of a satellite, an aircraft or a meteor.

    Parameters
    ----------
    x, y : tuple of float
        Pixels of its two ends.
    width : float
        Full width of the masked band, pixels.
    brightness : float
        Light of a pixel on its axis, in noise of the sky.
    straight : bool
        Whether it is a single straight band.
    edge : bool
        Whether the sky beside it is dark, as the background leaves it along edges of the sky: then it is not a trail.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    brightness: float
    straight: bool = True
    edge: bool = False
