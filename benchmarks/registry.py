"""How opening, selecting, listing and ingesting depend on the number of registered raw frames.

    python benchmarks/registry.py FOLDER 1000 100000

makes an HSC repository of each size (rows of the registry, and empty files in their places), and prints processor time
and peak memory of the commands as a user types them.
"""

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from obs.ingest.raws import create_raw_tables
from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.registry import Registry

N_CCD = 104


def rows_of(count: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of so many raw frames."""
    for number in range(count):
        visit, ccd = 100000 + 2 * (number // N_CCD), number % N_CCD
        night = number // (N_CCD * 200)
        day = f"2020-{1 + night % 12:02d}-{1 + night % 28:02d}"
        row: dict[str, Any] = {"field": f"F{visit % 7}", "visit": visit, "ccd": ccd, "pointing": 1000 + night}
        row |= {"filter": ("HSC-G", "HSC-R", "HSC-I")[visit // 2 % 3], "dateObs": day, "taiObs": day, "expTime": 30.0}
        row |= {"pa": 0.0, "autoguider": 0, "expId": str(visit), "dataType": "OBJECT", "ccdTemp": 0.0}
        yield row | {"config": "x", "frameId": f"x{number}", "proposal": "x"}


def make(root: Path, count: int) -> None:
    """Make a repository with so many registered raw frames: rows in one statement, and an empty file for each."""
    instrument = load_instrument("hsc")
    make_repository(root, instrument)
    translator = instrument.make_translator()
    registry = Registry(root / "registry.sqlite3", read_only=False)
    create_raw_tables(registry, translator)
    butler = Butler(root)
    with sqlite3.connect(root / "registry.sqlite3") as connection:
        for table in ("raw", "raw_visit"):
            known = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
            rows = rows_of(count) if table == "raw" else islice(rows_of(count), 0, None, N_CCD)
            names, places = ", ".join(known), ", ".join(f":{name}" for name in known)
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608
    connection.close()
    for row in islice(rows_of(count), 0, None, N_CCD):
        first = root / butler.mapper.path("raw", row)
        first.parent.mkdir(parents=True, exist_ok=True)
        number = (row["visit"] - 100000) // 2 * N_CCD
        before, after = str(first).rsplit("000", 1)
        for ccd in range(min(N_CCD, count - number)):
            os.close(os.open(f"{before}{ccd:03d}{after}", os.O_CREAT | os.O_WRONLY))


def measure(words: list[str]) -> tuple[float, float, int]:
    """Return processor time, peak memory (MB) and number of lines of a command."""
    done = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = done.stdout.read().count("\n")
    _, _, usage = os.wait4(done.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024.0, lines


def main() -> None:
    """Print a row for each command and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("counts", type=int, nargs="*")
    parser.add_argument("--make", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.folder / f"hsc{options.make}", options.make)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    obs = str(Path(sys.executable).parent / "obs")
    for count in options.counts:
        root = options.folder / f"hsc{count}"
        if not root.exists():  # by another process: what this one has needed would count for the commands it starts
            subprocess.run([sys.executable, __file__, str(options.folder), "--make", str(count)], check=True)
        show = ["--show", "data"]
        last = 100000 + 2 * ((count - 1) // N_CCD)
        commands = {
            "one detector": [obs, "process", str(root), *show, "--id", f"visit={last}", "ccd=1"],
            "a visit": [obs, "process", str(root), *show, "--id", f"visit={last - 2}"],
            "a range": [obs, "process", str(root), *show, "--id", f"visit=100000..{100000 + 40}", "ccd=0..9"],
            "everything": [obs, "process", str(root), *show, "--id"],
            "ls": [obs, "ls", str(root), "raw", "--id", f"visit={last}", "ccd=1"],
            "ls of any type": [obs, "ls", str(root), "--id", f"visit={last}", "ccd=1"],
            "where": [obs, "where", str(root), "raw", "--id", f"visit={last}", "ccd=1"],
            "get": [obs, "get", str(root), "raw_filename", "--id", f"visit={last}", "ccd=1"],
            "ls of nothing": [obs, "ls", str(root), "raw", "--id", "visit=7", "ccd=1"],
            "ls of all": [obs, "ls", str(root)],
            "info": [obs, "info", str(root)],
        }
        for name, words in commands.items():
            seconds, memory, lines = measure(words)
            print(f"{count:8} {name:14} {seconds:7.2f} s {memory:6.0f} MB {lines:8} lines", flush=True)


if __name__ == "__main__":
    main()
