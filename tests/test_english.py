"""The texts of the product: each is understood alone, and follows the style of the guide."""

import ast
import inspect
import re
from pathlib import Path

import click
import pytest

from obs.cli.main import COMMANDS, command_line
from obs.cli.option_groups import group_options
from obs.coadds.catalog_config import CoaddCatalogConfig
from obs.coadds.config import CoaddConfig
from obs.config.schema import describe_type, iterate_fields
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.simulator.config import SimulateConfig
from obs.tasks.combine_calibs import CalibsConfig
from obs.tasks.difference.config import DifferenceConfig
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.process_config import ProcessConfig, ProcessFileConfig
from obs.tasks.relative.config import CalibrateVisitsConfig

CHECKOUT = Path(__file__).parents[1]
PROCESSING = (
    *(ProcessConfig, ProcessFileConfig, CalibsConfig, ReferenceColumnsConfig, CoaddConfig, CoaddCatalogConfig),
    *(DifferenceConfig, ForcedConfig, CalibrateVisitsConfig),
)
CONFIGS = (*PROCESSING, SimulateConfig)
POINTERS = ("The same for", "That of", "Those of", "See ", "Whose", "Its ", "Their ")
"""Beginnings of descriptions that need another one to be understood."""


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_each_setting_is_understood_alone(config):
    described = {name: field.description or "" for name, field in iterate_fields(config)}
    short = {name: text for name, text in described.items() if len(text.split()) < 5}
    sections = {name.rpartition(".")[0] for name in described}
    assert {name: text for name, text in short.items() if name not in sections} == {}
    assert {name: text for name, text in described.items() if text.startswith(POINTERS)} == {}


UNITLESS = re.compile(
    r"number|fraction|ratio|share|degree|order|power|times|multiple|iteration|odds|relative|rounds|sum of|sigma|year"
    r"|magnitude|bits|iterations",
    re.IGNORECASE,
)
"""Words that say what a number without a unit counts."""
WORDS_OF_NUMBERS = 10
"""A number says what it is, and what a larger or smaller one does."""


@pytest.mark.parametrize("config", [*PROCESSING, SimulateConfig], ids=lambda config: config.__name__)
def test_numbers_have_a_unit_and_an_effect(config):
    unit, effect = {}, {}
    for name, field in iterate_fields(config):
        if not describe_type(field).startswith(("a number", "a whole number")):
            continue
        described = field.description or ""
        extra = field.json_schema_extra
        if not (isinstance(extra, dict) and extra.get("unit")) and not UNITLESS.search(described):
            unit[name] = described
        if config is not SimulateConfig and len(described.split()) < WORDS_OF_NUMBERS:
            effect[name] = described
    assert unit == {}
    assert effect == {}


PHRASES = re.compile(
    r"(?<![Tt]here )\b(?:is|are) no (?!longer|more\b|less\b|worse|such|doubt|better|\w+er than)"
    r"|\b(?:is|are|was|were) told\b(?! apart| from)|\bmend(?:s|ed|ing)?\b|\bwhat becomes of\b|\bas it comes\b"
    r"|\b(?:is|are) wanted(?: here)?, (?:got|not)\b|\bgoes without\b"
)
"""What the style of the guide replaces: "is not a", "fix", "what happens to", "as it is", "expected", "continues"."""
KEPT = {"mend"}
"""Old names of options."""


def texts_of_code():
    """Yield path, line and text of each constant of the code: messages, helps and docstrings."""
    for folder in ("core/obs", "obs_plugins"):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield path.relative_to(CHECKOUT), node.lineno, node.value


def test_phrases_of_the_code_are_those_of_the_guide():
    found = [
        f"{path}:{line}: {match[0]}"
        for path, line, text in texts_of_code()
        for match in PHRASES.finditer(text)
        if text.lstrip("-") not in KEPT
    ]
    assert found == []


@pytest.mark.parametrize(
    "page", [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))], ids=lambda p: p.stem
)
def test_phrases_of_pages(page):
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [match[0] for match in PHRASES.finditer(text)] == []


