"""Defects in a folder that an older policy names: ``defects: ../mycam/defects``.

Which file counts for an exposure is said by ``defectRegistry.sqlite3`` in the folder; else by a column ``defects`` of
the registry of exposures, as for MegaCam; else by names: ``2013-01-31/defects_003.fits``, ``ccd0/2013-01-31.ecsv``.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from astropy.io import fits
from numpy.typing import NDArray

from obs.camera.detector import Detector
from obs.errors import FileFormatError, RepositoryError
from obs.image.catalog import Catalog
from obs.instrument.instrument import Instrument
from obs.policy.key_source import KeySource
from obs.repo.defects_table import read_defect_mask, read_defects
from obs.repo.file_keys import COMPRESSED
from obs.repo.fits_file import open_fits
from obs.repo.registry_reader import RegistryFile
from obs.repo.text_table import is_text_table

__all__ = ["DefectsFolder", "read_folder_defects"]

_LOG = logging.getLogger(__name__)

_REGISTRY, _TABLE = "defectRegistry.sqlite3", "defect"
#: Column of the registry of exposures that has the path, where the folder has no registry.
_OF_EXPOSURES = "defects"
_PATH, _START, _END = "path", "validStart", "validEnd"
#: Columns of the table that do not name a detector.
_OTHER_COLUMNS = (_PATH, _START, _END, "version", "maskname")
#: What a table counts for whose end is not told: up to the next one.
_LAST = "9999-12-31"
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_NUMBER = re.compile(r"\d+")
_SUFFIXES = (".fits", ".fit", ".csv", ".ecsv")
#: Cards by which an HDU of defects says whose they are.
_NAMING_CARDS = ("SERIAL", "NAME", "DETSER", "DETNAME", "DETECTOR", "CCD")


class DefectsFolder:
    """The files of defects of a folder, asked as a registry is.

    Parameters
    ----------
    folder : Path
        The folder.
    instrument : Instrument
        The camera, whose detectors the files are for.
    registry : callable
        Gives the registry of exposures.
    """

    advice = "give it in the data ID"

    def __init__(self, folder: Path, instrument: Instrument, registry: Callable[[], KeySource]) -> None:
        self._folder, self._instrument, self._registry = folder, instrument, registry

    def has_table(self, table: str) -> bool:
        """Return whether there is such a table."""
        return table == _TABLE

    def columns(self, tables: Sequence[str]) -> Mapping[str, type]:
        """Return the columns and their types: path, validity, and the keys of a data ID that name a detector.

        Parameters
        ----------
        tables : sequence of str
            Not looked at: there is one table.
        """
        if self._is_told_by_exposures:
            known = self._registry().columns(("raw",))
            return {_PATH: str, _START: str, _END: str, **{k: v for k, v in known.items() if k != _OF_EXPOSURES}}
        return {name: type(value) for row in self._rows for name, value in row.items()}

    def lookup(
        self,
        columns: Sequence[str],
        where: Mapping[str, Any],
        tables: Sequence[str],
        *,
        between: tuple[Any, str, str] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the distinct rows of some columns, sorted.

        Parameters
        ----------
        columns : sequence of str
            Names of the columns wanted.
        where : mapping
            Columns and the values that they must have.
        tables : sequence of str
            Not looked at.
        between : tuple, optional
            A time, and the two columns between which, inclusive, it must be.
        """
        if self._is_told_by_exposures:
            return self._told_by_exposures(columns, where)
        fitting = [
            row
            for row in self._rows
            if all(row.get(key, value) == value for key, value in where.items())
            and (between is None or row[between[1]] <= str(between[0]) <= row[between[2]])
        ]
        return sorted({tuple(row.get(name, "") for name in columns) for row in fitting}, key=repr)

    def _told_by_exposures(self, columns: Sequence[str], where: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        validity = {_START: "", _END: _LAST}
        asked = [_OF_EXPOSURES if name == _PATH else name for name in columns if name not in validity]
        where = {(_OF_EXPOSURES if key == _PATH else key): v for key, v in where.items() if key not in validity}
        found = []
        for row in self._registry().lookup(asked, where, ("raw",)):
            known = validity | dict(zip(asked, row, strict=True))
            if known.get(_OF_EXPOSURES, ""):
                found.append(tuple(known[_OF_EXPOSURES if name == _PATH else name] for name in columns))
        return found

    @cached_property
    def _is_told_by_exposures(self) -> bool:
        self._check()
        if (self._folder / _REGISTRY).is_file():
            return False
        try:
            registry = self._registry()
            return registry.has_table("raw") and _OF_EXPOSURES in registry.columns(("raw",))
        except RepositoryError:
            return False

    def _check(self) -> None:
        if not self._folder.is_dir():
            raise RepositoryError(
                f"the policy names {self._folder} as the folder of defects, and it is not there; put it there, or go "
                "on without defects by -c isr.do_defect=false",
                path=self._folder,
            )

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        self._check()
        place = self._folder / _REGISTRY
        rows = list(self._registered(place) if place.is_file() else self._dated())
        if not rows:
            expected = f"{_REGISTRY}, or files such as 2013-01-31/defects_003.fits"
            raise RepositoryError(f"{self._folder} has no defects: expected {expected}", path=self._folder)
        return rows

    def _registered(self, place: Path) -> Iterator[dict[str, Any]]:
        registry = RegistryFile(place)
        known = registry.columns((_TABLE,))
        naming = next((name for name in known if name not in _OTHER_COLUMNS), None)
        names = [_PATH, _START, _END, *([naming] if naming else [])]
        strange = set()
        for path, start, end, *detectors in registry.lookup(names, {}, (_TABLE,)):
            keys = self._keys(detectors[0], naming or "") if detectors else {}
            if keys is None:
                strange.add(str(detectors[0]))
                continue
            yield {_PATH: str(path), _START: _iso(str(start)), _END: _iso(str(end)), **keys}
        if strange:
            _LOG.warning(
                "%s: defects of %s are not used: %s has no such detector",
                place,
                ", ".join(sorted(strange)[:5]),
                self._instrument.name,
            )

    def _dated(self) -> Iterator[dict[str, Any]]:
        for path in sorted(self._folder.rglob("*")):
            if not path.is_file() or _plain(path).suffix.lower() not in _SUFFIXES:
                continue
            place = path.relative_to(self._folder)
            parts = (*place.parts[:-1], _plain(path).stem)
            first = next((day for part in reversed(parts) if (day := _day(part))), "0000-00-00")
            keys = next((keys for part in reversed(parts) if (keys := self._keys_in(part)) is not None), {})
            yield {_PATH: place.as_posix(), _START: first, _END: _LAST, **keys}

    def _keys_in(self, text: str) -> dict[str, Any] | None:
        """Return the keys of the detector that a part of a path names."""
        text = _DATE.sub("", re.sub(r"T\d{6}", "", text)).strip("-_. ")
        named = self._keys(text.removeprefix("defects").strip("-_. "), "") if text != "defects" else None
        if named is not None or not text.lower().startswith(("defects", "ccd")):
            return named
        numbers = _NUMBER.findall(text)
        return self._keys(int(numbers[-1]), "") if numbers else None

    def _keys(self, value: Any, column: str) -> dict[str, Any] | None:  # noqa: ANN401 - a number or a name
        """Return the part of a data ID that names a detector; None if the camera has no such detector."""
        found = self._by_serial.get(str(value).lower()) if "serial" in column.lower() else None
        found = found or self._by_name.get(str(value).lower()) or self._by_serial.get(str(value).lower())
        return None if found is None else self._instrument.detector_keys(found)

    @cached_property
    def _by_name(self) -> dict[str, Detector]:
        """Detectors by number and by name, of which the name counts."""
        camera = self._instrument.load_camera()
        return {str(one.id): one for one in camera} | {one.name.lower(): one for one in camera}

    @cached_property
    def _by_serial(self) -> dict[str, Detector]:
        return {one.serial.strip().lower(): one for one in self._instrument.load_camera() if one.serial.strip()}


def read_folder_defects(path: Path, detector: Detector) -> Catalog | NDArray[Any]:
    """Read the defects of a detector from a file that may hold those of several.

    Parameters
    ----------
    path : Path
        FITS file or text.
    detector : Detector
        The detector.

    Returns
    -------
    Catalog or ndarray
        Boxes, as `obs.repo.defects_table.read_defects` returns them, or an image that is not 0 where pixels are bad.

    Raises
    ------
    FileFormatError
        If the file has none of this detector.
    """
    if is_text_table(path):
        return read_defects(path)
    if (mask := read_defect_mask(path)) is not None:
        return mask
    return read_defects(path, hdu=_hdu_of(path, detector))


def _hdu_of(path: Path, detector: Detector) -> int:
    """Return the number of the HDU that has the defects of a detector."""
    wanted = {detector.name.lower(), str(detector.id), detector.serial.strip().lower()} - {""}
    others: list[str] = []
    with open_fits(path) as hdus:
        tables = [n for n, hdu in enumerate(hdus) if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        for number in tables:
            header = hdus[number].header
            named = [str(header[card]).strip().lower() for card in _NAMING_CARDS if card in header]
            if wanted & set(named) or (not named and len(tables) == 1):
                return number
            others += named[:1]
    has = f"of {', '.join(dict.fromkeys(others))}" if others else "that say whose they are"
    raise FileFormatError(
        f"has no defects of detector '{detector.name}' (number {detector.id}): {'those ' if others else 'none '}{has}",
        path=path,
    )


def _iso(text: str) -> str:
    """Return a date as the stack compares it: 20130131 is 2013-01-31, and between day and time is a T."""
    text = re.sub(r"^(\d{4})(\d{2})(\d{2})", r"\1-\2-\3", text.strip())
    return re.sub(r"^(\d{4}-\d{2}-\d{2}) ", r"\1T", text)


def _day(text: str) -> str:
    match = _DATE.search(text)
    try:
        return "" if match is None else date(*map(int, match.groups())).isoformat()
    except ValueError:
        return ""


def _plain(path: Path) -> Path:
    """Return a path without the ending of a compressed file."""
    return path.with_suffix("") if path.suffix in COMPRESSED and path.suffix else path
