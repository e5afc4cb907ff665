"""The symbols of the stack's ``dot`` as regions."""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

from obs.display.regions import region_text

__all__ = ["dot_regions", "line_regions"]


def dot_regions(symbol: str, x: float, y: float, *, size: float = 2.0, color: str = "green") -> Iterator[str]:
    """Yield the regions of a symbol.

    Parameters
    ----------
    symbol : str
        ``+``, ``x``, ``*``, ``o``; ``@:Ixx,Ixy,Iyy``, an ellipse of second moments, pixels squared, one sigma large; or
        any other words, which are written.
    x, y : float
        Pixels, counted from 0.
    size : float, optional
        Radius, pixels; ellipses have their own.
    color : str, optional
        A color that DS9 knows.
    """
    end = f"# color={color}"
    x, y = x + 1.0, y + 1.0
    if not (math.isfinite(x) and math.isfinite(y)):
        return
    if symbol.startswith("@:"):
        a, b, angle = _axes(symbol)
        if math.isfinite(a) and math.isfinite(b):
            yield f"ellipse({x:.3f},{y:.3f},{a:.3f},{b:.3f},{angle:.2f}) {end}"
    elif symbol == "o":
        yield f"circle({x:.3f},{y:.3f},{size:g}) {end}"
    elif symbol in ("+", "x", "*"):
        angles = {"+": (0, 90), "x": (45, 135), "*": (0, 60, 120)}[symbol]
        for angle in angles:
            dx, dy = size * math.cos(math.radians(angle)), size * math.sin(math.radians(angle))
            yield f"line({x - dx:.3f},{y - dy:.3f},{x + dx:.3f},{y + dy:.3f}) # line=0 0 color={color}"
    elif symbol:
        yield f"text({x:.3f},{y:.3f}) {end} text={region_text(symbol)}"


def line_regions(points: Iterable[tuple[float, float]], *, color: str = "green") -> Iterator[str]:
    """Yield the lines between positions, pixels counted from 0.

    Parameters
    ----------
    points : iterable of tuple of float
        Positions (x, y), 0-based pixels. Neighboring ones are joined.
    color : str, default: "green"
        Color, by a name that DS9 knows.

    Yields
    ------
    str
        Region whose pixels count from 1.
    """
    places = [(float(x) + 1.0, float(y) + 1.0) for x, y in points]
    for first, second in pairwise(places):
        yield f"line({first[0]:.3f},{first[1]:.3f},{second[0]:.3f},{second[1]:.3f}) # line=0 0 color={color}"


def _axes(symbol: str) -> tuple[float, float, float]:
    """Return semi-axes, pixels, and the angle, degrees from x to y, of ``@:Ixx,Ixy,Iyy``.

    Raises
    ------
    ValueError
        If the words are something else.
    """
    try:
        xx, xy, yy = (float(word) for word in symbol[2:].split(","))
    except ValueError:
        raise ValueError(f"expected an ellipse such as '@:4.0,0.5,3.0' (Ixx,Ixy,Iyy), got '{symbol}'") from None
    mean, spread = (xx + yy) / 2.0, math.hypot((xx - yy) / 2.0, xy)
    if not mean - spread >= 0.0:
        return math.nan, math.nan, math.nan
    return math.sqrt(mean + spread), math.sqrt(mean - spread), math.degrees(0.5 * math.atan2(2.0 * xy, xx - yy))
