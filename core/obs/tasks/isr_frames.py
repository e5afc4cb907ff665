"""Steps of instrument-signature removal that take away what calibration frames show."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.brighter_fatter import correct_brighter_fatter
from obs.algorithms.detector.defects import mask_edges
from obs.algorithms.detector.detrend import divide_by_flat, subtract_frame
from obs.algorithms.detector.fringe import fit_fringe
from obs.algorithms.detector.interpolate import grow_plane, interpolate_pixels
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.errors import MeasurementError
from obs.geom import Box
from obs.image.masked_image import MaskedImage
from obs.tasks.frame_seconds import dark_seconds, light_seconds
from obs.tasks.isr_masks import check_usable
from obs.tasks.isr_work import CALIBRATION_PLANES, Work

__all__ = [
    "apply_flat",
    "apply_illumination_correction",
    "remove_brighter_fatter",
    "subtract_dark",
    "subtract_fringe",
    "subtract_stray_light",
]


def remove_brighter_fatter(work: Work) -> None:
    """Bring the charge of bright stars back to where it was bound for.

    Parameters
    ----------
    work : Work
        Pixels, changed in place, and the kernel of the detector. The edges, half a kernel wide, are masked EDGE. A
        correction that does not converge causes a warning.

    Raises
    ------
    DatasetNotFoundError
        If the dark or the flat, with which gaps are filled, is missing.
    """
    config, pixels = work.config.brighter_fatter, work.pixels
    kernel = np.asarray(work.calibrations.brighter_fatter_kernel, np.float32)
    charge = _without_gaps(work, tuple(config.interpolated_planes))
    if config.apply_gain:
        for amp in work.detector.amplifiers:
            charge[work.box(amp).slices] *= np.float32(work.gain(amp))
    result = correct_brighter_fatter(
        charge,
        kernel,
        maximum_iterations=config.maximum_iterations,
        threshold=config.threshold,
    )
    if not result.change < config.threshold:
        work.warn(
            f"brighter-fatter: changes of {result.change:.0f} after {result.n_iteration} iterations, not below "
            f"{config.threshold:.0f}"
        )
    if config.apply_gain:
        for amp in work.detector.amplifiers:
            result.correction[work.box(amp).slices] /= np.float32(work.gain(amp))
    pixels.image += result.correction
    whole = Box(0, 0, pixels.shape[1], pixels.shape[0])
    mask_edges(pixels.mask, [whole], len(kernel) // 2, "EDGE")
    for plane in ("SAT", "BAD"):
        grow_plane(pixels, plane, config.mask_grow_size)


def _without_gaps(work: Work, planes: tuple[str, ...]) -> NDArray[np.float32]:
    """Fill pixels of a copy that hold no charge of their own, and return the counts as collected.

    Interpolation needs neighbors that are alike, so dark and flat are applied for it, and then undone.
    """
    copy, config = work.pixels.copy(), work.config
    sensitivity = np.ones((1, 1), np.float32)
    if config.do_dark:
        subtract_frame(copy, work.frame("dark"), scale=_dark_scale(work))
    if config.do_flat:
        flat = work.frame("flat")
        scale = _flat_scale(work, flat)
        divide_by_flat(copy, flat, scale=scale, minimum=config.flat.minimum)
        sensitivity = flat.image / np.float32(scale)
        sensitivity[~((sensitivity > config.flat.minimum) & (sensitivity < np.inf))] = 1.0
    interpolate_pixels(copy, planes, maximum_width=config.interpolation.maximum_width)
    copy.image *= sensitivity
    if config.do_dark:
        dark = work.frame("dark").image
        copy.image += np.where(np.isfinite(dark), dark, np.float32(0.0)) * np.float32(_dark_scale(work))
    return copy.image


def subtract_dark(work: Work) -> None:
    """Subtract the dark, scaled to the exposure's dark time.

    Parameters
    ----------
    work : Work
        Pixels, changed in place, and the dark. The exposure time stands in for an unknown dark time. A dark without a
        dark time counts as one of 1 second.

    Raises
    ------
    DatasetNotFoundError
        If there is no dark.
    FileFormatError
        If its shape is not that of the detector.
    """
    n_bad = subtract_frame(work.pixels, work.frame("dark"), scale=_dark_scale(work), planes=CALIBRATION_PLANES)
    if n_bad:
        work.warn(f"the dark has no value in {n_bad} pixels: masked BAD")
    _count_bias_once(work)
    work.metadata["DARK"] = "Dark corrected"


def _count_bias_once(work: Work) -> None:
    """Correct the variance for the bias that is in the dark, too: its noise cancels in exposures as long as the dark.

    Subtracting a bias B and then a times (D - B), where D is a mean of raw darks, leaves (1 - a) B.
    """
    bias, dark = work.calibrations.bias, work.calibrations.dark
    if bias is None or dark is None or not work.config.do_bias or work.calibrations.shared_bias <= 0:
        return
    noise, total = bias.masked_image.variance, work.pixels.variance
    if noise.shape != total.shape:
        return  # that of a raw image, subtracted before the overscan
    part = _dark_scale(work) * dark_seconds(dark) * work.calibrations.shared_bias
    for rows in row_blocks(total.shape):
        counted = noise[rows] + np.float32(_dark_scale(work) ** 2) * dark.masked_image.variance[rows]
        twice = np.minimum(np.float32(2 * part) * noise[rows], counted)
        total[rows] -= np.where(np.isfinite(twice), twice, np.float32(0))


def _dark_scale(work: Work) -> float:
    """Dark time of the exposure over that of the dark."""
    info, dark = work.visit_info, work.calibrations.dark
    time = info.dark_time if np.isfinite(info.dark_time) else info.exposure_time
    return time if dark is None else time / dark_seconds(dark)


def subtract_fringe(work: Work) -> None:
    """Subtract the fringes, as strong as they are in this exposure.

    Parameters
    ----------
    work : Work
        Pixels, changed in place, and the fringe frame. Receives the cards ISR_FRINGE (amplitude) and ISR_FRINGE_ERR.
        If the amplitude cannot be measured, the pixels stay and a warning says so.

    Raises
    ------
    DatasetNotFoundError
        If there is no fringe frame.
    FileFormatError
        If its shape is not that of the detector.
    """
    config, fringe = work.config.fringe, work.frame("fringe")
    pixels = work.pixels
    bits = pixels.mask.known_bits(config.bad_planes)
    bad = ((pixels.mask.array | fringe.mask.array) & bits) != 0
    bad |= ~np.isfinite(pixels.image) | ~np.isfinite(fringe.image)
    try:
        fit = fit_fringe(
            pixels.image,
            fringe.image,
            bad,
            number=config.number,
            small=config.small,
            large=config.large,
            clip=config.clip,
            n_iteration=config.iterations,
        )
    except MeasurementError as error:
        work.warn(f"fringes are not subtracted: {error}")
        return
    if config.pedestal:
        pixels.image += np.float32(fit.amplitude * float(np.median(fringe.image[~bad])))
    subtract_frame(pixels, fringe, scale=fit.amplitude)
    work.metadata["ISR_FRINGE"] = fit.amplitude
    work.metadata["ISR_FRINGE_ERR"] = fit.error


def subtract_stray_light(work: Work) -> None:
    """Subtract stray light, scaled to the exposure time.

    Parameters
    ----------
    work : Work
        Pixels, changed in place, and the frame of stray light. A frame without an exposure time counts as one of 1
        second.

    Raises
    ------
    DatasetNotFoundError
        If there is no such frame.
    FileFormatError
        If its shape is not that of the detector.
    """
    frame = work.calibrations.stray_light
    scale = work.visit_info.exposure_time / (1.0 if frame is None else light_seconds(frame))
    subtract_frame(work.pixels, work.frame("stray_light"), scale=scale, planes=CALIBRATION_PLANES)


def apply_flat(work: Work) -> None:
    """Divide by the flat; pixels without sensitivity hold no data.

    Parameters
    ----------
    work : Work
        Pixels, changed in place, and the flat. Pixels below ``isr.flat.minimum`` are masked BAD and NO_DATA.

    Raises
    ------
    MeasurementError
        If no pixel of the flat has sensitivity.
    """
    flat = work.frame("flat")
    scale = _flat_scale(work, flat)
    n_bad = divide_by_flat(work.pixels, flat, scale=scale, minimum=work.config.flat.minimum, planes=CALIBRATION_PLANES)
    if n_bad == flat.image.size:
        raise MeasurementError(
            f"the flat of detector '{work.detector.name}' has no value above {work.config.flat.minimum} in any pixel; "
            "build or ingest another one, or continue without it by -c isr.do_flat=false"
        )
    if n_bad:
        work.warn(f"the flat has no value above {work.config.flat.minimum} in {n_bad} pixels: masked BAD and NO_DATA")
    work.metadata["FLAT"] = "Flat corrected"
    check_usable(work)


def _flat_scale(work: Work, flat: MaskedImage) -> float:
    config = work.config.flat
    if config.scaling_type == "USER":
        return config.user_scale
    good = flat.image[np.isfinite(flat.image) & (flat.image > 0) & ~flat.mask.any("BAD", "NO_DATA")]
    if not len(good):
        raise MeasurementError(f"the flat of detector '{work.detector.name}' has no pixel above zero")
    return float(np.median(good) if config.scaling_type == "MEDIAN" else good.mean(dtype=float))


def apply_illumination_correction(work: Work) -> None:
    """Divide by the illumination correction.

    Parameters
    ----------
    work : Work
        Pixels, changed in place, and the illumination correction.

    Raises
    ------
    DatasetNotFoundError
        If there is no illumination correction.
    FileFormatError
        If its shape is not that of the detector.
    """
    divide_by_flat(work.pixels, work.frame("illumination"), minimum=work.config.flat.minimum, planes=CALIBRATION_PLANES)
