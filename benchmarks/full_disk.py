"""Let the disk be full, limited, read-only or someone else's while commands write; each must end with one clear line.

A file system in memory (needs root on Linux) takes the place of the results, smaller than what a command needs.
Then it is made larger, and the command runs again: results must be those of a run that nobody disturbed.

python benchmarks/full_disk.py FOLDER [NUMBER] [full|files|read-only|nobody] [COMMAND...]
"""

import ctypes
import importlib
import os
import pkgutil
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import obs.cli
from obs.cli.main import main
from obs.repo.leftovers import find_leftovers

sys.path[:0] = [str(Path(__file__).parent)]
killed = importlib.import_module("killed_commands")
killed_process = importlib.import_module("killed_process")
scaffolded_night = importlib.import_module("scaffolded_night")

#: What the system says, by what was done to the disk.
REASONS = {
    "full": r"No space left|not enough space|disk is full|Not enough space",
    "files": r"File too large|disk I/O error",
    "read-only": r"Read-only|read-only|readonly",
    "nobody": r"[Pp]ermission|may not|readonly|read-only|not writable",
}
_FAULTS = re.compile(r"Traceback|a fault of obs|unexpected")
#: What grows while a command runs, and files that hold the time.
_GROWS = re.compile(r"(^|/)(logs|config)/|sqlite3|\.html$|report\.|\.yaml$")
#: What is named anew each time: rows of a third-generation repository.
_NUMBERED = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_NEW_EACH_TIME = re.compile(r"gen3\.sqlite3|butler\.yaml|\.parq|\.pdf$|\.svg$|\.png$|\.csv$|/dump")
#: What each run adds, under its own name.
_OF_RUNS = re.compile(r"(^|/)logs/|report\.")
_BIG = 4 << 30
_NOBODY = 65534


@contextmanager
def in_memory(work: Path) -> Iterator[None]:
    """Mount a file system in memory."""
    work.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_BIG}", "tmpfs", work], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", work], check=True)


def remount(work: Path, options: str) -> None:
    """Change what the file system allows."""
    subprocess.run(["mount", "-o", f"remount,{options}", work], check=True)


def give_up_rights() -> None:
    """Let this process and those that it starts read every file, and write to its own user's alone."""
    library = ctypes.CDLL(None, use_errno=True)
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    library.capget(header, data)
    for right in (1, 3):  # CAP_DAC_OVERRIDE and CAP_FOWNER
        library.prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP
        for at in (0, 1, 2):
            data[at] &= ~(1 << right)
    if library.capset(header, data):
        raise OSError(ctypes.get_errno(), "cannot give up rights")


