"""From the words of ``--id`` to the data IDs that have data."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.repo.butler import Butler

__all__ = ["check_filters", "select_data_ids"]

logger = logging.getLogger(__name__)

_FILTER_KEYS = ("filter", "physical_filter", "band")


def select_data_ids(butler: Butler, ids: Sequence[Sequence[str]]) -> list[DataId]:
    """Return the data IDs asked for whose raw data exist, each once, in the order asked for.

    Parameters
    ----------
    butler
        The repository.
    ids
        The words of each ``--id``.

    Raises
    ------
    DataIdError
        For words that cannot be read, an unknown key, or a filter that the camera does not have.
    """
    raw = butler.instrument.raw_dataset_type
    keys = list(butler.get_keys(raw))
    allowed = butler.id_keys(raw)
    found: dict[str, DataId] = {}
    for wanted in [data_id for words in ids for data_id in parse_ids(words, allowed)]:
        check_filters(butler.instrument, wanted)
        rows = butler.query_metadata(raw, keys, wanted)
        data_ids = [dict(zip(keys, row, strict=True)) for row in rows]
        existing = {format_data_id(data_id): data_id for data_id in data_ids if butler.exists(raw, data_id)}
        if not existing:
            logger.warning("No data found for %s", format_data_id(wanted) or "any data ID")
        found.update(existing)
    return list(found.values())


def check_filters(instrument: Instrument, data_id: Mapping[str, Any]) -> None:
    """Check that the camera knows the filter of a data ID, if it has one.

    Raises
    ------
    DataIdError
        If it does not; lists the filters.
    """
    names = {name for known in instrument.filters for name in (known.physical_filter, known.band, *known.aliases)}
    for key in _FILTER_KEYS:
        if names and key in data_id and str(data_id[key]) not in names:
            instrument.find_filter(str(data_id[key]))
