"""How the stack's images are drawn."""

from dataclasses import replace
from typing import Any

import numpy as np

from obs.compat.lsst.afw.image.exposure import ExposureF
from obs.compat.lsst.afw.image.mask import Mask
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.display.view import View, make_view
from obs.image import mask as own

__all__ = ["view_of_image"]


def view_of_image(data: Any, title: str = "", wcs: Any = None) -> View:  # noqa: ANN401 - any image
    """Return how an image, planes, an exposure or a mask is drawn; pixels count as in the parent image.

    Parameters
    ----------
    data : ExposureF, MaskedImageF, ImageF, Mask, ndarray, or an image of obs
        The image.
    title : str, optional
        Its name.
    wcs : Wcs, optional
        Pixel to sky of the parent image, for an image that has none.
    """
    view = make_view(_own(data), title)
    corner = data.getXY0() if hasattr(data, "getXY0") else None
    place = (0, 0) if corner is None else (int(corner.x), int(corner.y))
    known = view.wcs
    if known is None and wcs is not None:
        known = getattr(wcs, "own", wcs).shifted(x=place[0], y=place[1])
    return replace(view, wcs=known, x_min=place[0], y_min=place[1])


def _own(data: Any) -> Any:  # noqa: ANN401 - any image
    """Return our object behind one of the stack."""
    if isinstance(data, ExposureF):
        return data.exposure
    if isinstance(data, MaskedImageF):
        return data.planes
    if isinstance(data, Mask):
        return own.Mask(data.getArray(), data.getMaskPlaneDict())
    return np.asarray(data.getArray(), np.float32) if hasattr(data, "getArray") else data