MOST_LETTERS, FEWEST_WORDS = 60, 3
"""First lines of helps fit beside the names of commands; descriptions of options have an object."""


def walk_commands(group=command_line, above=("obs",)):
    """Yield the full name of every command, and the command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield " ".join((*above, name)), command
        if isinstance(command, click.Group):
            yield from walk_commands(command, (*above, name))


COMMANDS_BY_NAME = dict(walk_commands())


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_helps_begin_with_a_short_imperative(name):
    first = inspect.cleandoc(COMMANDS_BY_NAME[name].help).split("\n")[0]
    assert len(first) <= MOST_LETTERS
    assert first.endswith(".")
    assert not re.match(r"\w+[^s]s\b", first), "an imperative, not what the command does"
    words = name.split()
    assert len(words) > 2 or COMMANDS[words[1]][1] == first, "the list of commands says the same"


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_options_are_understood_alone(name):
    told = {
        option.opts[0]: option.help or ""
        for option in COMMANDS_BY_NAME[name].params
        if isinstance(option, click.Option)
    }
    assert {opt: text for opt, text in told.items() if len(text.split()) < FEWEST_WORDS or not text.endswith(".")} == {}
    assert {opt: text for opt, text in told.items() if text.startswith((*POINTERS, "How", "Where", "The same"))} == {}


def test_long_lists_of_options_are_in_groups():
    command = COMMANDS_BY_NAME["obs process"]
    context = click.Context(command)
    groups = group_options(command, context)
    assert list(groups) == ["Selection", "Output", "Settings", "Processes", "Messages and errors", "Versions"]
    assert sorted(option.name for found in groups.values() for option in found) == sorted(
        option.name for option in command.get_params(context) if isinstance(option, click.Option)
    )
    short = COMMANDS_BY_NAME["obs init"]
    assert list(group_options(short, click.Context(short))) == ["Options"]


SUMMARY_WORDS = 5


def documented_names():
    """Yield place, docstring and arguments of each public class and function; helps have tests of their own."""
    for folder in ("core/obs", "obs_plugins"):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            if "commands" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    place = f"{path.relative_to(CHECKOUT)}:{node.lineno}: {node.name}"
                    yield place, ast.get_docstring(node) or "", list_arguments(node)


def list_arguments(node):
    """Return the names of a function's arguments; None for a class, which may inherit them."""
    if isinstance(node, ast.ClassDef):
        return None
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return {argument.arg for argument in (*named, node.args.vararg, node.args.kwarg) if argument is not None}


PARAMETERS = re.compile(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\S[^\n]*\n---|\Z)", re.DOTALL | re.MULTILINE)


def find_faulty_parameters(docstring, arguments):
    """Yield the entries of parameters without a type, or of arguments that the function does not have."""
    for section in PARAMETERS.findall(docstring):
        for line in section.split("\n"):
            if line and not line.startswith(" "):
                names, colon, _ = line.partition(" : ")
                known = {name.strip().lstrip("*") for name in names.split(",")}
                if not colon or (arguments is not None and not known <= arguments):
                    yield line


def test_summaries_have_an_object_and_parameters_a_type():
    short, faulty = [], []
    for place, docstring, arguments in documented_names():
        summary = docstring.split("\n\n")[0]
        if summary and len(summary.split()) < SUMMARY_WORDS:
            short.append((place, summary))
        faulty += [(place, line) for line in find_faulty_parameters(docstring, arguments)]
    assert short == []
    assert faulty == []


RIDDLES = re.compile(
    r"(?:doubt|told|tells?|held|hold_against|holds_against|grab|give|sha|stands?_out|mend|lacks?|own_light|part_of)"
)
"""Names of functions, whole, that say nothing to a reader."""


def test_names_of_functions_are_verbs_and_nouns_of_the_field():
    names = {place.rpartition(": ")[2]: place for place, *_ in documented_names()}
    assert [place for name, place in names.items() if RIDDLES.fullmatch(name)] == []
    assert [place for name, place in names.items() if re.match(r"(?:doubt|hold|mend|tell)_", name)] == []
