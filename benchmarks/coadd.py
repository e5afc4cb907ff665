"""Coadd of ten simulated detector images, beside SWarp on the same pixels: noise, fluxes, artifacts, time and memory.

Run as ``python benchmarks/coadd.py FOLDER [--swarp] [--matched]`` with an empty folder. Ten calibrated exposures
of 2,048 x 4,176 pixels with seeing of 0.6 to 1.1 arcsec and transparency from 0.7 to 1 are written; one has a faint and
one a bright trail, another one 232 cosmic rays that no mask knows. ``--matched`` judges the coadd with one PSF as well.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import obs
from obs.coadds.inputs_table import read_coadd_psf
from obs.image.wcs import TanSipWcs

SHAPE, SCALE, CENTER = (4176, 2048), 0.168, (150.0, 2.0)
N_VISIT, N_STAR, N_HIT, SKY = 10, 900, 232, 40.0
TRAILS = {3: (11.0, 700.0), 4: (226.0, 2600.0)}  # visit to peak in its sky noise and row at the left border
HITS = 5


def field() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return x, y on the grid and magnitude of the stars."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(60, SHAPE[1] - 60, N_STAR), rng.uniform(60, SHAPE[0] - 60, N_STAR)
    return x, y, rng.uniform(18.0, 24.0, N_STAR)


def moffat(fwhm: float, size: int = 61, beta: float = 3.0) -> obs.PixelPsf:
    """Return a PSF that is the same everywhere."""
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    offset = np.arange(size) - size // 2
    stamp = (1 + (offset[:, None] ** 2 + offset**2) / alpha**2) ** -beta
    return obs.PixelPsf((stamp / stamp.sum())[None].astype(np.float32), 0, fwhm=fwhm, interpolation="star")


def center_wcs(dx: float = 0.0, dy: float = 0.0, angle: float = 0.0) -> TanSipWcs:
    """Return the WCS of an exposure."""
    cos, sin = np.cos(angle), np.sin(angle)
    cd = np.array([[-cos, sin], [sin, cos]]) * SCALE / 3600
    return TanSipWcs(CENTER, (SHAPE[1] / 2 + dx, SHAPE[0] / 2 + dy), cd)


def make_visit(number: int) -> tuple[obs.Exposure, float]:
    """Return a calibrated exposure and its seeing."""
    rng = np.random.default_rng(50 + number)
    seeing = np.linspace(0.6, 1.1, N_VISIT)[(7 * number) % N_VISIT]
    zero_point = 31.0 + 2.5 * np.log10(np.linspace(1.0, 0.7, N_VISIT)[(3 * number) % N_VISIT])
    wcs = center_wcs(*rng.uniform(-40, 40, 2), angle=rng.normal() * 0.002)
    psf = moffat(seeing / SCALE)
    x, y, magnitude = field()
    x, y = wcs.sky_to_pixel(**dict(zip(("ra", "dec"), center_wcs().pixel_to_sky(x=x, y=y), strict=True)))
    image = np.zeros((SHAPE[0] + 200, SHAPE[1] + 200), np.float32)
    half = psf.stamp_shape[0] // 2
    for stamp, a, b, m in zip(psf.render(x=x, y=y), x, y, magnitude, strict=True):
        low, left = round(b) + 100 - half, round(a) + 100 - half
        image[low : low + 2 * half + 1, left : left + 2 * half + 1] += stamp * 10 ** (-0.4 * (m - zero_point))
    image = image[100:-100, 100:-100]
    variance = (SKY**2 + image / 3).astype(np.float32)
    image = image + rng.normal(size=SHAPE).astype(np.float32) * np.sqrt(variance)
    if number in TRAILS:
        peak, row = TRAILS[number]
        rows, columns = np.indices(SHAPE, np.float32)
        image += peak * SKY * np.exp(-0.5 * ((rows - row - 0.3 * columns) / np.hypot(1, 0.3) / 2.2) ** 2)
    if number == HITS:
        for a, b in hits():
            image[b : b + 2, a : a + 2] += 1000
    mask = obs.Mask.zeros(SHAPE)
    mask.set(variance > 1.05 * SKY**2, "DETECTED")
    pixels = obs.MaskedImage(image.astype(np.float32), mask, variance)
    calib = obs.PhotoCalib.from_zero_point(zero_point)
    # the zero point counts all light
    return obs.Exposure(pixels, wcs=wcs, psf=psf, photo_calib=calib, metadata={"PSFLIGHT": 1.0}), seeing


def hits() -> NDArray[np.int64]:
    """Return x and y of the cosmic rays."""
    rng = np.random.default_rng(9)
    return np.c_[rng.integers(100, SHAPE[1] - 100, N_HIT), rng.integers(1500, SHAPE[0] - 100, N_HIT)]


def key(number: int) -> dict[str, Any]:
    """Return the data ID of an exposure."""
    return {"dateObs": "2024-03-01", "dataType": "OBJECT", "visit": number + 1, "filter": "R", "ccd": 0}


def write(folder: Path) -> None:
    """Write all exposures to a repository."""
    obs.make_repository(folder / "DATA", obs.load_instrument("necam"))
    butler = obs.Butler(folder / "DATA", output=folder / "out")
    for number in range(N_VISIT):
        exposure, seeing = make_visit(number)
        butler.put(exposure, "calexp", key(number))
        butler.put({"seeing": float(seeing)}, "processCcd_metadata", key(number))


def run(*words: object) -> None:
    """Run a command; print what it prints, and its time and memory."""
    started = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    print(done.stdout, end="")
    clock = time.monotonic() - started
    memory = after.ru_maxrss / 1024
    print(f"  {words[0]} {words[1]}: {seconds[0]:.1f} + {seconds[1]:.1f} CPU s, {clock:.0f} s, {memory:.0f} MB")


def judge(folder: Path) -> None:
    """Compare the coadd with the truth."""
    butler = obs.Butler(folder / "out")
    data_id = {"tract": 0, "patch": "0,0", "filter": "R"}
    exposure, count = butler.get("deepCoadd", data_id), butler.get("deepCoadd_nImage", data_id)
    inputs, psf = butler.get("deepCoadd_inputs", data_id), read_coadd_psf(butler, **data_id)
    x, y, magnitude = field()
    x, y = exposure.wcs.sky_to_pixel(**dict(zip(("ra", "dec"), center_wcs().pixel_to_sky(x=x, y=y), strict=True)))
    image, variance = exposure.masked_image.image, exposure.masked_image.variance
    near = near_stars(exposure.shape, x, y, magnitude)
    blank = (count == N_VISIT) & ~near
    sigmas = inputs["sky_sigma"]
    ideal = 1 / np.sqrt(np.sum(1 / sigmas**2))
    plane = np.sqrt(np.median(variance[blank]))
    middle = psf.evaluate(x=[exposure.shape[1] / 2], y=[exposure.shape[0] / 2])[0]
    weights = {"aperture 6 px": np.hypot(*np.indices((13, 13)) - 6) < 6, "PSF filter": middle[11:-11, 11:-11]}
    print(f"noise of the plane / ideal {plane / ideal:.3f}; pixels / plane {np.std(image[blank]) / plane:.3f}")
    for name, weight in weights.items():
        values = sums(image, blank, weight)
        ratio = np.std(values) / plane / np.sqrt(np.sum(np.square(weight, dtype=float)))
        print(f"noise, {name}: / ideal {ratio * plane / ideal:.3f}, / plane {ratio:.3f} ({len(values)})")
    other = np.abs(x[:, None] - x) + np.abs(y[:, None] - y) + 1e3 * np.eye(len(x))
    alone = np.flatnonzero(other.min(axis=0) > 60)
    stamps = psf.render(x=x[alone], y=y[alone])
    half = stamps.shape[1] // 2
    flux, error = np.empty(len(alone)), np.empty(len(alone))
    for k, (i, stamp) in enumerate(zip(alone, stamps, strict=True)):
        place = np.s_[round(y[i]) - half : round(y[i]) + half + 1, round(x[i]) - half : round(x[i]) + half + 1]
        norm = np.sum(stamp**2, dtype=float)
        flux[k] = np.sum(stamp * image[place], dtype=float) / norm
        error[k] = np.sqrt(np.sum(stamp**2 * variance[place], dtype=float)) / norm
    truth = 10 ** (-0.4 * (magnitude[alone] - 27))
    for low, high in ((50, 1e9), (10, 50)):
        chosen = (truth / error > low) & (truth / error < high)
        ratio, pull = flux[chosen] / truth[chosen], (flux - truth)[chosen] / error[chosen]
        width = 1.4826 * np.median(np.abs(pull - np.median(pull)))
        numbers = f"flux / truth {np.median(ratio):.4f}, pulls {np.median(pull):+.2f}, {width:.2f} wide"
        print(f"stars, S/N {low:.0f} to {high:.0f}: {chosen.sum()}, {numbers}")
    sigma = plane
    for number, (peak, row) in TRAILS.items():
        a = np.arange(100, SHAPE[1] - 100, 1.0)
        visit = make_wcs(butler, number)
        u, v = exposure.wcs.sky_to_pixel(
            **dict(zip(("ra", "dec"), visit.pixel_to_sky(x=a, y=row + 0.3 * a), strict=True))
        )
        u, v = np.rint(u).astype(int), np.rint(v).astype(int)
        clear = ~near[v, u] & (count[v, u] >= N_VISIT - 2)
        left = image[v, u][clear] / sigma
        error_left = np.std(left) / np.sqrt(clear.sum() / 4)
        print(f"trail of {peak:.0f} sigma: left on its axis {np.mean(left):+.3f} +- {error_left:.3f} sigma")
    visit = make_wcs(butler, HITS)
    a, b = hits().T + 0.5
    u, v = exposure.wcs.sky_to_pixel(**dict(zip(("ra", "dec"), visit.pixel_to_sky(x=a, y=b), strict=True)))
    u, v = np.rint(u).astype(int), np.rint(v).astype(int)
    peaks = np.array([image[d - 2 : d + 3, c - 2 : c + 3].max() for c, d in zip(u, v, strict=True)]) / sigma
    away = ~near[v, u]
    found = f"above 5 sigma {np.sum(peaks[away] > 5)}, largest {peaks[away].max():.1f}"
    print(f"cosmic rays {away.sum()} away from stars: {found}")
    clean = [row for row in range(N_VISIT) if inputs["visit"][row] - 1 not in {*TRAILS, HITS}]
    print(f"clipped of exposures without artifacts: {max(inputs['clipped_share'][clean]):.1e} of the pixels at most")


def near_stars(
    shape: tuple[int, int], x: NDArray[np.float64], y: NDArray[np.float64], magnitude: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the pixels that stars reach."""
    near = np.zeros(shape, bool)
    for a, b, m in zip(x, y, magnitude, strict=True):
        reach = int(20 + 8 * (22 - m)) if m < 22 else 20
        near[max(0, int(b) - reach) : int(b) + reach, max(0, int(a) - reach) : int(a) + reach] = True
    return near


