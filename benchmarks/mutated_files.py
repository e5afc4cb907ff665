"""Feed mutated FITS and text files to every command that reads them; each must end with a line, soon, in little memory.

A FITS file that is processed without a word must give the pixels and the registered values of the file before it was
changed; where it does not, it is counted as silent.

python benchmarks/mutated_files.py FOLDER [FITS_FILES] [TEXT_FILES] [SEED]
"""

import contextlib
import gzip
import importlib
import io
import os
import random
import re
import resource
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits

from obs.camera.load import load_camera
from obs.cli.main import main
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_NAMES
from obs.errors import ObsError
from obs.instrument.header_fixes import load_header_fixes
from obs.policy.policy import load_policy
from obs.repo.layout import open_repository
from obs.repo.registry import Registry
from obs.scaffold.answers import Answers, read_answers
from obs.tasks.process_config import ProcessConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ingest"))
toy_camera = importlib.import_module("toy_camera")

MOST_SECONDS, MOST_MEGABYTES = 20.0, 1000.0
#: Seconds by the clock, and bytes of address space, after which a trial is stopped.
STOPPED_AFTER, ADDRESS_SPACE = 120, 8 << 30
NUMBERS = ["-1", "0", "1", "99999999999", str(2**63), "1E30", "1E400", "NaN", "3.7", "1" * 70, "0x10", "(1,2)"]
TEXTS = ["'text'", "T", "", "''", "'../../x'", "'a\\nb'"]
WORDS = [
    *("-1", "0", "1e400", ".nan", "null", "[]", "{}", "9" * 400, "true", "2020-13-45", "*x", "&a [*a]", "%(x)s"),
    *(
        "../../x",
        "a" * 5000,
        "1:30:00",
        "!!timestamp 2020",
        "!!python/name:os.system ''",
        "!!set {a}",
        "[" * 1000,
        "<<: 1",
    ),
]
ISR_ONLY = ["do_characterize=false", *(f"isr.do_{step}=false" for step in ("bias", "dark", "flat", "fringe", "defect"))]


def base_files() -> dict[str, bytes]:
    """Return a raw frame as plain, compressed and gzipped FITS."""
    noise = np.random.default_rng(1)
    pixels = noise.normal(1500, 20, (40, 56))
    pixels[:, 24:32] = noise.normal(1000, 3, (40, 8))
    header = fits.Header(toy_camera.HEADER)
    plain, packed = io.BytesIO(), io.BytesIO()
    fits.PrimaryHDU(pixels.astype(np.int16), header).writeto(plain, checksum=True)
    image = fits.CompImageHDU(pixels.astype(np.int16), header, compression_type="RICE_1")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(packed, checksum=True)
    return {"": plain.getvalue(), ".fz": packed.getvalue(), ".gz": gzip.compress(plain.getvalue(), 1)}


