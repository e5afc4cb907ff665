"""Render single images with GalSim under many conditions, process them, and compare with the truth.

    python benchmarks/conditions.py FOLDER [NAME ...] [--peers] [--seed 1] [--list] [-c SETTING=VALUE]

Names are those of `CONDITIONS`, or patterns such as ``fwhm*``; all if none is given. Every image goes through ``obs
process-file``; with ``--peers`` through SExtractor, PSFEx and SExtractor too, whose settings follow from the true size
of the stars. Nothing of the simulator of ``obs`` is used.

A condition is an entry of `CONDITIONS`: a PSF as a function of the place on the frame, a number of stars, a sky, and
two hooks that change the expected light or the finished image. To add one, add an entry.

Signal-to-noise ratios are those of the true flux in the PSF against sky and read noise. Completeness, fluxes and
positions are those of isolated stars: none within two widths that has more than a tenth of the light. Purity counts
every detection. Fluxes are those of the fitted PSF; the bias is against all light of the star.
"""

import argparse
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import galsim
import numpy as np
import yaml
from astropy.io import fits
from astropy.table import Table
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

GAIN, READ_NOISE = 1.5, 5.0
OBS = str(Path(sys.executable).with_name("obs"))
FINE = galsim.GSParams(folding_threshold=2e-3, maximum_fft_size=16384)
Profile = Callable[[float, float], Any]
"""A GalSim profile of unit flux, as a function of the place on the frame, -1 to 1 in x and y."""
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


def moffat(fwhm: float, beta: float = 3.5) -> Profile:
    """Return seeing, the same everywhere."""
    profile = galsim.Moffat(beta=beta, fwhm=fwhm, gsparams=FINE)
    return lambda _u, _v: profile


def optics(fwhm: float) -> Profile:
    """Return the narrow stars of a lens on large pixels: a Gaussian, without wings."""
    profile = galsim.Gaussian(fwhm=fwhm, gsparams=FINE)
    return lambda _u, _v: profile


def trail(fwhm: float, length: float, degrees: float = 30.0) -> Profile:
    """Return stars drawn out along a line, as by a mount that does not follow."""
    line = galsim.Box(length, 0.1, gsparams=FINE).rotate(degrees * galsim.degrees)
    profile = galsim.Convolve(galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE), line)
    return lambda _u, _v: profile


def ellipse(fwhm: float, ratio: float, degrees: float = 30.0) -> Profile:
    """Return elliptical stars, ``fwhm`` along the major axis."""
    star = galsim.Moffat(beta=3.5, fwhm=fwhm * np.sqrt(ratio), gsparams=FINE)
    profile = star.shear(q=ratio, beta=degrees * galsim.degrees)
    return lambda _u, _v: profile


def donut(diameter: float, hole: float = 0.4, blur: float = 2.5) -> Profile:
    """Return defocused stars: the image of a telescope's pupil, with the hole of its secondary mirror."""
    disc = galsim.TopHat(diameter / 2, gsparams=FINE) - hole**2 * galsim.TopHat(hole * diameter / 2, gsparams=FINE)
    profile = galsim.Convolve(disc.withFlux(1.0), galsim.Gaussian(fwhm=blur, gsparams=FINE))
    return lambda _u, _v: profile


def jump(fwhm: float, dx: float, dy: float, part: float) -> Profile:
    """Return double stars, as where the guiding jumped during the exposure."""
    star = galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE)
    profile = (1.0 - part) * star + part * star.shift(dx, dy)
    return lambda _u, _v: profile


def coma(fwhm: float, strength: float) -> Profile:
    """Return stars with tails that point away from the middle and grow with the distance from it."""

    def at(u: float, v: float) -> Any:  # noqa: ANN401 - galsim has no types
        star = galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE)
        tail = [star.dilate(1 + 0.25 * k).shift(strength * k * u, strength * k * v) for k in (1, 2, 3)]
        return 0.55 * star + 0.22 * tail[0] + 0.14 * tail[1] + 0.09 * tail[2]

    return at


