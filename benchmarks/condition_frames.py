"""Images of many conditions, rendered with GalSim, for `conditions.py`. Nothing of the simulator of ``obs`` is used.

A condition is an entry of `CONDITIONS`: a PSF as a function of the place on the frame, a number of stars, a sky, and
two hooks that change the expected light or the finished image. To add one, add an entry.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table
from condition_profiles import FINE, Profile, coma, donut, ellipse, jump, moffat, optics, trail, varying
from scipy.ndimage import gaussian_filter

__all__ = ["CONDITIONS", "GAIN", "Condition", "Frame", "render"]

GAIN, READ_NOISE = 1.5, 5.0
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def unchanged(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Return the image as it is."""
    return image


@dataclass(frozen=True)
class Condition:
    """One image to render.

    Parameters
    ----------
    psf : callable
        Profile at a place.
    size : float
        Largest full width of a star, pixels: stamps, radii of matching and the settings of the peers follow from it.
    stars : int
        Number of stars.
    sky : float
        Background, electrons.
    shape : tuple of int
        Shape (ny, nx).
    signal : tuple of float
        Range of the signal-to-noise ratio, in which the stars' logarithms are uniform.
    light : callable
        Changes the expected electrons before noise: a nebula, a galaxy.
    finish : callable
        Changes the finished image in ADU: padding, steps, cosmic rays, hot pixels.
    cards : dict
        Cards of the header beside gain, read noise and WCS.
    options : tuple of str
        Words for ``obs process-file``.
    scale : float
        Value of an ADU in the unit of the image.
    """

    psf: Profile
    size: float
    stars: int = 400
    sky: float = 500.0
    shape: tuple[int, int] = (1024, 1024)
    signal: tuple[float, float] = (3.0, 1000.0)
    light: Change = unchanged
    finish: Change = unchanged
    cards: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    scale: float = 1.0


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


SEEING = Condition(moffat(3.5), 3.6)
CONDITIONS = {
    "fwhm1.0": Condition(optics(0.9), 1.3),
    "fwhm1.2": Condition(optics(1.2), 1.5),
    "fwhm1.5": Condition(moffat(1.5), 1.8),
    "fwhm2": Condition(moffat(2.0), 2.2),
    "fwhm3.5": SEEING,
    "fwhm8": Condition(moffat(8.0), 8.0),
    "fwhm15": Condition(moffat(15.0), 15.0, stars=200),
    "fwhm20": Condition(moffat(20.0), 20.0, stars=150),
    "fwhm1.2-rays": Condition(optics(1.2), 1.5, finish=cosmic_rays(300)),
    "fwhm2-rays": Condition(moffat(2.0), 2.2, finish=cosmic_rays(300)),
    "fwhm3.5-rays": replace(SEEING, finish=cosmic_rays(300)),
    "trail7": Condition(trail(3.0, 7.0), 7.5, stars=250),
    "trail14": Condition(trail(3.0, 14.0), 14.0, stars=200),
    "trail20": Condition(trail(2.5, 20.0, 75.0), 20.0, stars=120),
    "ellipse0.2": Condition(ellipse(14.0, 0.2), 14.0, stars=200),
    "ellipse0.5": Condition(ellipse(7.0, 0.5), 7.0, stars=250),
    "donut15": Condition(donut(15.0), 16.0, stars=150),
    "donut30": Condition(donut(30.0), 31.0, stars=60),
    "jump": Condition(jump(3.0, 6.0, 3.0, 0.35), 8.0, stars=200),
    "coma": Condition(coma(2.5, 2.5), 5.0),
    "varying": Condition(varying(2.5), 4.0),
    "stars1": replace(SEEING, stars=1, signal=(200.0, 400.0)),
    "stars3": replace(SEEING, stars=3, signal=(100.0, 400.0)),
    "stars5": replace(SEEING, stars=5, signal=(30.0, 400.0)),
    "stars20": replace(SEEING, stars=20),
    "faint": replace(SEEING, stars=100, signal=(3.0, 30.0)),
    "stars5000": replace(SEEING, stars=5000),
    "stars20000": replace(SEEING, stars=20000, shape=(2048, 2048)),
    "cluster": replace(SEEING, stars=5000, shape=(512, 512)),
    "sky1": replace(SEEING, sky=1.0),
    "sky20": replace(SEEING, sky=20.0),
    "sky5000": replace(SEEING, sky=5000.0),
    "sky40000": replace(SEEING, sky=40000.0),
    "none": replace(SEEING, stars=0),
    "dark": replace(SEEING, stars=0, sky=5.0, finish=cosmic_rays(300)),
    "hot": replace(SEEING, stars=0, sky=5.0, finish=hot_pixels(500)),
    "nebula": replace(SEEING, light=nebula(600.0, 50.0)),
    "big-galaxy": replace(SEEING, light=big_galaxy(6e6, 60.0)),
    "amplifier-steps": replace(SEEING, finish=amplifier_steps),
    "padding": replace(SEEING, finish=padding),
    "dead-amplifier": replace(SEEING, finish=dead_amplifier),
    "gain-is-a-setting": replace(SEEING, cards={"GAIN": 120.0}),
    "sky-subtracted": replace(SEEING, finish=subtract_sky),
    "clipped": replace(SEEING, signal=(3.0, 3000.0), finish=clipped),
    "satellites": replace(SEEING, light=satellites),
    "nan-border": replace(SEEING, finish=nan_border(60)),
    "nan-dots": replace(SEEING, finish=lost_pixels),
    "dead-dots": replace(SEEING, finish=dead_pixels),
    "clip-at-zero": replace(SEEING, finish=cut_off),
    "trails-along-axes": replace(SEEING, light=along_axes),
    "quadrants": replace(SEEING, finish=quadrants),
    "moonlight": replace(SEEING, light=moonlight),
    "vignetting": replace(SEEING, light=vignetting),
    "dust-rings": replace(SEEING, light=dust_rings),
    "comet": replace(SEEING, light=comet),
    "banding": replace(SEEING, finish=banding),
    "negative-sky": replace(SEEING, finish=pedestal),
    "coarse": replace(SEEING, finish=whole_numbers, scale=0.02, cards={"GAIN": 75.0}),
    "rate": replace(SEEING, scale=GAIN / 60.0, cards={"BUNIT": "electron/s", "GAIN": GAIN}),
    "nanomaggies": replace(SEEING, scale=1e-12, cards={"BUNIT": "nanomaggy", "GAIN": 0.0, "RDNOISE": 0.0}),
    "huge-saturation": replace(SEEING, signal=(3.0, 3000.0), finish=huge_saturation),
    "tiny": replace(SEEING, stars=6, shape=(64, 64), signal=(50.0, 500.0)),
}


