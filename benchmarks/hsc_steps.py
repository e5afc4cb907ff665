"""Time the steps of one HSC detector beside what well-known libraries take for them on the same pixels.

    python benchmarks/hsc_detector.py FOLDER && python benchmarks/hsc_steps.py FOLDER [--runs 3]

All in one process on one core; the median of the runs, milliseconds. Libraries that are not installed (photutils,
astroscrappy, galsim) are left out. `obs` measures some 5,600 sources and their blends; the libraries get the places of
the same primary sources.
"""

import argparse
import importlib
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
import sep
from astropy.io import fits
from hsc_detector import find
from scipy.signal import fftconvolve

from obs.algorithms.detector.cosmic_rays import find_cosmic_rays
from obs.algorithms.measure.aperture_flux import SubpixelShifts, measure_aperture_flux
from obs.algorithms.measure.centroid import measure_centroid
from obs.algorithms.measure.psf_flux import measure_psf_flux
from obs.algorithms.measure.shape import measure_shape, psf_sigma
from obs.algorithms.measure.sources import measure_sources
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.sky.background import fit_background
from obs.algorithms.sky.noise import predict_smoothed_noise
from obs.algorithms.sources.deblend import deblend
from obs.algorithms.sources.detection import find_footprints
from obs.algorithms.sources.stamps import StampCutter, list_sources
from obs.repo.fits_catalog import read_catalog
from obs.repo.fits_exposure import read_exposure, write_exposure
from obs.repo.fits_raw import read_raw

HALF = 28
APERTURES = [3.0, 4.5, 6.0, 9.0, 12.0, 17.0, 25.0, 35.0, 50.0, 70.0]
Step = tuple[str, Callable[[], object], str, Callable[[], object] | None]


def library(name: str, attribute: str) -> Callable[..., object] | None:
    """Return a function or class of a library, or None where it is not installed."""
    try:
        return getattr(importlib.import_module(name), attribute)
    except ImportError:
        return None


