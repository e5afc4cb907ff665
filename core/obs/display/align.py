"""Images on the pixels of another one, to be compared with it by eye."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.display.view import View
from obs.errors import DatasetNotFoundError

__all__ = ["align"]

_SAME = 0.05
"""Pixels by which the positions of corners may differ if two images have the same pixels."""


def align(view: View, target: View) -> View:
    """Return an image on the pixels of another one, by linear interpolation between its pixels.

    The result is for the eye only: interpolation smooths its noise, and it has no mask.

    Parameters
    ----------
    view : View
        The image.
    target : View
        The image whose pixels are wanted; it may be binned.

    Returns
    -------
    View
        Binned as the target. If the pixels were the same, the values are means of whole pixels, and the mask stays;
        else pixels that the image does not reach are NaN.

    Raises
    ------
    DatasetNotFoundError
        If the images differ in shape and one has no WCS, or if they do not overlap.
    """
    same_shape = (view.full_shape, view.x_min, view.y_min) == (target.full_shape, target.x_min, target.y_min)
    if view.wcs is None or target.wcs is None:
        if same_shape:
            return view.binned_by(target.step)
        raise DatasetNotFoundError(
            f"{view.title or 'one image'} has {view.shape[1]} x {view.shape[0]} pixels and "
            f"{target.title or 'the other'} {target.full_shape[1]} x {target.full_shape[0]}: to be compared, images "
            "need the same shape, or a WCS each"
        )
    from scipy.ndimage import map_coordinates  # noqa: PLC0415 - slow to import, and one image alone needs none

    x, y = _positions(view, target)
    if same_shape and _are_centers(x, target.step) and _are_centers(y.T, target.step):
        return view.binned_by(target.step)
    small = view.binned_by(target.step)
    offset = (target.step - 1) / 2.0
    places = [(values - offset) / target.step for values in (y, x)]
    image = map_coordinates(small.image, places, order=1, mode="constant", cval=np.nan, output=np.float32)
    if not np.isfinite(image).any():
        raise DatasetNotFoundError(f"{view.title or 'one image'} and {target.title or 'the other'} do not overlap")
    return replace(
        view,
        image=image,
        mask=None,
        wcs=target.wcs,
        x_min=target.x_min,
        y_min=target.y_min,
        step=target.step,
        outlines=(),
        limits_from=view.image if view.limits_from is None else view.limits_from,
        full_shape=target.full_shape,
    )


def _positions(view: View, target: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions x and y in the image of the pixels of the target, shape (ny, nx) each."""
    if view.wcs is None or target.wcs is None:
        raise ValueError("positions need the WCS of both images")
    columns, rows = (np.arange(size) * target.step + (target.step - 1) / 2.0 for size in target.shape[::-1])
    x, y = np.meshgrid(columns, rows)
    ra, dec = target.wcs.pixel_to_sky(x=x, y=y)
    return view.wcs.sky_to_pixel(ra=ra, dec=dec)


def _are_centers(positions: NDArray[np.float64], step: int) -> bool:
    """Return whether the last axis runs through the centers of the same pixels."""
    expected = np.arange(positions.shape[1]) * step + (step - 1) / 2.0
    with np.errstate(invalid="ignore"):
        return bool((np.abs(positions - expected) < _SAME).all())
