"""Flags that say which of several patches and tracts an object belongs to, so that none counts twice."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import DataIdError
from obs.image.catalog import Catalog
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Patch, Tract

__all__ = ["coadd_number", "set_patch_flags"]

_PATCH_BITS = 5
COADD_BITS = 32  # of object ids, for tract and patch and the sign


def coadd_number(tract: int, patch: Patch) -> int:
    """Return the number of a patch that object ids begin with: 16 bits of the tract, 5 of the column, 5 of the row.

    Parameters
    ----------
    tract : int
        Number of the tract, below 65536.
    patch : Patch
        Patch with column and row below 32.

    Raises
    ------
    DataIdError
        If the patch has a larger column or row.
    """
    if max(patch.index) >= 1 << _PATCH_BITS or tract >= 1 << 16:
        raise DataIdError(
            f"tract={tract} patch={patch.name}: object ids have room for tracts below 65536 and 32 x 32 patches; make "
            "a sky map with larger patches"
        )
    return ((tract << _PATCH_BITS | patch.index[0]) << _PATCH_BITS) | patch.index[1]


def set_patch_flags(
    catalog: Catalog, sky_map: SkyMap[Any], tract: Tract, patch: Patch, is_sky: NDArray[np.bool_]
) -> None:
    """Add ``detect_isPatchInner`` and ``detect_isTractInner``, and set ``detect_isPrimary`` to both without children.

    Parameters
    ----------
    catalog : Catalog
        Changed in place; centroids are pixels of the patch's outer box, from its first one.
    sky_map : SkyMap
        The sky map.
    tract, patch : Tract, Patch
        Where the catalog is from.
    is_sky : ndarray of bool, shape (n,)
        Rows of blank sky, which are not objects.
    """
    x = catalog["base_SdssCentroid_x"] + patch.outer_box.x_min
    y = catalog["base_SdssCentroid_y"] + patch.outer_box.y_min
    inner = patch.inner_box
    # a flagged centroid may be a pixel off: one of two patches must not lose it, and both had the same peak
    column, row = np.where(catalog["base_SdssCentroid_flag"], (np.rint(x), np.rint(y)), (x, y))
    in_patch = _between(column, inner.x_min, inner.x_max) & _between(row, inner.y_min, inner.y_max)
    in_tract = sky_map.find_tract(ra=catalog["coord_ra"], dec=catalog["coord_dec"]) == tract.number
    single = (catalog["deblend_nChild"] == 0) & ~is_sky
    catalog.add("detect_isPatchInner", in_patch, "", "the centroid is in the inner box of the patch")
    catalog.add("detect_isTractInner", in_tract, "", "the position belongs to the tract")
    text = "the object counts: inner in both, not a divided blend, not blank sky"
    catalog.add("detect_isPrimary", in_patch & in_tract & single, "", text)


def _between(values: NDArray[np.float64], low: int, high: int) -> NDArray[np.bool_]:
    return np.asarray((values >= low - 0.5) & (values < high - 0.5))
