"""One kind of dataset: where its files are stored, what they contain, and which registry tables know its keys."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, PolicyError
from obs.frozen import frozen
from obs.policy.data_id import DataId, cast_value, format_data_id

__all__ = ["DatasetType", "Template", "placed_part", "split_hdu"]

_CONVERSION = re.compile(
    r"%(?:(?P<percent>%)|\((?P<key>\w+)\)(?P<flags>[-#0 +]*)(?P<width>\d*)(?:\.(?P<precision>\d+))?[hlL]?"
    r"(?P<char>[diouxXeEfFgGcrs]))"
)
_TAIL = re.compile(r"(?P<path>.*[^\]])\[(?P<hdu>[^\[\]]+)\]")
_TYPES: dict[str, type] = dict.fromkeys("diouxX", int) | dict.fromkeys("eEfFgG", float) | dict.fromkeys("crs", str)
#: Characters of the longest file name, and digits of a width that are read.
_WIDEST, _DIGITS, _SHOWN = 255, 9, 24
#: Of a key that is written in two ways, as ``%(visit)d`` and ``%(visit)s``, the stricter one is the type.
_PREFERENCE = (int, float, str)
#: What keys of sky maps look like: names of files go on behind them.
_SKY_PATTERNS = {"patch": r"\d+(?:,\d+)?"}
_BASES = {"o": 8, "x": 16, "X": 16}


def split_hdu(path: str) -> tuple[str, str | None]:
    """Split ``raw.fits[2]`` into the path and the HDU, which is None where there is none.

    Parameters
    ----------
    path : str
        Path or template, with or without the number of an HDU in brackets.
    """
    match = _TAIL.fullmatch(path)
    return (path, None) if match is None else (match["path"], match["hdu"])


@frozen
class _Field:
    """One ``%(key)05d`` of a template."""

    key: str
    flags: str
    width: int
    char: str
    text: str

    @property
    def pattern(self) -> str:
        """Regular expression of what the field can look like in a path."""
        if self.char == "c":
            return r"[^/]"
        if self.char in "rs":
            return _SKY_PATTERNS.get(self.key, r"[^/]+")
        if self.char in "diu":
            digits = rf"(?:\d{{{self.width},}}|[ +-]\d{{{max(self.width - 1, 1)},}})"
            return digits if "0" in self.flags and "-" not in self.flags else r"[ +-]*\d+ *"
        if self.char in _BASES:
            return r" *[+-]?(?:0[xXo])?[0-9a-fA-F]+ *"
        return r"[ +-]*(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|inf|nan|INF|NAN) *"

    def read(self, text: str) -> int | float | str:
        """Return the value that the field was made of."""
        if self.char in "diu":
            return int(text)
        if self.char in _BASES:
            return int(text, _BASES[self.char])
        if self.char in "eEfFgG":
            return float(text)
        if self.char == "r" and len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
            return text[1:-1]
        if not self.width:
            return text
        return text.rstrip(" ") if "-" in self.flags else text.lstrip(" ")


class Template:
    """A path such as ``%(visit)07d/%(filter)s.fits[%(hdu)d]``, from a data ID to a path and back.

    Parameters
    ----------
    text : str
        The template; its keys' types follow from the conversion character.

    Raises
    ------
    ValueError
        If the text has a ``%`` that is not a ``%(key)d``, is absolute, or leaves its folder with ``..``.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.keys: dict[str, type] = {}
        self._parts: list[str | _Field] = list(_split(text))
        for part in self._parts:
            if isinstance(part, _Field):
                kind = _TYPES[part.char]
                self.keys[part.key] = min(kind, self.keys.get(part.key, kind), key=_PREFERENCE.index)
        self._whole = "".join(part.replace("%", "%%") if isinstance(part, str) else part.text for part in self._parts)
        if text.startswith("/"):
            raise ValueError("the template is an absolute path; write it relative to the repository")
        if ".." in text.split("/"):
            raise ValueError("the template leaves the repository with '..'")

    @property
    def is_one_path(self) -> bool:
        """Whether the whole path is the value of one key, as in ``%(path)s`` or ``%(path)s[%(hdu)d]``."""
        return bool(re.fullmatch(r"%\(\w+\)s", split_hdu(self.text)[0]))

    def format(self, data_id: Mapping[str, Any], *, may_leave: bool = False) -> str:
        """Return the path, with the ``[hdu]`` tail if the template has one.

        Parameters
        ----------
        data_id : mapping
            Keys and values.
        may_leave : bool, default: False
            Allow a path that leads out of the repository.

        Raises
        ------
        DataIdError
            If a key is missing, has another type, or leads out of the repository.
        """
        if (path := self._format_quickly(data_id)) is not None:
            return path
        values = {key: cast_value(key, data_id[key], kind) for key, kind in self.keys.items() if key in data_id}
        missing = [key for key in self.keys if key not in values]
        if missing:
            given = format_data_id(data_id) or "nothing"
            raise DataIdError(
                f"the data ID does not have {', '.join(missing)} (given: {given})", data_id=data_id, key=missing[0]
            )
        try:
            path = "".join(part if isinstance(part, str) else part.text % values for part in self._parts)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataIdError(f"{format_data_id(values)}: {error}", data_id=data_id) from None
        pieces = split_hdu(path)[0].split("/")
        leaves = path.startswith("/") or ".." in pieces
        if not pieces[-1] and values and self.text.endswith("/"):
            raise DataIdError(f"the template {self.text} names a folder, which is not a dataset", data_id=data_id)
        if (leaves and not may_leave) or not pieces[-1] or "\0" in path:
            culprit = next((k for k, v in values.items() if isinstance(v, str) and _is_unsafe(v)), None)
            where = format_data_id({culprit: values[culprit]} if culprit else values)
            raise DataIdError(f"{where!r} would leave the repository: '{path}'", data_id=data_id, key=culprit)
        return path

    def _format_quickly(self, data_id: Mapping[str, Any]) -> str | None:
        """Return the path if all values have their type and it certainly stays in the repository; millions are made."""
        for key, kind in self.keys.items():
            if type(data_id.get(key)) is not kind:
                return None
        try:
            path: str = self._whole % data_id
        except (TypeError, ValueError, OverflowError):
            return None
        is_plain = path[:1] != "/" and path[-1:] != "/" and ".." not in path and "[" not in path and "\0" not in path
        return path if path and is_plain else None

    def parse(self, path: str) -> DataId | None:
        """Return the data ID that gives ``path``, or None if no data ID does.

        A value with a ``/`` in it is found only where no value without one fits. Where ``path`` has no ``[hdu]`` tail
        but the template has, the keys of the tail are left out.

        Parameters
        ----------
        path : str
            Path relative to the repository.
        """
        with_tail = not self._has_tail or split_hdu(path)[1] is not None
        # values have a "/" in them where there are more than those of the template, and only there
        is_strict = path.count("/") == self._depth
        if is_strict and not self._may_end(path, with_tail=with_tail):
            return None
        strict, *loose = self._expressions if with_tail else self._expressions_without_tail
        for expression in [strict] if is_strict else loose:
            match = expression.fullmatch(path)
            data_id = self._read(match) if match else None
            if data_id is None:
                continue
            try:
                whole = data_id if with_tail else dict.fromkeys(self.keys, 0) | data_id
                again = self.format(whole)
            except DataIdError:
                continue
            if path == (again if with_tail else split_hdu(again)[0]):
                return data_id
        return None

    def glob_pattern(self, data_id: Mapping[str, Any]) -> str:
        """Return a shell pattern for the files that fit what is known of the data ID.

        Parameters
        ----------
        data_id : mapping
            Known keys and values; any text fits the other keys.

        Returns
        -------
        str
            Pattern relative to the repository, without an ``[hdu]`` tail.
        """
        pieces = []
        for part in _split(split_hdu(self.text)[0]):
            known = isinstance(part, _Field) and part.key in data_id
            pieces.append(
                re.sub(r"([*?\[])", r"[\1]", part if isinstance(part, str) else part.text % dict(data_id))
                if isinstance(part, str) or known
                else "*"
            )
        return re.sub(r"\*+", "*", "".join(pieces))

    def _may_end(self, path: str, *, with_tail: bool) -> bool:
        """Return whether the name of a file begins and ends as the template's does: it recognizes most others."""
        begin, end = self._ends
        return path.startswith(begin, path.rfind("/") + 1) and ((with_tail and self._has_tail) or path.endswith(end))

    @cached_property
    def _ends(self) -> tuple[str, str]:
        """What stands before the first and behind the last field of the name of a file, without an ``[hdu]`` tail."""
        parts = list(_split(split_hdu(self.text)[0]))
        texts = "".join(part if isinstance(part, str) else "\0" for part in parts).rpartition("/")[2].split("\0")
        return texts[0], texts[-1]

    @cached_property
    def _has_tail(self) -> bool:
        return split_hdu(self.text)[1] is not None

    @cached_property
    def _depth(self) -> int:
        return split_hdu(self.text)[0].count("/")

    @cached_property
    def _expressions(self) -> tuple[re.Pattern[str], ...]:
        return _compile(self._parts)

    @cached_property
    def _expressions_without_tail(self) -> tuple[re.Pattern[str], ...]:
        return _compile(list(_split(split_hdu(self.text)[0])))

    def _read(self, match: re.Match[str]) -> DataId | None:
        """Return the values of a match; None where a key that is repeated has two."""
        data_id: DataId = {}
        fields = [part for part in self._parts if isinstance(part, _Field)]
        for field_, text in zip(fields, match.groups(), strict=False):
            try:
                value = cast_value(field_.key, field_.read(text), self.keys[field_.key])
            except ValueError:
                return None
            if data_id.setdefault(field_.key, value) != value:
                return None
        return data_id


