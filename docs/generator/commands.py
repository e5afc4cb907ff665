"""A page for each command, from its help."""

import inspect
import re
from collections.abc import Iterator

import click

from generator.markdown import escape, table
from obs.cli.main import COMMANDS, command_line
from obs.cli.option_groups import group_options

__all__ = ["command_pages", "walk"]


def walk(group: click.Group = command_line, above: tuple[str, ...] = ("obs",)) -> Iterator[tuple[str, click.Command]]:
    """Yield the full name of every command, groups before what is in them, and the command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(f"the group {' '.join(above)} lists a command {name} that it does not have")
        yield " ".join((*above, name)), command
        if isinstance(command, click.Group):
            yield from walk(command, (*above, name))


def command_pages() -> dict[str, str]:
    """Return the pages by file name, and their list as ``index``."""
    found = list(walk())
    pages = {_stem(name): _page(name, command) for name, command in found}
    lines = [
        "# Commands",
        "",
        "Every command prints its page with `--help`. A word that begins with `@` stands for the words in a file. "
        "The exit status is 0 after success, 1 if something failed, and 2 for a command that cannot be understood.",
        "",
        table(
            ("command", "purpose"),
            ((f"[`{name}`]({_stem(name)}.md)", escape(_summary(name, command))) for name, command in found),
        ),
        "```{toctree}",
        ":hidden:",
        "",
        *pages,
        "```",
    ]
    return {"index": "\n".join(lines) + "\n", **pages}


def _stem(name: str) -> str:
    return name.replace(" ", "-")


def _summary(name: str, command: click.Command) -> str:
    words = name.split()
    return COMMANDS[words[1]][1] if len(words) == 2 else command.get_short_help_str(200)


def _page(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"# {name}", "", *_paragraphs(command.help or ""), "```text", f"{name} {usage}", "```", ""]
    for title, options in group_options(command, context).items():
        records = filter(None, (option.get_help_record(context) for option in options))
        rows = [(f"`{spelling}`".replace("|", "\\|"), escape(text)) for spelling, text in records]
        lines += [f"## {title}", "", table(("option", "meaning"), rows)]
    if isinstance(command, click.Group):
        rows = [
            (f"[`{name} {part}`]({_stem(f'{name} {part}')}.md)", escape(below.get_short_help_str(200)))
            for part, below in command.commands.items()
        ]
        lines += ["## Commands", "", table(("command", "purpose"), rows)]
    examples = re.findall(r"^ {2}(\S.*)$", command.epilog or "", re.MULTILINE)
    if examples:
        lines += ["## Examples", "", "```sh", *examples, "```", ""]
    return "\n".join(lines)


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a docstring, words in capitals as code."""
    for paragraph in inspect.cleandoc(text).replace("\b", "").split("\n\n"):
        yield re.sub(r"(?<![\w`])(@?[A-Z][A-Z_|]{2,}(?:\.\.\.)?)(?![\w`])", r"`\1`", escape(paragraph))
        yield ""
