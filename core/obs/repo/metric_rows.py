"""Answers to questions about quality metrics, which always say of how many expected results they speak."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from obs.errors import RepositoryError
from obs.plural import count_of
from obs.repo.layout import open_repository
from obs.repo.metric_table import METRIC_FILE, MetricTable

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["MetricRows", "query_metric_table"]

#: How many other outputs an error names.
_NAMED = 5


class MetricRows(Sequence[dict[str, Any]]):
    """Rows of metrics, and how complete they are.

    Parameters
    ----------
    rows : list of dict
        Column to value; None where it was not measured.
    n_expected, n_done, n_failed : int
        Rows that a run was asked for, those of them that are done, and those that failed, whatever the condition.

    Examples
    --------
    >>> from obs import Butler
    >>> rows = Butler("DATA/rerun/first").query_metrics("seeing > 0 and visit = 21")
    >>> len(rows), rows.n_done <= rows.n_expected
    (1, True)
    """

    def __init__(self, rows: list[dict[str, Any]], *, n_expected: int, n_done: int, n_failed: int) -> None:
        self.rows, self.n_expected, self.n_done, self.n_failed = rows, n_expected, n_done, n_failed

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self.rows[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<MetricRows: {self.summary}>"

    @property
    def summary(self) -> str:
        """How many rows there are, of how many done and expected ones, in words."""
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return f"{count_of(len(self), 'row')}; {self.n_done} done of {self.n_expected} expected{failed}"

    def names(self) -> list[str]:
        """Return the names of the columns that have a value in some row, in order."""
        found: dict[str, None] = {}
        for row in self.rows:
            found.update({name: None for name, value in row.items() if value is not None and name not in found})
        return list(found)

    def column(self, name: str) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
        """Return one metric of all rows, float64, NaN where it was not measured; texts as objects.

        Parameters
        ----------
        name : str
            Name of the metric.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        values = [row[name] for row in self.rows]
        if any(isinstance(value, str) for value in values):
            return np.array(["" if value is None else value for value in values], object)
        return np.array([np.nan if value is None else value for value in values], np.float64)

    def to_table(self) -> "Table":
        """Return an astropy table of what some row has a value for."""
        from astropy.table import Table  # noqa: PLC0415 - slow to import, seldom needed

        names = [name for name in self.names() if not isinstance(self.rows[0].get(name), Mapping)]
        columns = {name: self.column(name) for name in names}
        return Table({name: data.astype(str) if data.dtype == object else data for name, data in columns.items()})


def query_metric_table(root: Path, condition: str = "", kind: str = "detector") -> MetricRows:
    """Return the metrics of a repository that a condition holds for.

    Parameters
    ----------
    root : Path
        Folder of an output.
    condition : str, optional
        Such as ``seeing < 0.9 and filter = 'HSC-I'``; empty for all.
    kind : {"detector", "visit", "master"}, optional
        What the rows are of.

    Raises
    ------
    RepositoryError
        If nothing was processed there.
    DataIdError
        If the condition cannot be understood.
    """
    table = MetricTable(root)
    if not table.exists():
        raise RepositoryError(_no_metrics(root), path=root)
    counts = table.count(kind)
    return MetricRows(
        table.read(kind, condition),
        n_expected=sum(counts.values()),
        n_done=counts.get("done", 0),
        n_failed=counts.get("failed", 0),
    )


def _no_metrics(root: Path) -> str:
    """Say that a repository has no metrics, and name outputs below it that have some.

    Raises
    ------
    RepositoryError
        If it is none.
    """
    message = f"no metrics in {root}: obs process writes them to its output"
    open_repository(root)
    reruns = sorted(path.parent for path in (root / "rerun").glob(f"**/{METRIC_FILE}"))
    if reruns:
        names = ", ".join(path.relative_to(root / "rerun").as_posix() for path in reruns[:_NAMED])
        return f"{message}; name one with --rerun: {names}"
    return message
