"""Build calibration frames from good and bad mixtures of raw frames, and compare their noise with the ideal.

    python benchmarks/calibration_frames.py FOLDER [CASE ...]

Nothing of the simulator is used: raw frames of a small camera (320 x 256 pixels, gain 2, read noise 6 electrons, dark
current 0.5 ADU/s with hot pixels) are drawn with numpy, and its package is written by ``obs new`` from them. For each
case the table gives the 68th percentile of the difference between master and truth, over the noise of the best
weighted mean of the good frames; 1.00 is ideal, and 1.03 the bar. Then come the number of frames used, the
``noise/expected`` that the command prints, and the number of warnings.
"""

import argparse
import contextlib
import io
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.cli.main import main as obs_main

NY, NX, OVERSCAN, GAIN, READ_NOISE, BIASES = 256, 320, 16, 2.0, 6.0, 25
Y, X = np.mgrid[:NY, :NX]
START = np.datetime64("2026-03-01T20:00:00")


class Truth:
    """Bias (ADU), dark current (ADU/s) and response of the detector."""

    def __init__(self) -> None:
        random = np.random.default_rng(99)
        self.bias = 5 * np.sin(X / 40.0) + 3 * np.cos(Y / 30.0)
        self.hot = random.random((NY, NX)) < 0.002
        self.dark = 0.5 + 0.1 * Y / NY + np.where(self.hot, random.uniform(5, 60, (NY, NX)), 0.0)
        self.flat = (1 - 0.1 * ((X - 160) ** 2 + (Y - 128) ** 2) / 200**2) * (1 + 0.01 * random.normal(size=(NY, NX)))
        self.flat /= np.median(self.flat)


TRUTH = Truth()


def stars(shift: float) -> NDArray[np.float64]:
    """Return 45 stars, photons in ADU, all moved by so many pixels."""
    random, image = np.random.default_rng(5), np.zeros((NY, NX))
    for x, y, flux in zip(
        random.uniform(12, NX - 12, 45),
        random.uniform(12, NY - 12, 45),
        np.exp(random.uniform(8, 11.9, 45)),
        strict=True,
    ):
        image += flux * np.exp(-0.5 * ((X - x - shift) ** 2 + (Y - y + 0.7 * shift) ** 2) / 1.4**2) / (2 * np.pi * 1.96)
    return image


