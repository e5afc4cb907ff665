"""Steps of instrument-signature removal on amplifiers and the assembled detector, from the variance to the sky."""

import numpy as np

from obs.algorithms.detector.detrend import scale_image
from obs.algorithms.detector.linearity import Linearity, linearize
from obs.algorithms.detector.variance import add_noise
from obs.algorithms.photometry.transmission import multiply_curves
from obs.algorithms.sky.level import measure_sky
from obs.camera.amplifier import Amplifier
from obs.errors import DatasetNotFoundError, FileFormatError
from obs.image.photo_calib import PhotoCalib
from obs.tasks.amplifier_noise import find_amplifier_noise
from obs.tasks.isr_raw import saturation_level
from obs.tasks.isr_work import USELESS_PLANES, Work

__all__ = [
    "apply_gains",
    "attach_rough_zero_point",
    "attach_transmission",
    "compute_variance",
    "linearize_amplifiers",
    "measure_background",
]


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
        good = data.image[~data.mask.any(*USELESS_PLANES) & np.isfinite(data.image)]
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
