"""Defects that people write down: tables of boxes, by detector and date, into a repository of calibrations.

A folder has a folder for each detector, by name, with a table for each date from which it counts::

    defects/ccd0/2024-03-01.csv
    defects/ccd0/2024-09-15.csv

A table has the columns ``x_min``, ``y_min``, ``width`` and ``height``: boxes of pixels of the assembled detector,
counted from 0. It counts until the next one.
"""

import re
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.table import BOX_PARTS, read_table
from obs.errors import FileFormatError, ObsError, describe_fault, suggest
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.ingest.calib_store import format_calib_id
from obs.ingest.calibs import ingest_calibs
from obs.ingest.report import FileReport, IngestReport
from obs.instrument.instrument import Instrument
from obs.repo.butler import Butler
from obs.repo.fits_catalog import write_catalog

__all__ = ["DefectsTable", "find_tables", "ingest_defects", "read_boxes"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LARGEST_PART = 0.5
"""Part of a detector that defects may cover; more is a mistake of units or of the origin."""


@dataclass(frozen=True)
class DefectsTable:
    """A table of defects.

    Parameters
    ----------
    path : Path
        The table.
    detector : Detector
        The detector.
    first_day : date
        Day from which it counts.
    """

    path: Path
    detector: Detector
    first_day: date


def find_tables(folder: Path, camera: Camera) -> list[DefectsTable]:
    """Return the tables of a folder, sorted by detector and date.

    Raises
    ------
    FileFormatError
        If there are none, or a name is not that of a detector or a date.
    """
    if not folder.is_dir():
        raise FileFormatError("is not a folder: make it, with tables such as ccd0/2024-03-01.csv", path=folder)
    found = [_named(path, camera) for path in sorted(folder.glob("*/*.csv"))]
    if not found:
        raise FileFormatError("has no table of defects, such as ccd0/2024-03-01.csv", path=folder)
    return found


def _named(path: Path, camera: Camera) -> DefectsTable:
    names = [detector.name for detector in camera]
    if path.parent.name not in names:
        hint = suggest(path.parent.name, names) or f"; it has {', '.join(names[:5])}"
        raise FileFormatError(f"the folder '{path.parent.name}' is not a detector of {camera.name}{hint}", path=path)
    try:
        if not _DATE.fullmatch(path.stem):
            raise ValueError
        first_day = date.fromisoformat(path.stem)
    except ValueError:
        raise FileFormatError(
            f"'{path.stem}' is not a date: name the table after the first day on which it counts, such as "
            "2024-03-01.csv",
            path=path,
        ) from None
    return DefectsTable(path, camera.detector(path.parent.name), first_day)


def read_boxes(table: DefectsTable) -> list[Box]:
    """Return the boxes of a table, pixels of the assembled detector.

    Raises
    ------
    FileFormatError
        If the table cannot be read, a box leaves the detector or is empty, or they cover most of it.
    """
    boxes = []
    frame = table.detector.bbox
    for row in read_table(table.path, BOX_PARTS, ("note",)):
        x_min, y_min, width, height = (row.whole(name) for name in BOX_PARTS)
        if width < 1 or height < 1:
            row.fault("width" if width < 1 else "height", "a box has at least one pixel")
        box = Box(x_min, y_min, width, height)
        if not frame.contains(box):
            column = "x_min" if x_min < 0 or box.x_max > frame.x_max else "y_min"
            row.fault(
                column, f"the box leaves detector '{table.detector.name}' of {frame.width} x {frame.height} pixels"
            )
        boxes.append(box)
    bad = np.zeros((frame.height, frame.width), np.bool_)
    for box in boxes:
        bad[box.slices] = True
    if bad.mean() > _LARGEST_PART:
        raise FileFormatError(f"the boxes cover {bad.mean():.0%} of detector '{table.detector.name}'", path=table.path)
    return boxes


def ingest_defects(butler: Butler, folder: Path, *, dry_run: bool = False) -> IngestReport:
    """Register all tables of a folder; those that are registered already are replaced.

    Parameters
    ----------
    butler : Butler
        The repository.
    folder : Path
        The folder ``defects``.
    dry_run : bool
        Change nothing.

    Raises
    ------
    FileFormatError
        If the folder is not as it should be.
    PluginError
        If data IDs of the camera do not name a detector alone.
    """
    tables = find_tables(folder, butler.instrument.load_camera())
    reports: list[FileReport] = []
    with tempfile.TemporaryDirectory(prefix="obs-defects-") as scratch:
        made: dict[Path, Path] = {}
        for number, table in enumerate(tables):
            try:
                catalog = _catalog(table, butler.instrument)
            except ObsError as error:
                reports.append(FileReport(table.path, "failed", describe_fault(error, table.path)))
                continue
            path = Path(scratch, f"{number}.fits")
            write_catalog(catalog, path)
            made[path] = table.path
        report = ingest_calibs(butler, list(made), validity=0, mode="copy", dry_run=dry_run, clobber=True)
        reports += [replace(one, path=made[one.path]) for one in report.files]
    return IngestReport(reports, dry_run)


def _catalog(table: DefectsTable, instrument: Instrument) -> Catalog:
    boxes = read_boxes(table)
    data_id = {**instrument.detector_keys(table.detector), "calibDate": table.first_day.isoformat()}
    catalog = Catalog(metadata={"OBSTYPE": "defects", "CALIB_ID": format_calib_id(data_id), "NDEFECTS": len(boxes)})
    for name, attribute in (("x0", "x_min"), ("y0", "y_min"), ("width", "width"), ("height", "height")):
        values = np.array([getattr(box, attribute) for box in boxes], np.int32)
        catalog.add(name, values, "pixel", f"{attribute} of the box, counted from 0")
    return catalog