def varying(fwhm: float) -> Profile:
    """Return seeing whose width and shape change over the frame, as those of a wide field."""
    return lambda u, v: galsim.Moffat(beta=3.5, fwhm=fwhm * (1 + 0.2 * (u * u + v * v)), gsparams=FINE).shear(
        g1=0.1 * u, g2=0.1 * v
    )


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


def subtract_sky(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Subtract the sky, whose noise stays."""
    return image - np.float32(500.0 / GAIN)


def clipped(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Cut stars off at a level that no card gives."""
    return np.minimum(image, np.float32(1500.0))


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
    pixels = condition.finish((image / GAIN).astype(np.float32), random)
    header = fits.Header({"GAIN": GAIN, "RDNOISE": READ_NOISE, "EXPTIME": 60.0, "FILTER": "r"})
    header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=150.0, CRVAL2=2.0, CRPIX1=width / 2, CRPIX2=height / 2)
    header.update({"CD1_1": -1e-4, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-4, **condition.cards})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.fits"
    fits.writeto(path, pixels, header, overwrite=True)
    truth = Table({"x": x, "y": y, "flux": flux / GAIN, "signal": signal})
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


@dataclass(frozen=True)
class Found:
    """What a program made of an image; ``error`` says why it made nothing."""

    seconds: float
    x: np.ndarray = field(default_factory=lambda: np.zeros(0))
    y: np.ndarray = field(default_factory=lambda: np.zeros(0))
    flux: np.ndarray = field(default_factory=lambda: np.zeros(0))
    error: np.ndarray = field(default_factory=lambda: np.zeros(0))
    x_error: np.ndarray = field(default_factory=lambda: np.zeros(0))
    facts: dict[str, Any] = field(default_factory=dict)
    message: str = ""


def run_obs(frame: Frame, options: list[str]) -> Found:
    """Process an image with ``obs process-file``."""
    output = frame.path.parent / "obs"
    shutil.rmtree(output / frame.path.stem, ignore_errors=True)
    words = [OBS, "process-file", str(frame.path), "--output", str(output), "--clobber-config"]
    words += [*frame.condition.options, *options]
    seconds, text = run(words, frame.path.parent)
    catalog = output / frame.path.stem / "src.fits"
    if not catalog.exists():
        return Found(seconds, message=" ".join(text.split())[-400:])
    source = Table.read(catalog, hdu=1)
    source = source[np.asarray(source["deblend_nChild"]) == 0]
    facts = yaml.safe_load((output / frame.path.stem / "metadata.yaml").read_text())
    columns = ["base_SdssCentroid_x", "base_SdssCentroid_y", "base_PsfFlux_instFlux", "base_PsfFlux_instFluxErr"]
    values = [np.asarray(source[column], float) for column in (*columns, "base_SdssCentroid_xErr")]
    # a flagged flux is not counted as a measurement
    values[2][np.asarray(source["base_PixelFlags_flag_saturatedCenter"])] = np.nan
    return Found(seconds, *values, facts, "; ".join(facts["warnings"]))


