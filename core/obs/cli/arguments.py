"""Arguments as users of the LSST stack write them: options with several words, and ``@file``."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from obs.cli.option_groups import group_options
from obs.errors import ConfigError
from obs.small_file import read_small_text

__all__ = ["MANY_WORDS", "ManyWordsCommand", "expand_files"]

#: Options that take all words up to the next option, by every spelling: name of the parameter they go to.
MANY_WORDS = {
    "--id": "ids",
    "--bad-id": "bad_ids",
    "--badId": "bad_ids",
    "--select-id": "select_ids",
    "--selectId": "select_ids",
    "--set": "given",
    "--calib-id": "calib_ids",
    "--calibId": "calib_ids",
    "--bad-file": "bad_files",
    "--badFile": "bad_files",
    "-c": "overrides",
    "--config": "overrides",
    "-C": "overrides",
    "--configfile": "overrides",
    "--show": "show",
    "--from": "from_files",
    "-L": "log_levels",
    "--loglevel": "log_levels",
    "--log-level": "log_levels",
}
#: Of these, every use on the command line is kept apart.
_KEPT_APART = ("ids", "bad_ids", "calib_ids", "select_ids")


class ManyWordsCommand(click.Command):
    """A command of whose options some take several words, such as ``--id visit=1 ccd=2``.

    These options are declared to click for the help (with ``expose_value=False``); what they hold is collected here,
    in the order of the command line, and handed to the command as the parameter that `MANY_WORDS` names:

    - ``ids``, ``bad_ids``, ``calib_ids``: list of lists of words, one for each ``--id`` and so on
    - ``overrides``: list of (``"c"`` or ``"C"``, word), so that ``-c`` and ``-C`` keep their order
    - ``show``, ``log_levels``, ``bad_files``, ``from_files``, ``given``: list of words

    Long options may be abbreviated as far as they stay unique, as in the LSST stack.
    """

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Take out the options with several words, and leave the rest to click."""
        known = [*dict.fromkeys(spelling for parameter in self.params for spelling in parameter.opts), "--help"]
        many = {spelling: target for spelling, target in MANY_WORDS.items() if spelling in known}
        collected: dict[str, list[Any]] = {target: [] for target in many.values()}
        rest: list[str] = []
        words = list(expand_files(arguments))
        while words:
            if words[0] == "--":
                rest += words
                break
            word = _complete(words.pop(0), known, context)
            spelling, values = _split(word, many)
            if spelling is None:
                rest.append(word)
                continue
            while words and not words[0].startswith("-"):
                values.append(words.pop(0))
            target = many[spelling]
            if target in _KEPT_APART:
                collected[target].append(values)
                continue
            if not values:
                raise click.BadOptionUsage(spelling, f"Option '{spelling}' requires an argument.", context)
            kind = "C" if spelling in ("-C", "--configfile") else "c"
            collected[target] += [(kind, value) for value in values] if target == "overrides" else values
        try:
            remaining = super().parse_args(context, rest)
        except click.MissingParameter as error:
            taken = [value for values in collected["ids"] for value in values] if "ids" in collected else []
            if isinstance(error.param, click.Argument) and any("=" not in value for value in taken):
                hint = "Put it before --id, which takes all words after it"
                raise click.MissingParameter(hint, context, error.param) from None
            raise
        context.params.update(collected)
        return remaining

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, long lists of them in groups."""
        for title, options in group_options(self, context).items():
            with formatter.section(title):
                formatter.write_dl([record for option in options if (record := option.get_help_record(context))])


def _complete(word: str, known: Sequence[str], context: click.Context) -> str:
    """Return a word, written out if it is the beginning of one long option only.

    Raises
    ------
    click.NoSuchOption
        If several begin with it.
    """
    name, equals, value = word.partition("=")
    if not name.startswith("--") or name in known:
        return word
    found = [spelling for spelling in known if spelling.startswith(name)]
    if len(found) > 1:
        raise click.NoSuchOption(name, possibilities=found, ctx=context)
    return found[0] + equals + value if found else word


def _split(word: str, many: dict[str, str]) -> tuple[str | None, list[str]]:
    """Split ``--id=visit=1`` or ``-cname=value`` into the option and its first word."""
    if word in many:
        return word, []
    for spelling in many:
        if spelling.startswith("--") and word.startswith(f"{spelling}="):
            return spelling, [word.removeprefix(f"{spelling}=")]
        if not spelling.startswith("--") and word.startswith(spelling) and not word.startswith("--"):
            return spelling, [word.removeprefix(spelling)]
    return None, [word]


def expand_files(arguments: Sequence[str], above: tuple[Path, ...] = ()) -> Iterator[str]:
    """Replace every ``@file`` by the words in that file: quoted as in a shell, ``#`` starts a comment.

    Raises
    ------
    click.UsageError
        For a file that cannot be read, has an open quote, or names itself.
    """
    for word in arguments:
        if not word.startswith("@"):
            yield word
            continue
        path = Path(word[1:])
        if path.resolve() in (known.resolve() for known in above):
            raise click.UsageError(f"{path}: this file of arguments names itself")
        try:
            words = shlex.split(read_small_text(path, error=ConfigError), comments=True)
        except ConfigError as problem:
            reason = str(problem).removeprefix(f"{path}: ").replace("this file", "this file of arguments")
            raise click.UsageError(f"{path}: {reason}") from None
        except ValueError as problem:
            raise click.UsageError(f"{path}: this file of arguments cannot be read: {problem}") from None
        yield from expand_files(words, (*above, path))
