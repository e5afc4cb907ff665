"""Resample one calibrated exposure onto the pixels of a patch."""

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.coadd.backgrounds import sky_of_cells
from obs.algorithms.coadd.position_map import map_positions
from obs.algorithms.coadd.psf import fit_psf_model, resampled_psf
from obs.algorithms.coadd.resample import ResamplingKernel, noise_excess, resample_rows
from obs.algorithms.pixels.grow import grow
from obs.algorithms.psf.width import half_maximum_width
from obs.coadds.config import CoaddConfig
from obs.coadds.frames import describe_missing
from obs.coadds.select import Candidate
from obs.errors import DatasetNotFoundError, FileFormatError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.psf import PixelPsf, Psf
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler
from obs.repo.warp_store import WarpStore
from obs.tasks.aperture_correction import PSF_LIGHT_CARD
from obs.visits.calibration import FrameCalibration, best_calibration

__all__ = ["OUTSIDE", "PSF_SAMPLING", "UNUSABLE", "Warp", "frame_transform", "warp_frame", "warped_psf"]

_LOG = logging.getLogger(__name__)

#: Bits of the masks of warps beside those of the planes: the kernel leaves the image; pixel not to be used.
OUTSIDE, UNUSABLE = 1 << 29, 1 << 30
_SAMPLING = 3
_PSF_POINTS = 4
_PSF_DEGREE = 2
PSF_SAMPLING = 0.5  # pixels of the coadd between samples of PSFs
_EDGE = 2.0


@frozen
class Warp:
    """A resampled exposure, whose pixels are in a `WarpStore`.

    Parameters
    ----------
    candidate : Candidate
        The exposure.
    number : int
        Its number in the store.
    calibration : FrameCalibration
        WCS and zero point that were used.
    weight : float
        Its weight in the coadd.
    sky_sigma : float
        Noise of the sky, counts of the coadd in a pixel.
    seeing : float
        Full width at half maximum of the PSF, arcsec.
    sky : ndarray of float64, shape (n_row, n_column)
        Sky in cells of the patch; NaN where not known.
    psf : PixelPsf
        Its PSF on the pixels of the patch.
    planes : dict of str to int
        Bits of the planes of its mask.
    wcs : TanSipWcs
        WCS of the exposure.
    shape : tuple of int
        Shape (ny, nx) of the exposure.
    gain, saturation : float, optional
        Electrons for each count of the coadd, and the level in counts of the coadd at which the exposure is saturated.
    light : float, optional
        Part of the light of its PSF that its zero point counts as all light of a star.
    """

    candidate: Candidate
    number: int
    calibration: FrameCalibration
    weight: float
    sky_sigma: float
    seeing: float
    sky: NDArray[np.float64]
    psf: PixelPsf
    planes: dict[str, int]
    wcs: TanSipWcs
    shape: tuple[int, int]
    gain: float = math.nan
    saturation: float = math.nan
    light: float = math.nan


