"""Whether a calibration frame is of this camera and of the detector that it is ingested for, by its header."""

from collections.abc import Mapping
from typing import Any

from obs.errors import FileFormatError, ObsError
from obs.ingest.image_headers import first_image
from obs.instrument.discovery import discover
from obs.instrument.recognize import recognize
from obs.instrument.translator import Translator
from obs.policy.dataset_type import Template
from obs.repo.butler import Butler

__all__ = ["CalibOrigin"]

_COMPARED = "INSTRUME", "DETNAME"
_OURS = "OBSVERS"
"""Card of the frames of `obs calibs build`, whose INSTRUME is the name of the package and DETNAME a detector's."""


class CalibOrigin:
    """What the frames of a repository say of their camera and detectors.

    Parameters
    ----------
    butler : Butler
        The repository.
    """

    def __init__(self, butler: Butler) -> None:
        self.butler, self.instrument = butler, butler.instrument
        #: None for a camera whose headers cannot be read.
        self.translator: Translator | None = None
        if self.instrument.translator is not None:
            self.translator = self.instrument.make_translator()
        self.detector_keys = Template(self.instrument.detector).keys
        self._raws: dict[tuple[Any, ...], Mapping[str, Any]] = {}

    def check(self, header: Mapping[str, Any], data_id: Mapping[str, Any]) -> tuple[str, ...]:
        """Refuse a frame of another camera or detector, and return what is suspicious about one that can be taken.

        Parameters
        ----------
        header : mapping
            Cards of the calibration frame.
        data_id : mapping
            What it is to be ingested for.

        Raises
        ------
        FileFormatError
            If a card says that it is of another camera, or of another detector of this one.
        DataIdError
            If the camera has no such detector.
        """
        is_ours = _plain(header, "INSTRUME") == self.instrument.name.lower()
        self._refuse_camera({k: v for k, v in header.items() if not (is_ours and k == "INSTRUME")})
        told = set() if is_ours else {"INSTRUME"}
        if self.detector_keys and all(key in data_id for key in self.detector_keys):
            name, given = self.instrument.find_detector(data_id).name, str(header.get("DETNAME", "")).strip()
            if given and given.lower() != name.lower():
                if _OURS in header or any(given == detector.name for detector in self.instrument.load_camera()):
                    keys = " ".join(f"{key}={data_id[key]}" for key in self.detector_keys)
                    raise FileFormatError(
                        f"of another detector: DETNAME = {given}, and {keys} is '{name}'; correct CALIB_ID or DETNAME"
                    )
                told.add("DETNAME")
        return tuple(self._differences(header, data_id, told)) if told else ()

    def _refuse_camera(self, header: Mapping[str, Any]) -> None:
        """Refuse a frame of another camera."""
        card = self.translator.find_other_camera(header) if self.translator is not None else ""
        name = _plain(header, "INSTRUME")
        if not card and name and name in {known.lower() for known in discover().instruments}:
            card = f"INSTRUME = {header['INSTRUME']}"
        if card:
            known = name if name in discover().instruments else recognize(header)
            advice = f", which is installed as {known}: ingest it into a repository of that camera" if known else ""
            raise FileFormatError(f"of another camera: {card}{advice}")

    def _differences(self, header: Mapping[str, Any], data_id: Mapping[str, Any], cards: set[str]) -> list[str]:
        """Return what the header says otherwise than a raw frame of the same detector."""
        raw = self._raw(data_id)
        return [
            f"{card} is {str(header[card]).strip()}, {str(raw[card]).strip()} in the raw frames: see whether it is of "
            "this camera and detector"
            for card in _COMPARED
            if card in cards
            and _plain(header, card)
            and _plain(raw, card)
            and _plain(header, card) != _plain(raw, card)
        ]

    def _raw(self, data_id: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the header of a raw frame of the same detector; empty if there is none."""
        where = {key: data_id[key] for key in self.detector_keys if key in data_id}
        place = tuple(where.values())
        if place not in self._raws:
            self._raws[place] = {}
            raw = self.instrument.raw_dataset_type
            try:
                keys = list(self.butler.get_keys(raw))
                rows = self.butler.query_metadata(raw, keys, where)
                if rows:
                    values = rows[0] if isinstance(rows[0], tuple) else (rows[0],)
                    self._raws[place] = first_image(self.butler.path(raw, dict(zip(keys, values, strict=True))))
            except (ObsError, OSError):
                pass  # nothing to compare with
        return self._raws[place]


def _plain(header: Mapping[str, Any], card: str) -> str:
    return str(header.get(card, "")).strip().lower()
