"""Translators of LSST's package astro_metadata_translator, as translators of ours.

A camera that this package knows needs no tables: ``translator=AstroMetadataTranslator("DECam")`` in the plugin's
`Instrument`, or, to add to it, in the plugin's translator.py::

    class MyTranslator(AstroMetadataTranslator):
        lsst_name = "DECam"
        columns = {"visit": int, "ccdnum": int, "filter": str, "expTime": float}
        unique = ("visit", "ccdnum")
        properties = {"ccdnum": "detector_num"}

The package comes with the extra ``lsst`` and is imported when the first header is read.
"""

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from obs.camera.detector import Detector
from obs.errors import PluginError, suggest
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import UNITS, format_date, parse_date
from obs.instrument.header import Header
from obs.instrument.translator import Translator

__all__ = ["AstroMetadataTranslator"]

_PACKAGE = "astro_metadata_translator"
_INSTALL = "pip install 'obs-toolkit[lsst]'"

#: Column to property of the package.
_COLUMNS = {
    "visit": "visit_id",
    "ccd": "detector_num",
    "filter": "physical_filter",
    "field": "object",
    "proposal": "science_program",
    "dataType": "observation_type",
    "expTime": "exposure_time",
}

#: Circumstance to property, and how its value is taken over.
_FACTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "exposure_id": ("detector_exposure_id", int),
    "exposure_time": ("exposure_time", lambda value: _in_unit(value, "s")),
    "dark_time": ("dark_time", lambda value: _in_unit(value, "s")),
    "date_begin": ("datetime_begin", lambda value: _utc(value)),
    "date_end": ("datetime_end", lambda value: _utc(value)),
    "boresight_ra": ("tracking_radec", lambda value: float(value.icrs.ra.deg)),
    "boresight_dec": ("tracking_radec", lambda value: float(value.icrs.dec.deg)),
    "boresight_azimuth": ("altaz_begin", lambda value: float(value.az.deg)),
    "boresight_altitude": ("altaz_begin", lambda value: float(value.alt.deg)),
    "airmass": ("boresight_airmass", float),
    "rotation_angle": ("boresight_rotation_angle", lambda value: float(value.deg)),
    "rotation_type": ("boresight_rotation_coord", lambda value: str(value).upper()),
    "longitude": ("location", lambda value: float(value.lon.deg)),
    "latitude": ("location", lambda value: float(value.lat.deg)),
    "elevation": ("location", lambda value: _in_unit(value.height, "m")),
    "air_temperature": ("temperature", lambda value: UNITS["K"].to_standard(_kelvin(value))),
    "air_pressure": ("pressure", lambda value: _in_unit(value, "Pa")),
    "humidity": ("relative_humidity", float),
}


