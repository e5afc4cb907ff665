"""Simulate one HSC detector, process it from the raw frame, and compare every step with the truth.

    python benchmarks/hsc_detector.py FOLDER [--seed 3] [--bias 9] [--flat 9]

makes, in FOLDER, biases, darks, flats and one science frame (2048 x 4176 pixels, some 8,000 sources, seeing 0.7 arcsec,
sky 2,000 electrons, 3,000 cosmic rays), builds the master calibrations, processes the frame on one core, and prints the
table of `benchmarks/README.md`. What is there already is not made again.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from scipy.ndimage import binary_dilation
from scipy.spatial import cKDTree

OBS = str(Path(sys.executable).with_name("obs"))
DETECTOR = 50
SCIENCE = ["optics.fixed_seeing=0.7", "sources.density=403000", "sources.slope=0.35", "cosmic_rays.count=3000"]


def obs(*words: str, log: Path) -> float:
    """Run a command; return its seconds."""
    start = time.perf_counter()
    with open(log, "a") as output:
        status = subprocess.run([OBS, *words], stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    if status:
        raise SystemExit(f"obs {' '.join(words)} failed:\n{log.read_text()[-3000:]}")
    return time.perf_counter() - start


def prepare(folder: Path, seed: int, n_bias: int, n_flat: int) -> None:
    """Simulate, ingest and build calibrations, unless that is done."""
    if (folder / "DATA/CALIB").exists() or (folder / "done").exists():
        return
    log, raw, data = folder / "log.txt", str(folder / "raw"), str(folder / "DATA")
    common = ["--output", raw, "--detectors", str(DETECTOR), "--seed", str(seed)]
    obs("simulate", "hsc", *common, "--type", "bias", "--visits", str(n_bias), log=log)
    obs("simulate", "hsc", *common, "--type", "dark", "--visits", "5", "--exposure-time", "300", log=log)
    obs("simulate", "hsc", *common, "--type", "flat", "--visits", str(n_flat), "--filter", "HSC-R", log=log)
    obs("simulate", "hsc", *common, "--filter", "HSC-R", "--exposure-time", "200", "--truth", "images",
        "-c", "sky.level=2000", *SCIENCE, log=log)  # fmt: skip
    obs("init", data, "--camera", "hsc", log=log)
    obs("ingest", data, *map(str, sorted((folder / "raw").glob("*.fits.fz"))), log=log)
    obs("ingest-refcat", data, "sim", f"{raw}/reference.fits", log=log)
    for kind, types in (("bias", "BIAS"), ("dark", "DARK"), ("flat", "DOMEFLAT")):
        obs("calibs", "build", kind, data, "--id", f"dataType={types}", "--validity", "999", log=log)
    (folder / "done").touch()


def process(folder: Path, extra: list[str], cpu: bool = False) -> tuple[float, float]:
    """Process the science frame on one core; return seconds (of the processor, if so wished) and MB of the process."""
    data = str(folder / "DATA")
    words = [OBS, "process", data, "--output", str(folder / "out"), "--clobber-output", "--id", "dataType=OBJECT"]
    words += extra
    start = time.perf_counter()
    with open(folder / "process.txt", "w") as log:
        child = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit((folder / "process.txt").read_text())
    seconds = usage.ru_utime + usage.ru_stime if cpu else time.perf_counter() - start
    return seconds, usage.ru_maxrss / 1024


def find(folder: Path, pattern: str) -> Path:
    """Return the one file of a pattern."""
    return next(iter(sorted(folder.rglob(pattern))))


def planes(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, int], fits.Header]:
    """Image, mask, mask bits and primary header of an exposure."""
    with fits.open(path) as hdus:
        bits = {k[3:]: 1 << int(v) for k, v in hdus["MASK"].header.items() if k.startswith("MP_")}
        return hdus["IMAGE"].data.astype(float), hdus["MASK"].data, bits, hdus[0].header


def robust(values: np.ndarray) -> float:
    """Return the standard deviation from the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def score(folder: Path) -> list[tuple[str, str, str]]:
    """Compare outputs with the truth: name, bar, value."""
    rows: list[tuple[str, str, str]] = []
    truth = Table.read(find(folder / "raw/truth", "*truth.fits"), hdu=1)
    with fits.open(find(folder / "raw/truth", "*truth-images.fits.gz")) as hdus:
        electrons, hits = hdus["ELECTRONS"].data.astype(float), hdus["COSMIC_RAYS"].data
    source = Table.read(find(folder / "out", "SRC-*.fits"), hdu=1)
    _, mask, bits, header = planes(find(folder / "out", "CORR-*.fits"))
    isr, scale = isr_rows(find(folder / "out", "c0*.fits"), electrons, hits)
    rows += isr + cosmic_ray_rows(mask, bits, hits, electrons)

    good = np.asarray(source["deblend_nChild"]) == 0
    source = source[good]
    x, y = np.asarray(truth["x"]), np.asarray(truth["y"])
    # division by a flat gives all amplifiers one gain; what it is the sky tells
    counts = np.asarray(truth["electrons"]) * scale
    star = np.asarray(truth["is_star"])
    near = cKDTree(np.c_[x, y]).query(np.c_[x, y], k=8)
    # isolated: no other source within 20 pixels that holds more than a hundredth of the light
    fluxes = counts[np.minimum(near[1], len(x) - 1)]
    crowd = (near[0][:, 1:] < 20) & (fluxes[:, 1:] > 0.01 * counts[:, None])
    inside = (x > 30) & (x < 2017) & (y > 30) & (y < 4145)
    isolated = star & ~crowd.any(1) & inside
    sx, sy = np.asarray(source["base_SdssCentroid_x"]), np.asarray(source["base_SdssCentroid_y"])
    flux, error = (np.asarray(source[f"base_PsfFlux_instFlux{e}"]) for e in ("", "Err"))
    sn = flux / error
    distance, match = cKDTree(np.c_[x, y]).query(np.c_[sx, sy])
    clean = np.ones(len(source), bool)
    for flag in ("saturated", "interpolated", "bad", "edge", "cr"):
        clean &= ~np.asarray(source[f"base_PixelFlags_flag_{flag}"])
    use = (distance < 2) & isolated[match] & clean
    # selected by the true signal: stars chosen by the measured one are those that noise has brightened
    signal = counts[match] / error
    some, bright = use & (signal > 10) & (signal < 100), use & (signal > 100)
    pull = (flux - counts[match]) / error
    spread = f"{np.std(pull[some]):.3f} ({some.sum()})"
    rows.append(("PSF flux pull at S/N 10-100, standard deviation", "0.95-1.10", spread))
    rows.append(("PSF flux pull at S/N 10-100, mean", "0.1", f"{np.mean(pull[some]):.3f}"))
    ratio = flux / counts[match]
    bias = f"{100 * (np.median(ratio[bright]) - 1):.3f} % ({bright.sum()})"
    rows.append(("PSF flux of bright stars, median bias", "0.3 %", bias))
    aperture = "base_CircularApertureFlux_12_0"
    corrected = np.asarray(source[f"{aperture}_instFlux"]) * np.asarray(source[f"{aperture}_apCorr"])
    for name, light in (
        ("12 px, corrected", corrected),
        ("25 px", np.asarray(source["base_CircularApertureFlux_25_0_instFlux"])),
    ):
        bias = f"{100 * (np.median((light / counts[match])[bright]) - 1):.3f} %"
        rows.append((f"aperture flux ({name}) of bright stars, median bias", "0.3 %", bias))
    noise = np.median(error[(sn > 5) & (sn < 20)])
    true_sn = counts / noise
    found = cKDTree(np.c_[sx, sy]).query(np.c_[x, y])[0] < 2
    at_seven = isolated & (true_sn > 6.5) & (true_sn < 7.5)
    complete = f"{100 * found[at_seven].mean():.1f} % ({at_seven.sum()})"
    rows.append(("completeness, isolated stars at S/N 7", "95 %", complete))
    false = (distance > 3) & (sn > 0)
    rows.append(("false detections", "2 %", f"{100 * false.mean():.2f} % of {len(source)}"))
    fwhm = np.asarray(truth["psf_fwhm"])
    (ra, true_ra), (dec, true_dec) = (
        (np.asarray(source[f"coord_{c}"]), np.asarray(truth[f"coord_{c}"])[match]) for c in ("ra", "dec")
    )
    dra, ddec = (ra - true_ra) * np.cos(np.radians(true_dec)) * 3.6e6, (dec - true_dec) * 3.6e6
    offsets = [robust(np.asarray(d)[bright]) for d in (dra, ddec)]
    pattern = field_pattern(sx[bright], sy[bright], np.asarray(dra)[bright], np.asarray(ddec)[bright])
    rows.append(("astrometry of bright stars, rms per axis", "5 mas", f"{offsets[0]:.2f}, {offsets[1]:.2f} mas"))
    rows.append(("field pattern of astrometry", "3 mas", f"{pattern:.2f} mas"))
    magnitude = np.asarray(truth["magnitude"])
    true_zero = np.nanmedian(magnitude[star] + 2.5 * np.log10(counts[star]))
    fitted = 2.5 * np.log10(header["FLUXMAG0"])
    rows.append(("zero point - truth", "0.003 mag", f"{fitted - true_zero:+.4f} mag"))
    rows.append(("true PSF width", "", f"{statistics.median(fwhm):.2f} (median of the truth)"))
    return rows


