"""Catalog files: FITS binary tables, and Parquet by suffix."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.catalog import Catalog, Column
from obs.regular_file import open_regular
from obs.repo.fits_file import (
    card_text,
    header_to_dict,
    is_structural,
    open_fits,
    set_cards,
    stored_cards,
    table_bytes,
    write_hdus,
    write_table_parts,
)
from obs.repo.lsst_objects.kept import archive_bytes
from obs.repo.parquet_catalog import parquet_length, parquet_schema, read_parquet, write_parquet

__all__ = [
    "ascii_width",
    "catalog_length",
    "catalog_schema",
    "is_parquet",
    "read_catalog",
    "write_catalog",
    "write_catalog_parts",
]

#: Column with the numbers of footprints, and the HDU, counted from 1, of the index of what they name.
_FOOTPRINT, _ARCHIVE_HDU = "footprint", 3
_EXTNAME = "CATALOG"
_FORMATS = {"|b1": "L", "|u1": "B", "<i2": "I", "<i4": "J", "<i8": "K", "<f4": "E", "<f8": "D", "<c8": "C", "<c16": "M"}
#: Parts of values that older tables of LSST keep as arrays, by the kind that TCCLS tells.
_PARTS = {
    "Coord": ("ra", "dec"),
    "Point": ("x", "y"),
    "Moments": ("xx", "yy", "xy"),
    "Covariance(Point)": ("xx", "xy", "yy"),
    "Covariance(Moments)": ("xxxx", "xxyy", "yyyy", "xxxy", "yyxy", "xyxy"),
}
_CHARACTER = np.dtype("U1").itemsize
_STORED = {code: "S1" if code == "L" else kind.replace("<", ">") for kind, code in _FORMATS.items()}
_CHANGED = re.compile(r"T(SCAL|ZERO|NULL|DIM)[0-9]+|THEAP")
_PLAIN_FORM = re.compile(r"([1-9][0-9]*)?([LBIJKED])")
#: Bytes of a larger table are not all in memory beside its columns.
_AT_ONCE = 1 << 26
_WIDENED = {"|i1": "<i2", "<u2": "<i4", "<u4": "<i8", "<f2": "<f4"}
# LSST's tables: names and meanings of the bits in their flags column, meanings and kinds of the others.
_LAYOUT = re.compile(r"TFLAG\d+|TFDOC\d+|FLAGCOL|TDOC\d+|TCCLS\d+|AFW_.+|AR_HDU|ALIAS\d*")
_ALIAS = re.compile(r"ALIAS\d*")
#: Cards of the first version of LSST's tables that name the algorithm of a slot.
_OLD_SLOTS = {
    "PSF_FLUX_SLOT": "slot_PsfFlux",
    "AP_FLUX_SLOT": "slot_ApFlux",
    "INST_FLUX_SLOT": "slot_GaussianFlux",
    "MODEL_FLUX_SLOT": "slot_ModelFlux",
    "CALIB_FLUX_SLOT": "slot_CalibFlux",
    "CENTROID_SLOT": "slot_Centroid",
    "SHAPE_SLOT": "slot_Shape",
}


def is_parquet(path: Path | str) -> bool:
    """Return whether a file name asks for Parquet."""
    return Path(path).suffix in (".parq", ".parquet")


def _holds_parquet(path: Path | str) -> bool:
    """Return whether a file is Parquet, by its name or, where that says nothing, by its first bytes."""
    if is_parquet(path):
        return True
    try:
        with open_regular(path) as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False  # what is wrong with the file is reported where it is read


def write_catalog(catalog: Catalog, path: Path | str) -> None:
    """Write a catalog with units, descriptions and metadata; Parquet if the suffix is ``.parq`` or ``.parquet``.

    Parameters
    ----------
    catalog : Catalog
        Columns of numbers, bools or text.
    path : Path or str
        The file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    ValueError
        If a column is of a type that has no place in a table.
    """
    if is_parquet(path):
        write_parquet(catalog, path)
        return
    rows, cards, columns = _table(catalog)
    archive = _footprints(catalog)
    if archive:
        cards.append(fits.Card("AR_HDU", _ARCHIVE_HDU))
    write_hdus(path, [fits.PrimaryHDU()], table_bytes(rows, cards, _EXTNAME, columns) + archive)


def _footprints(catalog: Catalog) -> bytes:
    """Return the HDUs with the footprints of a catalog of the LSST stack, whose numbers its rows have."""
    if catalog.path is None or _FOOTPRINT not in catalog.columns or not catalog[_FOOTPRINT].any():
        return b""
    return archive_bytes(catalog.path)


def write_catalog_parts(like: Catalog, count: int, parts: Iterable[Catalog], path: Path | str) -> None:
    """Write a FITS catalog whose rows come in parts, of which one is in memory at a time.

    Parameters
    ----------
    like : Catalog
        The columns, their types, and the metadata of all; without rows. Texts are as wide as `ascii_width` says.
    count : int
        Number of all rows.
    parts : iterable of Catalog
        The rows, with columns of the same types.
    path : Path or str
        The file.

    Raises
    ------
    OutputError
        If the file cannot be written, or the rows are not as many as promised.
    """
    empty, cards, columns = _table(like)
    write_table_parts(path, empty.dtype, count, (_table(part)[0] for part in parts), cards, _EXTNAME, columns)


def ascii_width(texts: NDArray[np.str_]) -> int:
    """Return how many characters wide texts are in a FITS table, where letters beyond ASCII are escaped.

    Parameters
    ----------
    texts : ndarray of str, shape (n,)
        Texts.
    """
    return max(np.strings.encode(texts, "ascii", "backslashreplace").dtype.itemsize, 1)


def _table(catalog: Catalog) -> tuple[NDArray[Any], list[fits.Card], str]:
    """Return the rows of a catalog as they are stored in a file, and the cards of its metadata and of its columns."""
    cards: list[str] = []
    fields: list[tuple[str, np.dtype[Any], tuple[int, ...]]] = []
    arrays: list[NDArray[Any]] = []
    for number, (name, column) in enumerate(catalog.columns.items(), start=1):
        array, form = _fits_column(name, column.data)
        meaning = {"TTYPE": name} | form | {"TUNIT": column.unit, "TCOMM": column.description}
        cards += [card_text(f"{card}{number}", value) for card, value in meaning.items()]
        fields.append((f"f{number}", array.dtype, array.shape[1:]))
        arrays.append(array)
    rows = np.empty(len(catalog), fields)
    for (field, *_), array in zip(fields, arrays, strict=True):
        rows[field] = array
    facts = fits.Header()
    set_cards(facts, {name: value for name, value in catalog.metadata.items() if not is_structural(name)})
    for alias, target in catalog.aliases.items():
        facts.append(("ALIAS", f"{alias}:{target}"), end=True)
    return rows, list(facts.cards), "".join(cards)


def _fits_column(name: str, data: NDArray[Any]) -> tuple[NDArray[Any], dict[str, str]]:
    """Return a column in FITS's byte order, and its cards TFORM and TDIM."""
    if data.dtype.kind == "O" and all(isinstance(value, str) for value in data.flat):
        data = data.astype(np.str_)
    if data.dtype.kind == "U":
        # Without rows numpy would forget how wide the texts are, of which others follow.
        narrowest = data.dtype.itemsize // _CHARACTER if not len(data) else 1
        data = np.strings.encode(data, "ascii", "backslashreplace")
        data = data.astype(f"S{max(data.dtype.itemsize, narrowest)}")
    size = int(np.prod(data.shape[1:], dtype=int))
    shape = data.shape[:0:-1]
    if data.dtype.kind == "S":
        width = max(data.dtype.itemsize, 1)
        array, code, shape, size = data.astype(f"S{width}"), "A", (width, *shape), size * width
    else:
        native = data.dtype.newbyteorder("<").str
        native = _WIDENED.get(native, native)
        if native not in _FORMATS:
            raise ValueError(f"column '{name}' of type {data.dtype} has no place in a FITS table")
        code = _FORMATS[native]
        array = np.where(data, b"T", b"F") if code == "L" else data.astype(np.dtype(native).newbyteorder(">"))
    dimensions = {"TDIM": "(" + ",".join(map(str, shape)) + ")"} if len(shape) > 1 else {}
    return array, {"TFORM": f"{size}{code}"} | dimensions


