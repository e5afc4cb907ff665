"""Time `obs process` on one SDSS frame against SExtractor, PSFEx and SExtractor again, on one core, in turn.

    python benchmarks/peers_sdss.py ../shared/data/sdss_stripe82 [--runs 5] [--filter r]

Needs `source-extractor` (or `sex`) and `psfex` on the path; without them only `obs` is timed. Every run is a whole
process: seconds are wall clock, or with `--cpu` processor time, for machines that do other things too; memory is the
largest resident set of a single process.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits

SOFT_BIAS = 1000
ROWS = 1361
SEX_CONFIG = """DETECT_TYPE CCD
DETECT_MINAREA 3
DETECT_THRESH 1.5
ANALYSIS_THRESH 1.5
FILTER Y
FILTER_NAME gauss.conv
BACK_SIZE 128
SATUR_LEVEL 40000
PIXEL_SCALE 0.396
PHOT_APERTURES 6,9,12,18,24,34,50
CATALOG_TYPE FITS_LDAC
VERBOSE_TYPE QUIET
"""
FIRST = [
    *("NUMBER", "X_IMAGE", "Y_IMAGE", "FLUX_RADIUS", "FLUX_APER(1)", "FLUXERR_APER(1)"),
    *("ELONGATION", "FLAGS", "SNR_WIN", "VIGNET(35,35)"),
]
SECOND = [
    *("NUMBER", "XWIN_IMAGE", "YWIN_IMAGE", "X2WIN_IMAGE", "Y2WIN_IMAGE", "XYWIN_IMAGE", "FLUX_APER(7)"),
    *("FLUXERR_APER(7)", "FLUX_AUTO", "FLUXERR_AUTO", "FLUX_PSF", "FLUXERR_PSF", "XPSF_IMAGE", "YPSF_IMAGE", "FLAGS"),
]
PEER = "SExtractor, PSFEx, SExtractor"
KERNEL = "CONV NORM\n1 2 1\n2 4 2\n1 2 1\n"


def run(commands: list[list[str]], folder: Path, cpu: bool = False) -> tuple[float, float]:
    """Run commands one after the other; return seconds in all (of the processor, if so wished) and the largest MB."""
    seconds, memory = 0.0, 0.0
    for command in commands:
        start = os.times().elapsed
        with open(folder / "log.txt", "w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
        seconds += usage.ru_utime + usage.ru_stime if cpu else os.times().elapsed - start
        memory = max(memory, usage.ru_maxrss / 1024)
        if status:
            raise SystemExit(f"{' '.join(command)} failed:\n{(folder / 'log.txt').read_text()}")
    return seconds, memory


def prepare_peers(pixels: np.ndarray, gain: float, folder: Path) -> dict[str, list[list[str]]]:
    """Write what SExtractor and PSFEx need; return their commands, none where they are not installed.

    Star-galaxy separation (SPREAD_MODEL) is where most of their time goes, and `obs` has its own; without it is shown
    for comparison.
    """
    sex, psfex = shutil.which("source-extractor") or shutil.which("sex"), shutil.which("psfex")
    if sex is None or psfex is None:
        return {}
    fits.writeto(folder / "image.fits", np.asarray(pixels, np.float32))
    (folder / "default.sex").write_text(f"{SEX_CONFIG}GAIN {gain}\n")
    (folder / "gauss.conv").write_text(KERNEL)
    (folder / "first.param").write_text("\n".join(FIRST) + "\n")
    (folder / "second.param").write_text("\n".join([*SECOND, "SPREAD_MODEL", "SPREADERR_MODEL"]) + "\n")
    (folder / "unclassified.param").write_text("\n".join(SECOND) + "\n")
    common = [sex, "image.fits", "-c", "default.sex", "-NTHREADS", "1"]
    first = [*common, "-PARAMETERS_NAME", "first.param", "-CATALOG_NAME", "first.cat"]
    fit = [psfex, "first.cat", "-PSFVAR_DEGREES", "2", "-CHECKPLOT_TYPE", "NONE", "-CHECKIMAGE_TYPE", "NONE",
           "-WRITE_XML", "N", "-VERBOSE_TYPE", "QUIET", "-NTHREADS", "1"]  # fmt: skip
    second = [*common, "-CATALOG_NAME", "second.cat", "-PSF_NAME", "first.psf", "-PARAMETERS_NAME"]
    return {
        PEER: [first, fit, [*second, "second.param"]],
        f"{PEER}, no star-galaxy": [first, fit, [*second, "unclassified.param"]],
    }


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--filter", default="r", choices=["g", "r"])
    parser.add_argument("--cpu", action="store_true")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every run compiles what a user's second run has compiled
    obs = str(Path(sys.executable).with_name("obs"))
    ids = ["run=4192", "camcol=4", "field=300", f"filter={arguments.filter}"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frame = arguments.repository / f"4192/40/corr/4/fpC-004192-{arguments.filter}4-0300.fit.gz"
        peers = prepare_peers(fits.getdata(frame)[:ROWS].astype(np.float32) - SOFT_BIAS, 4.76, folder)
        variants: dict[str, list[list[str]]] = {}
        base = [obs, "process", str(arguments.repository.resolve()), "--id", *ids, "--clobber-output", "--output"]
        variants["obs process"] = [[*base, "out"]]
        variants["obs process, PSF fitted"] = [[*base, "fitted", "-c", "characterize.measure_psf=true"]]
        variants.update(peers)
        results: dict[str, list[tuple[float, float]]] = {label: [] for label in variants}
        for k in range(arguments.runs + 1):
            for label, commands in variants.items():
                result = run(commands, folder, arguments.cpu)
                if k:  # the first round fills the caches
                    results[label].append(result)
    print(f"{'':46s}{'seconds: min':>14s}{'median':>9s}{'max':>9s}{'MB':>8s}")
    for label, values in results.items():
        seconds = [value[0] for value in values]
        memory = max(value[1] for value in values)
        print(f"{label:46s}{min(seconds):14.2f}{statistics.median(seconds):9.2f}{max(seconds):9.2f}{memory:8.0f}")
    for label in peers:
        ratios = [ours[0] / theirs[0] for ours, theirs in zip(results["obs process"], results[label], strict=True)]
        print(f"obs process / {label}, pair by pair: median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