def field_pattern(x: np.ndarray, y: np.ndarray, dra: np.ndarray, ddec: np.ndarray) -> float:
    """Largest median residual, mas, in a grid of 2 x 4 cells with at least ten stars."""
    cells = (x // 1024).astype(int) * 4 + (y // 1044).astype(int)
    worst = 0.0
    for cell in np.unique(cells):
        own = cells == cell
        if own.sum() >= 10:
            worst = max(worst, abs(float(np.median(dra[own]))), abs(float(np.median(ddec[own]))))
    return worst


def isr_rows(path: Path, electrons: np.ndarray, hits: np.ndarray) -> tuple[list[tuple[str, str, str]], float]:
    """Compare the image after signature removal with the light that fell; return also counts for an electron.

    The scale, of which the flat decides, is that of the light of sources; where bias, dark or overscan leave something,
    the sky has another.
    """
    image, mask, bits, _ = planes(path)
    variance = fits.getdata(path, "VARIANCE").astype(float)
    bad = (mask & sum(bits[name] for name in ("BAD", "SAT", "INTRP", "NO_DATA", "SUSPECT") if name in bits)) != 0
    sky = float(np.median(electrons))
    good = ~bad & (hits == 0)
    dark, bright = good & (electrons < sky * 1.02), good & (electrons > sky * 1.5)
    # means, not medians: wings of sources make the light skew, and the noise hides that
    image_sky, true_sky = image[dark].mean(), electrons[dark].mean()
    scale = float(image_sky / true_sky)
    of_sources = float((image[bright] - image_sky).sum() / (electrons[bright] - true_sky).sum())
    residual = image - scale * electrons
    sigma = np.sqrt(variance[dark])
    parts = zip(np.array_split(residual[dark], 8), np.array_split(sigma, 8), strict=True)
    cells = [robust(part) / np.median(expected) for part, expected in parts]
    # columns of cells in which the residual is averaged: what is left of amplifiers and bias structure
    columns = np.nonzero(dark)[1] // 128
    means = np.array([residual[dark][columns == k].mean() for k in range(16)])
    percent = 100 / (scale * sky)
    level = f"{100 * (1 - of_sources / scale):.3f} %, {percent * np.abs(means).max():.3f} %"
    return [
        ("ISR: mean residual, by the light of sources; largest in strips of 128 columns", "0.1 % of sky", level),
        ("ISR: scatter over expected noise", "1 within 0.02", f"{robust(residual[dark] / sigma):.4f}"),
        ("ISR: the same in eight parts of the detector", "1 within 0.02", f"{min(cells):.4f} to {max(cells):.4f}"),
    ], of_sources


def cosmic_ray_rows(
    mask: np.ndarray, bits: dict[str, int], hits: np.ndarray, electrons: np.ndarray
) -> list[tuple[str, str, str]]:
    """Cosmic rays found and stars wrongly flagged."""
    found = (mask & bits["CR"]) != 0
    sigma = np.sqrt(np.maximum(electrons, 1.0))
    strong = hits > 10 * sigma
    sky = float(np.median(electrons))
    star = (electrons > sky + 3 * np.sqrt(sky)) & ~binary_dilation(hits > 0, iterations=2)
    return [
        ("cosmic-ray pixels above 10 sigma found", "95 %", f"{100 * found[strong].mean():.2f} %"),
        ("star pixels falsely flagged", "0.1 %", f"{100 * found[star].mean():.4f} %"),
    ]


def main() -> None:
    """Make, process, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--bias", type=int, default=9)
    parser.add_argument("--flat", type=int, default=9)
    parser.add_argument("-c", nargs="*", default=[], help="settings handed on to obs process")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    prepare(arguments.folder, arguments.seed, arguments.bias, arguments.flat)
    extra = ["-c", "isr.write=true", *arguments.c]
    seconds, memory = process(arguments.folder, extra)
    print((arguments.folder / "process.txt").read_text())
    print(find(arguments.folder / "out", "*.yaml").parent)
    for path in sorted((arguments.folder / "out").rglob("00*.yaml")):
        print(path.read_text())
    print(f"whole process: {seconds:.1f} s, {memory:.0f} MB")
    for name, bar, value in score(arguments.folder):
        print(f"| {name} | {bar} | {value} |")


if __name__ == "__main__":
    main()
