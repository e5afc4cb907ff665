"""Feed mutated FITS and text files to every command that reads them; each must end with a line, soon, in little memory.

python benchmarks/mutated_files.py FOLDER [FITS_FILES] [TEXT_FILES]
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
from pathlib import Path

import numpy as np
from astropy.io import fits

import obs.cli.check
import obs.cli.ingest
import obs.cli.new
import obs.cli.process
import obs.cli.process_file
import obs.cli.translate
import obs.repo.find_instrument
from obs.camera.load import load_camera
from obs.cli.main import main
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_NAMES
from obs.errors import ObsError
from obs.ingest.repository import make_repository
from obs.instrument.header_fixes import load_header_fixes
from obs.policy.policy import load_policy
from obs.repo.layout import open_repository
from obs.scaffold.answers import Answers, read_answers
from obs.tasks.process_config import ProcessConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ingest"))
toy_camera = importlib.import_module("toy_camera")

MOST_SECONDS, MOST_MEGABYTES = 20.0, 1000.0
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


def mutate_fits(data: bytes, rng: random.Random) -> bytes:
    """Cut, flip bits, or change cards."""
    kind = rng.choice(["cut", "flip", "card", "card", "card", "card", "remove", "twice"])
    if kind == "cut":
        return data[: rng.randrange(len(data))]
    changed = bytearray(data)
    if kind == "flip":
        for _ in range(rng.choice([1, 3, 30, 300])):
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    cards = [at for at in range(0, len(data) - 80, 80) if re.match(rb"[A-Z0-9-]{1,8} *= ", data[at : at + 80])]
    if not cards:
        return data[:-1]
    at = rng.choice(cards)
    if kind == "twice":
        return data[: at + 80] + data[at : at + 80] + data[at + 160 :]
    value = "" if kind == "remove" else rng.choice(NUMBERS + TEXTS)
    card = f"{data[at : at + 8].decode():8}= {value:>20}" if kind == "card" else ""
    changed[at : at + 80] = card.ljust(80)[:80].encode("latin-1")
    return bytes(changed)


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


def attempt(work: Callable[[], object]) -> tuple[str, float]:
    """Run something in a forked process, and return what was wrong, and its time, s."""
    read, write = os.pipe()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        said, fault = io.StringIO(), ""
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                work()
        except ObsError:
            pass
        except BaseException as error:  # noqa: BLE001 - any other is a fault
            fault = f"{type(error).__name__}: {error}"
        text = said.getvalue()
        if "Traceback" in text or "a fault of obs" in text:
            fault = text[-300:]
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
        if grown > MOST_MEGABYTES:
            fault = f"took {grown:.0f} MB"
        os.write(write, " ".join(fault.split()).encode()[:4000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        fault = answer.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return fault if status == 0 else f"ended with {status}", time.monotonic() - start


def fits_trials(folder: Path, path: Path, number: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the commands that read a FITS file; the slow ones for some files only."""
    yield "translate", lambda: main(["translate", "toy", str(path)])
    root = folder / "run" / "data"

    def ingest_and_process() -> None:
        make_repository(root, INSTRUMENT)
        if main(["ingest", str(root), str(path), "--mode", "copy"]) == 0:
            main(["process", str(root), "--id", "--rerun", "x", "-c", *ISR_ONLY])
        main(["verify", str(root)])

    yield "ingest, process, verify", ingest_and_process
    if number % 5 == 0:
        yield "new", lambda: main(["new", "mutant", "--no-input", "--from", str(path), "--output", str(folder / "run")])
    if number % 8 == 0:
        yield "process-file", lambda: main(["process-file", str(path), "--output", str(folder / "run" / "out")])


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


def report(name: str, found: tuple[str, float], tally: Counter[str], slowest: dict[str, float]) -> None:
    """Count a trial, and print what was wrong."""
    fault, seconds = found
    tally[name] += 1
    slowest[name] = max(slowest.get(name, 0.0), seconds)
    if fault:
        tally[f"{name}: faults"] += 1
        print(f"{name}: {fault}", flush=True)


if __name__ == "__main__":
    top = Path(sys.argv[1])
    n_fits, n_text = (
        int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((2, 1000), (3, 300))
    )
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    INSTRUMENT = toy_camera.make_instrument(top)
    for module in (obs.repo.find_instrument, obs.cli.ingest, obs.cli.translate, obs.cli.process):
        module.load_instrument = lambda name: INSTRUMENT
    rng, tally, slowest = random.Random(1), Counter(), {}  # noqa: S311
    bases = base_files()
    for number in range(n_fits):
        ending = rng.choice(list(bases))
        path = top / f"mutant.fits{ending}"
        path.write_bytes(mutate_fits(bases[ending], rng))
        for name, work in fits_trials(top, path, number):
            (top / "run").mkdir()
            report(name, attempt(work), tally, slowest)
            shutil.rmtree(top / "run")
        path.unlink()
    kinds = text_trials(top)
    for _ in range(n_text):
        name = rng.choice(list(kinds))
        path = top / name
        path.write_bytes(mutate_text(kinds[name][0], rng))
        (top / "run").mkdir()
        report(name, attempt(lambda name=name, path=path: kinds[name][1](path)), tally, slowest)
        shutil.rmtree(top / "run")
    for name in sorted(tally):
        print(f"{name}: {tally[name]}", f"slowest {slowest[name]:.1f} s" if name in slowest else "")