def mutate_fits(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Cut, flip bits, or change cards; return what was done, and the content."""
    kind = rng.choice(["cut", "flip", "card", "card", "card", "card", "remove", "twice"])
    if kind == "cut":
        place = rng.randrange(len(data))
        return f"cut at {place}", data[:place]
    changed = bytearray(data)
    cards = [at for at in range(0, len(data) - 80, 80) if re.match(rb"[A-Z0-9-]{1,8} *= ", data[at : at + 80])]
    if kind == "flip" or not cards:
        bits = rng.choice([1, 3, 30, 300])
        for _ in range(bits):
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return f"{bits} bits flipped", bytes(changed)
    at = rng.choice(cards)
    key = data[at : at + 8].decode()
    if kind == "twice":
        return f"{key} twice", data[: at + 80] + data[at : at + 80] + data[at + 160 :]
    value = "" if kind == "remove" else rng.choice(NUMBERS + TEXTS)
    card = f"{key:8}= {value:>20}" if kind == "card" else ""
    changed[at : at + 80] = card.ljust(80)[:80].encode("latin-1")
    return f"{key} {kind} {value}", bytes(changed)


def mutate_text(data: bytes, rng: random.Random) -> bytes:
    """Cut, flip bits, or change, repeat or remove lines."""
    kind = rng.choice(["cut", "flip", "value", "value", "value", "remove", "twice", "swap"])
    if kind == "cut":
        return data[: rng.randrange(len(data))]
    if kind == "flip":
        changed = bytearray(data)
        for _ in range(rng.choice([1, 5, 50])):
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    lines = data.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    if kind == "value":
        parts = re.split(rb"([:,=])", lines[at])
        parts[-1] = b" " + rng.choice(WORDS).encode()
        lines[at] = b"".join(parts)
    elif kind == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at : at + 1] = [] if kind == "remove" else [lines[at]] * 2
    return b"\n".join(lines)


def attempt(work: Callable[[], str]) -> tuple[str, float]:
    """Run something in a forked process, and return what was wrong, and its time, s."""
    read, write = os.pipe()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        os.write(write, " ".join(_limited(work).split()).encode()[:4000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        fault = answer.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return fault if status == 0 else f"ended with {status}", time.monotonic() - start


def _limited(work: Callable[[], str]) -> str:
    """Run something within the limits, and return what was wrong."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(STOPPED_AFTER)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said, fault = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            fault = work()
    except ObsError:
        pass
    except BaseException as error:  # noqa: BLE001 - any other is a fault
        fault = f"{type(error).__name__}: {error}"
    text = said.getvalue()
    if "Traceback" in text or "a fault of obs" in text:
        fault = text[-300:]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    return f"took {grown:.0f} MB" if grown > MOST_MEGABYTES else fault


def ingest_and_process(folder: Path, path: Path) -> tuple[object, list[str]]:
    """Return what a file gives (its registered rows and its pixels), and the lines that were said of it."""
    root, said = folder / "run" / "data", io.StringIO()
    shutil.copytree(folder / "empty", root)
    with contextlib.redirect_stderr(said):
        main(["ingest", str(root), str(path), "--mode", "copy"])
        registry = Registry(root / "registry.sqlite3")
        rows = registry.lookup(list(registry.columns(["raw"])), {}, ["raw"]) if registry.tables() else []
        if rows:
            main(["process", str(root), "--id", "--rerun", "x", "-c", *ISR_ONLY])
        main(["verify", str(root)])
    sys.stderr.write(said.getvalue())
    pixels = [
        (np.asarray(hdu.data).tobytes() if hdu.data is not None else b"")
        for image in (root / "rerun").rglob("postISRCCD/**/*.fits")
        for hdu in fits.open(image, memmap=False)
    ]
    lines = [re.sub(r"\d+\.\d s$", "", line) for line in said.getvalue().splitlines()]
    return (rows, pixels), lines


def fits_trials(folder: Path, path: Path, number: int, good: object) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield the commands that read a FITS file; the slow ones for some files only."""

    def command(*words: object) -> Callable[[], str]:
        return lambda: "" if main([str(word) for word in words]) in (0, 1) else "exit status is neither 0 nor 1"

    def compare() -> str:
        found, said = ingest_and_process(folder, path)
        is_silent = found != good[0] and found[0] and len(said) <= len(good[1])  # type: ignore[index]
        return f"SILENT {found[0]}" if is_silent else ""

    yield "translate", command("translate", "toy", path)
    yield "ingest, process, verify", compare
    if number % 5 == 0:
        yield "new", command("new", "mutant", "--no-input", "--from", path, "--output", folder / "run")
    if number % 8 == 0:
        yield "process-file", command("process-file", path, "--output", folder / "run" / "out")
    if number % 8 == 4:
        yield "doctor", command("doctor", "toy", path)


def text_trials(folder: Path) -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    """Return the kinds of text files, each with a good one and its reader."""
    plugin = folder / "plugin"

    def camera(name: str) -> Callable[[Path], object]:
        def read(path: Path) -> object:
            copy = folder / "run" / "camera"
            shutil.copytree(plugin / "camera", copy)
            shutil.copy(path, copy / name)
            return [(detector.name, detector.bbox) for detector in load_camera(copy)]

        return read

    def settings(path: Path) -> object:
        layers = ConfigLayers(ProcessConfig, PROCESS_NAMES)
        layers.load(str(path))
        return layers.build()

    def repository(path: Path) -> object:
        shutil.copy(path, folder / "run" / "obs.yaml")
        return open_repository(folder / "run")

    fixes = (
        b"- why: the wheel\n  dates: 2013-01-05..2013-01-12\n  set: {FILTER: r, EXPTIME: 30.0}\n  remove: [AIRMASS]\n"
    )
    answers = b"title: My camera\ndetectors: 2\namplifiers: 2\nwidth: 256\nfilters: [g, r]\ngain: 1.5\n"
    named = {
        name: (plugin / "camera" / name).read_bytes() for name in ("camera.yaml", "detectors.csv", "amplifiers.csv")
    }
    return {
        "policy.yaml": ((plugin / "policy.yaml").read_bytes(), load_policy),
        **{name: (text, camera(name)) for name, text in named.items()},
        "process.yaml": ((plugin / "config" / "process.yaml").read_bytes(), settings),
        "obs.yaml": (b"layout: 1\ncamera: toy\nparents: [../a, b]\n", repository),
        "fixes.yaml": (fixes, load_header_fixes),
        "answers.yaml": (answers, lambda path: Answers(**read_answers(path)[0])),
    }


class Tally:
    """Counts trials and faults, and prints each fault and, now and then, how far it is."""

    def __init__(self, trials: int) -> None:
        self.files, self.trials, self.start = 0, trials, time.monotonic()
        self.counts: Counter[str] = Counter()
        self.slowest: dict[str, float] = {}

    def add(self, name: str, found: tuple[str, float], what: str) -> None:
        """Count a trial, and print what was wrong."""
        fault, seconds = found
        self.counts[name] += 1
        self.slowest[name] = max(self.slowest.get(name, 0.0), seconds)
        if fault:
            self.counts[f"{name}: faults"] += 1
            print(f"{name}: {what}: {fault}", flush=True)

    def next_file(self) -> None:
        """Count a file."""
        self.files += 1
        if self.files % 50 == 0:
            minutes = (time.monotonic() - self.start) / 60
            print(f"{self.files} of {self.trials} files in {minutes:.1f} minutes", flush=True)

    def summary(self) -> Iterator[str]:
        """Yield a line for each kind of trial."""
        for name, count in sorted(self.counts.items()):
            yield f"{name}: {count}" + (f", slowest {self.slowest[name]:.1f} s" if name in self.slowest else "")


def install_camera(folder: Path) -> None:
    """Make the toy camera known by an entry point, as an installed package is."""
    toy_camera.make_instrument(folder)
    site = folder / "site"
    (site / "obs_toy-1.0.dist-info").mkdir(parents=True)
    (site / "obs_toy-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: obs-toy\nVersion: 1.0\n")
    (site / "obs_toy-1.0.dist-info" / "entry_points.txt").write_text("[obs.cameras]\ntoy = toy_entry:instrument\n")
    (site / "toy_entry.py").write_text(
        f"from pathlib import Path\nimport toy_camera\ninstrument = toy_camera.make_instrument(Path({str(folder)!r}))\n"
    )
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()


def try_fits_files(top: Path, number: int, rng: random.Random, tally: Tally) -> None:
    """Feed so many mutated FITS files to the commands."""
    bases = base_files()
    if main(["init", str(top / "empty"), "--camera", "toy"]):
        raise SystemExit("obs init failed")
    good = {}
    for ending, content in bases.items():
        path = top / f"mutant.fits{ending}"
        path.write_bytes(content)
        good[ending] = ingest_and_process(top, path)
        shutil.rmtree(top / "run")
    for count in range(number):
        ending = rng.choice(list(bases))
        path = top / f"mutant.fits{ending}"
        what, content = mutate_fits(bases[ending], rng)
        path.write_bytes(content)
        for name, work in fits_trials(top, path, count, good[ending]):
            (top / "run").mkdir()
            found = attempt(work)
            if found[0]:
                (top / "faults").mkdir(exist_ok=True)
                shutil.copy(path, top / "faults" / f"{count}.fits{ending}")
            tally.add(name, found, f"{count}{ending} {what}")
            shutil.rmtree(top / "run")
        path.unlink()
        tally.next_file()


def _read_text(read: Callable[[Path], object], path: Path) -> str:
    """Read a text file; what it gives is not looked at."""
    read(path)
    return ""


def try_text_files(top: Path, number: int, rng: random.Random, tally: Tally) -> None:
    """Feed so many mutated text files to their readers."""
    kinds = text_trials(top)
    for count in range(number):
        name = rng.choice(list(kinds))
        path = top / name
        path.write_bytes(mutate_text(kinds[name][0], rng))
        (top / "run").mkdir()
        found = attempt(partial(_read_text, kinds[name][1], path))
        if found[0]:
            (top / "faults").mkdir(exist_ok=True)
            shutil.copy(path, top / "faults" / f"{count}-{name}")
        tally.add(name, found, str(count))
        shutil.rmtree(top / "run")
        tally.next_file()


if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    n_fits, n_text, seed = (
        int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((2, 1000), (3, 300), (4, 1))
    )
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    install_camera(top)
    tally, rng = Tally(n_fits + n_text), random.Random(seed)  # noqa: S311
    try_fits_files(top, n_fits, rng, tally)
    try_text_files(top, n_text, rng, tally)
    print("\n".join(tally.summary()))
