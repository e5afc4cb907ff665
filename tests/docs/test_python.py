"""The Python interface: the script of its page runs, and so does every example of a public name."""

import doctest
import importlib
import re
import shutil
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from night_camera import write_night
from pages import GUIDE, read_blocks

import obs
from obs.cli.main import main

NAMES = [name for name in obs.__all__ if name != "__version__"]
POLICY_OUTPUTS = """\
  calexp: {template: "calexp/visit-%(visit)d.fits", storage: ExposureStorage}
datasets:
  src: {template: "src/visit-%(visit)d.fits", storage: FitsCatalogStorage}
"""
SETTINGS = "isr: {do_bias: false, do_dark: false, do_flat: false, do_defect: false}\n"
PLUGIN = """\
from dataclasses import replace
from pathlib import Path

import night_camera


class Translator(night_camera.NightTranslator):
    columns = {"visit": int, "filter": str}
    translation = {
        "filter": "FILTER",
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        "boresight_ra": ("CRVAL1", {"unit": "deg"}),
        "boresight_dec": ("CRVAL2", {"unit": "deg"}),
    }
    constants = {"rotation_type": "SKY", "rotation_angle": 0.0}


instrument = replace(night_camera.make_instrument(Path(__file__).parent), translator=Translator())
"""


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """A folder with the repository DATA of a small camera that is installed, two exposures, and results of one."""
    folder = tmp_path_factory.mktemp("python")
    with pytest.MonkeyPatch.context() as patch:
        install(folder / "site", patch)
        patch.chdir(folder)
        instrument = obs.load_instrument("night")
        obs.make_repository("DATA", instrument)
        raws = sorted(Path("night1").glob("a002*.fits"))
        assert obs.ingest_raws(obs.Butler("DATA"), raws).ok
        assert main(["ingest-refcat", "DATA", "simulated", "stars.csv"]) == 0
        obs.process("DATA", "visit=21", rerun="first", config={"calibrate.parquet": True}, raise_errors=True)
        calexp = obs.Butler("DATA/rerun/first").get_uri("calexp", visit=21)
        shutil.copy(calexp, "image.fits")
        yield folder


def install(site, patch):
    """Put the camera "night" on the path, with an entry point, and its raw files beside it."""
    site.mkdir()
    folder = site.parent / "night1"
    folder.mkdir()
    write_night(folder, site)
    (site / "policy.yaml").write_text((site / "policy.yaml").read_text() + POLICY_OUTPUTS)
    (site / "config").mkdir()
    (site / "config" / "process.yaml").write_text(SETTINGS)
    (site / "night_plugin.py").write_text(PLUGIN)
    metadata = site / "obs_night-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: obs-night\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[obs.cameras]\nnight = night_plugin:instrument\n")
    patch.syspath_prepend(site)
    importlib.invalidate_caches()


@pytest.fixture
def in_night(night, monkeypatch):
    monkeypatch.chdir(night)
    return night


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_public_names_run(name, in_night):
    thing = getattr(obs, name)
    found = doctest.DocTestFinder(recurse=False).find(thing, name)
    assert any(test.examples for test in found), "there is no example"
    for test in found:
        report = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
        assert report == []


def test_the_script_of_the_page_runs(in_night, monkeypatch):
    mpl.use("agg")
    (in_night / "obs-demo").mkdir()
    (in_night / "obs-demo" / "data").symlink_to(in_night / "DATA")
    script = next(block.text for block in read_blocks(GUIDE / "python_interface.md") if block.kind == "python")
    assert len(script.strip().splitlines()) <= 12
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})  # noqa: S102 - the guide's own text
    assert (in_night / "size-against-magnitude.png").stat().st_size > 5000


def test_a_step_of_the_user_adds_a_column(in_night, monkeypatch):
    blocks = [block for block in read_blocks(GUIDE / "python_interface.md") if block.kind == "python"]
    (step,) = (block for block in blocks if block.note == "file: steps.py")
    (in_night / "steps.py").write_text(step.text)
    monkeypatch.syspath_prepend(in_night)
    obs.process("DATA", "visit=22", rerun="mine", config={"calibrate.target": "steps:calibrate"}, raise_errors=True)
    catalog = obs.Butler("DATA/rerun/mine").get("src", visit=22)
    assert catalog.columns["mypackage_Size_value"].unit == "pix"
    shape = catalog["base_SdssShape_xx"] + catalog["base_SdssShape_yy"]
    assert np.array_equal(catalog["mypackage_Size_value"], np.sqrt(0.5 * shape), equal_nan=True)


def test_the_signature_of_an_array_is_removed(capsys):
    blocks = [block for block in read_blocks(GUIDE / "python_interface.md") if block.kind == "python"]
    (script,) = (block for block in blocks if "remove_signature" in block.text)
    exec(compile(script.text, "script", "exec"), {"__name__": "__main__"})  # noqa: S102 - the guide's own text
    assert "6144 x 4096 pixels" in capsys.readouterr().out


def test_every_public_name_has_a_page(monkeypatch):
    monkeypatch.syspath_prepend(GUIDE)
    from generator.python import GROUPS, python_pages  # noqa: PLC0415

    assert sorted(name for _, names in GROUPS.values() for name in names) == sorted(NAMES)
    pages = python_pages()
    for stem, (_, names) in GROUPS.items():
        for name in names:
            assert re.search(rf"^## {name}$", pages[stem], re.MULTILINE)
            assert f"[`{name}`]({stem}.md)" in pages["index"]
