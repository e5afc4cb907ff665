"""Positions for forced photometry: a table of the user, names in a local catalog, or the coadd catalog."""

import logging
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from obs.algorithms.numeric.nearest import PointTree
from obs.coadds.sky_maps import coadd_roots
from obs.errors import DataIdError, DatasetNotFoundError, FileFormatError, suggest
from obs.image.catalog import Catalog
from obs.ingest.reference_columns import modified_julian
from obs.ingest.text_layout import find_text_layout
from obs.regular_file import open_regular
from obs.repo.butler import Butler
from obs.repo.fits_catalog import read_catalog
from obs.repo.input_files import note_input
from obs.repo.parquet_catalog import parquet_length
from obs.repo.votable_check import check_votable
from obs.runs.results import find_results
from obs.sky_vectors import sky_vectors

if TYPE_CHECKING:
    from astropy.table import Column, Table

__all__ = ["coadd_targets", "parse_position", "read_targets", "single_target"]

logger = logging.getLogger(__name__)

_SAME_STAR = 0.5  # arcsec
_POLE = 90.0  # degrees
#: Letters of the longest coordinate as text.
_LONGEST = 60
_RA = ("coord_ra", "ra", "raj2000", "_raj2000", "ra_icrs", "ra_deg", "alpha_j2000", "x_world", "right_ascension",
       "alpha")  # fmt: skip
_DEC = ("coord_dec", "dec", "dej2000", "decj2000", "_dej2000", "de_icrs", "dec_deg", "delta_j2000", "y_world",
        "declination", "delta")  # fmt: skip
_MOTIONS = {"pm_ra": ("pm_ra", "pmra", "pmra_cosdec"), "pm_dec": ("pm_dec", "pmdec")}
_EPOCH = ("epoch", "ref_epoch")
_ID = ("objectid", "object_id", "id", "source_id", "number")
_NAME = ("name", "object", "obj", "target", "star", "star_name", "object_name", "target_name", "source_name", "main_id",
         "designation", "identifier")  # fmt: skip
#: What may stand in brackets behind the name of a column without changing what it is.
_NOTES = {"deg", "degree", "degrees", "j2000", "j2000.0", "icrs", "epoch", "equinox"}
#: Degrees in units of coordinates other than degrees, as units, in brackets and at the end of names.
_UNITS = {name: size for names, size in (
    (("rad", "radian", "radians"), np.degrees(1.0)), (("h", "hr", "hour", "hours", "hourangle"), 15.0)
) for name in names}  # fmt: skip
_DECIMAL_COMMA = re.compile(r"\s*([+-]?\d+),(\d+)\s*")
_FORMATS = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv", ".txt": "ascii", ".dat": "ascii", ".vot": "votable",
            ".xml": "votable"}  # fmt: skip

#: Texts of tables take twenty times their size in memory while they are read.
_MOST_BYTES = 50_000_000
#: More positions than on any image; a Parquet file of half a megabyte may hold 60 million.
_MOST_ROWS, _PARQUET = 10_000_000, (".parq", ".parquet")
#: So many columns are named in a message.
_MOST_LISTED = 20
#: First bytes of files of gzip, bzip2, xz, zip, zstd and compress.
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\x1f\x9d")


def read_targets(path: Path, names: Sequence[str] = ()) -> Catalog:
    """Read positions from a table: FITS, CSV, ECSV, VOTable or Parquet.

    Columns are found by their usual names. Commas, semicolons or tabs are between those of a CSV. Coordinates are
    degrees, or as their unit or the end of their name says, or texts such as ``12:30:49.4``, whose right ascension is
    hours.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str, optional
        Only rows of these names, or ids, in any case, with or without spaces.

    Returns
    -------
    Catalog
        ``objectId``, ``coord_ra``, ``coord_dec`` (degrees), ``name`` if there is such a column, and ``pm_ra``,
        ``pm_dec`` (mas a year) and ``epoch`` (MJD) if the table has proper motions and their epoch.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or has no coordinates.
    DataIdError
        If a name is not in it.
    """
    note_input("positions", path)
    table = _read_table(path)
    ra_name, dec_name = _column(table, _RA), _column(table, _DEC)
    if ra_name is None or dec_name is None:
        more = f" and {len(table.colnames) - _MOST_LISTED} more" if len(table.colnames) > _MOST_LISTED else ""
        there = ", ".join(table.colnames[:_MOST_LISTED]) or "no columns"
        raise FileFormatError(
            f"no columns with right ascension and declination; it has {there}{more}; call them ra and dec", path=path
        )
    coordinates = _coordinates(table, ra_name, dec_name, path)
    number, label = _column(table, _ID), _column(table, _NAME)
    ids = np.arange(1, len(table) + 1)
    if number is not None and np.asarray(table[number]).dtype.kind in "iu":
        ids = np.asarray(table[number], np.int64)
    elif label is None:
        label = number
    catalog = Catalog()
    catalog.add("objectId", ids, "", "number of the object")
    catalog.add("coord_ra", coordinates[0], "deg", "right ascension")
    catalog.add("coord_dec", coordinates[1], "deg", "declination")
    _add_motions(catalog, table, path)
    if label is not None:
        catalog.add("name", np.asarray(table[label]).astype(str), "", "name of the object")
    catalog = _on_sky(catalog, str(path))
    return _named(catalog, names, path) if names else catalog


