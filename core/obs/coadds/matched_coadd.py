"""A coadd in which all exposures have the same PSF."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.coadds.assemble import Assembly, assemble
from obs.coadds.config import CoaddConfig
from obs.coadds.psf_matching import gaussian_model, kernel_to_model, middle_stamp, model_width
from obs.coadds.warp import OUTSIDE, UNUSABLE, Warp
from obs.frozen import frozen
from obs.geom import Box
from obs.image.masked_image import MaskedImage
from obs.image.psf import PixelPsf
from obs.repo.warp_store import WarpStore
from obs.tasks.difference.match_models import convolve_variance, spread_unusable

__all__ = ["MatchedCoadd", "assemble_matched"]

_LOG = logging.getLogger(__name__)


@frozen
class MatchedCoadd:
    """A coadd with one PSF.

    Parameters
    ----------
    masked_image : MaskedImage
        Its pixels; neighbors share noise, and the variance is the one that PSF fluxes have.
    psf : PixelPsf
        The PSF, the same everywhere.
    n_input : int
        Number of exposures.
    """

    masked_image: MaskedImage
    psf: PixelPsf
    n_input: int


def assemble_matched(
    warps: Sequence[Warp], store: WarpStore, box: Box, scale: float, direct: Assembly, config: CoaddConfig
) -> MatchedCoadd | None:
    """Convolve exposures to one PSF, in place, and combine them.

    Pixels that the coadd does not use get its value before the convolution, so that neither artifacts nor holes spread.

    Parameters
    ----------
    warps : sequence of Warp
        The exposures.
    store : WarpStore
        Their pixels, which are changed.
    box : Box
        Pixels of the patch, counted from 0.
    scale : float
        Size of a pixel, arcsec.
    direct : Assembly
        The coadd of the exposures as they are, with the pixels that were rejected.
    config : CoaddConfig
        Settings.

    Returns
    -------
    MatchedCoadd or None
        None, with a warning, if every exposure has a wider PSF than the common one.
    """
    target = gaussian_model(model_width(warps, scale, config))
    used = []
    for warp, rejected in zip(warps, direct.clipped_pixels, strict=True):
        if _convolve(warp, store, direct.masked_image, target, rejected):
            used.append(warp)
            continue
        _LOG.warning(
            "%s: not in deepCoaddPsfMatched, because its seeing of %.2f arcsec is wider than the common PSF (%.2f); "
            "raise matched_seeing",
            warp.candidate.frame.name,
            warp.seeing,
            target.fwhm * scale,
        )
    if not used:
        return None
    found = config.artifacts.model_copy(update={"enabled": False})
    plain = config.model_copy(update={"artifacts": found, "point_source_image": False, "psf_matched_coadd": False})
    return MatchedCoadd(assemble(used, store, box, plain).masked_image, target, len(used))


def _convolve(warp: Warp, store: WarpStore, coadd: MaskedImage, target: PixelPsf, rejected: NDArray[np.int64]) -> bool:
    """Convolve an exposure; return whether its PSF allows it."""
    region = store.boxes[warp.number]
    kernel = kernel_to_model(warp.psf, target, region)
    if kernel is None:
        return False
    image, variance, bits = store.read_rows(warp.number, 0, region.height)
    lost = (bits & UNUSABLE) != 0
    lost[rejected[:, 0] - region.y_min, rejected[:, 1] - region.x_min] = True
    image[lost] = coadd.image[region.slices][lost]
    sky = np.median(variance[~lost]) if not lost.all() else np.float32(0)
    variance[lost] = sky
    # beyond the border there is nothing, which counts as lost
    around = np.pad(lost, kernel.basis.half, constant_values=True)
    inner = np.s_[kernel.basis.half : -kernel.basis.half, kernel.basis.half : -kernel.basis.half]
    spoiled = spread_unusable(around, kernel)[inner] | ((bits & OUTSIDE) != 0)
    bits = (bits & ~np.int32(UNUSABLE)) | np.where(spoiled, np.int32(UNUSABLE), np.int32(0))
    spread = convolve_variance(variance, kernel, middle_stamp(target))
    store.write_rows(warp.number, 0, kernel.convolve(image), spread, bits)
    return True
