"""The archive of a file of the LSST stack: an index, and tables with the rows of the attached objects.

The index names for each object its number, class, and the tables and rows that hold it. Objects name other objects by
their numbers.

References
----------
The stack's afw (`table/io/InputArchive.cc`, `table/io/ArchiveIndexSchema.cc`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.frozen import frozen

__all__ = ["Archive", "attached_number", "field", "numbers", "open_archive", "point"]


@frozen
class Archive:
    """The attached objects of one file.

    Parameters
    ----------
    index : FITS_rec
        One row for each object and table.
    tables : list of HDU
        The tables, in their order.
    """

    index: Any
    tables: list[Any]

    def find(self, number: int) -> tuple[str, list[Any]]:
        """Return class and rows of an object, one array of rows for each of its tables.

        Parameters
        ----------
        number : int
            Number of the object.

        Raises
        ------
        FileFormatError
            If there is no such object, or a table of it is missing.
        """
        entries = self.index[self.index["id"] == number]
        if not len(entries):
            raise FileFormatError(f"the archive has no object {number}")
        order = np.argsort(field(entries, "cat_persistable"), kind="stable")
        rows = []
        for entry in entries[order]:
            place = int(field(entry, "cat_archive")) - 1
            first, count = int(field(entry, "row0")), int(field(entry, "nrows"))
            if place < 0 and count <= 0:  # an object of its class alone
                continue
            if not 0 <= place < len(self.tables):
                raise FileFormatError(f"the archive has {len(self.tables)} tables, none with the number {place + 1}")
            rows.append(self.tables[place].data[first : first + count])
            if len(rows[-1]) != count:
                raise FileFormatError(f"the archive is damaged: table {place + 1} ends before the object {number}")
        return str(entries["name"][0]).strip(), rows

    def row(self, number: int) -> tuple[str, Any]:
        """Return class and row of an object that has a single one.

        Parameters
        ----------
        number : int
            Number of the object.

        Raises
        ------
        FileFormatError
            If there is no such object, or it has more rows.
        """
        name, rows = self.find(number)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise FileFormatError(f"the archive is damaged: a {name} has one row, got {[len(part) for part in rows]}")
        return name, rows[0][0]

    def only(self, names: tuple[str, ...]) -> int:
        """Return the number of the only object of some classes, or 0: that of a file which holds nothing else.

        Parameters
        ----------
        names : tuple of str
            Names of the classes.
        """
        numbers = {int(row["id"]) for row in self.index if str(row["name"]).strip() in names}
        return numbers.pop() if len(numbers) == 1 else 0


def field(row: Any, name: str) -> Any:  # noqa: ANN401 - rows of astropy
    """Return a field of rows by its name with underscores, for which older files have points.

    Parameters
    ----------
    row : row or rows of a table
        Row or array of rows, as `Archive.find` returns them.
    name : str
        Name of the field, with underscores.

    Raises
    ------
    FileFormatError
        If there is no such field.
    """
    names = row.dtype.names if hasattr(row, "dtype") else row.array.dtype.names
    for spelling in (name, name.replace("_", ".")):
        if spelling in names:
            return row[spelling]
    raise FileFormatError(f"the archive is damaged: a table has no column {name}; columns: {', '.join(names)}")


def point(row: Any, name: str) -> tuple[float, float]:  # noqa: ANN401 - a row of astropy
    """Return a position: two fields, or in older files an array of two numbers.

    Parameters
    ----------
    row : row of a table
        One row.
    name : str
        Name of the field, without ``_x`` and ``_y``.

    Returns
    -------
    x, y : float
        The two numbers.
    """
    names = row.array.dtype.names
    if name in names or name.replace("_", ".") in names:
        x, y = numbers(row, name)
        return float(x), float(y)
    return float(field(row, f"{name}_x")), float(field(row, f"{name}_y"))


def numbers(row: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401 - a row of astropy
    """Return an array field as float64, shape (n,).

    Parameters
    ----------
    row : row of a table
        One row.
    name : str
        Name of the field, with underscores.
    """
    return np.array(np.ravel(field(row, name)), np.float64)


def open_archive(hdus: fits.HDUList) -> Archive | None:
    """Return the archive of a file, or None if it has none."""
    kinds: dict[str, list[Any]] = {"ARCHIVE_INDEX": [], "ARCHIVE_DATA": []}
    for hdu in hdus[1:]:
        kinds.get(str(hdu.header.get("EXTTYPE", "")).strip(), []).append(hdu)
    if not kinds["ARCHIVE_INDEX"]:
        return None
    tables = sorted(kinds["ARCHIVE_DATA"], key=lambda hdu: int(hdu.header.get("AR_CATN", 0)))
    return Archive(kinds["ARCHIVE_INDEX"][0].data, tables)


def attached_number(
    archive: Archive | None, header: Mapping[str, Any], cards: tuple[str, ...], names: tuple[str, ...]
) -> int:
    """Return the number of an attached object, 0 if there is none: as a card says, or of the only one of some classes.

    Parameters
    ----------
    archive : Archive or None
        The archive.
    header : mapping
        Cards of the exposure.
    cards : tuple of str
        Cards that hold such a number.
    names : tuple of str
        Classes of such objects.
    """
    if archive is None:
        return 0
    values = [header[card] for card in cards if isinstance(header.get(card), int)]
    return next((int(value) for value in values if value > 0), 0) if values else archive.only(names)
