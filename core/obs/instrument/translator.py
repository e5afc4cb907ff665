"""From the header of a raw frame to the registry's columns and to the circumstances of the exposure, and back.

A camera's translator is two tables and a few methods::

    class ToyTranslator(Translator):
        columns = {"visit": int, "ccd": int, "filter": str, "dateObs": str, "expTime": float}
        unique = ("visit", "ccd")
        visit = ("visit", "filter", "dateObs")
        constants = {"longitude": 15.3, "latitude": 48.2, "elevation": 200.0}
        translation = {
            "visit": "RUN",
            "ccd": "DETECTOR",
            "filter": ("FILTER", {"default": "none"}),
            "expTime": "EXPTIME",
            "exposure_time": "EXPTIME",
            "air_temperature": ("TEMP", {"unit": "K"}),
        }

        def translate_dateObs(self, md):
            return parse_date(md["DATE-OBS"], "%Y%m%d").date().isoformat()

Names are those of the registry's columns and of the fields of `obs.image.visit_info.VisitInfo`. A method
``translate_NAME(self, md)`` wins over the tables; `translators` lets one method serve several names. Headers that are
known to be wrong are listed in a file that `header_fixes` names; see `obs.instrument.header_fixes`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from obs.camera.detector import Detector
from obs.errors import ConfigError, FileFormatError, suggest
from obs.image.visit_info import VisitInfo
from obs.instrument.amplifier_files import AmplifierFiles
from obs.instrument.card_rules import cast_value, read_rule
from obs.instrument.card_values import UNITS
from obs.instrument.circumstances import complete_visit_info
from obs.instrument.header import Header
from obs.instrument.header_fixes import HeaderFix, load_header_fixes
from obs.instrument.plausible import check_value
from obs.instrument.translator_calls import call_method
from obs.instrument.translator_tables import FACTS, PREFIX, Rule, check_tables, split_rule

__all__ = ["Translator"]

_PAIR = ("boresight_ra", "boresight_dec")


class Translator:
    """Reads and writes the headers of one camera.

    Attributes
    ----------
    columns : mapping of str to type
        Columns of the registry's table ``raw``: int, float or str.
    unique : sequence of str
        Columns that together name one detector's exposure.
    visit : sequence of str
        Columns that all detectors of an exposure share: those of the table ``raw_visit``.
    constants : mapping
        What is the same for all exposures, by name.
    translation : mapping
        What one card tells, by name: a keyword, or ``(keyword, {"unit": ..., "default": ..., "times": ...})``. Units
        are those of `obs.instrument.card_values.UNITS`; ``times`` is a card that multiplies, and with
        ``by_comment`` a unit of time that the comment of the card names comes before ``unit``. A list of these is
        tried until one tells a value that can be.
    defaults : mapping
        What a column holds where the header does not give.
    translators : mapping of str to str
        Name to the method that tells it, where that is not ``translate_NAME``.
    extensions : sequence of str
        Names of the extensions of a raw file, where it holds a detector in each.
    colors : sequence of str
        Colors of the mosaic of filters before the pixels of a color camera: each is a frame of its own, whose header
        has the color as the card `obs.instrument.header.COLOR`, and whose detector has a `ColorPlane`.
    amplifier_files : AmplifierFiles or None
        How files are told apart that hold an amplifier each of one detector; they are put together when they are
        ingested.
    planes : {"", "each", "mean", "colors"}
        What the planes of a cube are: an exposure each, parts of one exposure, of which the mean counts, or red, green
        and blue that a program computed from a color mosaic, which is put together again; empty for
        cameras that write none.
    known_by : mapping of str to sequence of str
        Cards by which files of the camera are known, and their values. A file in which such a card has another value is
        of another camera, and not ingested.
    header_fixes : str
        Table of headers that are wrong, a YAML file in the folder of the translator's module; empty for none.
    simulated_cards : sequence of str
        Cards that only simulated frames have, which win over those of real ones: the number of the exposure, where
        that of real frames follows from their date.

    Raises
    ------
    TypeError
        Where a subclass has a name in its tables that is neither a column nor a fact of the exposure, an unknown unit,
        or names a method that it does not have.

    Examples
    --------
    >>> from obs import load_instrument
    >>> translator = load_instrument("necam").make_translator()
    >>> sorted(translator.unique)
    ['ccd', 'filter', 'visit']
    """

    columns: ClassVar[Mapping[str, type]] = {}
    unique: ClassVar[Sequence[str]] = ()
    visit: ClassVar[Sequence[str]] = ()
    constants: ClassVar[Mapping[str, Any]] = {}
    translation: ClassVar[Mapping[str, Rule]] = {}
    defaults: ClassVar[Mapping[str, Any]] = {}
    translators: ClassVar[Mapping[str, str]] = {}
    extensions: Sequence[str] = ()
    colors: ClassVar[Sequence[str]] = ()
    amplifier_files: ClassVar[AmplifierFiles | None] = None
    planes: ClassVar[Literal["", "each", "mean", "colors"]] = ""
    known_by: ClassVar[Mapping[str, Sequence[str]]] = {}
    header_fixes: ClassVar[str] = ""
    simulated_cards: ClassVar[Sequence[str]] = ()

    today: date | None = None
    """The day after which nothing was observed yet, where that is not today."""
    guarded: bool = True
    """Whether values that cannot be are left out; not where they are to be looked at."""

    def __init_subclass__(cls) -> None:
        """Check the tables when the class is made, so that a slip shows at once."""
        check_tables(cls)

    @cached_property
    def fixes(self) -> tuple[HeaderFix, ...]:
        """The table of wrong headers.

        Raises
        ------
        ConfigError
            If it is at fault; names file and line.
        """
        if not self.header_fixes:
            return ()
        path = self._module_path.parent / self.header_fixes
        fixes = load_header_fixes(path)
        for fix in fixes:
            for name in fix.exposures:
                if name not in self.columns:
                    hint = suggest(name, self.columns)
                    raise ConfigError(f"exposures: '{name}' is not a column{hint}", path=path, line=fix.line)
        return fixes

    @property
    def _module_path(self) -> Path:
        """The file that holds the class."""
        return Path(str(sys.modules[type(self).__module__].__file__))

    def open(self, header: Mapping[str, Any]) -> Header:
        """Return a header to read from: with what is known to be wrong put right; an open one as it is.

        Parameters
        ----------
        header : mapping
            Cards, or a header that was opened already.
        """
        if isinstance(header, Header):
            return header
        return self._fixed(Header(header))

    def _fixed(self, original: Header) -> Header:
        md = original
        for fix in self.fixes:
            if fix.applies(original, lambda name: self._read_quietly(name, original)):
                md = fix.apply(md)
        return md

    def _read_quietly(self, name: str, md: Header) -> Any:  # noqa: ANN401 - columns are of any type
        try:
            value = self.read(name, md)
            return value if value is None or name not in self.columns else cast_value(value, self.columns[name])
        except FileFormatError:
            return None

    def registry_columns(self, header: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a header tells of the registry's columns.

        Parameters
        ----------
        header : mapping
            Cards.

        Returns
        -------
        dict
            Columns in their order, each of its type; without those that are not known.

        Raises
        ------
        FileFormatError
            If a column that names the exposure or its visit has a value that cannot be; other columns are left out.
        """
        md = self.open(header)
        row = {}
        named = (*self.unique, *self.visit)
        for name, kind in self.columns.items():
            try:
                value = self.read(name, md)
                if value is None:
                    continue
                if isinstance(value, bool) and name in named:
                    raise FileFormatError(f"{'T' if value else 'F'} is a logical value")
                row[name] = cast_value(value, kind)
                self.check_plausible(name, row[name])
                if name in self.visit and isinstance(row[name], int) and row[name] < 0:
                    raise FileFormatError(f"{row[name]} is below zero, as where nobody counted")
            except FileFormatError as error:
                row.pop(name, None)
                if name in named and name not in self.defaults:
                    raise FileFormatError(f"{name}: {error}") from None
                if name in self.defaults:
                    row[name] = cast_value(self.defaults[name], kind)
        return row

    def visit_info(self, header: Mapping[str, Any], exposure_id: int | None = None) -> VisitInfo:
        """Return the circumstances of an exposure.

        What the tables do not show is derived, where it follows: the dark time is the exposure time, the exposure ends
        its time after it began, and its middle is in between.

        Parameters
        ----------
        header : mapping
            Cards.
        exposure_id : int, optional
            Number of the detector's exposure.

        Returns
        -------
        VisitInfo
            NaN, None or empty where nothing is known.

        Raises
        ------
        FileFormatError
            If a card does not hold what it should.
        """
        md = self.open(header)
        known: dict[str, Any] = {}
        for name in FACTS:
            try:
                value = self.read(name, md)
                if value is not None:
                    known[name] = self.cast(name, value, is_column=False)
            except FileFormatError as error:
                raise FileFormatError(f"{name}: {error}") from None
        for name in [name for name, value in known.items() if self.find_fault(name, value, known)]:
            del known[name]
        return complete_visit_info(known, exposure_id)

    def read(self, name: str, md: Header) -> Any:  # noqa: ANN401 - columns are of any type
        """Return the value of a column or a circumstance as an open header has it; None if it has none.

        Parameters
        ----------
        name : str
            A column of the registry, or a field of `obs.image.visit_info.VisitInfo`.
        md : Header
            The open header.

        Raises
        ------
        FileFormatError
            If what is there cannot be it.
        """
        method = self._method(name)
        if method is not None:
            value = call_method(method, md, lambda: self._module_path)
        elif name in self.translation:
            value = self._read_card(name, md)
        else:
            value = self.constants.get(name)
        return self.defaults.get(name) if value is None else value

    def check_plausible(self, name: str, value: Any) -> None:  # noqa: ANN401 - columns are of any type
        """Check that a value is possible, as `obs.instrument.plausible.check_value` does.

        Parameters
        ----------
        name : str
            A column of the registry, or a field of `obs.image.visit_info.VisitInfo`.
        value : object
            Its value, of the right type.

        Raises
        ------
        FileFormatError
            If it cannot.
        """
        if self.guarded:
            check_value(name, value, self.today)

    def find_fault(self, name: str, value: Any, known: Mapping[str, Any]) -> str:  # noqa: ANN401 - of any type
        """Return why a value cannot be what it says; empty if nothing contradicts it.

        Parameters
        ----------
        name : str
            The column or the circumstance.
        value : int, float or str
            Its value.
        known : mapping
            What else the header tells.
        """
        try:
            self.check_plausible(name, value)
        except FileFormatError as error:
            return str(error)
        if self.guarded and name in _PAIR and value == 0.0 and all(known.get(other) == 0.0 for other in _PAIR):
            return "right ascension and declination are zero: nobody filled them in"
        return ""

    def find_other_camera(self, header: Mapping[str, Any]) -> str:
        """Return the card, ``KEYWORD = value``, by which a header is of another camera; empty if none says so.

        Parameters
        ----------
        header : mapping
            Cards; a missing card says nothing.
        """
        for keyword, values in self.known_by.items():
            text = str(header.get(keyword, "")).strip()
            if text and _plain(text) not in map(_plain, values):
                return f"{keyword} = {text}"
        return ""

    def recognizes(self, header: Mapping[str, Any]) -> bool:
        """Return whether cards say that a header is of this camera, and of no other.

        Parameters
        ----------
        header : mapping
            Cards. All cards of ``known_by`` must be present.
        """
        return (
            bool(self.known_by) and all(key in header for key in self.known_by) and not self.find_other_camera(header)
        )

    def has_rule(self, name: str) -> bool:
        """Return whether a card or a method tells a name, not only a constant.

        Parameters
        ----------
        name : str
            Column of the registry, or field of `VisitInfo`.
        """
        return name in self.translation or self._method(name) is not None

    def cast(self, name: str, value: Any, *, is_column: bool) -> Any:  # noqa: ANN401 - columns are of any type
        """Return a value as the type of its column or circumstance.

        Parameters
        ----------
        name : str
            A column of the registry, or a field of `obs.image.visit_info.VisitInfo`.
        value : object
            What `read` returned.
        is_column : bool
            Whether the name is a column.

        Raises
        ------
        FileFormatError
            If it cannot be that.
        """
        if is_column:
            return cast_value(value, self.columns[name])
        default = FACTS[name].default
        return cast_value(value, str if isinstance(default, str) else int if default is None else float)

    def _method(self, name: str) -> Callable[[Header], Any] | None:
        method: Callable[[Header], Any] | None
        method = getattr(self, self.translators.get(name, PREFIX + name), None)
        return method

    def _read_card(self, name: str, md: Header) -> Any:  # noqa: ANN401 - columns are of any type
        rule = self.translation[name]
        if not isinstance(rule, list):
            return read_rule(rule, md)
        for choice in rule:
            try:
                value = read_rule(choice, md)
                if value is not None:
                    check_value(name, value, self.today)
                    return value
            except FileFormatError:
                continue  # the next card stands in
        return None

    @classmethod
    def make_header(
        cls,
        data_id: Mapping[str, Any],
        *,
        visit_info: VisitInfo,
        detector: Detector,
        physical_filter: str,
        image_type: str,
    ) -> dict[str, Any]:
        """Return the header of a simulated frame: cards from which this class reads the data ID and the circumstances.

        This method writes what `translation` reads; a camera with ``translate_`` methods adds to it what those read.

        Parameters
        ----------
        data_id : mapping
            Columns of the registry.
        visit_info : VisitInfo
            The circumstances.
        detector : Detector
            The detector.
        physical_filter : str
            The filter.
        image_type : {"bias", "dark", "flat", "science"}
            What is observed.

        Returns
        -------
        dict
            Keyword to value.
        """
        cards: dict[str, Any] = {}
        for name, rule in cls.translation.items():
            if name in cls.translators or hasattr(cls, PREFIX + name):
                continue
            keyword, options = split_rule(rule[0] if isinstance(rule, list) else rule)
            value = data_id[name] if name in data_id else getattr(visit_info, name, None)
            if value in (None, "") or value != value:
                continue
            cards.setdefault(keyword, UNITS[options["unit"]].from_standard(value) if "unit" in options else value)
        return cards


def _plain(text: str) -> str | float:
    """Return a value for comparison: programs write the same binning as 1 and as 1.0, and names in any case."""
    try:
        return float(text)
    except ValueError:
        return text.strip().casefold()
