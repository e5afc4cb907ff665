"""One row of a catalog."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from obs.facts_text import facts_html, facts_text

__all__ = ["Record"]


class _Rows(Protocol):
    """What a record asks of its catalog."""

    @property
    def columns(self) -> Mapping[str, Any]:
        """The columns of the table, by name."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a column
        """Return a column."""


def _getter(column: str, text: str) -> "Callable[[Record], Any]":
    """Return a method that returns the value of a column."""

    def get(record: "Record") -> Any:  # noqa: ANN401 - of the column's type
        return record[column]

    get.__doc__ = text
    return get


class Record:
    """One row of a `Catalog`: ``record["id"]`` or ``record.getId()``.

    Angles are in the unit of their column, degrees in catalogs of `obs`.

    Parameters
    ----------
    catalog : Catalog
        The catalog.
    row : int
        Number of the row, from 0.
    """

    def __init__(self, catalog: _Rows, row: int) -> None:
        self._catalog, self._row = catalog, row

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - of the column's type
        value = self._catalog[name][self._row]
        return value.item() if isinstance(value, np.generic) else value

    def get(self, name: str) -> Any:  # noqa: ANN401 - of the column's type
        """Return the value of a column.

        Parameters
        ----------
        name : str
            Name of the column, or an alias.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        return self[name]

    def keys(self) -> Iterator[str]:
        """Return the names of the columns."""
        return iter(self._catalog.columns)

    def as_dict(self) -> dict[str, Any]:
        """Return all values by the names of their columns."""
        return {name: self[name] for name in self.keys()}

    def __repr__(self) -> str:
        return facts_text(f"Record, row {self._row}", self._facts())

    def _repr_html_(self) -> str:
        return facts_html(f"Record, row {self._row}", self._facts())

    def _facts(self) -> dict[str, str]:
        units = {name: self._catalog.columns[name].unit for name in self.keys()}
        return {name: f"{format_value(self[name], unit)} {unit}".strip() for name, unit in units.items()}

    getId = _getter("id", "Return the number of the source.")
    getParent = _getter("parent", "Return the number of the blend that the source is a part of, or 0.")
    getRa = _getter("coord_ra", "Return the right ascension, degrees.")
    getDec = _getter("coord_dec", "Return the declination, degrees.")
    getX = _getter("base_SdssCentroid_x", "Return the column of the centroid, pixels.")
    getY = _getter("base_SdssCentroid_y", "Return the row of the centroid, pixels.")
    getIxx = _getter("base_SdssShape_xx", "Return the second moment along x, pixels squared.")
    getIyy = _getter("base_SdssShape_yy", "Return the second moment along y, pixels squared.")
    getIxy = _getter("base_SdssShape_xy", "Return the mixed second moment, pixels squared.")
    getPsfFlux = _getter("base_PsfFlux_instFlux", "Return the flux of the PSF, image units.")
    getPsfFluxErr = _getter("base_PsfFlux_instFluxErr", "Return the standard error of the flux of the PSF.")
    getApFlux = _getter("base_CircularApertureFlux_12_0_instFlux", "Return the flux within 12 pixels, image units.")
    getApFluxErr = _getter("base_CircularApertureFlux_12_0_instFluxErr", "Return the standard error of that flux.")


def format_value(value: object, unit: str = "") -> str:
    """Return a value of a column as it is shown in tables; degrees to 4 mas, as positions need them."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        return f"{value:.6f}" if unit == "deg" else f"{value:.6g}"
    if isinstance(value, np.ndarray):
        return _format_array(value)
    return str(value)


def _format_array(values: NDArray[Any]) -> str:
    shown = " ".join(format_value(value) for value in values.ravel()[:3])
    return f"[{shown}{' ...' if values.size > 3 else ''}]"
