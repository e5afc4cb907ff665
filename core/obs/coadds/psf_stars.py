"""Which objects of a coadd were stars in the PSF fits of its exposures."""

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.errors import ColumnError, DatasetNotFoundError, FileFormatError
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler

__all__ = ["carry_psf_flags"]

_LOG = logging.getLogger(__name__)

_FLAGS = ("calib_psf_candidate", "calib_psf_used", "calib_psf_reserved")
_RA, _DEC, _CHILDREN = "coord_ra", "coord_dec", "deblend_nChild"
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
    primary = np.flatnonzero(catalog[_CHILDREN] == 0)
    place = np.c_[catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]][primary]
    seen = np.zeros(len(catalog))
    counts = {name: np.zeros(len(catalog)) for name in _FLAGS}
    for sources in _catalogs(butler, inputs):
        x, y = wcs.sky_to_pixel(ra=sources[_RA], dec=sources[_DEC])
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & (sources[_CHILDREN] == 0))
        if not known.size or not primary.size:
            continue
        distance, nearest = PointTree(np.c_[x, y][known]).nearest(place, below=_RADIUS)
        found = np.isfinite(distance)
        seen[primary[found]] += 1
        for name in _FLAGS:
            if name in sources:
                counts[name][primary[found]] += sources[name][known[nearest[found]]]
    for name, count in counts.items():
        flag: NDArray[np.bool_] = (count > 0) & (count >= share * np.maximum(seen, 1))
        catalog.add(name, flag, "", f"{name} in the catalogs of the exposures")


def _catalogs(butler: Butler, inputs: Catalog) -> Iterator[Catalog]:
    """Yield the catalogs of the exposures of a coadd that are there and can be used."""
    keys = [name for name in inputs.columns if name in butler.mapper.key_types("src")]
    for row in range(len(inputs)):
        data_id = {key: inputs[key][row].item() for key in keys}
        try:
            sources = butler.get("src", data_id)
            for name in (_RA, _DEC, _CHILDREN):
                if sources[name].dtype.kind not in "fiu":
                    raise FileFormatError(f"column '{name}' does not hold numbers", path=sources.path)
        except DatasetNotFoundError:
            continue
        except (ColumnError, FileFormatError) as error:
            _LOG.warning("%s; the PSF stars of this exposure are not marked on the coadd", error)
        else:
            yield sources
