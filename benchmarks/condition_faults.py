"""Faults of detectors, optics and files for `condition_frames.py`: hooks like those of `condition_hooks.py`."""

import numpy as np
from condition_hooks import GAIN, Change
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

__all__ = ["brighter_fatter", "deferred_charge", "eight_bits", "faded", "fringes", "gain_step", "ghost",
           "haze", "hot_columns", "interlaced", "jpeg_blocks", "nonlinear", "random_telegraph", "stretched",
           "underflow", "wrapped", "wrapped_signed"]  # fmt: skip


def faded(least: float, *, axis: int | None) -> Change:
    """Return a hook that darkens sky and stars: along an axis, or from the middle (None) to the corners."""

    def multiply(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
        rows, columns = (np.linspace(-1.0, 1.0, size) for size in light.shape)
        if axis is None:
            return light * (1.0 - 0.5 * (1.0 - least) * (rows[:, None] ** 2 + columns**2))
        slope = least + 0.5 * (1.0 - least) * (1.0 + (rows[:, None] if axis == 0 else columns))
        return light * slope

    return multiply


def haze(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Take 30 % of the stars' light at the left border, where the sky is as much brighter."""
    clear = np.linspace(0.7, 1.0, light.shape[1])
    return 500.0 * (2.0 - clear) + (light - 500.0) * clear


def ghost(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add a reflection of a bright star beside the frame: a disc with a hole, and the halo of another star."""
    rows, columns = np.indices(light.shape, sparse=True)
    radius = np.hypot(rows - 0.6 * light.shape[0], columns - 0.35 * light.shape[1])
    halo = 4e4 / (np.hypot(rows - 100.0, columns - 900.0) ** 2 + 400.0)
    return light + 60.0 * ((radius < 150.0) & (radius > 50.0)) + halo


def gain_step(factor: float) -> Change:
    """Return a hook that gives the right half of the image another gain."""

    def multiply(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
        image[:, image.shape[1] // 2 :] *= np.float32(factor)
        return image

    return multiply


def fringes(light: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Add interference of the night sky's lines: waves of 3 % of the sky, 40 pixels long."""
    phase = gaussian_filter(random.normal(size=light.shape), 80.0)
    rows, columns = np.indices(light.shape, sparse=True)
    return light + 15.0 * np.sin(2 * np.pi * (columns + 0.3 * rows) / 40.0 + 400.0 * phase)


def deferred_charge(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Leave charge behind: 6e-5 of it in each of the transfers along the columns, released over some pixels."""
    kept, result = (1.0 - 6e-5) ** np.arange(len(light))[:, None], light.copy()
    lost = (light - light.min()) * (1.0 - kept)
    result -= lost
    weights = np.exp(-np.arange(1, 25) / 5.0)
    for shift, weight in enumerate(weights / weights.sum(), 1):
        result[shift:] += weight * lost[:-shift]
    return result


def nonlinear(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Lose light in bright pixels: 10 % of 50,000 electrons."""
    return light * (1.0 - 2e-6 * light)


def brighter_fatter(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Drive electrons out of bright pixels into their neighbors, by 5 % of the difference at 50,000 electrons."""
    result = light.copy()
    for axis in (0, 1):
        step = np.diff(light, axis=axis)
        moved = (
            1e-6
            * step
            * 0.5
            * (light.take(range(1, light.shape[axis]), axis) + light.take(range(light.shape[axis] - 1), axis))
        )
        if axis == 0:
            result[:-1] += moved
            result[1:] -= moved
        else:
            result[:, :-1] += moved
            result[:, 1:] -= moved
    return result


def random_telegraph(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Let one pixel in a hundred jump by up to 100 counts, up or down, as those of CMOS detectors do."""
    jumps = random.choice([-1.0, 0.0, 1.0], image.shape) * random.uniform(20.0, 100.0, image.shape)
    return np.where(random.random(image.shape) < 0.01, image + jumps, image).astype(np.float32)


def hot_columns(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Add light to twelve columns, from some row to the upper border."""
    for column in random.integers(0, image.shape[1], 12):
        image[random.integers(0, image.shape[0]) :, column] += np.float32(random.uniform(10.0, 300.0))
    return image


def wrapped(image: np.ndarray, _random: np.random.Generator) -> NDArray[np.uint16]:
    """Keep sixteen bits of each number, so that bright stars have holes."""
    return np.rint(np.maximum(image, 0.0)).astype(np.int64).astype(np.uint16)


def wrapped_signed(image: np.ndarray, _random: np.random.Generator) -> NDArray[np.int16]:
    """Keep sixteen bits of each number as a signed one, so that bright stars have negative cores."""
    return np.rint(image).astype(np.int64).astype(np.int16)


def underflow(image: np.ndarray, _random: np.random.Generator) -> NDArray[np.uint16]:
    """Subtract a bias that leaves a sky of two standard deviations, in unsigned numbers."""
    return np.rint(image - 300.0).astype(np.int64).astype(np.uint16)


def eight_bits(image: np.ndarray, _random: np.random.Generator) -> NDArray[np.uint8]:
    """Keep 0 to 255."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def stretched(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Save a stretched picture: an arc hyperbolic sine instead of counts."""
    return (2000.0 * np.arcsinh((image - 250.0) / 200.0)).astype(np.float32)


def interlaced(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Make every second row 3 % brighter: the two fields of an interlaced detector."""
    image[::2] *= np.float32(1.03)
    return image


def jpeg_blocks(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Compress with loss: of squares of 8 pixels the cosine terms are rounded to three times the noise."""
    from scipy.fft import dctn, idctn  # noqa: PLC0415 - used by one condition

    height, width = image.shape
    squares = image.reshape(height // 8, 8, width // 8, 8)
    terms = dctn(squares, axes=(1, 3), norm="ortho")
    step = np.float32(3 * 500.0**0.5 / GAIN)
    return idctn(np.rint(terms / step) * step, axes=(1, 3), norm="ortho").reshape(height, width).astype(np.float32)
