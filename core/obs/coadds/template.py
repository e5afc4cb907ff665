"""A coadd on the pixels of one image, from which it can be subtracted."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.coadd.position_map import map_positions
from obs.algorithms.coadd.resample import ResamplingKernel, resample_rows
from obs.algorithms.pixels.grow import grow
from obs.algorithms.psf.width import half_maximum_width
from obs.coadds.coadd import combine_patch, recorded_settings
from obs.coadds.coadd_psf import CoaddPsf
from obs.coadds.frames import Frame
from obs.coadds.inputs import overlaps, patches_near
from obs.coadds.inputs_table import input_frames, read_coadd_psf
from obs.coadds.sky_maps import coadd_roots, load_sky_map
from obs.coadds.template_psf import PsfPart, TemplatePsf
from obs.coadds.warp import OUTSIDE, UNUSABLE, frame_transform, warped_psf
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.shell_command import shell_command
from obs.skymap.tract import Tract

__all__ = ["Template", "make_template", "template_coadds"]

_LOG = logging.getLogger(__name__)

_DATASET = "deepCoadd"
_KERNEL = ResamplingKernel()


@frozen
class Template:
    """A coadd on the pixels of an image.

    Parameters
    ----------
    pixels : MaskedImage
        Finite; ``NO_DATA`` where no coadd has data.
    psf : PixelPsf
        Its PSF on these pixels.
    patches : tuple of str
        Data IDs of the coadds that it consists of.
    own_share : float
        Largest share of the image itself in these coadds.
    exact_psf : TemplatePsf
        Its PSF with the steps where other exposures begin, on the pixels of the coadds.
    coadd_scale : float
        Pixels of the coadds for one pixel of the image.
    """

    pixels: MaskedImage
    psf: PixelPsf
    patches: tuple[str, ...]
    own_share: float
    exact_psf: TemplatePsf
    coadd_scale: float


def make_template(
    butler: Butler,
    frame: Frame,
    band: str,
    flux_mag0: float,
    *,
    tract: int | None = None,
    maximum_own_share: float = 1.0,
) -> Template:
    """Resample the coadds of a filter onto the pixels of an image.

    The PSF is that of the patch that covers most of the image, which knows its exposures everywhere.

    Parameters
    ----------
    butler : Butler
        The repository.
    frame : Frame
        The image, with the WCS that is to be believed.
    band : str
        Filter of the coadds.
    flux_mag0 : float
        Counts of an object of magnitude zero on the image.
    tract : int, optional
        Tract whose coadds are used; by default the first that has one here.
    maximum_own_share : float, optional
        Coadds with a larger share of the image itself are made again without it, in memory.

    Raises
    ------
    MeasurementError
        If no coadd of the filter reaches the image, or they consist of the image alone.
    """
    found = template_coadds(butler, frame, band, tract)
    shape = frame.shape
    image, variance = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    mask, empty = Mask.zeros(shape), np.ones(shape, bool)
    used: list[tuple[int, dict[str, Any], TanSipWcs, CoaddPsf]] = []
    parts: list[PsfPart] = []
    own, is_alone = 0.0, False
    for data_id in found:
        coadd, psf, share = _coadd(butler, data_id, frame, maximum_own_share)
        is_alone |= coadd is None
        if coadd is None or coadd.wcs is None:
            continue
        own = max(own, share)
        count = _fill(image, variance, mask, empty, coadd, frame, flux_mag0)
        if count:
            used.append((count, data_id, coadd.wcs, psf))
            parts.append(PsfPart(psf.filled(), frame_transform(frame.wcs, coadd.wcs), coadd.shape))
    if not used:
        if is_alone:
            raise MeasurementError(
                f"the coadds of the filter {band} here consist of this image alone: process another exposure of the "
                f"field, and make them anew with {_coadd_command(butler, band)}"
            )
        raise MeasurementError(_none_there(butler, band, "no pixel of its coadds has data here"))
    mask.set(empty, "NO_DATA")
    _, _, wcs, of_inputs = max(used, key=lambda one: one[0])
    psf = of_inputs.filled()
    to_coadd = frame_transform(frame.wcs, wcs)
    middle = [np.array([(size - 1) / 2]) for size in shape[::-1]]
    x, y = (float(place[0]) for place in to_coadd(middle[0], middle[1]))
    fwhm = half_maximum_width(psf, x=x, y=y) * wcs.pixel_scale / frame.wcs.pixel_scale
    whole = Box(0, 0, shape[1], shape[0])
    warped = warped_psf(psf, to_coadd, whole, whole, fwhm, _KERNEL)
    return Template(
        MaskedImage(image, mask, variance),
        warped,
        tuple(format_data_id(one[1]) for one in used),
        own,
        TemplatePsf(tuple(parts)),
        frame.wcs.pixel_scale / wcs.pixel_scale,
    )


def template_coadds(butler: Butler, frame: Frame, band: str, tract: int | None) -> list[dict[str, Any]]:
    """Return the data IDs of the coadds that reach the image, all of one tract.

    Parameters
    ----------
    butler : Butler
        The repository.
    frame : Frame
        The image, with its WCS.
    band : str
        Filter of the coadds.
    tract : int or None
        Tract whose coadds are used; the first that has one here if None.

    Raises
    ------
    MeasurementError
        If no coadd of the filter reaches the image.
    """
    sky_map = load_sky_map(butler)
    ra, dec = frame.outline().T
    tracts: list[Tract] = sky_map.tracts_with(ra=ra, dec=dec) if tract is None else [sky_map.tract(tract)]
    roots = coadd_roots(butler)
    for one in tracts:
        ids = [
            {"tract": one.number, "patch": patch.name, "filter": band}
            for patch in patches_near([frame], one)
            if overlaps(frame, one, patch.outer_box)
        ]
        there = [data_id for data_id in ids if butler.exists(_DATASET, data_id)]
        if there := [one for one in there if any(butler.path(_DATASET, one).is_relative_to(root) for root in roots)]:
            return there
    raise MeasurementError(_none_there(butler, band, "none reaches it"))


def _coadd(
    butler: Butler, data_id: dict[str, Any], frame: Frame, maximum_own_share: float
) -> tuple[Exposure | None, CoaddPsf, float]:
    """Return a coadd, its PSF, and the share of an image in it; None if it consists of this image alone."""
    inputs = butler.get("deepCoadd_inputs", data_id)
    own = _own_rows(inputs, frame)
    share = float(inputs["weight"][own].sum())
    if share <= maximum_own_share:
        return butler.get(_DATASET, data_id), read_coadd_psf(butler, **data_id), share
    others = [one for one, is_own in zip(input_frames(inputs), own, strict=True) if not is_own]
    if not others:
        _LOG.warning("%s consists of this image alone: there is nothing to compare it with", format_data_id(data_id))
        return None, read_coadd_psf(butler, **data_id), share
    plain = {"point_source_image": False, "psf_matched_coadd": False, "warps": []}
    config = recorded_settings(butler).model_copy(update=plain)
    combined = combine_patch(butler, data_id, others, config)
    calib = PhotoCalib.from_zero_point(config.zero_point)
    coadd = Exposure(combined.assembly.masked_image, wcs=combined.wcs, photo_calib=calib)
    return coadd, combined.psf, 0.0


def _own_rows(inputs: Catalog, frame: Frame) -> NDArray[np.bool_]:
    """Return which rows of the table of a coadd's exposures are an image."""
    own = np.ones(len(inputs), bool)
    for key, value in frame.data_id.items():
        if key in inputs:
            own &= np.array([str(one).strip() == str(value) for one in inputs[key]], bool)
    return own


