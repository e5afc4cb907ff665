"""Small fields of stars and galaxies whose truth is known: profiles integrated over pixels, photon and read noise."""

from dataclasses import dataclass

import numpy as np

from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.psf import PixelPsf

OVERSAMPLING = 5
MOFFAT_BETA = 3.0


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian of flux one with second moments in pixels squared."""

    xx: float
    yy: float
    xy: float = 0.0

    @property
    def reach(self):
        """Pixels beyond which there is no light to speak of."""
        return max(30, int(5 * np.sqrt(max(self.xx, self.yy))) + 2)

    def __call__(self, dx, dy):
        determinant = self.xx * self.yy - self.xy**2
        exponent = (self.yy * dx**2 + self.xx * dy**2 - 2 * self.xy * dx * dy) / determinant
        return np.exp(-0.5 * exponent) / (2 * np.pi * np.sqrt(determinant))


@dataclass(frozen=True)
class Moffat:
    """A round Moffat profile of flux one."""

    fwhm: float
    beta: float = MOFFAT_BETA
    reach = 30

    @property
    def alpha(self):
        return 0.5 * self.fwhm / np.sqrt(2 ** (1 / self.beta) - 1)

    def __call__(self, dx, dy):
        density = (self.beta - 1) / (np.pi * self.alpha**2)
        return density * (1 + (dx**2 + dy**2) / self.alpha**2) ** -self.beta

    def within(self, radius):
        """Part of the flux inside a circle."""
        return 1 - (1 + (radius / self.alpha) ** 2) ** (1 - self.beta)


def stamp(profile, dx, dy, half, *, oversampling=OVERSAMPLING):
    """Pixels, shape (2 half + 1, 2 half + 1), of a profile whose center lies (dx, dy) from the middle of the stamp."""
    fine = (np.arange(oversampling) + 0.5) / oversampling - 0.5
    place = (np.arange(-half, half + 1)[:, None] + fine).ravel()
    values = profile(place[None, :] - dx, place[:, None] - dy)
    size = 2 * half + 1
    return values.reshape(size, oversampling, size, oversampling).mean((1, 3))


def draw(shape, x, y, flux, profiles):
    """Image, float64, of sources; ``profiles`` is one for all or one a source."""
    profiles = profiles if isinstance(profiles, list) else [profiles] * len(x)
    image = np.zeros(shape)
    for source_x, source_y, light, profile in zip(x, y, flux, profiles, strict=True):
        column, row, half = int(np.rint(source_x)), int(np.rint(source_y)), profile.reach
        left, right = max(0, column - half), min(shape[1], column + half + 1)
        below, above = max(0, row - half), min(shape[0], row + half + 1)
        if left < right and below < above:
            pixels = stamp(profile, source_x - column, source_y - row, half)
            part = np.s_[below - row + half : above - row + half, left - column + half : right - column + half]
            image[below:above, left:right] += light * pixels[part]
    return image


def observe(clean, *, seed, sky=100.0, gain=2.0, read_noise=5.0):
    """Return pixels in ADU with their sky, and their variance as a detector's owner would estimate it."""
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(np.maximum(clean + sky, 0) * gain) + rng.normal(0, read_noise, clean.shape)
    image = electrons / gain
    variance = np.maximum(image, 0) / gain + (read_noise / gain) ** 2
    return image.astype(np.float32), variance.astype(np.float32)


def pixel_psf(profile, half=20):
    """The profile, integrated over pixels, as the PSF of a whole detector."""
    return PixelPsf(stamp(profile, 0.0, 0.0, half, oversampling=11)[None].astype(np.float32), 0)


def scatter(n, shape, *, seed, separation=30.0, border=30.0):
    """Positions of ``n`` sources none of which is nearer than ``separation`` pixels to another."""
    rng = np.random.default_rng(seed)
    places = np.zeros((0, 2))
    for _ in range(200 * n + 1):
        if len(places) == n:
            return places.T
        place = rng.uniform([border, border], [shape[1] - border, shape[0] - border])
        if not len(places) or np.hypot(*(places - place).T).min() > separation:
            places = np.r_[places, place[None]]
    raise AssertionError(f"{n} sources {separation} pixels apart do not fit on {shape}")


@dataclass
class Field:
    """An exposure and what is in it."""

    exposure: Exposure
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray


def star_field(n=40, shape=(400, 450), *, seed=1, fluxes=(2e4, 2e5), profile=Moffat(3.2), psf=None, sky=100.0, **noise):
    """A field of isolated stars, brightest first, with its sky."""
    x, y = scatter(n, shape, seed=seed)
    flux = np.geomspace(fluxes[1], fluxes[0], n) if n else np.zeros(0)
    image, variance = observe(draw(shape, x, y, flux, profile), seed=seed + 1, sky=sky, **noise)
    masked_image = MaskedImage(image, Mask.zeros(shape), variance)
    return Field(Exposure(masked_image, psf=psf), x, y, flux)
