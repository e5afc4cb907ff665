"""Numbers of things, as texts have them."""

__all__ = ["count_of"]


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
