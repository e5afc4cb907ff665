"""Frames that are not of the sky, such as biases, darks and flats, among the data IDs of a run."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from obs.errors import RepositoryError
from obs.instrument.image_types import standard_type
from obs.policy.data_id import DataId
from obs.policy.data_ids import DataIds
from obs.repo.butler import Butler

__all__ = ["OtherFrames", "leave_out_other_frames"]

logger = logging.getLogger(__name__)

_TYPE_COLUMNS = ("dataType", "imageType", "image_type", "obsType", "obstype")


class OtherFrames:
    """The frames of a repository that are not of the sky, by the type in the registry; one without a type is.

    Parameters
    ----------
    butler : Butler
        The repository.

    Attributes
    ----------
    column : str or None
        The key of the type; None if the registry has none.
    """

    def __init__(self, butler: Butler) -> None:
        raw = butler.instrument.raw_dataset_type
        self._butler = butler
        self._keys = list(butler.get_keys(raw))
        self._known = butler.id_keys(raw)
        self.column = next((column for column in _TYPE_COLUMNS if column in self._known), None)
        self._types: dict[tuple[Any, ...], str] = {}
        if self.column is None:
            return
        try:
            values = butler.query_metadata(raw, self.column)
        except RepositoryError:  # images were processed elsewhere, and there is no registry
            return
        for value in values:
            kind = standard_type(str(value))
            if kind not in ("science", None):
                rows = butler.query_metadata(raw, self._keys, {self.column: value})
                self._types.update(dict.fromkeys(map(tuple, rows), str(kind)))

    def kind(self, data_id: Mapping[str, Any]) -> str | None:
        """Return the type of a frame that is not of the sky; None for one that is. The data ID may lack keys.

        Parameters
        ----------
        data_id : mapping
            Data ID of a raw frame.
        """
        if self.column is None or not self._types:
            return None
        if all(key in data_id for key in self._keys):
            return self._types.get(tuple(data_id[key] for key in self._keys))
        known = {key: value for key, value in data_id.items() if key in self._known}
        values = self._butler.query_metadata(self._butler.instrument.raw_dataset_type, self.column, known)
        kinds = {standard_type(str(value)) for value in values}
        return kinds.pop() if len(kinds) == 1 and not kinds & {"science", None} else None

    def __len__(self) -> int:
        return len(self._types)

    def split(self, data_ids: DataIds) -> tuple[DataIds, Counter[str]]:
        """Return the frames of the sky, and how many there are of each other type.

        Parameters
        ----------
        data_ids : DataIds
            Data IDs of raw frames.
        """
        others = Counter[str]()

        def is_of_sky(data_id: DataId) -> bool:
            if (kind := self.kind(data_id)) is not None:
                others[kind] += 1
            return kind is None

        return data_ids.where(is_of_sky), others


def leave_out_other_frames(butler: Butler, asked: Sequence[tuple[Sequence[str], DataIds]]) -> DataIds:
    """Return the frames of the sky of those that were asked for, and log how many others there are.

    Where an ``--id`` names a type, or selects others only, all of it stays: somebody wants them.

    Parameters
    ----------
    butler : Butler
        The repository.
    asked : sequence of (sequence of str, DataIds)
        The words of each ``--id``, and what it selects.
    """
    frames = OtherFrames(butler)
    parts, others = [], Counter[str]()
    for words, data_ids in asked:
        is_typed = any(word.partition("=")[0] == frames.column for word in words)
        of_sky, left = (data_ids, Counter[str]()) if is_typed or not frames else frames.split(data_ids)
        parts.append(of_sky or data_ids)
        others.update(left if of_sky else {})
    if others:
        column = str(frames.column)
        values = [str(value) for value in butler.query_metadata(butler.instrument.raw_dataset_type, column)]
        logger.warning(
            "%d frames that are not of the sky (%s) are left out of the run; to process them: --id %s=%s",
            others.total(),
            ", ".join(f"{count} {kind}" for kind, count in sorted(others.items())),
            column,
            "^".join(value for value in values if standard_type(value) in others),
        )
    return DataIds.joined(parts, list(butler.get_keys(butler.instrument.raw_dataset_type)))
