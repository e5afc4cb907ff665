"""Let several processes ingest at the same moment: nothing may be lost, and every exit status must be true.

python benchmarks/races.py FOLDER [FRAMES] [sqlite|postgres]
"""

import importlib
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

from obs.cli.main import main
from obs.repo.leftovers import find_leftovers
from obs.repo.registry import Registry

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "ingest"), str(Path(__file__).parent)]
toy_camera = importlib.import_module("toy_camera")
postgres_server = importlib.import_module("postgres_server")
install_toy = importlib.import_module("mutated_files").install_camera

_FORK = get_context("fork")
ORDERS = ("same", "opposite", "shared", "other")


def race(commands: Sequence[Sequence[object]], logs: Path) -> list[int]:
    """Run commands that begin at the same moment, and return the exit status of each."""
    start = _FORK.Barrier(len(commands))

    def child(number: int, words: Sequence[object]) -> None:
        log = os.open(logs / f"{number}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(log, stream)
        start.wait(60)
        os._exit(main([str(word) for word in words]))

    processes = [_FORK.Process(target=child, args=item) for item in enumerate(commands)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    return [-1 if process.exitcode is None else process.exitcode for process in processes]


def given(frames: Sequence[Path], order: str, number: int) -> list[list[Path]]:
    """Return the files that each of so many processes is to ingest."""
    if order == "opposite":
        return [list(frames[:: 1 if n % 2 == 0 else -1]) for n in range(number)]
    if order == "shared":
        return [[frame for at, frame in enumerate(frames) if at % number != n] for n in range(number)]
    if order == "other":
        return [list(frames[n::number]) for n in range(number)]
    return [list(frames)] * number


def trial(top: Path, mode: str, order: str, number: int, registry: str) -> list[str]:
    """Return what was wrong after a race."""
    root = top / "data"
    for folder in (root, top / "in"):
        shutil.rmtree(folder, ignore_errors=True)
    frames = [toy_camera.write_raw(top / "in" / f"{at:04d}.fits", RUN=at // 2, DETECTOR=at % 2) for at in range(FRAMES)]
    contents = {path.name: path.read_bytes() for path in frames}
    place = [] if registry == "sqlite" else ["--registry", registry]
    if race([["init", root, "--camera", "toy", *place]], top) != [0]:
        return ["init failed"]
    statuses = race([["ingest", root, *files, "--mode", mode] for files in given(frames, order, number)], top)
    found = Registry(root / "registry.sqlite3" if registry == "sqlite" else registry)
    rows = found.lookup(["visit", "ccd"], {}, ["raw"])
    places = [root / f"raw/2024-03-01/raw-{visit:05d}-r-{ccd}.fits" for visit, ccd in rows]
    wrong = [f"status {status}: {(top / f'{n}.log').read_text()}" for n, status in enumerate(statuses) if status]
    if len(rows) != FRAMES:
        wrong.append(f"{len(rows)} rows")
    if not all(path.is_file() for path in places):
        wrong.append("a row without its file")
    if {path.read_bytes() for path in places if path.is_file()} != set(contents.values()):
        wrong.append("a frame is lost")
    if len(list((root / "raw").rglob("*.fits"))) != FRAMES:
        wrong.append("a file without a row")
    if sum(path.exists() for path in frames) != (0 if mode == "move" else FRAMES):
        wrong.append("sources are not what they should be")
    return wrong + [f"leftover {path}" for path in find_leftovers(root)]


def clear(url: str) -> None:
    """Remove all tables of a database."""
    sa = importlib.import_module("sqlalchemy")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")


if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    FRAMES = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    install_toy(top)
    faults = trials = 0
    with ExitStack() as stack:
        for kind in sys.argv[3:] or ("sqlite", "postgres"):
            url = "sqlite" if kind == "sqlite" else stack.enter_context(postgres_server.serve()).url
            for mode in ("move", "copy", "link"):
                for order in ORDERS:
                    for number in (2, 3, 4, 6, 8):
                        wrong = trial(top, mode, order, number, url)
                        trials, faults = trials + 1, faults + bool(wrong)
                        if kind != "sqlite":
                            clear(url)
                        print(kind, mode, order, number, *(wrong or ["right"]), flush=True)
    print(f"{trials} races, {faults} with faults")
