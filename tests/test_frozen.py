"""`frozen` against ``dataclass(frozen=True)``: the same to anybody who uses an object."""

import copy
import dataclasses
import inspect
import math
import pickle
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from obs.frozen import frozen


@frozen
class Plain:
    """Defaults of all kinds."""

    x: int
    y: float = 2.0
    parts: list[int] = field(default_factory=list, compare=False)
    label: str = field(default="none", repr=False, kw_only=True)
    made: dict[str, int] = field(init=False, default_factory=dict, hash=False)
    fixed: int = field(init=False, default=7)
    LIMIT: ClassVar[int] = 3

    @property
    def double(self) -> int:
        """Twice x."""
        return 2 * self.x


@dataclass(frozen=True)
class PlainReference:
    """As `Plain`."""

    x: int
    y: float = 2.0
    parts: list[int] = field(default_factory=list, compare=False)
    label: str = field(default="none", repr=False, kw_only=True)
    made: dict[str, int] = field(init=False, default_factory=dict, hash=False)
    fixed: int = field(init=False, default=7)
    LIMIT: ClassVar[int] = 3


@frozen(kw_only=True)
class Derived(Plain):
    """With a check."""

    z: int = 1

    def __post_init__(self) -> None:
        """Check."""
        if self.z < 0:
            raise ValueError("z is negative")


@frozen
class OwnEquality:
    """Equal to every other."""

    x: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnEquality)

    def __repr__(self) -> str:
        return "own"


@frozen(eq=False)
class OfIdentity:
    """Holds what cannot be compared."""

    x: int


@frozen
class NeverMade:
    """Only its fields are asked for."""

    x: int
    y: int = 3


@frozen
class Unpickled:
    """Made by pickle alone."""

    x: int


def test_as_a_dataclass():
    made: list[tuple[Any, Any]] = [
        (Plain(1), PlainReference(1)),
        (Plain(1, 3.0, [4], label="b"), PlainReference(1, 3.0, [4], label="b")),
        (Plain(y=math.nan, x=2), PlainReference(y=math.nan, x=2)),
    ]
    for ours, reference in made:
        assert repr(ours) == repr(reference).replace("PlainReference", "Plain")
        assert hash(ours) == hash(reference)
        assert dataclasses.asdict(ours) == dataclasses.asdict(reference) or math.isnan(ours.y)
        assert ours == copy.copy(ours)
        assert ours != reference
        assert (ours.__eq__(3)) is NotImplemented
    assert Plain(1) == pickle.loads(pickle.dumps(Plain(1)))  # noqa: S301 - our own bytes
    assert len({ours for ours, _ in made}) == 3
    assert Plain(1) == Plain(1, parts=[5])
    assert Plain(1) != Plain(1, 2.5)
    assert Plain(1).parts is not Plain(1).parts
    assert dataclasses.replace(Plain(1), x=4).double == 8
    assert str(inspect.signature(Plain)) == str(inspect.signature(PlainReference))


@pytest.mark.parametrize(
    "change", [lambda a: setattr(a, "x", 2), lambda a: setattr(a, "new", 2), lambda a: delattr(a, "x")]
)
def test_does_not_change(change):
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot"):
        change(Plain(1))


def test_arguments_that_do_not_fit():
    for values, named in ((), {}), ((1, 2, [], "b"), {}), ((1,), {"q": 2}), ((1,), {"x": 2}):
        with pytest.raises(TypeError, match=r"Plain.__init__\(\) ") as ours:
            Plain(*values, **named)
        with pytest.raises(TypeError) as reference:
            PlainReference(*values, **named)
        assert str(ours.value) == str(reference.value).replace("PlainReference", "Plain")


def test_a_derived_class():
    assert Derived(1, z=3) == Derived(1, 2.0, z=3)
    assert Derived(1) != Plain(1)
    with pytest.raises(ValueError, match="z is negative"):
        Derived(1, z=-1)
    assert [each.name for each in dataclasses.fields(Derived)] == ["x", "y", "parts", "label", "made", "fixed", "z"]


def test_own_methods_stay():
    assert OwnEquality(1) == OwnEquality(2)
    assert repr(OwnEquality()) == "own"
    assert isinstance(hash(OwnEquality(1)), int)


def test_equality_is_identity_if_so_wished():
    one, other = OfIdentity(1), OfIdentity(1)
    assert one != other
    assert len({one, other, one}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        one.x = 2


def test_before_the_first_object():
    assert str(inspect.signature(NeverMade)) == "(x: int, y: int = 3) -> None"
    assert [each.name for each in dataclasses.fields(NeverMade)] == ["x", "y"]
    first = Unpickled.__new__(Unpickled)
    vars(first).update(x=3)  # as pickle does
    assert repr(first) == "Unpickled(x=3)"
    assert first == Unpickled(3)
    assert {first} == {Unpickled(3)}
