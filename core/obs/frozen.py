"""Frozen dataclasses that cost little where they are defined.

``@dataclass(frozen=True)`` compiles up to six methods for each class. A process that works on one image defines two
hundred of them and needs few, so that this took a fifth of its imports. Under `frozen` they share the methods of this
file, but for ``__init__``, which is compiled when the first object of a class is made.
"""

import dataclasses
import functools
import reprlib
import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

__all__ = ["frozen"]

T = TypeVar("T")

_lock = threading.Lock()


class _New:
    """Stands in signatures for a value that is made for each object."""

    def __repr__(self) -> str:
        return "<factory>"


_NEW = _New()


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, kw_only: bool = False, eq: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field, dataclasses.Field))
def frozen(
    cls: type[T] | None = None, /, *, kw_only: bool = False, eq: bool = True
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class a dataclass whose objects cannot be changed, as ``dataclass(frozen=True)`` does.

    Parameters
    ----------
    cls : type
        The class; its fields are those of any dataclass, but for ``InitVar``.
    kw_only : bool, optional
        Whether values are given by name only.
    eq : bool, optional
        Whether objects are equal if their values are. Else an object equals itself only, as those that hold arrays do.
    """
    make = functools.partial(_make, kw_only=kw_only, eq=eq)
    return make if cls is None else make(cls)


def _make(cls: type[T], *, kw_only: bool, eq: bool) -> type[T]:
    dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
    own = vars(cls)
    for name, method in (_METHODS | _EQUALITY if eq else _METHODS).items():
        # a class that defines __eq__ has __hash__ = None, which Python has put there
        if name not in own or (name == "__hash__" and own[name] is None):
            setattr(cls, name, method)
    return cls


def _init(self: object, *values: object, **named: object) -> None:
    """Compile the ``__init__`` of a class, and call it."""
    for cls in type(self).__mro__:
        if vars(cls).get("__init__") is _init:
            _complete(cls)
            cls.__init__(self, *values, **named)  # type: ignore[misc]
            return
    # another thread was faster
    self.__init__(*values, **named)  # type: ignore[misc]


def _complete(cls: Any) -> None:  # noqa: ANN401 - any class
    with _lock:
        if vars(cls).get("__init__") is _init:
            cls.__init__ = _compile(cls)


def _compile(cls: Any) -> Callable[..., None]:  # noqa: ANN401
    """Return the ``__init__`` of a class; parameters that are given by name only come last."""
    known: dict[str, object] = {"_set": object.__setattr__, "_NEW": _NEW}
    parameters: tuple[list[str], list[str]] = [], []
    lines: list[str] = []
    for field in dataclasses.fields(cls):
        name, value, makes = field.name, field.name, field.default_factory is not dataclasses.MISSING
        known[f"_default_{name}"] = _NEW if makes else field.default
        known[f"_make_{name}"] = field.default_factory
        if makes:
            value = f"_make_{name}() if {name} is _NEW else {name}" if field.init else f"_make_{name}()"
        if field.init:
            optional = makes or field.default is not dataclasses.MISSING
            parameters[bool(field.kw_only)].append(f"{name}=_default_{name}" if optional else name)
        if field.init or makes:
            lines.append(f"_set(self, {name!r}, {value})")
    lines += ["self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    by_name = ["*", *parameters[1]] if parameters[1] else []
    body = "".join(f"\n {line}" for line in lines or ["pass"])
    exec(f"def __init__({', '.join(['self', *parameters[0], *by_name])}):{body}", known)  # noqa: S102 - names of fields
    init: Any = known["__init__"]
    init.__module__, init.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    init.__annotations__ = {field.name: field.type for field in dataclasses.fields(cls) if field.init} | {
        "return": None
    }
    return init  # type: ignore[no-any-return]


class _Signature:
    """Lets ``inspect.signature`` find the compiled ``__init__``."""

    def __get__(self, instance: object, owner: type) -> None:
        """Compile it; None says to look there."""
        _complete(owner)


@functools.cache
def _compared(cls: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(field.name for field in dataclasses.fields(cls) if field.compare)


@functools.cache
def _hashed(cls: Any) -> tuple[str, ...]:  # noqa: ANN401
    fields = dataclasses.fields(cls)
    return tuple(field.name for field in fields if (field.compare if field.hash is None else field.hash))


def _eq(self: Any, other: Any) -> Any:  # noqa: ANN401 - NotImplemented, too
    if other.__class__ is not self.__class__:
        return NotImplemented
    names = _compared(self.__class__)
    return tuple(getattr(self, name) for name in names) == tuple(getattr(other, name) for name in names)


def _hash(self: Any) -> int:  # noqa: ANN401
    return hash(tuple(getattr(self, name) for name in _hashed(self.__class__)))


@reprlib.recursive_repr()
def _repr(self: Any) -> str:  # noqa: ANN401
    values = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in values)})"


def _setattr(self: object, name: str, value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


_METHODS: dict[str, Any] = {
    "__init__": _init,
    "__repr__": _repr,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__signature__": _Signature(),
}
_EQUALITY: dict[str, Any] = {"__eq__": _eq, "__hash__": _hash}
