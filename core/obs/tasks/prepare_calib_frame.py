"""What is done to a single frame before it is combined with others to a calibration frame."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.sky.background import fit_background
from obs.algorithms.sky.noise import measure_smoothed_noise
from obs.frozen import frozen
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.tasks.calibration_recipes import RECIPES
from obs.tasks.calibs_config import CalibsConfig, ObjectsConfig

__all__ = ["Prepared", "find_objects", "prepare_frame"]

_LEVEL_PIXELS = 500_000
#: No more than this part of a frame's variance is taken for that of what was subtracted from it.
_MOST_COMMON = 0.9


@frozen
class Prepared:
    """A frame ready to be combined.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Values on the common scale, and their variance.
    rejected : ndarray of bool, shape (ny, nx)
        Values that must not be used.
    level : float
        What the frame was divided by.
    weight : float
        Inverse of its typical variance.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    rejected: NDArray[np.bool_]
    level: float
    weight: float


def _variance_without_light(image: NDArray[np.float32], variance: NDArray[np.float32]) -> float:
    """Return the variance of a pixel with no counts, where the variance is that of a read and of the counts.

    Without overscan, a bias frame has its level still, which was taken for light: what is proportional to it is
    taken off.
    """
    if not np.isfinite(image).any():
        return float(variance.min())
    lowest, highest = image.argmin(), image.argmax()
    if np.isnan(image[np.unravel_index(lowest, image.shape)]):
        lowest, highest = np.nanargmin(image), np.nanargmax(image)
    low, high = float(variance.flat[lowest]), float(variance.flat[highest])
    first, last = max(float(image.flat[lowest]), 0.0), max(float(image.flat[highest]), 0.0)
    floor = low - (high - low) / (last - first) * first if last > first > 0 else float(np.nanmin(variance))
    return floor if floor > 0 else low


def prepare_frame(
    name: str,
    exposure: Exposure,
    config: CalibsConfig,
    *,
    regions: Sequence[Box],
    common_variance: Callable[[slice], NDArray[np.float32]] | None = None,
) -> Prepared:
    """Put a frame on the scale that all are combined on.

    Parameters
    ----------
    name : str
        Type of calibration.
    exposure : Exposure
        The frame without signature; its pixels are changed in place.
    config : CalibsConfig
        Settings.
    regions : sequence of Box
        Amplifiers.
    common_variance : callable, optional
        Given some rows, returns the part of its variance there that it shares with the other frames: that of the bias
        and dark that were subtracted.

    Raises
    ------
    MeasurementError
        If it has no light, no dark time, or no good pixel.
    """
    recipe, pixels = RECIPES[name], exposure.masked_image
    bad = pixels.mask.any_known(config.combine.bad_planes)
    bad |= ~np.isfinite(pixels.image)
    defective = bad | pixels.mask.any("BAD")
    if recipe.without_light:
        for region in regions:
            variance = pixels.variance[region.slices]
            variance[...] = _variance_without_light(pixels.image[region.slices], variance)
    level = recipe.level(exposure, defective)
    if common_variance is not None:
        # What does not differ between frames is not noise to judge them by, and does not average out.
        for rows in row_blocks(bad.shape):
            variance = pixels.variance[rows]
            variance -= np.minimum(common_variance(rows), _MOST_COMMON * variance)
    if recipe.subtract_background:
        pixels.image -= fit_background(pixels.image, defective, bin_size=config.objects.bin_size).image()
        bad |= ~np.isfinite(pixels.image)
    if level != 1.0:
        pixels.image /= np.float32(level)
        pixels.variance /= np.float32(level**2)
    step = max(1, bad.size // _LEVEL_PIXELS)
    known = pixels.variance.ravel()[::step][~defective.ravel()[::step]]
    known = known[np.isfinite(known) & (known > 0)]
    if not len(known):
        # Without a prediction, differences of the frames tell the noise.
        pixels.variance[...] = 1.0
    return Prepared(pixels.image, pixels.variance, bad, level, 1 / float(np.median(known)) if len(known) else 1.0)


def find_objects(
    image: NDArray[np.float32], rejected: NDArray[np.bool_], pattern: NDArray[np.float32], config: ObjectsConfig
) -> NDArray[np.bool_]:
    """Return where stars and galaxies are in a prepared frame.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        The frame.
    rejected : ndarray of bool, shape (ny, nx)
        Pixels that are bad already.
    pattern : ndarray of float32, shape (ny, nx)
        What all frames have in common, which is not an object: their combination.
    config : ObjectsConfig
        Settings.
    """
    residual = image - pattern
    bad = rejected | ~np.isfinite(residual)
    found: NDArray[np.bool_] = np.zeros_like(bad)
    for _ in range(2):
        background = fit_background(residual, bad | found, bin_size=config.bin_size).image()
        clean = np.where(bad | ~np.isfinite(background), np.float32(0), residual - background)
        smoothed = smooth(clean, config.smoothing)
        found = grow(smoothed.image > config.threshold * measure_smoothed_noise(smoothed, bad | found), config.grow)
    return found
