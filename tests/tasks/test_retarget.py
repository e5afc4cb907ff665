"""Functions of the user's own that do a step."""

import sys
import types

import pytest

from obs.errors import ConfigError
from obs.tasks.retarget import check_result, find_step


def ours(exposure, config, *, exposure_id=0):
    return exposure, config, exposure_id


@pytest.fixture
def module(monkeypatch):
    made = types.ModuleType("my_steps")
    made.right = lambda exposure, config, *, exposure_id=0: "mine"
    made.fewer = lambda exposure: None
    made.number = 3
    monkeypatch.setitem(sys.modules, "my_steps", made)
    return made


@pytest.mark.parametrize("target", ["my_steps:right", "my_steps.right"])
def test_a_function_of_another_package(module, target):
    assert find_step(target, ours, "isr.target") is module.right


def test_ours_without_a_target():
    assert find_step(None, ours, "isr.target") is ours


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "my_steps:fewer",
            r"isr\.target=my_steps:fewer does not take the arguments \(exposure, config, exp",
        ),
        ("my_steps:number", "is not a function"),
        ("my_steps:absent", "cannot import 'my_steps:absent'"),
        ("no_such_package.x", "No module named 'no_such_package'"),
        ("os:system", "does not take the arguments"),
        ("plain", "is not a reference such as"),
    ],
)
def test_targets_that_cannot_be_used(module, target, message):
    with pytest.raises(ConfigError, match=message):
        find_step(target, ours, "isr.target")


def test_a_result_of_another_class():
    with pytest.raises(ConfigError, match=r"isr\.target=a:b returned a str, not a builtins\.dict"):
        check_result("text", dict, "isr.target", "a:b")
    check_result({}, dict, "isr.target", None)
