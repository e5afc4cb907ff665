"""One PSF for all exposures of a patch: a Gaussian with a wing, as wide as the poorest seeing needs it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.coadd.matching_kernel import MatchingKernel
from obs.algorithms.measure.shape import psf_sigma
from obs.coadds.config import CoaddConfig
from obs.coadds.warp import Warp
from obs.geom import Box
from obs.image.psf import PixelPsf
from obs.tasks.difference.config import MatchConfig
from obs.tasks.difference.match_models import match_models, matching_basis
from obs.tasks.psf_sizes import FWHM_PER_SIGMA

__all__ = ["gaussian_model", "kernel_to_model", "middle_stamp", "model_width"]

_WIDER = 1.1  # of the model than of the widest PSF, which a kernel cannot make sharper
_REACH_FWHMS = 3.0
_WING, _WING_WIDTH = 0.1, 2.0  # of the model, as in the LSST stack: part of the peak, in standard deviations


def model_width(warps: Sequence[Warp], scale: float, config: CoaddConfig) -> float:
    """Return the full width at half maximum of the PSF that all exposures get, pixels of the patch.

    Parameters
    ----------
    warps : sequence of Warp
        The exposures.
    scale : float
        Pixels of the patch, arcsec.
    config : CoaddConfig
        Settings.
    """
    return (config.matched_seeing or _WIDER * max(warp.seeing for warp in warps)) / scale


def gaussian_model(fwhm: float) -> PixelPsf:
    """Return a Gaussian with the wing of one twice as wide.

    Parameters
    ----------
    fwhm : float
        Full width at half maximum of the Gaussian, pixels.
    """
    half = int(np.ceil(_REACH_FWHMS * fwhm))
    offset = np.arange(-half, half + 1)
    exponent = (offset[:, None] ** 2 + offset**2) / (2 * (fwhm / FWHM_PER_SIGMA) ** 2)
    stamp = np.exp(-exponent) + _WING * np.exp(-exponent / _WING_WIDTH**2)
    return PixelPsf((stamp / stamp.sum())[None].astype(np.float32), 0, fwhm=fwhm, interpolation="star")


def middle_stamp(model: PixelPsf) -> NDArray[np.float32]:
    """Return the pixels of the common PSF, centered on one.

    Parameters
    ----------
    model : PixelPsf
        PSF that does not vary over the image.
    """
    return np.asarray(model.evaluate(x=np.zeros(1), y=np.zeros(1))[0], np.float32)


def kernel_to_model(psf: PixelPsf, target: PixelPsf, region: Box) -> MatchingKernel | None:
    """Return the kernel that turns a PSF into the common one; None if it is wider than that.

    Parameters
    ----------
    psf, target : PixelPsf
        PSF of an exposure, and the common one.
    region : Box
        The part of the patch that the exposure covers.
    """
    if psf.fwhm >= target.fwhm:
        return None
    config = MatchConfig()
    x, y = region.x_min + region.width / 2, region.y_min + region.height / 2
    narrow, wide = sorted(float(psf_sigma(one, x=x, y=y)) for one in (psf, target))
    half = max(target.stamp_shape[0], psf.stamp_shape[0]) // 2
    return match_models(psf, target, region, half, matching_basis(narrow, wide, config), config)
