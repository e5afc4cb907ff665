"""Which of the installed cameras a header is of."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from obs.errors import ObsError
from obs.instrument.discovery import discover
from obs.instrument.translator import Translator

__all__ = ["recognize"]


def recognize(header: Mapping[str, Any]) -> str:
    """Return the name of the installed camera that a header is of; empty if none or several say so.

    Parameters
    ----------
    header : mapping
        Cards.
    """
    found = [name for name, translator in _translators() if translator.recognizes(header)]
    return found[0] if len(found) == 1 else ""


@cache
def _translators() -> tuple[tuple[str, Translator], ...]:
    """Return the translators of all installed cameras by their names."""
    made = []
    for name, found in discover().instruments.items():
        try:
            made.append((name, found.instrument.make_translator()))
        except ObsError:
            continue  # reported where that camera is used
    return tuple(made)