def _on_sky(catalog: Catalog, place: str) -> Catalog:
    """Return the rows whose positions are on the sky; a warning says how many are not."""
    ra, dec = catalog["coord_ra"], catalog["coord_dec"]
    good = np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= _POLE)
    if good.all():
        return catalog
    logger.warning(
        "%s: %d of %d positions are left out, because they are not finite or not on the sky",
        place,
        np.count_nonzero(~good),
        len(good),
    )
    return catalog.select(good)


def _read_table(path: Path) -> "Table":
    if not path.exists():
        raise FileFormatError("there is no such file", path=path)
    from astropy.table import Table  # noqa: PLC0415 - slow to import, and a position needs none

    suffix = path.suffix.lower()
    try:
        if suffix in _FORMATS:
            _check_text(path)
            if _FORMATS[suffix] == "votable":
                check_votable(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other columns; what is wrong with the positions is said below
                layout = find_text_layout(path) if suffix == ".csv" else None
                if layout is not None and layout.between not in ("", ","):
                    return Table.read(path, format="ascii.basic", delimiter=layout.between, guess=False)
                return Table.read(path, format=_FORMATS[suffix])
        if suffix in _PARQUET and (count := parquet_length(path)) > _MOST_ROWS:
            raise FileFormatError(f"has {count} rows, at most {_MOST_ROWS} positions are measured at a time", path=path)
        return read_catalog(path).to_table()
    except FileFormatError:
        raise
    except Exception as error:  # noqa: BLE001 - each format of astropy fails in its own way
        reason = getattr(error, "strerror", None) or error
        raise FileFormatError(f"cannot be read as a table: {reason}", path=path) from None


def _check_text(path: Path) -> None:
    """Raise an error if a text is large, or compressed and so perhaps larger than memory."""
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise FileFormatError(
            f"has {size} bytes, of a text at most {_MOST_BYTES} are read: use FITS or Parquet", path=path
        )
    with open_regular(path) as file:
        if file.read(6).startswith(_COMPRESSED):
            raise FileFormatError("is compressed; unpack it first", path=path)


def _column(table: "Table", known: Sequence[str]) -> str | None:
    names = {_split_name(str(name))[0]: str(name) for name in reversed(table.colnames)}
    return next((names[name] for name in known if name in names), None)


def _split_name(name: str) -> tuple[str, str]:
    """Return the plain name of a column such as ``RA (J2000)``, and the unit that brackets behind it name."""
    base, unit = name.strip().lower(), ""
    found = re.fullmatch(r"(.+?)[\s_]*[(\[]([^()\[\]]*)[)\]]", base)
    if found is not None:
        words = re.split(r"[\s,;]+", found[2].strip())
        if all(word in _NOTES or word in _UNITS for word in words):
            base, unit = found[1], next((word for word in words if word in _UNITS), "")
    elif (ending := base.rpartition("_"))[0] and ending[2] in _UNITS:
        base, unit = ending[0], ending[2]
    return re.sub(r"[\s.-]+", "_", base), unit


def _coordinates(table: "Table", ra_name: str, dec_name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    ra, dec = _with_points(table[ra_name]), _with_points(table[dec_name])
    for name, column in ((ra_name, ra), (dec_name, dec)):
        kind = np.asarray(column).dtype
        letters = kind.itemsize // (np.dtype("U1").itemsize if kind.kind == "U" else 1)
        if kind.kind in "US" and letters > _LONGEST:
            raise FileFormatError(
                f"column {name} does not contain coordinates: a text has {letters} letters", path=path
            )
    if np.asarray(ra).dtype.kind in "US":
        from astropy.coordinates import SkyCoord  # noqa: PLC0415 - as above

        try:
            sky = SkyCoord(np.asarray(ra).astype(str), np.asarray(dec).astype(str), unit=("hourangle", "deg"))
        except ValueError as error:
            raise FileFormatError(f"coordinates cannot be read: {error}", path=path) from None
        return np.asarray(sky.ra.deg), np.asarray(sky.dec.deg)
    values = []
    for name, column in ((ra_name, ra), (dec_name, dec)):
        try:
            data = _numbers(column)
        except (TypeError, ValueError) as error:
            raise FileFormatError(f"coordinates are not numbers: {error}", path=path) from None
        unit = _split_name(name)[1] if column.unit is None else str(column.unit).lower()
        values.append(_degrees_in(unit, name, path) * data)
    return values[0] % 360.0, values[1]


def _with_points(column: "Column") -> "Column":
    """Return a column whose texts are numbers with decimal commas as numbers; any other as it is."""
    found = [_DECIMAL_COMMA.fullmatch(str(value)) for value in column] if column.dtype.kind in "US" else []
    if not found or not all(found):
        return column
    from astropy.table import Column  # noqa: PLC0415 - as above

    return Column([float(f"{one[1]}.{one[2]}") for one in found if one], name=column.name, unit=column.unit)


def _degrees_in(unit: str, name: str, path: Path) -> float:
    """Return how many degrees a unit of coordinates has."""
    if unit in _UNITS:
        return _UNITS[unit]
    from astropy.units import Unit, UnitConversionError  # noqa: PLC0415 - as above

    try:
        return float(Unit(unit).to("deg")) if unit else 1.0
    except UnitConversionError:
        raise FileFormatError(f"column {name} is in {unit}, not in a unit of angles", path=path) from None
    except ValueError:
        return 1.0  # words of others for degrees


def _add_motions(catalog: Catalog, table: "Table", path: Path) -> None:
    """Add proper motions of a table and their epoch, where it has both."""
    found = {name: _column(table, known) for name, known in _MOTIONS.items()}
    if any(name is None for name in found.values()):
        return
    epoch = _column(table, _EPOCH)
    if epoch is None:
        logger.warning("%s: proper motions are not used, because there is no column epoch (year or MJD)", path)
        return
    from astropy.units import Quantity, Unit, dimensionless_angles  # noqa: PLC0415 - as above

    try:
        for name, column in found.items():
            unit = str(table[column].unit or "mas/yr").replace("year", "yr").replace(" ", "")
            motion = Quantity(_numbers(table[column]), Unit(unit)).to_value(
                "mas/yr", equivalencies=dimensionless_angles()
            )
            catalog.add(name, motion, "mas/year", "proper motion")
        catalog.add("epoch", modified_julian(_numbers(table[epoch])), "d", "modified Julian day of the position")
    except (TypeError, ValueError) as error:
        raise FileFormatError(f"proper motions cannot be read: {error}", path=path) from None


def _numbers(column: "Column") -> np.ndarray:
    return np.asarray(np.ma.filled(np.ma.array(column, np.float64), np.nan))


def _named(catalog: Catalog, names: Sequence[str], path: Path) -> Catalog:
    def plain(name: object) -> str:
        return re.sub(r"[\s_]+", "", str(name)).lower()

    labels = [plain(name) for name in (catalog["name"] if "name" in catalog else catalog["objectId"])]
    ids = [plain(number) for number in catalog["objectId"]]
    rows = []
    for name in names:
        found = [row for row, label in enumerate(labels) if label == plain(name)]
        found = found or [row for row, number in enumerate(ids) if number == plain(name)]
        if not found:
            known = catalog["name"].tolist() if "name" in catalog else [str(number) for number in catalog["objectId"]]
            there = suggest(name, known) or (f"; it has {', '.join(known)}" if len(known) <= _MOST_LISTED else "")
            if "name" not in catalog:
                there = "; none of its columns is called name, so that objects have numbers only"
            raise DataIdError(f"{path} has no object '{name}'{there}", key="name")
        rows += found[:1]
    return catalog.select(rows)


def parse_position(text: str) -> tuple[float, float]:
    """Return right ascension and declination, degrees, of texts such as ``150.1,2.2`` and ``10:00:24,+02:12:00``.

    Parameters
    ----------
    text : str
        Right ascension and declination, separated by a comma or spaces. Right ascension with colons is in hours.

    Raises
    ------
    DataIdError
        If the text is not a position.
    """
    parts = [part for part in re.split(r"[,\s]+", text.strip()) if part]
    problem = f"'{text}' is not a position; give RA,DEC in degrees such as 150.1,2.2 or 10:00:24,+02:12:00"
    if len(parts) != 2:
        raise DataIdError(problem, key="object")
    try:
        if any(letter in parts[0] for letter in ":h"):
            from astropy.coordinates import SkyCoord  # noqa: PLC0415 - as above

            sky = SkyCoord(parts[0], parts[1], unit=("hourangle", "deg"))
            return float(sky.ra.deg), float(sky.dec.deg)
        ra, dec = float(parts[0]), float(parts[1])
    except ValueError:
        raise DataIdError(problem, key="object") from None
    if not (-360.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0):
        raise DataIdError(problem, key="object")
    return ra % 360.0, dec


def single_target(butler: Butler, text: str, table: Path | None, tract: int | None) -> Catalog:
    """Return one target: a position, or the id or name of an object in a table or in the coadd catalog.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    text : str
        Position, id or name.
    table : Path or None
        Table of targets; with it, ``text`` is an id or name in it.
    tract : int or None
        Tract whose coadd catalog is searched; all tracts if None.

    Returns
    -------
    Catalog
        One row with ``objectId``, ``coord_ra`` and ``coord_dec`` (degrees); the id of a position is 1.

    Raises
    ------
    DataIdError
        If it is neither.
    """
    if table is not None:
        return read_targets(table, [text])
    if "," in text or " " in text.strip():
        ra, dec = parse_position(text)
        catalog = Catalog()
        catalog.add("objectId", np.array([1]))
        catalog.add("coord_ra", np.array([ra]), "deg")
        catalog.add("coord_dec", np.array([dec]), "deg")
        return catalog
    if not re.fullmatch(r"\d+", text.strip()):
        raise DataIdError(
            f"'{text}' is neither a position nor an id; give RA,DEC, an id of the coadd catalog, or a table with names "
            "by --table",
            key="object",
        )
    known = coadd_targets(butler, tract)
    found = known.select(known["objectId"] == int(text))
    if not len(found):
        raise DataIdError(f"the coadd catalog has no object {text}; give its position as RA,DEC", key="object")
    return found


def coadd_targets(butler: Butler, tract: int | None) -> Catalog:
    """Return the primary objects of the coadd catalogs, all patches of a tract.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    tract : int or None
        Number of the tract; all tracts if None.

    Returns
    -------
    Catalog
        ``objectId`` and positions, degrees.

    Raises
    ------
    DatasetNotFoundError
        If there is no coadd catalog.
    FileFormatError
        If positions in a catalog are not numbers.
    """
    remake = "make the catalog again: obs coadd-catalog"
    advice = "make one with obs coadd-catalog, or give positions with --table FILE"
    if "deepCoadd_ref" not in butler.policy.dataset_types:
        raise DatasetNotFoundError(f"there is no coadd catalog: {advice}", dataset_type="deepCoadd_ref")
    results = find_results(butler, "deepCoadd_ref", [] if tract is None else [[f"tract={tract}"]])
    roots = coadd_roots(butler) if results else []
    parts = []
    for result in results:
        if not any(result.path.is_relative_to(root) for root in roots):
            continue
        catalog: Catalog = butler.get("deepCoadd_ref", result.data_id)
        if "detect_isPrimary" in catalog:
            catalog = catalog.select(catalog["detect_isPrimary"])
        parts.append(catalog)
    if not parts:
        raise DatasetNotFoundError(f"there is no coadd catalog: {advice}", dataset_type="deepCoadd_ref")
    joined = Catalog()
    joined.add("objectId", np.concatenate([part["id"] for part in parts]), "", "id in the coadd catalog")
    for name in ("coord_ra", "coord_dec"):
        for part in parts:
            if part[name].dtype.kind != "f" or part[name].ndim != 1:
                raise FileFormatError(f"column {name} does not contain numbers; {remake}", path=part.path)
        is_radian = [part.columns[name].unit == "rad" for part in parts]
        values = [np.degrees(p[name]) if rad else p[name] for p, rad in zip(parts, is_radian, strict=True)]
        joined.add(name, np.concatenate(values), "deg")
    joined = _on_sky(joined, "the coadd catalog")
    _add_fitted_motions(joined, butler, 0 if tract is None else tract)
    return joined


def _add_fitted_motions(catalog: Catalog, butler: Butler, tract: int) -> None:
    """Add the proper motions that `obs calibrate-visits` found of objects; NaN where it found none."""
    try:
        motions: Catalog = butler.get("calibrateVisits_motions", {"tract": tract})
    except DatasetNotFoundError:
        return
    places = sky_vectors(motions["coord_ra"], motions["coord_dec"])
    if not len(places):
        return
    _, star = PointTree(places).nearest(
        np.nan_to_num(sky_vectors(catalog["coord_ra"], catalog["coord_dec"])), below=np.radians(_SAME_STAR / 3600.0)
    )
    known = star < len(motions)
    row = np.where(known, star, 0)
    for name in ("pm_ra", "pm_dec", "epoch"):
        column = motions.columns[name]
        catalog.add(name, np.where(known, column.data[row], np.nan), column.unit, column.description)
