"""Many data IDs in little memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from obs.policy.data_id import DataId

__all__ = ["DataIds"]


class DataIds(Sequence[DataId]):
    """A sequence of data IDs that have the same keys.

    Keys are kept once, and values as the rows that a registry gives. A data ID is made each time that it is asked for,
    so that changes of one stay with who asked.

    Parameters
    ----------
    keys : sequence of str
        The keys.
    rows : sequence of tuple
        The values of each data ID, in the order of the keys.
    """

    def __init__(self, keys: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        self._keys = tuple(keys)
        self._rows = rows

    @classmethod
    def joined(cls, parts: Sequence["DataIds"], keys: Sequence[str]) -> "DataIds":
        """Return data IDs of the same keys, each of them once, in the order in which they come first.

        Parameters
        ----------
        parts : sequence of DataIds
            Any number of them.
        keys : sequence of str
            Their keys.
        """
        rows = parts[0]._rows if len(parts) == 1 else list(dict.fromkeys(row for part in parts for row in part._rows))
        return cls(keys, rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[DataId]:
        return map(self._made, self._rows)

    @overload
    def __getitem__(self, index: int) -> DataId: ...

    @overload
    def __getitem__(self, index: slice) -> "DataIds": ...

    def __getitem__(self, index: int | slice) -> "DataId | DataIds":
        if isinstance(index, slice):
            return DataIds(self._keys, self._rows[index])
        return self._made(self._rows[index])

    def where(self, wanted: Callable[[DataId], bool]) -> "DataIds":
        """Return those data IDs that are wanted.

        Parameters
        ----------
        wanted : callable
            Given a data ID, returns whether it is.
        """
        return DataIds(self._keys, [row for row in self._rows if wanted(self._made(row))])

    def __repr__(self) -> str:
        return repr(list(self))

    def _made(self, row: tuple[Any, ...]) -> DataId:
        return dict(zip(self._keys, row, strict=True))
