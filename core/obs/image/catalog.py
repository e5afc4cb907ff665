"""Tables of sources whose columns know their unit and meaning."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.display_link import display_function
from obs.errors import ColumnError, suggest
from obs.facts_text import facts_html, format_rows, rows_html
from obs.frozen import frozen
from obs.image.aliases import resolve_alias
from obs.image.record import Record, format_value
from obs.image.schema import Schema
from obs.plural import count_of

if TYPE_CHECKING:
    from astropy.table import Table
    from pandas import DataFrame

__all__ = ["Catalog", "Column"]

_SHOWN_ROWS, _SHOWN_COLUMNS = 5, 8
#: Columns that are shown before others.
_FIRST_COLUMNS = (
    *("id", "coord_ra", "coord_dec", "base_SdssCentroid_x", "base_SdssCentroid_y"),
    *("base_PsfFlux_instFlux", "base_PsfFlux_mag", "base_ClassificationExtendedness_value"),
)
_NAMED_COLUMNS = 12  # in the message about a missing one


@frozen(eq=False)
class Column:
    """One column with its unit and description.

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
    aliases : mapping, optional
        Other names of columns, or how they begin: ``slot_Centroid`` to ``base_SdssCentroid``; copied.

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
    >>> len(catalog[catalog["flux"] > 3.5])
    1
    >>> [record["flux"] for record in catalog]
    [3.0, 4.0]
    """

    #: The file that the catalog was read from.
    path: Path | None = None

    def __init__(
        self,
        columns: Mapping[str, Column] | None = None,
        metadata: Mapping[str, Any] | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.columns: dict[str, Column] = {}
        self.metadata, self.aliases = dict(metadata or {}), dict(aliases or {})
        for name, column in (columns or {}).items():
            self.add(name, column.data, column.unit, column.description)

    def __len__(self) -> int:
        return next((len(column.data) for column in self.columns.values()), 0)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[Record]:
        return (Record(self, row) for row in range(len(self)))

    @overload
    def __getitem__(self, key: str) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, key: int) -> Record: ...
    @overload
    def __getitem__(self, key: slice | NDArray[Any] | Sequence[int] | Sequence[bool]) -> "Catalog": ...
    def __getitem__(self, key: Any) -> Any:
        """Return a column by its name, a row by its number, or some of the rows by a slice, a mask or numbers."""
        if isinstance(key, str):
            return self.get(key)
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            row = int(key) + len(self) if key < 0 else int(key)
            if not 0 <= row < len(self):
                raise IndexError(f"row {key} of a catalog of {len(self)} rows")
            return Record(self, row)
        if isinstance(key, slice | np.ndarray | list):
            return self.select(key)
        raise TypeError(
            "a catalog takes the name of a column, the number of a row, a slice, a mask or an array of numbers, got "
            f"{type(key).__name__}"
        )

    def get(self, name: str) -> NDArray[Any]:
        """Return a column by its name or an alias, shape (n,) or (n, ...), without a copy.

        Parameters
        ----------
        name : str
            Name of a column, or an alias such as "slot_Centroid_x".

        Raises
        ------
        ColumnError
            If there is no such column. It is a `KeyError`, too.
        """
        if name not in self.columns and (meant := resolve_alias(name, self.aliases)) in self.columns:
            name = meant
        if name not in self.columns:
            raise ColumnError(
                f"no column '{name}'{suggest(name, self.columns) or self._there}", column=name, path=self.path
            )
        return self.columns[name].data

    @property
    def _there(self) -> str:
        """The columns, for a message about a missing one."""
        names = list(self.columns)
        more = f" and {len(names) - _NAMED_COLUMNS} more" if len(names) > _NAMED_COLUMNS else ""
        return f"; there are {', '.join(names[:_NAMED_COLUMNS]) or 'none'}{more}"

    @property
    def schema(self) -> Schema:
        """The columns: names, types, units and meanings."""
        return Schema(self.columns)

    def __repr__(self) -> str:
        return f"{self._title()}\n{format_rows(*self._some())}"

    def _repr_html_(self) -> str:
        headers, units, rows = self._some()
        return facts_html(self._title(), {}, below=rows_html(headers, [units, *rows]))

    def _title(self) -> str:
        hint = ", which .schema lists" if len(self.columns) > _SHOWN_COLUMNS else ""
        return f"Catalog of {count_of(len(self), 'row')}, {count_of(len(self.columns), 'column')}{hint}"

    def _some(self) -> tuple[list[str], list[str], list[list[str]]]:
        """Return names, units and values of the first rows and columns."""
        first = [name for name in _FIRST_COLUMNS if name in self.columns]
        names = [*first, *(name for name in self.columns if name not in first)][:_SHOWN_COLUMNS]
        units = [self.columns[name].unit for name in names]
        columns = [self.columns[name] for name in names]
        rows = [
            [format_value(column.data[row], column.unit) for column in columns]
            for row in range(len(self))[:_SHOWN_ROWS]
        ]
        return names, units, rows

    def plot(self, x: str, y: str, **settings: Any) -> Any:  # noqa: ANN401 - a picture, imported when it is asked for
        """Plot one column against another.

        Parameters
        ----------
        x, y : str
            Names of columns.
        **settings : Any
            Of `obs.display.plots.plot_columns`: ``color`` (a third column), ``rows`` (a mask), ``title``, ``log``.

        Returns
        -------
        obs.display.picture.Picture
            Shows itself in a notebook; ``save("plot.png")`` writes it.
        """
        return display_function("plots:plot_columns")(self, x, y, **settings)

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
        chosen = Catalog(columns, self.metadata, self.aliases)
        chosen.path = self.path
        return chosen

    def to_pandas(self) -> "DataFrame":
        """Return a pandas data frame, whose ``attrs`` hold the metadata and the units.

        Columns of arrays become several, with the number of the element at the end of the name.
        """
        from pandas import DataFrame  # noqa: PLC0415 - not needed by obs itself

        columns: dict[str, NDArray[Any]] = {}
        for name, column in self.columns.items():
            data = np.asarray(column.data, column.data.dtype.newbyteorder("="))
            if data.ndim == 1:
                columns[name] = data
                continue
            flat = data.reshape(len(data), int(np.prod(data.shape[1:])))
            columns |= {f"{name}_{number}": flat[:, number] for number in range(flat.shape[1])}
        frame = DataFrame(columns)
        frame.attrs = dict(self.metadata) | {"units": {name: c.unit for name, c in self.columns.items() if c.unit}}
        return frame

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

        Parameters
        ----------
        table : astropy.table.Table
            Table. Units and descriptions of its columns are kept.

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
