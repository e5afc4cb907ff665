"""Data IDs as users write them, with the filter names that a repository has."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from obs.policy.data_id import DataId, parse_ids
from obs.repo.butler import Butler
from obs.repo.filter_names import FILTER_KEYS, names_here

__all__ = ["name_filters", "read_ids"]

logger = logging.getLogger(__name__)


def read_ids(butler: Butler, ids: Sequence[Sequence[str]], known: Mapping[str, type]) -> list[DataId]:
    """Return the data IDs of the words of each ``--id``, with filters as `name_filters` names them.

    Parameters
    ----------
    butler : Butler
        The repository.
    ids : sequence of sequence of str
        The words of each ``--id``.
    known : mapping of str to type
        Keys that a data ID may have, and the types of their values.

    Raises
    ------
    DataIdError
        For words that cannot be read, and for an unknown key.
    """
    return name_filters(butler, [data_id for words in ids for data_id in parse_ids(words, known)])


def name_filters(butler: Butler, data_ids: Sequence[DataId]) -> list[DataId]:
    """Return data IDs whose filters have the names that raw data of the repository have, and log each change.

    A filter has several names: ``HSC-R`` is ``W-S-R+`` in older registries, and of the band ``r``. A name that raw data
    have stays. Another one becomes the names that they have for the same filters. A band can have several of them.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_ids : sequence of dict
        Data IDs as they are asked for.
    """
    named: list[DataId] = []
    answers: dict[tuple[str, Any], list[Any]] = {}
    for data_id in data_ids:
        whole = [data_id]
        for key in FILTER_KEYS:
            if key in data_id:
                answer = (key, data_id[key])
                if answer not in answers:
                    answers[answer] = _names_here(butler, *answer)
                whole = [{**one, key: name} for one in whole for name in answers[answer]]
        named += whole
    return named


def _names_here(butler: Butler, key: str, name: Any) -> list[Any]:  # noqa: ANN401 - a value of a data ID
    """Return the names that raw data have for a filter; the name itself where they have it, or none of its others."""
    found = names_here(butler.instrument, butler.mapper, key, name)
    if not found or found == [name]:
        return [name]
    if len(found) > 1:
        logger.warning(
            "%s=%s is the band of several filters here, and all are selected: %s; to select one: %s=%s",
            key,
            name,
            ", ".join(map(str, found)),
            key,
            found[0],
        )
    else:
        logger.warning("%s=%s is %s=%s here", key, name, key, found[0])
    return found
