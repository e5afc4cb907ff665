"""The colors in which mask planes are shown: those of the LSST stack."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from obs.errors import ConfigError, suggest
from obs.image.mask import Mask

__all__ = ["PLANE_COLORS", "RGB", "overlay", "shown_planes"]

#: The stack gives no colors to the planes after SUSPECT.
PLANE_COLORS = {
    "DETECTED": "blue",
    "DETECTED_NEGATIVE": "cyan",
    "INEXACT_PSF": "chartreuse",
    "SENSOR_EDGE": "salmon",
    "REJECTED": "deepskyblue",
    "EDGE": "yellow",
    "SUSPECT": "yellow",
    "INTRP": "green",
    "SAT": "green",
    "CR": "magenta",
    "BAD": "red",
    "NO_DATA": "orange",
    "UNMASKEDNAN": "orange",
    "CROSSTALK": "pink",
    "CLIPPED": "pink",
    "STREAK": "purple",
}
RGB = {
    "blue": (0.15, 0.35, 1.0),
    "cyan": (0.0, 1.0, 1.0),
    "yellow": (1.0, 1.0, 0.0),
    "green": (0.0, 0.85, 0.0),
    "magenta": (1.0, 0.0, 1.0),
    "red": (1.0, 0.0, 0.0),
    "orange": (1.0, 0.6, 0.0),
    "pink": (1.0, 0.6, 0.7),
    "purple": (0.63, 0.13, 0.94),
    "chartreuse": (0.5, 1.0, 0.0),
    "turquoise": (0.25, 0.88, 0.82),
    "deepskyblue": (0.0, 0.75, 1.0),
    "salmon": (0.98, 0.5, 0.45),
    "tan": (0.82, 0.71, 0.55),
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
}
_WIDEST = ("DETECTED", "DETECTED_NEGATIVE")
#: Follows from other planes, and is not mixed with their colors, which the legend would not have.
_CONSEQUENCE = "INEXACT_PSF"
#: Of planes that have no color above, one after the other. None is a shade of gray, which would be taken for light.
_OTHERS = ("turquoise", "tan", "salmon", "deepskyblue", "purple", "chartreuse")


def shown_planes(mask: Mask, wanted: Sequence[str] | None) -> dict[str, str]:
    """Return the planes that are drawn, the lowest first, each with its color.

    Parameters
    ----------
    mask : Mask
        The mask.
    wanted : sequence of str or None
        Names of planes; None means all.

    Raises
    ------
    ConfigError
        If the mask has no such plane.
    """
    for name in wanted or ():
        if not mask.known_bits([name]):
            hint = suggest(name, mask.planes) or f"; there are {', '.join(mask.planes)}"
            raise ConfigError(f"the mask has no plane '{name}'{hint}")
    names = mask.planes if wanted is None else wanted
    order = [name for name in PLANE_COLORS if name not in _WIDEST]
    # others above the footprints of sources, which are large, and below what has a color of its own
    ordered = [
        *(name for name in _WIDEST if name in names),
        *(name for name in names if name not in PLANE_COLORS),
        *(name for name in order if name in names),
    ]
    # by all planes of the mask, so that one keeps its color when fewer are drawn
    unnamed = [name for name in mask.planes if name not in PLANE_COLORS]
    others = {name: _OTHERS[number % len(_OTHERS)] for number, name in enumerate(unnamed)}
    return {name: PLANE_COLORS.get(name) or others[name] for name in ordered}


def overlay(
    mask: Mask, planes: Mapping[str, str], transparency: float, single: Mapping[str, float] | None = None
) -> NDArray[np.float32]:
    """Return the colors that lie over an image, one plane over the other.

    Parameters
    ----------
    mask : Mask
        The mask.
    planes : mapping of str to str
        Planes, the lowest first, and their colors.
    transparency : float
        0, opaque, to 100, invisible.
    single : mapping of str to float, optional
        The same for planes that differ.

    Returns
    -------
    ndarray of float32, shape (ny, nx, 4)
        Red, green, blue and opacity, 0 to 1.
    """
    color = np.zeros((*mask.shape, 3), np.float32)  # multiplied with the opacity
    alpha = np.zeros(mask.shape, np.float32)
    for name, color_name in planes.items():
        where = mask.any(name)
        opacity = np.float32(1.0 - (single or {}).get(name, transparency) / 100.0)
        if name == _CONSEQUENCE and (others := set(planes) - {name, *_WIDEST}):
            where &= ~mask.any(*others)
        color[where] = color[where] * (1.0 - opacity) + opacity * np.array(RGB[color_name], np.float32)
        alpha[where] = alpha[where] * (1.0 - opacity) + opacity
    visible = alpha > 0
    color[visible] /= alpha[visible][:, None]
    return np.concatenate([color, alpha[..., None]], axis=2)
