"""One table of all objects of a tract, from the catalogs of its patches."""

from collections.abc import Sequence

import numpy as np

from obs.errors import DatasetNotFoundError
from obs.image.catalog import Catalog
from obs.repo.butler import Butler

__all__ = ["object_table"]

#: Columns that each object has once, and those that it has of each filter.
_ONCE = ("id", "coord_ra", "coord_dec", "parent", "detect_isPrimary")
_SIZE = ("base_SdssShape_xx", "base_SdssShape_yy", "base_SdssShape_xy", "base_SdssShape_flag")
_PER_FILTER = (
    "base_PsfFlux_instFlux",
    "base_PsfFlux_instFluxErr",
    "base_PsfFlux_flag",
    "base_PsfFlux_mag",
    "base_PsfFlux_magErr",
    "base_ClassificationExtendedness_value",
    "base_InputCount_value",
    "base_PixelFlags_flag_saturatedCenter",
    "base_PixelFlags_flag_interpolatedCenter",
)
_APERTURE = "base_CircularApertureFlux_"


def object_table(butler: Butler, tract: int, patches: Sequence[str], filters: Sequence[str]) -> Catalog:
    """Return the primary objects of a tract with the forced fluxes of all filters.

    Parameters
    ----------
    butler : Butler
        The repository.
    tract : int
        The tract.
    patches : sequence of str
        Its patches, such as ``3,4``; those without a catalog are left out.
    filters : sequence of str
        Filters; fluxes are NaN where a patch has no coadd of one.
    """
    parts = []
    for patch in patches:
        try:
            reference = butler.get("deepCoadd_ref", tract=tract, patch=patch)
        except DatasetNotFoundError:
            continue
        parts.append(_patch_table(butler, reference, tract, patch, filters))
    table = Catalog()
    if not parts:
        return table
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        sample = next(part.columns[name] for part in parts if name in part)
        columns = [part[name] if name in part else _unknown(len(part), sample.data) for part in parts]
        table.add(name, np.concatenate(columns), sample.unit, sample.description)
    return table


def _patch_table(butler: Butler, reference: Catalog, tract: int, patch: str, filters: Sequence[str]) -> Catalog:
    primary = reference["detect_isPrimary"]
    n = int(primary.sum())
    table = Catalog()
    table.add("id", reference["id"][primary], "", "number of the object")
    table.add("tract", np.full(n, tract, np.int32), "", "tract")
    table.add("patch", np.full(n, patch), "", "column and row of the patch")
    flags = [name for name in reference.columns if name.startswith(("merge_", "calib_psf"))]
    for name in (*_ONCE[1:4], *_SIZE, "base_ClassificationExtendedness_value", *flags):
        if name in reference and name not in table:
            column = reference.columns[name]
            table.add(name, column.data[primary], column.unit, column.description)
    for band in filters:
        try:
            forced = butler.get("deepCoadd_forced_src", tract=tract, patch=patch, filter=band)
        except DatasetNotFoundError:
            continue
        apertures = [
            name for name in forced.columns if name.startswith(_APERTURE) and not name.endswith("apertureTruncated")
        ]
        for name in (*_PER_FILTER, *apertures):
            if name in forced:
                column = forced.columns[name]
                table.add(f"{band}_{name}", column.data[primary], column.unit, f"{band}: {column.description}")
    return table


def _unknown(length: int, like: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> np.ndarray:
    if like.dtype.kind == "f":
        return np.full((length, *like.shape[1:]), np.nan, like.dtype)
    # a flag that says nothing is known is set
    return np.full((length, *like.shape[1:]), like.dtype.kind == "b", like.dtype)
