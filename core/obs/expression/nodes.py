"""The parts that a condition is made of."""

from typing import Literal

from obs.frozen import frozen

__all__ = ["Comparison", "Item", "Junction", "Measured", "Membership", "Negation", "Node", "Pattern", "Term", "Value"]

Value = float | str


@frozen
class Term:
    """A name or a value.

    Parameters
    ----------
    value : float or str
        The value; of a name, the name.
    is_name : bool
        Whether it is a name.
    text : str
        As it was written.
    place : int
        Number of its first character, from 0.
    """

    value: Value
    is_name: bool
    text: str
    place: int


@frozen
class Item:
    """A value of a list, or a range of numbers ``low..high:step`` with both ends.

    Parameters
    ----------
    low : Term
        The value, or the first one.
    high : Term or None
        The last one of a range.
    step : int or None
        Distance between the numbers of a range; None for all numbers in it, whole or not.
    """

    low: Term
    high: Term | None = None
    step: int | None = None


@frozen
class Comparison:
    """Two terms and ``<``, ``<=``, ``>``, ``>=``, ``=`` or ``!=`` between them.

    Parameters
    ----------
    left : Term
        Term before the operator.
    sign : str
        The operator.
    right : Term
        Term behind the operator.
    place : int
        Number of the operator's first character in the condition, from 0.
    """

    left: Term
    sign: str
    right: Term
    place: int


@frozen
class Membership:
    """A name that is one of several values.

    Parameters
    ----------
    name : Term
        The name.
    items : tuple of Item
        Values and ranges.
    """

    name: Term
    items: tuple[Item, ...]


@frozen
class Pattern:
    """A name whose text is like a pattern: ``%`` is any text, ``_`` any character; case does not count.

    Parameters
    ----------
    name : Term
        The name.
    pattern : Term
        The pattern.
    """

    name: Term
    pattern: Term


@frozen
class Measured:
    """A name that has a value.

    Parameters
    ----------
    name : Term
        The name.
    """

    name: Term


@frozen
class Negation:
    """The opposite of a condition.

    Parameters
    ----------
    part : Node
        The condition that must be false.
    """

    part: "Node"


@frozen
class Junction:
    """Several conditions that must all be true (``and``), or one of them (``or``).

    Parameters
    ----------
    word : {"and", "or"}
        How the parts are joined.
    parts : tuple of Node
        The conditions.
    """

    word: Literal["and", "or"]
    parts: tuple["Node", ...]


Node = Comparison | Membership | Pattern | Measured | Negation | Junction
