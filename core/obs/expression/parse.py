"""Conditions as text, read into their parts. Text of a user is never run.

::

    condition   = conjunction ("or" conjunction)*
    conjunction = negation ("and" negation)*
    negation    = "not" negation | "(" condition ")" | comparison
    comparison  = term (("<" | "<=" | ">" | ">=" | "=" | "==" | "!=" | "<>") term)+
                | NAME ["not"] "in" "(" item ("," item)* ")"
                | NAME ["not"] "like" STRING
                | NAME ["not"] "between" value "and" value
                | NAME "is" ["not"] ("measured" | "null" | "none")
    item        = value [".." value [":" STEP]]
    term        = NAME | value
    value       = NUMBER | STRING | "true" | "false"

Words may be in upper case. ``&&``, ``||`` and ``!`` are ``and``, ``or`` and ``not``; a list may have square brackets.
"""

import re
from collections.abc import Iterator

from obs.errors import DataIdError, ObsError
from obs.expression.nodes import Comparison, Item, Junction, Measured, Membership, Negation, Node, Pattern, Term
from obs.frozen import frozen

__all__ = ["fault", "parse_expression"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<string>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<symbol>\.\.|&&|\|\||<=|>=|==|!=|<>|[<>=(),:!\[\]]))",
    re.ASCII,
)
_SIGNS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "=", "==": "=", "!=": "!=", "<>": "!="}
_SYNONYMS = {"and": "&&", "or": "||", "not": "!"}
_UNKNOWN = ("measured", "null", "none")
_TRUTH = {"true": 1.0, "false": 0.0}
_WORDS = frozenset({"and", "or", "not", "in", "like", "between", "is", *_UNKNOWN, *_TRUTH})
_CLOSING = {"(": ")", "[": "]"}
#: Conditions that people write are far shorter and flatter than this.
_LONGEST, _DEEPEST = 4000, 40
_EXAMPLE = "seeing < 0.9 and filter = 'HSC-I'"


def parse_expression(text: str) -> Node | None:
    """Return the parts of a condition; None if the text is empty, which is always true.

    Parameters
    ----------
    text : str
        The condition.

    Raises
    ------
    DataIdError
        If it cannot be understood; the message says at which character.

    Examples
    --------
    >>> from obs.expression import parse_expression
    >>> parse_expression("seeing < 0.9").sign
    '<'
    """
    return _Parser(text).parse() if text.strip() else None


def fault(text: str, place: int, problem: str, kind: type[ObsError] = DataIdError) -> ObsError:
    """Return an error that says where in a condition a problem is.

    Parameters
    ----------
    text : str
        The condition.
    place : int
        Character that is wrong, from 0.
    problem : str
        What is wrong.
    kind : type, optional
        Class of the error.
    """
    return kind(f'cannot read the condition "{text.strip()}" at character {place + 1}: {problem}')


@frozen
class _Token:
    kind: str
    text: str
    place: int