def steps(folder: Path) -> list[Step]:
    """Name of each step, ours, what it is compared with, theirs."""
    exposure = read_exposure(find(folder / "out", "CORR-*.fits"))
    catalog = read_catalog(find(folder / "out", "SRC-*.fits"))
    raw = sorted((folder / "raw").glob("*.fits.fz"))[-1]
    if not list((folder / "out").rglob("c0*.fits")):
        raise SystemExit("run hsc_detector.py FOLDER again: its run keeps the frame from before cosmic rays were found")
    removed = read_exposure(find(folder / "out", "c0*.fits")).masked_image
    image, variance, psf = exposure.masked_image.image, exposure.masked_image.variance, exposure.psf
    height, width = image.shape
    sky = removed.image - np.float32(np.median(removed.image))
    primary = catalog["detect_isPrimary"]
    x, y = (catalog[f"base_SdssCentroid_{c}"][primary].astype(float) for c in "xy")
    inside = (x > HALF + 1) & (x < width - HALF - 2) & (y > HALF + 1) & (y < height - HALF - 2)
    x, y = x[inside], y[inside]
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    stamps, noise = (plane_windows(plane, row, column, HALF) for plane in (image, variance))
    whole, dx, dy = np.ones(stamps.shape, bool), x - column, y - row
    middle = np.full(len(x), HALF)
    sigma = psf_sigma(psf, x=width / 2, y=height / 2)
    kernel = psf.evaluate(x=[width / 2], y=[height / 2])[0]
    models = psf.render(x=x, y=y)
    grid = [axis.ravel() for axis in np.meshgrid(np.linspace(0, width - 1, 5), np.linspace(0, height - 1, 5))]
    stars = psf.evaluate(x=grid[0], y=grid[1])
    masked = exposure.masked_image.mask.any("DETECTED")
    noise_level = predict_smoothed_noise(image, masked, sigma)
    smoothed = smooth(image, sigma, to_border=True)
    detection = {"threshold": 5 * noise_level, "n_grow": 5, "prominence": 2.5 * noise_level, "variance": variance}
    footprints = find_footprints(smoothed, **detection)
    fwhm = 2.3548 * sigma
    children = deblend(image, variance, footprints, psf, fwhm=fwhm)
    sources = list_sources(footprints, children)
    cutter = StampCutter(image, variance, footprints, children, sources, noise=noise_level, seed=1)
    shifts = SubpixelShifts.to(dx, dy, 22)

    def batches(function: Callable[[slice], object]) -> Callable[[], object]:
        return lambda: [function(slice(k, k + 800)) for k in range(0, len(x), 800)]

    def ten_sep() -> object:
        return [sep.sum_circle(image, x, y, radius, var=variance, subpix=0) for radius in APERTURES]

    crowded, background2d = library("astroscrappy", "detect_cosmics"), library("photutils.background", "Background2D")
    moments = library("galsim.hsm", "FindAdaptiveMom")
    galsim_image = library("galsim", "Image")
    scratch = folder / "steps.fits"
    return [
        ("read the Rice-compressed raw", lambda: read_raw(raw), "astropy", lambda: fits.getdata(raw)),
        ("background, cells of 128", lambda: fit_background(image, masked, bin_size=128, style="akima").image(),
         "sep", lambda: sep.Background(image, bw=128, bh=128).back()),
        ("background, cells of 128", lambda: fit_background(image, masked, bin_size=128, style="akima").image(),
         "photutils", None if background2d is None else lambda: background2d(image, 128).background),
        ("cosmic rays, one round", lambda: find_cosmic_rays(sky, removed.variance, stars, contrast_second=0.4),
         "astroscrappy, one iteration",
         None if crowded is None else lambda: crowded(sky, invar=removed.variance, niter=1, sepmed=True)),
        ("smoothing with the PSF", lambda: smooth(image, sigma, to_border=True),
         "scipy, FFT", lambda: fftconvolve(image, kernel, mode="same")),
        ("noise, footprints, peaks, blends",
         lambda: (predict_smoothed_noise(image, masked, sigma), find_footprints(smoothed, **detection),
                  deblend(image, variance, footprints, psf, fwhm=fwhm)),
         "sep.extract", lambda: sep.extract(image, 1.5, err=np.sqrt(variance), filter_kernel=kernel[10:21, 10:21])),
        ("one aperture of 6 pixels, band-limited",
         batches(lambda b: measure_aperture_flux(
             stamps[b], noise[b], whole[b], dx[b], dy[b], 6.0, sinc=True,
             shifts=SubpixelShifts(shifts.rows[b], shifts.columns[b]))),
         "sep, exact", lambda: sep.sum_circle(image, x, y, 6.0, var=variance, subpix=0)),
        ("centroids", batches(lambda b: measure_centroid(
            stamps[b], noise[b], psf.evaluate(x=x[b], y=y[b]), np.full(len(x[b]), sigma))),
         "sep.winpos", lambda: sep.winpos(image, x, y, np.full(len(x), sigma))),
        ("PSF fluxes", batches(lambda b: measure_psf_flux(
            stamps[b], noise[b], whole[b], psf.render(x=x[b], y=y[b]), middle[b], middle[b])),
         "loop in Python", lambda: [
             float((s[13:44, 13:44] * m).sum() / (m * m).sum()) for s, m in zip(stamps, models, strict=True)]),
        ("adaptive moments", batches(lambda b: measure_shape(stamps[b], noise[b], dx[b], dy[b])),
         "GalSim", None if moments is None else lambda: [
             moments(galsim_image(s), strict=False) for s in stamps]),
        ("all measurements, ten apertures to 70 px, Kron",
         lambda: measure_sources(
             cutter, sources, footprints.labels, psf, apertures=APERTURES, maximum_sinc_radius=12.0),
         "sep, the ten apertures alone", ten_sep),
        ("write image, mask and variance", lambda: write_exposure(exposure, scratch),
         "astropy, one float32 image", lambda: fits.writeto(scratch, image, overwrite=True)),
    ]  # fmt: skip


def seconds_of(function: Callable[[], object], runs: int) -> float:
    """Median processor time of some runs, after one that is not counted."""
    values = []
    for _ in range(runs + 1):
        start = time.process_time()
        function()
        values.append(time.process_time() - start)
    return statistics.median(values[1:])


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    sep.set_extract_pixstack(3_000_000)
    print("| step | obs, ms | other | ms |\n|---|---|---|---|")
    for name, ours, other, theirs in steps(arguments.folder):
        mine = 1000 * seconds_of(ours, arguments.runs)
        their = "not installed" if theirs is None else f"{1000 * seconds_of(theirs, arguments.runs):.0f}"
        print(f"| {name} | {mine:.0f} | {other} | {their} |", flush=True)
    (arguments.folder / "steps.fits").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
