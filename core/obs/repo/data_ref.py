"""A data ID together with the Butler that can read and write its datasets."""

from collections.abc import Mapping
from typing import Any, Protocol

from obs.errors import ObsError
from obs.facts_text import facts_html
from obs.frozen import frozen
from obs.policy.data_id import DataId, format_data_id
from obs.policy.mapper import Mapper
from obs.repo.lsst_words import accept_lsst_words

__all__ = ["DataRef", "Datasets"]

_LISTED = ("raw", "calexp", "calexpBackground", "src", "srcMatch")
"""Datasets that a notebook says to be there or not."""


class Datasets(Protocol):
    """What a data reference asks of its repository; `obs.repo.butler.Butler` answers."""

    @property
    def mapper(self) -> Mapper:
        """The dataset types of the repository."""

    def get(self, dataset_type: str, data_id: Mapping[str, Any] | None = None, **keys: Any) -> Any:  # noqa: ANN401
        """Read a dataset of this data ID.

        Parameters
        ----------
        dataset_type : str
            For example "calexp", "calexp_wcs" or "src_len".
        data_id : mapping, optional
            Keys and values.
        **keys : object
            Further keys of the data ID.
        """

    def put(
        self,
        value: object,
        dataset_type: str,
        data_id: Mapping[str, Any] | None = None,
        *,
        do_backup: bool = False,
        **keys: Any,
    ) -> None:
        """Write a dataset of this data ID.

        Parameters
        ----------
        value : object
            Dataset to write.
        dataset_type : str
            For example "calexp".
        data_id : mapping, optional
            Keys and values.
        do_backup : bool, default: False
            Keep a file that is replaced as ``name~1``.
        **keys : object
            Further keys of the data ID.
        """

    def exists(
        self, dataset_type: str, data_id: Mapping[str, Any] | None = None, *, write: bool = False, **keys: Any
    ) -> bool:
        """Return whether a dataset exists.

        Parameters
        ----------
        dataset_type : str
            For example "calexp".
        data_id : mapping, optional
            Keys and values.
        write : bool, default: False
            Look at the output only, not at its inputs.
        **keys : object
            Further keys of the data ID.
        """

    def get_uri(
        self, dataset_type: str, data_id: Mapping[str, Any] | None = None, *, write: bool = False, **keys: Any
    ) -> str:
        """Return the path of a dataset.

        Parameters
        ----------
        dataset_type : str
            For example "calexp".
        data_id : mapping, optional
            Keys and values.
        write : bool, default: False
            Return the place where it would be written.
        **keys : object
            Further keys of the data ID.
        """

    def subset(
        self,
        dataset_type: str,
        level: str | None = None,
        data_id: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> "list[DataRef]":
        """Return the data IDs that complete one.

        Parameters
        ----------
        dataset_type : str
            For example "raw".
        level : str, optional
            Level of the data IDs to return, for example "visit" or "sensor".
        data_id : mapping, optional
            Keys and values that the data IDs have.
        **keys : object
            Further keys of the data ID.
        """


@frozen
class DataRef:
    """One data ID of a repository.

    Parameters
    ----------
    butler : Butler
        Reads and writes.
    dataset_type : str
        The dataset type that is meant where none is named.
    level : str or None
        The level of the data ID; None where it has all keys.
    data_id : dict
        Keys and values.

    Examples
    --------
    >>> from obs import Butler
    >>> [str(reference) for reference in Butler("DATA/rerun/first").subset("src", visit=21)]
    ['visit=21']
    """

    butler: Datasets
    dataset_type: str
    level: str | None
    data_id: DataId

    def __repr__(self) -> str:
        return f"<DataRef {self}, {self.dataset_type} by default>"

    def _repr_html_(self) -> str:
        there = {name: "yes" if self._is_there(name) else "no" for name in _LISTED}
        return facts_html(f"DataRef {self}", {"default dataset": self.dataset_type, **there})

    def _is_there(self, dataset_type: str) -> bool:
        try:
            return self.exists(dataset_type)
        except ObsError:
            return False

    def __str__(self) -> str:
        return format_data_id(self.data_id)

    @accept_lsst_words
    def get(self, dataset_type: str | None = None, **keys: Any) -> Any:  # noqa: ANN401 - any dataset
        """Read a dataset; further keys add to the data ID. See `Butler.get`.

        Parameters
        ----------
        dataset_type : str, optional
            By default the type that this data ID was made for.
        **keys : object
            Further keys of the data ID, and the options of `Butler.get`.
        """
        return self.butler.get(dataset_type or self.dataset_type, self.data_id, **keys)

    @accept_lsst_words
    def put(self, value: object, dataset_type: str | None = None, *, do_backup: bool = False, **keys: Any) -> None:
        """Write a dataset. See `Butler.put`.

        Parameters
        ----------
        value : object
            Dataset to write.
        dataset_type : str, optional
            By default the type that this data ID was made for.
        do_backup : bool, default: False
            Keep a file that is replaced as ``name~1``.
        **keys : object
            Further keys of the data ID.
        """
        self.butler.put(value, dataset_type or self.dataset_type, self.data_id, do_backup=do_backup, **keys)

    @accept_lsst_words
    def exists(self, dataset_type: str | None = None, *, write: bool = False, **keys: Any) -> bool:
        """Return whether a dataset is there. See `Butler.exists`.

        Parameters
        ----------
        dataset_type : str, optional
            By default the type that this data ID was made for.
        write : bool, default: False
            Look at the output only, not at its inputs.
        **keys : object
            Further keys of the data ID.
        """
        return self.butler.exists(dataset_type or self.dataset_type, self.data_id, write=write, **keys)

    @accept_lsst_words
    def get_uri(self, dataset_type: str | None = None, *, write: bool = False, **keys: Any) -> str:
        """Return where a dataset is. See `Butler.get_uri`.

        Parameters
        ----------
        dataset_type : str, optional
            By default the type that this data ID was made for.
        write : bool, default: False
            Return the place where it would be written.
        **keys : object
            Further keys of the data ID.
        """
        return self.butler.get_uri(dataset_type or self.dataset_type, self.data_id, write=write, **keys)

    def sub_levels(self) -> list[str]:
        """Return the levels at which this data ID splits into several."""
        if self.level is None:
            return []
        return self.butler.mapper.sub_levels(self.dataset_type, self.level)

    def sub_items(self, level: str | None = None) -> list["DataRef"]:
        """Return the data IDs below this one, at ``level`` or at the policy's next one; empty at the lowest.

        Parameters
        ----------
        level : str, optional
            Level of the data IDs to return, for example "sensor". By default the next one of the policy.
        """
        if self.level is None:
            return []
        below = level or self.butler.mapper.sub_level(self.level)
        return [] if below is None else self.butler.subset(self.dataset_type, below, self.data_id)

    # LSST's spellings.
    datasetExists = exists
    getUri = get_uri
    subLevels = sub_levels
    subItems = sub_items

    def getButler(self) -> Datasets:
        """Return the Butler of this data reference."""
        return self.butler

    @property
    def dataId(self) -> Mapping[str, Any]:
        """The data ID of this reference."""
        return self.data_id
