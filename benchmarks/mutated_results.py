"""Change one of the files that a command reads, in a repository with results, and run the command; for every command.

What a command reads is noted in a run on files as they were. A run must end with a line, soon, in little memory; what
it writes must be what it wrote then, or it must have said something. Differences without a word are printed as SILENT;
of settings and tables that people write they may be right.

python benchmarks/mutated_results.py FOLDER [TRIALS] [SEED] [COMMAND...]
"""

import contextlib
import importlib
import io
import os
import pkgutil
import random
import re
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

import obs.cli
from obs.cli.main import main
from obs.frozen import frozen

sys.path[:0] = [str(Path(__file__).parent)]
killed = importlib.import_module("killed_commands")
killed_process = importlib.import_module("killed_process")
mutated_files = importlib.import_module("mutated_files")
mutate = importlib.import_module("mutated_readers").mutate
scaffolded_night = importlib.import_module("scaffolded_night")

#: What holds the time, and what is named or numbered anew each time.
_NEW_EACH_TIME = re.compile(
    r"(^|/)(logs|gen3|config|made_with)/|\.(html|js|json|txt|pdf|svg|png|sqlite3|yaml)$|journal$|(^|/)\."
)
#: Lines that tell of something.
_WORD = re.compile(r"warning|error|fail|damaged|differ|missing|not |cannot|ignored|without|left out", re.IGNORECASE)


@frozen
class Outcome:
    """What a command did.

    Parameters
    ----------
    status : int
        Exit status.
    lines : list of str
        What it printed, without numbers.
    files : dict
        Digests of what it wrote.
    """

    status: int
    lines: list[str]
    files: dict[str, str]


def reset(top: Path) -> None:
    """Make the folder "work" what it was; images are shared, as commands replace them."""
    shutil.rmtree(top / "work", ignore_errors=True)

    def copy(source: str, target: str) -> None:
        os.link(source, target) if source.endswith((".fits", ".fz")) else shutil.copy2(source, target)

    shutil.copytree(top / "whole", top / "work", symlinks=True, copy_function=copy)


def written(top: Path, changed: str) -> dict[str, str]:
    """Return digests of the images and tables that are not those of the beginning, but for the one that was changed."""
    found = {}
    for path in sorted((top / "work").rglob("*")):
        name = str(path.relative_to(top / "work"))
        if name == changed or _NEW_EACH_TIME.search(name) or not path.is_file() or path.is_symlink():
            continue
        first = top / "whole" / name
        if not first.is_file() or path.stat().st_mtime_ns != first.stat().st_mtime_ns:
            found[name] = killed_process.content(path)
    return found


