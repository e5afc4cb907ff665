"""Write the resampled exposures of a patch, as they are or with one PSF."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from obs.coadds.assemble import translate_bits
from obs.coadds.coadd_psf import CoaddPsf
from obs.coadds.config import CoaddConfig
from obs.coadds.inputs_table import psf_inputs
from obs.coadds.psf_matching import gaussian_model, kernel_to_model, middle_stamp, model_width
from obs.coadds.warp import OUTSIDE, UNUSABLE, Warp
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import DEFAULT_PLANES, UNUSABLE_PLANES, Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib, common_system
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs
from obs.policy.dataset_type import Template
from obs.repo.butler import Butler
from obs.repo.warp_store import WarpStore
from obs.tasks.difference.match_models import convolve_variance, spread_unusable

__all__ = ["write_warps"]

_LOG = logging.getLogger(__name__)

_DATASETS = {"direct": "deepCoadd_directWarp", "psfMatched": "deepCoadd_psfMatchedWarp"}


def write_warps(
    butler: Butler, data_id: Mapping[str, Any], warps: Sequence[Warp], store: WarpStore, box: Box, wcs: TanSipWcs,
    config: CoaddConfig,
) -> None:  # fmt: skip
    """Write each visit of a patch on the pixels of the patch.

    Detectors of a visit are put together: where two have data, the first stays.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    data_id : mapping
        Tract, patch and filter.
    warps : sequence of Warp
        The exposures.
    store : WarpStore
        Their pixels.
    box : Box
        Pixels of the patch, counted from 0.
    wcs : TanSipWcs
        WCS of the patch.
    config : CoaddConfig
        Settings; ``warps`` says what is written.
    """
    fwhm = model_width(warps, wcs.pixel_scale, config)
    for kind in config.warps:
        dataset = _DATASETS[kind]
        template = Template(butler.mapper.dataset_type(dataset).template or "")
        keys = [key for key in template.keys if key not in data_id]
        visits: dict[tuple[Any, ...], list[Warp]] = {}
        for warp in warps:
            visits.setdefault(tuple(warp.candidate.frame.data_id[key] for key in keys), []).append(warp)
        for values, members in visits.items():
            psf, _ = CoaddPsf(psf_inputs(members), wcs).fit(box.shape, degree=config.psf_degree)
            pixels = _together(members, store, box)
            if kind == "psfMatched":
                matched = _match(pixels, _union([store.boxes[one.number] for one in members]), psf, fwhm)
                if matched is None:
                    _LOG.warning(
                        "%s: no %s, because its seeing of %.2f arcsec is wider than the PSF that it should get (%.2f); "
                        "raise matched_seeing",
                        members[0].candidate.frame.name,
                        dataset,
                        members[0].seeing,
                        fwhm * wcs.pixel_scale,
                    )
                    continue
                pixels, psf = matched
            known = [member.calibration.photo_calib for member in members]
            metadata = {"SEEING": round(psf.fwhm * wcs.pixel_scale, 4), "BUNIT": "adu"}
            exposure = Exposure(
                pixels,
                wcs=wcs,
                psf=psf,
                photo_calib=PhotoCalib.from_zero_point(config.zero_point, system=common_system(known)),
                physical_filter=str(data_id.get("filter", "")),
                metadata=metadata,
            )
            butler.put(exposure, dataset, {**data_id, **dict(zip(keys, values, strict=True))})


def _together(warps: Sequence[Warp], store: WarpStore, box: Box) -> MaskedImage:
    """Return the pixels of the detectors of a visit on the whole patch; NO_DATA where none is."""
    mask = Mask.zeros(box.shape, {name: bit for bit, name in enumerate(DEFAULT_PLANES)})
    image, variance = np.zeros(box.shape, np.float32), np.full(box.shape, np.inf, np.float32)
    bits = np.full(box.shape, OUTSIDE | UNUSABLE, np.int32)
    for warp in warps:
        region = store.boxes[warp.number]
        values, noise, own = store.read_rows(warp.number, 0, region.height)
        place = np.s_[region.y_min : region.y_max, region.x_min : region.x_max]
        free = ((bits[place] & OUTSIDE) != 0) & ((own & OUTSIDE) == 0)
        image[place][free], variance[place][free] = values[free], noise[free]
        bits[place][free] = translate_bits(own, warp.planes, mask.planes)[free]
    mask.array[:] = np.where((bits & OUTSIDE) != 0, mask.bits("NO_DATA"), bits & ~np.int32(OUTSIDE | UNUSABLE))
    return MaskedImage(image, mask, variance)


def _match(pixels: MaskedImage, region: Box, psf: PixelPsf, fwhm: float) -> tuple[MaskedImage, PixelPsf] | None:
    """Return an image convolved to a PSF of some width, and that PSF; None if its own is wider.

    Parameters
    ----------
    pixels : MaskedImage
        The image.
    region : Box
        The part of it that has data.
    psf : PixelPsf
        Its PSF.
    fwhm : float
        Full width at half maximum of the PSF that it gets, pixels.
    """
    target = gaussian_model(fwhm)
    kernel = kernel_to_model(psf, target, region)
    if kernel is None:
        return None
    part = pixels.cutout(region)
    nothing = part.mask.any_known(["NO_DATA"])
    lost = spread_unusable(nothing, kernel)
    mask = part.mask.copy()
    mask.set(spread_unusable(part.mask.any_known(UNUSABLE_PLANES), kernel), "SUSPECT")
    mask.array[lost] = mask.bits("NO_DATA")
    image = np.where(lost, np.float32(0), kernel.convolve(part.image))
    noise = convolve_variance(np.where(nothing, np.float32(0), part.variance), kernel, middle_stamp(target))
    result = pixels.copy()
    place = region.slices
    result.image[place], result.mask.array[place] = image, mask.array
    result.variance[place] = np.where(lost, np.float32(np.inf), noise)
    return result, target


def _union(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all boxes."""
    left, low = min(box.x_min for box in boxes), min(box.y_min for box in boxes)
    return Box(left, low, max(box.x_max for box in boxes) - left, max(box.y_max for box in boxes) - low)
