"""Every obs command that the README and the guide name exists, takes its options, and has the settings that it sets."""

from contextlib import suppress

import click
import pytest
from pages import GUIDE, WRITTEN, obs_commands, quoted_commands, read_blocks

from obs.cli.main import command_line
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_FILE_NAMES, PROCESS_NAMES
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.simulator.config import SimulateConfig
from obs.tasks.combine_calibs import CalibsConfig
from obs.tasks.difference.config import DifferenceConfig
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.process_config import ProcessConfig, ProcessFileConfig
from obs.tasks.relative.config import CalibrateVisitsConfig

SETTINGS = {
    "obs process": (ProcessConfig, PROCESS_NAMES),
    "obs process-file": (ProcessFileConfig, PROCESS_FILE_NAMES),
    "obs calibs build": (CalibsConfig, {}),
    "obs simulate": (SimulateConfig, {}),
    "obs calibrate-visits": (CalibrateVisitsConfig, {}),
    "obs difference": (DifferenceConfig, {}),
    "obs forced": (ForcedConfig, {}),
    "obs lightcurve": (ForcedConfig, {}),
    "obs ingest-refcat": (ReferenceColumnsConfig, {}),
}


def cases(find, pages):
    return [pytest.param(words, id=f"{path.stem}: {' '.join(words)}") for path in pages for words in find(path)]


def parse(words):
    """Let click read a command as it would before running it; return its context."""
    command, context, rest = command_line, click.Context(command_line, info_name="obs"), words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        above = context
        name, command, rest = command.resolve_command(above, rest)
        context = click.Context(command, info_name=name, parent=above)
    if isinstance(command, click.Group) or "--help" in rest:
        return context
    return command.make_context(context.info_name, list(rest), parent=context.parent)


def check_settings(context):
    if context.command_path not in SETTINGS or not context.params:
        return
    layers = ConfigLayers(*SETTINGS[context.command_path])
    for kind, text in context.params["overrides"]:
        if kind == "c":
            layers.set(text)
    layers.build()


@pytest.mark.parametrize("words", cases(obs_commands, WRITTEN) + cases(quoted_commands, [GUIDE / "from_lsst.md"]))
def test_commands_are_understood(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("--id visit=1\n")
    check_settings(parse(["obs", "process", "--help"] if "COMMAND" in words else words))


@pytest.mark.parametrize("words", cases(quoted_commands, [path for path in WRITTEN if path.stem != "from_lsst"]))
def test_commands_in_sentences_exist(words):
    with suppress(click.MissingParameter, click.BadOptionUsage):  # only their beginning may be there
        check_settings(parse(words))


def test_a_command_that_does_not_exist_would_be_seen():
    with pytest.raises(click.UsageError, match="there is no command 'proces'; did you mean 'process'"):
        parse(["obs", "proces", "DATA"])
    with pytest.raises(click.NoSuchOption, match="--camra"):
        parse(["obs", "init", "DATA", "--camra", "hsc"])


@pytest.mark.parametrize("page", ["translator", "camera", "testing"])
def test_python_on_these_pages_runs(page, tmp_path):
    blocks = [block for block in read_blocks(GUIDE / f"{page}.md") if block.kind == "python"]
    assert blocks
    for block in blocks:
        if not block.note.startswith("not run:"):
            exec(compile(block.text, page, "exec"), {"__name__": page, "__file__": str(tmp_path / "camera.py")})  # noqa: S102 - our own words
