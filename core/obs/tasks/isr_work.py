"""What the steps of instrument-signature removal work on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.deferred_charge import Deferred
from obs.algorithms.detector.linearity import Linearity
from obs.algorithms.detector.overscan import OverscanFit
from obs.algorithms.photometry.transmission import TransmissionCurve
from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.errors import DatasetNotFoundError, FileFormatError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.tasks.isr_config import IsrConfig

__all__ = ["CALIBRATION_PLANES", "USELESS_PLANES", "Calibrations", "Work"]

CALIBRATION_PLANES = ("BAD", "NO_DATA", "SUSPECT")
"""Mask planes of a calibration frame that say something of the pixels it is applied to."""

USELESS_PLANES = ("BAD", "SAT", "UNMASKEDNAN", "NO_DATA")
"""Mask planes of pixels that are not measurements."""


@frozen
class Calibrations:
    """What is known of a detector from other frames; None where there is nothing.

    Parameters
    ----------
    bias, dark, flat, fringe, stray_light, illumination : Exposure or None
        Frames of the assembled detector; bias of the raw image where it is subtracted before the overscan. The dark is
        scaled by dark time, else exposure time; one without either is that of one second. So is stray light by
        exposure time.
    shared_bias : float
        Part of the bias's noise that one second of the dark has in it, 1/s: the dark was made with the same bias. 0 if
        it was not, or if that is not known.
    defects : sequence of Box or None
        Bad pixels of the assembled detector; empty where there are none.
    linearizer : mapping of str to Linearity
        By name of the amplifier, for those that differ from the camera's table.
    brighter_fatter_kernel : ndarray of float32, shape (k, k), or None
        See `obs.algorithms.detector.brighter_fatter`.
    crosstalk : ndarray of float64, shape (n, n), or None
        Row j, column i: part of amplifier j that appears in amplifier i.
    transmission : mapping of str to TransmissionCurve
        By ``optics``, ``filter``, ``sensor`` and ``atmosphere``.
    """

    bias: Exposure | None = None
    dark: Exposure | None = None
    flat: Exposure | None = None
    fringe: Exposure | None = None
    stray_light: Exposure | None = None
    illumination: Exposure | None = None
    shared_bias: float = 0.0
    defects: Sequence[Box] | None = None
    linearizer: Mapping[str, Linearity] = field(default_factory=dict)
    brighter_fatter_kernel: NDArray[np.float32] | None = None
    crosstalk: NDArray[np.float64] | None = None
    transmission: Mapping[str, TransmissionCurve] = field(default_factory=dict)


@dataclass
class Work:
    """One frame on its way, changed in place by every step.

    Parameters
    ----------
    raw : Raw
        The frame as read. A window of the detector is replaced by an image of all of it; nothing else changes it.
    detector : Detector
        Its detector.
    calibrations : Calibrations
        What is known of the detector.
    config : IsrConfig
        Settings.
    visit_info : VisitInfo
        When the exposure was taken.
    physical_filter, band : str
        Its filter.
    wcs : TanSipWcs or None
        Pixel to sky, where known.
    warn : callable
        Called with a line that the user should see.
    keep : callable or None
        Called with a copy of the pixels before interpolation.
    window : Box or None
        Part of the raw image that was read out, where that is not all of it.
    images : dict of int to MaskedImage
        Pixels, ADU: raw images by HDU; after assembly the detector alone, under 0.
    assembled : bool
        Whether the amplifiers are in their place in the detector.
    metadata : dict
        Header of the result.
    overscan : dict of str to OverscanFit
        By name of the amplifier.
    deferred : dict of (str, str) to Deferred
        By name of the amplifier and direction, charge that the read-out leaves behind, where it is much.
    measured_gains : dict of str to float
        By name of the amplifier, gains that were measured in this frame.
    bad_amplifiers : set of str
        Amplifiers without a good pixel.
    photo_calib : PhotoCalib or None
        A first zero point.
    flat_top : float
        Least level above the sky, ADU, at which stars were found to be cut off; infinite if none are.
    time_fault : str
        Cards of the header's exposure time with their values, where these cannot be.
    """

    raw: Raw
    detector: Detector
    calibrations: Calibrations
    config: IsrConfig
    visit_info: VisitInfo
    physical_filter: str
    band: str
    wcs: TanSipWcs | None
    warn: Callable[[str], None]
    keep: Callable[[MaskedImage], None] | None
    window: Box | None = None
    images: dict[int, MaskedImage] = field(default_factory=dict)
    assembled: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    overscan: dict[str, OverscanFit] = field(default_factory=dict)
    deferred: dict[tuple[str, str], Deferred] = field(default_factory=dict)
    measured_gains: dict[str, float] = field(default_factory=dict)
    bad_amplifiers: set[str] = field(default_factory=set)
    photo_calib: PhotoCalib | None = None
    flat_top: float = float("inf")
    time_fault: str = ""

    @property
    def pixels(self) -> MaskedImage:
        """Pixels of the detector, or of its raw image where that is one.

        Raises
        ------
        FileFormatError
            If the amplifiers are still in images of their own.
        """
        if len(self.images) != 1:
            raise FileFormatError(
                f"detector '{self.detector.name}' is in {len(self.images)} HDUs, which have to be assembled for this; "
                "leave isr.do_assemble on and isr.do_bias_before_overscan off"
            )
        return next(iter(self.images.values()))

    def box(self, amp: Amplifier) -> Box:
        """Return where the data of an amplifier are in its image.

        Parameters
        ----------
        amp : Amplifier
            An amplifier of the detector.

        Returns
        -------
        Box
            Its box in the assembled detector, or before assembly that of its data in the raw HDU; 0-based pixels.
        """
        return amp.bbox if self.assembled else amp.raw_data_bbox

    def data(self, amp: Amplifier) -> MaskedImage:
        """Return the data of an amplifier, as views.

        Parameters
        ----------
        amp : Amplifier
            An amplifier of the detector.

        Returns
        -------
        MaskedImage
            A change of it changes the frame.
        """
        return self.image_of(amp).cutout(self.box(amp))

    def image_of(self, amp: Amplifier) -> MaskedImage:
        """Return the image that holds an amplifier.

        Parameters
        ----------
        amp : Amplifier
            An amplifier of the detector.

        Returns
        -------
        MaskedImage
            The assembled detector, or before assembly the raw image of the amplifier's HDU.
        """
        return self.pixels if self.assembled else self.images[amp.raw_hdu]

    def gain(self, amp: Amplifier) -> float:
        """Return electrons per ADU, from the best source that there is.

        Parameters
        ----------
        amp : Amplifier
            An amplifier of the detector.

        Returns
        -------
        float
            Electrons per ADU; 1 if nothing gives it.
        """
        return self.gain_and_source(amp)[0]

    def gain_and_source(self, amp: Amplifier) -> tuple[float, str]:
        """Return electrons per ADU: of the camera, else of the settings, else measured; else 1, which is assumed.

        Parameters
        ----------
        amp : Amplifier
            An amplifier of the detector.

        Returns
        -------
        gain : float
            Electrons per ADU.
        source : str
            For example "camera", "isr.gain" (the setting) or "assumed".
        """
        gain = amp.nominal.gain
        if np.isfinite(gain) and gain > 0:
            return gain, "camera"
        if self.config.gain is not None:
            return self.config.gain, "isr.gain"
        recorded = self.recorded("flat", f"CALIB_GAIN_{amp.name}")
        if recorded is not None:
            return recorded, "flat"
        measured = self.measured_gains.get(amp.name)
        return (1.0, "assumed") if measured is None else (measured, "pixels")

    def seconds_text(self, seconds: float) -> str:
        """Return an exposure time that cannot be used, and what its card says.

        Parameters
        ----------
        seconds : float
            Exposure time or dark time, seconds; may be NaN.
        """
        if seconds == seconds:
            return f"{seconds} s"
        return f"not known ({self.time_fault})" if self.time_fault else "not known"

    def recorded(self, name: str, keyword: str) -> float | None:
        """Return a positive number from the header of a calibration frame; None if it has none.

        Parameters
        ----------
        name : str
            Type of the calibration frame, for example "flat".
        keyword : str
            Card of its header.
        """
        exposure: Exposure | None = getattr(self.calibrations, name)
        value = None if exposure is None else exposure.metadata.get(keyword)
        return float(value) if isinstance(value, int | float) and np.isfinite(value) and value > 0 else None

    @property
    def filters(self) -> tuple[str, str]:
        """Physical filter and band of the exposure."""
        return self.physical_filter, self.band

    def frame(self, name: str) -> MaskedImage:
        """Return the pixels of a calibration frame.

        Parameters
        ----------
        name : str
            Type of the calibration frame: an attribute of the calibrations, for example "bias".

        Raises
        ------
        DatasetNotFoundError
            If there is none.
        FileFormatError
            If its shape is not that of the detector.
        """
        exposure: Exposure | None = getattr(self.calibrations, name)
        if exposure is None:
            raise DatasetNotFoundError(f"no {name} for detector '{self.detector.name}'", dataset_type=name)
        if exposure.shape != self.pixels.shape:
            raise FileFormatError(
                f"the {name} has {_size(exposure.shape)} pixels, the image of detector '{self.detector.name}' has "
                f"{_size(self.pixels.shape)}; build or ingest a {name} for this detector"
            )
        return exposure.masked_image


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[1]} x {shape[0]}"
