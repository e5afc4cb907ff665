"""A share of many data IDs, for job arrays."""

import re
import zlib
from collections.abc import Sequence
from typing import TypeVar

from obs.errors import ConfigError
from obs.executor.outcome import DataId
from obs.frozen import frozen
from obs.policy.data_id import format_data_id

__all__ = ["Shard"]

D = TypeVar("D", bound=DataId)


@frozen
class Shard:
    """One of several shares that together hold each data ID once.

    Which share a data ID is in depends on itself alone, not on the others or on their order. So shares stay disjoint
    and complete if jobs start at different times, or frames arrive meanwhile. Their sizes differ by chance.

    Attributes
    ----------
    number, count : int
        Number of the share, from 1 to the number of shares.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read a share such as ``3/20``.

        Parameters
        ----------
        text : str
            Number of the share, from 1, and number of shares.

        Raises
        ------
        ConfigError
            If the text is no such share.
        """
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip(), re.ASCII)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ConfigError(
                f"--shard: expected NUMBER/COUNT, from 1/COUNT to COUNT/COUNT, such as 3/20; got '{text}'"
            )
        return cls(int(match[1]), int(match[2]))

    def take(self, data_ids: Sequence[D]) -> list[D]:
        """Return the data IDs of this share, in their order.

        Parameters
        ----------
        data_ids : sequence
            Data IDs of the whole run. The share of each follows from the data ID alone.
        """
        return [known for known in data_ids if _number(known) % self.count == self.number - 1]


def _number(data_id: DataId) -> int:
    """Return a number that is the same on every machine, whatever the order of the keys."""
    return zlib.crc32(format_data_id(dict(sorted(data_id.items()))).encode("utf-8", "surrogateescape"))
