"""Warn of a sky that changes over the frame as illumination does, where no star can tell whether fluxes change too."""

from obs.algorithms.sky.illumination import SkyShape

__all__ = ["warn_of_uneven_sky"]

DARK_CORNERS, LARGE_SLOPE = 0.04, 0.15
"""Change of the sky from which the user is warned: symmetric to the middle, which no sky is, and to one side."""


def warn_of_uneven_sky(shape: SkyShape) -> list[str]:
    """Return a warning for an exposure without a zero point, which would show whether fluxes follow the sky.

    Parameters
    ----------
    shape : SkyShape
        How the sky changes over the frame.
    """
    remedy = "Apply a flat field, or add a reference catalog, which shows whether the zero point changes"
    if shape.corners > DARK_CORNERS:
        return [
            f"the sky is {100 * shape.corners:.0f} % darker in the corners than in the middle, as in frames without a "
            f"flat field: if that is why, fluxes are up to as much too low there. {remedy}"
        ]
    if shape.slope > LARGE_SLOPE:
        side = ("right", "top", "left", "bottom")[round(shape.angle / 90.0) % 4]
        return [
            f"the sky becomes {100 * shape.slope:.0f} % brighter toward the {side} of the frame. Light that adds (the "
            "Moon, twilight, a town) leaves fluxes right; haze, a slow shutter or a missing flat field change them by "
            f"up to as much. {remedy}"
        ]
    return []