def run_peers(frame: Frame) -> Found:
    """Process an image with SExtractor, PSFEx and SExtractor, with the true size of the stars as a setting."""
    folder = frame.path.parent / "peers" / frame.path.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    size = frame.condition.size
    stamp = 2 * max(17, int(3 * size)) + 1
    offset = np.arange(-min(int(size) + 1, 15), min(int(size) + 1, 15) + 1)
    kernel = np.exp(-2.77 * (offset[:, None] ** 2 + offset**2) / size**2)
    # five sigma of the filtered image, in the unit of the threshold, which is the noise before the filter
    threshold = 5.0 * np.sqrt(np.sum(kernel**2)) / np.sum(kernel)
    settings = {
        **{"DETECT_MINAREA": 1, "DETECT_THRESH": threshold, "ANALYSIS_THRESH": threshold, "FILTER": "Y"},
        **{"FILTER_NAME": "kernel.conv", "BACK_SIZE": 128, "SATUR_LEVEL": 1e9, "GAIN": GAIN, "PIXEL_SCALE": 1.0},
        **{"PHOT_APERTURES": 7 * size, "CATALOG_TYPE": "FITS_LDAC", "SEEING_FWHM": size, "VERBOSE_TYPE": "QUIET"},
    }
    (folder / "default.sex").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    lines = [" ".join(f"{value:.5f}" for value in row) for row in kernel]
    (folder / "kernel.conv").write_text("CONV NORM\n" + "\n".join(lines) + "\n")
    common = ["X_IMAGE", "Y_IMAGE", "FLAGS", "FLUX_RADIUS", "SNR_WIN", "ELONGATION", "FLUX_APER(1)", "FLUXERR_APER(1)"]
    (folder / "first.param").write_text("\n".join([*common, f"VIGNET({stamp},{stamp})"]))
    second = ["FLUX_PSF", "FLUXERR_PSF", "XPSF_IMAGE", "YPSF_IMAGE", "XWIN_IMAGE", "YWIN_IMAGE", "ERRX2WIN_IMAGE"]
    (folder / "second.param").write_text("\n".join([*common, *second]))
    sex = shutil.which("source-extractor") or shutil.which("sex") or "source-extractor"
    base = [sex, str(frame.path.resolve()), "-c", "default.sex", "-PARAMETERS_NAME"]
    fit = ["psfex", "first.cat", "-PSF_SIZE", f"{stamp},{stamp}", "-SAMPLE_FWHMRANGE", f"{0.4 * size},{2 * size}",
           "-SAMPLE_MAXELLIP", "0.9", "-CHECKPLOT_TYPE", "NONE", "-CHECKIMAGE_TYPE", "NONE", "-WRITE_XML", "N",
           "-VERBOSE_TYPE", "QUIET", "-NTHREADS", "1"]  # fmt: skip
    commands = [
        [*base, "first.param", "-CATALOG_NAME", "first.cat"],
        fit,
        [*base, "second.param", "-CATALOG_NAME", "second.cat", "-PSF_NAME", "first.psf"],
    ]
    seconds = 0.0
    for command in commands:
        taken, text = run(command, folder)
        seconds += taken
    if not (folder / "second.cat").exists():
        return Found(seconds, message=" ".join(text.split())[-200:])
    source = Table(fits.getdata(folder / "second.cat", 2))
    x, y, flux, error = (np.asarray(source[c], float) for c in ("XWIN_IMAGE", "YWIN_IMAGE", "FLUX_PSF", "FLUXERR_PSF"))
    return Found(seconds, x - 1, y - 1, flux, error, np.sqrt(np.asarray(source["ERRX2WIN_IMAGE"], float)))


def run(words: list[str], folder: Path) -> tuple[float, str]:
    """Run a command; return its processor time and what it printed."""
    before = os.times()
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600)
        text = done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        text = "stopped after 600 s"
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, text


