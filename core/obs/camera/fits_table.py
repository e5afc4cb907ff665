"""The FITS tables in which LSST keeps amplifiers: one file a detector, one row an amplifier, 35 columns.

Boxes are a first pixel and an extent, which is how `obs.geom.Box` has them. Which HDU of a raw file holds an amplifier
has no column there; where it is not the one image of the file, the card ``RAWHDUn`` tells it for row n.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from obs.camera.amplifier import READOUT_CORNERS, Amplifier, NominalCalibration
from obs.errors import FileFormatError
from obs.geom import Box

__all__ = ["amplifier_file_name", "read_amplifiers", "write_amplifiers"]

_KIND = "AMPINFO"
_VERSION = 3
_MOST_COLUMNS = 999
_PARTS = {"min_x": "x_min", "min_y": "y_min", "extent_x": "width", "extent_y": "height"}
_RAW_BOXES = {
    "raw_databbox": "raw_data_bbox",
    "raw_horizontaloverscanbbox": "raw_serial_overscan_bbox",
    "raw_verticaloverscanbbox": "raw_parallel_overscan_bbox",
    "raw_prescanbbox": "raw_prescan_bbox",
}
_FLAGS = ("hasrawinfo", "raw_flip_x", "raw_flip_y")
_NAME_LENGTH, _N_COEFFICIENT = 64, 4


def _box_columns(name: str, title: str) -> list[tuple[str, str, str, str]]:
    return [(f"{name}_{part}", "J", "pixel", f"{title}: {field.replace('_', ' ')}") for part, field in _PARTS.items()]


#: Name, format, unit and description, in the order of the file.
_COLUMNS: tuple[tuple[str, str, str, str], ...] = (
    ("flags", "3X", "", "bits of the flag columns"),
    ("name", f"{_NAME_LENGTH}A", "", "name of the amplifier"),
    *_box_columns("bbox", "place in the assembled detector"),
    ("gain", "D", "electron/adu", "gain"),
    ("saturation", "D", "adu", "saturation level"),
    ("suspectlevel", "D", "adu", "level above which pixels are suspect; NaN for none"),
    ("readnoise", "D", "electron", "read noise"),
    ("readoutcorner", "J", "", "corner that is read first: LL 0, LR 1, UR 2, UL 3"),
    ("linearity_coeffs", f"{_N_COEFFICIENT}D", "", "coefficients of the linearity correction"),
    ("linearity_type", f"{_NAME_LENGTH}A", "", "kind of the linearity correction"),
    *_box_columns("raw_bbox", "all pixels in the raw image"),
    *_box_columns("raw_databbox", "pixels that saw light, in the raw image"),
    ("raw_xyoffset_x", "J", "pixel", "x of the amplifier's raw image in a mosaic of them"),
    ("raw_xyoffset_y", "J", "pixel", "y of the amplifier's raw image in a mosaic of them"),
    *_box_columns("raw_horizontaloverscanbbox", "overscan behind the data of each row"),
    *_box_columns("raw_verticaloverscanbbox", "overscan rows behind the data"),
    *_box_columns("raw_prescanbbox", "pixels before the data"),
)


def amplifier_file_name(detector_name: str) -> str:
    """Return the name of a detector's file: a blank becomes an underscore.

    Parameters
    ----------
    detector_name : str
        Name of the detector.
    """
    return detector_name.replace(" ", "_") + ".fits"


def write_amplifiers(amplifiers: Sequence[Amplifier], file: BinaryIO | Path) -> None:
    """Write the amplifiers of one detector.

    Parameters
    ----------
    amplifiers : sequence of Amplifier
        In the order of the rows.
    file : BinaryIO or Path
        Where to; a file of this name is replaced.

    Raises
    ------
    ValueError
        If a name is not ASCII or longer than 64 characters, or there are more than four linearity coefficients.
    """
    rows = [_to_row(amp) for amp in amplifiers]
    columns = []
    for name, form, unit, _ in _COLUMNS:
        values = np.array([row[name] for row in rows])
        columns.append(fits.Column(name=name, format=form, unit=unit or None, array=values))
    table = fits.BinTableHDU.from_columns(columns)
    header = table.header
    for number, (*_, text) in enumerate(_COLUMNS, 1):
        header.set(f"TDOC{number}", text)
    for number, flag in enumerate(_FLAGS, 1):
        header[f"TFLAG{number}"] = flag
    header["AFW_TYPE"] = _KIND
    header["HIERARCH AFW_TABLE_VERSION"] = _VERSION
    header["FLAGCOL"] = 1
    for number, amp in enumerate(amplifiers, 1):
        if amp.raw_hdu:
            header[f"RAWHDU{number}"] = (amp.raw_hdu, "HDU of the raw pixels of this row")
        if amp.overscan_hdu:
            header[f"OSCHDU{number}"] = (amp.overscan_hdu, "HDU of its overscan")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(file, overwrite=True)


def _to_row(amp: Amplifier) -> dict[str, Any]:
    coefficients = amp.nominal.linearity_coefficients
    if len(coefficients) > _N_COEFFICIENT:
        raise ValueError(
            f"amplifier '{amp.name}' has {len(coefficients)} linearity coefficients, the table takes {_N_COEFFICIENT}"
        )
    row: dict[str, Any] = {
        "flags": (True, amp.flip_x, amp.flip_y),
        "name": _text(amp.name),
        "gain": amp.nominal.gain,
        "saturation": amp.nominal.saturation,
        "suspectlevel": amp.nominal.suspect,
        "readnoise": amp.nominal.read_noise,
        "readoutcorner": READOUT_CORNERS.index(amp.readout_corner),
        "linearity_coeffs": [*coefficients, *[np.nan] * (_N_COEFFICIENT - len(coefficients))],
        "linearity_type": _text(amp.nominal.linearity_type),
        "raw_xyoffset_x": 0,
        "raw_xyoffset_y": 0,
    }
    boxes = {"bbox": amp.bbox, "raw_bbox": amp.raw_bbox}
    boxes |= {name: getattr(amp, field) for name, field in _RAW_BOXES.items()}
    for name, box in boxes.items():
        row |= {f"{name}_{part}": getattr(box, field) for part, field in _PARTS.items()}
    return row


def _text(text: str) -> str:
    if not text.isascii() or len(text) > _NAME_LENGTH:
        raise ValueError(f"'{text}' does not fit into {_NAME_LENGTH} ASCII characters")
    return text


def read_amplifiers(path: Path) -> tuple[Amplifier, ...]:
    """Read the amplifiers of one detector.

    Parameters
    ----------
    path : Path
        A table that LSST's buildDetector.py or `write_amplifiers` wrote.

    Returns
    -------
    tuple of Amplifier
        In the order of the rows.

    Raises
    ------
    FileFormatError
        If the file cannot be read, is no such table, or a row is wrong; names the row and the values.
    """
    try:
        with fits.open(path, memmap=False) as hdus:
            if len(hdus) < 2 or not isinstance(hdus[1], fits.BinTableHDU):
                raise FileFormatError("is not an amplifier table: HDU 1 holds no binary table", path=path)
            columns = hdus[1].header.get("TFIELDS")
            if not isinstance(columns, int) or not 0 <= columns <= _MOST_COLUMNS:
                raise FileFormatError(f"is not an amplifier table: TFIELDS = {columns}", path=path)
            header, data = hdus[1].header, np.asarray(hdus[1].data)
            missing = [name for name, *_ in _COLUMNS if name not in (data.dtype.names or ())]
            if missing:
                raise FileFormatError(f"is not an amplifier table: it has no column {', '.join(missing)}", path=path)
            flags = np.asarray(hdus[1].data["flags"])  # unpacked to one bool a flag
    except FileFormatError:
        raise
    except FileNotFoundError:
        raise FileFormatError("there is no such amplifier table", path=path) from None
    except (OSError, TypeError, ValueError, AstropyUserWarning) as error:
        raise FileFormatError(f"cannot be read: {error}", path=path) from error
    bits = _flag_bits(header)
    amplifiers = []
    for number, row in enumerate(data, 1):
        marked = {flag: bool(flags[number - 1][bit]) for flag, bit in bits.items()}
        try:
            raw_hdu, overscan_hdu = (int(header.get(f"{card}{number}", 0)) for card in ("RAWHDU", "OSCHDU"))
            amplifiers.append(replace(_from_row(row, marked), raw_hdu=raw_hdu, overscan_hdu=overscan_hdu))
        except ValueError as error:
            raise FileFormatError(f"row {number}: {error}", path=path) from None
    if not amplifiers:
        raise FileFormatError("holds no amplifier", path=path)
    return tuple(amplifiers)


def _flag_bits(header: Mapping[str, Any]) -> dict[str, int]:
    """Return which bit of ``flags`` is which flag; LSST may name them in any order."""
    named = {str(header.get(f"TFLAG{number}", "")).strip(): number - 1 for number in range(1, len(_FLAGS) + 1)}
    return {flag: named.get(flag, default) for default, flag in enumerate(_FLAGS)}


def _from_row(row: Any, marked: Mapping[str, bool]) -> Amplifier:  # noqa: ANN401 - a record of numpy
    def box(name: str) -> Box:
        return Box(*(int(row[f"{name}_{part}"]) for part in _PARTS))

    corner = int(row["readoutcorner"])
    if not 0 <= corner < len(READOUT_CORNERS):
        raise ValueError(f"readoutcorner is {corner}, not from 0 to {len(READOUT_CORNERS) - 1}")
    has_raw = marked["hasrawinfo"]
    raw_boxes = {field: box(name) for name, field in _RAW_BOXES.items() if has_raw}
    return Amplifier(
        name=_decode(row["name"]),
        bbox=box("bbox"),
        raw_bbox=box("raw_bbox" if has_raw else "bbox"),
        raw_data_bbox=box("raw_databbox" if has_raw else "bbox"),
        readout_corner=READOUT_CORNERS[corner],
        flip_x=marked["raw_flip_x"],
        flip_y=marked["raw_flip_y"],
        nominal=NominalCalibration(
            gain=float(row["gain"]),
            read_noise=float(row["readnoise"]),
            saturation=float(row["saturation"]),
            suspect=float(row["suspectlevel"]),
            linearity_type=_decode(row["linearity_type"]) or "None",
            linearity_coefficients=_known(row["linearity_coeffs"]),
        ),
        raw_serial_overscan_bbox=raw_boxes.get("raw_serial_overscan_bbox", Box(0, 0, 0, 0)),
        raw_parallel_overscan_bbox=raw_boxes.get("raw_parallel_overscan_bbox", Box(0, 0, 0, 0)),
        raw_prescan_bbox=raw_boxes.get("raw_prescan_bbox", Box(0, 0, 0, 0)),
    )


def _decode(text: bytes | str) -> str:
    return (text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)).rstrip("\0 ")


def _known(coefficients: Iterable[float]) -> tuple[float, ...]:
    """Return coefficients up to the last that is a number."""
    values = [float(value) for value in coefficients]
    while values and values[-1] != values[-1]:
        values.pop()
    return tuple(values)