@dataclass(frozen=True)
class Frame:
    """A rendered image: its file, its condition, and its stars."""

    path: Path
    condition: Condition
    truth: Table


def render(folder: Path, name: str, seed: int) -> Frame:
    """Write the image and the truth of a condition."""
    condition, random = CONDITIONS[name], np.random.default_rng([seed, *name.encode()])
    height, width = condition.shape
    stamp = draw_star(condition, 1.0, 0.5 * width, 0.5 * height, int(6 * condition.size) + 8).array
    noise = np.sqrt((condition.sky + READ_NOISE**2) / np.sum(np.square(stamp, dtype=float)))
    signal = np.exp(random.uniform(*np.log(condition.signal), condition.stars))
    # photons of the star itself make noise too, which the ratio that is stated does not count
    flux = signal * noise
    margin = min(1.5 * condition.size, 0.1 * min(height, width))
    x, y = random.uniform(margin, width - 1 - margin, len(flux)), random.uniform(margin, height - 1 - margin, len(flux))
    light = galsim.ImageD(width, height, xmin=0, ymin=0)
    for star, at_x, at_y, ratio in zip(flux, x, y, signal, strict=True):
        half = int((6 if ratio < 100 else 12 if ratio < 400 else 20) * condition.size) + 8
        add = draw_star(condition, star, at_x, at_y, half)
        common = add.bounds & light.bounds
        light[common] += add[common]
    expected = condition.light(light.array + condition.sky, random)
    image = random.poisson(np.maximum(expected, 0.0)) + random.normal(0.0, READ_NOISE, condition.shape)
    pixels = condition.finish((image / GAIN * condition.scale).astype(np.float32), random)
    header = fits.Header({"GAIN": GAIN, "RDNOISE": READ_NOISE, "EXPTIME": 60.0, "FILTER": "r"})
    header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=150.0, CRVAL2=2.0, CRPIX1=width / 2, CRPIX2=height / 2)
    header.update({"CD1_1": -1e-4, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-4, **condition.cards})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.fits"
    fits.writeto(path, pixels, header, overwrite=True)
    truth = Table({"x": x, "y": y, "flux": flux / GAIN * condition.scale, "signal": signal})
    truth.write(folder / f"{name}.truth.fits", overwrite=True)
    return Frame(path, condition, truth)


def draw_star(condition: Condition, flux: float, x: float, y: float, half: int) -> galsim.ImageD:
    """Return the light of one star on its stamp."""
    height, width = condition.shape
    profile = condition.psf(2 * x / width - 1, 2 * y / height - 1)
    column, row = round(x), round(y)
    stamp = galsim.ImageD(galsim.BoundsI(column - half, column + half, row - half, row + half))
    profile.withFlux(flux).drawImage(stamp, center=galsim.PositionD(x, y), scale=1.0)
    return stamp
