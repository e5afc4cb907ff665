"""How well magnitudes of two exposures of one field repeat: `obs` and the LSST stack on two SDSS exposures.

    python benchmarks/repeatability.py ../shared/data/sdss_stripe82 [--output out] [-c SETTING ...]

processes run 4192 field 300 and run 6377 field 399 in g and r, matches the stars of each pair, and prints the scatter
of their magnitude differences divided by the square root of two, beside that of the catalogs of the stack.
"""

import argparse
import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

FRAMES = {4192: 300, 6377: 399}
BANDS = "ugriz"
FLUXES = (
    "base_PsfFlux",
    "base_GaussianFlux",
    "ext_photometryKron_KronFlux",
    "base_CircularApertureFlux_6_0",
    "base_CircularApertureFlux_7_0",
)
LIMITS = (50, 100, 200)
RADIUS = 0.7
CLIP = 3.5
FLAGS = ("edge", "saturated", "interpolated")


def read_obs(output: Path, run: int, band: str) -> dict[str, np.ndarray]:
    """Return the columns of a catalog of `obs`, unblended and deblended sources only."""
    name = f"src-{run:06d}-{band}4-{FRAMES[run]:04d}.fits"
    table = Table.read(output / f"sci-results/{run}/4/{band}/src/{name}", hdu=1)
    table = table[np.asarray(table["detect_isPrimary"])]
    return {column: np.asarray(table[column]) for column in table.colnames}


def read_stack(repository: Path, run: int, band: str) -> dict[str, np.ndarray]:
    """Return the columns of the stack's catalog of a frame."""
    with gzip.open(repository / f"expected/lsst-stack-{run:04d}-gr.txt.gz", "rt") as lines:
        names = next(lines)[1:].split()
        rows = [line.split() for line in lines]
    chosen = [row for row in rows if (int(row[0]) >> 26) // 100_000 % 10 == BANDS.index(band)]
    columns = zip(names, zip(*chosen, strict=True), strict=True)
    return {n: np.array(c) == "True" if "flag" in n else np.array(c, float) for n, c in columns}


def match(catalogs: list[dict[str, np.ndarray]]) -> list[np.ndarray]:
    """Return the rows of both catalogs that are one star each, well measured in both."""
    rows, places = [], []
    for catalog in catalogs:
        good = np.isfinite(catalog["coord_ra"]) & (catalog["base_ClassificationExtendedness_value"] == 0)
        good &= catalog["base_PsfFlux_instFlux"] > 0
        for flag in FLAGS:
            good &= ~catalog[f"base_PixelFlags_flag_{flag}"]
        rows.append(np.flatnonzero(good))
        ra, dec = (catalog[f"coord_{axis}"][good] for axis in ("ra", "dec"))
        places.append(3600 * np.c_[ra * np.cos(np.radians(dec)), dec])
    distance, nearest = cKDTree(places[1]).query(places[0])
    mutual = cKDTree(places[0]).query(places[1])[1][nearest] == np.arange(len(nearest))
    near = mutual & (distance < RADIUS)
    return [rows[0][near], rows[1][nearest[near]]]


def robust(values: np.ndarray) -> float:
    """Return the standard deviation from the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def report(program: str, band: str, catalogs: list[dict[str, np.ndarray]]) -> None:
    """Print the scatter of each flux for stars above each S/N."""
    rows = match(catalogs)
    signal = np.min([c["base_PsfFlux_instFlux"][r] / c["base_PsfFlux_instFluxErr"][r]
                     for c, r in zip(catalogs, rows, strict=True)], axis=0)  # fmt: skip
    for flux in FLUXES:
        if not all(f"{flux}_instFlux" in catalog for catalog in catalogs):
            continue
        cells = []
        for limit in LIMITS:
            first, second = (c[f"{flux}_instFlux"][r][signal > limit] for c, r in zip(catalogs, rows, strict=True))
            with np.errstate(invalid="ignore", divide="ignore"):
                difference = -2.5 * np.log10(first / second)
            difference = difference[np.isfinite(difference)]
            spread, middle = robust(difference), np.median(difference)
            kept = difference[np.abs(difference - middle) < CLIP * spread]
            values = [spread, float(np.std(kept)), float(np.std(difference))]
            cells.append(", ".join(f"{value / np.sqrt(2):.4f}" for value in values) + f" ({len(difference)})")
        print(f"| {program}, {band} | {flux} | " + " | ".join(cells) + " |")


def main() -> None:
    """Process and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--output", type=Path, help="keep the results here")
    parser.add_argument("-c", dest="settings", action="append", default=[], help="settings of `obs process`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        output = arguments.output or Path(name) / "out"
        command = [str(Path(sys.executable).with_name("obs")), "process", str(arguments.repository)]
        for run, field in FRAMES.items():
            command += ["--id", f"run={run}", "camcol=4", f"field={field}", "filter=g^r"]
        settings = [part for setting in arguments.settings for part in ("-c", setting)]
        subprocess.run([*command, "--output", str(output), "--clobber-output", *settings], check=True)
        limits = " | ".join(f"S/N > {limit}: robust, clipped rms, rms (stars)" for limit in LIMITS)
        print(f"| | flux | {limits} |\n|---|---|" + "---|" * len(LIMITS))
        for band in "gr":
            report("stack", band, [read_stack(arguments.repository, run, band) for run in FRAMES])
            report("obs", band, [read_obs(output, run, band) for run in FRAMES])


if __name__ == "__main__":
    main()
