"""Steps of instrument-signature removal on the raw image, up to assembly."""

import re

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.assemble import assemble
from obs.algorithms.detector.byte_order import find_inverted_bytes
from obs.algorithms.detector.crosstalk import subtract_crosstalk
from obs.algorithms.detector.detrend import subtract_frame
from obs.algorithms.detector.overscan import OverscanFit, fit_overscan
from obs.algorithms.detector.saturation import mask_above
from obs.camera.amplifier import Amplifier
from obs.errors import ConfigError, DatasetNotFoundError, FileFormatError, MeasurementError
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.isr_config import NO_WCS
from obs.tasks.isr_work import CALIBRATION_PLANES, Work
from obs.threads import map_threads

__all__ = [
    "assemble_amplifiers",
    "check_raw",
    "convert_to_float",
    "mask_bad_amplifiers",
    "mask_saturation",
    "mask_suspect",
    "remove_crosstalk",
    "saturation_level",
    "subtract_bias",
    "subtract_overscan",
]

_AMPLIFIER = r"_?(?:[A-Z]|\d{1,2}|[LU][LR])"
_RAW_CARD = re.compile(
    rf"(?:(?:DATA|TRIM|BIAS|AMP|PRE|POST|OVR|OSCN|OVSC|OVER|[ABDT])SEC|GAIN)(?:{_AMPLIFIER})?|(?:CCD|DET|C)SEC{_AMPLIFIER}"
)
"""Cards of the raw image, or of one of its amplifiers, that are not true of the assembled one."""

_PLACES = ("CCDSEC", "DETSEC", "CSEC")
"""Cards that are true of the assembled image as well, unless each amplifier has an extension of its own."""

_ONE_MEDIAN = 200_000
"""Pixels that are enough for the median of an amplifier or a detector."""


def convert_to_float(work: Work) -> None:
    """Make float32 copies of the raw images; mask empty, variance zero until it is computed.

    Parameters
    ----------
    work : Work
        Frame as read. Receives its images, in which infinite values are NaN.

    Raises
    ------
    ConfigError
        If that is switched off, and the pixels are integers.
    """
    config = work.config
    for hdu in sorted({amp.raw_hdu for amp in work.detector.amplifiers}):
        raw = work.raw.images[hdu]
        if not config.do_convert_to_float and not np.issubdtype(raw.dtype, np.floating):
            raise ConfigError(
                f"the raw image is {raw.dtype}, which nothing can be subtracted from: set isr.do_convert_to_float=true",
                field="isr.do_convert_to_float",
            )
        image = raw.astype(np.float32)
        if np.issubdtype(raw.dtype, np.floating):
            image[np.isinf(image)] = np.nan  # no count either, and one in a sum would be in all that follows
        mask = Mask.zeros(raw.shape)
        if work.window is not None:
            outside = np.ones(raw.shape, bool)
            outside[work.window.slices] = False
            mask.array[outside] |= np.int32(mask.bits("BAD", "NO_DATA"))
        work.images[hdu] = MaskedImage(image, mask, _no_variance(raw.shape, work))


def _no_variance(shape: tuple[int, ...], work: Work) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.zeros(shape, np.float32) if work.config.do_variance else np.full(shape, np.nan, np.float32)


def subtract_bias(work: Work) -> None:
    """Subtract the bias frame from the image.

    Parameters
    ----------
    work : Work
        Pixels, changed in place, and the bias. Pixels without a value in the bias are masked BAD.

    Raises
    ------
    DatasetNotFoundError
        If there is no bias.
    FileFormatError
        If its shape is not that of the detector.
    """
    n_bad = subtract_frame(work.pixels, work.frame("bias"), planes=CALIBRATION_PLANES)
    if n_bad:
        work.warn(f"the bias has no value in {n_bad} pixels: masked BAD")
    work.metadata["BIAS"] = "Bias corrected"


def mask_bad_amplifiers(work: Work) -> None:
    """Mask BAD all of an amplifier that is in one defect; it is not corrected any further.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. The amplifiers join ``bad_amplifiers``.
    """
    for amp in work.detector.amplifiers:
        if any(defect.contains(amp.bbox) for defect in work.calibrations.defects or ()):
            _mask_whole(work, amp)


def _mask_whole(work: Work, amp: Amplifier) -> None:
    work.bad_amplifiers.add(amp.name)
    mask = work.data(amp).mask
    mask.array |= np.int32(mask.bits("BAD"))


def mask_saturation(work: Work) -> None:
    """Mask SAT what reaches the amplifier's saturation, or the highest number that the raw image can hold.

    Parameters
    ----------
    work : Work
        Raw pixels, ADU, whose mask is changed. An amplifier without a good pixel is masked BAD as a whole, with a
        warning.
    """
    for amp in work.detector.amplifiers:
        mask_above(work.image_of(amp), work.box(amp), saturation_level(work, amp), "SAT")
        _mask_if_useless(work, amp)


