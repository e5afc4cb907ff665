"""Plain text tables."""

from collections.abc import Sequence

__all__ = ["format_table"]


def format_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> str:
    """Return rows below their headers in aligned columns.

    Parameters
    ----------
    headers : sequence of str
        One for each column.
    rows : sequence of sequence of str
        The cells.
    right : str, default: ""
        A letter for each column: ``r`` aligns it to the right, anything else to the left.
    """
    sides = right.ljust(len(headers))
    widths = [max(len(row[column]) for row in [headers, *rows]) for column in range(len(headers))]
    lines = [
        "  ".join(
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, sides, strict=True)
        ).rstrip()
        for row in [headers, *rows]
    ]
    return "\n".join(lines)
