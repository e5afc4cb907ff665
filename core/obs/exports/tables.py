"""Catalogs of several images in one table, and a table of the images."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.photo_calib import PhotoCalib
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.instrument.barycenter import barycentric_julian_date, mid_exposure_mjd
from obs.policy.data_id import DataId
from obs.repo.fits_catalog import ascii_width
from obs.repo.fits_exposure_header import header_filter, header_photo_calib, header_visit_info, header_wcs
from obs.tasks.calibrated_columns import add_magnitudes, add_times

__all__ = ["ImageFacts", "as_part", "join_catalogs", "make_image_table", "with_data_id", "without_rows"]


class ImageFacts:
    """What the header of a calibrated image says, read once.

    Parameters
    ----------
    header : mapping
        Cards of the image.
    """

    def __init__(self, header: Mapping[str, Any]) -> None:
        self.header = dict(header)
        self.visit_info: VisitInfo | None = header_visit_info(header)
        self.photo_calib: PhotoCalib | None = header_photo_calib(header)
        self.physical_filter = header_filter(header)
        self.wcs: TanSipWcs | None = header_wcs(header)

    @classmethod
    def from_exposure(cls, exposure: Exposure) -> "ImageFacts":
        """Return the facts of an exposure that a camera's own code has read."""
        facts = cls(exposure.metadata)
        height, width = exposure.shape
        facts.header |= {"NAXIS1": width, "NAXIS2": height}
        facts.visit_info, facts.photo_calib = exposure.visit_info, exposure.photo_calib
        facts.physical_filter, facts.wcs = exposure.physical_filter, exposure.wcs
        return facts


def with_data_id(catalog: Catalog, data_id: DataId, facts: ImageFacts | None) -> Catalog:
    """Return a catalog with magnitudes, times, and a first column for each key of its data ID.

    Parameters
    ----------
    catalog : Catalog
        Sources of one image; changed in place.
    data_id : dict
        Its data ID.
    facts : ImageFacts or None
        The image; without it magnitudes and times that the catalog does not have yet are NaN.
    """
    if facts is not None or "mjd_mid" not in catalog:
        add_magnitudes(catalog, None if facts is None else facts.photo_calib)
        add_times(catalog, None if facts is None else facts.visit_info)
    whole = Catalog(metadata=catalog.metadata)
    for key, value in data_id.items():
        whole.add(key, np.full(len(catalog), value), "", f"{key} of the data ID")
    for name, column in catalog.columns.items():
        free = f"src_{name}" if name in data_id else name
        whole.add(free, column.data, column.unit, column.description)
    return whole


def without_rows(catalog: Catalog) -> Catalog:
    """Return the columns of a catalog alone, with texts as wide as a FITS table needs them."""
    bare = catalog.select(np.zeros(0, np.intp))  # a copy, which keeps no rows alive
    for name, column in catalog.columns.items():
        if column.data.dtype.kind == "U":
            texts = np.empty((0, *column.data.shape[1:]), f"U{ascii_width(column.data)}")
            bare.add(name, texts, column.unit, column.description)
    return bare


def join_catalogs(catalogs: Sequence[Catalog]) -> tuple[Catalog, list[str]]:
    """Return the rows of several catalogs in one.

    Parameters
    ----------
    catalogs : sequence of Catalog
        Catalogs. Units and descriptions are those of the first one with a column.

    Returns
    -------
    Catalog
        With all columns that every catalog has. Columns of floats that some do not have are NaN there.
    left_out : list of str
        Columns of other types, or of different shapes, that some catalogs do not have.
    """
    names = list(dict.fromkeys(name for catalog in catalogs for name in catalog.columns))
    joined, left_out = Catalog(), []
    for name in names:
        having = [catalog.columns[name] for catalog in catalogs if name in catalog]
        shapes = {column.data.shape[1:] for column in having}
        kinds = {column.data.dtype.kind for column in having}
        if len(shapes) > 1 or len(kinds) > 1 or (len(having) < len(catalogs) and kinds != {"f"}):
            left_out.append(name)
            continue
        parts = [_values(catalog, name, having[0].data) for catalog in catalogs]
        joined.add(name, np.concatenate(parts), having[0].unit, having[0].description)
    return joined, left_out


