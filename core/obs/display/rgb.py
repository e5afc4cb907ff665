"""Three bands as one color picture."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.display.align import align
from obs.display.draw import finish, new_axes, pixel_extent
from obs.display.look import Look
from obs.display.picture import Picture
from obs.display.sky_marks import draw_sky_marks
from obs.display.view import View
from obs.errors import DataIdError

__all__ = ["combine_bands", "draw_rgb"]

_Q = 8.0
_STRETCH = 12.0
_BLACK = 1.0
"""In units of the noise: how far the linear part of the stretch reaches, and how far below the sky black is."""


def draw_rgb(views: Sequence[View], look: Look | None = None) -> Picture:
    """Draw three images as red, green and blue, on the pixels of the first.

    Parameters
    ----------
    views : sequence of View
        Red, green and blue image; of two images, green is their mean.
    look : Look, optional
        Its `largest` is used.

    Returns
    -------
    Picture

    Raises
    ------
    DataIdError
        If there are not two or three images.
    DatasetNotFoundError
        If they do not overlap, or differ in shape and have no WCS.

    References
    ----------
    R. Lupton et al. (2004), Preparing red-green-blue images from CCD data, PASP 116, 133.
    """
    if len(views) not in (2, 3):
        raise DataIdError(f"a color picture needs three images, red, green and blue, or two; got {len(views)}")
    views = _with_data(views)
    target = views[0].binned((look or Look()).largest)
    aligned = [target, *(align(view, target) for view in views[1:])]
    colors = combine_bands(aligned)
    whole = replace(target, title=_title([view.title for view in views]))
    figure, axes = new_axes(whole)
    left, _, lower, _ = pixel_extent(target)
    extent = (left, left + target.shape[1] * target.step, lower, lower + target.shape[0] * target.step)
    axes.imshow(colors, origin="lower", extent=extent, interpolation="nearest", aspect=axes.get_aspect())
    axes.set_autoscale_on(False)
    axes.set_xlim(pixel_extent(target)[:2])
    axes.set_ylim(pixel_extent(target)[2:])
    if target.wcs is not None and axes.get_aspect() == 1.0:
        draw_sky_marks(axes, target.wcs, target.full_shape, (target.x_min, target.y_min))
    margins = finish(figure, axes, whole, [])
    return Picture(figure, whole.title or "three bands", margins)


def _with_data(views: Sequence[View]) -> list[View]:
    """Return the part of the first image that has data, and of all images on the same pixels."""
    first = views[0]
    is_same = [
        (view.full_shape, view.x_min, view.y_min) == (first.full_shape, first.x_min, first.y_min) for view in views
    ]
    if not all(
        same or (view.wcs is not None and first.wcs is not None) for same, view in zip(is_same, views, strict=True)
    ):
        return list(views)
    box = first.data_box()
    return [view.cut(box) if same else view for same, view in zip(is_same, views, strict=True)]


def _title(titles: Sequence[str]) -> str:
    """Return the words that all titles share, and those of each color."""
    names = ("red", "green", "blue") if len(titles) == 3 else ("red", "blue")
    words = [title.split() for title in titles]
    shared = [word for word in words[0] if all(word in others for others in words)]
    own = [" ".join(word for word in each if word not in shared) for each in words]
    colors = ", ".join(f"{name} {each}" for name, each in zip(names, own, strict=True) if each)
    return ": ".join(filter(None, (" ".join(shared), colors)))


def combine_bands(views: Sequence[View]) -> NDArray[np.uint8]:
    """Return the colors of images on the same pixels, uint8, shape (ny, nx, 3).

    Images are brought to one zero point where all are known, else to the same noise. Pixels without data in a band are
    black.

    Parameters
    ----------
    views : sequence of View
        Red, green and blue on the same pixels, or red and blue, of which green is then the mean.
    """
    from astropy.visualization import make_lupton_rgb  # noqa: PLC0415 - takes a second to import

    factors = [10.0 ** (-0.4 * view.zero_point) for view in views]
    levels = [_sky(view.image) for view in views]
    if not np.isfinite(factors).all():
        factors = [1.0 / noise for _, noise in levels]
    scaled = [(view.image - sky) * factor for view, (sky, _), factor in zip(views, levels, factors, strict=True)]
    noises = [noise * factor for (_, noise), factor in zip(levels, factors, strict=True)]
    if len(scaled) == 2:
        scaled.insert(1, (scaled[0] + scaled[1]) / 2.0)
    noise = float(np.mean(noises))
    bands = [np.nan_to_num(band / noise, nan=-_BLACK, posinf=0.0, neginf=-_BLACK) for band in scaled]
    colors: NDArray[np.uint8] = make_lupton_rgb(*bands, minimum=-_BLACK, stretch=_STRETCH, Q=_Q)
    lost = ~np.isfinite(np.sum(scaled, axis=0))
    for view in views:
        if view.mask is not None:
            lost |= view.mask.any_known(["NO_DATA"])
    colors[lost] = 0
    return colors


def _sky(image: NDArray[np.float32]) -> tuple[float, float]:
    """Return the level of the sky and the noise, from the median and the median deviation of up to 40,000 pixels."""
    step_y, step_x = (max(1, size // 200) for size in image.shape)
    sample = image[::step_y, ::step_x]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    level = float(np.median(sample))
    noise = 1.4826 * float(np.median(np.abs(sample - level)))
    return level, noise or float(sample.std()) or 1.0
