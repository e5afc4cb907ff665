"""Process many detectors through one process; its memory must stay flat, and no descriptor may stay open.

python benchmarks/many_detectors.py FOLDER [NUMBER]
"""

import gc
import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from obs.cli.main import main
from obs.repo.butler import Butler
from obs.runs.process import process_data_ids
from obs.tasks.process_settings import process_settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "docs"))
install_night = importlib.import_module("test_python").install

SETTINGS = tuple(f"isr.do_{step}=false" for step in ("bias", "dark", "flat", "fringe", "defect"))


def call(*words: object) -> None:
    """Run a command that must succeed."""
    if main([str(word) for word in words]):
        raise SystemExit(f"obs {' '.join(map(str, words))} failed")


def usage() -> tuple[float, int]:
    """Return the memory of this process, MB, and the number of its open descriptors."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir("/proc/self/fd")) - 1


def run(top: Path, number: int) -> None:
    """Process exposures of a small camera again and again."""
    data = top / "data"
    call("init", data, "--camera", "night")
    call("ingest", data, top / "night1" / "a002*.fits")
    call("ingest-refcat", data, "simulated", top / "stars.csv")
    butler = Butler(data, output=top / "out")
    settings = process_settings(butler.instrument)
    for text in SETTINGS:
        settings.set(text)
    config = settings.build()
    keys = list(butler.get_keys("raw"))
    rows = butler.query_metadata("raw", keys, {})
    data_ids = [dict(zip(keys, row, strict=True)) for row in rows]
    for count in range(1, number + 1):
        outcomes = process_data_ids(butler, config, [data_ids[count % len(data_ids)]])
        if not all(outcome.ok for outcome in outcomes):
            raise SystemExit(f"detector {count}: {outcomes[0].error}")
        if count in (1, 5, 10, 20, 50, 75, 100) or count == number:
            memory, descriptors = usage()
            print(f"after {count}: {memory:.0f} MB, {descriptors} descriptors", flush=True)


if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        install_night(top / "site", patch)
        run(top, number)