def read_catalog(path: Path | str, *, hdu: int | None = None) -> Catalog:
    """Read a catalog: our own, LSST's, or any binary table or Parquet file.

    A column of flag bits, as LSST writes it, becomes one bool column a flag.

    Parameters
    ----------
    path : Path or str
        The file.
    hdu : int, optional
        Number of the HDU of the table in a FITS file; by default that of the first binary table.

    Returns
    -------
    Catalog

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If the file is of another format, is truncated, has changed since it was written, or holds no table.

    Examples
    --------
    >>> from obs import read_catalog
    >>> "base_PsfFlux_instFlux" in read_catalog("DATA/rerun/first/src/visit-21.fits")
    True
    """
    if _holds_parquet(path):
        catalog = read_parquet(path)
    else:
        with open_fits(path, is_whole=True) as hdus:
            catalog = _from_hdu(hdus, _table_hdu(hdus) if hdu is None else hdus[hdu])
    catalog.path = Path(path)
    return catalog


def catalog_schema(path: Path | str) -> Catalog:
    """Read the columns and metadata of a catalog without its rows; arguments and errors as of `read_catalog`.

    Parameters
    ----------
    path : Path or str
        FITS or Parquet file.

    Returns
    -------
    Catalog
        A catalog without rows.
    """
    if _holds_parquet(path):
        return parquet_schema(path)
    with open_fits(path, is_own=True) as hdus:
        header = _table_hdu(hdus).header.copy()
        header["NAXIS2"], header["PCOUNT"] = 0, 0
        return _from_hdu(hdus, fits.BinTableHDU.fromstring(header.tostring().encode("ascii")))


