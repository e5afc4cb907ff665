"""Bring two changes of one text together, line by line.

Written here because the packages that do it have licences that ours does not go with.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from obs.frozen import frozen

__all__ = ["Chunk", "merge_texts", "with_markers"]


@frozen
class Chunk:
    """Lines that are settled, or that both sides changed.

    Parameters
    ----------
    mine : tuple of str
        The lines; where there is a conflict, those of the owner.
    theirs : tuple of str or None
        Where there is a conflict, the lines of the other side.
    """

    mine: tuple[str, ...]
    theirs: tuple[str, ...] | None = None


def merge_texts(base: str, mine: str, theirs: str) -> list[Chunk]:
    """Merge what two sides made of a text.

    Parameters
    ----------
    base, mine, theirs : str
        The text before, and with the changes of either side.

    Returns
    -------
    list of Chunk
        In order; put together with `with_markers`.
    """
    return list(_chunks(*(text.splitlines(keepends=True) for text in (base, mine, theirs))))


def with_markers(chunks: Sequence[Chunk], *, mine: str, theirs: str) -> str:
    """Return the merged text, conflicts between markers as git has them, named by the two sides.

    Parameters
    ----------
    chunks : sequence of Chunk
        Merged text in pieces.
    mine, theirs : str
        Names of the two sides.
    """
    lines: list[str] = []
    for chunk in chunks:
        if chunk.theirs is None:
            lines += chunk.mine
            continue
        lines += [f"<<<<<<< {mine}\n", *_ended(chunk.mine), "=======\n", *_ended(chunk.theirs), f">>>>>>> {theirs}\n"]
    return "".join(lines)


def _ended(lines: Sequence[str]) -> list[str]:
    """Return lines of which the last one has an end, too."""
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _chunks(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[Chunk]:
    at_base = at_mine = at_theirs = 0
    for start, length, in_mine, in_theirs in _common(base, mine, theirs):
        before = base[at_base:start]
        yield from _decide(before, mine[at_mine:in_mine], theirs[at_theirs:in_theirs])
        if length:
            yield Chunk(tuple(base[start : start + length]))
        at_base, at_mine, at_theirs = start + length, in_mine + length, in_theirs + length


def _decide(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[Chunk]:
    if theirs == base or mine == theirs:
        yield Chunk(tuple(mine))
    elif mine == base:
        yield Chunk(tuple(theirs))
    else:
        yield Chunk(tuple(mine), tuple(theirs))


def _common(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Give the runs of lines that are in all three: where in the base, how many, where in either side; the end last."""
    ours = SequenceMatcher(None, base, mine, autojunk=False).get_matching_blocks()
    others = SequenceMatcher(None, base, theirs, autojunk=False).get_matching_blocks()
    i = j = 0
    while i < len(ours) - 1 and j < len(others) - 1:
        one, other = ours[i], others[j]
        start, end = max(one.a, other.a), min(one.a + one.size, other.a + other.size)
        if start < end:
            yield start, end - start, one.b + start - one.a, other.b + start - other.a
        if one.a + one.size < other.a + other.size:
            i += 1
        else:
            j += 1
    yield len(base), 0, len(mine), len(theirs)
