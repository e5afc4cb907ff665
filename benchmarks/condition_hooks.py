"""What happens to frames of `condition_frames.py`: hooks that change the expected light or the finished image."""

from collections.abc import Callable

import galsim
import numpy as np
from condition_profiles import FINE
from scipy.ndimage import gaussian_filter

__all__ = [
    "GAIN",
    "READ_NOISE",
    "Change",
    "along_axes",
    "amplifier_steps",
    "banding",
    "big_galaxy",
    "clipped",
    "comet",
    "cosmic_rays",
    "cut_off",
    "dead_amplifier",
    "dead_pixels",
    "dust_rings",
    "hot_pixels",
    "huge_saturation",
    "lost_pixels",
    "moonlight",
    "nan_border",
    "nebula",
    "padding",
    "pedestal",
    "quadrants",
    "satellites",
    "subtract_sky",
    "unchanged",
    "vignetting",
    "whole_numbers",
]

GAIN, READ_NOISE = 1.5, 5.0
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def unchanged(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Return the image as it is."""
    return image


def cosmic_rays(number: int) -> Change:
    """Return a hook that adds straight tracks of some hundred to some thousand electrons a pixel."""

    def add(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        height, width = image.shape
        for length in random.exponential(6.0, number):
            steps, angle = np.linspace(0.0, length, 20 * int(length + 2)), random.uniform(0, 2 * np.pi)
            x, y = random.uniform(0, width) + steps * np.cos(angle), random.uniform(0, height) + steps * np.sin(angle)
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            loss = 900.0 * np.hypot(length, 2.0) / len(steps) * random.exponential(1.0, len(steps))
            np.add.at(image, (y[inside].astype(int), x[inside].astype(int)), loss[inside] / GAIN)
        return image

    return add


def hot_pixels(number: int) -> Change:
    """Return a hook that adds single bright pixels."""

    def add(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        rows, columns = (random.integers(0, size, number) for size in image.shape)
        image[rows, columns] += 10 ** random.uniform(2, 4, number)
        return image

    return add


def nan_border(width: int) -> Change:
    """Return a hook that leaves a frame of NaN, as resampling does."""

    def set_nan(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
        image[:width], image[-width:], image[:, :width], image[:, -width:] = np.nan, np.nan, np.nan, np.nan
        return image

    return set_nan


def nebula(peak: float, scale: float) -> Change:
    """Return a hook that adds clouds of light: ``peak`` electrons a pixel, ``scale`` pixels across."""

    def add(light: np.ndarray, random: np.random.Generator) -> np.ndarray:
        clouds = gaussian_filter(random.normal(size=light.shape), scale)
        return light + peak * np.clip(clouds / clouds.max(), 0.0, None)

    return add


def big_galaxy(flux: float, radius: float) -> Change:
    """Return a hook that adds a galaxy in the middle: electrons, and the radius of half of its light, pixels."""

    def add(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
        profile = galsim.DeVaucouleurs(half_light_radius=radius, trunc=8 * radius, flux=flux, gsparams=FINE)
        profile = profile.shear(q=0.7, beta=20 * galsim.degrees)
        height, width = light.shape
        return light + profile.drawImage(nx=width, ny=height, scale=1.0, method="no_pixel").array

    return add


def satellites(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add three trails: one bright, one of the noise of a pixel, one that flashes."""
    rows, columns = np.indices(light.shape, sparse=True)
    light = light.copy()
    for start, slope, peak, flash in ((100.0, 0.6, 400.0, 0.0), (900.0, -0.35, 25.0, 0.0), (300.0, 0.1, 200.0, 90.0)):
        across = (rows - start - slope * columns) / np.hypot(1.0, slope)
        along = columns * np.hypot(1.0, slope)
        brightness = np.abs(np.sin(np.pi * along / flash)) ** 3 if flash else 1.0
        light += peak * brightness * np.exp(-0.5 * (across / 1.6) ** 2)
    return light


def amplifier_steps(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add another level to each quarter of the columns."""
    image += np.repeat([0.0, 25.0, -15.0, 40.0], image.shape[1] // 4).astype(np.float32)
    return image


def padding(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Set 40 % of the image to zero: a corner that is cut off, and a border."""
    rows, columns = np.indices(image.shape, sparse=True)
    image[(rows + columns < 0.7 * len(image)) | (columns > 0.8 * image.shape[1])] = 0.0
    return image


def dead_amplifier(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Set the second quarter of the columns to one value."""
    image[:, image.shape[1] // 4 : image.shape[1] // 2] = 0.0
    return image


def lost_pixels(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Set one pixel in a hundred and four columns to NaN, as where outliers were rejected."""
    image = image.copy()
    image[random.random(image.shape) < 0.01] = np.nan
    image[:, [100, 500, 501, 700]] = np.nan
    return image


def dead_pixels(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Set three pixels in a thousand to zero, and four columns to the largest number."""
    image = image.copy()
    image[random.random(image.shape) < 0.003] = 0.0
    image[:, [100, 500, 501, 700]] = 65535.0
    return image


def cut_off(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Subtract the sky and set negative pixels to zero."""
    return np.maximum(image - np.float32(500.0 / GAIN), np.float32(0.0))


def subtract_sky(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Subtract the sky, whose noise stays."""
    return image - np.float32(500.0 / GAIN)


def clipped(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Cut stars off at a level that no card gives."""
    return np.minimum(image, np.float32(1500.0))


def moonlight(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add a slope of the sky over the frame, of three times its level."""
    return light + 1500.0 * np.linspace(0.0, 1.0, light.shape[1]) ** 2


def vignetting(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Darken the sky toward the corners by 60 %; the stars of the truth stay as they are."""
    rows, columns = (np.linspace(-1.0, 1.0, size) for size in light.shape)
    return light - 500.0 * 0.3 * (rows[:, None] ** 2 + columns**2)


def dust_rings(light: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Darken rings, the shadows of dust out of focus, by 3 %, sky and stars."""
    rows, columns = np.indices(light.shape, sparse=True)
    light = light.copy()
    for _ in range(12):
        radius = np.hypot(rows - random.uniform(0, light.shape[0]), columns - random.uniform(0, light.shape[1]))
        light *= 1.0 - 0.03 * np.exp(-(((radius - 45.0) / 10.0) ** 2))
    return light


def comet(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add a comet: a coma that falls with the distance, and a tail."""
    rows, columns = np.indices(light.shape, sparse=True)
    x, y = columns - 0.4 * light.shape[1], rows - 0.5 * light.shape[0]
    tail = 150.0 * np.exp(-0.5 * (y / (10.0 + 0.1 * np.abs(x))) ** 2) * (x > 0)
    return light + 2e4 / np.hypot(np.hypot(x, y), 2.0) + tail


def banding(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Add another level to each row, half as large as the noise of a pixel."""
    return image + random.normal(0.0, 7.5, len(image)).astype(np.float32)[:, None]


def quadrants(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add another level to each quadrant of a detector that is read through its four corners."""
    rows, columns = (size // 2 for size in image.shape)
    image[:rows, columns:] += 25.0
    image[rows:, :columns] -= 15.0
    image[rows:, columns:] += 40.0
    return image


def pedestal(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Make the sky negative."""
    return image - np.float32(1000.0)


def whole_numbers(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Round to whole numbers, which are coarser than the noise."""
    return np.rint(image)


def huge_saturation(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Set saturated pixels to a number that no pixel can have."""
    return np.where(image > 1500.0, np.float32(1e6), image)


def along_axes(light: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add a trail exactly along the rows, one along the columns, and a faint one across."""
    rows, columns = np.indices(light.shape, sparse=True)
    across = (rows - 150.0 - 0.8 * columns) / np.hypot(1.0, 0.8)
    profiles = (60.0, rows - 400.0), (60.0, columns - 700.0), (8.0, across)
    return light + sum(peak * np.exp(-0.5 * (distance / 1.6) ** 2) for peak, distance in profiles)
