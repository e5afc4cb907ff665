"""One detector's exposure in a raw file, with all that the checks look at."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from obs.camera.detector import Detector
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.inspection.amplifier_facts import DetectorFacts
from obs.inspection.cards import Cards
from obs.inspection.header.exposure_time import find_exposure_time
from obs.inspection.header.image_types import find_image_type
from obs.instrument.explain import Explained
from obs.instrument.image_types import standard_type
from obs.instrument.instrument import Instrument
from obs.instrument.translator import Translator

__all__ = ["RawExposure", "RawFrame", "without_pixels"]

_TYPE_COLUMNS = ("dataType", "image_type", "imageType", "imgtype", "obstype")


@dataclass(kw_only=True)
class RawExposure:
    """Raw exposure of one detector, as it was read.

    Parameters
    ----------
    path : Path
        The file.
    hdu : int
        HDU of its image, or the first of them.
    instrument : Instrument
        The camera.
    translator : Translator
        Translator of its headers.
    header : dict
        Cards that have a value.
    cards : Cards
        The same with their comments, also those that are malformed.
    values : tuple of Explained
        What the translator makes of them.
    row : mapping
        Columns of the registry.
    detector : Detector or None
        Where it is known.
    facts : DetectorFacts or None
        What the file itself tells of the detector's amplifiers.
    """

    path: Path
    hdu: int
    instrument: Instrument
    translator: Translator
    header: Mapping[str, Any]
    cards: Cards
    values: tuple[Explained, ...]
    row: Mapping[str, Any]
    detector: Detector | None = None
    facts: DetectorFacts | None = None

    @property
    def name(self) -> str:
        """File and HDU, in words."""
        return f"{self.path.name}, HDU {self.hdu}" if self.hdu else self.path.name

    def value(self, name: str) -> Any:  # noqa: ANN401 - columns are of any type
        """Return what the translator makes of a column or circumstance; None if nothing.

        Parameters
        ----------
        name : str
            Column of the registry, or field of `VisitInfo`.
        """
        return next((item.value for item in self.values if item.name == name and item.value is not None), None)

    def number(self, name: str) -> float:
        """Return a circumstance; NaN where it is not known.

        Parameters
        ----------
        name : str
            Field of `VisitInfo` that is a number.
        """
        found = next((item.value for item in self.values if item.name == name and not item.is_column), None)
        return float("nan") if found is None else float(found)

    @cached_property
    def visit_info(self) -> VisitInfo:
        """The circumstances, as far as they could be read."""
        known = {item.name: item.value for item in self.values if not item.is_column and item.value is not None}
        return VisitInfo(**known)

    @cached_property
    def image_type(self) -> str:
        """Bias, dark, flat, science or another; empty where nothing tells."""
        for column in _TYPE_COLUMNS:
            kind = standard_type(str(self.row.get(column) or ""))
            if kind is not None:
                return kind
        found = find_image_type(self.cards, find_exposure_time(self.cards)[0])
        return str(found.value) if found.is_known else ""

    @property
    def filter_name(self) -> str:
        """The filter, by the registry; empty where it has none."""
        return next((str(self.row[key]) for key in ("filter", "physical_filter") if self.row.get(key) is not None), "")


@dataclass(kw_only=True)
class RawFrame(RawExposure):
    """An exposure of a detector that is known, with its pixels.

    Parameters
    ----------
    detector : Detector
        Its detector.
    raw : Raw
        The pixels.
    """

    detector: Detector
    raw: Raw


def without_pixels(frame: RawFrame) -> RawExposure:
    """Return an exposure without its pixels."""
    return RawExposure(**{part.name: getattr(frame, part.name) for part in fields(RawExposure)})