def saturation_level(work: Work, amp: Amplifier) -> float:
    """Return the level from which an amplifier's raw pixels are saturated, ADU; NaN if nothing gives it.

    Parameters
    ----------
    work : Work
        State of signature removal, with the raw image.
    amp : Amplifier
        An amplifier of the detector.

    Returns
    -------
    float
        The setting ``saturation``, or else the camera's value, but not more than the largest number of the image's
        type.
    """
    level = amp.nominal.saturation if work.config.saturation is None else work.config.saturation
    kind = work.raw.images[amp.raw_hdu].dtype
    return float(np.fmin(level, np.iinfo(kind).max if np.issubdtype(kind, np.integer) else work.raw.highest))


def mask_suspect(work: Work) -> None:
    """Mask SUSPECT what reaches the amplifier's suspect level.

    Parameters
    ----------
    work : Work
        Raw pixels, ADU, whose mask is changed. An amplifier without a good pixel is masked BAD as a whole, with a
        warning.
    """
    for amp in work.detector.amplifiers:
        mask_above(work.image_of(amp), work.box(amp), amp.nominal.suspect, "SUSPECT")
        _mask_if_useless(work, amp)


def _mask_if_useless(work: Work, amp: Amplifier) -> None:
    if amp.name not in work.bad_amplifiers and work.data(amp).mask.any("SAT", "SUSPECT").all():
        work.warn(f"amplifier '{amp.name}': every pixel is saturated or suspect: masked BAD")
        _mask_whole(work, amp)


def subtract_overscan(work: Work) -> None:
    """Subtract the level of the overscan from each amplifier, and record the level and its scatter.

    Parameters
    ----------
    work : Work
        Pixels in ADU, changed in place. Receives the cards ISR_OSCAN_LEVEL and ISR_OSCAN_SIGMA (ADU). An amplifier
        whose overscan cannot be fitted is masked BAD, with a warning.
    """

    def subtract(amp: Amplifier) -> OverscanFit | MeasurementError:
        try:
            fit = _fit(work, amp)
        except MeasurementError as error:
            return error
        work.data(amp).image[:] -= fit.level[:, None] if _along_rows(work, amp) else fit.level
        return fit

    bad = work.bad_amplifiers
    amplifiers = [
        amp for amp in work.detector.amplifiers if amp.name not in bad and not _overscan_box(work, amp).is_empty
    ]
    for amp, fit in zip(amplifiers, map_threads(subtract, amplifiers), strict=True):
        if isinstance(fit, MeasurementError):
            work.warn(f"amplifier '{amp.name}': {fit}: masked BAD")
            _mask_whole(work, amp)
            continue
        work.overscan[amp.name] = fit
        work.metadata[f"ISR_OSCAN_LEVEL{amp.name}"] = float(np.mean(fit.level, dtype=float))
        work.metadata[f"ISR_OSCAN_SIGMA{amp.name}"] = fit.sigma
        for name, value in zip(("SHAPE", "PATTERN"), fit.noise, strict=True):
            if np.isfinite(value):
                work.metadata[f"ISR_OSCAN_{name}{amp.name}"] = value
    work.metadata["OVERSCAN"] = "Overscan corrected"


def _overscan_box(work: Work, amp: Amplifier) -> Box:
    """Overscan without the columns to be skipped, next to the data and far from them."""
    box, config = amp.raw_serial_overscan_bbox, work.config.overscan
    near, far = config.leading_columns_to_skip, config.trailing_columns_to_skip
    first, last = (near, far) if box.x_min >= amp.raw_data_bbox.x_max else (far, near)
    return Box(box.x_min + min(first, box.width), box.y_min, max(box.width - first - last, 0), box.height)


def _along_rows(work: Work, amp: Amplifier) -> bool:
    """Whether the overscan lies beside the rows of data, not above or below the columns."""
    box, data = _overscan_box(work, amp), amp.raw_data_bbox
    if box.y_min <= data.y_min and data.y_max <= box.y_max:
        return True
    return not (box.x_min <= data.x_min and data.x_max <= box.x_max) and box.height >= box.width


def _fit(work: Work, amp: Amplifier) -> OverscanFit:
    box, data, config = _overscan_box(work, amp), amp.raw_data_bbox, work.config.overscan
    by_row = _along_rows(work, amp)
    pixels = work.image_of(amp).image[box.slices]
    rows = np.arange(box.y_min, box.y_max), np.arange(data.y_min, data.y_max)
    columns = np.arange(box.x_min, box.x_max), np.arange(data.x_min, data.x_max)
    lines, at = rows if by_row else columns
    keyword = config.bias_jump_keyword
    has_jump = config.bias_jump and (not keyword or str(work.raw.metadata.get(keyword)) in config.bias_jump_devices)
    return fit_overscan(
        pixels if by_row else pixels.T,
        lines=lines,
        at=at,
        fit_type=config.fit_type,
        order=config.order,
        clip=config.clip,
        maximum_deviation=config.maximum_deviation,
        is_integer=config.is_integer,
        split=config.bias_jump_row if has_jump and by_row else None,
    )


