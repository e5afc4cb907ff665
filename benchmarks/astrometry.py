"""Solve random fields whose WCS is wrong in every way at once, and count those that are solved wrongly.

    python benchmarks/astrometry.py --fields 1000 --other-sky 200 -j 2
    python benchmarks/astrometry.py --only-random --fields 100 --first 40000 --other-sky 0    # other fields
    python benchmarks/astrometry.py --only-random --resume fields.jsonl    # goes on where it was stopped

Each field has lists of sources and of reference stars, no pixels. The distortion is applied by formulas of its own.
`obs.tasks.astrometry.solve_astrometry` gets them with its default settings, and the WCS that it returns is compared
with the truth at 225 positions on the frame. Then the same lists go to astroalign, if it is installed.
"""

import argparse
import importlib
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs
from obs.tasks.astrometry import solve_astrometry
from obs.tasks.astrometry_config import AstrometryConfig
from obs.tasks.reference import ReferenceConfig

SHAPES = [(1361, 2048), (1024, 1024), (4096, 2048), (3000, 4500), (4176, 2048)]
Float = NDArray[np.float64]

FLAGS = ["detect_isPrimary", "base_SdssCentroid_flag", "base_PsfFlux_flag"]
FLAGS += [f"base_PixelFlags_flag_{name}" for name in ("edge", "saturated", "interpolatedCenter", "crCenter", "bad")]
WRONG = 2.0  # pixels; a WCS that is off by more anywhere on the frame is wrong
FRAMES = 7  # the reference catalog is so many frames wide and high


@dataclass(frozen=True)
class Case:
    """What is wrong in a field; None is drawn at random."""

    seed: int
    n_star: int | None = None
    rotation: float | None = None
    scale: float | None = None
    offset: tuple[float, float] | None = None  # frames
    mirrored: bool | None = None
    distortion: float | None = None  # at the corner
    spurious: float | None = None  # fraction of the sources that are not reference stars
    missing: float | None = None  # fraction of the stars that either list lacks
    shape: tuple[int, int] | None = None
    other_sky: bool = False


@dataclass
class Field:
    """Lists, the WCS that a header would have, and the truth."""

    shape: tuple[int, int]
    x: Float
    y: Float
    flux: Float
    ra: Float
    dec: Float
    ref_flux: Float
    wcs: TanSipWcs
    truth: TanSipWcs
    axis: Float
    distortion: float

    def distort(self, x: Float, y: Float) -> tuple[Float, Float]:
        """Return the places without distortion of pixels."""
        u, v = x - self.axis[0], y - self.axis[1]
        factor = 1 + self.distortion * (u**2 + v**2) / np.hypot(self.shape[1] / 2, self.shape[0] / 2) ** 2
        return self.axis[0] + u * factor, self.axis[1] + v * factor

    def error(self, wcs: TanSipWcs) -> float:
        """Return the largest error of a WCS on the frame, pixels."""
        x, y = np.meshgrid(*(np.linspace(0, size - 1, 15) for size in self.shape[::-1]))
        ra, dec = wcs.pixel_to_sky(x=x, y=y)
        there, right = self.truth.sky_to_pixel(ra=ra, dec=dec), self.distort(x, y)
        distance = np.hypot(there[0] - right[0], there[1] - right[1])
        return float(np.nan_to_num(distance, nan=np.inf).max())


