"""Numbers of things and lists of words, as texts have them."""

from collections.abc import Iterable

__all__ = ["count_of", "list_of"]


def count_of(number: int, noun: str) -> str:
    """Return a number and a noun, ``1 file`` or ``3 files``.

    Parameters
    ----------
    number : int
        How many there are.
    noun : str
        The singular of a noun whose plural ends in ``s``.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def list_of(words: Iterable[str]) -> str:
    """Return words as a text lists them, ``bias, dark and flat``.

    Parameters
    ----------
    words : iterable of str
        One or more.
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
