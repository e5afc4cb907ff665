"""What `obs new` writes: nothing is left blank, and what is commented out is in force as it stands."""

import math
import re
import shutil

import pytest

from obs.camera.load import load_camera
from obs.cli.main import main
from obs.config.layers import ConfigLayers
from obs.image.visit_info import VisitInfo
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.simulator.config import SimulateConfig
from obs.tasks.process_config import ProcessConfig
from raw_frames import flat_frame, write_frame


def package_files(package):
    """Return the text of all files but that of the answers, which has the others in it."""
    paths = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(package)): path.read_text() for path in paths if path.name != ".obs-template.json"}


@pytest.fixture(scope="module", params=["answers", "facts"])
def made(request, tmp_path_factory):
    """A package from answers, and one from a raw file that tells little."""
    folder = tmp_path_factory.mktemp(request.param)
    words = ["new", "blank", "--no-input", "--output", str(folder)]
    if request.param == "facts":
        raw = write_frame(folder / "raw.fits", [("EXPTIME", 1.0)], flat_frame((40, 64)))
        words += ["--from", str(raw)]
    assert main(words) == 0
    return folder / "obs_blank"


def test_nothing_is_left_blank(made):
    files = package_files(made)
    assert "obs_blank/translator.py" in files
    for name, text in files.items():
        assert not re.search(r"TODO|FIXME|XXX|\{%|\{\{|cookiecutter|<.*here>|\bundefined\b", text), name
        if not name.endswith(".py"):
            assert not re.search(r"\bNone\b", text), name
        assert text.endswith("\n") or not text, name
        assert not text.endswith("\n\n"), name
        if name.endswith(".csv"):
            rows = [line for line in text.splitlines() if not line.startswith("#")]
            assert all(cell for row in rows for cell in row.split(",")), name
        if name.endswith(".md"):
            assert not re.search(r"\| *\|", text), name
        if name.endswith((".yaml", ".yml")):
            kept = re.sub(r"maximum_scale_change: null  # any, since.*\n", "", text)
            assert not re.search(r"^[^#\n]*:[ ]*(null|~|\"\")[ ]*(#.*)?\n(?![ #-])", kept, re.MULTILINE), name
            assert not re.search(r"^[^#\n]*:[ ]*(#.*)?\n(?![ #-])", text, re.MULTILINE), name
        if name.endswith((".py", ".toml")):
            assert not re.search(r"""=[ ]*(""|\'\'|\[\]|\(\))[ ]*,?$""", text, re.MULTILINE), name


def uncommented(path, last_remark):
    """Return a file with the comment signs taken from what follows the remark at its top."""
    rest = path.read_text().partition(last_remark)[2]
    return "".join(line.removeprefix("# ") for line in rest.splitlines(keepends=True))


def test_commented_settings_are_the_defaults(made, tmp_path, request):
    path = tmp_path / "process.yaml"
    path.write_text(uncommented(made / "obs_blank/config/process.yaml", "lists all there are.\n"))
    layers = ConfigLayers(ProcessConfig)
    layers.load(path)
    expected = ConfigLayers(ProcessConfig)
    if request.node.callspec.params["made"] == "facts":  # no card gives the pixel scale
        expected.set("calibrate.astrometry.search.maximum_scale_change=null")
    assert layers.build() == expected.build()
    assert "do_overscan" in path.read_text()


def test_commented_settings_of_the_simulator_are_the_defaults(tmp_path):
    package = create_package(Answers(camera="wide", width="4096", height="4096", pixel_scale="0.2"), tmp_path)
    path = tmp_path / "simulate.yaml"
    path.write_text(uncommented(package / "obs_wide/config/simulate.yaml", "lists all there are.\n"))
    layers = ConfigLayers(SimulateConfig)
    layers.load(path)
    assert layers.build() == SimulateConfig()
    assert {"optics:", "sources:"} <= set(path.read_text().splitlines())


def test_commented_facts_of_the_camera_are_in_force(made, tmp_path):
    folder = tmp_path / "camera"
    shutil.copytree(made / "obs_blank/camera", folder)
    before = load_camera(folder)
    path = folder / "camera.yaml"
    rest = path.read_text().partition("\n")[2]
    path.write_text(re.sub(r"^# ", "", rest, flags=re.MULTILINE))
    after = load_camera(folder)
    assert repr((after.distortion, after.rotation, after.flip_x)) == repr(
        (before.distortion, before.rotation, before.flip_x)
    )
    assert "orientation:" in path.read_text().splitlines()[-3]


def test_commented_place_of_the_observatory_is_in_force(made, monkeypatch):
    path = made / "obs_blank/translator.py"
    monkeypatch.syspath_prepend(made)
    text = path.read_text()
    assert '# "latitude": float("nan"),' in text
    found = {}
    exec(compile(re.sub(r'# ("\w+": float)', r"\1", text), str(path), "exec"), found)  # noqa: S102 - what was just made
    place = found["BlankTranslator"].constants
    assert all(math.isnan(place[name]) for name in ("longitude", "latitude", "elevation"))
    assert math.isnan(VisitInfo().latitude)
