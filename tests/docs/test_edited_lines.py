"""How many lines of a new package have to be edited before its real raw files go through signature removal."""

import json
import re
import shutil

import pytest
from astropy.table import Table
from pages import GUIDE, Shell

from obs.cli.main import main

EDITS = {"kast": (), "sinistro": ()}
"""What has to be edited: file in the package, line as it was written, line as it must be."""
HEADERS = {
    "decam": (("decam-raw_dec050441_25.hdr",), {"visit": 177764, "ccd": 25, "expTime": 30.0, "dataType": "science"}),
    "megaprime": (("megaprime.hdr",), {"visit": 1038843, "expTime": 615.037, "filter": "i.MP9702"}),
    "hsc": (("hsc-HSCA04090107.hdr", "hsc.hdr"), {"ccd": 37, "expTime": 150.0, "filter": "HSC-r"}),
    "sdss": (("sdss-fpC-006377-g4-0399.hdr",), {"dateObs": "2006-09-20", "filter": "g", "expTime": 53.907456}),
}
"""Cameras of which headers are at hand only: the texts, and what the package reads in the first, unedited."""


def stated_lines():
    """Return the numbers of the guide's table, by the first word of its rows."""
    text = (GUIDE / "your_camera.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) [^|]*\|[^|]*\| (\d+) \|$", text, re.MULTILINE)
    return {name.lower(): int(number) for name, number in rows}


def test_the_guide_states_the_lines_that_are_edited_here():
    edited = {name: len(edits) for name, edits in EDITS.items()}
    assert stated_lines() == edited | dict.fromkeys(HEADERS, 0)


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_read_without_an_edit(name, tmp_path, monkeypatch, capsys, shared_data):
    monkeypatch.chdir(tmp_path)
    texts, expected = HEADERS[name]
    paths = [str(shared_data / "headers" / text) for text in texts]
    assert main(["new", f"new{name}", "--no-input", "--from", *paths]) == 0
    capsys.readouterr()
    assert main(["check", f"obs_new{name}"]) == 0
    assert "0 problems" in capsys.readouterr().out
    assert main(["translate", f"obs_new{name}", *paths, "--format", "json"]) == 0
    columns = json.loads(capsys.readouterr().out)[0]["columns"]
    assert {key: columns[key]["value"] for key in expected} == expected


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
