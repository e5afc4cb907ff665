"""Kill commands with two processes at random moments, run them again, and compare with runs that nobody disturbed.

python benchmarks/killed_process.py FOLDER [NUMBER] [process|coadd|watch|ingest|calibs]
"""

import hashlib
import importlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from obs.repo.leftovers import find_leftovers

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "docs"), str(TESTS / "ingest"), str(Path(__file__).parent)]
install_night = importlib.import_module("test_python").install
toy_camera = importlib.import_module("toy_camera")
install_toy = importlib.import_module("mutated_files").install_camera

COMMAND = [sys.executable, "-c", "import sys; from obs.cli.main import main; sys.exit(main())"]
#: Seconds after which no worker may be alive that has lost its parent.
WORKERS_END = 10.0
FRAMES = 600
#: Lines that differ from run to run.
_TIMES = re.compile(r"(?m)^.*(mtime|ctime|seconds|peak_memory|inode).*\n(?:  +.*\n)*")
#: What is written with times in it: logs and pages.
_DATED = re.compile(r"(^|/)logs/|(^|/)report\.|journal$")
#: What is not finished, and its folder.
_HIDDEN = re.compile(r"(^|/)\.")

Trial = tuple[list[object], Path, Callable[[], None]]


def obs(*words: object) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def run(*words: object) -> float:
    """Run a command that must succeed, and return its time, s."""
    start = time.monotonic()
    if obs(*words).wait(600):
        raise SystemExit(f"obs {' '.join(map(str, words))} failed")
    return time.monotonic() - start


def content(path: Path) -> str:
    """Return a digest of what a run decides: pixels and tables, rows, and texts without times."""
    digest = hashlib.sha256()
    if path.name == "metrics.sqlite3":
        digest.update(repr(rows(path, only=("data_id", "status", "n_sources", "seeing", "zero_point"))).encode())
    elif path.suffix == ".sqlite3":
        digest.update(repr(rows(path)).encode())
    elif path.is_symlink():
        digest.update(os.readlink(path).encode())
    elif path.suffix == ".fits" and _is_whole(path):
        with fits.open(path, disable_image_compression=True, memmap=False) as hdus:
            for hdu in hdus:
                digest.update(
                    hdu.name.encode() + (b"" if hdu.data is None else np.ascontiguousarray(hdu.data).tobytes())
                )
    elif path.suffix == ".yaml":
        digest.update(_TIMES.sub("", path.read_text()).encode())
    else:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_whole(path: Path) -> bool:
    """Return whether a FITS file is a number of whole blocks: some trials begin with one that is cut."""
    return path.stat().st_size % 2880 == 0


def rows(path: Path, *, only: tuple[str, ...] = ()) -> list[tuple[object, ...]]:
    """Return the rows of all tables of a database, without their numbers; of metrics some columns."""
    found: list[tuple[object, ...]] = []
    # not read-only: what a killed process had begun to write is taken back when its database is opened
    with sqlite3.connect(f"file:{path}?mode=rw", uri=True) as connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name"
        ).fetchall():
            names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            kept = ", ".join(f'"{name}"' for name in names if name != "id" and (not only or name in only)) or "1"
            found += [(table, *row) for row in connection.execute(f'SELECT {kept} FROM "{table}" ORDER BY {kept}')]  # noqa: S608
    connection.close()
    return found


def state(folder: Path) -> dict[str, str]:
    """Return the files below a folder with the digests of their content."""
    paths = [path for path in sorted(folder.rglob("*.*")) if path.is_file()]
    names = {str(path.relative_to(folder)): path for path in paths}
    return {name: content(path) for name, path in names.items() if not _DATED.search(name)}