def as_part(catalog: Catalog, whole: Catalog) -> Catalog:
    """Return the rows of one catalog with the columns of those that are joined.

    Parameters
    ----------
    catalog : Catalog
        One of them.
    whole : Catalog
        What `join_catalogs` made of them, with or without rows.
    """
    part = Catalog()
    for name, column in whole.columns.items():
        values = _values(catalog, name, column.data).astype(column.data.dtype, copy=False)
        part.add(name, values, column.unit, column.description)
    return part


def _values(catalog: Catalog, name: str, like: NDArray[Any]) -> NDArray[Any]:
    if name in catalog:
        return catalog[name]
    return np.full((len(catalog), *like.shape[1:]), np.nan, like.dtype)


def make_image_table(rows: Sequence[tuple[DataId, ImageFacts, int, str]]) -> Catalog:
    """Return a table with a row for each image.

    Parameters
    ----------
    rows : sequence of (data ID, facts, int, str)
        Data ID, header, number of sources, and file of the image in the export.
    """
    table = Catalog()
    for key in dict.fromkeys(key for data_id, *_ in rows for key in data_id):
        table.add(key, np.array([data_id[key] for data_id, *_ in rows]), "", f"{key} of the data ID")
    described = [_describe(facts) for _, facts, *_ in rows]
    table.add("filter_name", np.array([facts.physical_filter for _, facts, *_ in rows], np.str_), "", "filter")
    for name, (unit, text) in _IMAGE_COLUMNS.items():
        table.add(name, np.array([values[name] for values in described], np.float64), unit, text)
    table.add("n_source", np.array([number for *_, number, _ in rows], np.int64), "", "number of sources")
    table.add("image", np.array([name for *_, name in rows], np.str_), "", "file of the image; empty if not exported")
    return table


_IMAGE_COLUMNS = {
    "mjd_mid": ("d", "middle of the exposure, modified Julian day, UTC"),
    "bjd_tdb": ("d", "middle of the exposure, barycentric Julian date of the image center, TDB"),
    "exposure_time": ("s", "exposure time"),
    "airmass": ("", "airmass"),
    "ra": ("deg", "right ascension of the image center, ICRS"),
    "dec": ("deg", "declination of the image center, ICRS"),
    "seeing": ("arcsec", "full width at half maximum of the PSF"),
    "zero_point": ("mag", "magnitude of one count in the image, in the system of the reference catalog"),
    "zero_point_err": ("mag", "standard error of the zero point"),
    "zero_point_rms": ("mag", "scatter of the stars of the zero point"),
}


def _describe(facts: ImageFacts) -> dict[str, float]:
    info, calib, header = facts.visit_info, facts.photo_calib, facts.header
    mjd = mid_exposure_mjd(info)
    ra = dec = math.nan
    if facts.wcs is not None and "NAXIS1" in header and "NAXIS2" in header:
        x, y = (0.5 * (float(header[name]) - 1.0) for name in ("NAXIS1", "NAXIS2"))
        ra, dec = (float(value) for value in facts.wcs.pixel_to_sky(x=x, y=y))
    error = math.nan
    if calib is not None:
        error = 2.5 / math.log(10.0) * calib.flux_mag0_err / calib.flux_mag0
    return {
        "mjd_mid": mjd,
        "bjd_tdb": float(barycentric_julian_date(mjd, ra, dec, info)),
        "exposure_time": math.nan if info is None else info.exposure_time,
        "airmass": math.nan if info is None else info.airmass,
        "ra": ra,
        "dec": dec,
        "seeing": _number(header.get("SEEING")),
        "zero_point": math.nan if calib is None else calib.zero_point,
        "zero_point_err": error,
        "zero_point_rms": _number(header.get("MAGZERO_RMS")),
    }


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
