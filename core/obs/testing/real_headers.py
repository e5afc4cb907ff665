"""Real headers, with what has to come out of them, as the author of a camera writes them down."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import field, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from obs.errors import FileFormatError, ObsError, suggest
from obs.frozen import frozen
from obs.image.visit_info import VisitInfo
from obs.inspection.raw_file import read_raw_file
from obs.instrument.consistency import visit_faults
from obs.instrument.instrument import Instrument
from obs.instrument.translator import Translator
from obs.small_file import read_small_text

__all__ = ["RealHeader", "difference", "impossible", "read_headers"]

_KEYS = ("file", "cards", "expected", "hdu", "on_sky")
_RELATIVE = 1e-6
_FACTS = tuple(fact.name for fact in fields(VisitInfo))
_DERIVED = ("band", "detector_id", "detector_name", "exposure_number", "physical_filter")
_CALIBRATION = re.compile("bias|zero|dark|flat|dome|arc|lamp|comp|focus|cal", re.IGNORECASE)


@frozen
class RealHeader:
    """One real header and the values expected from it.

    Parameters
    ----------
    name : str
        Name of the file that it is from.
    cards : mapping
        Keyword to value; empty where they are in the file.
    path : Path
        The file, for a header without cards.
    hdu : int or None
        Which image of the file; the first if None.
    expected : mapping
        Name to value: columns of the registry, fields of `VisitInfo`, ``detector_name``, ``detector_id``,
        ``exposure_number``, ``physical_filter``, ``band``.
    on_sky : bool or None
        Whether the telescope followed the sky; None if that is to be judged by type and exposure time.
    """

    name: str
    path: Path
    cards: Mapping[str, Any] = field(default_factory=dict)
    hdu: int | None = None
    expected: Mapping[str, Any] = field(default_factory=dict)
    on_sky: bool | None = None

    def read_cards(self) -> dict[str, Any]:
        """Return the cards: those written down, else those of the file, be it FITS or a header as text.

        Raises
        ------
        FileFormatError
            If the file cannot be read, or has no such HDU.
        """
        if self.cards:
            return dict(self.cards)
        file = read_raw_file(self.path)
        wanted = [image for image in file.images if self.hdu in (None, image.hdu)]
        if not wanted:
            raise FileFormatError(f"has no image in HDU {self.hdu}", path=self.path)
        found = wanted[0].cards
        return {keyword: found.get(keyword) for keyword in found if found.find(keyword) is not None}


def read_headers(path: Path) -> list[RealHeader]:
    """Read a list of headers, JSON or YAML, each with ``file``, ``cards``, ``expected``, ``hdu``, ``on_sky``.

    Paths in it are relative to its own folder.

    Parameters
    ----------
    path : Path
        File with the list; its folder is the origin of the paths in it.

    Raises
    ------
    FileFormatError
        If it cannot be read, or is no such list.
    """
    try:
        text = read_small_text(path, error=FileFormatError)
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except FileFormatError:
        raise
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise FileFormatError(f"cannot be read: {' '.join(str(error).split())}", path=path) from error
    if not isinstance(data, list) or not all(isinstance(entry, dict) and entry.get("file") for entry in data):
        raise FileFormatError("is not a list of headers, each with 'file', 'cards' and 'expected'", path=path)
    for entry in data:
        if strange := [key for key in entry if key not in _KEYS]:
            raise FileFormatError(f"{entry['file']}: no '{strange[0]}' but {', '.join(_KEYS)}", path=path)
    return [
        RealHeader(
            name=Path(entry["file"]).name,
            path=path.parent / entry["file"],
            cards=entry.get("cards") or {},
            hdu=entry.get("hdu"),
            expected=entry.get("expected") or {},
            on_sky=entry.get("on_sky"),
        )
        for entry in data
    ]


def difference(header: RealHeader, instrument: Instrument, translator: Translator) -> list[str]:
    """Return what a translator makes of a header other than what is expected, one line for each name.

    Numbers agree to a millionth of their value.

    Parameters
    ----------
    header : RealHeader
        Header with the expected values.
    instrument : Instrument
        The camera.
    translator : Translator
        Translator to test.
    """
    cards = header.read_cards()
    row, info = translator.registry_columns(cards), translator.visit_info(cards)
    found = {name: getattr(info, name) for name in _FACTS} | row
    wrong = []
    for name, wanted in header.expected.items():
        try:
            value = found[name] if name in found else _derived(name, instrument, row)
        except KeyError:
            known = sorted({*translator.columns, *_FACTS, *_DERIVED})
            untold = "the header does not give it"
            wrong.append(f"{name}: {untold if name in known else f'there is no such name{suggest(name, known)}'}")
            continue
        except ObsError as error:
            wrong.append(f"{name}: {error}")
            continue
        if not _agree(value, wanted):
            wrong.append(f"{name} is {value!r}, expected {wanted!r}")
    return wrong


def _agree(value: object, wanted: object) -> bool:
    if isinstance(value, int | float) and isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return abs(value - wanted) <= _RELATIVE * max(abs(value), abs(wanted))
    # YAML takes a day without quotes for a date
    return value == (wanted.isoformat() if isinstance(wanted, date) else wanted)


def _derived(name: str, instrument: Instrument, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - numbers and names
    """Return what the camera makes of a row of the registry."""
    if name not in _DERIVED:
        raise KeyError(name)
    if name == "exposure_number":
        return instrument.exposure_number(row)
    if name in ("physical_filter", "band"):
        return getattr(instrument.find_filter(str(row.get("filter", ""))), name)
    return getattr(instrument.find_detector(row), name.removeprefix("detector_"))


def impossible(header: RealHeader, translator: Translator) -> Iterator[str]:
    """Return what cannot be of what a translator makes of a header; see `obs.instrument.consistency`.

    Parameters
    ----------
    header : RealHeader
        Header.
    translator : Translator
        Translator to test; it is not changed.
    """
    cards, reader = header.read_cards(), copy(translator)
    reader.guarded = False  # what cannot be is to be seen
    row, info = reader.registry_columns(cards), reader.visit_info(cards)
    on_sky = info.exposure_time > 0 and not _CALIBRATION.search(str(row.get("dataType", "")))
    yield from visit_faults(info, on_sky=on_sky if header.on_sky is None else header.on_sky)
