"""What the header of a raw frame means, in the words of the camera's translator."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from obs.camera.detector import Detector
from obs.errors import DatasetNotFoundError, ObsError
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.instrument.header import COLOR
from obs.instrument.instrument import Instrument
from obs.instrument.possible_wcs import boresight_wcs, in_color_plane, known_cards
from obs.policy.data_id import DataId
from obs.repo.fits_exposure_header import header_wcs

__all__ = ["RAW_PARTS", "RawHeader"]

_LOG = logging.getLogger(__name__)

#: Suffixes of raw data that are translated; the others are those of any image.
RAW_PARTS = ("visitInfo", "wcs", "filter", "detector")
_FILTER_COLUMNS = ("filter", "physical_filter")


class RawHeader:
    """Translates the header of one raw frame.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    data_id : dict
        Which frame.
    cards : mapping
        Its header.
    path : Path
        Its file, for messages.
    """

    def __init__(self, instrument: Instrument, data_id: DataId, cards: Mapping[str, Any], path: Path) -> None:
        self._instrument, self._data_id, self._path = instrument, data_id, path
        self._cards = known_cards(cards)
        try:
            self._plane = instrument.find_detector(data_id).color_plane
        except ObsError:
            self._plane = None
        if self._plane is not None:
            self._cards[COLOR] = self._plane.color

    def part(self, suffix: str) -> object:
        """Return the part of a raw file that `RAW_PARTS` names.

        Parameters
        ----------
        suffix : {"visitInfo", "wcs", "filter", "detector"}
            The part.

        Raises
        ------
        DatasetNotFoundError
            If the frame does not say it.
        ObsError
            If the header or the data ID cannot be translated.
        """
        parts: dict[str, Callable[[], object]] = {
            "visitInfo": self.visit_info,
            "wcs": self.wcs,
            "filter": lambda: self.physical_filter() or None,
            "detector": lambda: self.detector().name,
        }
        value = parts[suffix]()
        if value is None:
            raise DatasetNotFoundError(f"{self._path} has no part '{suffix}'", paths=(self._path,))
        return value

    def complete(self, exposure: Exposure) -> Exposure:
        """Fill in what the header tells; a line in the log says what it does not.

        Of a color camera the exposure has the pixels of the data ID's color.

        Parameters
        ----------
        exposure : Exposure
            Exposure with the pixels as read; changed in place, and returned.
        """
        if self._plane is not None:
            image = self._plane.extract(exposure.masked_image.image)
            exposure.masked_image = MaskedImage(image, Mask.zeros(image.shape), np.zeros(image.shape, np.float32))
        for suffix, attribute in zip(RAW_PARTS, ("visit_info", "wcs", "physical_filter", "detector_name"), strict=True):
            try:
                setattr(exposure, attribute, self.part(suffix))
            except DatasetNotFoundError:
                continue
            except ObsError as error:
                _LOG.warning("%s: its %s is not known: %s", self._path, suffix, error)
        return exposure

    def visit_info(self) -> VisitInfo:
        """Return when, where and how the frame was taken."""
        try:
            number = self._instrument.exposure_number(self._data_id)
        except ObsError:
            number = None
        return self._instrument.make_translator().visit_info(self._cards, exposure_id=number)

    def wcs(self) -> TanSipWcs | None:
        """Return the WCS that pointing and camera give; that of the header where the pointing is not known."""
        info = self.visit_info()
        if not np.isfinite(info.boresight_ra + info.boresight_dec):
            found = header_wcs(self._cards, self._path)
            return None if found is None else in_color_plane(found, self.detector())
        return boresight_wcs(self._instrument.load_camera(), detector=self.detector(), info=info)

    @property
    def has_filter(self) -> bool:
        """Whether header or data ID tell the filter."""
        try:
            return bool(self.physical_filter())
        except ObsError:
            return True  # what is wrong with the header is said where it is translated

    def physical_filter(self) -> str:
        """Return the filter, by the camera's own name where it knows it; empty if nobody tells."""
        row = self._instrument.make_translator().registry_columns(self._cards)
        known = {**row, **self._data_id}
        name = next((str(known[key]) for key in _FILTER_COLUMNS if known.get(key) not in (None, "")), "")
        try:
            return self._instrument.find_filter(name).physical_filter
        except ObsError:
            return name

    def detector(self) -> Detector:
        """Return the detector of the raw file."""
        row = self._instrument.make_translator().registry_columns(self._cards)
        return self._instrument.find_detector({**row, **self._data_id})