class Night:
    """Raw frames in a folder, and the noise that their best combination would have."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number, self.random = folder, 0, np.random.default_rng(7)
        self.inverse: list[NDArray[np.float64]] = []
        self.seconds: list[float] = []
        folder.mkdir(parents=True)

    def take(
        self,
        kind: str,
        seconds: float = 0.0,
        level: float = 0.0,
        *,
        good: bool = True,
        light: float | NDArray[np.float64] = 0.0,
        add: float | NDArray[np.float64] = 0.0,
        dark: float = 1.0,
        hits: int = 0,
        change: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
        read_noise: float = READ_NOISE,
        **cards: object,
    ) -> None:
        """Write a frame: ``level`` and ``light`` in ADU of photons, ``add`` in ADU that are none."""
        self.number += 1
        counts = TRUTH.dark * dark * seconds + (level * np.ones((NY, NX)) + light) * TRUTH.flat
        image = self.random.poisson(counts * GAIN) / GAIN + TRUTH.bias + add
        place = self.random.integers(0, NY, hits), self.random.integers(0, NX, hits)
        image[place] += self.random.uniform(100, 3000, hits)
        full = np.concatenate([image, np.zeros((NY, OVERSCAN))], axis=1) + 1000
        full += self.random.normal(0, read_noise / GAIN, full.shape)
        full = full if change is None else change(full)
        time_of_day = str(START + np.timedelta64(60 * self.number, "s"))
        header = fits.Header()
        header["INSTRUME"], header["IMAGETYP"], header["EXPTIME"] = "BENCH", kind, float(seconds)
        header["FILTER"], header["DATE-OBS"], header["EXPID"], header["OBJECT"] = "R", time_of_day, self.number, kind
        header["RA"], header["DEC"], header["PIXSCALE"], header["CCD-TEMP"] = 150.0, 2.0, 0.6, -20.0
        header["GAIN"], header["RDNOISE"] = GAIN, READ_NOISE
        header["DATASEC"], header["BIASSEC"] = f"[1:{NX},1:{NY}]", f"[{NX + 1}:{NX + OVERSCAN},1:{NY}]"
        for card, value in cards.items():
            header[card.replace("_", "-")] = value
        pixels = np.clip(np.round(full), 0, 65535).astype(np.uint16)
        fits.writeto(self.folder / f"{kind.lower()}-{self.number:04d}.fits", pixels, header)
        if good:
            noise = counts / GAIN + (read_noise / GAIN) ** 2 + 1 / 12
            scale = {"BIAS": 1.0, "DARK": seconds, "FLAT": level}[kind]
            self.inverse.append(scale**2 / noise)
            self.seconds.append(seconds)

    def start(self, kind: str) -> None:
        """Take the biases that darks and flats need; they do not count."""
        if kind != "BIAS":
            for _ in range(BIASES):
                self.take("BIAS")
            self.inverse, self.seconds = [], []

    def ideal(self, kind: str) -> NDArray[np.float64]:
        """Return the noise of the best weighted mean, the noise of the bias frame included."""
        total = np.sum(self.inverse, axis=0)
        if kind != "DARK":
            return np.sqrt(1 / total)
        weights = np.array([np.median(part) for part in self.inverse])
        share = np.sum(weights / np.array(self.seconds)) / np.sum(weights)
        return np.sqrt(1 / total + (share * READ_NOISE / GAIN) ** 2 / BIASES)


def run(*words: object) -> tuple[int, str]:
    """Run `obs`, and return its status and all that it says."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = obs_main([str(word) for word in words])
    return status, said.getvalue()


CASES: dict[str, tuple[str, Callable[[Night], None]]] = {}


def case(kind: str, name: str) -> Callable[[Callable[[Night], None]], Callable[[Night], None]]:
    """Enter a case in the table."""

    def enter(take: Callable[[Night], None]) -> Callable[[Night], None]:
        CASES[name] = kind, take
        return take

    return enter


def biases(*bad: dict[str, object], n: int = 5, **common: object) -> Callable[[Night], None]:
    """Return what takes good biases, and then bad ones."""

    def take(night: Night) -> None:
        for _ in range(n):
            night.take("BIAS", **common)  # type: ignore[arg-type]
        for settings in bad:
            night.take("BIAS", good=False, **settings)  # type: ignore[arg-type]

    return take


def darks(*times: float, bad: tuple[dict[str, object], ...] = (), hits: int = 20) -> Callable[[Night], None]:
    """Return what takes darks of some exposure times, and then bad ones."""

    def take(night: Night) -> None:
        for seconds in times:
            night.take("DARK", seconds, hits=hits)
        for settings in bad:
            night.take("DARK", good=False, **({"seconds": times[0]} | settings))  # type: ignore[arg-type]

    return take


def flats(*levels: float, bad: tuple[dict[str, object], ...] = (), sky: bool = False) -> Callable[[Night], None]:
    """Return what takes flats of some levels, with stars that move where they show the sky, and then bad ones."""

    def take(night: Night) -> None:
        for number, level in enumerate(levels):
            night.take("FLAT", 2 + 3 * number, level, light=stars(9.0 * number) if sky else 0.0)
        for settings in bad:
            night.take("FLAT", good=False, **({"seconds": 2.0, "level": levels[0]} | settings))  # type: ignore[arg-type]

    return take


def warming(night: Night) -> None:
    """Take biases with a slope that grows from frame to frame."""
    for number in range(7):
        night.take("BIAS", add=2.0 * number * (1 - Y / NY))


