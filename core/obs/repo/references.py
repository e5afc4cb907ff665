"""Data IDs of a repository that complete one, each with the Butler that reads it."""

from collections.abc import Mapping
from typing import Any, cast

from obs.errors import DataIdError, DatasetNotFoundError
from obs.policy.data_id import format_data_id
from obs.repo.data_ref import DataRef, Datasets
from obs.repo.lsst_words import accept_lsst_words
from obs.repo.queries import Queries, whole_id

__all__ = ["References"]


class References(Queries):
    """What of a `Butler` makes data references."""

    @accept_lsst_words
    def subset(
        self,
        dataset_type: str,
        level: str | None = None,
        data_id: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> list[DataRef]:
        """Return the data IDs that the registry has for an incomplete one; whether their files exist is not asked.

        Parameters
        ----------
        dataset_type : str
            Whose keys are wanted.
        level : str, optional
            Without the keys below this level; ``""`` is the policy's default, None means all keys.
        data_id : mapping, optional
            Keys and the values that they must have.
        **keys : object
            Further keys and values.

        Raises
        ------
        DataIdError
            If there is no such level or key.
        """
        butler = cast(Datasets, self)
        name = self.mapper.dataset_type(dataset_type).name
        whole = whole_id(data_id, keys)
        wanted = list(self.mapper.key_types(name, level))
        if all(key in whole for key in wanted):
            return [DataRef(butler, name, level, whole)]
        rows = self._rows(name, wanted, whole)
        return [DataRef(butler, name, level, whole | dict(zip(wanted, row, strict=True))) for row in rows]

    @accept_lsst_words
    def data_ref(
        self,
        dataset_type: str | Mapping[str, Any],
        level: str | Mapping[str, Any] | None = None,
        data_id: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> DataRef:
        """Return the one data ID that `subset` gives; a data ID alone is one of raw data.

        Parameters
        ----------
        dataset_type : str or mapping
            A dataset type of the policy, or a data ID of raw data.
        level : str or mapping, optional
            Level of the data ID, such as "visit". The data ID may come here, as in `get`.
        data_id : mapping, optional
            Key to value; further keys may be given by name.

        Raises
        ------
        DatasetNotFoundError
            If there is none.
        DataIdError
            If there are several.
        """
        if isinstance(dataset_type, Mapping):
            data_id = {**dataset_type, **(data_id or {})}
            dataset_type = self.instrument.raw_dataset_type
        if isinstance(level, Mapping):
            data_id, level = {**level, **(data_id or {})}, None
        found = self.subset(dataset_type, level, data_id, **keys)
        if len(found) == 1:
            return found[0]
        given = format_data_id(whole_id(data_id, keys)) or "no keys"
        if not found:
            raise DatasetNotFoundError(f"no {dataset_type} for {given} in the registry", dataset_type=dataset_type)
        some = "; ".join(str(ref) for ref in found[:3])
        raise DataIdError(f"{len(found)} data IDs of {dataset_type} for {given}, expected one: {some} ...")

    # LSST's spelling.
    dataRef = data_ref
