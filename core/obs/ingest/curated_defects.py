"""Defects that people write down: tables of boxes, by detector and date, into a repository of calibrations.

A folder has a folder for each detector, by name, with a table for each date from which it counts::

    defects/ccd0/2024-03-01.csv
    defects/ccd0/2024-09-15.csv

A table has the columns ``x_min``, ``y_min``, ``width`` and ``height``: boxes of pixels of the assembled detector,
counted from 0. It counts until the next one. Curated defects of the LSST stack are read as they are:
``defects/ccd0/20240301T000000.ecsv``, names of detectors in lower case, with the columns ``x0``, ``y0``, ``width`` and
``height``.
"""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.table import BOX_PARTS, read_table
from obs.errors import FileFormatError, ObsError, describe_fault, suggest
from obs.frozen import frozen
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.ingest.calib_store import format_calib_id
from obs.ingest.calibs import ingest_calibs
from obs.ingest.report import FileReport, IngestReport
from obs.instrument.instrument import Instrument
from obs.repo.butler import Butler
from obs.repo.defects_table import read_defects
from obs.repo.fits_catalog import write_catalog
from obs.repo.scratch_folder import scratch_folder

__all__ = ["DefectsTable", "find_tables", "ingest_defects", "read_boxes"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}T\d{6}")
_SUFFIXES = (".csv", ".ecsv")
_LARGEST_PART = 0.5
"""Part of a detector that defects may cover; more is a mistake of units or of the origin."""


@frozen
class DefectsTable:
    """A table of defects that people wrote.

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

    Parameters
    ----------
    folder : Path
        Folder with one folder for each detector, in which tables are named by their first day.
    camera : Camera
        The camera.

    Raises
    ------
    FileFormatError
        If there are none, or a name is not that of a detector or a date.
    """
    if not folder.is_dir():
        raise FileFormatError("is not a folder: make it, with tables such as ccd0/2024-03-01.csv", path=folder)
    found = [_named(path, camera) for path in sorted(folder.glob("*/*")) if path.suffix in _SUFFIXES]
    if not found:
        raise FileFormatError("has no table of defects, such as ccd0/2024-03-01.csv", path=folder)
    return found


def _named(path: Path, camera: Camera) -> DefectsTable:
    names = [detector.name for detector in camera]
    # The stack writes names of detectors in lower case.
    found = [name for name in names if path.parent.name in (name, name.lower())]
    if len(found) != 1:
        hint = suggest(path.parent.name, names) or f"; it has {', '.join(names[:5])}"
        raise FileFormatError(f"the folder '{path.parent.name}' is not a detector of {camera.name}{hint}", path=path)
    try:
        if not _DATE.fullmatch(path.stem):
            raise ValueError
        first_day = date.fromisoformat(path.stem.partition("T")[0])
    except ValueError:
        raise FileFormatError(
            f"'{path.stem}' is not a date: name the table after the first day on which it counts, such as "
            "2024-03-01.csv",
            path=path,
        ) from None
    return DefectsTable(path, camera.detector(found[0]), first_day)


def read_boxes(table: DefectsTable) -> list[Box]:
    """Return the boxes of a table, pixels of the assembled detector.

    Parameters
    ----------
    table : DefectsTable
        Table of one detector.

    Returns
    -------
    list of Box
        Boxes in 0-based pixels.

    Raises
    ------
    FileFormatError
        If the table cannot be read, a box leaves the detector or is empty, or they cover most of it.
    """
    boxes = _stack_boxes(table) if table.path.suffix == ".ecsv" else _own_boxes(table)
    frame = table.detector.bbox
    bad = np.zeros((frame.height, frame.width), np.bool_)
    for box in boxes:
        bad[box.slices] = True
    if bad.mean() > _LARGEST_PART:
        raise FileFormatError(f"the boxes cover {bad.mean():.0%} of detector '{table.detector.name}'", path=table.path)
    return boxes


def _stack_boxes(table: DefectsTable) -> list[Box]:
    """Return the boxes of a table of the stack, whose header agrees with its place."""
    catalog, detector = read_defects(table.path), table.detector
    for card, wanted in (("OBSTYPE", "defects"), ("DETECTOR", detector.id)):
        if str(catalog.metadata.get(card, wanted)) != str(wanted):
            raise FileFormatError(
                f"its header has {card} {catalog.metadata[card]}, its place says {wanted}", path=table.path
            )
    rows = zip(*(catalog[name].tolist() for name in ("x0", "y0", "width", "height")), strict=True)
    boxes = [Box(*row) for row in rows]
    outside = [box for box in boxes if not detector.bbox.contains(box) or box.is_empty]
    if outside:
        size = f"{detector.bbox.width} x {detector.bbox.height} pixels"
        raise FileFormatError(f"{outside[0]} leaves detector '{detector.name}' of {size}", path=table.path)
    return boxes


def _own_boxes(table: DefectsTable) -> list[Box]:
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
    with scratch_folder("defects") as scratch:
        made: dict[Path, Path] = {}
        for number, table in enumerate(tables):
            try:
                catalog = _catalog(table, butler.instrument)
            except ObsError as error:
                reports.append(FileReport(table.path, "failed", describe_fault(error, table.path)))
                continue
            path = scratch / f"{number}.fits"
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
