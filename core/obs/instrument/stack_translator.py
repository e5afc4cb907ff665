"""Headers of a camera whose package is one of the LSST stack: its tables, and the cards that most cameras have."""

from pathlib import Path
from typing import Any

from obs.instrument.date_rules import DateRule
from obs.instrument.pointing_rules import PointingRule
from obs.instrument.rule_translator import RuleTranslator
from obs.instrument.stack_sources import read_ingest_settings
from obs.instrument.translator import Translator

__all__ = ["stack_translator"]

_TYPES = {"text": str, "int": int, "double": float}
_TIMES = ("UT", "UTC", "UTSTART", "TIME-OBS", "UTC-OBS", "UT-STR")


class _CommonCards(RuleTranslator):
    """Cards of exposure time, date and pointing that most headers have."""

    translation = {
        "exposure_time": ["EXPTIME", "EXPOSURE", "EXP_TIME"],
        "dark_time": ["DARKTIME"],
        "airmass": ["AIRMASS"],
    }
    dates = (*(DateRule("DATE-OBS", time) for time in _TIMES), DateRule("MJD-OBS", layout="mjd"), DateRule("DATE-OBS"))
    pointings = tuple(
        PointingRule(ra, dec, ra_unit="", equinox="EQUINOX")
        for ra, dec in (("RA2000", "DEC2000"), ("RA", "DEC"), ("TELRA", "TELDEC"))
    )


def stack_translator(ingest: Path) -> Translator:
    """Return a translator with the registry's columns of ``config/ingest.py``.

    Columns that methods of the package's own Python tell stay unknown, because nothing of it is run.

    Parameters
    ----------
    ingest : Path
        The file; without it no column is known.
    """
    settings = read_ingest_settings(ingest)
    columns = {name: _TYPES.get(kind, str) for name, kind in _mapping(settings, "register.columns").items()}
    cards = {name: str(card) for name, card in _mapping(settings, "parse.translation").items() if name in columns}
    tables = {
        "__doc__": f"Reads headers by the tables of {ingest}.",
        "columns": columns,
        "unique": tuple(name for name in settings.get("register.unique", ()) if name in columns),
        "visit": tuple(name for name in settings.get("register.visit", ()) if name in columns),
        "defaults": {name: value for name, value in _mapping(settings, "parse.defaults").items() if name in columns},
        "translation": {**_CommonCards.translation, **cards},
    }
    made: type[Translator] = type("StackTranslator", (_CommonCards,), tables)
    return made()


def _mapping(settings: dict[str, Any], name: str) -> dict[str, Any]:
    found = settings.get(name)
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}
