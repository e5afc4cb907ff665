"""Tables of sources whose columns know their unit and meaning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.errors import suggest

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Catalog", "Column"]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column.

    Parameters
    ----------
    data : ndarray, shape (n,) or (n, ...)
        One element a source.
    unit : str, optional
        Unit as astropy writes it; empty for a pure number.
    description : str, optional
        What the values are.
    """

    data: NDArray[Any]
    unit: str = ""
    description: str = ""


class Catalog:
    """Columns of one length, with metadata.

    Parameters
    ----------
    columns : mapping of str to Column, optional
        The columns, in order.
    metadata : mapping, optional
        Facts about the whole table: name to number, bool or text; copied.

    Raises
    ------
    ValueError
        If two columns differ in length.

    Examples
    --------
    >>> from obs import Catalog
    >>> catalog = Catalog()
    >>> catalog.add("flux", [3.0, 4.0], unit="nJy", description="Flux of the source")
    >>> catalog["flux"].max(), len(catalog)
    (np.float64(4.0), 2)
    >>> len(catalog.select(catalog["flux"] > 3.5))
    1
    """

    def __init__(self, columns: Mapping[str, Column] | None = None, metadata: Mapping[str, Any] | None = None) -> None:
        self.columns: dict[str, Column] = {}
        self.metadata = dict(metadata or {})
        for name, column in (columns or {}).items():
            self.add(name, column.data, column.unit, column.description)

    def __len__(self) -> int:
        return next((len(column.data) for column in self.columns.values()), 0)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            hint = suggest(name, self.columns) or f"; there are {', '.join(self.columns) or 'none'}"
            raise KeyError(f"no column '{name}'{hint}")
        return self.columns[name].data

    def add(self, name: str, data: ArrayLike, unit: str = "", description: str = "") -> None:
        """Add a column, or replace one.

        Parameters
        ----------
        name : str
            Name.
        data : array_like, shape (n,) or (n, ...)
            One element a source.
        unit, description : str, optional
            Unit as astropy writes it, and what the values are.

        Raises
        ------
        ValueError
            If the length differs from that of the other columns.
        """
        data = np.asarray(data)
        if data.ndim == 0:
            raise ValueError(f"column '{name}' needs one value a row, got the single value {data}")
        others = next(((other, c) for other, c in self.columns.items() if other != name), None)
        if others is not None and len(others[1].data) != len(data):
            raise ValueError(f"column '{name}' has {len(data)} rows, '{others[0]}' has {len(others[1].data)}")
        self.columns[name] = Column(data, unit, description)

    def select(self, rows: ArrayLike | slice) -> "Catalog":
        """Return some of the rows.

        Parameters
        ----------
        rows : array_like of bool, shape (n,), or of int, or slice
            Which rows.

        Returns
        -------
        Catalog
            With all columns and the metadata.
        """
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        if isinstance(index, np.ndarray) and index.size == 0:
            index = index.astype(np.intp)
        columns = {name: Column(c.data[index], c.unit, c.description) for name, c in self.columns.items()}
        return Catalog(columns, self.metadata)

    def to_table(self) -> "Table":
        """Return an astropy table with units, descriptions and metadata."""
        from astropy.table import Column as TableColumn  # noqa: PLC0415 - slow to import, seldom needed
        from astropy.table import Table  # noqa: PLC0415

        columns = [
            TableColumn(c.data, name, unit=c.unit or None, description=c.description or None)
            for name, c in self.columns.items()
        ]
        return Table(columns, meta=dict(self.metadata))

    @classmethod
    def from_table(cls, table: "Table") -> "Catalog":
        """Make a catalog from an astropy table; masked floats become NaN.

        Raises
        ------
        ValueError
            If values other than floats are masked.
        """
        columns = {}
        for name in table.colnames:
            column = table[name]
            data = getattr(column, "value", column)
            if isinstance(data, np.ma.MaskedArray):
                if data.mask.any() and data.dtype.kind != "f":
                    raise ValueError(f"column '{name}' of {data.dtype} has masked values; fill them first")
                data = data.filled(np.nan) if data.dtype.kind == "f" else data.data
            unit = "" if column.info.unit is None else str(column.info.unit)
            columns[name] = Column(np.asarray(data), unit, column.info.description or "")
        return cls(columns, table.meta)
