"""What is exported for other programs: a calibrated exposure or the coadd of a patch, its catalog and its weight."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.repo.butler import Butler
from obs.visits.calibration import best_calibration

__all__ = ["ImageToExport", "names_patches", "patch_name", "read_image"]

_PATCH_KEYS = ("tract", "patch")
#: Share of the median variance below which no pixel's sky can be: noise of faint images could bring it to zero.
_LEAST = 0.2


@frozen
class ImageToExport:
    """An image with what belongs to it.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Its data ID.
    exposure : Exposure
        The image, calibrated.
    calibration : str
        Where WCS and zero point come from.
    catalog_type : str
        Dataset type of its catalog.
    is_coadd : bool
        Whether it is a coadd, whose depth differs from place to place.
    """

    butler: Butler
    data_id: Mapping[str, Any]
    exposure: Exposure
    calibration: str
    catalog_type: str
    is_coadd: bool

    def catalog(self) -> Catalog:
        """Return the catalog of its sources.

        Raises
        ------
        DatasetNotFoundError
            If there is none.
        """
        catalog: Catalog = self.butler.get(self.catalog_type, self.data_id)
        return catalog

    def catalog_if_there(self) -> Catalog | None:
        """Return its catalog; None for a coadd without one."""
        try:
            return self.catalog()
        except DatasetNotFoundError:
            if self.is_coadd:
                return None
            raise

    def sky_variance(self) -> NDArray[np.float32]:
        """Return the variance without that of sources, shape (ny, nx); not finite where there is nothing.

        By pixel, the noise of the sources' own light would shift their fluxes. An exposure has the same everywhere. For
        a coadd, the light of sources and the gain say what to subtract.
        """
        pixels = self.exposure.masked_image
        good = np.isfinite(pixels.variance) & (pixels.variance > 0) & ~pixels.mask.unusable()
        if not good.any():
            return np.full(pixels.image.shape, np.nan, np.float32)
        median = np.float32(np.median(pixels.variance[good]))
        gain = self.exposure.metadata.get("GAIN")
        if not (self.is_coadd and isinstance(gain, int | float) and gain > 0):
            return np.where(np.isfinite(pixels.variance), median, np.float32(np.nan))
        sources = np.maximum(np.where(np.isfinite(pixels.image), pixels.image, 0), 0) / np.float32(gain)
        return np.maximum(pixels.variance - sources, np.float32(_LEAST) * median)


def names_patches(ids: Sequence[Sequence[str]]) -> bool:
    """Return whether the words of ``--id`` name tracts or patches, which coadds have and exposures do not.

    Parameters
    ----------
    ids : sequence of sequence of str
        Words ``KEY=VALUE`` of each ``--id``.
    """
    return any(word.partition("=")[0].strip() in _PATCH_KEYS for words in ids for word in words)


def patch_name(data_id: Mapping[str, Any]) -> str:
    """Return a file name without commas, which SExtractor and SWarp take for the end of a name.

    Parameters
    ----------
    data_id : mapping
        Data ID of a coadd: filter, tract and patch.
    """
    patch = str(data_id["patch"]).replace(",", "-")
    return f"coadd-{data_id['filter']}-{data_id['tract']}-{patch}".replace(" ", "_")


def read_image(butler: Butler, data_id: Mapping[str, Any], *, use_common: bool) -> ImageToExport:
    """Read a calibrated exposure, or the coadd of a patch, the one of ``obs coadd-catalog`` if it is there.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Its data ID; with ``patch`` that of a coadd.
    use_common : bool
        Whether exposures get the calibration of all visits together where there is one.
    """
    if "patch" in data_id:
        kind = "deepCoadd_calexp" if butler.exists("deepCoadd_calexp", data_id) else "deepCoadd"
        exposure = butler.get(kind, data_id)
        return ImageToExport(butler, data_id, exposure, f"calibration of {kind}", "deepCoadd_meas", is_coadd=True)
    exposure = butler.get("calexp", data_id)
    found = best_calibration(butler, data_id, exposure=exposure, use_common=use_common)
    return ImageToExport(butler, data_id, found.apply(exposure), str(found), "src", is_coadd=False)