def _none_there(butler: Butler, band: str, reason: str) -> str:
    kind = butler.mapper.dataset_type(_DATASET)
    bands = sorted({str(data_id["filter"]) for _, data_id, _ in iterate_datasets(butler.roots, [kind])})
    known = f"there are coadds of the filter {', '.join(bands)}" if bands else "there is no coadd at all"
    return (
        f"no coadd of the filter {band} to subtract: {reason}, and {known}; make it with {_coadd_command(butler, band)}"
    )


def _coadd_command(butler: Butler, band: str) -> str:
    return shell_command("obs", "coadd", butler.output or butler.root, "--id", f"filter={band}")


def _fill(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    mask: Mask,
    empty: NDArray[np.bool_],
    coadd: Exposure,
    frame: Frame,
    flux_mag0: float,
) -> int:
    """Fill pixels that are still empty from a coadd, in place; return their number."""
    if coadd.wcs is None or coadd.photo_calib is None:
        raise MeasurementError("the coadd has no WCS or no zero point; make it anew with obs coadd")
    wcs: TanSipWcs = coadd.wcs
    pixels = coadd.masked_image
    lost = ~np.isfinite(pixels.image) | ~np.isfinite(pixels.variance) | pixels.mask.any_known(["NO_DATA"])
    values = [np.where(lost, np.float32(0), plane) for plane in (pixels.image, pixels.variance)]
    bits = pixels.mask.array | np.where(grow(lost, _KERNEL.reach), np.int32(UNUSABLE), np.int32(0))
    scale = np.float32(flux_mag0 / coadd.photo_calib.flux_mag0)
    positions = map_positions(frame_transform(frame.wcs, wcs), frame.shape)
    names = {name: bit for name, bit in pixels.mask.planes.items() if name != "NO_DATA"}
    for name in names:
        mask.add_plane(name)
    count = 0
    blocks = resample_rows(values[0], values[1], bits, positions, outside=OUTSIDE | UNUSABLE, kernel=_KERNEL)
    for low, high, light, noise, planes in blocks:
        rows = np.s_[low:high]
        good = empty[rows] & ((planes & UNUSABLE) == 0)
        image[rows][good] = light[good] * scale
        variance[rows][good] = noise[good] * scale**2
        for name, bit in names.items():
            mask.array[rows][good & ((planes >> bit) & 1 != 0)] |= mask.bits(name)
        empty[rows] &= ~good
        count += int(np.count_nonzero(good))
    return count
