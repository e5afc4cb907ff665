"""Facts about an object as text and as HTML, for its ``repr`` and for notebooks."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

__all__ = ["facts_html", "facts_text", "format_rows", "rows_html"]

_LONGEST = 300
"""Characters of a value."""


def facts_text(title: str, facts: Mapping[str, object]) -> str:
    """Return a title and a line for each fact that is known.

    Parameters
    ----------
    title : str
        Class and size, for example.
    facts : mapping of str to object
        Name to value; None and empty text are left out.
    """
    known = _known(facts)
    width = max(map(len, known), default=0)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in known.items())])


def facts_html(title: str, facts: Mapping[str, object], *, picture: str = "", below: str = "") -> str:
    """Return the same as HTML; title and facts are escaped.

    Parameters
    ----------
    title : str
        Class and size, for example.
    facts : mapping of str to object
        Name to value; None and empty text are left out.
    picture : str, optional
        An image as a ``data:`` address, shown beside the facts.
    below : str, optional
        HTML that follows the facts, such as that of `rows_html`.
    """
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in _known(facts).items()
    )
    image = f'<img src="{escape(picture)}" alt="{escape(title)}" style="max-width:256px">' if picture else ""
    return (
        f'<div><strong>{escape(title)}</strong><div style="display:flex;gap:1em;align-items:flex-start">'
        f"<table>{rows}</table>{image}</div>{below}</div>"
    )


def rows_html(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML; every cell is escaped.

    Parameters
    ----------
    headers : sequence of str
        Titles of the columns.
    rows : iterable of sequence
        Cells. Long ones are shortened.
    """
    head = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "".join("<tr>" + "".join(f"<td>{escape(_short(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="overflow-x:auto">{table}</div>'


def format_rows(headers: Sequence[str], units: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as text, its second line with units.

    Parameters
    ----------
    headers : sequence of str
        Titles of the columns.
    units : sequence of str
        Unit of each column.
    rows : iterable of sequence of str
        Cells.
    """
    lines = [headers, units, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "\n".join(
        "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _known(facts: Mapping[str, object]) -> dict[str, str]:
    return {name: _short(value) for name, value in facts.items() if value is not None and value != ""}


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
