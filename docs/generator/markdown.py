"""Markdown in pieces."""

from collections.abc import Iterable, Sequence

__all__ = ["code", "escape", "table"]


def escape(text: str) -> str:
    """Return text that may stand in a cell: on one line, and nothing in it taken for markup but code."""
    pieces = " ".join(text.split()).replace("|", "\\|").split("`")
    for index in range(0, len(pieces), 2):  # what is between backticks stays as it is
        for letter in "\\*_<>[]":
            if letter != "\\":
                pieces[index] = pieces[index].replace(letter, f"\\{letter}")
    return "`".join(pieces)


def code(text: object) -> str:
    """Return text in code letters for a cell; nothing for an empty one."""
    return f"`{text}`".replace("|", "\\|") if str(text) else ""


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