class _Parser:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.position, self.depth = text.strip(), 0, 0
        self.tokens = list(self._split())

    def _split(self) -> Iterator[_Token]:
        if len(self.text) > _LONGEST:
            raise DataIdError(f"the condition has {len(self.text)} characters; at most {_LONGEST} are read")
        start, end = 0, len(self.text)
        while start < end:
            match = _TOKEN.match(self.text, start)
            if match is None:
                rest = self.text[start:].lstrip()
                hint = "; a quote is not closed" if rest[0] in "'\"" else ""
                raise self._fault(f"cannot read '{rest[:20]}'{hint}", end - len(rest))
            kind = str(match.lastgroup)
            yield _Token(kind, match[kind], match.start(kind))
            start = match.end()

    def parse(self) -> Node:
        node = self._condition()
        if self.position < len(self.tokens):
            token = self.tokens[self.position]
            raise self._fault(f"expected 'and', 'or' or the end, got '{token.text}'", token.place)
        return node

    def _condition(self) -> Node:
        parts = [self._conjunction()]
        while self._take_word("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _conjunction(self) -> Node:
        parts = [self._negation()]
        while self._take_word("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _negation(self) -> Node:
        count = 0
        while self._take_word("not"):
            count += 1
        if self._take("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self._fault(f"more than {_DEEPEST} brackets inside each other; write it flatter", self._place())
            node = self._condition()
            self._expect(")")
            self.depth -= 1
        else:
            node = self._comparison()
        return Negation(node) if count % 2 else node

    def _comparison(self) -> Node:
        left = self._term()
        if left.is_name and (node := self._about(left)) is not None:
            return node
        parts: list[Node] = []
        while (token := self._peek()) is not None and token.text in _SIGNS:
            self.position += 1
            right = self._term()
            parts.append(Comparison(left, _SIGNS[token.text], right, token.place))
            left = right
        if not parts:
            raise self._fault(f"expected a comparison after '{left.text}', as in {_EXAMPLE}", self._place())
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _about(self, name: Term) -> Node | None:
        """Return what is said of a name in words; None if that is not in words."""
        negated = self._take_word("not")
        node: Node | None = None
        if self._take_word("in"):
            node = Membership(name, self._items())
        elif self._take_word("like"):
            pattern = self._value()
            if not isinstance(pattern.value, str):
                raise self._fault(f"expected a text in quotes after 'like', got {pattern.text}", pattern.place)
            node = Pattern(name, pattern)
        elif self._take_word("between"):
            low = self._value()
            self._expect_word("and")
            node = Membership(name, (Item(low, self._value()),))
        elif negated:
            raise self._fault("expected 'in', 'like' or 'between' after 'not'", self._place())
        elif self._take_word("is"):
            return self._measured(name)
        return Negation(node) if negated and node is not None else node

    def _measured(self, name: Term) -> Node:
        negated = self._take_word("not")
        for word in _UNKNOWN:
            if self._take_word(word):
                known: Node = Measured(name)
                return known if negated != (word == "measured") else Negation(known)
        raise self._fault("expected 'measured' or 'null' after 'is'; values are compared by =", self._place())

    def _items(self) -> tuple[Item, ...]:
        token = self._peek()
        if token is None or token.text not in _CLOSING:
            raise self._fault("expected '(' after 'in'", self._place())
        self.position += 1
        items = [self._item()]
        while self._take(","):
            items.append(self._item())
        self._expect(_CLOSING[token.text])
        return tuple(items)

    def _item(self) -> Item:
        low = self._value()
        if not self._take(".."):
            return Item(low)
        high = self._value()
        if isinstance(low.value, str) != isinstance(high.value, str):
            raise self._fault(f"{low.text} and {high.text} are not of one type", high.place)
        if not self._take(":"):
            return Item(low, high)
        step = self._value()
        whole = all(isinstance(term.value, float) and term.value.is_integer() for term in (low, high, step))
        if not whole or not float(step.value) > 0:
            raise self._fault("a range with a step has whole numbers, as in 1..9:2", step.place)
        return Item(low, high, int(step.value))

    def _value(self) -> Term:
        term = self._term()
        if term.is_name:
            raise self._fault(f"expected a value, got the name '{term.text}'; text needs quotes", term.place)
        return term

    def _term(self) -> Term:
        token = self._peek()
        if token is None:
            raise self._fault("expected a name or a value, got the end", len(self.text))
        self.position += 1
        if token.kind == "number":
            return Term(float(token.text), False, token.text, token.place)
        if token.kind == "string":
            quote = token.text[0]
            return Term(token.text[1:-1].replace(2 * quote, quote), False, token.text, token.place)
        if token.kind == "name" and token.text.lower() in _TRUTH:
            return Term(_TRUTH[token.text.lower()], False, token.text, token.place)
        if token.kind == "name" and token.text.lower() not in _WORDS:
            return Term(token.text, True, token.text, token.place)
        raise self._fault(f"expected a name or a value, got '{token.text}'", token.place)

    def _peek(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _place(self) -> int:
        token = self._peek()
        return len(self.text) if token is None else token.place

    def _take(self, symbol: str) -> bool:
        found = self._is_symbol(symbol)
        self.position += found
        return found

    def _take_word(self, word: str) -> bool:
        token = self._peek()
        found = token is not None and token.kind == "name" and token.text.lower() == word
        found = found or (word in _SYNONYMS and self._is_symbol(_SYNONYMS[word]))
        self.position += found
        return found

    def _is_symbol(self, symbol: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "symbol" and token.text == symbol

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise self._fault(f"expected '{symbol}'", self._place())

    def _expect_word(self, word: str) -> None:
        if not self._take_word(word):
            raise self._fault(f"expected '{word}'", self._place())

    def _fault(self, problem: str, place: int) -> ObsError:
        return fault(self.text, place, problem)
