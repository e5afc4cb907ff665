"""A condition on facts in memory."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from obs.errors import ConfigError, DataIdError, ObsError, suggest
from obs.expression.nodes import Comparison, Item, Junction, Measured, Membership, Negation, Node, Pattern, Term
from obs.expression.parse import fault, parse_expression

__all__ = ["Condition", "expression_names"]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


def expression_names(node: Node | None) -> Iterator[Term]:
    """Give the names that a condition uses, from left to right."""
    match node:
        case Junction():
            for part in node.parts:
                yield from expression_names(part)
        case Negation():
            yield from expression_names(node.part)
        case Comparison():
            yield from (term for term in (node.left, node.right) if term.is_name)
        case Membership() | Pattern() | Measured():
            yield node.name


class Condition:
    """A condition such as ``seeing < 0.9 and (band = "r" or airmass < 1.5)``; see `obs.expression.parse`.

    As in databases, a comparison with a value that is not known is neither true nor false, and neither is its opposite.

    Parameters
    ----------
    text : str
        The condition; an empty one is always true.

    Raises
    ------
    ConfigError
        If the text is anything else.

    Examples
    --------
    >>> from obs.expression import Condition
    >>> Condition("seeing < 0.9 and not airmass > 2").holds({"seeing": 0.7, "airmass": 1.2})
    True
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        try:
            self._root = parse_expression(self.text)
        except DataIdError as error:
            raise ConfigError(str(error)) from None

    @property
    def names(self) -> list[str]:
        """Names that the condition uses, each once."""
        return list(dict.fromkeys(str(term.value) for term in expression_names(self._root)))

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Return whether the condition is true.

        Parameters
        ----------
        facts : mapping
            Name to value of what the condition may use.

        Raises
        ------
        ConfigError
            For a name that there is not, or a number that is compared with a text.
        """
        for term in expression_names(self._root):
            if term.value not in facts:
                hint = suggest(str(term.value), facts) or "; text needs quotes"
                problem = f"there is no '{term.text}' to select by{hint}; there are {', '.join(sorted(facts))}"
                raise self._fault(term.place, problem)
        return self._root is None or self._value(self._root, facts) is True

    def _fault(self, place: int, problem: str) -> ObsError:
        return fault(self.text, place, problem, ConfigError)

    def _value(self, node: Node, facts: Mapping[str, Any]) -> bool | None:
        """Return whether a condition is true, or None if that is not known."""
        match node:
            case Junction():
                values = [self._value(part, facts) for part in node.parts]
                decisive = node.word == "or"
                if decisive in values:
                    return decisive
                return None if None in values else not decisive
            case Negation():
                value = self._value(node.part, facts)
                return None if value is None else not value
            case Comparison():
                return self._compare(node.left, node.sign, node.right, facts, node.place)
            case Membership():
                values = [self._is_item(node.name, item, facts) for item in node.items]
                return None if None in values else True in values
            case Pattern():
                return self._is_like(node, facts)
            case Measured():
                return facts[str(node.name.value)] is not None

    def _compare(self, left: Term, sign: str, right: Term, facts: Mapping[str, Any], place: int) -> bool | None:
        one, other = (facts[str(term.value)] if term.is_name else term.value for term in (left, right))
        if one is None or other is None:
            return None
        if isinstance(one, str) != isinstance(other, str):
            number, text = (right, left) if isinstance(one, str) else (left, right)
            raise self._fault(place, f"{number.text} is a number and {text.text} is text; they cannot be compared")
        return bool(_COMPARE[sign](one, other))

    def _is_item(self, name: Term, item: Item, facts: Mapping[str, Any]) -> bool | None:
        if item.high is None:
            return self._compare(name, "=", item.low, facts, item.low.place)
        above = self._compare(name, ">=", item.low, facts, item.low.place)
        below = self._compare(name, "<=", item.high, facts, item.high.place)
        if above is None or below is None:
            return None
        on_step = item.step is None or (facts[str(name.value)] - float(item.low.value)) % item.step == 0
        return above and below and bool(on_step)

    def _is_like(self, node: Pattern, facts: Mapping[str, Any]) -> bool | None:
        value = facts[str(node.name.value)]
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._fault(node.name.place, f"'like' compares text, and '{node.name.text}' is a number")
        parts = (".*" if sign == "%" else "." if sign == "_" else re.escape(sign) for sign in str(node.pattern.value))
        return re.fullmatch("".join(parts), value, re.IGNORECASE | re.DOTALL) is not None
