"""A night of 60 files as N.I.N.A. writes them: seconds of every command, from ``obs new`` to catalogs.

    python benchmarks/night_of_60.py [--shape 2080 3096] [-j 2]

The files are drawn by ``tests/journey/raw_night.py``, 15 biases, 12 darks, 2 x 6 flats and 21 science exposures in two
filters. Each command runs as a user types it, in a process of its own. Written for each: seconds on the clock, and of
processor time (user and system, of all its processes); beside other work only the second says much.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np
from astropy.io import fits

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "journey"), str(ROOT / "tests")]

from raw_night import DEC, RA, Camera, Night, make_stars, nina_cards  # noqa: E402 - after the path


def main() -> None:
    """Write the night, run the commands, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=2, default=(2080, 3096), help="rows and columns of the camera")
    parser.add_argument("-j", type=int, default=2, help="processes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_night(folder, tuple(options.shape))
        run(folder, options.j)


def write_night(folder: Path, shape: tuple[int, int]) -> None:
    """Write 60 files into ``night``, and the stars into ``stars.csv``."""
    (folder / "night").mkdir()

    def write(number: int, kind: str, pixels: np.ndarray, cards: list) -> None:
        fits.PrimaryHDU(pixels, fits.Header(cards)).writeto(folder / "night" / f"{kind}_{number:04d}.fits")

    camera = Camera(shape=shape)
    stars = make_stars(n=6000, spread=0.8)
    night = Night(camera, nina_cards, write, stars=stars)
    dark = np.zeros(shape)
    for _ in range(15):
        night.expose("bias", dark, 0.0)
    for _ in range(12):
        night.expose("dark", dark + 3.0, 60.0)
    for band in night.bands:
        for level in np.linspace(22000, 24500, 6):
            night.expose("flat", level * camera.gain * camera.vignetting(), 2.0, band=band)
    night.when = datetime(2026, 11, 20, 20, 30)
    for index in range(21):
        band, flipped = night.bands[index % 2], index >= 11
        wcs = camera.wcs(RA + 0.002 * index, DEC, flipped=flipped)
        night.expose("science", night.light(wcs, band) + 3.0, 60.0, band=band, wcs=wcs, flipped=flipped)
    stars.write(folder / "stars.csv")


def run(folder: Path, processes: int) -> None:
    """Run the commands of the night; print the seconds of each."""
    many = ["-j", str(processes)]
    package = folder / "obs_night60"
    lines = [
        ["new", "night60", "--no-input", "--from", "night"],
        ["check", "night60"],
        ["init", "DATA", "--camera", "night60"],
        ["ingest", "DATA", "night", *many],
        ["ingest-refcat", "DATA", "stars", "stars.csv"],
        *(["calibs", "build", kind, "DATA", "--validity", "30", *many] for kind in ("bias", "dark", "flat")),
        ["process", "DATA", "--output", "out", "--id", "dataType=science", *many],
    ]
    environment = os.environ | {"PYTHONPATH": str(package)}
    total = np.zeros(2)
    for words in lines:
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from obs.cli.main import main; sys.exit(main())", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        seconds = np.array([time.perf_counter() - started, cpu])
        total += seconds
        print(f"{seconds[0]:8.1f} s  {seconds[1]:8.1f} s of processor time  obs {' '.join(words)}", flush=True)
        if done.returncode:
            sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
        if words[0] == "new":
            register(package)
    catalogs = sum("src" in path.relative_to(folder).parts for path in (folder / "out").rglob("*.fits"))
    print(f"{total[0]:8.1f} s  {total[1]:8.1f} s of processor time  all, {catalogs} catalogs")


def register(package: Path) -> None:
    """Do what ``pip install -e`` amounts to."""
    metadata = package / "obs_night60-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: night60\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[obs.cameras]\nnight60 = obs_night60:instrument\n")


if __name__ == "__main__":
    main()
