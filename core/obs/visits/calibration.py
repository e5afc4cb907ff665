"""The best calibration of one detector image: that of all visits together where there is one, else its own."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from obs.errors import DataIdError, DatasetNotFoundError, FileFormatError
from obs.frozen import frozen
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import INSTRUMENTAL, PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.policy.data_id import format_data_id
from obs.policy.dataset_type import Template
from obs.repo.butler import Butler

__all__ = ["CALIBRATION_SOURCES", "FrameCalibration", "best_calibration", "calibrated_tracts", "calibration_files"]

logger = logging.getLogger(__name__)

#: Dataset types of a WCS and of a photometric calibration that belong together, the best first.
CALIBRATION_SOURCES = (("jointcal_wcs", "jointcal_photoCalib"), ("wcs", "fcr"))
_OWN = "calexp"
_INSTRUMENTAL_ZERO_POINT = 25.0  # magnitude of 1 count per second, as in IRAF's phot


@frozen
class FrameCalibration:
    """A WCS and a photometric calibration, and where they come from.

    Parameters
    ----------
    wcs : TanSipWcs or None
        Pixel to sky; None if the image has none.
    photo_calib : PhotoCalib or None
        Counts of the calexp to magnitudes, perhaps with a correction that varies over the detector; None if the image
        has no zero point.
    wcs_source, photo_source : str
        Dataset types that they were read from: ``jointcal_wcs`` or ``wcs``, ``jointcal_photoCalib`` or ``fcr``, or
        ``calexp``.
    tract : int or None
        Tract of the common calibration; None for that of the image alone.
    """

    wcs: TanSipWcs | None
    photo_calib: PhotoCalib | None
    wcs_source: str = _OWN
    photo_source: str = _OWN
    tract: int | None = None

    @property
    def is_instrumental(self) -> bool:
        """Whether its magnitudes are instrumental: no reference star gave the zero point."""
        return self.photo_calib is not None and self.photo_calib.system == INSTRUMENTAL

    def or_instrumental(self, exposure_time: float) -> "FrameCalibration":
        """Return a calibration that has magnitudes: its own, or else instrumental ones, 25 for 1 count per second.

        Parameters
        ----------
        exposure_time : float
            Seconds; where it is not known (NaN) or 0, 1 s is taken.
        """
        if self.photo_calib is not None:
            return self
        seconds = exposure_time if np.isfinite(exposure_time) and exposure_time > 0 else 1.0
        zero_point = _INSTRUMENTAL_ZERO_POINT + 2.5 * float(np.log10(seconds))
        return replace(self, photo_calib=PhotoCalib.from_zero_point(zero_point, system=INSTRUMENTAL))

    @property
    def is_common(self) -> bool:
        """Whether any part of it comes from a fit to all visits."""
        return self.tract is not None

    def __str__(self) -> str:
        if self.tract is None:
            return f"calibration of each {_OWN} alone"
        names = dict.fromkeys((self.wcs_source, self.photo_source))
        return f"{', '.join(names)} of tract {self.tract}"

    def apply(self, exposure: Exposure) -> Exposure:
        """Return an exposure with this calibration.

        Pixels are multiplied by the correction of fluxes, and the variance by its square, so that one zero point holds
        for the whole image. Pixels of the input stay as they are.

        Parameters
        ----------
        exposure : Exposure
            A calexp.
        """
        pixels, calib = exposure.masked_image, self.photo_calib
        if calib is not None and calib.correction is not None:
            factor = calib.correction.factor_image(exposure.shape)
            variance = pixels.variance * factor**2
            pixels = MaskedImage(pixels.image * factor, pixels.mask, variance)
            calib = replace(calib, correction=None)
        result = exposure.with_pixels(pixels)
        result.wcs, result.photo_calib = self.wcs, calib
        return result


def best_calibration(
    butler: Butler,
    data_id: Mapping[str, Any],
    *,
    tract: int | None = None,
    exposure: Exposure | None = None,
    use_common: bool = True,
) -> FrameCalibration:
    """Return the best calibration of a detector image.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Data ID of the image; a key ``tract`` counts if `tract` is not given.
    tract : int, optional
        Tract whose common calibration is wanted; by default the lowest tract that has one for this image.
    exposure : Exposure, optional
        The calexp, if it was read already: its own WCS and zero point are what is used where there is no other.
    use_common : bool, optional
        If False, return the calibration of the image alone.

    Returns
    -------
    FrameCalibration
        `str` of it is the line that commands print.

    Raises
    ------
    DatasetNotFoundError
        If there is neither a common calibration nor a calexp.
    """
    known = {key: value for key, value in data_id.items() if key != "tract"}
    if tract is None and data_id.get("tract") is not None:
        tract = int(data_id["tract"])
    own = _own_calibration(butler, known, exposure)
    for kinds in CALIBRATION_SOURCES if use_common else ():
        for number in [tract] if tract is not None else calibrated_tracts(butler, kinds[0], known):
            wcs, photo = (_read(butler, kind, known | {"tract": number}) for kind in kinds)
            if isinstance(wcs, TanSipWcs) or isinstance(photo, PhotoCalib):
                has_wcs, has_photo = isinstance(wcs, TanSipWcs), isinstance(photo, PhotoCalib)
                return FrameCalibration(
                    wcs if isinstance(wcs, TanSipWcs) else own.wcs,
                    photo if isinstance(photo, PhotoCalib) else own.photo_calib,
                    kinds[0] if has_wcs else _OWN,
                    kinds[1] if has_photo else _OWN,
                    number,
                )
    return own


def calibration_files(butler: Butler, data_id: Mapping[str, Any], *, tract: int | None = None) -> list[Path]:
    """Return the files of the common calibration that `best_calibration` uses; none if there is none.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Data ID of the image; a key ``tract`` counts if `tract` is not given.
    tract : int, optional
        Tract whose common calibration is wanted. By default the lowest one that has it for this image.
    """
    known = {key: value for key, value in data_id.items() if key != "tract"}
    for kinds in CALIBRATION_SOURCES:
        for number in [tract] if tract is not None else calibrated_tracts(butler, kinds[0], known):
            whole = known | {"tract": number}
            if files := [butler.path(kind, whole) for kind in kinds if butler.exists(kind, whole)]:
                return files
    return []


def calibrated_tracts(butler: Butler, dataset_type: str, data_id: Mapping[str, Any]) -> list[int]:
    """Return the tracts for which a dataset of an image exists, in ascending order.

    Parameters
    ----------
    butler : Butler
        The repository.
    dataset_type : str
        Such as ``jointcal_wcs``.
    data_id : mapping
        Data ID of the image, without tract.
    """
    try:
        kind = butler.mapper.dataset_type(dataset_type)
        whole = butler.mapper.complete(dataset_type, {**data_id, "tract": 0})
    except (DatasetNotFoundError, DataIdError):
        return []
    if kind.template is None:
        return []
    pattern = Template(re.sub(r"%\(tract\)[^a-z]*[a-z]", "*", kind.template)).format(whole)
    found = set()
    for root in butler.roots:
        for path in root.glob(pattern):
            keys = kind.parse(path.relative_to(root).as_posix())
            if keys is not None and "tract" in keys:
                found.add(int(keys["tract"]))
    return sorted(found)


def _own_calibration(butler: Butler, data_id: Mapping[str, Any], exposure: Exposure | None) -> FrameCalibration:
    if exposure is not None:
        return FrameCalibration(exposure.wcs, exposure.photo_calib)
    butler.get("calexp_md", data_id)  # an image that is not there is an error, one without WCS is not
    wcs, photo = _read(butler, "calexp_wcs", data_id), _read(butler, "calexp_photoCalib", data_id)
    return FrameCalibration(
        wcs if isinstance(wcs, TanSipWcs) else None, photo if isinstance(photo, PhotoCalib) else None
    )


def _read(butler: Butler, name: str, data_id: Mapping[str, Any]) -> TanSipWcs | PhotoCalib | None:
    """Return a calibration, or None if there is none that can be read."""
    try:
        # Where a WCS of its own is missing, the Butler would give that of the calexp.
        if not name.startswith(_OWN) and not butler.exists(name, data_id):
            return None
        value = butler.get(name, data_id)
    except (DatasetNotFoundError, DataIdError):
        return None
    except FileFormatError as error:
        logger.warning("%s of %s is not used: %s", name, format_data_id(data_id), error)
        return None
    if isinstance(value, Exposure):
        value = value.wcs if name == "wcs" else value.photo_calib
    return value if isinstance(value, TanSipWcs | PhotoCalib) else None
