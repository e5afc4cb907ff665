"""Two images held against each other: blinking, or their difference."""

from dataclasses import replace
from typing import Literal

import numpy as np

from obs.display.align import align
from obs.display.draw import draw_view
from obs.display.layout import Margins, fit_figure, side_lengths
from obs.display.limits import find_limits
from obs.display.look import Look
from obs.display.picture import Animation, Picture
from obs.display.view import View

__all__ = ["HOWS", "How", "blink", "difference"]

How = Literal["blink", "difference"]
HOWS: tuple[How, ...] = ("blink", "difference")

_DIVERGING = "RdBu_r"
_PERCENT = 99.0
_ALIKE = 0.5


def blink(first: View, second: View, look: Look | None = None) -> Animation:
    """Return two images that take turns, the second on the pixels of the first.

    Both have the same levels of black and white, unless their own have less than half in common, as of a raw frame and
    a calibrated one.

    Parameters
    ----------
    first, second : View
        The images.
    look : Look, optional
        How they are drawn: by default without mask.

    Raises
    ------
    DatasetNotFoundError
        If they cannot be put on the same pixels.
    """
    look = _without_mask(look or Look())
    target = first.binned(look.largest)
    other = align(second, target)
    look = _with_common_limits(target, other, look)
    pictures = [draw_view(target, look), draw_view(other, look)]
    # the same room around both, so that only the image blinks
    most = Margins(*map(max, *(picture.margins for picture in pictures)))
    for picture in pictures:
        fit_figure(picture.figure, picture.figure.axes[0], side_lengths(*target.full_shape[::-1]), most)
    return Animation([picture.png() for picture in pictures], f"{first.title} and {second.title}")


def _with_common_limits(first: View, second: View, look: Look) -> Look:
    """Return a look with levels that hold for both images, so that nothing else than these blinks."""
    if look.limits is not None or (first.unit, first.quantity) != (second.unit, second.quantity):
        return look
    own = [find_limits(view.image, view.scale if look.scale == "auto" else look.scale) for view in (first, second)]
    (lowest, low), (high, highest) = (sorted(values) for values in zip(*own, strict=True))
    if high - low < _ALIKE * max(upper - lower for lower, upper in own):
        return look
    return replace(look, limits=(lowest, highest))


def _without_mask(look: Look) -> Look:
    """Return a look without mask, which would hide what is looked for, unless planes are named."""
    return replace(look, planes=()) if look.planes is None else look


def difference(first: View, second: View, look: Look | None = None) -> Picture:
    """Return the first image minus the second, on the pixels of the first.

    Where both zero points are known the second image is brought to the zero point of the first.

    Parameters
    ----------
    first, second : View
        The images.
    look : Look, optional
        How the difference is drawn: by default red where the first is brighter, blue where the second is, and without
        mask.

    Raises
    ------
    DatasetNotFoundError
        If they cannot be put on the same pixels.
    """
    look = _without_mask(look or Look())
    target = first.binned(look.largest)
    other = align(second, target).image
    factor = 10.0 ** (0.4 * (first.zero_point - second.zero_point))
    scaled = bool(np.isfinite(factor)) and abs(factor - 1.0) > 1e-4
    result = target.image - (other * np.float32(factor) if scaled else other)
    if look.limits is None:
        low, high = find_limits(result, str(_PERCENT) if look.scale == "auto" else look.scale)
        most = max(abs(low), abs(high))
        look = replace(look, limits=(-most, most))
    if look.colormap == "gray":
        look = replace(look, colormap=_DIVERGING)
    words = f" times {factor:.4g}, to the same zero point" if scaled else ""
    title = f"{first.title or 'first'} minus {second.title or 'second'}{words}"
    if not np.any(result[np.isfinite(result)]):
        title += ": no pixel differs"
    return draw_view(replace(target, image=result, title=title, quantity="difference", limits_from=None), look)
