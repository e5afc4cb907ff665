"""How much of the field a pointing error moves out of the frame."""

__all__ = ["share_of_field"]

SMALLEST_FIELD = 600.0
"""Arcsec; in a smaller field a pointing error counts as in this one."""


def share_of_field(error: float, *, shape: tuple[int, int], pixel_scale: float) -> float:
    """Return a pointing error as a fraction of the field.

    Parameters
    ----------
    error : float
        Distance of the solved position from that of the header, arcsec.
    shape : tuple of int
        Rows and columns of the detector.
    pixel_scale : float
        Arcsec.

    Returns
    -------
    float
        The error over the shorter side of the detector, or over `SMALLEST_FIELD` if that is longer.
    """
    return error / max(min(shape) * pixel_scale, SMALLEST_FIELD)