def judge_matched(folder: Path) -> None:
    """Print the noise of the coadd with one PSF over its variance plane, for several sums, and fluxes of stars."""
    butler = obs.Butler(folder / "out")
    exposure = butler.get("deepCoaddPsfMatched", tract=0, patch="0,0", filter="R")
    count = butler.get("deepCoadd_nImage", tract=0, patch="0,0", filter="R")
    image, variance, psf = exposure.masked_image.image, exposure.masked_image.variance, exposure.psf
    x, y, magnitude = field()
    x, y = exposure.wcs.sky_to_pixel(**dict(zip(("ra", "dec"), center_wcs().pixel_to_sky(x=x, y=y), strict=True)))
    blank = (count == N_VISIT) & ~near_stars(exposure.shape, x, y, magnitude)
    plane = np.sqrt(np.median(variance[blank]))
    print(f"one PSF of {exposure.metadata['SEEING']:.2f} arcsec; pixels / plane {np.std(image[blank]) / plane:.3f}")
    stamp = psf.evaluate(x=[0.0], y=[0.0])[0]
    middle = stamp.shape[0] // 2
    distance = np.hypot(*np.indices(stamp.shape) - middle)
    weights = {"PSF": stamp} | {f"{n} FWHM": (distance < n * psf.fwhm).astype(float) for n in (0.5, 1, 2)}
    for name, weight in weights.items():
        inner = weight[middle - 20 : middle + 21, middle - 20 : middle + 21]
        values = sums(image, blank, inner)
        ratio = np.std(values) / plane / np.sqrt(np.sum(np.square(inner, dtype=float)))
        print(f"noise, sums of {name}: / plane {ratio:.3f} ({len(values)})")
    other = np.abs(x[:, None] - x) + np.abs(y[:, None] - y) + 1e3 * np.eye(len(x))
    chosen = np.flatnonzero((other.min(axis=0) > 80) & (magnitude < 19.5))
    ratios = []
    for i, model in zip(chosen, psf.render(x=x[chosen], y=y[chosen]), strict=True):
        place = np.s_[round(y[i]) - middle : round(y[i]) + middle + 1, round(x[i]) - middle : round(x[i]) + middle + 1]
        flux = np.sum(model * image[place], dtype=float) / np.sum(model**2, dtype=float)
        ratios.append(flux / 10 ** (-0.4 * (magnitude[i] - 27)))
    print(f"stars of 18 to 19.5 mag: {len(ratios)}, flux / truth {np.median(ratios):.4f}, scatter {np.std(ratios):.4f}")


