"""The front door: the names that `obs` exports."""

import dataclasses
import inspect
import subprocess
import sys

import pytest

import obs

MOST_POSITIONAL = 4
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
NAMES = [name for name in obs.__all__ if name != "__version__"]


def functions():
    for name in NAMES:
        thing = getattr(obs, name)
        if not inspect.isclass(thing):
            yield name, thing
            continue
        if "__init__" in vars(thing) and not dataclasses.is_dataclass(thing):  # records have named fields
            yield f"{name}.__init__", thing.__init__
        for method, function in vars(thing).items():
            function = getattr(function, "__func__", function)
            if not method.startswith("_") and inspect.isfunction(function):
                yield f"{name}.{method}", function


def test_importing_obs_imports_nothing_else():
    code = "import sys, obs; print(sorted(name for name in sys.modules if name.startswith('obs') or name == 'numpy'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['obs', 'obs.version']"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_and_documented(name):
    thing = getattr(obs, name)
    assert inspect.getdoc(thing)
    assert name in dir(obs)


def test_a_module_does_not_take_the_place_of_a_function():
    code = (
        "import obs.runs.process, obs.runs.simulate, obs.simulator.files, obs.cli.process, obs.cli.simulate, obs; "
        "print(all(callable(getattr(obs, name)) for name in ('process', 'simulate', 'process_file', 'ingest_raws')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_name_that_is_not_public():
    with pytest.raises(AttributeError, match="module 'obs' has no attribute 'Buttler'"):
        obs.Buttler  # noqa: B018


@pytest.mark.parametrize(
    ("name", "function"), list(functions()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_at_most_four_positional_arguments(name, function):
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "cls")]
    assert len([p for p in parameters if p.kind in POSITIONAL]) <= MOST_POSITIONAL
