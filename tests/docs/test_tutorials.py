"""Pages of the guide that are worked examples: every command is run, and prints what the page says."""

import pytest
from night_camera import write_night
from pages import GUIDE, Shell, follow


@pytest.fixture
def shell(tmp_path):
    """A shell in a folder with a night of raw files, ``night1``, of a camera of which nobody knows."""
    night = tmp_path / "night1"
    night.mkdir()
    write_night(night, tmp_path / "tables")
    return Shell(tmp_path)


@pytest.mark.parametrize(
    "page", ["install", "defects", "dated_calibrations", "crosstalk_linearity", "several_detectors"]
)
def test_worked_examples(page, tmp_path):
    follow(GUIDE / f"{page}.md", Shell(tmp_path))


def test_publish_a_camera_package(tmp_path):
    for program in ("build", "twine"):
        pytest.importorskip(program, reason="the programs that make and check distributions are not installed")
    follow(GUIDE / "publish.md", Shell(tmp_path))


def test_take_a_camera_to_the_lsst_stack(shell):
    pytest.importorskip("lsst.pipe.base", reason="the extra gen3 is not installed")
    follow(GUIDE / "export_lsst.md", shell)
    assert (
        "IDENTITY = {'INSTRUME': 'NightCam'"
        in (shell.folder / "lsst_obs_mycam/python/lsst/obs/mycam/translator.py").read_text()
    )
