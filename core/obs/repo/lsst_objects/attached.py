"""What the LSST stack attaches to an exposure besides WCS, PSF and zero point; read when it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.repo.fits_file import open_fits
from obs.repo.lsst_objects.archive import Archive, field, open_archive
from obs.repo.lsst_objects.bounded_field import BoundedField, read_bounded_field
from obs.repo.lsst_objects.exposure_records import read_coadd_inputs
from obs.repo.lsst_objects.polygon import read_polygon
from obs.repo.lsst_objects.transmission_curve import read_transmission_curve

__all__ = ["KINDS", "AttachedObjects", "attached_filter", "find_attached", "read_ap_corr_map", "read_object"]

_FILTER_CARDS = ("ARCHIVE_ID_FILTER", "FILTER_ID")


@frozen
class AttachedObjects(Mapping[str, Any]):
    """Attached objects by name: ``apCorrMap``, ``coaddInputs``, ``transmissionCurve``, ``validPolygon``.

    Parameters
    ----------
    path : Path
        The file.
    numbers : mapping of str to int
        Number of each object in the file.
    """

    path: Path
    numbers: Mapping[str, int]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any object
        return read_object(self.path, self.numbers[name], KINDS[name][1])

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def find_attached(hdus: fits.HDUList, header: Mapping[str, Any], path: Path | str) -> AttachedObjects | None:
    """Return the attached objects of an open file; None if there are none.

    Parameters
    ----------
    hdus : fits.HDUList
        The file.
    header : mapping
        Cards of the exposure.
    path : Path or str
        Its name.
    """
    if not any(str(hdu.header.get("EXTTYPE", "")).strip() == "ARCHIVE_INDEX" for hdu in hdus[1:]):
        return None
    numbers: dict[str, int] = {}
    for name, (cards, _) in KINDS.items():
        values = [header[card] for card in cards if isinstance(header.get(card), int)]
        if value := next((value for value in values if value > 0), 0):
            numbers[name] = value
    return AttachedObjects(Path(path), numbers) if numbers else None


def read_object(path: Path | str | None, number: int, reader: Callable[[Archive, int], Any]) -> Any:  # noqa: ANN401 - any object
    """Read an attached object of a file by its number.

    Parameters
    ----------
    path : Path or str or None
        The file.
    number : int
        Number of the object in its archive.
    reader : callable
        Function that reads the object, called with the archive and the number.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    if path is None:
        raise FileFormatError("the file that attached objects are in is not known")
    with open_fits(path) as hdus:
        archive = open_archive(hdus)
        if archive is None:
            raise FileFormatError("the objects that the LSST stack attached are missing", path=path)
        return reader(archive, number)


def attached_filter(archive: Archive | None, header: Mapping[str, Any]) -> str:
    """Return the physical filter of an exposure, or else its band, that is attached; empty if none is.

    Parameters
    ----------
    archive : Archive or None
        The archive.
    header : mapping
        Cards of the exposure.

    Raises
    ------
    FileFormatError
        If it is of a class that is not read.
    """
    number = next((header[card] for card in _FILTER_CARDS if isinstance(header.get(card), int)), 0)
    if archive is None or number < 1:
        return ""
    name, row = archive.row(number)
    if name != "FilterLabel":
        raise FileFormatError(f"its filter is of the stack's class {name}, which is not read; FilterLabel is")
    columns = row.array.dtype.names
    texts = (_text(row[column]) for part in ("phys", "band") for column in columns if column.lower().startswith(part))
    return next((text for text in texts if text), "")


def _text(value: Any) -> str:  # noqa: ANN401 - a text of astropy
    """Return a text, which astropy gives as such or as its characters; empty for what is none."""
    if isinstance(value, str):
        return value.strip()
    characters = [item.decode("latin-1") if isinstance(item, bytes) else item for item in np.ravel(value)]
    return "".join(characters).strip() if all(isinstance(item, str) for item in characters) else ""


def read_ap_corr_map(archive: Archive, number: int) -> dict[str, BoundedField]:
    """Return aperture corrections, by the name of a column of fluxes or of their errors.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the map in it.

    Returns
    -------
    dict of str to BoundedField
        Factors of fluxes, as functions of the position as the stack counts pixels.

    Raises
    ------
    FileFormatError
        If they are of another class.
    """
    name, rows = archive.find(number)
    if name != "ApCorrMap":
        raise FileFormatError(f"object {number} is a {name}; expected an ApCorrMap")
    names = [str(one).strip() for part in rows for one in field(part, "name")]
    fields = [int(one) for part in rows for one in field(part, "field")]
    return {one: read_bounded_field(archive, number) for one, number in zip(names, fields, strict=True)}


#: Cards with the number of an object in newer and older files, and its reader.
KINDS: dict[str, tuple[tuple[str, ...], Callable[[Archive, int], Any]]] = {
    "apCorrMap": (("ARCHIVE_ID_AP_CORR_MAP", "AP_CORR_MAP_ID"), read_ap_corr_map),
    "coaddInputs": (("ARCHIVE_ID_COADD_INPUTS", "COADD_INPUTS_ID"), read_coadd_inputs),
    "transmissionCurve": (("ARCHIVE_ID_TRANSMISSION_CURVE", "TRANSMISSION_CURVE_ID"), read_transmission_curve),
    "validPolygon": (("ARCHIVE_ID_VALID_POLYGON", "VALID_POLYGON_ID"), read_polygon),
}
