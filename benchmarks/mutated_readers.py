"""Feed mutated files to readers; each must end with a line, soon, in little memory.

Sky maps, pickles, gates, sites, positions, reference catalogs, verdicts, logs, records, catalogs, images, defects, and
the texts and tables of other programs. FITS files of which one bit was flipped must give what they gave, or an error.

python benchmarks/mutated_readers.py FOLDER [FILES] [SEED]
"""

import hashlib
import importlib
import json
import pickle
import random
import shutil
import sys
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

from obs.camera.python_config import read_assignments
from obs.config.overrides import read_override_file
from obs.executor.choose import ExecutorOptions
from obs.image.catalog import Catalog
from obs.ingest.reference_catalogs import ingest_reference_catalog
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.ingest.text_headers import read_text_headers
from obs.metrics.gates import DEFAULT_FILE, load_gates
from obs.metrics.own_verdicts import read_verdicts
from obs.policy.paf import load_paf
from obs.repo.defects_table import read_defects
from obs.repo.exposure_parts import read_psf
from obs.repo.fits_catalog import read_catalog, write_catalog
from obs.repo.fits_checksum import checksums_compared
from obs.repo.fits_exposure import read_exposure, write_exposure
from obs.repo.fits_psf import write_psf
from obs.repo.image_file import read_image_file
from obs.repo.linearizer_file import read_linearizer
from obs.repo.made_with import iterate_records
from obs.repo.metric_table import MetricTable
from obs.repo.parquet_catalog import read_parquet, write_parquet
from obs.repo.sky_map_file import read_sky_map, write_sky_map
from obs.repo.text_table import read_text_table
from obs.runs.run_log import read_run_logs
from obs.runs.targets import read_targets
from obs.skymap.types import make_sky_map

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests" / "repo")]
mutated_files = importlib.import_module("mutated_files")
exposures = importlib.import_module("test_fits_exposure")

RINGS = "import lsst.skymap.ringsSkyMap\nconfig.patchBorder=100\nconfig.numRings=120\nconfig.raStart=0.0\n"


class _Called:
    """Pickles as a call of a function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.function, self.arguments


def stack_pickle() -> bytes:
    """Return a sky map as the stack pickles it."""
    kinds = []
    for name, member in (
        ("lsst.skymap.ringsSkyMap", "RingsSkyMap"),
        ("lsst.skymap.ringsSkyMap", "RingsSkyMapConfig"),
        ("lsst.pex.config.config", "unreduceConfig"),
    ):
        module = sys.modules.setdefault(name, types.ModuleType(name))
        setattr(module, member, type(member, (), {"__module__": name}))
        kinds.append(getattr(module, member))
    content = pickle.dumps(_Called(kinds[0], _Called(kinds[2], kinds[1], RINGS.encode()), 1))
    for name in ("lsst.skymap.ringsSkyMap", "lsst.pex.config.config"):
        del sys.modules[name]
    return content


def positions() -> Table:
    """Return a table of stars."""
    draw = np.random.default_rng(2)
    table = Table({"id": np.arange(60), "ra": draw.uniform(149, 151, 60), "dec": draw.uniform(1, 3, 60)})
    table["g_mag"], table["pmra"], table["pmdec"] = draw.uniform(14, 20, 60), draw.normal(0, 5, 60), np.zeros(60)
    table["ref_epoch"] = 2016.0
    return table


def write_ldac(table: Table, path: Path) -> None:
    """Write a catalog as SCAMP and SExtractor do."""
    header = fits.Column("Field Header Card", "80A", array=np.array(["SIMPLE  = T".ljust(80)]))
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.BinTableHDU.from_columns([header], name="LDAC_IMHEAD"),
            fits.BinTableHDU(table, name="LDAC_OBJECTS"),
        ]
    ).writeto(path, overwrite=True)


def refcat(path: Path) -> object:
    """Make a reference catalog of a file."""
    return ingest_reference_catalog(path.parent / "run", "x", [path], ReferenceColumnsConfig(), chunk=50)


def exposure_digest(path: Path) -> str:
    """Return a digest of the pixels of an exposure whose checksums are compared."""
    with checksums_compared(True):
        found = read_exposure(path).masked_image
    planes = (found.image, found.mask.array, found.variance)
    return hashlib.sha256(b"".join(np.ascontiguousarray(plane).tobytes() for plane in planes)).hexdigest()


def catalog_digest(path: Path) -> str:
    """Return a digest of the columns of a catalog whose checksums are compared."""
    with checksums_compared(True):
        found = read_catalog(path)
    return hashlib.sha256(b"".join(np.ascontiguousarray(found[name]).tobytes() for name in found.columns)).hexdigest()


def below(folder: str, name: str, read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return a reader of a folder in which the file has its place."""

    def work(path: Path) -> object:
        place = path.parent / "run" / folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
        return read(path.parent / "run")

    return work


