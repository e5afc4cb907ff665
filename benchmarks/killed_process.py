"""Kill `obs process -j 2` at random moments, run it again, and compare with a run that nobody disturbed.

python benchmarks/killed_process.py FOLDER [NUMBER]
"""

import hashlib
import importlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from obs.repo.leftovers import find_leftovers

CAMERA = Path(__file__).parents[1] / "tests" / "docs"
sys.path.insert(0, str(CAMERA))
install = importlib.import_module("test_python").install

COMMAND = [sys.executable, "-c", "import sys; from obs.cli.main import main; sys.exit(main())"]
#: Seconds after which no worker may be alive that has lost its parent.
WORKERS_END = 10.0


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
    """Return a digest of what a run decides: pixels and tables, and metadata without times."""
    digest = hashlib.sha256()
    if path.suffix == ".fits":
        with fits.open(path, disable_image_compression=True, memmap=False) as hdus:
            for hdu in hdus:
                digest.update(
                    hdu.name.encode() + (b"" if hdu.data is None else np.ascontiguousarray(hdu.data).tobytes())
                )
    else:
        text = re.sub(r"(?ms)^seconds:\n(?: +.*\n)*", "", path.read_text())
        digest.update(re.sub(r"(?m)^.*mtime.*\n", "", text).encode())
    return digest.hexdigest()


def state(output: Path) -> dict[str, str]:
    """Return the files of an output with the digests of their content."""
    paths = [path for path in sorted(output.rglob("*.*")) if path.is_file()]
    return {str(path.relative_to(output)): content(path) for path in paths}


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


def campaign(root: Path, number: int, rng: random.Random) -> dict[str, float]:
    """Return what was wrong, by its name, in so many kills."""
    output = root.parent / "out"
    words = ["process", root, "--id", "visit=21^22", "-j", 2, "--output", output]
    shutil.rmtree(output, ignore_errors=True)
    whole = run(*words)
    good = state(output)
    faults = dict.fromkeys(("killed", "half written", "worker alive", "rerun failed", "differs", "leftover"), 0)
    for turn in range(number):
        shutil.rmtree(output, ignore_errors=True)
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
            digest != good[name] for name, digest in before.items() if not Path(name).name.startswith(".")
        )
        faults["rerun failed"] += obs(*words, *(["--skip-existing"] if turn % 2 else [])).wait(600) != 0
        after = state(output)
        faults["differs"] += after != good
        faults["leftover"] += bool(find_leftovers(output))
        print(
            turn,
            faults,
            [name for name in good.keys() | after.keys() if good.get(name) != after.get(name)][:3],
            flush=True,
        )
    return faults


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        install(folder / "site", patch)
        os.environ["PYTHONPATH"] = os.pathsep.join(
            [str(folder / "site"), str(CAMERA), os.environ.get("PYTHONPATH", "")]
        )
        run("init", folder / "data", "--camera", "night")
        run("ingest", folder / "data", folder / "night1" / "*.fits")
        run("ingest-refcat", folder / "data", "simulated", folder / "stars.csv")
        count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
        print(campaign(folder / "data", count, random.Random(1)))  # noqa: S311
