"""`obs calibrate-visits` and forced photometry against the truth of simulated visits, with SCAMP beside them.

    python benchmarks/relative_truth.py FOLDER [--steady] [--faintest 21]

simulates ten dithered visits of two HSC detectors (seeing 0.6 to 1.1 arcsec, transparency 0.7 to 1, a flat field that
is wrong by 1 %, 2 % of the stars variable), processes them, and calibrates them together, unless FOLDER holds them. It
prints errors of positions (mas, rms per axis after clipping) and magnitudes of isolated stars, and pulls of forced
fluxes. `--steady` simulates a steadier sky instead (seeing 0.67 to 0.83 arcsec, only the zero points change), and
`--faintest` is the magnitude of the faintest star whose position counts.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from relative_calibration import OBS, calibration, run, run_scamp, scatter
from scipy.spatial import cKDTree

from obs.algorithms.pixels.window import plane_windows
from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler
from obs.repo.fits_catalog import read_catalog
from obs.tasks.forced.config import ForcedConfig
from obs.visits.forced import force_image

DETECTORS = (49, 50)
SETTINGS = (
    *("sky.zero_point_scatter=0.1", "sky.lowest_transparency=0.7", "sky.brightness_scatter=0.2"),
    *("optics.seeing_range=[0.6,1.1]", "detector.flat_error=0.01", "changes.variable_fraction=0.02"),
)
STEADY = ("sky.zero_point_scatter=0.1",)
SHAPE = (4176, 2048)
STEP = 0.2  # pixels
ISOLATED, LONE = 25.0, 23.5  # pixels, mag

Way = Callable[[dict[str, Any]], tuple[TanSipWcs, PhotoCalib | None]]


def prepare(folder: Path, settings: tuple[str, ...]) -> None:
    """Simulate, build calibrations, process."""
    raw, data = str(folder / "hraw"), str(folder / "hdata")
    common = (*("simulate", "hsc", "--output", raw), *("--detectors", "49,50", "--seed", "7"))
    run(OBS, *common, "--type", "bias", "--visits", "4")
    run(OBS, *common, "--type", "flat", "--visits", "5", "--filter", "HSC-R", "--exposure-time", "10")
    run(
        *(OBS, *common, "--filter", "HSC-R", "--visits", "10", "--exposure-time", "60", "--dither", "40"),
        *("-c", *settings),
    )
    run(OBS, "init", data, "--camera", "hsc")
    run(OBS, "ingest", data, raw)
    run(OBS, "ingest-refcat", data, "sim", f"{raw}/reference.fits")
    for kind, name in (("bias", "BIAS"), ("flat", "DOMEFLAT")):
        run(OBS, "calibs", "build", kind, data, "--id", f"dataType={name}", "--validity", "999", "--allow-missing")
    run(OBS, "process", data, "--rerun", "first", "--id", "dataType=OBJECT", "--allow-missing")


class Frame:
    """Isolated stars of one image, measured and true."""

    def __init__(self, butler: Butler, data_id: dict[str, Any], folder: Path, faintest: float) -> None:
        self.data_id = data_id
        name = f"hsc-{data_id['visit']:07d}-{data_id['ccd']:03d}-truth.fits"
        self.truth = truth = read_catalog(folder / "hraw" / "truth" / name)
        places = np.c_[truth["x"], truth["y"]]
        near = cKDTree(places[truth["magnitude"] < LONE]).query_ball_point(places, ISOLATED, return_length=True)
        self.alone = truth["is_star"] & (near <= 1)
        source = butler.get("src", data_id)
        good = source["detect_isPrimary"] & (source["base_ClassificationExtendedness_value"] == 0)
        good = good & ~source["base_PixelFlags_flag_edge"] & ~source["base_PixelFlags_flag_saturated"]
        source = source.select(good)
        self.x, self.y = (np.asarray(source[f"base_SdssCentroid_{axis}"]) for axis in "xy")
        self.flux, error = (np.asarray(source[f"base_PsfFlux_instFlux{end}"]) for end in ("", "Err"))
        chosen = np.flatnonzero(self.alone & (truth["magnitude"] > 18.3) & (truth["magnitude"] < faintest))
        distance, row = cKDTree(np.c_[self.x, self.y]).query(places[chosen])
        self.star, self.row = chosen[distance < 1.0], row[distance < 1.0]
        self.error = (1.0857 * error / self.flux)[self.row]

    def errors(self, way: Way) -> np.ndarray:
        """Return star, errors in right ascension and declination (mas), error in magnitude, its photon noise, visit."""
        wcs, calib = way(self.data_id)
        x, y, truth = self.x[self.row], self.y[self.row], self.truth
        ra, dec = wcs.pixel_to_sky(x=x, y=y)
        true_dec = truth["coord_dec"][self.star]
        east = 3.6e6 * (ra - truth["coord_ra"][self.star]) * np.cos(np.radians(true_dec))
        magnitude = np.full(len(x), np.nan)
        if calib is not None:
            magnitude = calib.magnitude(self.flux[self.row], x=x, y=y) - truth["magnitude"][self.star]
        visit = np.full(len(x), float(self.data_id["visit"]))
        return np.c_[truth["id"][self.star], east, 3.6e6 * (dec - true_dec), magnitude, self.error, visit]


def photon_limit(butler: Butler, frames: list[Frame]) -> None:
    """Print the smallest errors that any measurement can have on these pixels (Cramer-Rao), by PSF and variance."""
    limits = []
    for frame in frames:
        exposure = butler.get("calexp", frame.data_id)
        x, y = frame.x[frame.row], frame.y[frame.row]
        row, column = np.rint(y), np.rint(x)
        slopes = [
            exposure.psf.render(x=column + STEP * dx, y=row + STEP * dy).astype(np.float64)
            - exposure.psf.render(x=column - STEP * dx, y=row - STEP * dy)
            for dx, dy in ((1, 0), (0, 1))
        ]
        half = slopes[0].shape[1] // 2
        variance = plane_windows(exposure.masked_image.variance, row.astype(np.int64), column.astype(np.int64), half)
        weight = np.where(variance > 0, 1.0 / np.where(variance > 0, variance, 1.0), 0.0)
        flux = frame.flux[frame.row] / (2 * STEP)
        bound = [flux * np.sqrt(np.sum(weight * slope**2, axis=(1, 2))) for slope in slopes]
        limits.append(np.stack([1e3 * exposure.wcs.pixel_scale / one for one in bound], axis=1))
    drawn = np.random.default_rng(1).normal(size=(100, *np.concatenate(limits).shape)) * np.concatenate(limits)
    rms = [scatter(drawn[..., axis].ravel()) for axis in (0, 1)]
    print(f"photon limit of these stars, clipped as they are: one visit {rms[0]:.2f}, {rms[1]:.2f} mas along x and y")


def describe(name: str, rows: np.ndarray) -> None:
    """Print how far positions and magnitudes are from the truth."""
    _, star, count = np.unique(rows[:, 0], return_inverse=True, return_counts=True)
    mean = np.array([np.bincount(star, rows[:, axis]) / count for axis in (1, 2, 3)])
    often = count >= 8
    single = ", ".join(f"{scatter(rows[:, axis]):.2f}" for axis in (1, 2))
    several = ", ".join(f"{scatter(part[often]):.2f}" for part in mean[:2])
    print(f"{name}: one visit {single} mas (n {len(rows)}); mean of 8 or more {several} mas (n {often.sum()})")
    if np.isfinite(rows[:, 3]).all():
        weight = 1.0 / (rows[:, 4] ** 2 + 0.002**2)
        good = np.abs(rows[:, 3]) < 5.0 * np.hypot(rows[:, 4], 0.002)
        chosen = [good & (rows[:, 5] == visit) for visit in np.unique(rows[:, 5])]
        visits = [np.average(rows[here, 3], weights=weight[here]) for here in chosen]
        noise = np.sqrt(np.mean([1.0 / weight[here].sum() for here in chosen]))
        print(
            f"  zero points of visits {1e3 * np.std(visits):.2f} mmag rms (noise of the comparison {1e3 * noise:.2f}), "
            f"mean {1e3 * np.mean(visits):.2f} mmag"
        )
        bright = rows[rows[:, 4] < 0.004]
        _, star, count = np.unique(bright[:, 0], return_inverse=True, return_counts=True)
        off = bright[:, 3] - (np.bincount(star, bright[:, 3]) / count)[star]
        often = count[star] >= 5
        rms = scatter((off / np.sqrt(1.0 - 1.0 / np.maximum(count[star], 1.001)))[often])
        photons = float(np.sqrt(np.mean(bright[often, 4] ** 2)))
        print(f"  bright stars over visits {1e3 * rms:.2f} mmag, photons {1e3 * photons:.2f} (n {often.sum()})")


def forced(butler: Butler, frames: list[Frame]) -> None:
    """Print pulls and biases of forced fluxes at the true positions of isolated stars, variable ones among them."""
    rows = []
    for frame in frames:
        truth = frame.truth
        inside = (np.abs(truth["x"] - 1023.5) < 1000) & (np.abs(truth["y"] - 2087.5) < 2060)
        chosen = np.flatnonzero(frame.alone & inside & (truth["magnitude"] > 18.0))
        target = Catalog()
        target.add("objectId", truth["id"][chosen])
        target.add("coord_ra", truth["coord_ra"][chosen], "deg")
        target.add("coord_dec", truth["coord_dec"][chosen], "deg")
        found = force_image(butler, frame.data_id, target, ForcedConfig())
        catalog, calib = found.catalog, found.calibration.photo_calib
        number = {star: row for row, star in enumerate(truth["id"].tolist())}
        of = np.array([number[star] for star in catalog["objectId"].tolist()])
        good = ~catalog["base_PixelFlags_flag_interpolatedCenter"] & ~catalog["base_PsfFlux_flag"]
        if calib is None:
            raise SystemExit(f"{frame.data_id} has no zero point")
        place = {axis: catalog[f"base_TransformedCentroid_{axis}"] for axis in "xy"}
        true = 10.0 ** (-0.4 * truth["magnitude"][of]) * calib.flux_mag0 / calib.factor(**place)
        flux, error = catalog["base_PsfFlux_instFlux"], catalog["base_PsfFlux_instFluxErr"]
        rows.append(np.c_[flux, error, true][good])
    flux, error, true = np.concatenate(rows).T
    for low, high in ((3, 10), (10, 30), (30, 80), (80, 200)):
        here = (true / error > low) & (true / error < high)
        pull, ratio = ((flux - true) / error)[here], (flux / true)[here]
        bias, spread = 1085.7 * (1.0 - np.median(ratio)), 1085.7 * 1.25 * scatter(ratio) / np.sqrt(here.sum())
        width = 1.4826 * np.median(np.abs(pull - np.median(pull)))
        print(f"forced, S/N {low} to {high}: pulls {width:.2f}, bias {bias:.1f} +- {spread:.1f} mmag (n {here.sum()})")


def main() -> None:
    """Simulate if need be, calibrate, and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steady", action="store_true", help="simulate a sky of steady seeing and transparency")
    parser.add_argument("--faintest", type=float, default=21.0, help="magnitude of the faintest star")
    arguments = parser.parse_args()
    folder = arguments.folder
    if not (folder / "hdata" / "rerun" / "first").exists():
        prepare(folder, STEADY if arguments.steady else SETTINGS)
    print(run(OBS, "calibrate-visits", str(folder / "hdata"), "--rerun", "first"))
    butler = Butler(folder / "hdata", rerun="first")
    keys = {"field": "SIMULATED", "dateObs": "2020-09-04", "pointing": 3169, "filter": "HSC-R"}
    ids = [keys | {"visit": visit, "ccd": detector} for visit in range(10, 20) for detector in DETECTORS]
    frames = [Frame(butler, data_id, folder, arguments.faintest) for data_id in ids]
    photon_limit(butler, frames)
    heads = run_scamp(folder / "scamp", butler, [], SHAPE)

    def scamp(data_id: dict[str, Any]) -> tuple[TanSipWcs, None]:
        return heads[f"CORR-{data_id['visit']:07d}-{data_id['ccd']:03d}"], None

    alone = partial(calibration, butler, use_common=False)
    describe("each alone", np.concatenate([frame.errors(alone) for frame in frames]))
    together = partial(calibration, butler, use_common=True)
    describe("calibrate-visits", np.concatenate([frame.errors(together) for frame in frames]))
    describe("SCAMP degree 3", np.concatenate([frame.errors(scamp) for frame in frames]))
    forced(butler, frames)


if __name__ == "__main__":
    main()
