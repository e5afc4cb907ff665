"""The whole way with a camera as others would install it."""

import re
import shlex

import pytest
from overscan_camera import write_toy_camera

from obs.cli import demo
from obs.cli.main import main

_SETTINGS = """\
sky:
  zero_point: 27.0
sources:
  density: 250000.0
  galaxy_fraction: 0.1
  bright: 16.0
  faint: 22.0
cosmic_rays:
  count: 20
"""
_MODULE = """\
from pathlib import Path

from overscan_camera import toy_instrument

instrument = toy_instrument(Path({folder!r}))
"""
_PROCESS = """\
isr:
  overscan:
    fit_type: MEDIAN_PER_ROW
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The toy camera, found by its entry point."""
    folder = tmp_path / "package"
    instrument = write_toy_camera(folder, width=512, height=640)
    instrument.config_folder.mkdir()
    (instrument.config_folder / "simulate.yaml").write_text(_SETTINGS)
    (instrument.config_folder / "process.yaml").write_text(_PROCESS)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "toy_installed.py").write_text(_MODULE.format(folder=str(folder)))
    info = tmp_path / "site" / "toy_camera-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-camera\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[obs.cameras]\ntoy = toy_installed:instrument\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return instrument


def test_a_night_is_simulated_processed_combined_and_compared(installed, tmp_path, capfd):
    output = tmp_path / "demo"
    status = main(["demo", "toy", "--output", str(output), "--visits", "2", "--detectors", "1", "-j", "1", "--coadd"])
    out, err = capfd.readouterr()
    assert status == 0, err
    assert "Traceback" not in err
    commands = re.findall(r"^\$ obs (\w[\w-]*)", out, re.MULTILINE)
    assert commands[:4] == ["simulate"] * 4
    assert commands[4:7] == ["init", "ingest", "ingest-refcat"]
    assert commands[7:12] == ["calibs", "calibs", "calibs", "calibs", "process"]
    assert commands[12:] == ["skymap", "skymap", "calibrate-visits", "coadd", "coadd-catalog", "lightcurve"]
    rows = re.findall(r"^visit=1[23] ccd=1 .*$", out, re.MULTILINE)
    assert len(rows) == 2
    depths = []
    for row in rows:
        *_, seeing, true_seeing, depth, _, offset, scatter, ra, dec, found, stars = row.split()
        assert float(seeing) == pytest.approx(float(true_seeing), rel=0.03)
        depths.append(float(depth))
        assert abs(float(offset)) < 10
        assert float(scatter) < 20
        assert float(ra) < 15
        assert float(dec) < 15
        assert float(found.rstrip("%")) > 90
        assert int(stars) > 10
    coadd = re.search(r"^.*tract=0 patch=0,0.* 27\.000 .*$", out, re.MULTILINE)
    *_, depth, zero_point, offset, _, _, _, found, _ = coadd[0].split()
    assert float(depth) > min(depths)  # half of it has one exposure
    assert float(zero_point) == 27
    assert abs(float(offset)) < 10
    assert float(found.rstrip("%")) > 90
    curve = [line.split() for line in out.split("variable star at")[1].splitlines()[2:4]]
    for _, magnitude, error, true in curve:
        assert float(magnitude) == pytest.approx(float(true), abs=5 * float(error) + 0.02)
    for name in ("demo", "coadd", "tracts", "lightcurve"):
        assert (output / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    for words in re.findall(r"^  obs (.*)$", out.split("What you can type next:")[1], re.MULTILINE):
        assert main(shlex.split(words)) == 0, words
    assert main(["demo", "toy", "--output", str(output)]) == 1
    assert f"{output} is not empty; remove it, or choose another folder" in capfd.readouterr().err


@pytest.mark.parametrize("status", [130, 143])
def test_a_signal_ends_the_demonstration(installed, tmp_path, monkeypatch, status):
    asked = []

    def end(words):
        asked.append(words[0])
        return status if words[0] == "process" else 0

    monkeypatch.setattr(demo, "run_shown", end)
    assert main(["demo", "toy", "--output", str(tmp_path / "demo")]) == status
    assert asked[-1] == "process"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["demo", "nocam"], "no camera 'nocam' is installed"),
        (["demo", "sdss"], "the camera sdss starts from 'fpC'"),
        (["demo", "toy", "--filter", "X"], "toy has no filter 'X'"),
        (["demo", "toy", "--detectors", "7"], "camera 'toy' has no detector 7"),
    ],
)
def test_mistakes_are_told_before_anything_is_done(installed, tmp_path, capfd, words, message):
    assert main([*words, "--output", str(tmp_path / "demo")]) == 1
    assert message in capfd.readouterr().err
    assert not (tmp_path / "demo").exists()
