"""The calibrations of a repository: their places, and the registry of the days for which each is valid.

A calibration is valid for some days before and after its date; where two would overlap, each is valid up to the middle.
Those of `UNTIL_SUPERSEDED` are valid until the next one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, RepositoryError
from obs.frozen import frozen
from obs.policy.data_id import DataId, cast_data_id, format_data_id
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.policy.policy import Policy
from obs.repo.butler import Butler
from obs.repo.database_file import is_registry
from obs.repo.file_keys import COMPRESSED
from obs.repo.fresh_folder import adopt
from obs.repo.key_sources import CALIB_REGISTRY
from obs.repo.links_out import check_inside
from obs.repo.registry import Registry
from obs.repo.transaction import Transaction

__all__ = [
    "UNTIL_SUPERSEDED",
    "CalibStore",
    "Calibration",
    "calib_types",
    "format_calib_id",
    "validity_ranges",
]

#: Types that are valid until the next one, and the last of them for good.
UNTIL_SUPERSEDED = ("defects", "qe_curve", "linearizer", "crosstalk")

_FOR_GOOD = date(2037, 12, 31)
_DATE, _START, _END = "calibDate", "validStart", "validEnd"
_NO_FILTER = "NONE"
#: A registry without any table.
_NOWHERE = "sqlite://"
_TYPE_NAMES = {int: "int", float: "double", str: "text"}


@frozen
class Calibration:
    """A calibration in the registry.

    Parameters
    ----------
    dataset_type : str
        ``bias``, ``flat``, ...
    data_id : dict
        Its keys, with ``calibDate``.
    valid_start, valid_end : str
        First and last day for which it is valid.
    path : Path or None
        Its file; None if that is not there.
    """

    dataset_type: str
    data_id: dict[str, Any]
    valid_start: str
    valid_end: str
    path: Path | None = None


def calib_types(policy: Policy) -> dict[str, DatasetType]:
    """Return the dataset types that are chosen by their validity."""
    return {
        name: kind
        for name, kind in policy.dataset_types.items()
        if kind.is_calibration and kind.template and kind.valid_range and _DATE in kind.keys
    }


def format_calib_id(data_id: Mapping[str, Any]) -> str:
    """Return the card CALIB_ID, such as ``filter=NONE calibDate=2020-09-04 ccd=23``.

    Parameters
    ----------
    data_id : mapping
        All keys of the calibration; the filter and the date come first.
    """
    order = sorted(data_id, key=lambda key: (key != "filter", key != _DATE))
    return format_data_id({key: data_id[key] for key in order})


def validity_ranges(dates: Sequence[date], days: int, *, until_superseded: bool = False) -> list[tuple[date, date]]:
    """Return the first and the last valid day of calibrations that replace one another.

    Parameters
    ----------
    dates : sequence of date
        Their dates, rising.
    days : int
        How long before and after its date one is valid, if no other is nearer.
    until_superseded : bool, default: False
        Whether each is valid from its date to that of the next.

    Returns
    -------
    list of (date, date)
        Of neighbors that meet, the last day of one is the first of the next: compared as text, a moment on a day is
        after that day, and so belongs to the next.
    """
    if until_superseded:
        return list(zip(dates, [*dates[1:], _FOR_GOOD], strict=True))
    length = timedelta(days=days)
    starts, ends = [day - length for day in dates], [day + length for day in dates]
    for this, (day, following) in enumerate(pairwise(dates)):
        if ends[this] > starts[this + 1]:
            after_middle = day + (following - day) // 2 + timedelta(days=1)
            ends[this] = starts[this + 1] = after_middle
    return list(zip(starts, ends, strict=True))


class CalibStore:
    """The calibrations of a repository: their folder and their registry.

    Parameters
    ----------
    butler : Butler
        The repository.
    read_only : bool
        Make nothing; where there is no registry, there are no calibrations.

    Raises
    ------
    RepositoryError
        If the repository is not ours to write to.
    OutputError
        If the registry cannot be made.
    """

    def __init__(self, butler: Butler, *, read_only: bool = False) -> None:
        self.butler, self.types = butler, calib_types(butler.policy)
        registry_path = butler.policy.calib_registry_path
        self.root = butler.calib_root
        if not registry_path and not is_registry(self.root / CALIB_REGISTRY) and self.root == butler.root:
            self.root = butler.root / "CALIB"
        place = butler.root / registry_path if registry_path else self.root / CALIB_REGISTRY
        if not read_only:
            if self.root.is_relative_to(butler.root) and not adopt(butler.root, butler.instrument.name):
                raise RepositoryError(
                    f"{self.root} is in {butler.root}, a repository of another program, which is only read; make a "
                    "folder outside of it for calibrations, and name it with --calib",
                    path=butler.root,
                )
            check_inside(place)
            place.parent.mkdir(parents=True, exist_ok=True)
        is_there = is_registry(place)
        self.registry = Registry(place if is_there or not read_only else _NOWHERE, read_only=read_only)
        keys = {key: kind for known in self.types.values() for key, kind in known.keys.items() if key != _DATE}
        self.keys = dict(sorted(keys.items(), key=lambda item: item[0] != "filter"))
        if not read_only:
            with self.registry.transaction() as changes:
                for name in self.types:
                    self._make_table(changes, name)

    def clear(self) -> None:
        """Forget all calibrations; their files stay.

        Raises
        ------
        OutputError
            If the registry cannot be written.
        """
        with self.registry.transaction() as changes:
            for name in self.types:
                changes.drop_table(self._table(name))
                self._make_table(changes, name)

    def _make_table(self, changes: Transaction, name: str) -> None:
        columns = {key: _TYPE_NAMES[kind] for key, kind in self.keys.items()}
        columns |= dict.fromkeys((_DATE, *self._validity(name)), "text")
        changes.create_table(self._table(name), columns, [*self.keys, _DATE])

    def _table(self, name: str) -> str:
        return self.types[name].tables[0] if self.types[name].tables else name

    def _validity(self, name: str) -> tuple[str, str]:
        return self.types[name].valid_start, self.types[name].valid_end

    def find(self, name: str) -> list[Calibration]:
        """Return the calibrations of a type, sorted by their keys and dates.

        Parameters
        ----------
        name : str
            Type of the calibration, for example "bias".
        """
        return self._find(self.registry, name)

    def _find(self, source: Registry | Transaction, name: str) -> list[Calibration]:
        table, (start, end) = self._table(name), self._validity(name)
        if not self.registry.has_table(table):
            return []
        keys = [key for key in (*self.keys, _DATE) if key in self.registry.columns([table])]
        found = []
        for row in source.lookup([*keys, start, end], {}, [table]):
            data_id = {key: value for key, value in zip(keys, row, strict=False) if value is not None}
            found.append(Calibration(name, data_id, row[-2], row[-1], self.path(name, data_id)))
        return found

    def registered(self, source: Registry | Transaction | None = None) -> list[tuple[str, DataId]]:
        """Return types and data IDs of all calibrations, as a transaction sees them if one is given.

        Parameters
        ----------
        source : Registry or Transaction, optional
            Registry to ask. By default that of the calibrations.
        """
        source = source or self.registry
        return [(name, found.data_id) for name in self.types for found in self._find(source, name)]

    def known(self, source: Registry | Transaction | None = None) -> set[tuple[str, str]]:
        """Return types and data IDs as text of all calibrations.

        Parameters
        ----------
        source : Registry or Transaction, optional
            Registry to ask. By default that of the calibrations.
        """
        return {(name, format_data_id(data_id)) for name, data_id in self.registered(source)}

    def target(self, name: str, data_id: Mapping[str, Any]) -> Path:
        """Return where a calibration belongs.

        Parameters
        ----------
        name : str
            Type of the calibration, for example "bias".
        data_id : mapping
            All keys of its template.
        """
        return self.root / split_hdu(self.types[name].format(data_id))[0]

    def path(self, name: str, data_id: Mapping[str, Any]) -> Path | None:
        """Return the file of a calibration, also compressed; None if there is none.

        Parameters
        ----------
        name : str
            Type of the calibration, for example "bias".
        data_id : mapping
            All keys of its template.
        """
        target = self.target(name, data_id)
        places = (target.with_name(target.name + ending) for ending in COMPRESSED)
        return next((place for place in places if place.is_file()), None)

    def complete(self, name: str, data_id: Mapping[str, Any]) -> DataId:
        """Return the values of all columns of the registry; what a type does not depend on is ``NONE``.

        Parameters
        ----------
        name : str
            Type of the calibration, for example "bias".
        data_id : mapping
            Keys and values; others than those of the registry are left out.

        Raises
        ------
        DataIdError
            If a key that the type depends on is missing, or a value is not of its type.
        """
        kind = self.types[name]
        cast = cast_data_id({k: v for k, v in data_id.items() if k in (*self.keys, _DATE)}, {**self.keys, _DATE: str})
        lacking = [key for key in kind.keys if key not in cast]
        if lacking:
            raise DataIdError(f"the {name} does not say {', '.join(lacking)} (given: {format_data_id(cast)})")
        _parse_date(str(cast[_DATE]))
        own = {key: value for key, value in cast.items() if key in kind.keys}
        none = {key: _NO_FILTER for key, type_ in self.keys.items() if type_ is str}
        return {key: value for key in (*self.keys, _DATE) if (value := own.get(key, none.get(key))) is not None}

    def add(self, entries: Iterable[tuple[str, Mapping[str, Any]]], days: int) -> None:
        """Register calibrations, and share the days among all that are alike but for the date.

        Parameters
        ----------
        entries : iterable of tuple
            Dataset types and data IDs, from `complete`; one that is there already is kept.
        days : int
            Validity before and after the date.

        Raises
        ------
        OutputError
            If the registry cannot be written.
        """
        with self.registry.transaction() as changes:
            self.add_within(changes, entries, days)

    def add_within(self, changes: Transaction, entries: Iterable[tuple[str, Mapping[str, Any]]], days: int) -> None:
        """Do what `add` does within a transaction, which may put the files in their places too.

        Parameters
        ----------
        changes : Transaction
            Open transaction of the registry.
        entries : iterable of tuple of str and mapping
            Type and data ID of each new calibration.
        days : int
            Days before and after its date for which a calibration may count, unless another one is closer.
        """
        groups: dict[tuple[str, tuple[tuple[str, Any], ...]], set[str]] = {}
        for name, data_id in entries:
            same = tuple((key, value) for key, value in data_id.items() if key != _DATE)
            groups.setdefault((name, same), set()).add(str(data_id[_DATE]))
        for (name, same), dates in groups.items():
            where = dict(same)
            there = {str(c.data_id[_DATE]) for c in self._find(changes, name) if _without_date(c.data_id) == where}
            rising = sorted(_parse_date(text) for text in dates | there)
            start, end = self._validity(name)
            ranges = validity_ranges(rising, days, until_superseded=name in UNTIL_SUPERSEDED)
            changes.delete(self._table(name), where)
            changes.insert(
                self._table(name),
                [
                    {**where, _DATE: day.isoformat(), start: first.isoformat(), end: last.isoformat()}
                    for day, (first, last) in zip(rising, ranges, strict=True)
                ],
            )

    def remove(self, entries: Iterable[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, DataId]]:
        """Forget calibrations whose files are gone; their days go to those that are alike but for the date.

        Parameters
        ----------
        entries : iterable of tuple
            Dataset types and data IDs, as `registered` returns them.

        Returns
        -------
        list of (str, dict)
            Those that were forgotten: a file that has come back in the meantime keeps its row.

        Raises
        ------
        OutputError
            If the registry cannot be written.
        """
        forgotten = []
        with self.registry.transaction() as changes:
            for name, data_id in entries:
                if self.path(name, data_id) is not None:
                    continue
                others = [c for c in self._find(changes, name) if _without_date(c.data_id) == _without_date(data_id)]
                kept = [other for other in others if other.data_id != data_id]
                changes.delete(self._table(name), data_id)
                if kept:
                    self.add_within(changes, [(name, other.data_id) for other in kept], max(map(_half_length, others)))
                forgotten.append((name, dict(data_id)))
        return forgotten


def _half_length(calibration: Calibration) -> int:
    """Return for how many days before or after its date a calibration is valid."""
    day = _parse_date(str(calibration.data_id[_DATE]))
    ends = [_parse_date(text[:10]) for text in (calibration.valid_start, calibration.valid_end)]
    return max(abs((end - day).days) for end in ends)


def _without_date(data_id: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data_id.items() if key != _DATE}


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataIdError(f"{_DATE} '{text}' is not a date like 2020-09-04", key=_DATE) from None
