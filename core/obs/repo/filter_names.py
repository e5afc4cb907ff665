"""The names that raw data of a repository have for a filter that is asked for by another name, or by its band."""

from collections.abc import Mapping
from typing import Any

from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.policy.mapper import Mapper

__all__ = ["FILTER_KEYS", "filters_there", "names_here", "with_names_here"]

#: Keys of data IDs whose values are filters.
FILTER_KEYS = ("filter", "physical_filter", "band")


def filters_there(instrument: Instrument, mapper: Mapper) -> frozenset[str]:
    """Return the names of all filters of raw data; none where no registry tells.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    mapper : Mapper
        Asks the registry.
    """
    raw = instrument.raw_dataset_type
    try:
        known = mapper.id_keys(raw)
        return frozenset(str(row[0]) for key in FILTER_KEYS if key in known for row in mapper.query(raw, [key], {}))
    except (DataIdError, DatasetNotFoundError, RepositoryError):
        return frozenset()


def with_names_here(instrument: Instrument, mapper: Mapper, data_id: Mapping[str, Any]) -> list[DataId]:
    """Return data IDs with the names that raw data have for the filter of one; none where they have no other.

    Parameters
    ----------
    instrument : Instrument
        The camera, which knows the names of its filters.
    mapper : Mapper
        Asks the registry.
    data_id : mapping
        Keys and values. The names are those of raw data that agree with the other keys, as far as raw data have them.
    """
    found: list[DataId] = [dict(data_id)]
    for key in FILTER_KEYS:
        if key in data_id:
            try:
                names = names_here(instrument, mapper, key, data_id[key], data_id)
            except (DataIdError, DatasetNotFoundError, RepositoryError):  # no registry, or no such key in it
                names = []
            found = [{**one, key: name} for one in found for name in names or [data_id[key]]]
    return [] if found == [data_id] else found


def names_here(
    instrument: Instrument,
    mapper: Mapper,
    key: str,
    name: Any,  # noqa: ANN401 - a value of a data ID
    data_id: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Return the names that raw data have for a filter; the name itself where they have it, none without others.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    mapper : Mapper
        Asks the registry.
    key : str
        One of `FILTER_KEYS`.
    name : object
        Name of the filter or of a band.
    data_id : mapping, optional
        Keys and values with which raw data must agree; those that they do not have do not count.
    """
    raw = instrument.raw_dataset_type
    others = _other_names(instrument, str(name))
    known = mapper.id_keys(raw) if others else {}
    if key not in known:
        return []
    where = {other: value for other, value in (data_id or {}).items() if other in known and other not in FILTER_KEYS}
    there = [row[0] for row in mapper.query(raw, [key], where)]
    return [name] if name in there else [value for value in there if value in others]


def _other_names(instrument: Instrument, name: str) -> set[str]:
    """Return all other names of the filters that a name can mean: of the filter of this name, or else of a band."""
    filters = [known for known in instrument.filters if name in (known.physical_filter, *known.aliases)]
    own = filters or [known for known in instrument.filters if known.band == name]
    names = {other for known in own for other in (known.physical_filter, *known.aliases)}
    bands = {known.band for known in filters if _is_alone(instrument, known.band)}
    return (names | bands) - {name}


def _is_alone(instrument: Instrument, band: str) -> bool:
    """Return whether a band has one filter, which its name then means."""
    return sum(known.band == band for known in instrument.filters) == 1
