"""Stars, galaxies, Kron fluxes, positions and errors of `obs` and of SExtractor with PSFEx, on fields of GalSim.

    python benchmarks/star_galaxy.py FOLDER [--seeds 3] [--fwhm 3.5] [--resample 0.5] [--faint 0.85]

renders stars and exponential galaxies in Moffat seeing, measures them with both programs, and prints tables against the
truth: completeness and purity of stars and of galaxies by S/N, magnitudes of stars, and pulls. Needs `source-extractor`
(or `sex`), `psfex` and GalSim.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table
from peers_sdss import prepare_peers
from scipy.spatial import cKDTree

SIZE, SKY, GAIN, READ_NOISE = 1800, 400.0, 2.0, 4.0
BINS = ((5, 7), (7, 10), (10, 20), (20, 50), (50, 1e9))
SPREAD_LIMIT = 0.003


def faintest_noise(fwhm: float) -> float:
    """Return the standard error of the flux of a star that is far fainter than the sky."""
    area = 4 * np.pi * (fwhm / 2.355) ** 2 * 1.3
    return float(np.sqrt(area * (SKY / GAIN + (READ_NOISE / GAIN) ** 2)))


def render(seed: int, fwhm: float, resample: float, folder: Path, faint: float = 0.0) -> Table:
    """Write a field as ``image.fits`` and return its truth: x, y, flux, whether it is a galaxy."""
    rng = np.random.default_rng(seed)
    n = 2200
    galaxy = rng.random(n) < 0.6
    flux = 10 ** rng.uniform(2.6, 5.3, n) * np.where(rng.random(n) < 0.75, 0.25, 1.0)
    if faint:
        low = rng.random(n) < faint
        flux[low] = faintest_noise(fwhm) * 10 ** rng.uniform(0.6, 1.3, low.sum())
    # galaxies of about the width of the seeing, fainter ones smaller
    scale = fwhm * 10 ** rng.normal(-0.62, 0.2, n) * (flux / 1e4) ** 0.1
    truth = Table({"x": rng.uniform(20, SIZE - 20, n), "y": rng.uniform(20, SIZE - 20, n), "flux": flux})
    truth["galaxy"] = galaxy
    seeing = galsim.Moffat(beta=3.0, fwhm=fwhm).shear(g1=0.03, g2=0.02)
    image = galsim.ImageD(SIZE, SIZE)
    for k, row in enumerate(truth):
        source = seeing
        if row["galaxy"]:
            disk = galsim.Exponential(scale_radius=scale[k]).shear(g1=rng.normal(0, 0.15), g2=rng.normal(0, 0.15))
            source = galsim.Convolve(seeing, disk)
        x, y = int(np.rint(row["x"])), int(np.rint(row["y"]))
        half = 40 if row["flux"] > 2e4 else 25
        offset = row["x"] - x, row["y"] - y
        stamp = (source * row["flux"]).drawImage(nx=2 * half + 1, ny=2 * half + 1, scale=1.0, offset=offset)
        stamp.setCenter(x + 1, y + 1)
        common = stamp.bounds & image.bounds
        image[common] += stamp[common]
    counts = rng.poisson((image.array + SKY) * GAIN) + rng.normal(0, READ_NOISE, image.array.shape)
    pixels = (counts / GAIN).astype(np.float32)
    if resample:
        # linear interpolation between neighbors, as a shift by part of a pixel does to light and noise alike
        for axis in (0, 1):
            pixels = (1 - resample) * pixels + resample * np.roll(pixels, 1, axis)
        truth["x"], truth["y"] = truth["x"] + resample, truth["y"] + resample
    header = fits.Header({"GAIN": GAIN, "RDNOISE": READ_NOISE, "EXPTIME": 60.0, "FILTER": "r"})
    fits.writeto(folder / "field.fits", pixels, header, overwrite=True)
    fits.writeto(folder / "image.fits", pixels, overwrite=True)
    return truth


def measure_obs(folder: Path, resample: float) -> dict[str, np.ndarray]:
    """Return what `obs` measures, under names that both programs share."""
    noise = ["-c", "calibrate.detection.noise=smoothed"] if resample else []
    command = [str(Path(sys.executable).with_name("obs")), "process-file", "field.fits", "--output", "out", *noise]
    subprocess.run(command, cwd=folder, check=False, capture_output=True)
    table = Table.read(folder / "out/field/src.fits", hdu=1)
    table = table[np.asarray(table["detect_isPrimary"])]
    names = {
        "x": "base_SdssCentroid_x", "y": "base_SdssCentroid_y",
        "x_err": "base_SdssCentroid_xErr", "y_err": "base_SdssCentroid_yErr",
        "psf": "base_PsfFlux_instFlux", "psf_err": "base_PsfFlux_instFluxErr",
        "kron": "ext_photometryKron_KronFlux_instFlux", "kron_err": "ext_photometryKron_KronFlux_instFluxErr",
        "spread": "base_ClassificationSpread_value", "spread_err": "base_ClassificationSpread_valueErr",
        "probability": "base_ClassificationSpread_probability", "cut": "base_ClassificationExtendedness_value",
    }  # fmt: skip
    return {short: np.asarray(table[name], float) for short, name in names.items() if name in table.colnames}


def measure_peers(folder: Path) -> dict[str, np.ndarray]:
    """Return what SExtractor with PSFEx measures."""
    for name in ("first.cat", "second.cat"):
        (folder / name).unlink(missing_ok=True)
    (folder / "image.fits").rename(folder / "pixels.fits")
    pixels = fits.getdata(folder / "pixels.fits")
    commands = next(iter(prepare_peers(pixels, GAIN, folder).values()))
    extra = folder / "second.param"
    extra.write_text(extra.read_text() + "ERRAWIN_IMAGE\nERRBWIN_IMAGE\n")
    for command in commands:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "pixels.fits").unlink()
    table = Table.read(folder / "second.cat", hdu=2)
    error = np.hypot(table["ERRAWIN_IMAGE"], table["ERRBWIN_IMAGE"]) / np.sqrt(2)
    return {
        "x": np.asarray(table["XWIN_IMAGE"]) - 1, "y": np.asarray(table["YWIN_IMAGE"]) - 1,
        "x_err": np.asarray(error), "y_err": np.asarray(error),
        "psf": np.asarray(table["FLUX_PSF"]), "psf_err": np.asarray(table["FLUXERR_PSF"]),
        "kron": np.asarray(table["FLUX_AUTO"]), "kron_err": np.asarray(table["FLUXERR_AUTO"]),
        "spread": np.asarray(table["SPREAD_MODEL"]), "spread_err": np.asarray(table["SPREADERR_MODEL"]),
    }  # fmt: skip


def match(truth: Table, found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of truth, increasing, and of the catalog that belong together, isolated sources only."""
    place = np.c_[truth["x"], truth["y"]]
    distance = cKDTree(place).query(place, k=2)[0][:, 1]
    light = np.array([len(near) for near in cKDTree(place).query_ball_point(place, 12.0)])
    alone = np.flatnonzero((distance > 6) & (light < 3))
    gap, row = cKDTree(np.c_[found["x"], found["y"]]).query(place[alone])
    return alone[gap < 1.5], row[gap < 1.5]


