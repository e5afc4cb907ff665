"""Steps of instrument-signature removal on the assembled detector, from its variance to the statistics of its sky."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.brighter_fatter import correct_brighter_fatter
from obs.algorithms.detector.defects import mask_boxes, mask_edges, mask_not_finite
from obs.algorithms.detector.detrend import divide_by_flat, scale_image, subtract_frame
from obs.algorithms.detector.fringe import fit_fringe
from obs.algorithms.detector.interpolate import grow_plane, interpolate_pixels, set_bad_regions
from obs.algorithms.detector.linearity import Linearity, linearize
from obs.algorithms.detector.saturation import widen_saturation_trails
from obs.algorithms.detector.variance import add_noise
from obs.algorithms.detector.vignette import mask_vignetted
from obs.algorithms.photometry.transmission import multiply_curves
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.algorithms.sky.level import measure_sky
from obs.camera.amplifier import Amplifier
from obs.errors import DatasetNotFoundError, FileFormatError, MeasurementError
from obs.geom import Box
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.instrument.instrument import resolve
from obs.tasks.amplifier_noise import find_amplifier_noise
from obs.tasks.frame_seconds import dark_seconds, light_seconds
from obs.tasks.isr_raw import saturation_level
from obs.tasks.isr_work import CALIBRATION_PLANES, Work

__all__ = [
    "apply_flat",
    "apply_gains",
    "apply_illumination_correction",
    "attach_rough_zero_point",
    "attach_transmission",
    "check_usable",
    "compute_variance",
    "fill_bad_regions",
    "interpolate",
    "linearize_amplifiers",
    "mask_camera_specific",
    "mask_defects",
    "mask_nans",
    "mask_vignetting",
    "measure_background",
    "remove_brighter_fatter",
    "save_uninterpolated",
    "subtract_dark",
    "subtract_fringe",
    "subtract_stray_light",
    "widen_trails",
]
_USELESS = ("BAD", "SAT", "UNMASKEDNAN", "NO_DATA")


def compute_variance(work: Work) -> None:
    """Compute the variance of each amplifier, and record gain and read noise and where they come from.

    Parameters
    ----------
    work : Work
        Pixels in ADU. Receives their variance, ADU squared, and the cards ISR_GAIN (electrons per ADU), ISR_READNOISE
        (electrons), their sources, GAIN, and SATURATE (ADU above the overscan).
    """
    for amp in work.detector.amplifiers:
        known = find_amplifier_noise(work, amp)
        fit = work.overscan.get(amp.name)
        level_variance = 0.0 if fit is None else fit.variance
        add_noise(
            work.image_of(amp),
            work.box(amp),
            gain=known.gain,
            read_noise=known.read_noise,
            level_variance=level_variance,
        )
        work.metadata[f"ISR_GAIN{amp.name}"] = known.gain
        work.metadata[f"ISR_READNOISE{amp.name}"] = known.read_noise
        work.metadata[f"ISR_GAIN_SOURCE{amp.name}"] = known.gain_source
        work.metadata[f"ISR_READNOISE_SOURCE{amp.name}"] = known.read_noise_source
    amplifiers = [amp for amp in work.detector.amplifiers if amp.name not in work.bad_amplifiers]
    if amplifiers:
        work.metadata["GAIN"] = float(np.mean([work.metadata[f"ISR_GAIN{amp.name}"] for amp in amplifiers]))
        saturation = float(np.fmin.reduce([_saturation_left(work, amp) for amp in amplifiers]))
        work.metadata["SATURATE"] = float(np.fmin(saturation, work.flat_top)) if work.flat_top < np.inf else saturation


def _saturation_left(work: Work, amp: Amplifier) -> float:
    """Return the saturation of an amplifier above its overscan, ADU."""
    fit = work.overscan.get(amp.name)
    return saturation_level(work, amp) - (0.0 if fit is None else float(np.median(fit.level)))


def linearize_amplifiers(work: Work) -> None:
    """Make the counts of each amplifier proportional to light.

    Parameters
    ----------
    work : Work
        Pixels, changed in place. A table of the calibrations wins over the camera's coefficients.

    Raises
    ------
    FileFormatError
        If a table of linearity cannot be used.
    """
    for amp in work.detector.amplifiers:
        linearity = work.calibrations.linearizer.get(amp.name) or _linearity_of(amp)
        try:
            linearize(work.image_of(amp), work.box(amp), linearity, gain=work.gain(amp))
        except FileFormatError as error:
            raise FileFormatError(f"detector '{work.detector.name}', amplifier '{amp.name}': {error}") from None


def _linearity_of(amp: Amplifier) -> Linearity:
    """Return the linearity that the camera's tables tell."""
    nominal = amp.nominal
    if not nominal.linearity_row:
        return Linearity(nominal.linearity_type, nominal.linearity_coefficients)
    # the amplifier has its own row of the table only
    coefficients = (0.0, *nominal.linearity_coefficients[1:]) if len(nominal.linearity_coefficients) > 1 else (0.0, 0.0)
    return Linearity(nominal.linearity_type, coefficients, np.array([nominal.linearity_row], np.float32))


