"""Conditions that users write: comparisons of names with constants, joined by and, or and not."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from obs.errors import ConfigError, suggest

__all__ = ["Condition"]

_LONGEST = 2000
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class Condition:
    """A condition such as ``seeing < 0.9 and (band == "r" or airmass < 1.5)``.

    The text is parsed and never run: names, numbers, texts, comparisons, and, or, not and parentheses are all there is.

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
        if len(self.text) > _LONGEST:
            raise ConfigError(f"a condition has at most {_LONGEST} characters, this one {len(self.text)}")
        self._root: ast.expr | None = None
        if self.text:
            try:
                self._root = ast.parse(self.text, mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                raise self._fault("cannot be read") from None
            self._check(self._root)

    @property
    def names(self) -> list[str]:
        """Names that the condition uses, each once."""
        nodes = ast.walk(self._root) if self._root is not None else ()
        return list(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Return whether the condition is true; a comparison with a value that is not known is not.

        Raises
        ------
        ConfigError
            For a name that there is not.
        """
        for name in self.names:
            if name not in facts:
                raise ConfigError(
                    f"there is no '{name}' to select by{suggest(name, facts)}; there are {', '.join(sorted(facts))}"
                )
        return self._root is None or bool(self._value(self._root, facts))

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.BoolOp():
                for part in node.values:
                    self._check(part)
            case ast.UnaryOp(op=ast.Not()):
                self._check(node.operand)
            case ast.Compare():
                for part in (node.left, *node.comparators):
                    if not _is_operand(part):
                        raise self._fault("compares something that is neither a name nor a number nor a text")
                if any(type(sign) not in _COMPARE for sign in node.ops):
                    raise self._fault("has a comparison that is none of < <= > >= == !=")
            case _:
                raise self._fault("is not made of comparisons joined by and, or, not")

    def _fault(self, reason: str) -> ConfigError:
        return ConfigError(f"the condition '{self.text}' {reason}; write it like 'seeing < 0.9 and airmass < 1.5'")

    def _value(self, node: ast.expr, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of any type
        match node:
            case ast.BoolOp(op=ast.And()):
                return all(self._value(part, facts) for part in node.values)
            case ast.BoolOp():
                return any(self._value(part, facts) for part in node.values)
            case ast.UnaryOp(op=ast.Not()):
                return not self._value(node.operand, facts)
            case ast.Compare():
                return self._compare(node, facts)
        raise self._fault("cannot be read")

    def _compare(self, node: ast.Compare, facts: Mapping[str, Any]) -> bool:
        values = [_operand(part, facts) for part in (node.left, *node.comparators)]
        try:
            return all(
                value is not None and other is not None and _COMPARE[type(sign)](value, other)
                for sign, value, other in zip(node.ops, values, values[1:], strict=False)
            )
        except TypeError:
            raise self._fault("compares a number with a text") from None


def _is_operand(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant) and type(node.operand.value) in (int, float)
    return isinstance(node, ast.Name) or (
        isinstance(node, ast.Constant) and type(node.value) in (int, float, str, bool)
    )


def _operand(node: ast.expr, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of any type
    if isinstance(node, ast.Name):
        return facts[node.id]
    return ast.literal_eval(node)
