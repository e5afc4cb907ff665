"""How the files of one detector are told apart that hold an amplifier each."""

import re
from collections.abc import Mapping
from typing import Any

from obs.frozen import frozen
from obs.instrument.header import FILE_NAME

__all__ = ["AmplifierFiles"]


@frozen
class AmplifierFiles:
    """Names the amplifier of a file that holds one.

    Parameters
    ----------
    keyword : str
        The card; `obs.instrument.header.FILE_NAME` for the name of the file.
    names : tuple of str
        Its values, in the order in which the amplifiers have extensions where their files are put together.
    part : int
        Which run of letters and digits names it, where that is the name of the file.
    """

    keyword: str
    names: tuple[str, ...]
    part: int = 0

    def find(self, header: Mapping[str, Any]) -> str | None:
        """Return the name of the amplifier; None for a file that is not one of an amplifier.

        Parameters
        ----------
        header : mapping
            Cards, with the name of the file as a card.
        """
        value = str(header.get(self.keyword, "")).strip()
        if self.keyword == FILE_NAME:
            parts = re.split(r"[^A-Za-z0-9]+", value)
            value = parts[self.part] if self.part < len(parts) else ""
        return value if value in self.names else None