def score(frame: Frame, found: Found) -> dict[str, Any]:
    """Compare with the truth: numbers by name."""
    truth, size = frame.truth, frame.condition.size
    row: dict[str, Any] = {"stars": len(truth), "found": len(found.x), "seconds": round(found.seconds, 1)}
    if not len(truth) or not len(found.x):
        return row
    x, y, flux, signal = (np.asarray(truth[name]) for name in ("x", "y", "flux", "signal"))
    known = np.isfinite(found.x) & np.isfinite(found.y)
    at, place = np.c_[found.x, found.y][known], np.c_[x, y]
    radius = max(1.0, 0.35 * size)
    distance, match = cKDTree(at).query(place)
    hit, isolated = distance < radius, is_isolated(place, flux, 2 * size + 1)
    per_flux = np.median(signal / flux)
    their_flux, their_error, their_x_error = (a[known] for a in (found.flux, found.error, found.x_error))
    their_error = np.where(their_error > 0, their_error, np.nan)  # a fit of SExtractor that failed has none
    true = cKDTree(place[signal > 2]).query(at)[0] < max(1.5, 0.6 * size)
    for low, high in ((5, 7), (7, 10), (10, 30), (30, np.inf)):
        label = f"{low}-{high}" if np.isfinite(high) else f"{low}+"
        inside = isolated & (signal >= low) & (signal < high)
        if inside.any():
            row[f"complete {label}"] = round(float(hit[inside].mean()), 3)
        seen = (their_flux * per_flux >= low) & (their_flux * per_flux < high)
        if seen.any():
            row[f"pure {label}"] = round(float(true[seen].mean()), 3)
        used = inside & hit
        used[used] &= np.isfinite(their_flux[match[used]])
        if low >= 10 and used.any():
            row[f"bias {label}"] = round(100 * float(np.median(their_flux[match[used]] / flux[used]) - 1), 2)
            row[f"bias error {label}"] = round(
                100 * robust(their_flux[match[used]] / flux[used]) / used.sum() ** 0.5, 2
            )
    used = isolated & hit & (signal > 7) & (signal < 100)
    if used.sum() > 4:
        row["pull"] = round(robust(((their_flux[match] - flux) / their_error[match])[used]), 2)
        row["x pull"] = round(robust(((at[match, 0] - x) / their_x_error[match])[used]), 2)
        row["x scatter"] = round(robust((at[match, 0] - x)[used & (signal > 20)]), 3)
    bright = isolated & hit & (signal > 50)
    if bright.any():
        row["x offset"], row["y offset"] = (round(float(np.median((at[match] - place)[bright, k])), 3) for k in (0, 1))
    return row


def is_isolated(place: np.ndarray, flux: np.ndarray, radius: float) -> np.ndarray:
    """Return which stars have no neighbor within a radius that has more than a tenth of their light."""
    pairs = cKDTree(place).query_pairs(radius, output_type="ndarray")
    alone = np.ones(len(place), bool)
    for one, other in (pairs.T, pairs[:, ::-1].T):
        alone[one[flux[other] > 0.1 * flux[one]]] = False
    return alone


def robust(values: np.ndarray) -> float:
    """Return the standard deviation from the median absolute deviation."""
    values = values[np.isfinite(values)]
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else float("nan")


COLUMNS = ["stars", "found", "complete 5-7", "complete 7-10", "complete 10-30", "complete 30+", "pure 5-7", "pure 7-10",
           "pure 10-30", "pure 30+", "bias 10-30", "bias 30+", "pull", "x scatter", "x pull", "seconds"]  # fmt: skip


def main() -> None:
    """Render, process, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=["*"], help="names or patterns of conditions")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--peers", action="store_true", help="process with SExtractor and PSFEx too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-c", dest="settings", action="append", default=[], metavar="SETTING=VALUE")
    arguments = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    patterns = arguments.names or ["*"]
    names = [name for name in CONDITIONS if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    if arguments.list or not names:
        raise SystemExit("\n".join(CONDITIONS))
    folder = arguments.folder.resolve()
    options = [word for setting in arguments.settings for word in ("-c", setting)]
    print("| condition | program | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 2) + "|")
    messages: list[str] = []
    for name in names:
        frame = render(folder, name, arguments.seed)
        programs = {"obs": run_obs(frame, options)} | ({"peers": run_peers(frame)} if arguments.peers else {})
        for program, found in programs.items():
            row = score(frame, found)
            cells = [str(row.get(column, "")) for column in COLUMNS]
            print(f"| {name} | {program} | " + " | ".join(cells) + " |", flush=True)
            if program == "obs" and found.message:
                messages.append(f"{name}: {found.message}")
            record = {"name": name, "program": program, "at": time.time(), **row, "message": found.message}
            record["facts"] = {key: found.facts.get(key) for key in ("fwhm", "n_psf_star", "n_cosmic_ray_pixel")}
            with (folder / "results.jsonl").open("a") as file:
                file.write(json.dumps(record) + "\n")
    print("\n".join(["", *messages]))


if __name__ == "__main__":
    main()