def _is_unsafe(value: str) -> bool:
    return value.startswith("/") or ".." in value.split("/") or "\0" in value or not value


def _split(text: str) -> Iterator[str | _Field]:
    """Give the literal pieces and the fields of a template."""
    end = 0
    for match in re.finditer("%", text):
        if match.start() < end:
            continue
        conversion = _CONVERSION.match(text, match.start())
        if conversion is None:
            raise ValueError(f"'{text[match.start() : match.start() + 12]}' is not a conversion like %(visit)07d")
        if match.start() > end:
            yield text[end : match.start()]
        end = conversion.end()
        if conversion["percent"]:
            yield "%"
        else:
            width = int((conversion["width"] or "0")[:_DIGITS])
            if max(width, int((conversion["precision"] or "0")[:_DIGITS])) > _WIDEST:
                raise ValueError(f"'{conversion[0][:_SHOWN]}' is wider than the {_WIDEST} characters of a file name")
            yield _Field(conversion["key"], conversion["flags"], width, conversion["char"], conversion[0])
    if end < len(text):
        yield text[end:]


def _compile(parts: Iterable[str | _Field]) -> tuple[re.Pattern[str], ...]:
    """Return the expressions to try: values without ``/``, then values of any kind."""
    strict, loose, seen = "", "", dict[str, int]()
    for number, part in enumerate(part for part in parts if part):
        if isinstance(part, str):
            strict, loose = strict + re.escape(part), loose + re.escape(part)
        elif part.text in seen:
            again = f"((?P=f{seen[part.text]}))"
            strict, loose = strict + again, loose + again
        else:
            seen[part.text] = number
            strict += f"(?P<f{number}>{part.pattern})"
            loose += f"(?P<f{number}>{'.*' if part.char == 's' and part.key not in _SKY_PATTERNS else part.pattern})"
    return tuple(re.compile(text, re.DOTALL) for text in dict.fromkeys((strict, loose)))


