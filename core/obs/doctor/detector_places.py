"""Where the detectors of a mosaic lie, as processed exposures show, for its table of detectors."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from obs.algorithms.astrometry.detector_places import DetectorPlace, measure_detector_places
from obs.camera.detector import Detector
from obs.errors import FileFormatError, ObsError
from obs.frozen import frozen
from obs.image.wcs import TanSipWcs
from obs.instrument.instrument import Instrument
from obs.policy.data_id import format_data_id
from obs.policy.dataset_type import Template
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.repo.fits_exposure_header import header_box, header_wcs
from obs.scaffold.write_cells import Cell, write_cells
from obs.small_file import read_small_text

__all__ = ["find_places", "write_places"]

_CALEXP, _METADATA = "calexp", "processCcd_metadata"
_MOST = 400
"""Images whose headers are read; they are taken evenly from all."""


@frozen
class _Frame:
    """A detector image, as `obs.algorithms.astrometry.detector_places` asks for it."""

    visit: str
    detector: Detector
    shape: tuple[int, int]
    wcs: TanSipWcs


def find_places(butler: Butler) -> tuple[list[DetectorPlace], list[str]]:
    """Return where detectors of a mosaic lie, by the WCSs of an output, and names of those that no WCS shows.

    Images whose WCS was not fitted to stars are left out: theirs is what the camera says.

    Parameters
    ----------
    butler : Butler
        Butler of the repository; its output is read if it has one.
    """
    if len(butler.instrument.load_camera().detectors) == 1:
        return [], []
    root = butler.output or butler.root
    kind = butler.mapper.dataset_type(_CALEXP)
    paths = sorted(find_datasets([root], [kind]).get(_CALEXP, {}).values())
    own = set(Template(butler.instrument.detector).keys) - {"filter"}  # a scan has one filter after the other
    visits: dict[str, list[Path]] = {}
    for path in paths:
        if (data_id := kind.parse(path.relative_to(root).as_posix())) is not None:
            visits.setdefault(format_data_id({k: v for k, v in data_id.items() if k not in own}), []).append(path)
    step = max(1, len(paths) // _MOST)
    frames: list[_Frame] = []
    for visit, members in list(visits.items())[::step]:
        for path in members:
            data_id = kind.parse(path.relative_to(root).as_posix()) or {}
            try:
                if not np.isfinite(butler.get(_METADATA, data_id).get("astrometric_scatter", np.nan)):
                    continue
                header = butler.get("calexp_md", data_id)
                wcs = header_wcs(header)
                detector = butler.instrument.find_detector(butler.complete_raw(data_id))
            except ObsError:
                continue  # obs verify names it
            if wcs is not None:
                frames.append(_Frame(visit, detector, header_box(header).shape, wcs))
    shown = {frame.detector.id for frame in frames}
    hidden = [one.name for one in butler.instrument.load_camera().detectors if one.id not in shown]
    return measure_detector_places(frames), hidden


def write_places(instrument: Instrument, places: Sequence[DetectorPlace]) -> Path:
    """Write yaw and offsets into ``detectors.csv`` of a camera; return its path.

    Parameters
    ----------
    instrument : Instrument
        Camera whose folder is written to.
    places : sequence of DetectorPlace
        Detectors that lie elsewhere.

    Raises
    ------
    FileFormatError
        If the camera has no such table, or it has not the rows.
    OutputError
        If it cannot be written.
    """
    path = instrument.camera_folder / "detectors.csv"
    if not path.is_file():
        raise FileFormatError("is missing: detectors of this camera are kept in another form, write there", path=path)
    camera = instrument.load_camera()
    lines = [line for line in read_small_text(path, error=FileFormatError).splitlines() if not line.startswith("#")]
    rows = {row["name"]: row for row in csv.DictReader(lines, skipinitialspace=True) if row.get("name")}
    cells = []
    for place in places:
        found, now = place.detector, camera.detector(place.id)
        row = rows.get(found.name, {})
        cells.append(Cell({"name": found.name}, "yaw", f"{found.yaw:.4f}"))
        for axis, moved in (("x", found.offset_x - now.offset_x), ("y", found.offset_y - now.offset_y)):
            # published places stay, where the table has a column for what is measured
            column = f"correction_{axis}" if f"correction_{axis}" in row else f"offset_{axis}"
            cells.append(Cell({"name": found.name}, column, f"{float(row.get(column) or 0.0) + moved:.5f}"))
    write_cells(path, cells)
    return path