def turn(cd: Float, degrees: float) -> Float:
    """Turn the sky of a frame."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.array([[cosine, sine], [-sine, cosine]]) @ cd


def make_field(case: Case) -> Field:
    """Draw a field."""
    rng = np.random.default_rng(case.seed)

    def pick(value: object, draw: Callable[[], object]) -> Any:  # noqa: ANN401 - any of the values of a case
        drawn = draw()  # always, so that other draws do not depend on what is fixed
        return drawn if value is None else value

    shape = pick(case.shape, lambda: SHAPES[rng.integers(len(SHAPES))])
    n_star = pick(case.n_star, lambda: int(10 ** rng.uniform(np.log10(20), np.log10(2000))))
    rotation = pick(case.rotation, lambda: rng.uniform(-180, 180))
    scale = pick(case.scale, lambda: rng.uniform(1 / 1.19, 1.19))
    offset = pick(case.offset, lambda: tuple(rng.uniform(-2, 2, 2)))
    mirrored = pick(case.mirrored, lambda: rng.uniform() < 0.3)
    distortion = pick(case.distortion, lambda: rng.uniform(-0.1, 0.1))
    spurious = pick(case.spurious, lambda: rng.uniform(0, 0.5))
    missing = pick(case.missing, lambda: rng.uniform(0, 0.3))
    height, width = shape
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    pixel = 10 ** rng.uniform(-0.8, 0.8) / 3600
    cd = turn(pixel * np.diag([-1.0, 1.0]), rng.uniform(0, 360)) @ np.diag([rng.choice([-1, 1]), 1])
    truth = TanSipWcs((rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-0.99, 0.99)))), tuple(center), cd)
    field = Field(shape, *[np.zeros(0)] * 6, truth, truth, center * (1 + rng.uniform(-0.2, 0.2, 2)), distortion)
    m = n_star * FRAMES**2
    x, y = center[:, None] + FRAMES / 2 * rng.uniform(-1, 1, (2, m)) * [[width], [height]]
    flux = 10 ** (1 + rng.exponential(0.5, m))
    ra, dec = truth.pixel_to_sky(x=x, y=y)
    near = np.flatnonzero((np.abs(x - center[0]) < 0.75 * width) & (np.abs(y - center[1]) < 0.75 * height))
    place = np.stack([x[near], y[near]])
    for _ in range(80):
        with np.errstate(over="ignore", invalid="ignore"):
            place = place + 0.6 * (np.stack([x[near], y[near]]) - field.distort(*place))
    on = ((place > 0) & (place < [[width - 1], [height - 1]])).all(axis=0) & (rng.uniform(size=len(near)) > missing)
    n_false = int(spurious / (1 - spurious) * on.sum())
    seen = place[:, on] + rng.normal(0, 0.1, (2, on.sum()))
    field.x = np.r_[seen[0], rng.uniform(0, width, n_false)]
    field.y = np.r_[seen[1], rng.uniform(0, height, n_false)]
    field.flux = np.r_[flux[near][on] * rng.lognormal(0, 0.2, on.sum()), 10 ** (1 + rng.exponential(0.5, n_false))]
    known = rng.uniform(size=m) > missing
    if case.other_sky:
        ra, dec = truth.pixel_to_sky(x=rng.permutation(x), y=y)
    field.ra, field.dec, field.ref_flux = ra[known], dec[known], flux[known]
    start = truth.pixel_to_sky(x=center[0] + offset[0] * width, y=center[1] + offset[1] * height)
    wrong = turn(cd, rotation) * scale @ np.diag([-1 if mirrored else 1, 1])
    field.wcs = replace(truth, crval=(float(start[0]), float(start[1])), cd=wrong)
    return field


def catalogs(field: Field) -> tuple[Catalog, Catalog]:
    """Return the lists as the task takes them."""
    sources, reference = Catalog(), Catalog()
    for name in FLAGS:
        sources.add(name, np.full(len(field.x), name == "detect_isPrimary"), "", "flag")
    for name, values in (("Centroid_x", field.x), ("Centroid_y", field.y)):
        sources.add(f"base_Sdss{name}", values, "pixel", "position")
    for name in ("base_PsfFlux_instFlux", "base_GaussianFlux_instFlux"):
        sources.add(name, field.flux, "adu", "flux")
    sources.add("base_PsfFlux_instFluxErr", field.flux / 100, "adu", "its error")
    for name, values, unit in (("coord_ra", field.ra, "deg"), ("coord_dec", field.dec, "deg")):
        reference.add(name, values, unit, "position")
    reference.add("r_flux", field.ref_flux, "nJy", "flux")
    return sources, reference


def solve(case: Case) -> tuple[float, str, float]:
    """Solve one field; return its error, what it was solved by or why not, and the seconds of processor time."""
    field = make_field(case)
    sources, reference = catalogs(field)
    exposure = SimpleNamespace(wcs=field.wcs, other_wcs={}, shape=field.shape)

    def find(ra: float, dec: float, radius: float) -> Catalog:
        distance = np.hypot((reference["coord_ra"] - ra + 180) % 360 - 180, 0) * np.cos(np.radians(dec))
        return reference.select(np.hypot(distance, reference["coord_dec"] - dec) < radius)

    around = find(*field.wcs.crval, 1.2 * np.hypot(*field.shape) / 2 * field.wcs.pixel_scale / 3600)
    start = time.process_time()
    try:
        solve_astrometry(exposure, sources, around, "r", AstrometryConfig(), ReferenceConfig(), find)
    except MeasurementError as error:
        return np.nan, str(error), time.process_time() - start
    return field.error(exposure.wcs), "", time.process_time() - start


def align(case: Case) -> float:
    """Solve one field by astroalign; return the error in the middle of the frame, pixels."""
    astroalign = importlib.import_module("astroalign")
    field = make_field(case)
    x, y = field.wcs.sky_to_pixel(ra=field.ra, dec=field.dec)
    height, width = field.shape
    near = np.flatnonzero((np.abs(x - width / 2) < 0.6 * width) & (np.abs(y - height / 2) < 0.6 * height))
    stars = near[np.argsort(-field.ref_flux[near])]
    bright = np.argsort(-field.flux)
    lists = [np.stack([a[rows], b[rows]], axis=1) for a, b, rows in ((field.x, field.y, bright), (x, y, stars))]
    try:
        transform, _ = astroalign.find_transform(lists[0][:100], lists[1][:100])
    except (astroalign.MaxIterError, ValueError, TypeError):
        return np.nan
    middle = np.array([[(field.shape[1] - 1) / 2, (field.shape[0] - 1) / 2]])
    there = transform(middle)[0]
    right = field.wcs.sky_to_pixel(
        **dict(zip(("ra", "dec"), field.truth.pixel_to_sky(x=middle[0, 0], y=middle[0, 1]), strict=True))
    )
    return float(np.hypot(there[0] - right[0], there[1] - right[1]))


def solve_all(cases: list[Case], processes: int, resume: Path | None) -> Iterator[tuple[float, str, float]]:
    """Solve fields, and keep each result in a file, from which those that are there already are taken."""
    lines = resume.read_text().splitlines() if resume is not None and resume.exists() else []
    known = {(seed, other): result for seed, other, result in map(json.loads, lines)}
    missing = [case for case in cases if (case.seed, case.other_sky) not in known]
    with ProcessPoolExecutor(processes) as pool:
        for case, result in zip(missing, pool.map(solve, missing), strict=True):
            known[case.seed, case.other_sky] = result
            if resume is not None:
                with resume.open("a") as file:
                    print(json.dumps([case.seed, case.other_sky, result]), file=file)
    for case in cases:
        error, reason, seconds = known[case.seed, case.other_sky]
        yield error, reason, seconds


def report(name: str, cases: list[Case], processes: int, resume: Path | None = None, *, peer: bool = False) -> None:
    """Print a row of the table."""
    done = list(solve_all(cases, processes, resume))
    others: list[float] = []
    if peer:
        with ProcessPoolExecutor(processes) as pool:
            others = list(pool.map(align, cases, chunksize=4))
    errors, seconds = np.array([each[0] for each in done]), np.array([each[2] for each in done])
    solved, wrong = np.isfinite(errors) & (errors <= WRONG), errors > WRONG
    median = f"{np.median(errors[solved]):.2f}" if solved.any() else "-"
    row = [name, len(done), solved.sum(), wrong.sum(), median, f"{np.median(seconds):.2f}, {seconds.max():.2f}"]
    if peer:
        row.append((np.array(others) < WRONG).sum())
    print("| " + " | ".join(map(str, row)) + " |", flush=True)
    for case, (_, reason, _) in zip(cases, done, strict=True):
        if reason and not case.other_sky and not peer:
            print(f"    {case.seed}: {reason[:150]}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", type=int, default=1000)
    parser.add_argument("--other-sky", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first field; other seeds are other fields")
    parser.add_argument("--only-random", action="store_true", help="leave out the fields with one error each")
    parser.add_argument("--resume", type=Path, help="file of results of random fields, which the run continues")
    parser.add_argument("-j", "--processes", type=int, default=2)
    options = parser.parse_args()
    print("| fields | number | solved | wrong | median error, pixels | seconds: median, largest | astroalign |")
    print("|---|---|---|---|---|---|---|")
    plain = Case(0, 150, 0.0, 1.0, (0.0, 0.0), False, 0.0, 0.3, 0.1, (1361, 2048))
    peers = importlib.util.find_spec("astroalign") is not None
    kinds = {
        "turned by 2 degrees": {"rotation": 2.0},
        "by 5 degrees": {"rotation": 5.0},
        "by 90 degrees": {"rotation": 90.0},
        "by 180 degrees": {"rotation": 180.0},
        "scale 3 % off": {"scale": 1.03},
        "300 pixels off": {"offset": (300 / 2048, 0.0)},
        "1.5 % of distortion": {"distortion": 0.015},
        "5 % of distortion": {"distortion": 0.05},
        "10 % of distortion": {"distortion": 0.1},
    }
    for name, change in kinds.items() if not options.only_random else ():
        report(name, [replace(plain, seed=seed, **change) for seed in range(10)], options.processes, peer=peers)
    seeds = range(options.first, options.first + max(options.fields, options.other_sky))
    others = [Case(10_000 + seed, other_sky=True) for seed in seeds[: options.other_sky]]
    for name, cases in (("another sky", others), ("all at once", [Case(seed) for seed in seeds[: options.fields]])):
        if cases:
            report(name, cases, options.processes, options.resume)


if __name__ == "__main__":
    main()