def mask_defects(work: Work) -> None:
    """Mask defects BAD, and edges SUSPECT.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. Defects are boxes of the assembled detector, so a frame that is not assembled gets
        a warning instead.
    """
    mask, config, detector = work.pixels.mask, work.config, work.detector
    if work.assembled:
        mask_boxes(mask, work.calibrations.defects or ())
    elif work.calibrations.defects:
        work.warn("defects are those of the assembled detector, and isr.do_assemble is off: not masked")
    if config.edge_suspect_width:
        amplifiers = [work.box(amp) for amp in detector.amplifiers]
        whole = Box(0, 0, mask.shape[1], mask.shape[0])
        mask_edges(mask, [whole] if config.edge_mask_level == "DETECTOR" else amplifiers, config.edge_suspect_width)


def mask_nans(work: Work) -> None:
    """Mask pixels that are not finite number, and record how many there are.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. Receives the card NUMNANS.
    """
    work.metadata["NUMNANS"] = mask_not_finite(work.pixels)


def widen_trails(work: Work) -> None:
    """Widen thick runs of saturated pixels.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed.
    """
    widen_saturation_trails(work.pixels.mask)


def mask_camera_specific(work: Work) -> None:
    """Run the camera's own function for masking.

    Parameters
    ----------
    work : Work
        Frame. The function that ``isr.camera_masking`` names is called with its pixels and its detector.
    """
    resolve(str(work.config.camera_masking))(work.pixels, work.detector)


def check_usable(work: Work) -> None:
    """Refuse a frame without a single good pixel.

    Parameters
    ----------
    work : Work
        Frame; it is not changed.

    Raises
    ------
    MeasurementError
        If every pixel is bad, saturated or no number; tells how many are what.
    """
    mask = work.pixels.mask
    bits = np.int32(mask.bits(*_USELESS))
    if not all(((mask.array[rows] & bits) != 0).all() for rows in row_blocks(mask.shape)):
        return
    parts = [(name, float(mask.any(name).mean())) for name in _USELESS]
    shares = ", ".join(f"{name} {100 * part:.0f} %" for name, part in parts if part)
    raise MeasurementError(f"no pixel of detector '{work.detector.name}' can be used: {shares}; nothing to process")


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
    work.metadata["DARK"] = "Dark corrected"


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


def apply_gains(work: Work) -> None:
    """Turn counts into electrons, and level the amplifiers if asked for.

    Parameters
    ----------
    work : Work
        Pixels in ADU, changed in place to electrons. The cards BUNIT, GAIN and SATURATE follow.
    """
    medians = []
    for amp in work.detector.amplifiers:
        data = work.data(amp)
        scale_image(data, work.gain(amp))
        good = data.image[~data.mask.any(*_USELESS) & np.isfinite(data.image)]
        medians.append(float(np.median(good)) if len(good) else float("nan"))
    work.metadata["ISR_UNIT"] = work.metadata["BUNIT"] = "electron"
    if "GAIN" in work.metadata:
        work.metadata["SATURATE"] *= work.metadata["GAIN"]
        work.metadata["GAIN"] = 1.0
    if work.config.normalize_gains:
        middle = np.nanmedian(medians)
        for amp, median in zip(work.detector.amplifiers, medians, strict=True):
            if median > 0:
                scale_image(work.data(amp), float(middle / median))


