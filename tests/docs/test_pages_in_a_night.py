"""The commands and scripts of pages that begin with a night of the reader's own: all run, in one small night."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from pages import WRITTEN, Shell, obs_lines, read_blocks

PAGES = ("README", "calibration_frames", "camera", "catalog", "using_images", "judge_a_run",
         "repositories", "safe_data", "many_machines", "relative_calibration", "coadds", "light_curves",
         "other_programs", "one_image", "five_minutes", "reference_catalogs")  # fmt: skip
"""In the order in which a reader follows them: later ones need the results of earlier ones."""

FOLLOWED = ("install", "defects", "dated_calibrations", "crosstalk_linearity", "several_detectors", "publish",
            "export_lsst", "your_camera", "python_interface", "translator", "camera", "testing", "from_lsst",
            "citing")  # fmt: skip
"""Pages whose blocks other tests follow."""

ELSEWHERE = {
    "obs new": "the page on your camera",
    "obs check": "the page on your camera and that on tests",
    "obs doctor": "the page on your camera",
    "obs init": "the fixture below",
    "obs camera show mycam": "tests of the command",
    "obs demo": "tests/simulator/test_demo.py",
    "obs process ../shared": "the tests of real images, where these are",
    "obs report out": "for the results of these",
    "obs display out": "for the results of these",
    "obs refcat get": "tests of the command, with a server of their own",
    "obs simulate hsc": "it takes minutes; benchmarks/ has its results",
    "--scheduler": "tests/executor, with a scheduler of their own",
    "--cluster slurm": "tests/docs/test_sites.py",
}
"""Commands that another test runs, or that need what a test does not have."""

SCIENCE = {"r": (21, 22, 23), "g": (24, 25)}
RA, DEC = 150.0, 2.0


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """A shell in a folder with the raw files of a camera in two filters, and an empty repository of the camera."""
    shell = Shell(tmp_path_factory.mktemp("night"))
    size = "--width 512 --height 512 --overscan 16 --gain 1.5 --read-noise 5 --saturation 60000 --filters r,g"
    raw = "--output night1 --format fits --date 2024-03-01T20:00:00"
    run(shell, f"obs new mycam --no-input {size}")
    run(shell, "pip install -e obs_mycam")
    first = 1
    for words in ("bias", "dark --exposure-time 60", "flat --filter r --exposure-time 5", "flat --filter g"):
        run(shell, f"obs simulate mycam --type {words} --visits 3 --first-visit {first} {raw}")
        first += 3
    for name, visits in SCIENCE.items():
        often = f"--visits {len(visits)} --first-visit {visits[0]} --exposure-time 60 --dither 8"
        run(shell, f"obs simulate mycam --filter {name} {often} {raw} -c sources.density=300000")
    night = shell.folder / "night1"
    stars = Table.read(night / "reference.fits")
    (night / "reference.fits").unlink()
    for path in night.glob("*.fits"):
        fits.setval(path, "OBJECT", value="M67")
    write_tables(shell.folder, stars)
    run(shell, "obs init DATA --camera mycam")
    return shell


def write_tables(folder, stars):
    """Write the tables that readers have, with the columns that the pages name."""
    ra, dec = np.asarray(stars["coord_ra"], float), np.asarray(stars["coord_dec"], float)
    r, g = (31.4 - 2.5 * np.log10(np.asarray(stars[f"{band}_flux"], float)) for band in "rg")
    Table([ra, dec, r, g], names=["ra", "dec", "r", "g"]).write(folder / "stars.csv")
    Table([ra, dec, r], names=["RAJ2000", "DEJ2000", "rmag"]).write(folder / "stars.fits")
    seen = np.flatnonzero(np.hypot((ra - RA) * np.cos(np.radians(DEC)), dec - DEC) < 0.02)
    chosen = seen[np.argsort(r[seen])[5:8]]  # bright, and not saturated
    Table([ra[chosen], dec[chosen]], names=["ra", "dec"]).write(folder / "positions.csv")
    (folder / "star.json").write_text(json.dumps([ra[chosen[0]], dec[chosen[0]]]))


def run(shell, line):
    done = shell.sh(line)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done


def adapt(text, shell):
    """Return a command or a script with the names that the night of this test has."""
    ra, dec = json.loads((shell.folder / "star.json").read_text())
    for pattern, name in (
        (r"-j \d", "-j 2"),
        (r"--object [\d.,-]+", f"--object {ra:.6f},{dec:.6f}"),
        (r"\b150\.1, 2\.2\b", f"{RA}, {DEC}"),
        ("HSC-I", "r"),
        ("ccd=50", "ccd=0"),
        (r"/disk2/night1", "night1"),
        (r"\$SLURM_ARRAY_TASK_ID/\$SLURM_ARRAY_TASK_COUNT", "1/2"),
        (r"seeing < 0\.9", "seeing < 2.9"),
        ("make out rings", "make out --output rings rings"),
        (r"x=\[1800\.0\], y=\[2100\.0\]", "x=[180.0], y=[210.0]"),
        ("obs-demo/processed", "DATA/rerun/first"),
        ("visit=12", "visit=21"),
    ):
        text = re.sub(pattern, name, text)
    return text


def prepare(page, shell):
    """Make what the reader of a page has already."""
    folder = shell.folder
    if page == "judge_a_run":
        run(shell, "obs process DATA --rerun second --id dataType=science filter=r -c calibrate.detection.threshold=6")
    if page == "using_images":
        shutil.copy(calexp(folder), folder / "calexp.fits")
    if page == "coadds":
        run(shell, "obs process DATA --id dataType=science --output out -j 2")
    if page == "one_image":
        with fits.open(calexp(folder)) as hdus:
            header = fits.Header(
                [(name, hdus[1].header[name]) for name in ("EXPTIME", "GAIN") if name in hdus[1].header]
            )
            fits.PrimaryHDU(hdus[1].data, header).writeto(folder / "IMAGE.fits")


def calexp(folder):
    return next(Path(folder, "DATA", "rerun", "first", "calexp").rglob("*21*.fits"))


def pages():
    return {path.stem: path for path in WRITTEN}


def test_all_commands_and_scripts_of_these_pages_run(shell):
    done = set()
    for page in PAGES:
        path = pages()[page]
        prepare(page, shell)
        blocks = [block for block in read_blocks(path) if not block.note.startswith("not run: ")]
        for block in blocks:
            if block.note.startswith("file: "):
                (shell.folder / block.note.removeprefix("file: ")).write_text(block.text)
        for line in obs_lines(path):
            words = line.partition("#")[0].strip()
            if words in done or any(start in words for start in ELSEWHERE):
                continue
            done.add(words)
            for name in ("image.png", "curve.png"):  # pages use the same name, and readers another one the second time
                (shell.folder / name).unlink(missing_ok=True)
            ran = shell.sh(adapt(words, shell))
            expected = 1 if words.startswith("obs diff-config") else 0  # as `diff` for files that differ
            assert ran.returncode == expected, f"{page}: {words}\n{ran.stdout}{ran.stderr}"
        scripts = [block.text for block in blocks if block.kind == "python" and not block.note]
        if scripts and page not in FOLLOWED:
            ran = shell.python(adapt("\n".join(["import matplotlib", "matplotlib.use('agg')", *scripts]), shell))
            assert ran.returncode == 0, f"{page}:\n{ran.stderr}"


def test_every_block_that_could_run_is_run_or_says_why_not():
    written = {stem for stem, path in pages().items() if any(_could_run(block) for block in read_blocks(path))}
    assert written <= {*PAGES, *FOLLOWED}


def _could_run(block):
    return block.kind in ("sh", "python") and not block.note.startswith("not run: ")
