"""What commands look like, held against what they do."""

import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import get_args

import click
import pytest

from obs.cli.arguments import MANY_WORDS, ManyWordsCommand
from obs.cli.commands import choices
from obs.cli.main import COMMANDS, command_line
from obs.exports.table_files import TABLE_FORMATS
from obs.ingest.surveys.definitions import SURVEYS
from obs.ingest.transfer import Mode
from obs.simulator.files import FILE_FORMATS
from obs.simulator.shots import IMAGE_TYPES
from obs.tasks.calibration_recipes import RECIPES


def _leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for below, member in command.commands.items():
            yield from _leaves(member, f"{name} {below}")
    else:
        yield name, command


LEAVES = dict(
    leaf for name in COMMANDS for leaf in _leaves(command_line.get_command(click.Context(command_line), name), name)
)


@pytest.mark.parametrize("name", LEAVES)
def test_an_action_takes_what_its_command_declares(name):
    command = LEAVES[name]
    module, _, function = command.callback.place.partition(":")
    parameters = inspect.signature(getattr(importlib.import_module(module), function)).parameters
    exposed = {parameter.name for parameter in command.params if parameter.expose_value}
    several = MANY_WORDS if isinstance(command, ManyWordsCommand) else {}
    spellings = {spelling for parameter in command.params for spelling in parameter.opts}
    collected = {target for spelling, target in several.items() if spelling in spellings}
    named = {key for key, value in parameters.items() if value.kind is not inspect.Parameter.VAR_KEYWORD}
    assert named <= exposed | collected
    if len(named) == len(parameters):
        assert named == exposed | collected


def test_choices_are_those_that_the_work_knows():
    assert tuple(RECIPES) == choices.CALIBRATION_TYPES
    assert choices.FILE_FORMATS == FILE_FORMATS
    assert choices.IMAGE_TYPES == IMAGE_TYPES
    assert get_args(Mode) == choices.MODES
    assert tuple(SURVEYS) == choices.SURVEYS
    assert choices.TABLE_FORMATS == TABLE_FORMATS


def test_help_imports_nothing_heavy():
    code = (
        "import importlib, json, sys\nfrom obs.cli.main import COMMANDS\n"
        "[importlib.import_module('obs.cli.commands.' + place.split(':')[0]) for place, _ in COMMANDS.values()]\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"numpy", "scipy", "astropy", "pydantic", "sqlalchemy", "yaml", "rich", "jinja2", "matplotlib"}
