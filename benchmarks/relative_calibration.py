"""How well two SDSS runs of one sky agree after `obs calibrate-visits`, and after SCAMP on the same detections.

    python benchmarks/relative_calibration.py ../shared/data/sdss_stripe82 [--output out]

processes run 4192 field 300 and run 6377 field 399 in g and r, calibrates both together, and prints: the median offset
of stars in run 4192 from run 6377 and its error, their mean after clipping, their scatter (rms after clipping at 3.5
MAD, divided by the square root of two) and the median difference of their magnitudes, for reference stars of 15 to 19.5
mag. The runs are three years apart, in which stars move: "without motions" is the fit without proper motions, "moved"
are the positions of the fit with them, moved to the mean date. The last lines are free of motions in another way:
differences of the runs in g minus those of the same stars in r.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from scipy.spatial import cKDTree

from obs.exports.for_programs import export_for
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.instrument.barycenter import mid_exposure_mjd
from obs.repo.butler import Butler
from obs.repo.fits_exposure_header import header_visit_info
from obs.repo.fits_wcs import read_header_wcs
from obs.repo.reference_catalog import load_reference_catalog
from obs.visits.calibration import best_calibration

FRAMES = {4192: 300, 6377: 399}
OBS = str(Path(sys.executable).with_name("obs"))
LIMITS = (15.0, 19.5)
CLIP = 3.5

Way = Callable[[Butler, dict[str, Any]], tuple[TanSipWcs, PhotoCalib | None]]


def run(*words: str) -> str:
    """Run a command; return its output."""
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def clipped(values: np.ndarray) -> np.ndarray:
    """Return the values without outliers."""
    off = np.abs(values - np.median(values))
    return np.asarray(values[off <= CLIP * 1.4826 * np.median(off)])


def scatter(values: np.ndarray) -> float:
    """Return the standard deviation after clipping."""
    return float(clipped(values).std())


def median_error(values: np.ndarray) -> float:
    """Return the standard error of the median."""
    return float(np.sqrt(np.pi / 2.0) * scatter(values) / np.sqrt(len(values)))


def run_scamp(folder: Path, butler: Butler, ids: list[list[str]], shape: tuple[int, int]) -> dict[str, TanSipWcs]:
    """Return the WCS that SCAMP finds for each image, by the name of its catalog."""
    export_for("scamp", butler, folder, ids, clobber=True, use_common=False)
    catalogs = sorted(folder.glob("*.ldac"))
    run(
        *("scamp", *map(str, catalogs), "-ASTREF_CATALOG", "FILE", "-ASTREFCAT_NAME", str(folder / "reference.cat")),
        *("-MATCH", "N", "-CROSSID_RADIUS", "1", "-DISTORT_DEGREES", "3", "-STABILITY_TYPE", "EXPOSURE"),
        *("-CHECKPLOT_TYPE", "NONE", "-WRITE_XML", "N", "-VERBOSE_TYPE", "QUIET"),
    )
    found = {}
    for path in catalogs:
        text = path.with_suffix(".head").read_text(errors="replace").encode("ascii", "replace").decode()
        header = read_header_wcs(dict(fits.Header.fromstring(text, sep="\n")), shape)
        if header is not None:
            found[path.stem] = header.wcs
    return found


def stars(
    butler: Butler, run_number: int, band: str, way: Way, reference: Table, *, is_moved: bool = False
) -> dict[str, np.ndarray]:
    """Return positions (mas, in a plane) and magnitudes of bright reference stars; NaN where one is not there.

    Positions are moved to the mean date of all exposures if `is_moved`.
    """
    data_id = sdss_id(run_number, band)
    catalog = butler.get("src", data_id)
    good = np.asarray(catalog["detect_isPrimary"]) & (catalog["base_ClassificationExtendedness_value"] == 0)
    for flag in ("edge", "saturated", "interpolatedCenter"):
        good = good & ~catalog[f"base_PixelFlags_flag_{flag}"]
    catalog = catalog.select(good)
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    wcs, calib = way(butler, data_id)
    ra, dec = wcs.pixel_to_sky(x=x, y=y)
    factor = np.cos(np.radians(reference["dec"].mean()))
    places = 3.6e6 * np.c_[ra * factor, dec]
    near, row = cKDTree(places).query(3.6e6 * np.c_[reference["ra"] * factor, reference["dec"]])
    columns = {"ra": places[row, 0], "dec": places[row, 1]}
    if is_moved:
        motions = butler.get("calibrateVisits_motions", tract=0)
        known = 3.6e6 * np.c_[motions["coord_ra"] * factor, motions["coord_dec"]]
        distance, of = cKDTree(known).query(np.c_[columns["ra"], columns["dec"]])
        mjd = mid_exposure_mjd(header_visit_info(butler.get("calexp_md", data_id)))
        years = np.where(distance < 1000.0, (mjd - motions["epoch"][of]) / 365.25, 0.0)
        columns = {axis: columns[axis] - years * motions[f"pm_{axis}"][of] for axis in columns}
    if calib is not None:
        columns["mag"] = calib.magnitude(catalog["base_PsfFlux_instFlux"], x=x, y=y)[row]
    return {name: np.where(near < 1000.0, column, np.nan) for name, column in columns.items()}


def compare(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> str:
    """Return offset, scatter and magnitude difference of two runs."""
    words, n = [], 0
    for name, digits in (("ra", 1), ("dec", 1), ("mag", 4)):
        if name in first:
            difference = first[name] - second[name]
            difference = difference[np.isfinite(difference)]
            n, rms = len(difference), scatter(difference) / np.sqrt(2.0)
            off = f"{np.median(difference):8.{digits}f} +- {median_error(difference):.{digits}f}"
            mean = f"mean {clipped(difference).mean():.{digits}f}"
            words.append(f"{name} offset {off}, {mean}, scatter {rms:7.{digits}f}")
    return f"{'; '.join(words)} (n {n})"


def compare_bands(first: dict[int, Any], second: dict[int, Any]) -> str:
    """Return offset and scatter of single positions in differences of one band minus those of another.

    Parameters
    ----------
    first, second : dict
        Difference of two runs, along right ascension and declination, by the number of the star.
    """
    common = sorted(set(first) & set(second))
    one, two = (np.array([part[star] for star in common]) for part in (first, second))
    words = []
    for axis, name in enumerate(("ra", "dec")):
        off, both = one[:, axis] - two[:, axis], np.corrcoef(one[:, axis], two[:, axis])[0, 1]
        offset = f"{np.median(off):.1f} +- {median_error(off):.1f}"
        words.append(f"{name} offset {offset}, scatter {scatter(off) / 2:.1f}, correlation {both:.2f}")
    return f"{'; '.join(words)} (n {len(common)})"


def sdss_id(run_number: int, band: str) -> dict[str, Any]:
    """Return the data ID of an image."""
    return {"run": run_number, "rerun": 40, "camcol": 4, "field": FRAMES[run_number], "filter": band}


def calibration(butler: Butler, data_id: dict[str, Any], *, use_common: bool) -> tuple[TanSipWcs, PhotoCalib | None]:
    """Return the calibration of an image alone, or of all visits together."""
    found = best_calibration(butler, data_id, use_common=use_common)
    if found.wcs is None or found.is_common != use_common:
        raise SystemExit(f"{data_id} has no such calibration")
    return found.wcs, found.photo_calib


def main() -> None:
    """Process, calibrate, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--output", type=Path, help="output of an earlier run")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp())
    output = arguments.output or scratch / "out"
    if not output.exists():
        run(OBS, "process", str(arguments.repository), "--id", "run=4192^6377", "filter=g^r", "--output", str(output))
    butler = Butler(output)
    run(OBS, "calibrate-visits", str(output), "-c", "astrometry.motions.enabled=false")
    still = {(number, band): calibration(butler, sdss_id(number, band), use_common=True) for number in FRAMES
             for band in "gr"}  # fmt: skip
    print(run(OBS, "calibrate-visits", str(output)))
    folder = next((arguments.repository / "ref_cats").iterdir())
    moved: dict[str, list[dict[int, Any]]] = {}
    for band in "gr":
        center = butler.get("calexp_wcs", sdss_id(4192, band)).crval
        known = load_reference_catalog(folder, ra=center[0], dec=center[1], radius=0.2)
        magnitude = 31.4 - 2.5 * np.log10(known[f"{band}_flux"])
        bright = (magnitude > LIMITS[0]) & (magnitude < LIMITS[1]) & (known["starnotgal"] == 1)
        reference = Table({"ra": known["coord_ra"][bright], "dec": known["coord_dec"][bright]})
        heads = run_scamp(scratch / f"scamp-{band}", butler, [[f"filter={band}"]], (1361, 2048))

        def scamp(_: Butler, data_id: dict[str, Any], heads: dict[str, TanSipWcs] = heads) -> tuple[TanSipWcs, None]:
            return next(wcs for name, wcs in heads.items() if f"{data_id['run']:06d}" in name), None

        def without(_: Butler, data_id: dict[str, Any]) -> tuple[TanSipWcs, PhotoCalib | None]:
            return still[data_id["run"], data_id["filter"]]

        common = partial(calibration, use_common=True)
        for name, way, is_moved in (
            ("each alone", partial(calibration, use_common=False), False),
            ("without motions", without, False),
            ("calibrate-visits", common, False),
            ("moved", common, True),
            ("SCAMP degree 3", scamp, False),
        ):
            pair = [stars(butler, number, band, way, reference, is_moved=is_moved) for number in FRAMES]
            print(f"{band} {name:17s}", compare(*pair))
            off = np.stack([pair[0][axis] - pair[1][axis] for axis in ("ra", "dec")], axis=1)
            good = np.flatnonzero(np.isfinite(off).all(axis=1))
            moved.setdefault(name, []).append({int(known["id"][bright][row]): off[row] for row in good})
    for name, bands in moved.items():
        print(f"g minus r {name:17s}", compare_bands(*bands))


if __name__ == "__main__":
    main()
