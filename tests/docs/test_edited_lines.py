"""How many lines of a new package have to be edited before its real raw files go through signature removal."""

import re
import shutil

import pytest
from astropy.table import Table
from pages import GUIDE, Shell

EDITS = {"kast": (), "sinistro": ()}
"""What has to be edited: file in the package, line as it was written, line as it must be."""


def stated_lines():
    """Return the numbers of the guide's table, by the first word of its rows."""
    text = (GUIDE / "your_camera.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) [^|]*\|[^|]*\| (\d+) \|$", text, re.MULTILINE)
    return {name.lower(): int(number) for name, number in rows}


def test_the_guide_states_the_lines_that_are_edited_here():
    assert stated_lines() == {name: len(edits) for name, edits in EDITS.items()}


def edit(package, edits):
    for name, old, new in edits:
        path = package / name
        lines = path.read_text().splitlines()
        lines[lines.index(old)] = new
        path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("name", EDITS)
def test_signature_removal_with_these_edits_only(name, tmp_path, shared_data):
    night = tmp_path / "night"
    night.mkdir()
    files = sorted((shared_data / name).glob("*.fits.gz"))
    for path in files:
        shutil.copy(path, night)
    shell = Shell(tmp_path)

    def run(line):
        done = shell.sh(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    camera = f"new{name}"
    run(f"obs new {camera} --no-input --from night/*.fits.gz")
    edit(tmp_path / f"obs_{camera}", EDITS[name])
    run(f"pip install -e obs_{camera}")
    assert f"{camera}: 0 problems" in run(f"obs check {camera}")
    run(f"obs init DATA --camera {camera}")
    assert f"{len(files)} ingested, 0 skipped, 0 failed" in run("obs ingest DATA night/*.fits.gz")
    run("obs process DATA --rerun isr --id --allow-missing -c do_characterize=false")
    assert len(list((tmp_path / "DATA/rerun/isr/postISRCCD").rglob("*.fits"))) == len(files)
    if name == "sinistro":
        run("obs process DATA --rerun full --id --allow-missing -c calibrate.astrometry.required=false")
        (catalog,) = (tmp_path / "DATA/rerun/full/src").rglob("*.fits")
        assert 700 < len(Table.read(catalog, hdu=1)) < 1500
