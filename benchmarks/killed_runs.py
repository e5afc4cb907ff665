"""Kill ingest and builds at random moments, run them again, and compare with runs that nobody disturbed.

python benchmarks/killed_runs.py FOLDER [NUMBER] [FRAMES] [link|copy|move|calibs]
"""

import hashlib
import importlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits

import obs.cli.calibs
import obs.cli.calibs_build
import obs.cli.ingest
import obs.repo.find_instrument
from obs.cli.main import main
from obs.ingest.repository import make_repository
from obs.repo.leftovers import find_leftovers
from obs.repo.registry import Registry

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ingest"))
toy_camera = importlib.import_module("toy_camera")

FRAMES = int(sys.argv[3]) if len(sys.argv) > 3 else 400


def fork(words: Sequence[object]) -> int:
    """Run a command in a forked process without output."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(null, stream)
        os._exit(main([str(word) for word in words]))
    return pid


def wait(pid: int) -> int:
    """Return the exit status of a forked process."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run(words: Sequence[object]) -> None:
    """Run a command that must succeed."""
    if wait(fork(words)):
        raise SystemExit(f"obs {' '.join(map(str, words))} failed")


def night(folder: Path, kind: str) -> tuple[Path, list[object]]:
    """Make a repository, and raw frames beside it; return the repository and the command."""
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "data"
    make_repository(root, INSTRUMENT)
    if kind != "calibs":
        frames = folder.parent / "frames"
        for number in range(0 if frames.is_dir() else FRAMES):
            toy_camera.write_raw(frames / f"{number:04d}.fits", RUN=number // 2, DETECTOR=number % 2)
        shutil.copytree(frames, folder / "in", copy_function=os.link)
        return root, ["ingest", root, folder / "in" / "*.fits", "--mode", kind]
    noise = np.random.default_rng(1)
    (folder / "in").mkdir()
    for number in range(6):
        cards = {"RUN": number // 2, "DETECTOR": number % 2, "FILTER": "r", "IMGTYPE": "FLAT", "EXPTIME": 2.0}
        pixels = noise.normal(20000, 100, (40, 56))
        pixels[:, 24:32] = noise.normal(500, 3, (40, 8))
        header = fits.Header(cards | {"DATE-OBS": "2024-03-01T05:06:07"})
        fits.PrimaryHDU(pixels.astype(np.uint16), header).writeto(folder / "in" / f"{number}.fits")
    run(["ingest", root, folder / "in" / "*.fits"])
    return root, ["calibs", "build", "flat", root, "-c", "isr.do_bias=false", "isr.do_dark=false"]


def state(folder: Path) -> tuple[list[tuple[object, ...]], dict[str, str]]:
    """Return the registered rows, and the files with their content; pixels only of FITS files with dates in them."""
    rows, files = [], {}
    for place in sorted(folder.rglob("*.sqlite3")):
        registry = Registry(place)
        for table in registry.tables():
            rows += registry.lookup(list(registry.columns([table])), {}, [table])
    for path in sorted(folder.rglob("*.fits")):
        content = fits.getdata(path).tobytes() if "CALIB" in path.parts else path.read_bytes()
        files[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return rows, files


def campaign(folder: Path, kind: str, number: int, rng: random.Random) -> dict[str, int]:
    """Return what was wrong, by its name, in so many kills."""
    root, words = night(folder, kind)
    start = time.monotonic()
    run(words)
    whole, good = time.monotonic() - start, state(folder)
    faults = dict.fromkeys(("killed", "row without file", "frame lost", "rerun failed", "differs", "leftover"), 0)
    for _ in range(number):
        root, words = night(folder, kind)
        raw = {path.read_bytes() for path in (folder / "in").iterdir()}
        pid = fork(words)
        time.sleep(rng.random() * whole)
        os.kill(pid, signal.SIGKILL)
        faults["killed"] += wait(pid) == -signal.SIGKILL
        there = {path.read_bytes() for path in folder.rglob("*.fits") if path.is_file()}
        faults["frame lost"] += not raw <= there
        registered = Registry(root / "registry.sqlite3").lookup(["visit", "ccd"], {}, ["raw"])
        places = (root / f"raw/2024-03-01/raw-{visit:05d}-r-{ccd}.fits" for visit, ccd in registered)
        faults["row without file"] += not all(place.is_file() for place in places)
        # A run that was complete has nothing left to do: no file to move, or a calibration that is there already.
        was_complete = state(folder) == good
        faults["rerun failed"] += wait(fork(words)) != 0 and not was_complete
        faults["differs"] += state(folder) != good
        faults["leftover"] += bool(find_leftovers(folder))
    return faults


if __name__ == "__main__":
    top = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    INSTRUMENT = toy_camera.make_instrument(top)
    for module in (obs.repo.find_instrument, obs.cli.ingest, obs.cli.calibs, obs.cli.calibs_build):
        module.load_instrument = lambda name: INSTRUMENT
    for chosen in sys.argv[4:] or ("link", "copy", "move", "calibs"):
        print(chosen, campaign(top / "run", chosen, count, random.Random(1)), flush=True)  # noqa: S311
