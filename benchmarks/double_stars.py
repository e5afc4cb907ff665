"""Fluxes of double stars: pairs of known distance and ratio on GalSim images, put through `obs process-file`.

Pairs stand on a grid, so that each is alone but for its partner. Single stars between them tell the PSF.
"""

import argparse
import shutil
import subprocess
from pathlib import Path

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table

GAIN, READ_NOISE, SKY, FWHM, CELL = 1.5, 5.0, 500.0, 3.5, 50
DISTANCES, RATIOS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0), (1.0, 0.3, 0.1)


def main() -> None:
    """Print what becomes of the pairs, by ratio and distance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--beta", type=float, default=3.5)
    parser.add_argument("--set", dest="options", action="append", default=[])
    arguments = parser.parse_args()
    rows = [measure(arguments.folder, seed, arguments.beta, arguments.options) for seed in arguments.seeds]
    show({name: np.concatenate([row[name] for row in rows]) for name in rows[0]})


def measure(folder: Path, seed: int, beta: float, options: list[str]) -> dict[str, np.ndarray]:
    """Render one image, process it, and return what was found of each star of the truth."""
    random, side = np.random.default_rng(seed), 20
    kind = random.permutation(side * side)
    size = side * CELL
    light = galsim.ImageD(size, size, xmin=0, ymin=0)
    profile = galsim.Moffat(beta=beta, fwhm=FWHM, gsparams=galsim.GSParams(folding_threshold=1e-3))
    stamp = profile.drawImage(nx=65, ny=65, scale=1.0).array
    noise = np.sqrt((SKY + READ_NOISE**2) / np.sum(np.square(stamp, dtype=float)))
    truth: dict[str, list[float]] = {name: [] for name in ("x", "y", "flux", "distance", "ratio", "is_second", "other")}
    for cell, which in enumerate(kind):
        x, y = (CELL * (k + 0.5) + random.uniform(-2, 2) for k in (cell % side, cell // side))
        signal, angle = np.exp(random.uniform(*np.log([50.0, 700.0]))), random.uniform(0, 2 * np.pi)
        pair = which % 2 == 1
        index = (which // 2) % (len(DISTANCES) * len(RATIOS))
        distance, ratio = (DISTANCES[index % len(DISTANCES)], RATIOS[index // len(DISTANCES)]) if pair else (0.0, 0.0)
        for second in range(1 + pair):
            at_x = x + second * distance * FWHM * np.cos(angle)
            at_y = y + second * distance * FWHM * np.sin(angle)
            flux = signal * noise * (ratio if second else 1.0)
            half = 90
            bounds = galsim.BoundsI(round(at_x) - half, round(at_x) + half, round(at_y) - half, round(at_y) + half)
            star = galsim.ImageD(bounds)
            profile.withFlux(flux).drawImage(star, center=galsim.PositionD(at_x, at_y), scale=1.0)
            light[bounds & light.bounds] += star[bounds & light.bounds]
            values = (
                at_x,
                at_y,
                flux / GAIN,
                distance,
                ratio,
                second,
                signal * noise * (1 if second else ratio) / GAIN,
            )
            for name, value in zip(truth, values, strict=True):
                truth[name].append(value)
    image = random.poisson(light.array + SKY) + random.normal(0.0, READ_NOISE, light.array.shape)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pairs-{seed}.fits"
    header = fits.Header({"GAIN": GAIN, "RDNOISE": READ_NOISE, "EXPTIME": 60.0, "FILTER": "r"})
    fits.writeto(path, (image / GAIN).astype(np.float32), header, overwrite=True)
    out = folder / f"out-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    words = ["obs", "process-file", str(path), "--output", str(out)]
    words += [word for option in options for word in ("-c", option)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    print(*[line for line in done.stderr.splitlines() if "WARNING" in line and "astrometry" not in line], sep="\n")
    catalog = Table.read(out / f"pairs-{seed}" / "src.fits")
    catalog.write(folder / f"cat-{seed}.fits", overwrite=True)
    return match({name: np.array(values) for name, values in truth.items()}, catalog)


def match(truth: dict[str, np.ndarray], catalog: Table) -> dict[str, np.ndarray]:
    """Add to each true star the nearest source within half a width, unless it is nearer to the other star."""
    catalog = catalog[catalog["detect_isPrimary"]]
    x, y = (np.asarray(catalog[f"base_SdssCentroid_{axis}"], float) for axis in "xy")
    apart = np.hypot(truth["x"][:, None] - x, truth["y"][:, None] - y)
    owner = np.argmin(apart, axis=0)
    apart = np.where(owner == np.arange(len(truth["x"]))[:, None], apart, np.inf)
    near = np.argmin(apart, axis=1)
    found = apart[np.arange(len(near)), near] < 0.6 * FWHM
    take = lambda name: np.where(found, np.asarray(catalog[name])[near], np.nan)  # noqa: E731
    columns = {
        "found": found,
        "psf": take("base_PsfFlux_instFlux"),
        "err": take("base_PsfFlux_instFluxErr"),
        "parent": take("parent"),
        "is_psf": take("deblend_deblendedAsPsf"),
    }
    if "base_PsfFlux_flag_blended" in catalog.colnames:
        columns["flagged"] = take("base_PsfFlux_flag_blended")
    return {**truth, **columns}


def show(stars: dict[str, np.ndarray]) -> None:
    """Print the table."""
    single = stars["distance"] == 0
    scale = np.nanmedian(stars["psf"][single] / stars["flux"][single])

    def cell(which: np.ndarray) -> str:
        ratio = stars["psf"][which] / stars["flux"][which] / scale - 1
        pull = (stars["psf"] / scale - stars["flux"])[which] / (stars["err"][which] / scale)
        ok = np.isfinite(ratio)
        if ok.sum() < 2:
            return f"{ok.mean():5.2f}                      "
        width = 0.7413 * np.subtract(*np.nanpercentile(pull, [75, 25]))
        flagged = f" {np.nanmean(stars['flagged'][which]):.2f}" if "flagged" in stars else ""
        return (
            f"{ok.mean():5.2f} {100 * np.nanmedian(ratio):+6.2f} ± {125.3 * np.nanstd(ratio) / ok.sum() ** 0.5:4.2f} % "
            f"{np.nanmedian(pull):+5.1f} {width:4.1f}{flagged}"
        )

    print("single", f"scale {scale:.4f}", cell(single))
    for ratio in RATIOS:
        for distance in DISTANCES:
            of = (stars["distance"] == distance) & (stars["ratio"] == ratio)
            print(
                f"{ratio:4} {distance:4}",
                cell(of & (stars["is_second"] == 0)),
                "|",
                cell(of & (stars["is_second"] == 1)),
            )


main()
