"""What policy and registry of a repository tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from obs.errors import DataIdError
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.policy.mapper import Mapper
from obs.policy.policy import Policy
from obs.repo.filter_names import FILTER_KEYS, filters_there, with_names_here
from obs.repo.lsst_words import accept_lsst_words

__all__ = ["Queries", "whole_id"]


class Queries:
    """Questions about dataset types, keys and their values: what of a `Butler` needs no file.

    A filter may be asked for by any of its names, or by its band, as on the command line: what is there by the name
    that is given counts first.
    """

    policy: Policy
    mapper: Mapper
    instrument: Instrument
    _filters: frozenset[str] | None = None

    def _rows(self, name: str, keys: Sequence[str], data_id: DataId) -> list[tuple[Any, ...]]:
        """Return what the registry has for a data ID; if nothing, by the names that it has for the filter."""
        rows = self.mapper.query(name, keys, data_id)
        if rows:
            return rows
        others = self._by_other_names(data_id)
        return sorted({row for other in others for row in self.mapper.query(name, keys, other)}, key=repr)

    def _by_other_names(self, data_id: DataId) -> list[DataId]:
        """Return data IDs with the names that raw data have for a filter; none where they have the given one."""
        if not any(key in data_id for key in FILTER_KEYS):
            return []
        if self._filters is None:  # most names are those of raw data: they are asked for once
            self._filters = filters_there(self.instrument, self.mapper)
        if all(data_id[key] in self._filters for key in FILTER_KEYS if key in data_id):
            return []
        return with_names_here(self.instrument, self.mapper, data_id)

    def _renamed(self, data_id: DataId) -> DataId | None:
        """Return a data ID with the name that raw data have for its filter; None where they have no other.

        Raises
        ------
        DataIdError
            If several filters have this band.
        """
        others = self._by_other_names(data_id)
        if len(others) > 1:
            key = next(key for key in FILTER_KEYS if others[0].get(key) != others[1].get(key))
            names = ", ".join(str(other[key]) for other in others)
            message = (
                f"{key}={data_id[key]} is the band of several filters here: {names}; name one, {key}={others[0][key]}"
            )
            raise DataIdError(message, data_id=data_id, key=key)
        return others[0] if others else None

    @accept_lsst_words
    def query_metadata(
        self,
        dataset_type: str,
        keys: str | Sequence[str],
        data_id: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> list[Any]:
        """Return what the registry has for a data ID, distinct and sorted; files are not looked at.

        Parameters
        ----------
        dataset_type : str
            Decides which tables are asked.
        keys : str or sequence of str
            One key, which gives a flat list, or several, which give a list of tuples.
        data_id : mapping, optional
            Keys and the values that they must have.
        **more : object
            Further keys and values.

        Raises
        ------
        DataIdError
            If there is no such key.
        """
        names = [keys] if isinstance(keys, str) else list(keys)
        rows = self._rows(self.mapper.dataset_type(dataset_type).name, names, whole_id(data_id, more))
        return [row[0] for row in rows] if isinstance(keys, str) else rows

    @accept_lsst_words
    def get_keys(self, dataset_type: str | None = None, level: str | None = None) -> dict[str, type]:
        """Return the keys of a dataset type, or of all, at a level, and their types.

        Parameters
        ----------
        dataset_type : str, optional
            A dataset type of the policy; all of them if absent.
        level : str, optional
            A level of the policy, such as "sensor"; that of the policy's default if "", all keys if absent.

        Returns
        -------
        dict of str to type
            Key to the type of its values.
        """
        return self.mapper.key_types(dataset_type, level)

    def id_keys(self, dataset_type: str) -> dict[str, type]:
        """Return all keys that a data ID of this type may have: the template's, and those of the registry."""
        return self.mapper.id_keys(dataset_type)

    def check_data_id(self, dataset_type: str, data_id: Mapping[str, Any]) -> None:
        """Check that the registry has each value of a data ID, be it with other values of the other keys.

        Parameters
        ----------
        dataset_type : str
            A dataset type of the policy, whose registry tables are asked.
        data_id : mapping
            Key to value.

        Raises
        ------
        DataIdError
            If a key is unknown, or a value occurs nowhere; the message lists those that do.
        """
        name = self.mapper.dataset_type(dataset_type).name
        for key, value in data_id.items():
            known = self.mapper.query(name, [key], {})
            if (value,) not in known:
                some = ", ".join(str(row[0]) for row in known[:10]) + (", ..." if len(known) > 10 else "")
                raise DataIdError(f"no {key}={value} in the registry; it has {some or 'nothing'}", key=key)

    def dataset_types(self) -> list[str]:
        """Return the names of the dataset types that have a place, sorted."""
        return sorted(name for name, kind in self.policy.dataset_types.items() if kind.template or kind.components)

    def define_alias(self, alias: str, dataset_type: str) -> None:
        """Make ``@alias`` an alias of a dataset type.

        Parameters
        ----------
        alias : str
            A name that starts with ``@``.
        dataset_type : str
            The dataset type that it means from now on.

        Raises
        ------
        DataIdError
            If the alias does not start with ``@``, or means another type already.
        """
        self.mapper.define_alias(alias, dataset_type)

    # LSST's spellings.
    queryMetadata = query_metadata
    getKeys = get_keys
    getDatasetTypes = dataset_types
    defineAlias = define_alias


def whole_id(data_id: Mapping[str, Any] | None, keys: dict[str, Any]) -> DataId:
    """Return a data ID with further keys.

    Parameters
    ----------
    data_id : mapping or None
        Keys and values.
    keys : dict
        Further keys; they win over those of ``data_id``.
    """
    return {**(data_id or {}), **keys}
