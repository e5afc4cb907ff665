"""Write what pixels show into a camera's table of amplifiers."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from obs.doctor.check import MeasuredValue
from obs.doctor.examine import Examination
from obs.errors import FileFormatError
from obs.instrument.instrument import Instrument
from obs.scaffold.write_cells import Cell, write_cells

__all__ = ["find_measured", "mark_written", "write_measured"]


def find_measured(examination: Examination) -> list[MeasuredValue]:
    """Return the values that can be written, one for each cell: those of pairs before those of single frames."""
    found = [check.measured for check in examination.checks if check.measured is not None]
    cells: dict[tuple[str, str, str], MeasuredValue] = {}
    for one in sorted(found, key=lambda value: -len(value.files)):
        cells.setdefault((one.detector, one.amplifier, one.column), one)
    return list(cells.values())


def write_measured(instrument: Instrument, values: Iterable[MeasuredValue]) -> Path:
    """Write values into ``amplifiers.csv`` of a camera; return its path.

    Parameters
    ----------
    instrument : Instrument
        Camera whose folder is written to.
    values : iterable of MeasuredValue
        Values with detector, amplifier and column.

    Raises
    ------
    FileFormatError
        If the camera has no such table, or it has not the rows.
    OutputError
        If it cannot be written.
    """
    path = instrument.camera_folder / "amplifiers.csv"
    if not path.is_file():
        raise FileFormatError("is missing: gains of this camera are kept in another form, write them there", path=path)
    cells = [Cell({"detector": one.detector, "name": one.amplifier}, one.column, one.value) for one in values]
    write_cells(path, cells)
    return path


def mark_written(examination: Examination, values: Iterable[MeasuredValue]) -> None:
    """Let the checks of values that were written pass.

    Parameters
    ----------
    examination : Examination
        Result of the checks; changed in place.
    values : iterable of MeasuredValue
        Values that were written.
    """
    names = {(one.detector, one.amplifier, one.column): one for one in values}
    for examined in examination.exposures:
        for number, check in enumerate(examined.checks):
            one = check.measured
            written = None if one is None else names.get((one.detector, one.amplifier, one.column))
            if written is not None:
                examined.checks[number] = replace(check, value=written.value, verdict="ok", note="written", remedy="")