@frozen
class DatasetType:
    """One entry of a mapper policy.

    Parameters
    ----------
    name, group : str
        ``calexp`` and ``exposures``, ``images``, ``calibrations`` or ``datasets``.
    template : str or None
        Path under the repository; None where the policy has none.
    python, persistable, storage : str
        As written in the policy; what is stored is decided by ``storage``.
    tables, columns : tuple of str
        Registry tables in which missing keys are looked up, and further columns that a lookup may use.
    reference, reference_columns : tuple of str
        For calibrations: tables that know the observation, and the columns to take from them.
    valid_range : bool
        For calibrations: whether the observation time must be between the two validity columns.
    valid_start, valid_end, observation_time : str
        Names of those columns.
    filter : bool
        Whether a reading sets the filter from the data ID.
    level, recipe, description : str
        As in the policy.
    metadata_keys : tuple of str
        Data ID keys whose values are added to the metadata.
    components : mapping
        For a composite: component name to dataset type.
    input_only : frozenset of str
        Components that are not written.
    subsets : frozenset of str
        Components that are a list of all datasets of the data ID, such as the amplifiers of a detector.
    folder : Path, optional
        Folder that holds the files and says itself which counts, in place of the registry of calibrations.
    path : Path, optional
        File of the entry.
    line : int, optional
        Its line, from 1.
    """

    name: str
    group: str
    template: str | None = None
    python: str = ""
    persistable: str = ""
    storage: str = ""
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    reference_columns: tuple[str, ...] = ()
    valid_range: bool = False
    valid_start: str = "validStart"
    valid_end: str = "validEnd"
    observation_time: str = "taiObs"
    filter: bool = False
    level: str = ""
    recipe: str = ""
    description: str = ""
    metadata_keys: tuple[str, ...] = ()
    components: Mapping[str, str] = field(default_factory=dict)
    input_only: frozenset[str] = frozenset()
    subsets: frozenset[str] = frozenset()
    folder: Path | None = None
    path: Path | None = None
    line: int | None = None

    @cached_property
    def keys(self) -> Mapping[str, type]:
        """The template's keys and their types (int, float or str); empty without a template."""
        return self.compiled.keys if self.template else {}

    @cached_property
    def compiled(self) -> Template:
        """The template of paths, ready to be filled.

        Raises
        ------
        PolicyError
            If the policy has none.
        """
        if not self.template:
            raise PolicyError(
                f"there is no template for the dataset type '{self.name}'; set {self.group}.{self.name}.template",
                path=self.path,
                line=self.line,
            )
        return Template(self.template)

    @property
    def is_calibration(self) -> bool:
        """Whether it lies under the calibration root and is chosen by validity."""
        return self.group == "calibrations"

    def format(self, data_id: Mapping[str, Any], *, may_leave: bool = False) -> str:
        """Return the path relative to the root, with the ``[hdu]`` tail if there is one.

        Parameters
        ----------
        data_id : mapping
            Keys and values.
        may_leave : bool, default: False
            Allow a path that leads out of the repository.

        Raises
        ------
        DataIdError
            If a key is missing, has another type, or leads out of the repository.
        PolicyError
            If the policy has no template.
        """
        try:
            return self.compiled.format(data_id, may_leave=may_leave)
        except DataIdError as error:
            raise DataIdError(f"{self.name}: {error}", data_id=error.data_id, key=error.key) from None

    def parse(self, path: str) -> DataId | None:
        """Return the data ID of a path relative to the root, or None if the template gives no such path.

        Parameters
        ----------
        path : str
            Path relative to the repository.
        """
        return self.compiled.parse(path) if self.template else None


def placed_part(kind: DatasetType, types: Mapping[str, DatasetType]) -> str | None:
    """Return the part of a composite whose file tells that it is there; None of other dataset types.

    Parameters
    ----------
    kind : DatasetType
        The dataset type.
    types : mapping of str to DatasetType
        All of the policy, by name. Of parts that are one dataset each, the one with the most keys is taken.
    """
    whole = [part for name, part in kind.components.items() if name not in kind.subsets and part in types]
    if whole:
        return max(whole, key=lambda part: len(types[part].keys))
    return next(iter(kind.components.values()), None)
