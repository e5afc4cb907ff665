"""What of a detector does not change from frame to frame: sensitivity, dark current, bias pattern, defects."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.simulator.config import DetectorConfig, SimulateConfig
from obs.simulator.optics import field_radius
from obs.simulator.seeds import generator

__all__ = ["FixedPattern", "flat_field_error", "make_fixed_pattern"]

Image = NDArray[np.float32]

_DEAD_RESPONSE = np.float32(0.1)


class FixedPattern:
    """Maps of the assembled detector; what perfect calibration frames would show.

    Parameters
    ----------
    response, dark : callable
        Make the attributes of these names when they are first asked for: frames without light need no response.
    bias, defects, levels : ndarray
        The attributes of these names.

    Attributes
    ----------
    response : ndarray of float32, shape (ny, nx)
        Sensitivity, vignetting included; 1 for an ordinary pixel on the axis.
    dark : ndarray of float32, shape (ny, nx)
        Dark current, electron/s.
    bias : ndarray of float32, shape (ny, nx)
        Bias beside what the overscan shows, ADU.
    defects : ndarray of bool, shape (ny, nx)
        Dead and hot pixels, bad columns.
    levels : ndarray of float64, shape (n_amplifier,)
        Level of the amplifiers' zero, ADU.
    """

    def __init__(
        self,
        response: Callable[[], Image],
        dark: Callable[[], Image],
        bias: Image,
        defects: NDArray[np.bool_],
        levels: NDArray[np.float64],
    ) -> None:
        self._make_response, self._make_dark = response, dark
        self.bias, self.defects, self.levels = bias, defects, levels

    @cached_property
    def response(self) -> Image:
        """Sensitivity of the pixels, vignetting included."""
        return self._make_response()

    @cached_property
    def dark(self) -> Image:
        """Dark current of the pixels, electron/s."""
        return self._make_dark()


def make_fixed_pattern(
    config: SimulateConfig, camera: Camera, detector: Detector, *, seed: int, physical_filter: str
) -> FixedPattern:
    """Return the patterns of one detector.

    Parameters
    ----------
    config : SimulateConfig
        How strong they are.
    camera : Camera
        The camera.
    detector : Detector
        Which detector.
    seed : int
        Seed of the simulation.
    physical_filter : str
        Filter, on which the pixels' sensitivity depends a little.
    """
    what = config.detector
    random = generator(seed, "pattern", camera.name, detector.id)
    shape = detector.bbox.shape
    columns = _bad_columns(what, shape, random)
    dead = _some_pixels(what.dead_fraction, shape, random)
    hot = _some_pixels(what.hot_fraction, shape, random)
    levels = what.bias_level + what.bias_scatter * random.standard_normal(len(detector.amplifiers))
    amplifier_response = 1.0 + what.amplifier_response * random.standard_normal(len(detector.amplifiers))

    hot_current = what.hot_current * random.exponential(1.0, len(hot[0]))
    bias = _bias(what, detector, random)
    random_filter = generator(seed, "response", camera.name, detector.id, physical_filter)
    defects = columns.copy()
    defects[dead] = True
    defects[hot] = True

    def dark() -> Image:
        current = np.full(shape, what.dark_current, np.float32)
        current[hot] = hot_current
        return current

    def response() -> Image:
        sensitivity = _vignetting(config.optics.vignetting, camera, detector)
        for rows in row_blocks(shape):
            part = sensitivity[rows]
            common = random.standard_normal(part.shape, np.float32)
            own = random_filter.standard_normal(part.shape, np.float32)
            common *= np.float32(0.9 * what.pixel_response)
            own *= np.float32(np.sqrt(1.0 - 0.9**2) * what.pixel_response)
            common += own
            common += np.float32(1.0)
            part *= common
        for amp, factor in zip(detector.amplifiers, amplifier_response, strict=True):
            sensitivity[amp.bbox.slices] *= np.float32(factor)
        sensitivity[dead] *= _DEAD_RESPONSE
        sensitivity[columns] = 0.0
        return np.maximum(sensitivity, 0.0, out=sensitivity)

    return FixedPattern(response, dark, bias, defects, levels)


def flat_field_error(config: DetectorConfig, detector: Detector, *, seed: int, physical_filter: str) -> Image:
    """Return the response that flats do not have: a smooth pattern in the focal plane, the same in all exposures.

    It is a sum of four waves, two to four times as long as the detector, with a mean of about 1.

    Parameters
    ----------
    config : DetectorConfig
        How strong it is.
    detector : Detector
        Which detector.
    seed : int
        Seed of the simulation.
    physical_filter : str
        Filter, each of which has its own pattern.

    Returns
    -------
    ndarray of float32, shape (ny, nx), or of shape (1, 1) if there is no such error
    """
    if not config.flat_error:
        return np.ones((1, 1), np.float32)
    random = generator(seed, "flat error", physical_filter)
    box = detector.bbox
    step = 16  # pixels; the pattern is interpolated between
    x, y = (np.arange(0, size + step, step, dtype=np.float64) for size in (box.width, box.height))
    across, up = detector.pixel_to_focal_plane(x=x[None, :], y=y[:, None])
    longest = max(box.width * detector.pixel_size_x, box.height * detector.pixel_size_y)
    coarse = np.zeros(np.broadcast_shapes(across.shape, up.shape))
    for _ in range(4):
        angle, phase = 2.0 * np.pi * random.random(2)
        length = longest * random.uniform(2.0, 4.0)
        along = across * np.cos(angle) + up * np.sin(angle)
        coarse = coarse + np.cos(2.0 * np.pi * along / length + phase)
    coarse = 1.0 + config.flat_error * coarse / np.sqrt(2.0)
    rows = np.stack([np.interp(np.arange(box.width), x, row) for row in coarse])
    place = np.arange(box.height) / step
    below = place.astype(int)
    weight = (place - below)[:, None]
    return np.asarray((1.0 - weight) * rows[below] + weight * rows[below + 1], np.float32)


def _vignetting(loss: float, camera: Camera, detector: Detector) -> Image:
    """Return the light that arrives: less with the square of the distance from the axis."""
    box, radius = detector.bbox, field_radius(camera)
    x, y = np.arange(box.width, dtype=np.float64), np.arange(box.height, dtype=np.float64)
    # The detector is flat: the distance is a quadratic in x and in y, without a mixed term.
    x_0, y_0 = detector.focal_plane_to_pixel(x=0.0, y=0.0)
    across = ((x - x_0) * detector.pixel_size_x / radius) ** 2
    up = ((y - y_0) * detector.pixel_size_y / radius) ** 2
    light: Image = (1.0 - loss * up).astype(np.float32)[:, None] - (loss * across).astype(np.float32)[None, :]
    return np.maximum(light, 0.0, out=light)


def _bias(what: DetectorConfig, detector: Detector, random: np.random.Generator) -> Image:
    """Return columns, a slope along each amplifier, and a glow where it is read."""
    bias = np.zeros(detector.bbox.shape, np.float32)
    for amp in detector.amplifiers:
        height, width = amp.bbox.shape
        columns = 0.5 * random.standard_normal(width)
        away = np.arange(width) if amp.readout_corner in ("LL", "UL") else np.arange(width)[::-1]
        up = np.arange(height) if amp.readout_corner in ("LL", "LR") else np.arange(height)[::-1]
        glow = 2.0 * np.exp(-away / max(0.05 * width, 1.0))
        slope = (up / max(height, 1) - 0.5) * random.normal(0.0, 1.0)
        along, part = columns + glow, bias[amp.bbox.slices]
        for rows in row_blocks(part.shape):
            part[rows] = what.bias_structure * (along[None, :] + slope[rows, None])
    return bias


def _some_pixels(
    fraction: float, shape: tuple[int, int], random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of pixels that are drawn by chance."""
    count = int(random.poisson(fraction * shape[0] * shape[1]))
    return random.integers(0, shape[0], count), random.integers(0, shape[1], count)


def _bad_columns(what: DetectorConfig, shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.bool_]:
    """Return columns that are bad from some row on."""
    bad = np.zeros(shape, np.bool_)
    for column in random.integers(0, shape[1], int(random.poisson(what.bad_columns))):
        bad[int(random.integers(0, shape[0])) :, column] = True
    return bad
