"""Images of many conditions, rendered with GalSim, for `conditions.py`. Nothing of the simulator of ``obs`` is used.

A condition is an entry of `CONDITIONS`: a PSF as a function of the place on the frame, a number of stars, a sky, and
two hooks that change the expected light or the finished image. To add one, add an entry.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table
from condition_faults import (
    brighter_fatter,
    deferred_charge,
    eight_bits,
    faded,
    fringes,
    gain_step,
    ghost,
    haze,
    hot_columns,
    interlaced,
    jpeg_blocks,
    nonlinear,
    random_telegraph,
    stretched,
    underflow,
    wrapped,
    wrapped_signed,
)
from condition_hooks import (
    GAIN,
    READ_NOISE,
    Change,
    along_axes,
    amplifier_steps,
    banding,
    big_galaxy,
    clipped,
    comet,
    cosmic_rays,
    cut_off,
    dead_amplifier,
    dead_pixels,
    dust_rings,
    hot_pixels,
    huge_saturation,
    lost_pixels,
    moonlight,
    nan_border,
    nebula,
    padding,
    pedestal,
    quadrants,
    satellites,
    subtract_sky,
    unchanged,
    vignetting,
    whole_numbers,
)
from condition_profiles import (
    Profile,
    aureole,
    coma,
    donut,
    drift,
    ellipse,
    focus,
    jump,
    moffat,
    optics,
    rotating,
    spikes,
    trail,
    turbulence,
    varying,
)

__all__ = ["CONDITIONS", "GAIN", "Condition", "Frame", "render"]


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
    "jump-near": Condition(jump(3.0, 3.0, 2.0, 0.35), 6.0, stars=200),
    "jump-half": Condition(jump(3.0, 5.0, -4.0, 0.5), 8.0, stars=200),
    "jump-far": Condition(jump(3.0, 25.0, -18.0, 0.4), 3.2, stars=200),
    "jump-faint": Condition(jump(3.0, 40.0, 3.0, 0.1), 3.2, stars=200),
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
    "spikes": replace(SEEING, psf=spikes(3.5, 0.08, 30.0)),
    "wings": Condition(moffat(3.5, 2.5), 3.6),
    "wide-wings": Condition(moffat(3.5, 2.0), 3.6),
    "turbulence": Condition(turbulence(3.5), 3.6),
    "aureole": Condition(aureole(3.5, 0.08, 30.0), 3.6),
    "ghost": replace(SEEING, light=ghost),
    "unflatted": replace(SEEING, light=faded(0.5, axis=None)),
    "shutter": replace(SEEING, light=faded(0.7, axis=0)),
    "haze": replace(SEEING, light=haze),
    "gain-step": replace(SEEING, finish=gain_step(1.1)),
    "gain-step-small": replace(SEEING, finish=gain_step(0.96)),
    "fringes": replace(SEEING, light=fringes),
    "deferred-charge": replace(SEEING, light=deferred_charge),
    "nonlinear": replace(SEEING, light=nonlinear),
    "brighter-fatter": replace(SEEING, light=brighter_fatter),
    "random-telegraph": replace(SEEING, finish=random_telegraph),
    "hot-columns": replace(SEEING, finish=hot_columns),
    "wrapped": replace(SEEING, signal=(3.0, 30000.0), finish=wrapped),
    "eight-bits": replace(SEEING, finish=eight_bits, scale=0.125, cards={"GAIN": 12.0}),
    "stretched": replace(SEEING, finish=stretched),
    "interlaced": replace(SEEING, finish=interlaced),
    "jpeg-blocks": replace(SEEING, finish=jpeg_blocks),
    "tilted": Condition(focus(2.5, 6.0), 4.5),
    "drift-scan": Condition(drift(3.0, 3.0, 9.0), 8.0),
    "drift-scan-long": Condition(drift(2.5, 2.0, 14.0), 10.0, stars=300),
    "rotation": Condition(rotating(3.0, 12.0), 8.0, stars=300),
    "underflow": replace(SEEING, finish=underflow),
    "wrapped-signed": replace(SEEING, signal=(3.0, 20000.0), finish=wrapped_signed),
    "wrapped-sharp": Condition(moffat(2.0), 2.2, signal=(3.0, 20000.0), finish=wrapped),
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