def catalog_length(path: Path | str) -> int:
    """Read the number of rows of a catalog from its header; arguments and errors as of `read_catalog`.

    Parameters
    ----------
    path : Path or str
        FITS or Parquet file.
    """
    if _holds_parquet(path):
        return parquet_length(path)
    with open_fits(path, is_own=True) as hdus:
        return int(_table_hdu(hdus).header["NAXIS2"])


def _table_hdu(hdus: fits.HDUList) -> fits.BinTableHDU:
    for hdu in hdus:
        if isinstance(hdu, fits.BinTableHDU) and not isinstance(hdu, fits.CompImageHDU):
            return hdu
    raise FileFormatError("no binary table in it")


def _from_hdu(hdus: fits.HDUList, hdu: fits.BinTableHDU) -> Catalog:
    cards = _cards(hdu)
    header = dict(cards)
    plain = _plain_columns(hdu, header)
    columns: dict[str, Column] = {}
    flag_column = header.get("FLAGCOL", _flag_column(header))
    for number in range(1, int(header["TFIELDS"]) + 1):
        data = hdu.data.field(number - 1) if plain is None else plain[number - 1]
        if number == flag_column:
            bits = np.asarray(data).reshape(len(data), -1) if len(data) else np.empty((0, data.shape[-1]), bool)
            columns |= _flags(header, bits.astype(bool))
            continue
        description = header.get(f"TCOMM{number}") or header.get(f"TDOC{number}") or ""
        unit = header.get(f"TUNIT{number}") or ""
        column = Column(_native(data), unit, description)
        name = header.get(f"TTYPE{number}")
        if not isinstance(name, str):
            raise FileFormatError(f"column {number} of the table has no name: TTYPE{number} is {name}")
        columns |= _split(name, column, str(header.get(f"TCCLS{number}", "")).strip())
    primary = header_to_dict(hdus[0].header)
    metadata = {k: v for k, v in (primary | header).items() if not (is_structural(k) or _LAYOUT.fullmatch(k))}
    return Catalog(columns, metadata, _aliases(cards, header))