def readers(top: Path) -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    """Return the kinds of files, each with a good one and its reader."""
    top.mkdir(parents=True, exist_ok=True)
    table, kinds = positions(), {}
    made: dict[str, Callable[[Path], object]] = {
        "targets.csv": lambda path: table.write(path, format="ascii.csv"),
        "targets.ecsv": lambda path: table.write(path, format="ascii.ecsv"),
        "targets.vot": lambda path: table.write(path, format="votable"),
        "targets.fits": lambda path: table.write(path),
        "targets.parquet": lambda path: write_parquet(Catalog.from_table(table), path),
    }
    for name, write in made.items():
        write(top / name)
        kinds[name] = ((top / name).read_bytes(), read_targets)
        kinds[name.replace("targets", "refcat")] = ((top / name).read_bytes(), refcat)
    write_ldac(table, top / "refcat.cat")
    kinds["refcat.cat"] = ((top / "refcat.cat").read_bytes(), refcat)
    written: dict[str, tuple[Callable[[Path], Any], Callable[[Path], object]]] = {
        "skyMap.yaml": (lambda path: write_sky_map(make_sky_map("rings", {"n_ring": 12}), path), read_sky_map),
        "exposure.fits": (lambda path: write_exposure(exposures.make_exposure(), path), exposure_digest),
        "image.fits": (lambda path: write_exposure(exposures.make_exposure(), path), read_image_file),
        "catalog.fits": (lambda path: write_catalog(Catalog.from_table(table), path), catalog_digest),
        "catalog.parq": (lambda path: write_parquet(Catalog.from_table(table), path), read_parquet),
        "own.psf": (lambda path: write_psf(exposures.make_psf(), path), read_psf),
        "text.ecsv": (lambda path: table.write(path, format="ascii.ecsv"), read_text_table),
    }
    for name, (write, read) in written.items():
        write(top / name)
        kinds[name] = ((top / name).read_bytes(), read)
    head = b"SIMPLE  = T\nBITPIX  = 16\nNAXIS   = 0\nOBJECT  = 'M 31    '\nCRVAL1  = 10.68\nCRVAL2  = 41.27\n"
    head += b"CTYPE1  = 'RA---TAN'\nPV1_1   = 1.0\nEND\n"
    linearity = b"hasLinearity: true\namplifiers:\n  A: {linearityType: Polynomial, linearityCoeffs: [2e-6]}\n"
    linearity += b"tableData: [[0.0, 1.0], [2.0, 3.0]]\n"
    boxes = b"x0,y0,width,height\n3,4,10,1\n20,30,1,40\n"
    paf = b'#<?cfg paf policy ?>\nexposures: {\n raw: {\n  template: "raw/%(visit)d.fits"\n  tables: raw\n }\n}\n'
    record = (
        b"made_with:\n  settings: abc\n  version: 0.2.0\n  inputs:\n  - {dataset_type: src, path: /a/b.fits, size: 3,"
    )
    record += b" mtime_ns: 5, sha256: aa, ctime_ns: 7}\n  outputs: [deepCoadd]\n  references: []\n"
    verdicts = {f"visit={n} ccd=1": {"level": "bad", "comment": "a cloud"} for n in range(20)}
    log = {"time": "2026-01-01T00:00:00", "event": "done", "data_id": {"visit": 1}, "seconds": 2.0}
    kinds |= {
        "skyMap.pickle": (stack_pickle(), read_sky_map),
        "gates.yaml": (DEFAULT_FILE.read_bytes(), lambda path: load_gates(file=path)),
        "site.yaml": (
            b"cores: 4\nmemory: 8GB\nworkers: 3\nqueue: q\n",
            lambda path: ExecutorOptions(site=path).load_site(),
        ),
        "verdicts.json": (json.dumps(verdicts, indent=1).encode(), read_verdicts),
        "log.jsonl": (
            "\n".join([json.dumps(log)] * 30).encode(),
            below("logs", "process-20260101T000000-1.jsonl", lambda folder: list(read_run_logs(folder))),
        ),
        "record.yaml": (record, below("made_with", "a.fits.yaml", lambda folder: list(iterate_records(folder)))),
        "settings.py": (b"config.isr.doBias=False\nconfig.calibrate.photoCal.x='a'\n", read_override_file),
        "camera.py": (b"config.name='x'\nconfig.plateScale=20.0\nconfig.detectorList[0].id=0\n", read_assignments),
        "mapper.paf": (paf, load_paf),
        "header.hdr": (head, lambda path: list(read_text_headers(path))),
        "defects.csv": (boxes, read_defects),
        "linearizer.yaml": (linearity, read_linearizer),
        "metrics.sqlite3": (metrics(top), below(".", "metrics.sqlite3", query_metrics)),
    }
    return kinds


