"""Metadata as the stack gives them."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from obs.compat.lsst.daf.base.date_time import DateTime

__all__ = ["DateTime", "PropertyList", "PropertySet"]


class PropertySet:
    """Names and values, such as the cards of a header.

    Parameters
    ----------
    values : mutable mapping, optional
        Kept without a copy, so that what is set here is set there.
    fixed : mapping, optional
        Values that are known besides and are not kept in ``values``; they count where ``values`` has none.
    """

    def __init__(self, values: MutableMapping[str, Any] | None = None, fixed: Mapping[str, Any] | None = None) -> None:
        self._values: MutableMapping[str, Any] = {} if values is None else values
        self._fixed = dict(fixed or {})

    def __len__(self) -> int:
        return len(self.names())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._values or name in self._fixed

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any value of a header
        return self._values[name] if name in self._values else self._fixed[name]

    def __setitem__(self, name: str, value: object) -> None:
        self._values[name] = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.toDict()})"

    def __str__(self) -> str:
        return self.toString()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as dict.get
        """Return a value; ``default`` if there is none."""
        return self._values.get(name, self._fixed.get(name, default))

    def getScalar(self, name: str) -> Any:  # noqa: ANN401 - any value of a header
        """Return a value, as in the LSST stack: the last one where there are several.

        Raises
        ------
        KeyError
            If there is none.
        """
        return self.getArray(name)[-1]

    def getArray(self, name: str) -> list[Any]:
        """Return all values of a name as a list.

        Raises
        ------
        KeyError
            If there is none.
        """
        held = self[name]
        return list(held) if isinstance(held, list) else [held]

    def valueCount(self, name: str | None = None) -> int:
        """Return how many values a name has, or all names."""
        names = list(self) if name is None else [name] if name in self else []
        return sum(len(self.getArray(one)) for one in names)

    def isArray(self, name: str) -> bool:
        """Return whether a name has several values."""
        return name in self and isinstance(self[name], list)

    def setdefault(self, name: str, default: Any) -> Any:  # noqa: ANN401 - any value
        """Return a value; where there is none, set it first."""
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - any value
        """Remove a value and return it; ``default`` if there is none."""
        value = self.get(name, default)
        self.remove(name)
        return value

    def update(self, other: "PropertySet | Mapping[str, Any]") -> None:
        """Set all values of another set."""
        self.combine(other)

    def getAsDouble(self, name: str) -> float:
        """Return a value as a float."""
        return float(self[name])

    def getAsInt(self, name: str) -> int:
        """Return a value as an int."""
        return int(self[name])

    def getAsBool(self, name: str) -> bool:
        """Return a value as a bool."""
        return bool(self[name])

    def getAsString(self, name: str) -> str:
        """Return a value as text."""
        return str(self[name])

    def exists(self, name: str) -> bool:
        """Return whether there is a value."""
        return name in self

    def set(self, name: str, value: object) -> None:
        """Set a value, as in the LSST stack."""
        self[name] = value

    def add(self, name: str, value: object) -> None:
        """Add a value to those that a name has."""
        if name not in self:
            self[name] = value
            return
        held = self[name]
        self[name] = [*held, value] if isinstance(held, list) else [held, value]

    def remove(self, name: str) -> None:
        """Remove a value, as in the LSST stack."""
        self._values.pop(name, None)
        self._fixed.pop(name, None)

    def combine(self, other: "PropertySet | Mapping[str, Any]") -> None:
        """Set all values of another set."""
        for name in other:
            self[name] = other[name]

    def names(self, topLevelOnly: bool = True) -> list[str]:
        """Return all names, in order."""
        return list(dict.fromkeys([*self._values, *self._fixed]))

    paramNames = names
    getOrderedNames = names
    keys = names

    def nameCount(self) -> int:
        """Return how many names there are."""
        return len(self)

    def items(self) -> list[tuple[str, Any]]:
        """Return names with values, as in the LSST stack."""
        return [(name, self[name]) for name in self]

    def toDict(self) -> dict[str, Any]:
        """Return a dict of all values."""
        return dict(self.items())

    def toString(self) -> str:
        """Return one line a value."""
        return "".join(f"{name} = {value!r}\n" for name, value in self.items())

    def deepCopy(self) -> "PropertySet":
        """Return a set of its own with the same values."""
        return type(self)(self.toDict())

    getInt = getLong = getAsInt
    getDouble = getAsDouble
    getBool = getAsBool
    getString = getAsString


class PropertyList(PropertySet):
    """A `PropertySet` whose order counts; ours always does. Comments of cards are not kept."""

    def set(self, name: str, value: object, comment: str = "") -> None:
        """Set a value, as in the LSST stack; the comment is not kept."""
        super().set(name, value)

    def add(self, name: str, value: object, comment: str = "") -> None:
        """Add a value to those that a name has; the comment is not kept."""
        super().add(name, value)

    def getComment(self, name: str) -> str:
        """Return the comment of a card, which is empty: comments are not kept."""
        return ""

    def toOrderedDict(self) -> dict[str, Any]:
        """Return all values in their order."""
        return self.toDict()

    def toList(self) -> list[tuple[str, Any, str]]:
        """Return name, value and an empty comment of every card."""
        return [(name, value, "") for name, value in self.items()]
