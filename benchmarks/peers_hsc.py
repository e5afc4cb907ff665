"""Time `obs process` on the simulated HSC detector of `hsc_detector.py` against SExtractor, PSFEx and SExtractor again.

    python benchmarks/hsc_detector.py FOLDER && python benchmarks/peers_hsc.py FOLDER [--runs 3]

All on one core, in turn. `obs` starts from the Rice-compressed raw frame and removes the instrument's signature and
cosmic rays, fits PSF, WCS and zero point, and writes everything; the others start from the calibrated image.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from astropy.io import fits
from hsc_detector import find, process
from peers_sdss import PEER, prepare_peers, run


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cpu", action="store_true", help="processor time, not wall clock")
    parser.add_argument("--without-spread", action="store_true", help="leave out the slow chain with SPREAD_MODEL")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every run compiles what a user's second run has compiled
    calexp = find(arguments.folder / "out", "CORR-*.fits")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        peers = prepare_peers(fits.getdata(calexp, "IMAGE"), 3.8, work)
        if arguments.without_spread:
            peers.pop(PEER, None)
        results: dict[str, list[tuple[float, float]]] = {"obs process": [], **{label: [] for label in peers}}
        for k in range(arguments.runs + 1):
            for label in results:
                if label in peers:
                    outcome = run(peers[label], work, arguments.cpu)
                else:
                    outcome = process(arguments.folder, [], arguments.cpu)
                if k:  # the first round fills the caches
                    results[label].append(outcome)
    for label, values in results.items():
        seconds = [value[0] for value in values]
        print(f"{label:46s}{statistics.median(seconds):8.1f} s {max(value[1] for value in values):8.0f} MB")
    for label in peers:
        ratios = [a[0] / b[0] for a, b in zip(results["obs process"], results[label], strict=True)]
        print(f"obs process / {label}, pair by pair: median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
