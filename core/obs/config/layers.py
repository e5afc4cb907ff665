"""A configuration put together from layers, each value remembering where it comes from.

The order is the caller's: first `ConfigLayers.load` of the camera's file, then the user's ``-C`` and ``-c`` strictly
left to right. A later layer wins. Everything is validated together by `ConfigLayers.build`, so two settings that only
make sense together may be set one after the other.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from obs.config.base import TaskConfig
from obs.config.lsst_absent import reason_of_absence
from obs.config.overrides import Assignment, read_override_file, read_override_text
from obs.config.schema import comment, describe_type, iterate_fields, one_line_text
from obs.errors import ConfigError, suggest
from obs.frozen import frozen

__all__ = ["IN_THIS_CASE", "ConfigLayers"]

#: Behind a pattern: upper and lower case differ.
IN_THIS_CASE = ":NOIGNORECASE"

C = TypeVar("C", bound=TaskConfig)
Name = tuple[str, ...]


@frozen
class _Setting:
    """An assignment to a field that exists."""

    name: Name
    field: Name
    assignment: Assignment

    @property
    def dotted(self) -> str:
        return ".".join(self.name)

    @property
    def spelled(self) -> str:
        """The name in the message, with the user's own spelling where that is another."""
        written = ".".join(self.assignment.name)
        return self.dotted if written == self.dotted else f"{self.dotted} (written {written})"