class AstroMetadataTranslator(Translator):
    """Reads the headers of a camera with a translator of the package astro_metadata_translator.

    Columns and circumstances have this project's names and units, dates are UTC; what the package does not say, or
    cannot read, is not known. Methods ``translate_NAME`` and the tables of a subclass win over the package.

    Parameters
    ----------
    lsst_name : str, optional
        Name of the package's translator, such as ``DECam``; or ``package.module:Class`` for one elsewhere.
    extensions : sequence of str, optional
        Names of the extensions of a raw file, where it holds a detector in each.

    Attributes
    ----------
    properties : mapping of str to str
        Column to the property of the package that it holds, where it is another than usual.
    """

    lsst_name: str = ""
    properties: ClassVar[Mapping[str, str]] = {}
    columns = {
        "visit": int,
        "ccd": int,
        "filter": str,
        "field": str,
        "proposal": str,
        "dataType": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
    }
    unique = ("visit", "ccd")
    visit = ("visit", "filter", "field", "dateObs", "taiObs")
    constants = {"time_scale": "UTC"}

    def __init__(self, lsst_name: str | None = None, *, extensions: Sequence[str] | None = None) -> None:
        self.lsst_name = self.lsst_name if lsst_name is None else lsst_name
        if extensions is not None:
            self.extensions = tuple(extensions)
        if not self.lsst_name:
            raise TypeError(f"{type(self).__name__} needs the name of a translator of {_PACKAGE}, such as 'DECam'")

    def open(self, header: Mapping[str, Any]) -> Header:
        """Return a header to read from, with the corrections of this plugin and of the package.

        Parameters
        ----------
        header : mapping
            Cards, or a header that was opened already.

        Raises
        ------
        PluginError
            If the package is not installed, or has no such translator.
        """
        if isinstance(header, _LsstHeader):
            return header
        kind = self._find_class()
        return self._corrected(self._fixed(self._corrected(Header(header), kind)), kind)

    @staticmethod
    def _corrected(md: Header, kind: Any) -> "_LsstHeader":  # noqa: ANN401 - see `_find_class`
        """Return a header with the package's own corrections."""
        if isinstance(md, _LsstHeader):
            return md
        cards = dict(md)
        importlib.import_module(f"{_PACKAGE}.headers").fix_header(cards, translator_class=kind)
        return _LsstHeader(cards, kind)

    def read(self, name: str, md: Header) -> Any:  # noqa: ANN401 - columns are of any type
        """Return what an open header tells of a column or a circumstance; None if nothing.

        Parameters
        ----------
        name : str
            Name of a column of the registry or of a circumstance.
        md : Header
            Header as `open` returns it.
        """
        value = super().read(name, md)
        if value is not None or not isinstance(md, _LsstHeader):
            return value
        if name in _FACTS:
            lsst_property, take = _FACTS[name]
            value = md.ask(lsst_property)
            value = None if value is None else take(value)
            return None if isinstance(value, float) and math.isnan(value) else value
        if name in ("dateObs", "taiObs") and name not in self.properties:
            begin = md.ask("datetime_begin")
            return None if begin is None else _utc(begin)[: 10 if name == "dateObs" else None]
        if name not in self.columns:
            return None
        return _plain(md.ask(self.properties.get(name, _COLUMNS.get(name, name))))

    @classmethod
    def make_header(
        cls,
        data_id: Mapping[str, Any],
        *,
        visit_info: VisitInfo,
        detector: Detector,
        physical_filter: str,
        image_type: str,
    ) -> NoReturn:
        """Refuse: the package reads headers only.

        Parameters
        ----------
        data_id : mapping
            Columns of the registry.
        visit_info : VisitInfo
            Circumstances of the exposure.
        detector : Detector
            Detector of the frame.
        physical_filter : str
            Name of the filter.
        image_type : str
            Type of the frame.

        Raises
        ------
        PluginError
            Always.
        """
        raise PluginError(
            f"{_PACKAGE} reads headers and cannot write those of simulated frames; give the camera a translator of its "
            "own for obs simulate"
        )

    def check(self) -> None:
        """Look whether the package is there and has the translator.

        Raises
        ------
        PluginError
            If it is not installed, or has no such translator.
        """
        self._find_class()

    def _find_class(self) -> Any:  # noqa: ANN401 - a class of a package that need not be there
        try:
            package = importlib.import_module(_PACKAGE)
        except ImportError as error:
            raise PluginError(
                f"the translator '{self.lsst_name}' needs the package astro-metadata-translator: {_INSTALL}"
            ) from error
        module, colon, name = self.lsst_name.partition(":")
        if colon:
            try:
                return getattr(importlib.import_module(module), name)
            except (ImportError, AttributeError) as error:
                raise PluginError(f"cannot import '{self.lsst_name}': {type(error).__name__}: {error}") from error
        known = {key: kind for key, kind in package.MetadataTranslator.translators.items() if isinstance(key, str)}
        if module not in known:
            raise PluginError(
                f"{_PACKAGE} has no translator '{module}'{suggest(module, known)}; it has {', '.join(sorted(known))}"
            )
        return known[module]


class _LsstHeader(Header):
    """A header that also answers with the properties that a translator of the package finds in it."""

    def __init__(self, cards: Mapping[str, Any], kind: Any) -> None:  # noqa: ANN401 - see `_find_class`
        super().__init__(cards)
        self._translator = kind(self)
        self._looked_at: dict[str, dict[str, bool]] = {}

    def ask(self, lsst_property: str) -> Any:  # noqa: ANN401 - properties are of any type
        """Return a property; None where the package does not say it or fails."""
        method = getattr(self._translator, f"to_{lsst_property}", None)
        if method is None:
            raise PluginError(f"{_PACKAGE} has no property '{lsst_property}'")
        before, self.asked = self.asked, {}
        try:
            value = method()
        except Exception:  # noqa: BLE001 - what it cannot read in a header it tells in any way
            value = None
        # The package remembers what it has found, and does not look at the cards again.
        cards = self._looked_at.setdefault(lsst_property, self.asked)
        self.asked = before | cards
        return value


def _in_unit(value: Any, unit: str) -> float:  # noqa: ANN401 - an astropy Quantity
    return float(value.to_value(unit))


def _kelvin(value: Any) -> float:  # noqa: ANN401 - an astropy Quantity
    from astropy import units  # noqa: PLC0415 - slow to import

    return float(value.to_value(units.K, equivalencies=units.temperature()))


def _utc(value: Any) -> str:  # noqa: ANN401 - an astropy Time
    return format_date(parse_date(value.utc.isot))


def _plain(value: Any) -> Any:  # noqa: ANN401 - properties are of any type
    """Return a property as a column holds it: quantities in seconds, degrees, meters as they are."""
    if value is None or isinstance(value, str | int | float):
        return value
    return float(value.to_value(value.unit if value.unit.physical_type != "time" else "s"))