def shift(full: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move the pixels, not the overscan, by a column."""
    return np.concatenate([np.roll(full[:, :NX], 1, axis=1), full[:, NX:]], axis=1)


RAMP = np.linspace(0, 1, NX)[None, :]
WINDOW = {"DATASEC": f"[1:{NX},1:200]", "BIASSEC": f"[{NX + 1}:{NX + OVERSCAN},1:200]"}
GLOW = np.exp(-((X - 10) ** 2 + (Y - 250) ** 2) / 40.0**2)
RING = np.abs(np.hypot(X - 200, Y - 90) - 12) < 4
LEAK: dict[str, object] = {"light": np.where(X > 160, 300.0, 20.0)}
for text, kind, taken in (
    ("5 biases", "BIAS", biases()),
    ("light in 1 of 5", "BIAS", biases(LEAK, n=4)),
    ("light in 3 of 5", "BIAS", biases(LEAK, LEAK, LEAK, n=2)),
    ("1 of 5 with an offset of 30 ADU", "BIAS", biases({"add": 30.0}, n=4)),
    ("1 of 5 with a step of 4 ADU", "BIAS", biases({"add": 4.0 * (Y > 100)}, n=4)),
    ("1 of 5 with banding", "BIAS", biases({"add": 6.0 * np.sin(X / 3.0)}, n=4)),
    ("1 of 5 with twice the noise", "BIAS", biases({"read_noise": 12.0}, n=4)),
    ("1 of 5 of another gain setting", "BIAS", biases({"GAIN": 0.5, "read_noise": 20.0}, n=4)),
    ("1 of 5 empty", "BIAS", biases({"change": np.zeros_like}, n=4)),
    ("2, with cosmic rays", "BIAS", biases(n=2, hits=40)),
    ("2, one with light", "BIAS", biases(LEAK, n=1)),
    ("1 bias", "BIAS", biases(n=1)),
    ("7 that warm up", "BIAS", warming),
    ("1 of 5 of another window", "BIAS", biases({"change": lambda full: full[:200]} | WINDOW, n=4)),
    ("1 of 5 is a dark", "BIAS", biases({"add": 60 * TRUTH.dark}, n=4)),
    ("1 of 5 with low bits lost", "BIAS", biases({"change": lambda full: np.round(full).astype(int) & ~7}, n=4)),
    ("5 x 300 s", "DARK", darks(*(300.0,) * 5)),
    ("1 s, 5 x 300 s", "DARK", darks(1.0, *(300.0,) * 5)),
    ("3 x 30 s, 3 x 300 s", "DARK", darks(*(30.0,) * 3, *(300.0,) * 3)),
    ("10, 30, 120, 300, 600 s", "DARK", darks(10, 30, 120, 300, 600)),
    ("5 x 60 s, 600 s", "DARK", darks(*(60.0,) * 5, 600.0)),
    ("1, 1, 1, 600 s", "DARK", darks(1, 1, 1, 600)),
    ("2 x 120 s", "DARK", darks(120, 120)),
    ("light in 1 of 5", "DARK", darks(*(120.0,) * 4, bad=({"light": 30 * RAMP},))),
    ("2 of 5 at 0 C", "DARK", darks(*(120.0,) * 3, bad=({"dark": 10.0, "CCD_TEMP": 0.0},) * 2)),
    ("1 of 5 at 0 C, not in the header", "DARK", darks(*(120.0,) * 4, bad=({"dark": 10.0},))),
    ("1 of 5 with glow of the shutter", "DARK", darks(*(120.0,) * 4, bad=({"light": 60 * GLOW},))),
    ("1 of 5 moved by a column", "DARK", darks(*(120.0,) * 4, bad=({"change": shift},))),
    ("1 of 5 of 40 s, said to be of 120 s", "DARK", darks(*(120.0,) * 4, bad=({"add": -80 * TRUTH.dark},))),
    ("5 x 20,000 ADU", "FLAT", flats(*(20000.0,) * 5)),
    ("40,000 falling to 4,000, stars", "FLAT", flats(40000, 25000, 15000, 8000, 4000, sky=True)),
    ("300 rising to 30,000, stars", "FLAT", flats(300, 1000, 3000, 10000, 30000, sky=True)),
    ("40,000 and 400", "FLAT", flats(40000, 400)),
    ("1 of 5 of another filter", "FLAT", flats(*(20000.0,) * 4, bad=({"light": 2000 * RAMP},))),
    (
        "1 of 5 with a cloud",
        "FLAT",
        flats(*(20000.0,) * 4, bad=({"light": -3000.0 * np.exp(-(((X - 90) / 60) ** 2))},)),
    ),
    ("1 of 5 saturated, 1 without light", "FLAT", flats(*(20000.0,) * 3, bad=({"level": 1.2e5}, {"level": 0.0}))),
    ("1 of 5 half saturated", "FLAT", flats(*(20000.0,) * 4, bad=({"level": 64500.0},))),
    ("20 ADU among 20,000", "FLAT", flats(*(20000.0,) * 4, 20.0)),
    ("1 of 5 moved by a column", "FLAT", flats(*(20000.0,) * 4, bad=({"change": shift},))),
    ("1 of 5 with dust that moved", "FLAT", flats(*(20000.0,) * 4, bad=({"light": -1500.0 * RING},))),
    ("3 of 6 of another filter", "FLAT", flats(*(20000.0,) * 3, bad=({"light": 1500 * RAMP},) * 3)),
):
    case(kind, f"{kind.lower()}: {text}")(taken)


def install(folder: Path) -> None:
    """Write the package of the camera, and make it known to this process."""
    night = Night(folder / "samples")
    for kind, seconds, level in (("BIAS", 0.0, 0.0), ("DARK", 120.0, 0.0), ("FLAT", 5.0, 20000.0)):
        for _ in range(2):
            night.take(kind, seconds, level)
    with contextlib.chdir(folder):
        status, said = run("new", "bench", "--from", *sorted(night.folder.glob("*.fits")), "--no-input")
    if status:
        raise SystemExit(said)
    site = folder / "site"
    shutil.copytree(folder / "obs_bench" / "obs_bench", site / "obs_bench")
    facts = site / "obs_bench-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: obs-bench\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[obs.cameras]\nbench = obs_bench:instrument\n")
    sys.path.insert(0, str(site))


def measure(folder: Path, kind: str, take: Callable[[Night], None]) -> list[str]:
    """Build the master of a case; return noise over ideal, frames, noise/expected, warnings and seconds."""
    night, name = Night(folder / "raw"), kind.lower()
    night.start(kind)
    take(night)
    repository = folder / "data"
    run("init", repository, "--camera", "bench")
    run("ingest", repository, *sorted((folder / "raw").glob("*.fits")))
    off = ("-c", "isr.do_dark=false") if kind == "FLAT" else ()
    for before in ("bias",) * (kind != "BIAS"):
        run("calibs", "build", before, repository)
    began = time.process_time()
    status, said = run("calibs", "build", name, repository, *off)
    seconds = f"{time.process_time() - began:.1f}"
    warnings = str(len(re.findall("WARNING", said)))
    if status:
        return ["error", "-", "-", warnings, seconds]
    path = next((repository / "CALIB" / name).rglob("*.fits"))
    with fits.open(path) as hdus:
        image = hdus[1].data.astype(float)
    ideal, truth = night.ideal(kind), {"BIAS": TRUTH.bias, "DARK": TRUTH.dark, "FLAT": TRUTH.flat}[kind]
    if kind == "FLAT":
        image /= np.median(image / truth)
    ratio = np.percentile(np.abs(image - truth)[~TRUTH.hot] / ideal[~TRUTH.hot], 68.27)
    row = re.search(r"calibDate=\S+ +(\d+) +\d+ +(\S+) ", said)
    return [f"{ratio:.2f}", *(row.groups() if row else ("-", "-")), warnings, seconds]


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*", help="Parts of the names of cases; all without any.")
    options = parser.parse_args()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    install(folder)
    print("| case | noise over ideal | frames | noise/expected | warnings | seconds |\n|---|---|---|---|---|---|")
    for number, (name, (kind, take)) in enumerate(CASES.items()):
        if not options.cases or any(word in name for word in options.cases):
            print(f"| {name} | {' | '.join(measure(folder / str(number), kind, take))} |", flush=True)


if __name__ == "__main__":
    main()