class ConfigLayers(Generic[C]):
    """Layers of settings for one configuration class.

    Parameters
    ----------
    config_class : type
        Class of the configuration; it can be made without arguments, which gives the first layer.
    aliases : mapping of str to str, optional
        Other spellings of settings: dotted name to ours, see `obs.config.lsst_names`.

    Raises
    ------
    ValueError
        If an alias stands for a setting that does not exist.
    """

    def __init__(self, config_class: type[C], aliases: Mapping[str, str] | None = None) -> None:
        self.config_class = config_class
        self._fields: dict[Name, FieldInfo] = {
            tuple(name.split(".")): field for name, field in iterate_fields(config_class)
        }
        self._sections = {name[:end] for name in self._fields for end in range(len(name))}
        self._aliases = {tuple(alias.split(".")): tuple(name.split(".")) for alias, name in (aliases or {}).items()}
        if astray := sorted(".".join(name) for name in self._aliases.values() if name not in self._fields):
            raise ValueError(
                f"{config_class.__name__} has no settings with the names of these aliases: {', '.join(astray)}"
            )
        self._alias_sections = {alias[:end] for alias in self._aliases for end in range(1, len(alias))}
        self._settings: list[_Setting] = []

    def load(self, path: Path | str, *, section: str | None = None) -> None:
        """Add the settings of a file, YAML or LSST's ``.py``, as the next layer.

        Parameters
        ----------
        path : Path or str
            The file.
        section : str, optional
            Take only this section of it: the file is one for a task of which another one has a part.

        Raises
        ------
        ConfigError
            For a file that cannot be read or that sets what does not exist; names file, line and field.
        """
        for assignment in read_override_file(Path(path)):
            if section is None or assignment.name[0] == section:
                self._add(assignment)

    def find_faults(self, path: Path | str) -> list[ConfigError]:
        """Return every fault of a file, of which what is right becomes the next layer.

        Parameters
        ----------
        path : Path or str
            The file, as for `load`.
        """
        faults: list[ConfigError] = []
        try:
            assignments = list(read_override_file(Path(path)))
        except ConfigError as error:
            return [error]
        for assignment in assignments:
            faults += self._add_sound(assignment)
        while True:
            try:
                self.build()
            except ConfigError as error:
                faults.append(error)
                kept = [item for item in self._settings if ".".join(item.field) != error.field]
                if len(kept) == len(self._settings):
                    return faults  # a rule that joins several settings
                self._settings = kept
            else:
                return faults

    def set(self, text: str) -> None:
        """Add one ``name=value`` as the next layer.

        Parameters
        ----------
        text : str
            ``name=value``, as behind ``-c``.

        Raises
        ------
        ConfigError
            Where the text has no ``=``, or the setting does not exist.
        """
        self._add(read_override_text(text))

    def set_value(self, name: str, value: object) -> None:
        """Add one setting with a Python value as the next layer.

        Parameters
        ----------
        name : str
            Dotted name of the setting.
        value : object
            Its value.

        Raises
        ------
        ConfigError
            If the setting does not exist.
        """
        self._add(Assignment(tuple(name.split(".")), value, f"{name}={value!r}"))

    def get(self, name: str) -> object:
        """Return the value that a setting has after all layers.

        Parameters
        ----------
        name : str
            Its dotted name, or an alias.

        Raises
        ------
        ConfigError
            If there is no such setting, or a value is wrong.
        """
        written = tuple(name.split("."))
        field = self._aliases.get(written, written)
        if field not in self._fields:
            raise ConfigError(self._unknown(written), field=name)
        return _look_up(self.build(), field)

    def is_section(self, name: str) -> bool:
        """Whether settings, or their aliases, have names that begin with this one."""
        written = tuple(name.split("."))
        return written in self._sections or (written in self._alias_sections and written not in self._fields)

    def names(self) -> Iterator[str]:
        """Yield the dotted names of all settings, without aliases."""
        yield from (".".join(name) for name in self._fields)

    def _add(self, assignment: Assignment) -> None:
        """Record an assignment, that of a section as one for each of its parts."""
        written = assignment.name
        if written in self._aliases:
            name = self._aliases[written]
            self._settings.append(_Setting(name, name, assignment))
            return
        field = next((written[:end] for end in range(1, len(written) + 1) if written[:end] in self._fields), None)
        if field is not None and (field == written or _takes_keys(self._fields[field])):
            self._settings.append(_Setting(written, field, assignment))
        elif written in self._sections or written in self._alias_sections:
            if assignment.value is None:
                return
            if not isinstance(assignment.value, dict):
                dotted = ".".join(written)
                reason = reason_of_absence(dotted) if self._aliases else None
                message = f"this setting of LSST has no counterpart, {reason}; leave it out" if reason else ""
                raise self._error(f"{dotted}: {message or 'is a section; set its parts by name'}", assignment)
            for part in assignment.parts():
                self._add(part)
        else:
            raise self._error(self._unknown(written), assignment)

    def _add_sound(self, assignment: Assignment) -> Iterator[ConfigError]:
        """Record an assignment, or those of its parts that can be; yield what is wrong with the others."""
        if assignment.name in self._sections and isinstance(assignment.value, dict):
            for part in assignment.parts():
                yield from self._add_sound(part)
            return
        try:
            self._add(assignment)
        except ConfigError as error:
            yield error

    def _unknown(self, written: Name) -> str:
        dotted = ".".join(written)
        beside = [name[-1] for name in (*self._fields, *self._aliases) if name[-2:-1] == written[-2:-1]]
        is_slip = bool(get_close_matches(written[-1], beside, n=1, cutoff=0.85))
        if self._aliases and not is_slip and (reason := reason_of_absence(dotted)):
            return f"{dotted}: this setting of LSST has no counterpart, {reason}; leave it out"
        names = [".".join(name) for name in (*self._fields, *self._sections, *self._aliases)]
        same_end = [".".join(name) for name in self._fields if name[-1] == written[-1]]
        # of the settings with this last name, the one whose section is most like that which was written
        near = get_close_matches(dotted, same_end, n=1, cutoff=0.55) if len(written) > 1 else same_end
        hint = f"; did you mean '{near[0]}'?" if near else suggest(dotted, names)
        if not hint:
            section = max((name for name in self._sections if written[: len(name)] == name), key=len)
            parts = dict.fromkeys(name[len(section)] for name in self._fields if name[: len(section)] == section)
            hint = f"; {'.'.join(section) or 'the configuration'} has {', '.join(parts)}"
        return f"{dotted}: there is no such setting{hint}"

    def build(self) -> C:
        """Return the configuration, validated as a whole.

        Raises
        ------
        ConfigError
            For the first value of the wrong type or out of range: field, what it wants, what it got, and where it was
            set.
        """
        tree = self.config_class().model_dump()
        for setting in self._settings:
            value = setting.assignment.value
            if setting.assignment.text is not None and self._wants_text(setting, value):
                value = setting.assignment.text
            self._place(tree, setting, value)
        try:
            return self.config_class.model_validate(tree)
        except ValidationError as problem:
            raise self._explain(problem) from None

    def _wants_text(self, setting: _Setting, value: object) -> bool:
        """Whether a value typed behind ``-c`` fits its field only as the text that it is."""
        if setting.name != setting.field or isinstance(value, str):
            return False
        adapter: TypeAdapter[object] = TypeAdapter(cast(type, self._fields[setting.field].annotation))
        return not _fits(adapter, value) and _fits(adapter, setting.assignment.text)

    def _place(self, tree: dict[str, Any], setting: _Setting, value: object) -> None:
        below = tree
        for part in setting.name[:-1]:
            inner = below.get(part)
            if inner is None:
                inner = {}
            if not isinstance(inner, dict):
                raise self._error(f"{setting.spelled}: '{part}' holds {one_line_text(inner)}", setting.assignment)
            below[part] = dict(inner)
            below = below[part]
        below[setting.name[-1]] = value

    def _explain(self, problem: ValidationError) -> ConfigError:
        """Turn pydantic's report into one line about the first wrong value."""
        first = problem.errors()[0]
        location = tuple(str(part) for part in first["loc"])
        field = next((location[:end] for end in range(len(location), 0, -1) if location[:end] in self._fields), None)
        if field is None:  # a rule that joins several fields
            setting = next((item for item in reversed(self._settings) if item.name[: len(location)] == location), None)
            prefix = ".".join(location)
            text = re.sub(r"^(Value|Assertion) error, ", "", first["msg"])
            return self._error(f"{prefix}: {text}" if prefix else text, setting.assignment if setting else None)
        setting = next((item for item in reversed(self._settings) if _meets(item.name, location)), None)
        name = setting.spelled if setting else ".".join(field)
        if first["type"] in ("value_error", "assertion_error"):
            text = f"{name}: {re.sub(r'^(Value|Assertion) error, ', '', first['msg'])}, got {_shown(first['input'])}"
        elif setting is not None and setting.name == field:
            text = f"{name}: expected {describe_type(self._fields[field])}, got {_shown(setting.assignment.value)}"
        else:
            text = f"{name}: {first['msg']}, got {_shown(first['input'])}"
        return self._error(text, setting.assignment if setting else None, ".".join(field))

    def _error(self, text: str, assignment: Assignment | None, field: str | None = None) -> ConfigError:
        if assignment is None:
            return ConfigError(text, field=field)
        if assignment.path is None:
            text = f"{text} (set by {assignment.origin})"
        return ConfigError(text, field=field or ".".join(assignment.name), path=assignment.path, line=assignment.line)

    def show(self, pattern: str = "*") -> str:
        """Return ``name=value`` of every setting that matches, each below its description.

        Parameters
        ----------
        pattern : str, default: "*"
            Shell pattern for the dotted name or its LSST spelling, in any case unless ``:NOIGNORECASE`` is behind it;
            ``config.`` in front is optional.

        Raises
        ------
        ConfigError
            If nothing matches, or a value is wrong.
        """
        config = self.build()
        lines = []
        for name in self._matching(pattern):
            lines += [
                f"# {comment(self._fields[name])}",
                f"{'.'.join(name)}={one_line_text(_look_up(config, name))}",
                "",
            ]
        return "\n".join(lines)

    def history(self, pattern: str = "*") -> str:
        """Return all values that every matching setting was given, in order, with where each was set.

        See `show` for ``pattern`` and what is raised.

        Parameters
        ----------
        pattern : str, default: "*"
            Shell pattern for full names of settings.
        """
        default = self.config_class()
        lines = []
        for name in self._matching(pattern):
            lines.append(".".join(name))
            rows = [(one_line_text(_look_up(default, name)), "default")]
            for item in self._settings:
                if item.field == name:
                    key = f"{'.'.join(item.name[len(name) :])}=" if item.name != name else ""
                    written = ".".join(item.assignment.name)
                    note = "" if written == item.dotted or not item.assignment.path else f" (written {written})"
                    rows.append((key + one_line_text(item.assignment.value), item.assignment.origin + note))
            width = max(len(value) for value, _ in rows)
            lines += [f"  {value:{width}}  {origin}" for value, origin in rows]
        return "\n".join(lines) + "\n"

    def _matching(self, pattern: str) -> Iterator[Name]:
        wanted, exact, _ = pattern.removeprefix("config.").partition(IN_THIS_CASE)
        fold = str if exact else str.lower
        wanted_name = fold(wanted) or "*"
        spellings: dict[Name, list[str]] = {name: [".".join(name)] for name in self._fields}
        for alias, name in self._aliases.items():
            spellings[name].append(".".join(alias))
        found = [
            name for name, words in spellings.items() if any(fnmatchcase(fold(word), wanted_name) for word in words)
        ]
        if not found:
            raise ConfigError(f"no setting matches '{pattern}'{suggest(wanted, ('.'.join(n) for n in self._fields))}")
        yield from found


def _takes_keys(field: FieldInfo) -> bool:
    """Whether a field is a mapping, whose items may be set one by one."""
    return any(
        (get_origin(kind) or kind) in (dict, Mapping) for kind in (field.annotation, *get_args(field.annotation))
    )


def _fits(adapter: TypeAdapter[object], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def _meets(name: Name, location: Name) -> bool:
    """Whether one of two names begins with the other."""
    return all(a == b for a, b in zip(name, location, strict=False))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _look_up(config: BaseModel, name: Name) -> object:
    value: object = config
    for part in name:
        value = getattr(value, part)
    return value