def make_wcs(butler: obs.Butler, number: int) -> TanSipWcs:
    """Return the WCS of an exposure."""
    return butler.get("calexp_wcs", key(number))


def sums(image: NDArray[np.float32], blank: NDArray[np.bool_], weight: NDArray[Any]) -> NDArray[np.float64]:
    """Weighted sums over separate blank places."""
    size = weight.shape[0]
    rows, columns = (np.arange(0, length - size, size) for length in image.shape)
    result = [
        np.sum(weight * image[row : row + size, column : column + size], dtype=float)
        for row in rows
        for column in columns
        if blank[row : row + size, column : column + size].all()
    ]
    return np.array(result) - np.mean(result)


def swarp(folder: Path) -> None:
    """Combine the same pixels with SWarp."""
    from astropy.io import fits  # noqa: PLC0415 - needed for this comparison only

    butler = obs.Butler(folder / "out")
    place = folder / "swarp"
    place.mkdir(exist_ok=True)
    names = []
    for number in range(N_VISIT):
        exposure = butler.get("calexp", key(number))
        header = fits.Header(exposure.wcs.to_header())
        header["FLXSCALE"] = 10 ** (0.4 * (27 - exposure.photo_calib.zero_point))
        header["GAIN"] = 3.0
        weight = np.full(SHAPE, 1 / SKY**2, np.float32)
        names.append(place / f"v{number}.fits")
        fits.writeto(names[-1], exposure.masked_image.image, header, overwrite=True)
        fits.writeto(place / f"v{number}.weight.fits", weight, header, overwrite=True)
    options = "-SUBTRACT_BACK N -WEIGHT_TYPE MAP_WEIGHT -COMBINE_TYPE CLIPPED -RESAMPLING_TYPE LANCZOS3 -NTHREADS 1"
    options += " -WRITE_XML N"  # else it writes into the working folder
    words = options.split()
    center = "-CENTER_TYPE MANUAL -CENTER 150.0,2.0 -IMAGE_SIZE 4096,4400"
    grid = f"-PIXELSCALE_TYPE MANUAL -PIXEL_SCALE {SCALE} {center}".split()
    out = ["-IMAGEOUT_NAME", place / "coadd.fits", "-WEIGHTOUT_NAME", place / "weight.fits", "-RESAMPLE_DIR", place]
    run(shutil.which("SWarp") or shutil.which("swarp") or "swarp", *names, *words, *grid, *out)


def main() -> None:
    """Do what the command line says."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--swarp", action="store_true")
    arguments.add_argument("--matched", action="store_true")
    given = arguments.parse_args()
    command = Path(sys.executable).with_name("obs")
    if not (given.folder / "out").exists():
        write(given.folder)
    tract = ["ra=[150.0]", "dec=[2.0]", "radius=[0.02]", "patch_width=4096", "patch_height=4400", "patch_border=0"]
    run(command, "skymap", "make", given.folder / "out", "discrete", "--replace", "-c", *tract, f"pixel_scale={SCALE}")
    run(command, "coadd", given.folder / "out")
    judge(given.folder)
    if given.matched:
        run(command, "coadd", given.folder / "out", "-c", "psf_matched_coadd=true", "--clobber-config")
        judge_matched(given.folder)
    if given.swarp:
        swarp(given.folder)


if __name__ == "__main__":
    main()
