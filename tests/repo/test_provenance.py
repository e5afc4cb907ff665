"""The settings that an output was made with."""

import math

import numpy as np
import pytest
import yaml

from obs.errors import OutputError
from obs.repo.provenance import package_versions, record_packages
from obs.repo.rerun_settings import config_path, find_differences, record_config

CONFIG = {"isr": {"write": True, "radii": (3, 4.5)}, "sigma": 5.0, "zero": math.nan, "name": None}


def test_the_same_settings_may_be_used_again(tmp_path):
    record_config(tmp_path, "processCcd", CONFIG)
    before = config_path(tmp_path, "processCcd").read_text()
    record_config(tmp_path, "processCcd", CONFIG)
    assert config_path(tmp_path, "processCcd").read_text() == before
    assert [path.name for path in (tmp_path / "config").iterdir()] == ["processCcd.yaml"]


def test_other_settings_are_refused(tmp_path):
    record_config(tmp_path, "processCcd", CONFIG)
    message = (
        r"was made with other settings of processCcd: isr\.write: was True, now False, sigma: was 5\.0, now 6; "
        r"use another --output or --rerun, or --clobber-config"
    )
    with pytest.raises(OutputError, match=message):
        record_config(tmp_path, "processCcd", CONFIG | {"sigma": 6, "isr": CONFIG["isr"] | {"write": False}})
    assert yaml.safe_load(config_path(tmp_path, "processCcd").read_text())["sigma"] == 5.0


def test_a_setting_that_is_free_may_change(tmp_path):
    record_config(tmp_path, "t", CONFIG)
    other = CONFIG | {"isr": CONFIG["isr"] | {"write": False}}
    record_config(tmp_path, "t", other, free=["isr.write"])
    with pytest.raises(OutputError, match=r"other settings of t: sigma: was 5\.0, now 6; use"):
        record_config(tmp_path, "t", other | {"sigma": 6}, free=["isr.write"])


def test_a_step_that_an_earlier_version_did_not_have_may_be_off(tmp_path):
    record_config(tmp_path, "t", CONFIG)
    record_config(tmp_path, "t", CONFIG | {"new_step": False, "new_list": []})
    with pytest.raises(OutputError, match="new_step: was not set, now True"):
        record_config(tmp_path, "t", CONFIG | {"new_step": True})


def test_only_the_first_differences_are_named(tmp_path):
    record_config(tmp_path, "t", dict.fromkeys("abcde", 1))
    with pytest.raises(OutputError, match=r"a: was 1, now 2, b: was 1, now 2, c: was 1, now 2 and 2 more; use"):
        record_config(tmp_path, "t", dict.fromkeys("abcde", 2))


def test_settings_can_be_replaced_with_a_backup(tmp_path):
    record_config(tmp_path, "t", {"a": 1})
    record_config(tmp_path, "t", {"a": 2}, clobber=True)
    record_config(tmp_path, "t", {"a": 3}, clobber=True, backup=False)
    assert yaml.safe_load(config_path(tmp_path, "t").read_text()) == {"a": 3}
    assert yaml.safe_load((tmp_path / "config" / "t.yaml~1").read_text()) == {"a": 1}


def test_differences():
    assert find_differences({"a": 1, "b": [1]}, {"a": 1, "b": [1, 2], "c": 0}) == [
        "b: was [1], now [1, 2]",
        "c: was not set, now 0",
    ]
    assert find_differences({"a": {"b": 1}}, {}) == ["a: was {'b': 1}, now not set"]
    assert find_differences({"a": math.nan}, {"a": math.nan}) == []
    assert find_differences(1, 2) == ["all: was 1, now 2"]


def test_values_of_other_libraries(tmp_path):
    record_config(tmp_path, "t", {"a": np.float64(1.5), "b": {"y", "x"}, "c": tmp_path, "d": True})
    assert yaml.safe_load(config_path(tmp_path, "t").read_text()) == {
        "a": 1.5,
        "b": ["x", "y"],
        "c": str(tmp_path),
        "d": True,
    }


def test_packages(tmp_path):
    assert record_packages(tmp_path) == []
    assert record_packages(tmp_path) == []
    path = tmp_path / "config" / "packages.yaml"
    versions = yaml.safe_load(path.read_text())
    assert versions == package_versions()
    path.write_text(yaml.safe_dump(versions | {"numpy": "0.1"}))
    assert record_packages(tmp_path) == [f"numpy: was '0.1', now '{np.__version__}'"]
    assert record_packages(tmp_path) == []
    assert "no-such-package" not in package_versions(["no-such-package"])


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "config").touch()
    with pytest.raises(OutputError, match=r"cannot write .*t\.yaml"):
        record_config(tmp_path, "t", {})
