"""Make ten thousand small raw frames of necam, and time their ingest on two cores.

    python benchmarks/ingest.py FOLDER [--files 10000] [--processes 2]

What is there already is not made again.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from astropy.io import fits

OBS = str(Path(sys.executable).with_name("obs"))


def make_frames(folder: Path, number: int) -> list[str]:
    """Write the frames, unless they are there; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{visit:06d}.fits" for visit in range(1, number + 1)]
    for visit, path in enumerate(paths, start=1):
        if not path.exists():
            cards = {"IMGTYPE": "OBJECT", "FILTER": "Clear", "DATE-OBS": "20200904", "RUN": visit}
            cards |= {"INSTRUME": "NECAM", "DETECTOR": 1, "EXPTIME": 60.0}
            fits.PrimaryHDU(np.zeros((16, 16), np.uint16), fits.Header(cards)).writeto(path)
    return [str(path) for path in paths]


def main() -> None:
    """Make, ingest, print the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=10000)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    paths = make_frames(arguments.folder / "in", arguments.files)
    data = arguments.folder / f"DATA-{time.time_ns()}"
    subprocess.run([OBS, "init", str(data), "--camera", "necam"], check=True)
    start = time.perf_counter()
    subprocess.run([OBS, "ingest", str(data), *paths, "-j", str(arguments.processes)], check=True)
    print(f"{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
