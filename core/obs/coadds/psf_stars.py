"""Which objects of a coadd were stars in the PSF fits of its exposures."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from obs.errors import DatasetNotFoundError
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler

__all__ = ["carry_psf_flags"]

_FLAGS = ("calib_psf_candidate", "calib_psf_used", "calib_psf_reserved")
_RADIUS = 1.5  # pixels of the coadd, for errors of single exposures' positions


def carry_psf_flags(catalog: Catalog, butler: Butler, inputs: Catalog, wcs: TanSipWcs, share: float) -> None:
    """Add the flags ``calib_psf_*``, set where they are in a share of the exposures' catalogs.

    Parameters
    ----------
    catalog : Catalog
        Objects; changed in place.
    butler : Butler
        The repository.
    inputs : Catalog
        Table of the exposures of the coadd.
    wcs : TanSipWcs
        WCS of the coadd.
    share : float
        Share of the exposures that hold an object.
    """
    primary = np.flatnonzero(catalog["deblend_nChild"] == 0)
    place = np.c_[catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]][primary]
    seen = np.zeros(len(catalog))
    counts = {name: np.zeros(len(catalog)) for name in _FLAGS}
    for sources in _catalogs(butler, inputs):
        x, y = wcs.sky_to_pixel(ra=sources["coord_ra"], dec=sources["coord_dec"])
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & (sources["deblend_nChild"] == 0))
        if not known.size or not primary.size:
            continue
        distance, nearest = cKDTree(np.c_[x, y][known]).query(place, distance_upper_bound=_RADIUS)
        found = np.isfinite(distance)
        seen[primary[found]] += 1
        for name in _FLAGS:
            if name in sources:
                counts[name][primary[found]] += sources[name][known[nearest[found]]]
    for name, count in counts.items():
        flag: NDArray[np.bool_] = (count > 0) & (count >= share * np.maximum(seen, 1))
        catalog.add(name, flag, "", f"{name} in the catalogs of the exposures")


def _catalogs(butler: Butler, inputs: Catalog) -> Iterator[Catalog]:
    """Yield the catalogs of the exposures of a coadd that are there."""
    keys = [name for name in inputs.columns if name in butler.mapper.key_types("src")]
    for row in range(len(inputs)):
        data_id = {key: inputs[key][row].item() for key in keys}
        try:
            yield butler.get("src", data_id)
        except DatasetNotFoundError:
            continue
