"""What an instrument knows of data IDs, filters and its own functions."""

import sys
from pathlib import Path

import pytest

from obs.errors import DataIdError, PluginError
from obs.instrument.instrument import FilterDefinition, Instrument, resolve

DUMMY = Path(__file__).parents[1] / "dummy_plugin"


def make(**changes):
    facts = {
        "folder": DUMMY / "obs_dummy",
        "policy": "policy/dummy.yaml",
        "exposure_id": lambda data_id: data_id["visit"] * 2,
        "exposure_id_bits": 8,
        "detector": "%(ccd)d",
    }
    return Instrument("dummy", **(facts | changes))


def test_importing_a_plugin_reads_no_file(monkeypatch, tmp_path):
    instrument = make(folder=tmp_path / "nowhere")
    assert instrument.policy_path == tmp_path / "nowhere" / "policy" / "dummy.yaml"
    assert instrument.camera_folder.name == "camera"
    assert instrument.config_folder.name == "config"


def test_exposure_numbers():
    assert make().exposure_number({"visit": 3}) == 6
    with pytest.raises(DataIdError, match="the exposure id of dummy needs the key 'visit'"):
        make().exposure_number({})
    with pytest.raises(DataIdError, match="the exposure id 128 of dummy does not fit in 8 bits, which reach to 127"):
        make().exposure_number({"visit": 64})


def test_exposure_number_by_reference(monkeypatch):
    monkeypatch.syspath_prepend(DUMMY)
    monkeypatch.delitem(sys.modules, "obs_dummy", raising=False)
    instrument = make(exposure_id="obs_dummy.identifiers:exposure_id", exposure_id_bits=32)
    assert instrument.exposure_number({"visit": 3, "ccd": 1}) == 31


def test_detectors_by_id_and_by_name():
    assert make().find_detector({"ccd": 1}).name == "one"
    assert make(detector="%(chip)s").find_detector({"chip": "one"}).id == 1
    with pytest.raises(DataIdError, match="camera 'dummy' has no detector 7"):
        make().find_detector({"ccd": 7})
    with pytest.raises(DataIdError, match="the data ID does not have ccd"):
        make().find_detector({"visit": 7})


def test_filters():
    red = FilterDefinition(physical_filter="R", band="r", aliases=("RED",))
    instrument = make(
        filters=(
            red,
            FilterDefinition(physical_filter="I1", band="i"),
            FilterDefinition(physical_filter="I2", band="i"),
        )
    )
    assert instrument.find_filter("R") is red
    assert instrument.find_filter("RED") is red
    assert instrument.find_filter("r") is red
    with pytest.raises(DataIdError, match="several filters are of the band 'i'; filters: I1, I2"):
        instrument.find_filter("i")
    with pytest.raises(DataIdError, match="dummy has no filter 'z'; filters: R, I1, I2"):
        instrument.find_filter("z")


def test_readers(monkeypatch):
    monkeypatch.syspath_prepend(DUMMY)
    instrument = make(readers={"guide": "obs_dummy.guide:read_guide", "gone": "obs_dummy.guide:nothing"})
    assert callable(instrument.reader("guide"))
    assert instrument.reader("raw") is None
    with pytest.raises(PluginError, match=r"camera 'dummy': cannot import 'obs_dummy\.guide:nothing': AttributeError"):
        instrument.reader("gone")


def test_references():
    assert resolve("pathlib:Path.cwd") == Path.cwd
    with pytest.raises(PluginError, match=r"'pathlib' is not a reference such as 'package\.module:name'"):
        resolve("pathlib")
    with pytest.raises(PluginError, match="cannot import 'no_module_x:y': ModuleNotFoundError"):
        resolve("no_module_x:y")


def test_a_syntax_error_is_told_with_file_and_line(tmp_path, monkeypatch):
    (tmp_path / "misspelt_module.py").write_text("x = 1\ndeff f():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        PluginError, match=r"cannot import 'misspelt_module:x': .*misspelt_module\.py:2: invalid syntax; obs"
    ):
        resolve("misspelt_module:x")
