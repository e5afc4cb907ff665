"""Put a frame together: there is no instrument signature left to remove, but the parts lie in five files."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.psf import PixelPsf
from obs.image.visit_info import VISIT_INFO_CARDS, VisitInfo
from obs.image.wcs import TanSipWcs
from obs.image.wcs_cards import is_wcs_card
from obs_sdss.exposure_id import exposure_id
from obs_sdss.fpc import FIELD_SHAPE, CorrectedFrame
from obs_sdss.translator import SdssTranslator
from obs_sdss.tsfield import FieldCalibration

__all__ = ["assemble", "pixel_variance"]

_NOT_METADATA = {
    *("SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "BZERO", "BSCALE", "BUNIT", "DATASUM", "CHECKSUM"),
    *("SOFTBIAS", "FLUX0"),  # subtracted; never valid
    *VISIT_INFO_CARDS,
}


def pixel_variance(image: NDArray[np.float32], *, gain: float, dark_variance: float) -> NDArray[np.float32]:
    """Return the variance of pixels: the shot noise of their light.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Light, sky included, ADU.
    gain : float
        Electrons per ADU.
    dark_variance : float
        Variance of a pixel without light, ADU^2.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU^2: ``image / gain`` as in the LSST stack, and positive everywhere: not less than the variance without light
        nor than that of one count.
    """
    variance = image * np.float32(1.0 / gain)
    np.maximum(variance, np.float32(max(dark_variance, 1.0 / gain)), out=variance)
    return variance


def assemble(get: Callable[[str], object], data_id: Mapping[str, Any]) -> Exposure:
    """Put together the exposure of one frame.

    Parameters
    ----------
    get : callable
        Called with ``fpC``, ``fpM``, ``psField``, ``asTrans`` and ``tsField``, returns what their readers do.
    data_id : mapping
        With ``run``, ``camcol``, ``field`` and ``filter``.

    Returns
    -------
    Exposure
        Shape (1361, 2048), counts with sky, without the rows that overlap the next field; mask planes INTRP, SAT and
        CR; WCS, PSF and photometric calibration of the survey.

    Raises
    ------
    DatasetNotFoundError
        If one of the files is not there.
    FileFormatError
        If one of them is damaged.
    """
    frame, mask = cast(CorrectedFrame, get("fpC")), cast(Mask, get("fpM"))
    psf, wcs = cast(PixelPsf, get("psField")), cast(TanSipWcs, get("asTrans"))
    calibration = cast(FieldCalibration, get("tsField"))
    image = frame.image[: FIELD_SHAPE[0]]
    variance = pixel_variance(image, gain=calibration.gain, dark_variance=calibration.dark_variance)
    number = exposure_id(data_id)
    return Exposure(
        MaskedImage(image, Mask(mask.array[: FIELD_SHAPE[0]], mask.planes), variance),
        wcs=wcs,
        psf=psf,
        photo_calib=calibration.photo_calib,
        visit_info=_visit_info(frame, number, calibration.airmass),
        detector_name=f"{data_id['filter']}{data_id['camcol']}",
        physical_filter=str(data_id["filter"]),
        metadata=_metadata(frame.header, calibration, data_id),
    )


def _visit_info(frame: CorrectedFrame, number: int, airmass: float) -> VisitInfo:
    try:
        return replace(SdssTranslator().visit_info(frame.header, number), airmass=airmass)
    except FileFormatError as error:
        raise FileFormatError(str(error), path=frame.path) from None


def _metadata(header: Mapping[str, Any], calibration: FieldCalibration, data_id: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in header.items() if key not in _NOT_METADATA and not is_wcs_card(key)}
    return kept | {
        "FIELD": int(data_id["field"]),
        "GAIN": calibration.gain,
        "SATURATE": calibration.saturation,
        "DARKVAR": calibration.dark_variance,
        "KK": calibration.extinction,
        "AIRMASS": calibration.airmass,
    }
