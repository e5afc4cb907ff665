"""How a picture looks."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from obs.display.symbols import SourceStyle
from obs.errors import ConfigError
from obs.frozen import frozen

__all__ = ["STRETCHES", "Look", "Stretch"]

Stretch = Literal["linear", "sqrt", "asinh", "log"]
STRETCHES: tuple[Stretch, ...] = ("linear", "sqrt", "asinh", "log")


@frozen(kw_only=True)
class Look:
    """How an image is drawn.

    Parameters
    ----------
    scale : str, optional
        ``zscale``, ``minmax``, or a percentage of pixels such as ``99.5``: what is black and what is white. ``auto`` is
        ``zscale``, but ``minmax`` for PSFs.
    stretch : {"linear", "sqrt", "asinh", "log"}, optional
        How gray depends on the pixel value in between.
    limits : tuple of float, optional
        Values that are black and white, instead of `scale`.
    colormap : str, optional
        A color map of matplotlib.
    planes : tuple of str or None, optional
        Mask planes to show; None means all, an empty tuple none.
    transparency : float, optional
        Of the mask, 0 (opaque) to 100 (invisible).
    plane_transparencies : mapping of str to float, optional
        The same for single planes that differ.
    sources : {"none", "symbols", "ellipses"}, optional
        How sources are shown.
    largest : int, optional
        Pixels of the longer side, at most; larger images are binned before they are drawn.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    scale: str = "auto"
    stretch: Stretch = "linear"
    limits: tuple[float, float] | None = None
    colormap: str = "gray"
    planes: tuple[str, ...] | None = None
    transparency: float = 60.0
    plane_transparencies: Mapping[str, float] = field(default_factory=dict)
    sources: SourceStyle = "none"
    largest: int = 1200

    def __post_init__(self) -> None:
        for transparency in (self.transparency, *self.plane_transparencies.values()):
            if not 0.0 <= transparency <= 100.0:
                raise ConfigError(f"transparency: expected 0 to 100, got {transparency:g}")
        if self.limits is not None and not self.limits[0] < self.limits[1]:
            raise ConfigError(f"limits: expected LOW below HIGH, got {self.limits[0]:g} and {self.limits[1]:g}")
        if self.stretch not in STRETCHES:
            raise ConfigError(f"stretch: expected {', '.join(STRETCHES)}, got '{self.stretch}'")
        if self.largest < 1:
            raise ConfigError(f"largest: expected a number of pixels above 0, got {self.largest}")