def warp_frame(
    butler: Butler, candidate: Candidate, wcs: TanSipWcs, box: Box, store: WarpStore, config: CoaddConfig, tract: int
) -> Warp | None:
    """Resample an exposure onto a patch; return None if it cannot be used, after a warning that says why.

    Parameters
    ----------
    butler : Butler
        The repository.
    candidate : Candidate
        The exposure.
    wcs : TanSipWcs
        WCS of the patch.
    box : Box
        Pixels of the patch, counted from 0.
    store : WarpStore
        Where the pixels are kept.
    config : CoaddConfig
        Settings.
    tract : int
        The tract, whose common calibration is preferred.
    """
    frame = candidate.frame
    try:
        exposure = butler.get("calexp", frame.data_id)
    except (DatasetNotFoundError, FileFormatError) as error:
        _LOG.warning("%s: left out, it cannot be read: %s", frame.name, error)
        return None
    calibration = best_calibration(
        butler, frame.data_id, tract=tract, exposure=exposure, use_common=config.use_common_calibration
    )
    exposure = calibration.apply(exposure)
    calib, psf, frame_wcs = exposure.photo_calib, exposure.psf, exposure.wcs
    if calib is None or psf is None or frame_wcs is None:
        _LOG.warning("%s: left out, it has %s", frame.name, describe_missing(exposure))
        return None
    region = _covered(frame_wcs, exposure.shape, wcs, box)
    if region.is_empty:
        return None
    to_frame = frame_transform(wcs, frame_wcs)
    scale = 10.0 ** (0.4 * config.zero_point) / calib.flux_mag0
    image, variance, mask, is_sky = _prepare(exposure, config)
    sky_variance = float(np.median(variance[::7, ::7][is_sky[::7, ::7]])) if is_sky[::7, ::7].any() else np.nan
    positions = map_positions(lambda x, y: to_frame(x + region.x_min, y + region.y_min), region.shape)
    area = float(np.nanmedian(positions.area))
    if not (np.isfinite(sky_variance) and sky_variance > 0):
        _LOG.warning("%s: left out, the noise of its sky is not known", frame.name)
        return None
    kernel = ResamplingKernel(config.kernel, config.kernel_reach)
    number = store.add_frame(region)
    factor = np.float32(scale)
    samples = np.full([-(-size // _SAMPLING) for size in box.shape], np.nan, np.float32)
    n_good = 0
    for low, high, pixels, noise, bits in resample_rows(
        image, variance, mask, positions, outside=OUTSIDE | UNUSABLE, kernel=kernel
    ):
        pixels *= factor
        noise *= factor * factor
        store.write_rows(number, low, pixels, noise, bits)
        n_good += int(np.count_nonzero((bits & UNUSABLE) == 0))
        _sample_sky(samples, pixels, bits, exposure.masked_image.mask.known_bits(["DETECTED"]), region, low, high)
    if n_good == 0:
        _LOG.warning("%s: left out, none of its pixels on the patch can be used", frame.name)
        return None
    middle = exposure.shape[1] / 2, exposure.shape[0] / 2
    width = half_maximum_width(psf, x=middle[0], y=middle[1])
    seeing = candidate.seeing if np.isfinite(candidate.seeing) else width * frame_wcs.pixel_scale
    sigma = float(np.sqrt(sky_variance * area * noise_excess(kernel, positions.jacobian())) * scale)
    return Warp(
        candidate,
        number,
        calibration,
        weight=1.0 / (sigma**2 * seeing**config.seeing_power),
        sky_sigma=sigma,
        seeing=seeing,
        sky=sky_of_cells(samples, max(config.background.cell // _SAMPLING, 8)),
        psf=warped_psf(psf, to_frame, region, box, width / np.sqrt(area), kernel),
        planes=dict(exposure.masked_image.mask.planes),
        wcs=frame_wcs,
        shape=exposure.shape,
        gain=_number(exposure.metadata, "GAIN") / scale,
        saturation=_number(exposure.metadata, "SATURATE") * scale * area,
        light=_number(exposure.metadata, PSF_LIGHT_CARD),
    )


def _number(metadata: Mapping[str, Any], card: str) -> float:
    """Return the value of a card; NaN without one."""
    value = metadata.get(card)
    return float(value) if isinstance(value, int | float) else math.nan


def frame_transform(
    wcs: TanSipWcs, frame_wcs: TanSipWcs
) -> Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the function that takes pixels of a grid to those of an image.

    Parameters
    ----------
    wcs : TanSipWcs
        WCS of the grid.
    frame_wcs : TanSipWcs
        WCS of the image.

    Returns
    -------
    callable
        Takes x and y on the grid, ndarray of float64, and returns x and y on the image, all 0-based pixels.
    """

    def to_frame(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        ra, dec = wcs.pixel_to_sky(x=x, y=y)
        return frame_wcs.sky_to_pixel(ra=ra, dec=dec)

    return to_frame


def _covered(frame_wcs: TanSipWcs, shape: tuple[int, int], wcs: TanSipWcs, box: Box) -> Box:
    """Return the pixels of the patch between which the exposure is."""
    across, along = np.linspace(-0.5, shape[1] - 0.5, 9), np.linspace(-0.5, shape[0] - 0.5, 9)
    x, y = np.meshgrid(across, along)
    there = np.stack(wcs.sky_to_pixel(**dict(zip(("ra", "dec"), frame_wcs.pixel_to_sky(x=x, y=y), strict=True))))
    if not np.isfinite(there).all():
        return Box(0, 0, 0, 0)
    low = np.floor(there.min(axis=(1, 2)) - _EDGE).astype(int)
    high = np.ceil(there.max(axis=(1, 2)) + _EDGE).astype(int) + 1
    low, high = np.maximum(low, 0), np.minimum(high, (box.width, box.height))
    if (high <= low).any():
        return Box(0, 0, 0, 0)
    return Box(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


def _prepare(
    exposure: Exposure, config: CoaddConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.bool_]]:
    """Return image, variance and mask without holes, and where there is nothing but sky.

    The kernel mixes pixels with their neighbors, so those next to an unusable one are unusable, too, and around pixels
    without data those that the kernel reaches.
    """
    pixels = exposure.masked_image
    image, variance = pixels.image, pixels.variance
    empty = ~np.isfinite(image) | ~(variance > 0) | ~np.isfinite(variance)
    nothing = empty | ((pixels.mask.array & pixels.mask.known_bits(["NO_DATA"])) != 0)
    bad = (pixels.mask.array & pixels.mask.known_bits(config.bad_planes)) != 0
    unusable = grow(bad, 1)
    if nothing.any():
        unusable |= grow(nothing, 2 * config.kernel_reach)
    if empty.any():
        image, variance = np.where(empty, np.float32(0), image), np.where(empty, np.float32(0), variance)
    mask = pixels.mask.array | np.where(unusable, np.int32(UNUSABLE), np.int32(0))
    is_sky = ~unusable & ((mask & pixels.mask.known_bits(["DETECTED"])) == 0)
    return image, variance, mask, is_sky


def _sample_sky(
    samples: NDArray[np.float32],
    image: NDArray[np.float32],
    mask: NDArray[np.int32],
    detected: int,
    region: Box,
    low: int,
    high: int,
) -> None:
    """Take one pixel in nine of the sky of some rows of a region, ``low`` to ``high``, into a sample of the patch."""
    first_row, first_column = (-(-start // _SAMPLING) for start in (region.y_min + low, region.x_min))
    rows = np.arange(first_row * _SAMPLING, region.y_min + high, _SAMPLING)
    if not rows.size:
        return
    place = np.s_[rows[0] - region.y_min - low :: _SAMPLING, first_column * _SAMPLING - region.x_min :: _SAMPLING]
    values = np.where((mask[place] & (UNUSABLE | detected)) == 0, image[place], np.float32(np.nan))
    samples[first_row : first_row + values.shape[0], first_column : first_column + values.shape[1]] = values


def warped_psf(
    psf: Psf,
    to_frame: Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]],
    region: Box,
    box: Box,
    fwhm: float,
    kernel: ResamplingKernel,
) -> PixelPsf:
    """Return a PSF on the pixels of another grid as a polynomial over the part that the image covers.

    Parameters
    ----------
    psf : Psf
        PSF of the image.
    to_frame : callable
        From pixels of the grid to those of the image.
    region, box : Box
        The part that the image covers, and the whole grid, pixels.
    fwhm : float
        Full width at half maximum of the result, pixels of the grid.
    kernel : ResamplingKernel
        Weights with which the image was resampled.
    """
    reach = max(psf.stamp_shape) // 2
    corner = to_frame(np.array([0.0, 1.0]) + region.x_min, np.array([0.0, 0.0]) + region.y_min)
    step = float(np.hypot(corner[0][1] - corner[0][0], corner[1][1] - corner[1][0]))
    half = round(reach / step / PSF_SAMPLING)
    x, y = (
        axis.ravel()
        for axis in np.meshgrid(
            region.x_min + (np.arange(_PSF_POINTS) + 0.5) / _PSF_POINTS * region.width,
            region.y_min + (np.arange(_PSF_POINTS) + 0.5) / _PSF_POINTS * region.height,
        )
    )
    x, y = np.rint(x), np.rint(y)
    stamps = np.stack(
        [
            resampled_psf(psf, to_frame, one_x, one_y, 2 * half + 1, sampling=PSF_SAMPLING, kernel=kernel)
            for one_x, one_y in zip(x, y, strict=True)
        ]
    )
    return fit_psf_model(stamps, x, y, box.shape, degree=_PSF_DEGREE, sampling=PSF_SAMPLING, fwhm=fwhm)
