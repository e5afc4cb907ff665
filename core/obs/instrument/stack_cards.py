"""Cards by which programs say of how many frames an image was made."""

from typing import Protocol

__all__ = ["count_stacked"]

_STACKS = ("STACKCNT", "NCOMBINE", "STACKED", "NSTACK", "NIMAGES", "NFRAMES", "SNAPSHOT", "IMCMB001", "NUMFRAME")


class _Header(Protocol):
    def get(self, name: str, /) -> object: ...

    def __contains__(self, name: object, /) -> bool: ...


def count_stacked(header: _Header) -> tuple[int, str]:
    """Return how many frames were combined to one, 0 for a single frame, and the card that says so.

    Parameters
    ----------
    header : mapping
        Cards of the frame.
    """
    for name in _STACKS:
        value = header.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 1 and name != "IMCMB001":
            return int(value), name
        if name == "IMCMB001" and isinstance(value, str):
            count = sum(f"IMCMB{number:03d}" in header for number in range(1, 1000))
            return (count, name) if count > 1 else (0, "")
    return 0, ""