def members(session: int) -> list[int]:
    """Return the processes of a session that are alive."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(place.parent.name))
    return found


def campaign(words: list[object], output: Path, reset: Callable[[], None], number: int) -> dict[str, int]:
    """Return what was wrong, by its name, in so many kills."""
    rng = random.Random(1)  # noqa: S311
    reset()
    whole = run(*words)
    good = state(output)
    faults = dict.fromkeys(("killed", "half written", "worker alive", "rerun failed", "differs", "leftover"), 0)
    for turn in range(number):
        reset()
        process = obs(*words)
        time.sleep(whole * (turn + rng.random()) / number)
        os.kill(process.pid, signal.SIGKILL)
        faults["killed"] += process.wait() == -signal.SIGKILL
        end = time.monotonic() + WORKERS_END
        while members(process.pid) and time.monotonic() < end:
            time.sleep(0.05)
        faults["worker alive"] += bool(members(process.pid))
        before = {name: digest for name, digest in state(output).items() if name.endswith(".fits")}
        faults["half written"] += any(
            digest != good.get(name) for name, digest in before.items() if not _HIDDEN.search(name)
        )
        resume = ["--skip-existing"] if turn % 2 and words[0] == "process" else []
        faults["rerun failed"] += obs(*words, *resume).wait(600) != 0
        after = state(output)
        faults["differs"] += after != good
        faults["leftover"] += bool(find_leftovers(output))
        different = [name for name in good.keys() | after.keys() if good.get(name) != after.get(name)]
        print(turn, faults, different[:3], flush=True)
    return faults


def exposures(folder: Path, kind: str) -> Trial:
    """Return the command, its output, and what brings that back, for two exposures of a small camera."""
    data, output = folder / "data", folder / "out"
    run("init", data, "--camera", "night")
    process = ["process", data, "--id", "visit=21^22", "-j", 2, "--output", output]
    if kind == "watch":
        run("ingest-refcat", data, "simulated", folder / "stars.csv")
        shutil.copytree(data, folder / "empty")
        words: list[object] = [
            "watch",
            data,
            folder / "night1",
            "--settle",
            0,
            "--idle",
            1,
            "-j",
            2,
            "--id",
            "visit=21^22",
        ]
        return words, data, lambda: restore(folder / "empty", data)
    run("ingest", data, folder / "night1" / "*.fits")
    run("ingest-refcat", data, "simulated", folder / "stars.csv")
    if kind == "process":
        return process, output, lambda: shutil.rmtree(output, ignore_errors=True)
    run(*process)
    run("skymap", "make", output, "--discrete")
    shutil.copytree(output, folder / "processed")
    return ["coadd", output, "--id", "filter=r", "-j", 2], output, lambda: restore(folder / "processed", output)


def raw_frames(folder: Path, kind: str) -> Trial:
    """Return the same for many raw frames, or few flats, of two detectors."""
    data = folder / "data"
    run("init", data, "--camera", "toy")
    if kind == "ingest":
        for number in range(FRAMES):
            toy_camera.write_raw(folder / "in" / f"{number:04d}.fits", RUN=number // 2, DETECTOR=number % 2)
        words: list[object] = ["ingest", data, folder / "in" / "*.fits", "--mode", "copy", "-j", 2]
    else:
        noise = np.random.default_rng(1)
        (folder / "in").mkdir()
        for number in range(12):
            pixels = noise.normal(20000, 100, (40, 56))
            pixels[:, 24:32] = noise.normal(500, 3, (40, 8))
            cards = {"RUN": number // 2, "DETECTOR": number % 2, "FILTER": "r", "IMGTYPE": "FLAT", "EXPTIME": 2.0}
            header = fits.Header(cards | {"DATE-OBS": "2024-03-01T05:06:07"})
            fits.PrimaryHDU(pixels.astype(np.uint16), header).writeto(folder / "in" / f"{number}.fits")
        run("ingest", data, folder / "in" / "*.fits")
        words = ["calibs", "build", "flat", data, "-c", "isr.do_bias=false", "isr.do_dark=false", "-j", 2]
    shutil.copytree(data, folder / "empty", symlinks=True)
    return words, data, lambda: restore(folder / "empty", data)


def restore(source: Path, target: Path) -> None:
    """Make a folder what it was."""
    shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)


if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    kinds = sys.argv[3:] or ["process", "coadd", "watch", "ingest", "calibs"]
    shutil.rmtree(top, ignore_errors=True)
    for kind in kinds:
        folder = top / kind
        folder.mkdir(parents=True)
        with pytest.MonkeyPatch.context() as patch:
            is_toy = kind in ("ingest", "calibs")
            if is_toy:
                install_toy(folder)
            else:
                install_night(folder / "site", patch)
            places = [folder / "site", TESTS / "docs", TESTS / "ingest", os.environ.get("PYTHONPATH", "")]
            patch.setenv("PYTHONPATH", os.pathsep.join(map(str, places)))
            trial = (raw_frames if is_toy else exposures)(folder, kind)
            print(kind, campaign(*trial, count), flush=True)
