"""Tables of exposures in the archives of the LSST stack: those that a coadd is made of.

References
----------
The stack's afw (`image/CoaddInputs.cc`, `table/Exposure.cc`, `image/VisitInfo.cc`).
"""

from typing import Any

import numpy as np

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.image.catalog import Catalog, Column
from obs.image.visit_info import VisitInfo
from obs.repo.lsst_objects.archive import Archive

__all__ = ["CoaddInputs", "read_coadd_inputs", "read_visit_info"]

#: Field of `VisitInfo` to the stack's column and the factor to our unit.
_DEGREES = float(np.rad2deg(1.0))
_FACTS = {
    "exposure_time": ("exposuretime", 1.0),
    "dark_time": ("darktime", 1.0),
    "era": ("era", _DEGREES),
    "boresight_ra": ("boresightradec_ra", _DEGREES),
    "boresight_dec": ("boresightradec_dec", _DEGREES),
    "boresight_azimuth": ("boresightazalt_ra", _DEGREES),
    "boresight_altitude": ("boresightazalt_dec", _DEGREES),
    "airmass": ("boresightairmass", 1.0),
    "rotation_angle": ("boresightrotangle", _DEGREES),
    "longitude": ("longitude", _DEGREES),
    "latitude": ("latitude", _DEGREES),
    "elevation": ("elevation", 1.0),
    "air_temperature": ("airtemperature", 1.0),
    "air_pressure": ("airpressure", 1.0),
    "humidity": ("humidity", 1.0),
}
_NANOSECONDS = 1.0e-9


@frozen
class CoaddInputs:
    """What a coadd is made of.

    Parameters
    ----------
    visits, ccds : Catalog
        One row an exposure, and one a detector image: ``id``, the box ``bbox_min_x`` to ``bbox_max_y``, ``weight``, and
        numbers of attached objects (``psf``, ``wcs``, ``photoCalib``, ...).
    """

    visits: Catalog
    ccds: Catalog


def read_coadd_inputs(archive: Archive, number: int) -> CoaddInputs:
    """Return the inputs of a coadd by their number.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the inputs in it.

    Raises
    ------
    FileFormatError
        If they are of another class, or damaged.
    """
    name, rows = archive.find(number)
    if name != "CoaddInputs" or len(rows) != 2:
        raise FileFormatError(f"object {number} is a {name} with {len(rows)} tables; expected a CoaddInputs with 2")
    return CoaddInputs(*(_catalog(part) for part in rows))


def _catalog(rows: Any) -> Catalog:  # noqa: ANN401 - rows of astropy
    """Return rows of an archive as a catalog, with underscores in the names."""
    columns = {}
    for name in rows.dtype.names:
        data = np.asarray(rows[name])
        if data.dtype.kind in "SU":
            data = np.char.strip(data.astype(np.str_))
        elif data.dtype.kind == "O":
            continue  # an array of another length in each row
        columns[name.replace(".", "_")] = Column(data.astype(data.dtype.newbyteorder("=")))
    return Catalog(columns)


def read_visit_info(archive: Archive, number: int) -> VisitInfo:
    """Return when, where and how an exposure was taken, by its number.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the visit information in it.

    Raises
    ------
    FileFormatError
        If it is of another class.
    """
    name, row = archive.row(number)
    if name != "VisitInfo":
        raise FileFormatError(f"object {number} is a {name}; expected a VisitInfo")
    known = {one.lower(): one for one in row.array.dtype.names}
    facts: dict[str, Any] = {
        fact: float(row[known[column]]) * factor for fact, (column, factor) in _FACTS.items() if column in known
    }
    exposure = int(row[known["exposureid"]]) if "exposureid" in known else None
    tai = int(row[known["tai"]]) if "tai" in known else 0
    from astropy.time import Time  # noqa: PLC0415 - slow to import, needed for files of the stack only

    date = str(Time(tai * _NANOSECONDS, format="unix_tai").tai.isot) if tai > 0 else ""
    return VisitInfo(exposure_id=exposure, date_avg=date, time_scale="TAI", **facts)
