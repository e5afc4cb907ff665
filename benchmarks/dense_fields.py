"""Frames of an HSC detector full of stars, rendered with GalSim: what is found, fluxes, sky, time and memory.

    python benchmarks/dense_fields.py FOLDER 5000 20000 51000 [-c calibrate.detection.shoulders=0.5]

Stars of Moffat seeing (4.2 pixels, exponent 3.5) down to a twentieth of the noise, whose number grows by 0.35 dex a
magnitude, on 2048 x 4176 pixels with a sky of 540 ADU, go through ``obs process-file``, SExtractor, PSFEx and
SExtractor again. The fluxes of the latter are scaled to those of bright isolated stars, because PSFEx fits a part of
the light. A star is found if it is the brightest within 1.5 pixels of a source; a source is right if a star of a third
of its flux or more is within 2 pixels. Isolated means that all stars within 10 pixels have 2 % of the light.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray
from peers_sdss import prepare_peers
from scipy.spatial import cKDTree

WIDTH, HEIGHT, SKY, GAIN, READ_NOISE, FWHM = 2048, 4176, 540.0, 3.7, 4.5, 4.2
PHASES, REACH = 10, 50
BINS = ((7, 10), (10, 30), (30, np.inf))
Float = NDArray[np.float64]


def render(number: int, faintest: float, folder: Path) -> None:
    """Write a frame and its truth."""
    rng = np.random.default_rng(1)
    mag = faintest + np.log10(rng.uniform(10 ** (-0.35 * 9), 1, number)) / 0.35
    flux = 10 ** (-0.4 * (mag - 31.0))
    psf = galsim.Moffat(beta=3.5, fwhm=FWHM)
    places = (np.arange(PHASES) + 0.5) / PHASES - 0.5
    side = 2 * REACH + 1
    stamps = [[psf.drawImage(nx=side, ny=side, scale=1.0, offset=(x, y)).array for x in places] for y in places]
    column, row = rng.integers(0, WIDTH, number), rng.integers(0, HEIGHT, number)
    phase = rng.integers(0, PHASES, (2, number))
    image = np.zeros((HEIGHT + 2 * REACH, WIDTH + 2 * REACH))
    half = np.where(flux > 3e4, REACH, np.where(flux > 3e3, 30, 18))
    for k, h in enumerate(half):
        y, x, inner = row[k] + REACH, column[k] + REACH, slice(REACH - h, REACH + h + 1)
        image[y - h : y + h + 1, x - h : x + h + 1] += flux[k] * stamps[phase[1, k]][phase[0, k]][inner, inner]
    image = image[REACH:-REACH, REACH:-REACH]
    counts = rng.poisson((image + SKY) * GAIN) + rng.normal(0, READ_NOISE, image.shape)
    folder.mkdir(parents=True, exist_ok=True)
    header = fits.Header({"GAIN": GAIN, "RDNOISE": READ_NOISE, "EXPTIME": 60.0})
    fits.writeto(folder / "field.fits", (counts / GAIN).astype(np.float32), header, overwrite=True)
    truth = Table({"x": column + places[phase[0]], "y": row + places[phase[1]], "flux": flux})
    truth.write(folder / "truth.fits", overwrite=True)


def run(commands: list[list[str]], folder: Path) -> str:
    """Run commands; return their processor time and largest memory."""
    seconds, memory = 0.0, 0
    for command in commands:
        with open(folder / "log.txt", "w") as log:
            child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
        if status:
            raise SystemExit((folder / "log.txt").read_text())
        seconds += usage.ru_utime + usage.ru_stime
        memory = max(memory, usage.ru_maxrss // 1024)
    return f"{seconds:.1f} s, {memory} MB"


def score(truth: Table, place: Float, flux: Float, error: Float) -> str:
    """Return completeness, purity and bias by S/N, of all stars and of isolated ones."""
    true_flux, true_place = np.asarray(truth["flux"]), np.c_[truth["x"], truth["y"]]
    noise = np.sqrt(4 * np.pi * (FWHM / 2.355) ** 2 * 1.25 * (SKY / GAIN + (READ_NOISE / GAIN) ** 2))
    signal = true_flux / np.sqrt(noise**2 + true_flux / GAIN)
    tree = cKDTree(true_place)
    near_source = zip(tree.query_ball_point(place, 2.0), flux, strict=True)
    right = [any(true_flux[k] > 0.3 * own for k in near) for near, own in near_source]
    brightest = [max(near, key=lambda k: true_flux[k], default=-1) for near in tree.query_ball_point(place, 1.5)]
    gap, source = cKDTree(place).query(true_place)
    found = (gap < 1.5) & (np.array(brightest)[source] == np.arange(len(truth)))
    cells = []
    for low, high in BINS:
        here = (signal >= low) & (signal < high)
        own = np.flatnonzero(here & found)
        near = tree.query_ball_point(true_place[own], 10.0)
        light = np.array([true_flux[group].sum() / true_flux[k] - 1 for group, k in zip(near, own, strict=True)])
        bias = 100 * (flux[source[own]] / true_flux[own] - 1)
        pure = np.mean(np.array(right)[(flux / error >= low) & (flux / error < high)])
        cells.append(f"{found[here].mean():.3f} {pure:.3f} {np.median(bias):+.1f} {np.median(bias[light < 0.02]):+.1f}")
    return " | ".join(cells)


def main() -> None:
    """Print two rows for each number of stars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("numbers", type=int, nargs="+")
    parser.add_argument("--faintest", type=float, default=26.0, help="magnitude of the faintest stars; zero point 31")
    parser.add_argument("-c", dest="settings", action="append", default=[])
    options = parser.parse_args()
    print("| frame | found, right, bias (%) of all and of isolated stars at S/N 7-10 | 10-30 | above 30 | sky | cost |")
    for number in options.numbers:
        folder = options.folder / f"{number}-{options.faintest:g}"
        if not (folder / "field.fits").exists():
            render(number, options.faintest, folder)
        pixels, truth = fits.getdata(folder / "field.fits"), Table.read(folder / "truth.fits")
        settings = [word for setting in options.settings for word in ("-c", setting)]
        command = [
            str(Path(sys.executable).with_name("obs")),
            "process-file",
            "field.fits",
            "--output",
            "out",
            *settings,
        ]
        cost = run([command], folder)
        table = Table.read(folder / "out/field/src.fits", hdu=1)
        table = table[np.asarray(table["detect_isPrimary"]) & np.isfinite(table["base_PsfFlux_instFlux"])]
        place = np.c_[table["base_SdssCentroid_x"], table["base_SdssCentroid_y"]]
        values = (np.asarray(table[f"base_PsfFlux_{name}"]) for name in ("instFlux", "instFluxErr"))
        sky = np.median(pixels - fits.getdata(folder / "out/field.fits", "IMAGE")) - SKY
        print(f"| obs, {number}: {len(table)} | {score(truth, place, *values)} | {sky:+.2f} | {cost} |", flush=True)
        (folder / "image.fits").unlink(missing_ok=True)
        commands = list(prepare_peers(pixels, GAIN, folder).values())
        if not commands:
            continue
        cost = run(commands[-1], folder)
        table = Table.read(folder / "second.cat", hdu=2)
        table = table[(table["FLUX_PSF"] > 0) & (table["FLUXERR_PSF"] > 0)]
        place = np.c_[table["XWIN_IMAGE"], table["YWIN_IMAGE"]] - 1
        flux, error = (np.asarray(table[name], float) for name in ("FLUX_PSF", "FLUXERR_PSF"))
        tree = cKDTree(np.c_[truth["x"], truth["y"]])
        gap, star = tree.query(place)
        alone = tree.query(tree.data, k=2)[0][:, 1] > 8
        bright = (gap < 1) & (np.asarray(truth["flux"])[star] > 2e4) & alone[star]
        scale = np.median(flux[bright] / np.asarray(truth["flux"])[star[bright]])
        row = score(truth, place, flux / scale, error / scale)
        print(f"| SExtractor and PSFEx, {number}: {len(table)} | {row} | | {cost} |", flush=True)


if __name__ == "__main__":
    main()