def metrics(top: Path) -> bytes:
    """Return a table of metrics of some data IDs."""
    folder = top / "metrics"
    folder.mkdir()
    table = MetricTable(folder)
    table.write("detector", [{"data_id": f"visit={n}", "visit": n, "seeing": 1.0, "status": "done"} for n in range(20)])
    return (folder / "metrics.sqlite3").read_bytes()


def query_metrics(folder: Path) -> object:
    """Read all rows of a table of metrics."""
    return MetricTable(folder).read("detector", "seeing < 2")


def mutate(content: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Change a FITS file by its cards, a text by its lines, another file by its bytes."""
    if content.startswith(b"SIMPLE"):
        return mutated_files.mutate_fits(content, rng)
    if b"\0" not in content[:4000]:
        return "text", mutated_files.mutate_text(content, rng)
    if rng.random() < 0.3:
        return "cut", content[: rng.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(rng.choice([1, 3, 30, 300])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return "bytes", bytes(changed)


def trial(read: Callable[[Path], object], path: Path, what: str, good: object) -> str:
    """Read a file, and return what was wrong: other values after a flipped bit; of several some cancel in DATASUM."""
    found = read(path)
    return "SILENT" if what == "1 bits flipped" and isinstance(good, str) and found != good else ""


def main() -> None:
    """Try so many files."""
    top = Path(sys.argv[1]).absolute()
    number, seed = (int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((2, 1000), (3, 1)))
    shutil.rmtree(top, ignore_errors=True)
    kinds = readers(top)
    good = {}
    for name, (content, read) in kinds.items():
        path = top / name
        path.write_bytes(content)
        (top / "run").mkdir()
        good[name] = read(path)
        shutil.rmtree(top / "run")
    tally, rng = mutated_files.Tally(number), random.Random(seed)  # noqa: S311
    names = list(kinds)
    for count in range(number):
        name = names[count % len(names)]
        content, read = kinds[name]
        what, changed = mutate(content, rng)
        path = top / name
        path.write_bytes(changed)
        (top / "run").mkdir()
        found = mutated_files.attempt(partial(trial, read, path, what, good[name]))
        if found[0]:
            (top / "faults").mkdir(exist_ok=True)
            shutil.copy(path, top / "faults" / f"{count}-{name}")
        tally.add(name, found, f"{count} {what}")
        shutil.rmtree(top / "run")
        tally.next_file()
    print("\n".join(tally.summary()))


if __name__ == "__main__":
    main()