def remove_crosstalk(work: Work) -> None:
    """Remove ghosts of the other amplifiers.

    Parameters
    ----------
    work : Work
        Pixels, changed in place. Coefficients of the settings win over the table of the camera.

    Raises
    ------
    ConfigError
        If there are not as many coefficients as pairs of amplifiers.
    DatasetNotFoundError
        If no coefficients are known.
    """
    config, amplifiers = work.config.crosstalk, work.detector.amplifiers
    if config.coefficients:
        n = len(amplifiers)
        if len(config.coefficients) != n * n:
            raise ConfigError(
                f"isr.crosstalk.coefficients has {len(config.coefficients)} values, detector '{work.detector.name}' "
                f"with {n} amplifiers needs {n * n}",
                field="isr.crosstalk.coefficients",
            )
        matrix = np.reshape(np.array(config.coefficients, float), (n, n))
        matrix = matrix if config.rows == "SOURCE" else matrix.T
    elif work.calibrations.crosstalk is not None:
        matrix = work.calibrations.crosstalk
    else:
        raise DatasetNotFoundError(
            f"no crosstalk coefficients for detector '{work.detector.name}': set isr.crosstalk.coefficients, keep a "
            "table for its day in curated/crosstalk of the camera package, or continue without them by "
            "-c isr.do_crosstalk=false",
            dataset_type="crosstalk",
        )
    data = [(amp, work.data(amp)) for amp in amplifiers]
    subtract_crosstalk(
        data,
        matrix,
        background=_crosstalk_background(work, [pixels for _, pixels in data]),
        minimum_to_mask=config.minimum_pixel_to_mask,
        raw_order=not work.assembled,
    )


def _crosstalk_background(work: Work, data: list[MaskedImage]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    method = work.config.crosstalk.background
    if method == "None":
        return np.zeros(len(data))
    samples = [_finite_sample(pixels.image, _ONE_MEDIAN) for pixels in data]
    if method == "DETECTOR":
        return np.full(len(data), _median(np.concatenate([sample[:: len(data)] for sample in samples])))
    return np.array([_median(sample) for sample in samples])


def _finite_sample(image: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return values of about so many pixels, whole rows spread evenly, that are numbers."""
    sample = image[:: max(1, image.size // size)].ravel()
    return sample[np.isfinite(sample)]


def _median(sample: NDArray[np.float32]) -> float:
    return float(np.median(sample)) if len(sample) else 0.0


def assemble_amplifiers(work: Work) -> None:
    """Put the amplifiers where they belong in the detector; pixels that none covers are BAD and NO_DATA.

    Parameters
    ----------
    work : Work
        Raw images of the amplifiers. They are replaced by one image of the detector, and cards that were true of the
        raw image only are removed.
    """
    detector, shape = work.detector, work.detector.bbox.shape
    mask = Mask.zeros((1, 1))
    untouched = not work.config.do_bias_before_overscan
    image = assemble({n: m.image for n, m in work.images.items()}, detector.amplifiers, shape, fill=0.0)
    bits = assemble(
        {n: m.mask.array for n, m in work.images.items()},
        detector.amplifiers,
        shape,
        fill=mask.bits("BAD", "NO_DATA"),
    )
    variance = (
        _no_variance(shape, work)
        if untouched
        else assemble({n: m.variance for n, m in work.images.items()}, detector.amplifiers, shape, fill=0.0)
    )
    work.images = {0: MaskedImage(image, Mask(bits), variance)}
    work.assembled = True
    raw_cards = [keyword for keyword in work.metadata if _RAW_CARD.fullmatch(keyword)]
    places = _PLACES if len({amp.raw_hdu for amp in detector.amplifiers}) > 1 else ()
    for keyword in (*raw_cards, *places, *work.config.keywords_to_remove):
        work.metadata.pop(keyword, None)
    if work.config.expect_wcs and work.wcs is None:
        work.warn(NO_WCS)


def check_raw(work: Work) -> None:
    """Refuse a raw frame that cannot be of this detector.

    Parameters
    ----------
    work : Work
        Frame as read; it is not changed.

    Raises
    ------
    FileFormatError
        If an HDU is missing, a shape is not what the camera says (names both shapes), or bytes are in inverted order.
    """
    detector = work.detector
    for amp in detector.amplifiers:
        if amp.raw_hdu not in work.raw.images:
            raise FileFormatError(
                f"the raw frame has no image in HDU {amp.raw_hdu}, where the camera has amplifier '{amp.name}' of "
                f"detector '{detector.name}'; it has images in {', '.join(map(str, sorted(work.raw.images)))}"
            )
        height, width = work.raw.images[amp.raw_hdu].shape
        if (height, width) != detector.raw_shape:
            raise FileFormatError(
                f"the raw image has {width} x {height} pixels, the camera has {detector.raw_shape[1]} x "
                f"{detector.raw_shape[0]} for detector '{detector.name}'; is it a frame of another detector, or of "
                "another read-out mode?"
            )
    for pixels in work.raw.images.values():
        inverted = find_inverted_bytes(pixels)
        if inverted is not None:
            raise FileFormatError(
                f"the bytes of its pixels are in inverted order: neighbors differ by {inverted[0]:.0f}, and by "
                f"{inverted[1]:.0f} with swapped bytes; FITS is big-endian, so write the file again with a FITS library"
            )
