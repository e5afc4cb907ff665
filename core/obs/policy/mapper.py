"""From a dataset type and a data ID to a path: key types, levels, and the lookup of missing keys."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError, suggest
from obs.policy.data_id import DataId, cast_data_id, format_data_id
from obs.policy.dataset_type import DatasetType
from obs.policy.key_source import KeySource, present_tables
from obs.policy.policy import Policy
from obs.policy.valid_calibrations import find_valid_rows, none_valid_error

__all__ = ["SUFFIXES", "KeySource", "Mapper"]

#: Parts of a dataset that can be read by themselves, as in ``calexp_wcs``.
SUFFIXES = (
    "header_wcs",
    "filename",
    "md",
    "sub",
    "wcs",
    "bbox",
    "len",
    "schema",
    "visitInfo",
    "photoCalib",
    "psf",
    "filter",
    "detector",
)

#: Keys of the sky map; no registry of exposures knows them.
_SKY_KEYS = ("tract", "patch")
#: What the table of visits is asked for instead of the table of all frames.
_VISIT_COLUMNS = {"filter", "expTime", "taiObs"}
#: What a calibration that is not made per filter does not depend on.
_FILTER_KEYS = {"filter", "physical_filter", "band"}


class Mapper:
    """Knows where datasets live and how to complete a data ID.

    Parameters
    ----------
    policy : Policy
        The camera's policy.
    registry : callable
        Gives the source of exposure keys; called when the first key is missing.
    calib_registry : callable
        Gives the source of calibration keys; called likewise.
    folder_registry : callable, optional
        Gives the source of keys of a dataset type whose files are in a folder of their own, which it is given.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        registry: Callable[[], KeySource],
        calib_registry: Callable[[], KeySource],
        folder_registry: Callable[[Path], KeySource] | None = None,
    ) -> None:
        self.policy = policy
        self._registry, self._calib_registry, self._folder_registry = registry, calib_registry, folder_registry
        self._aliases: dict[str, str] = {}

    def define_alias(self, alias: str, dataset_type: str) -> None:
        """Make ``@alias`` an alias of a dataset type.

        Parameters
        ----------
        alias : str
            Name that begins with ``@``.
        dataset_type : str
            Name of the dataset type.

        Raises
        ------
        DataIdError
            If the alias does not start with ``@`` or stands for something else already.
        """
        if not alias.startswith("@"):
            raise DataIdError(f"an alias starts with '@', got '{alias}'")
        if self._aliases.setdefault(alias, dataset_type) != dataset_type:
            raise DataIdError(f"the alias {alias} already means '{self._aliases[alias]}'")

    def split(self, name: str) -> tuple[DatasetType, str]:
        """Split ``calexp_wcs`` into the dataset type and the suffix ``wcs``; no suffix gives ``""``.

        Parameters
        ----------
        name : str
            Name of a dataset type or of a part of one; it may begin with an alias.

        Raises
        ------
        DatasetNotFoundError
            If the policy has no such dataset type.
        """
        alias = next((known for known in self._aliases if name == known or name.startswith(f"{known}_")), None)
        if alias is not None:
            name = self._aliases[alias] + name[len(alias) :]
        types = self.policy.dataset_types
        if name in types:
            return types[name], ""
        for suffix in SUFFIXES:
            base = name.removesuffix(f"_{suffix}")
            if base != name and base in types:
                return types[base], suffix
        raise DatasetNotFoundError(
            f"the policy {self.policy.path} has no dataset type '{name}'{suggest(name, types)}", dataset_type=name
        )

    def dataset_type(self, name: str) -> DatasetType:
        """Return the dataset type of a name, which may have a suffix.

        Parameters
        ----------
        name : str
            Name of a dataset type or of a part of one; it may begin with an alias.

        Raises
        ------
        DatasetNotFoundError
            If the policy has no such dataset type.
        """
        return self.split(name)[0]

    def key_types(self, name: str | None = None, level: str | None = None) -> dict[str, type]:
        """Return the keys of a dataset type, or of all, and their types.

        Parameters
        ----------
        name : str, optional
            Dataset type; all of them if None.
        level : str, optional
            Leave out the keys that a data ID at this level lacks; ``""`` is the policy's default level, None keeps all.

        Raises
        ------
        DataIdError
            If the policy has no such level.
        """
        kinds = self.policy.dataset_types.values() if name is None else [self.dataset_type(name)]
        keys = {key: kind for dataset_type in kinds for key, kind in self._keys(dataset_type).items()}
        dropped = () if level is None else self._dropped(level or self.policy.default_level)
        return {key: kind for key, kind in keys.items() if key not in dropped}

    def _keys(self, dataset_type: DatasetType) -> Mapping[str, type]:
        """Return the keys of a dataset type; of a composite, those of the parts that are one dataset each."""
        single = [part for name, part in dataset_type.components.items() if name not in dataset_type.subsets]
        parts = [self.dataset_type(part).keys for part in single or dataset_type.components.values()]
        return {key: kind for keys in (dataset_type.keys, *parts) for key, kind in keys.items()}

    def id_keys(self, name: str) -> dict[str, type]:
        """Return every key that a data ID of this type may have: the template's, and what the registry can look up.

        Parameters
        ----------
        name : str
            Name of the dataset type.

        Returns
        -------
        dict of str to type
            Key to ``int``, ``float`` or ``str``; those of the template come first.
        """
        dataset_type = self.dataset_type(name)
        tables = self._tables(dataset_type)
        known = self._source(dataset_type).columns(tables) if tables else {}
        return {**self.key_types(name), **{key: kind for key, kind in known.items() if key not in dataset_type.keys}}

    def sub_level(self, level: str) -> str | None:
        """Return the level below, or None; ``""`` is the default level.

        Parameters
        ----------
        level : str
            Level, for example "visit"; empty for the default one.
        """
        return self.policy.default_sub_levels.get(level or self.policy.default_level)

    def sub_levels(self, name: str, level: str) -> list[str]:
        """Return the levels at which data IDs of this dataset type have more keys than at ``level``.

        Parameters
        ----------
        name : str
            Name of the dataset type.
        level : str
            Level, for example "visit"; empty for the default one.
        """
        here = self.key_types(name, level).keys()
        return [other for other in self.policy.levels if self.key_types(name, other).keys() > here]

    def complete(self, name: str, data_id: Mapping[str, Any], keys: Sequence[str] | None = None) -> DataId:
        """Return the data ID with all keys of the template (or of ``keys``), the missing ones looked up.

        Parameters
        ----------
        name : str
            Name of the dataset type.
        data_id : mapping
            Known keys and values. Values are converted to the types of their keys.
        keys : sequence of str, optional
            Keys that the result needs. By default those of the template.

        Raises
        ------
        DatasetNotFoundError
            If nothing in the registry matches.
        DataIdError
            If more than one does, or a key cannot be looked up.
        """
        dataset_type = self.dataset_type(name)
        known = cast_data_id(data_id, dataset_type.keys)
        missing = [key for key in (dataset_type.keys if keys is None else keys) if key not in known]
        if not missing:
            return known
        for key in _SKY_KEYS:
            if key in missing:
                message = f"the key '{key}' is never looked up; it must be in the data ID"
                raise DataIdError(f"{dataset_type.name}: {message}", data_id=data_id, key=key)
        found = (
            self._look_up_calibration(dataset_type, missing, known)
            if dataset_type.is_calibration
            else self._look_up(dataset_type, missing, known)
        )
        return known | found

    def path(self, name: str, data_id: Mapping[str, Any], *, write: bool = True) -> str:
        """Return the path of a dataset under its root, with its ``[hdu]`` tail; missing keys are looked up.

        Where the registry of calibrations holds the path itself, as that of DECam does for defects, the path may lead
        elsewhere: such a file is read where it is, and never written.

        Parameters
        ----------
        name : str
            Dataset type.
        data_id : mapping
            Keys and values.
        write : bool, default: True
            Whether a file may be written there.

        Raises
        ------
        DatasetNotFoundError, DataIdError
            If the data ID cannot be completed.
        PolicyError
            If the dataset type has no template.
        """
        dataset_type = self.dataset_type(name)
        template = dataset_type.compiled
        whole = self.complete(name, data_id) if template.keys else data_id
        may_leave = (
            not write
            and dataset_type.is_calibration
            and template.is_one_path
            and self._is_registered(dataset_type, data_id, whole)
        )
        return dataset_type.format(whole, may_leave=may_leave)

    def _is_registered(self, dataset_type: DatasetType, given: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
        """Return whether a path comes from the registry of calibrations, and not from the user alone."""
        own = dataset_type.keys.keys()
        if given.keys().isdisjoint(own):
            return True
        where = {key: value for key, value in whole.items() if key in own}
        try:
            return bool(self.query(dataset_type.name, list(where), where))
        except (DataIdError, RepositoryError):
            return False

    def query(self, name: str, keys: Sequence[str], data_id: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return the distinct values of ``keys`` that the registry has for a data ID, sorted.

        Parameters
        ----------
        name : str
            Name of the dataset type; it decides which registry is asked.
        keys : sequence of str
            Keys to return.
        data_id : mapping
            Keys and the values that they must have.

        Returns
        -------
        list of tuple
            One tuple in the order of ``keys`` for each combination of values.

        Raises
        ------
        DataIdError
            If neither the data ID nor the registry has such a key.
        """
        dataset_type = self.dataset_type(name)
        source = self._source(dataset_type)
        tables = present_tables(source, self._tables(dataset_type))
        known = source.columns(tables)
        where = cast_data_id(data_id, {**known, **dataset_type.keys})
        for key in (*keys, *where):
            if key not in known and (key not in where or key not in dataset_type.keys):
                message = f"{dataset_type.name}: unknown key '{key}'{suggest(key, known)}; keys: {', '.join(known)}"
                raise DataIdError(message, data_id=data_id, key=key)
        columns = [key for key in keys if key in known]
        rows = source.lookup(columns, {k: v for k, v in where.items() if k in known}, tables) if columns else [()]
        if columns != list(keys):
            # What no table knows, such as a tract, is as the data ID says.
            rows = [tuple(row[columns.index(key)] if key in known else where[key] for key in keys) for row in rows]
        return _share_strings(rows)

    def all_of(self, name: str, data_id: Mapping[str, Any]) -> list[DataId]:
        """Return every data ID that the registry has for an incomplete one, with all keys of the template.

        Parameters
        ----------
        name : str
            Name of the dataset type.
        data_id : mapping
            Keys and the values that they must have.

        Raises
        ------
        DataIdError
            If neither the data ID nor the registry has a key.
        """
        keys = list(self.dataset_type(name).keys)
        rows = self.query(name, keys, data_id)
        return [{**data_id, **dict(zip(keys, row, strict=True))} for row in rows]

    def _dropped(self, level: str) -> tuple[str, ...]:
        policy = self.policy
        levels = {*policy.levels, *policy.default_sub_levels, *policy.default_sub_levels.values(), policy.default_level}
        by_case = {name.lower(): name for name in levels}
        level = level if level in levels else by_case.get(level.lower(), level)
        # As in the stack, a level that the policy does not have leaves out no key; only a slip is refused.
        if level not in levels and level.lower() != "none" and (hint := suggest(level, levels)):
            raise DataIdError(f"the policy has no level '{level}'{hint}; levels: {sorted(levels)}")
        return policy.levels.get(level, ())

    def _source(self, dataset_type: DatasetType) -> KeySource:
        """Return what knows the keys of a dataset type."""
        if dataset_type.folder is not None and self._folder_registry is not None:
            return self._folder_registry(dataset_type.folder)
        return self._calib_registry() if dataset_type.is_calibration else self._registry()

    def _tables(self, dataset_type: DatasetType) -> tuple[str, ...]:
        return dataset_type.tables or (() if dataset_type.is_calibration else ("raw",))

    def _look_up(self, dataset_type: DatasetType, missing: Sequence[str], known: DataId) -> DataId:
        source = self._registry()
        tables = present_tables(source, self._tables(dataset_type))
        fast = _VISIT_COLUMNS.issuperset(missing) and "visit" in known and "raw" in tables
        if fast and source.has_table("raw_visit") and {"visit", *missing} <= source.columns(["raw_visit"]).keys():
            where: DataId = {"visit": known["visit"]}
            return _only_row(dataset_type, missing, where, source.lookup(missing, where, ["raw_visit"]), ["raw_visit"])
        columns = source.columns(tables)
        for key in missing:
            if key not in columns:
                message = f"{dataset_type.name}: no column '{key}' in {', '.join(tables)}; {source.advice}"
                raise DataIdError(f"{message} (given: {format_data_id(known)})", data_id=known, key=key)
        where = {key: value for key, value in known.items() if key in columns}
        return _only_row(dataset_type, missing, where, source.lookup(missing, where, tables), tables)

    def _look_up_calibration(self, dataset_type: DatasetType, missing: Sequence[str], known: DataId) -> DataId:
        """Find a calibration by the observation's time: first the observation, then what is valid for it.

        One whose path holds nothing but keys of the observation needs no registry of calibrations, as in the stack.
        """
        is_observed = bool(dataset_type.reference) and set(missing) <= set(dataset_type.columns)
        try:
            source = self._source(dataset_type)
        except RepositoryError:
            if not is_observed:
                raise
            return self._observation(dataset_type, set(missing), known, with_time=False)
        if is_observed and not dataset_type.valid_range:
            found = self._observation(dataset_type, set(missing), known, with_time=False)
            if found.keys() >= set(missing):
                return found
        tables = self._tables(dataset_type)
        columns = source.columns(tables)
        criteria = set(dataset_type.columns or columns)
        if not dataset_type.columns and not dataset_type.filter:
            criteria -= _FILTER_KEYS
        known = known | self._observation(dataset_type, criteria, known)
        time = dataset_type.observation_time
        allowed = criteria - {time}
        where = {key: value for key, value in known.items() if key in allowed and key in columns}
        between = None
        if dataset_type.valid_range:
            if time not in known:
                message = f"{dataset_type.name}: the observation's '{time}' is not known"
                raise DataIdError(f"{message} (given: {format_data_id(known)})", data_id=known, key=time)
            between = known[time], dataset_type.valid_start, dataset_type.valid_end
        for key in missing:
            if key not in columns and key not in known:
                message = f"{dataset_type.name}: no column '{key}' in {', '.join(tables)}; give it in the data ID"
                raise DataIdError(message, data_id=known, key=key)
        wanted = [key for key in missing if key in columns]
        rows = find_valid_rows(source, wanted, where, tables, between)
        given = where if between is None else {**where, time: between[0]}
        if not rows:
            raise none_valid_error(dataset_type, source, given, where, tables, between)
        return _only_row(dataset_type, wanted, given, rows, tables) | {
            key: known[key] for key in missing if key not in columns
        }

    def _observation(
        self, dataset_type: DatasetType, criteria: set[str], known: DataId, *, with_time: bool = True
    ) -> DataId:
        """Return what the registry of exposures knows of the observation and the selection needs."""
        if not dataset_type.reference:
            return {}
        source = self._registry()
        if not all(source.has_table(table) for table in dataset_type.reference):
            raise RepositoryError(
                f"{dataset_type.name}: the registry has no table {' or '.join(dataset_type.reference)} to find the "
                "observation in"
            )
        columns = source.columns(dataset_type.reference)
        needed = criteria | ({dataset_type.observation_time} if with_time and dataset_type.valid_range else set())
        wanted = [key for key in sorted(needed) if key not in known and key in columns]
        if not wanted:
            return {}
        allowed = dataset_type.reference_columns or tuple(columns)
        where = {key: value for key, value in known.items() if key in allowed and key in columns}
        rows = source.lookup(wanted, where, dataset_type.reference)
        return _only_row(dataset_type, wanted, where, rows, dataset_type.reference)


def _share_strings(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows in whose place equal strings are one object: a million rows have few filters and dates."""
    for number, row in enumerate(rows):
        rows[number] = tuple([sys.intern(value) if type(value) is str else value for value in row])
    return rows


def _only_row(
    dataset_type: DatasetType,
    keys: Sequence[str],
    where: Mapping[str, Any],
    rows: Sequence[tuple[Any, ...]],
    tables: Sequence[str],
) -> DataId:
    """Return the one row of a lookup as a data ID."""
    if len(rows) == 1:
        return dict(zip(keys, rows[0], strict=True))
    given = format_data_id(where) or "nothing"
    message = f"{dataset_type.name}: No unique lookup for {', '.join(keys)} from {given} in {', '.join(tables)}"
    if not rows:
        raise DatasetNotFoundError(f"{message}: 0 matches", dataset_type=dataset_type.name, data_id=where)
    matches = [format_data_id(dict(zip(keys, row, strict=True))) for row in rows[:3]]
    more = ", ..." if len(rows) > len(matches) else ""
    raise DataIdError(f"{message}: {len(rows)} matches ({', '.join(matches)}{more})", data_id=where, key=keys[0])