def run(top: Path, words: Sequence[object], changed: str = "") -> Outcome:
    """Run a command in this process."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main([str(word) for word in words])
    sys.stderr.write(said.getvalue())
    lines = [re.sub(r"[\d.]+|0x\w+", "#", line) for line in said.getvalue().splitlines()]
    return Outcome(status, lines, written(top, changed))


def note_files(top: Path, words: Sequence[object]) -> tuple[list[Path], Outcome]:
    """Return the files of the folder "work" that a command reads, and what it does."""
    read, write = os.pipe()
    work = str(top / "work") + os.sep
    reset(top)
    pid = os.fork()
    if pid == 0:
        opened = set()

        def note(event: str, arguments: tuple[object, ...]) -> None:
            if event in ("open", "sqlite3.connect") and isinstance(arguments[0], str | os.PathLike):
                opened.add(re.sub(r"^file:|\?.*", "", os.fspath(arguments[0])))

        sys.addaudithook(note)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        found = run(top, words)
        kept = [os.path.realpath(name) for name in opened if name.startswith(work)]
        with os.fdopen(write, "w") as answer:
            answer.write(repr((kept, found.status, found.lines, found.files)))
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        names, *found = eval(answer.read())  # noqa: S307 - it is our own
    os.waitpid(pid, 0)
    names = {str(Path(name).relative_to(top / "work")) for name in names if name.startswith(work)}
    return sorted(Path(name) for name in names if (top / "whole" / name).is_file()), Outcome(*found)


def trial(top: Path, words: Sequence[object], good: Outcome, changed: str) -> str:
    """Run a command, and return what was wrong."""
    found = run(top, words, changed)
    if found.status not in (0, 1, 2):
        return f"exit status {found.status}"
    more = [line for line in found.lines if line not in good.lines and _WORD.search(line)]
    names = (good.files.keys() | found.files.keys()) - {changed}
    different = [name for name in names if good.files.get(name) != found.files.get(name)]
    if found.status == good.status and different and not more:
        return f"SILENT {sorted(different)[:3]} {[line for line in found.lines if line not in good.lines][:3]}"
    return ""


def commands(top: Path) -> dict[str, list[object]]:
    """Return the commands that read something."""
    work = top / "work"
    night = work / "night"
    data, out, package = night / "data", night / "processed", work / "obs_tiny"
    one, field = ["--id", "visit=12", "ccd=0"], ["--id", "filter=r"]
    star = ["--object", "150.0,2.0", "--clobber"]
    date = ["-j", 1, "--calib-id", "calibDate=2020-09-20"]
    copy = ["--mode", "copy", "--validity"]
    programs = ("swarp", "scamp", "sextractor", "psfex", "ds9", "siril")
    return {
        "ls": ["ls", out],
        "ls raw": ["ls", data, "raw"],
        "info": ["info", out],
        "where": ["where", out, "150.0,2.0"],
        "get src": ["get", out, "src", *one, "-o", work / "src.fits"],
        "get calexp": ["get", out, "calexp", *one, "-o", work / "image.fits"],
        "query": ["query", out, "--format", "csv"],
        "log": ["log", out],
        "provenance": ["provenance", out, "calexp", *one],
        "diff-config": ["diff-config", out, out],
        "verify": ["verify", out],
        "verify data": ["verify", data],
        "verify --fix": ["verify", out, "--fix", "--yes"],
        "report": ["report", out],
        "export": ["export", out, work / "exported"],
        **{f"export {name}": ["export", out, work / "exported", "--for", name] for name in programs},
        "export-gen3": ["export-gen3", out, work / "gen3"],
        "display": ["display", out, "calexp", *one, "-o", work / "image.png"],
        "skymap": ["skymap", "make", out, "--discrete"],
        "calibrate-visits": ["calibrate-visits", out, *field],
        "coadd": ["coadd", out, *field],
        "coadd-catalog": ["coadd-catalog", out, *field],
        "forced": ["forced", out, "-j", 1, *one],
        "difference": ["difference", out, *one],
        "lightcurve": ["lightcurve", out, *star, "-o", work / "curve.ecsv"],
        "lightcurve --table": [
            *("lightcurve", out, "--object", "a", "--table", work / "targets.csv"),
            *("--clobber", "-o", work / "curve.ecsv"),
        ],
        "forced --table": ["forced", out, "-j", 1, *one, "--table", work / "targets.csv"],
        "process": ["process", data, *one, "--output", work / "again"],
        "process --skip-existing": ["process", data, "--id", "visit=12..13", "--skip-existing", "--output", out],
        "process @file": ["process", f"@{work / 'words.txt'}"],
        "process-file": ["process-file", night / "raw" / "tiny-0000012-000.fits.fz", "--output", work / "files"],
        "calibs list": ["calibs", "list", data],
        "calibs build": ["calibs", "build", "bias", data, *date],
        "calibs build flat": ["calibs", "build", "flat", data, *date],
        "calibs ingest": ["calibs", "ingest", work / "other", work / "frames" / "*" / "*.fits", *copy, 9],
        "calibs defects": ["calibs", "defects", work / "other", work / "defects"],
        "ingest": ["ingest", work / "other", night / "raw" / "*0000012*", "--mode", "copy"],
        "ingest-refcat": ["ingest-refcat", work / "other", "stars", night / "raw" / "reference.fits"],
        "watch": ["watch", work / "other", work / "incoming", "--settle", 0, "--idle", 0.1, *one],
        "translate": ["translate", "tiny", night / "raw" / "tiny-0000012-000.fits.fz"],
        "doctor": ["doctor", "tiny", night / "raw" / "tiny-0000012-000.fits.fz"],
        "camera adjust": ["camera", "adjust", out],
        "check": ["check", "tiny"],
        "update": ["update", package],
        "new": ["new", "second", "--no-input", "--from", night / "raw" / "tiny-0000012-000.fits.fz", "--output", work],
    }


def prepare(top: Path) -> None:
    """Make a night of two exposures with a coadd, its catalog, and files that people write."""
    work = top / "work"
    scaffolded_night.prepare(top, killed.must)
    for name in ("damaged", "cut"):
        shutil.rmtree(top / name)
    (top / "night").rename(work)
    out, field = work / "night" / "processed", ["--id", "filter=r"]
    killed.must(["skymap", "make", out, "--discrete"])
    killed.must(["calibrate-visits", out, *field])
    killed.must(["coadd", out, *field])
    killed.must(["coadd-catalog", out, *field])
    (work / "targets.csv").write_text("id,name,ra,dec\n1,a,150.0,2.0\n2,b,150.01,2.01\n3,c,149.99,1.99\n")
    words = ["#", "which", "\n", work / "night" / "data", "--id", "visit=12", "--output", work / "again"]
    (work / "words.txt").write_text(" ".join(map(str, words)) + "\n")
    (work / "defects" / "0").mkdir(parents=True)
    table = "# %ECSV 1.0\n# ---\n# datatype:\n"
    table += "".join(f"# - {{name: {name}, datatype: int64}}\n" for name in ("x0", "y0", "width", "height"))
    (work / "defects" / "0" / "20200101T000000.ecsv").write_text(f"{table}x0 y0 width height\n3 4 10 1\n20 30 1 40\n")
    (work / "incoming").mkdir()
    for name in ("tiny-0000012-000.fits.fz", "tiny-0000013-000.fits.fz"):
        shutil.copy(work / "night" / "raw" / name, work / "incoming")
    shutil.copytree(work, top / "whole", symlinks=True)


if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    number, seed = (int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((2, 500), (3, 1)))
    for module in pkgutil.iter_modules(obs.cli.__path__):
        importlib.import_module(f"obs.cli.{module.name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBS_CACHE", str(top / "cache"))
        is_made = (top / "whole").is_dir()
        if not is_made:
            shutil.rmtree(top, ignore_errors=True)
        scaffolded_night.install(top / "tiny", patch, killed.must)
        if not is_made:
            prepare(top)
        rng = random.Random(seed)  # noqa: S311
        tally = mutated_files.Tally(number)
        noted: dict[str, tuple[list[Path], Outcome]] = {}
        known = {name: words for name, words in commands(top).items() if not sys.argv[4:] or name in sys.argv[4:]}
        names = list(known)
        for count in range(number):
            name = names[count % len(names)]
            if name not in noted:
                noted[name] = note_files(top, known[name])
                files, good = noted[name]
                print(f"{name}: reads {len(files)} files, status {good.status}, writes {len(good.files)}", flush=True)
            files, good = noted[name]
            if not files:
                continue
            chosen = rng.choice(files)
            what, changed = mutate((top / "whole" / chosen).read_bytes(), rng)
            reset(top)
            (top / "work" / chosen).unlink()
            (top / "work" / chosen).write_bytes(changed)
            found = mutated_files.attempt(partial(trial, top, known[name], good, str(chosen)))
            if found[0]:
                (top / "faults").mkdir(exist_ok=True)
                (top / "faults" / f"{seed}-{count}-{chosen.name}").write_bytes(changed)
            tally.add(name, found, f"{seed}-{count} {chosen} {what}")
            tally.next_file()
        print("\n".join(tally.summary()))
