"""Kill commands that work on results at random moments, run them again, and compare with runs that nobody disturbed.

The moment is a part of the processor time of the whole command, so that it does not depend on what else is running.

python benchmarks/killed_commands.py FOLDER [NUMBER] [COMMAND...]
"""

import contextlib
import importlib
import os
import pkgutil
import random
import re
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

import obs.cli
from obs.cli.main import main
from obs.repo.leftovers import find_leftovers

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "docs"), str(TESTS / "ingest" / "surveys"), str(Path(__file__).parent)]
killed_process = importlib.import_module("killed_process")
scaffolded_night = importlib.import_module("scaffolded_night")

#: What holds the minute in which it was written.
_DATED = re.compile(r"\.html$|report\.(txt|jsonl?)$|(^|/)logs/")


def call(words: Sequence[object], moment: float = 0.0) -> int:
    """Run a command in a forked process without output, to the end or up to so much processor time, s."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(null, stream)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process as SIGKILL does
        signal.setitimer(signal.ITIMER_PROF, moment)
        os._exit(main([str(word) for word in words]))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def must(words: Sequence[object]) -> float:
    """Run a command that must succeed, and return its processor time, s."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if call(words):
        raise SystemExit(f"obs {' '.join(map(str, words))} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def state(folder: Path) -> dict[str, str]:
    """Return the files below a folder with digests of their content; of those with times in them the names alone."""
    paths = [path for path in sorted(folder.rglob("*.*")) if path.is_file()]
    return {
        name: "" if _DATED.search(name) else killed_process.content(path)
        for path in paths
        for name in [re.sub(r"\d{8}T\d{6}\w*", "TIME", str(path.relative_to(folder)))]
        if not name.endswith(("journal", "-wal", "-shm"))
    }


def campaign(words: Sequence[object], work: Path, start: Path, number: int, rng: random.Random) -> dict[str, int]:
    """Return what was wrong, by its name, in so many kills."""

    def reset() -> None:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(start, work, symlinks=True)

    reset()
    must(words)
    reset()
    whole, good, first = must(words), state(work), state(start)  # the second time, when files are in memory
    checked = next(path for path in (work / "out", work / "night" / "processed") if path.is_dir())
    must(["verify", checked])
    faults = dict.fromkeys(("turns", "killed", "half written", "rerun failed", "differs", "leftover", "verify"), 0)
    while faults["killed"] < number and faults["turns"] < 3 * number:
        reset()
        faults["turns"] += 1
        faults["killed"] += call(words, whole * rng.random()) == -signal.SIGPROF
        before = {name: digest for name, digest in state(work).items() if name.endswith(".fits") and digest}
        half = [
            name
            for name, digest in before.items()
            if digest not in (good.get(name), first.get(name)) and not re.search(r"(^|/)\.", name)
        ]
        faults["half written"] += bool(half)
        status = call(words)
        faults["rerun failed"] += status != 0
        after = state(work)
        different = [name for name in good.keys() | after.keys() if good.get(name) != after.get(name)]
        faults["differs"] += bool(different)
        faults["leftover"] += bool(find_leftovers(work))
        faults["verify"] += call(["verify", checked]) != 0
        if half or status or different:
            print(f"  status {status}; half written {half[:3]}; differ {different[:3]}", flush=True)
    return faults


@contextlib.contextmanager
def survey() -> Iterator[str]:
    """Serve a survey on this machine, and yield its address."""
    module = importlib.import_module("test_download")
    server = ThreadingHTTPServer(("127.0.0.1", 0), module.Service)
    server.table, server.survey = module.gaia_stars(2000), module.SURVEYS["gaia"]  # type: ignore[attr-defined]
    server.queries, server.failure, server.silent = [], "", None  # type: ignore[attr-defined]
    server.change = bytes  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/tap"
    server.shutdown()


def prepare(top: Path) -> None:
    """Process two exposures of a small camera, and make coadds of them."""
    work, data = top / "work", top / "work" / "data"
    must(["init", data, "--camera", "night"])
    must(["ingest", data, top / "night1" / "*.fits", "--mode", "copy"])
    must(["ingest-refcat", data, "simulated", top / "stars.csv"])
    must(["process", data, "--id", "visit=21^22", "--output", work / "out"])
    shutil.copytree(work, top / "processed", symlinks=True)
    must(["skymap", "make", work / "out", "--discrete"])
    shutil.copytree(work, top / "mapped", symlinks=True)
    must(["coadd", work / "out", "--id", "filter=r"])
    shutil.copytree(work, top / "added", symlinks=True)
    must(["coadd-catalog", work / "out", "--id", "filter=r"])
    shutil.copytree(work, top / "measured", symlinks=True)


if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    for module in pkgutil.iter_modules(obs.cli.__path__):
        importlib.import_module(f"obs.cli.{module.name}")
    with pytest.MonkeyPatch.context() as patch, survey() as address:
        is_made = (top / "measured").is_dir()
        if is_made:
            patch.syspath_prepend(top / "site")
        else:
            shutil.rmtree(top, ignore_errors=True)
            top.mkdir(parents=True)
            killed_process.install_night(top / "site", patch)
        patch.setenv("OBS_CACHE", str(top / "work" / "cache"))
        if not is_made:
            prepare(top)
        scaffolded_night.install(top / "tiny", patch, must)
        if not (top / "cut").is_dir():
            scaffolded_night.prepare(top, must)
        work, out, night = top / "work", top / "work" / "out", top / "work" / "night"
        field = ["--from", f"gaia@{address}", "--ra", 150, "--dec", 2, "--radius", 0.2]
        commands = {
            "skymap": (["skymap", "make", out, "--discrete"], "processed"),
            "calibrate-visits": (["calibrate-visits", out], "processed"),
            "report": (["report", out], "processed"),
            "export": (["export", out, work / "exported", "--clobber"], "processed"),
            "refcat": (["refcat", "get", work / "data", *field, "--clobber"], "processed"),
            "coadd": (["coadd", out, "--id", "filter=r"], "mapped"),
            "coadd-catalog": (["coadd-catalog", out, "--id", "filter=r"], "added"),
            "forced": (["forced", out], "measured"),
            "difference": (["difference", out], "measured"),
            "calibs-build": (
                ["calibs", "build", "flat", night / "data", "-j", 1, "--calib-id", "calibDate=2020-09-20"],
                "night",
            ),
            "export-gen3": (["export-gen3", night / "processed", work / "gen3"], "night"),
            "verify-fix": (["verify", night / "processed", "--fix", "--yes"], "cut"),
        }
        for name in sys.argv[3:] or commands:
            words, start = commands[name]
            rng = random.Random(1)  # noqa: S311
            print(name, campaign(words, work, top / start, count, rng), flush=True)