def _cards(hdu: fits.BinTableHDU) -> list[tuple[str, Any]]:
    place = hdu.fileinfo()
    if place is None:
        return stored_cards(hdu.header.tostring().encode("ascii"))
    place["file"].seek(place["hdrLoc"])
    return stored_cards(place["file"].read(place["datLoc"] - place["hdrLoc"]))


def _plain_columns(hdu: fits.BinTableHDU, header: dict[str, Any]) -> list[NDArray[Any]] | None:
    """Return the columns of a table of numbers, or None where astropy is needed: it takes ten times longer."""
    fields = int(header["TFIELDS"])
    forms = [_PLAIN_FORM.fullmatch(str(header.get(f"TFORM{number}")).strip()) for number in range(1, fields + 1)]
    place = hdu.fileinfo()
    size = int(header["NAXIS1"]) * int(header["NAXIS2"])
    odd = header.get("PCOUNT") or any(_CHANGED.fullmatch(name) for name in header)
    if odd or size > _AT_ONCE or place is None or not all(forms):
        return None
    types: list[tuple[str, str, tuple[int, ...]]] = []
    for number, form in enumerate(forms):
        count, code = form.groups() if form else (None, "")
        types.append((f"f{number}", _STORED[code], () if count in (None, "1") else (int(count),)))
    kind = np.dtype(types)
    place["file"].seek(place["datLoc"])
    content = place["file"].read(size)
    if not fields or kind.itemsize != int(header["NAXIS1"]) or len(content) != size:
        return None
    rows = np.frombuffer(content, kind)
    return [rows[name] == b"T" if kind[name].base == np.dtype("S1") else rows[name] for name in kind.names or ()]


def _aliases(cards: list[tuple[str, Any]], header: dict[str, Any]) -> dict[str, str]:
    """Return the other names of columns, of which each is a card of its own."""
    texts = [str(value) for name, value in cards if _ALIAS.fullmatch(name)]
    pairs = (text.partition(":") for text in texts)
    found = {alias.strip(): target.strip() for alias, colon, target in pairs if colon}
    slots = {slot: str(header[card]).strip() for card, slot in _OLD_SLOTS.items() if card in header}
    return {slot: target.replace(".", "_") for slot, target in slots.items() if target} | found


def _split(name: str, column: Column, kind: str) -> dict[str, Column]:
    """Return a column, or those of its parts where older tables of LSST keep positions and moments as arrays."""
    parts = _PARTS.get(kind, ())
    if not parts or column.data.shape[1:] != (len(parts),):
        return {name: column}
    unit = "rad" if kind == "Coord" else column.unit
    return {
        f"{name}_{part}": Column(np.ascontiguousarray(column.data[:, number]), unit, column.description)
        for number, part in enumerate(parts)
    }


def _flag_column(header: dict[str, Any]) -> int | None:
    """Return the number of a column of bits whose names are given, where no FLAGCOL tells."""
    if "TFLAG1" not in header:
        return None
    forms = ((number, str(header[f"TFORM{number}"])) for number in range(1, int(header["TFIELDS"]) + 1))
    return next((number for number, form in forms if form.rstrip().endswith("X")), None)


def _flags(header: dict[str, Any], bits: NDArray[np.bool_]) -> dict[str, Column]:
    names = {bit: header.get(f"TFLAG{bit + 1}") for bit in range(bits.shape[1])}
    return {
        name: Column(bits[:, bit].copy(), "", header.get(f"TFDOC{bit + 1}") or "")
        for bit, name in names.items()
        if name
    }


def _native(data: Any) -> NDArray[Any]:  # noqa: ANN401 - an array of any of astropy's kinds
    if isinstance(data, np.char.chararray):
        return np.array(data, np.str_)
    array = np.asarray(data)
    return np.array(array, array.dtype.newbyteorder("="))