def mask_vignetting(work: Work) -> None:
    """Mask what is outside of the vignetting circle.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. Receives the card ISR_VIGNETTED.
    """
    config = work.config.vignette
    work.metadata["ISR_VIGNETTED"] = mask_vignetted(
        work.pixels.mask, work.detector, x=config.x, y=config.y, radius=config.radius
    )


def attach_transmission(work: Work) -> None:
    """Record the effective wavelength and the highest throughput of the whole system.

    Parameters
    ----------
    work : Work
        Curves of optics, filter, sensor and atmosphere, as far as the settings want them. Receives the cards
        ISR_WAVELENGTH and ISR_THROUGHPUT.

    Raises
    ------
    DatasetNotFoundError
        If a transmission curve is missing.
    """
    wanted = [name for name in ("optics", "filter", "sensor", "atmosphere") if getattr(work.config.transmission, name)]
    curves = [work.calibrations.transmission[name] for name in wanted if name in work.calibrations.transmission]
    if len(curves) < len(wanted):
        missing = ", ".join(name for name in wanted if name not in work.calibrations.transmission)
        raise DatasetNotFoundError(
            f"no transmission curve of {missing} for detector '{work.detector.name}': continue without it by "
            "-c isr.do_attach_transmission_curve=false",
            dataset_type="transmission",
        )
    if not curves:
        return
    product = multiply_curves(curves)
    work.metadata["ISR_WAVELENGTH"] = product.effective_wavelength
    work.metadata["ISR_THROUGHPUT"] = float(product.throughput.max())


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


def save_uninterpolated(work: Work) -> None:
    """Hand over a copy of the pixels as they are before interpolation.

    Parameters
    ----------
    work : Work
        Frame; nothing happens unless it has a function ``keep``.
    """
    if work.keep is not None:
        work.keep(work.pixels.copy())


def fill_bad_regions(work: Work) -> None:
    """Give BAD pixels the value of the good ones.

    Parameters
    ----------
    work : Work
        Pixels, changed in place to the mean or median of the others, as ``isr.bad_statistic`` says.
    """
    set_bad_regions(work.pixels, avoid=_USELESS[1:], statistic=work.config.bad_statistic)


def interpolate(work: Work) -> None:
    """Fill bad pixels from their neighbors.

    Parameters
    ----------
    work : Work
        Pixels, changed in place. Saturated pixels are grown first by ``isr.interpolation.grow_saturation`` pixels.
    """
    config = work.config.interpolation
    left_out = {"SAT"} if not config.saturation else set()
    left_out |= {"UNMASKEDNAN"} if not config.not_a_number else set()
    planes = tuple(plane for plane in config.planes if plane not in left_out)
    if "SAT" in planes:
        grow_plane(work.pixels, "SAT", config.grow_saturation)
    interpolate_pixels(work.pixels, planes, maximum_width=config.maximum_width)


def attach_rough_zero_point(work: Work) -> None:
    """Attach the zero point that the filter is known for, as good as the weather allows.

    Parameters
    ----------
    work : Work
        Receives a zero point from the exposure time (seconds) and the settings. Without a positive exposure time there
        is a warning and no zero point.
    """
    seconds, known = work.visit_info.exposure_time, work.config.rough_flux_mag0
    if not seconds > 0:
        work.warn(f"the exposure time is {work.seconds_text(seconds)}: no rough zero point")
        return
    rate = next((known[name] for name in work.filters if name in known), work.config.default_flux_mag0)
    work.photo_calib = PhotoCalib(rate * seconds)


def measure_background(work: Work) -> None:
    """Record the level and the flatness of the sky.

    Parameters
    ----------
    work : Work
        Pixels, which are not changed. Receives the cards SKYLEVEL and SKYSIGMA, in the unit of the image, and
        FLATNESS_*.
    """
    config, pixels = work.config.sky, work.pixels
    bad = pixels.mask.any_known(config.bad_planes)
    sky = measure_sky(pixels.image, bad, mesh=config.mesh, clip=config.clip)
    work.metadata |= {
        "SKYLEVEL": sky.level,
        "SKYSIGMA": sky.sigma,
        "FLATNESS_PP": sky.flatness_range,
        "FLATNESS_RMS": sky.flatness_rms,
        "FLATNESS_NGRIDS": f"{sky.n_x}x{sky.n_y}",
        "FLATNESS_MESHX": config.mesh,
        "FLATNESS_MESHY": config.mesh,
    }