def used(work: Path) -> int:
    """Return the bytes that a file system holds."""
    found = os.statvfs(work)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def call(words: Sequence[object], said: Path, prepare: Callable[[], None], output: Path | None) -> int:
    """Run a command in a forked process, and return its exit status; its messages go to a file."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666), 2)
            try:
                os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT, 0o666) if output else 2, 1)
            except OSError:
                os._exit(2)  # the shell has said it
            prepare()
            status = main([str(word) for word in words])
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - it is told as a fault
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def state(work: Path) -> dict[str, str]:
    """Return the files with digests of their content; of those that are new each time the names alone."""
    return {
        _NUMBERED.sub("ID", name): "" if _NEW_EACH_TIME.search(name) else digest
        for name, digest in killed.state(work).items()
        if not _OF_RUNS.search(name)
    }


def trial(words: Sequence[object], work: Path, start: Path, number: int, how: str, output: Path | None) -> str:
    """Return what was wrong in so many runs, and the last message."""
    said = work.parent / "said.txt"
    said.touch()
    said.chmod(0o666)

    def reset() -> None:
        remount(work, f"rw,size={_BIG}")
        for path in work.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.copytree(start, work, symlinks=True, dirs_exist_ok=True)

    reset()
    first, before = state(work), used(work)
    if call(words, said, lambda: None, output):
        return "does not run: " + said.read_text()[-300:]
    needed = max(used(work) - before, 0)
    good = state(work)
    largest = max(path.stat().st_size for path in work.rglob("*") if path.is_file())
    rng = random.Random(3)  # noqa: S311
    tally = dict.fromkeys(("runs", "refused", "fault", "not said", "half written", "leftover", "rerun", "differs"), 0)
    wrong = []
    for turn in range(number):
        reset()
        part = (turn + rng.random()) / number
        prepare: Callable[[], None] = lambda: None  # noqa: E731
        if how == "full":
            remount(work, f"size={before + int(needed * part) // 4096 * 4096}")
        elif how == "files":
            limit = int(min(largest, needed) * part**2)
            prepare = lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # type: ignore[misc]  # noqa: E731
        elif how == "read-only":
            remount(work, "ro")
        else:
            subprocess.run(["chown", "-Rh", str(_NOBODY), work], check=True)
            prepare = give_up_rights
        status = call(words, said, prepare, output)
        text = said.read_text(errors="replace")
        after = state(work)
        half = [
            name
            for name, digest in after.items()
            if digest and not _GROWS.search(name) and digest not in (good.get(name), first.get(name))
        ]
        left = find_leftovers(work)
        tally["runs"] += 1
        tally["refused"] += status != 0
        bad = bool(_FAULTS.search(text)) or status not in (0, 1, 2) or (status == 0 and after != good)
        tally["fault"] += bad
        unsaid = status != 0 and output is None and not re.search(REASONS[how], text)
        tally["not said"] += unsaid
        tally["half written"] += bool(half)
        tally["leftover"] += bool(left)
        remount(work, f"rw,size={_BIG}")
        again = call(words, said, lambda: None, output)
        found = state(work)
        different = [name for name in good.keys() | found.keys() if good.get(name) != found.get(name)]
        tally["rerun"] += again != 0
        tally["differs"] += bool(different)
        if bad or unsaid or half or left or again or different:
            after_words = said.read_text(errors="replace")[-300:] if again else ""
            wrong.append(
                f"    {part:.2f} status {status} half {half[:3]} left {left[:2]} rerun {again} {after_words!r}"
            )
            wrong.append(f"      differ {different[:4]}; said {text[-700:]!r}")
    line = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return "\n".join([str(tally), *wrong, f"    such as: {line[:300]}"])


def commands(top: Path) -> dict[str, tuple[list[object], str]]:
    """Return the commands that write, and the state that each begins with."""
    work = top / "work"
    out, data = work / "out", work / "data"
    one = ["--id", "visit=21"]
    night, package = work / "night", work / "obs_tiny"
    build = ["-j", 1, "--calib-id", "calibDate=2020-09-20"]
    star = ["--object", "150.0,2.0", "--clobber"]
    kinds = ("swarp", "scamp", "sextractor", "psfex", "ds9", "siril")
    return {
        "init": (["init", work / "data2", "--camera", "night"], "processed"),
        "ingest": (["ingest", work / "data2", top / "night1" / "*.fits", "--mode", "copy"], "registered"),
        "ingest-refcat": (["ingest-refcat", data, "again", top / "stars.csv"], "processed"),
        "calibs-build": (["calibs", "build", "bias", night / "data", *build], "night"),
        "calibs-build-flat": (["calibs", "build", "flat", night / "data", *build], "night"),
        "calibs-ingest": (
            ["calibs", "ingest", work / "other", work / "frames" / "*" / "*.fits", "--validity", 9],
            "night",
        ),
        "process-night": (
            ["process", night / "data", "--id", "visit=12", "-j", 2, "--output", work / "again"],
            "night",
        ),
        "export-gen3": (["export-gen3", night / "processed", work / "gen3"], "night"),
        "camera-adjust": (["camera", "adjust", night / "processed", "--write"], "night"),
        "lightcurve": (["lightcurve", night / "processed", *star, "-o", work / "curve.ecsv"], "night"),
        "lightcurve-plot": (["lightcurve", night / "processed", *star, "--plot", work / "curve.png"], "night"),
        "update": (["update", package], "night"),
        "verify-fix": (["verify", night / "data", "--fix", "--yes"], "damaged"),
        "verify-fix-results": (["verify", night / "processed", "--fix", "--yes"], "cut"),
        "demo": (["demo", "tiny", "--visits", 1, "-j", 1, "--output", work / "demo"], "night"),
        "process": (["process", data, *one, "--output", work / "again"], "processed"),
        "process-file": (["process-file", out / "calexp" / "visit-21.fits", "--output", work / "files"], "processed"),
        "skymap": (["skymap", "make", out, "--discrete"], "processed"),
        "calibrate-visits": (["calibrate-visits", out], "processed"),
        "report": (["report", out], "processed"),
        "export": (["export", out, work / "exported", "--clobber"], "processed"),
        **{
            f"export-{kind}": (["export", out, work / "exported", "--clobber", "--for", kind], "processed")
            for kind in kinds
        },
        "export-lsst": (["export-lsst", "night", "--output", work / "lsst"], "processed"),
        "display": (["display", out, "calexp", *one, "-o", work / "image.png"], "processed"),
        "display-regions": (
            ["display", out, "calexp", *one, "-o", work / "image.png", "--regions", work / "image.reg"],
            "processed",
        ),
        "get": (["get", out, "src", *one, "-o", work / "src.fits", "--clobber"], "processed"),
        "get-image": (["get", out, "calexp", *one, "-o", work / "image.fits", "--clobber"], "processed"),
        "query": (["query", out, "--format", "csv"], "processed"),
        "simulate": (["simulate", "night", "--type", "bias", "--output", work / "made"], "processed"),
        "new": (["new", "fresh", "--no-input", "--output", work], "processed"),
        "camera-show": (["camera", "show", "night", "-o", work / "camera.png"], "processed"),
        "camera-build": (["camera", "build", "night", "-o", work / "camera"], "processed"),
        "watch": (
            ["watch", work / "data2", top / "night1", "--settle", 0, "--idle", 1, *one],
            "registered",
        ),
        "forced": (["forced", out, "--table", top / "stars.csv"], "processed"),
        "coadd": (["coadd", out, "--id", "filter=r"], "mapped"),
        "coadd-catalog": (["coadd-catalog", out, "--id", "filter=r"], "added"),
        "difference": (["difference", out, *one], "measured"),
    }


if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for module in pkgutil.iter_modules(obs.cli.__path__):
        importlib.import_module(f"obs.cli.{module.name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBS_CACHE", str(top / "cache"))
        if (top / "measured").is_dir():
            patch.syspath_prepend(top / "site")
        else:
            shutil.rmtree(top, ignore_errors=True)
            top.mkdir(parents=True)
            killed_process.install_night(top / "site", patch)
            killed.prepare(top)
            shutil.rmtree(top / "work")
        scaffolded_night.install(top / "tiny", patch, killed.must)
        if not (top / "cut").is_dir():
            scaffolded_night.prepare(top, killed.must)
        if not (top / "registered").is_dir():
            (top / "registered").mkdir()
            killed.must(["init", top / "registered" / "data2", "--camera", "night"])
            killed.must(["ingest-refcat", top / "registered" / "data2", "simulated", top / "stars.csv"])
        with in_memory(top / "work"):
            for name in sys.argv[4:] or commands(top):
                words, start = commands(top)[name]
                for how in [sys.argv[3]] if len(sys.argv) > 3 else REASONS:
                    output = top / "work" / "out.csv" if name == "query" else None
                    times = count if how in ("full", "files") else 1
                    print(name, how, trial(words, top / "work", top / start, times, how, output), flush=True)