def classes(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return whether each way to classify calls a source extended."""
    ways = {"spread > 0.003": found["spread"] > SPREAD_LIMIT}
    ways["spread > sqrt(0.003^2 + err^2)"] = found["spread"] > np.hypot(SPREAD_LIMIT, found["spread_err"])
    if "probability" in found:
        ways["probability > 0.5"] = found["probability"] > 0.5
        ways["cut on Gaussian flux"] = found["cut"] > 0.5
    return ways


def spread(values: np.ndarray) -> float:
    """Return the robust standard deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def main() -> None:
    """Render, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fwhm", type=float, default=3.5)
    parser.add_argument("--faint", type=float, default=0.0, help="this share of the sources has S/N from 4 to 20")
    parser.add_argument("--resample", type=float, default=0.0, help="shift by this part of a pixel, linearly")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    samples: dict[str, list[dict[str, np.ndarray]]] = {"obs": [], "SExtractor + PSFEx": []}
    for seed in range(1, arguments.seeds + 1):
        folder = arguments.folder / f"seed{seed}"
        folder.mkdir(exist_ok=True)
        truth = render(seed, arguments.fwhm, arguments.resample, folder, arguments.faint)
        found = {"obs": measure_obs(folder, arguments.resample), "SExtractor + PSFEx": measure_peers(folder)}
        matched = {program: match(truth, catalog) for program, catalog in found.items()}
        # one that finds fewer faint galaxies would have purer stars
        rows = np.intersect1d(*(match_rows for match_rows, _ in matched.values()))
        for program, catalog in found.items():
            index = matched[program][1][np.searchsorted(matched[program][0], rows)]
            part = {name: values[index] for name, values in catalog.items()}
            part.update({f"extended: {way}": values[index] for way, values in classes(catalog).items()})
            part.update({f"true_{name}": np.asarray(truth[name])[rows] for name in truth.colnames})
            samples[program].append(part)
    # S/N of the truth, the same for both: that of the flux under the PSF in white noise
    noise = faintest_noise(arguments.fwhm)
    found = {
        program: {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for program, parts in samples.items()
    }
    flux = next(iter(found.values()))["true_flux"]
    signal = flux / np.sqrt(noise**2 + flux / GAIN)
    for program, every in found.items():
        report(program, every, signal)
    report_equal_stars(found["obs"], found["SExtractor + PSFEx"], signal)


def report_equal_stars(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], signal: np.ndarray) -> None:
    """Print the completeness of galaxies of both programs where both find the same part of the stars."""
    galaxy = ours["true_galaxy"].astype(bool)
    order = np.nan_to_num(ours["probability"])
    print("\ncompleteness of stars; of galaxies by the probability of obs, and by SPREAD_MODEL")
    for way, extended in classes(theirs).items():
        cells = []
        for low, high in BINS[:-1]:
            here = (signal >= low) & (signal < high)
            star = ~extended[here & ~galaxy]
            limit = np.sort(order[here & ~galaxy])[max(int(star.sum()) - 1, 0)]
            cells.append(
                f"{star.mean():.3f}; {np.mean(order[here & galaxy] > limit):.3f}, {extended[here & galaxy].mean():.3f}"
            )
        print(f"| {way} | " + " | ".join(cells) + " |")


def report(program: str, found: dict[str, np.ndarray], signal: np.ndarray) -> None:
    """Print the tables of one program."""
    galaxy = found["true_galaxy"]
    print(f"\n{program}: {(~galaxy).sum()} stars, {galaxy.sum()} galaxies that both found")
    order = found.get("probability", found["spread"] / np.hypot(SPREAD_LIMIT, found["spread_err"]))
    areas = []
    for low, high in BINS:
        here = (signal >= low) & (signal < high) & np.isfinite(order)
        areas.append(np.mean(order[here & galaxy][:, None] > order[here & ~galaxy]))
    print("galaxies above stars: " + ", ".join(f"{area:.3f}" for area in areas))
    for name, extended in found.items():
        if not name.startswith("extended"):
            continue
        cells = []
        for low, high in BINS:
            here = (signal >= low) & (signal < high)
            counts = [np.sum(here & ~galaxy & ~extended), np.sum(here & ~galaxy), np.sum(here & ~extended)]
            counts += [np.sum(here & galaxy & extended), np.sum(here & galaxy), np.sum(here & extended)]
            s, ns, ms, g, ng, mg = (max(int(count), 1) for count in counts)
            cells.append(f"{s / ns:.3f} {s / ms:.3f} {g / ng:.3f} {g / mg:.3f}")
        print(f"| {name[10:]} | " + " | ".join(cells) + " |")
    for low, high in BINS:
        star = ~galaxy & (signal >= low) & (signal < high)
        cells = []
        for flux in ("psf", "kron"):
            use = star & np.isfinite(found[flux])
            ratio = found[flux][use] / found["true_flux"][use]
            pull = (found[flux][use] - np.median(ratio) * found["true_flux"][use]) / found[f"{flux}_err"][use]
            cells.append(f"{flux} {-2.5 * np.log10(np.median(ratio)):+.3f} mag, pull {spread(pull):.2f}")
        for axis in "xy":
            off = (found[axis] - found[f"true_{axis}"])[star]
            pull = (off - np.median(off)) / found[f"{axis}_err"][star]
            cells.append(f"{axis} {np.median(off):+.4f}, {spread(off):.4f} px, pull {spread(pull):.2f}")
        pull = (found["spread"] / found["spread_err"])[star & np.isfinite(found["spread"])]
        cells.append(f"spread pull {np.median(pull):+.2f}, {spread(pull):.2f}")
        print(f"| S/N {low} to {high:g} ({star.sum()}) | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
