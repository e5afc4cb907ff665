"""Tables of crosstalk and linearity that a camera package keeps, by day."""

from collections.abc import Iterator

from obs.camera.dated_tables import TABLE_KINDS, find_dated_tables, read_crosstalk, read_linearity
from obs.errors import FileFormatError, suggest
from obs.instrument.instrument import Instrument

__all__ = ["dated_table_faults"]


def dated_table_faults(instrument: Instrument) -> Iterator[str]:
    """Yield what is wrong with the tables in ``curated/crosstalk`` and ``curated/linearity``.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    """
    detectors = {detector.name: detector for detector in instrument.load_camera()}
    for kind in TABLE_KINDS:
        folder = instrument.folder / "curated" / kind
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name not in detectors:
                yield f"{path}: '{path.name}' is not a detector of the camera{suggest(path.name, list(detectors))}"
                continue
            try:
                for table in find_dated_tables(folder.parent, kind, detectors[path.name]):
                    read = read_crosstalk if kind == "crosstalk" else read_linearity
                    read(table.path, detectors[path.name])
            except FileFormatError as error:
                yield str(error)
