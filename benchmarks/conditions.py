"""Render single images with GalSim under many conditions, process them, and compare with the truth.

    python benchmarks/conditions.py FOLDER [NAME ...] [--peers] [--seeds 1 2 3] [--list] [-c SETTING=VALUE]

Names are those of `CONDITIONS` in `condition_frames.py`, or patterns such as ``fwhm*``; all if none is given. Every
image goes through ``obs process-file``; with ``--peers`` through SExtractor, PSFEx and SExtractor too, whose settings
follow from the true size of the stars. Stars of several seeds are scored together. What the peers found is kept in the
folder, because it does not change with ``obs``.

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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from astropy.io import fits
from astropy.table import Table
from condition_frames import CONDITIONS, GAIN, Frame, render
from scipy.spatial import cKDTree

OBS = str(Path(sys.executable).with_name("obs"))


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


class Stars(NamedTuple):
    """True stars of images, and what a program found of them; arrays of shape (n,)."""

    signal: np.ndarray
    isolated: np.ndarray
    hit: np.ndarray
    ratio: np.ndarray
    pull: np.ndarray
    x_shift: np.ndarray
    y_shift: np.ndarray
    x_pull: np.ndarray


class Detections(NamedTuple):
    """Detections of a program: their signal-to-noise ratio, and whether a star is there; arrays of shape (n,)."""

    signal: np.ndarray
    true: np.ndarray


def match(frame: Frame, found: Found) -> tuple[Stars, Detections]:
    """Compare what was found in one image with the truth."""
    size = frame.condition.size
    x, y, flux, signal = (np.asarray(frame.truth[name], float) for name in ("x", "y", "flux", "signal"))
    place = np.c_[x, y]
    isolated = is_isolated(place, flux, 2 * size + 1)
    known = np.isfinite(found.x) & np.isfinite(found.y)
    if not known.any() or not len(x):
        nothing = np.full(len(x), np.nan)
        return Stars(signal, isolated, np.zeros(len(x), bool), *[nothing] * 5), Detections(np.zeros(0), np.zeros(0))
    at = np.c_[found.x, found.y][known]
    distance, nearest = cKDTree(at).query(place)
    their_flux, their_error, their_x_error = (a[known] for a in (found.flux, found.error, found.x_error))
    their_error = np.where(their_error > 0, their_error, np.nan)  # a fit of SExtractor that failed has none
    stars = Stars(
        signal,
        isolated,
        distance < max(1.0, 0.35 * size),
        their_flux[nearest] / flux,
        (their_flux[nearest] - flux) / their_error[nearest],
        at[nearest, 0] - x,
        at[nearest, 1] - y,
        (at[nearest, 0] - x) / their_x_error[nearest],
    )
    true = cKDTree(place[signal > 2]).query(at)[0] < max(1.5, 0.6 * size) if (signal > 2).any() else np.zeros(len(at))
    return stars, Detections(their_flux * np.median(signal / flux), true)


def score(frames: Sequence[Frame], found: Sequence[Found]) -> dict[str, Any]:
    """Compare what was found in images of one condition with the truth: numbers by name."""
    matched = [match(frame, one) for frame, one in zip(frames, found, strict=True)]
    stars = Stars(*map(np.concatenate, zip(*(stars for stars, _ in matched), strict=True)))
    seen = Detections(*map(np.concatenate, zip(*(seen for _, seen in matched), strict=True)))
    row: dict[str, Any] = {"stars": len(stars.signal), "found": sum(len(one.x) for one in found)}
    row["seconds"] = round(float(np.mean([one.seconds for one in found])), 1)
    if not len(stars.signal):
        return row
    for low, high in ((5, 7), (7, 10), (10, 30), (30, np.inf)):
        label = f"{low}-{high}" if np.isfinite(high) else f"{low}+"
        inside = stars.isolated & (stars.signal >= low) & (stars.signal < high)
        if inside.any():
            row[f"complete {label}"] = round(float(stars.hit[inside].mean()), 3)
        there = (seen.signal >= low) & (seen.signal < high)
        if there.any():
            row[f"pure {label}"] = round(float(seen.true[there].mean()), 3)
        ratio = stars.ratio[inside & stars.hit & np.isfinite(stars.ratio)]
        if low >= 10 and len(ratio):
            row[f"bias {label}"] = round(100 * float(np.median(ratio) - 1), 2)
            # the error of a median is a quarter larger than that of a mean
            row[f"bias error {label}"] = round(125 * robust(ratio) / len(ratio) ** 0.5, 2)
    used = stars.isolated & stars.hit & (stars.signal > 7) & (stars.signal < 100)
    if used.sum() > 4:
        row["pull"], row["x pull"] = round(robust(stars.pull[used]), 2), round(robust(stars.x_pull[used]), 2)
        row["pull error"] = round(1.17 / used.sum() ** 0.5, 2)
        row["x scatter"] = round(robust(stars.x_shift[used & (stars.signal > 20)]), 3)
    bright = stars.isolated & stars.hit & (stars.signal > 50)
    if bright.any():
        row["x offset"] = round(float(np.median(stars.x_shift[bright])), 3)
        row["y offset"] = round(float(np.median(stars.y_shift[bright])), 3)
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
           "pure 10-30", "pure 30+", "bias 10-30", "bias error 10-30", "bias 30+", "bias error 30+", "pull",
           "pull error", "x scatter", "x pull", "seconds"]  # fmt: skip


def recall_peers(frame: Frame) -> Found:
    """Return what the peers found in an image, from an earlier run if there was one."""
    kept = frame.path.with_suffix(".peers.json")
    if kept.exists():
        read = json.loads(kept.read_text())
        return Found(**{name: np.array(value) if isinstance(value, list) else value for name, value in read.items()})
    found = run_peers(frame)
    plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(found).items()}
    kept.write_text(json.dumps(plain))
    return found


def main() -> None:
    """Render, process, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=["*"], help="names or patterns of conditions")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--peers", action="store_true", help="process with SExtractor and PSFEx too")
    parser.add_argument("--only-peers", action="store_true", help="process with SExtractor and PSFEx alone")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("-c", dest="settings", action="append", default=[], metavar="SETTING=VALUE")
    arguments = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    patterns = arguments.names or ["*"]
    names = [name for name in CONDITIONS if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    unknown = [pattern for pattern in arguments.names if not fnmatch.filter(CONDITIONS, pattern)]
    if unknown:
        parser.error(f"no condition is called {', '.join(unknown)}; --list prints the names")
    if arguments.list:
        raise SystemExit("\n".join(CONDITIONS))
    folder = arguments.folder.resolve()
    options = [word for setting in arguments.settings for word in ("-c", setting)]
    print("| condition | program | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 2) + "|")
    messages: list[str] = []
    for name in names:
        frames = [render(folder / str(seed), name, seed) for seed in arguments.seeds]
        programs: dict[str, list[Found]] = {}
        if not arguments.only_peers:
            programs["obs"] = [run_obs(frame, options) for frame in frames]
        if arguments.peers or arguments.only_peers:
            programs["peers"] = [recall_peers(frame) for frame in frames]
        for program, found in programs.items():
            row = score(frames, found)
            cells = [str(row.get(column, "")) for column in COLUMNS]
            print(f"| {name} | {program} | " + " | ".join(cells) + " |", flush=True)
            told = [one.message for one in found if one.message]
            if program == "obs":
                messages += [f"{name}: {message}" for message in told]
            record = {"name": name, "program": program, "at": time.time(), **row, "messages": told}
            record["facts"] = [
                {key: one.facts.get(key) for key in ("fwhm", "n_psf_star", "n_cosmic_ray_pixel")} for one in found
            ]
            with (folder / "results.jsonl").open("a") as file:
                file.write(json.dumps(record) + "\n")
    print("\n".join(["", *messages]))


if __name__ == "__main__":
    main()
