"""Conditions on quality metrics, such as ``seeing < 0.9 and filter = 'HSC-I'``, as users type them.

A condition is parsed into comparisons of known columns with values. It becomes a SQL clause whose values are bound
parameters, so that no text of the user ever reaches the database as SQL, but for names of columns that are there::

    condition  = conjunction ("or" conjunction)*
    conjunction = negation ("and" negation)*
    negation   = "not" negation | "(" condition ")" | comparison
    comparison = term (("<" | "<=" | ">" | ">=" | "=" | "==" | "!=" | "<>") term)+
               | NAME ["not"] "in" "(" value ("," value)* ")"
               | NAME ["not"] "like" STRING
               | NAME ["not"] "between" value "and" value
               | NAME "is" ["not"] "measured"
    term       = NAME | value
    value      = NUMBER | STRING
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from obs.errors import DataIdError, suggest

__all__ = ["Clause", "parse_condition"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<string>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<symbol><=|>=|==|!=|<>|[<>=(),]))",
    re.ASCII,
)
_COMPARISONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "=", "==": "=", "!=": "<>", "<>": "<>"}
_WORDS = frozenset({"and", "or", "not", "in", "like", "between", "is", "measured"})
#: Conditions that people write are far shorter and flatter than this.
_LONGEST, _DEEPEST = 4000, 40
_EXAMPLE = "seeing < 0.9 and filter = 'HSC-I'"


@dataclass(frozen=True)
class Clause:
    """A condition, or part of one, as SQL.

    Attributes
    ----------
    sql : str
        With a ``?`` for each value.
    values : tuple of float or str
        What is bound to them, in order.
    """

    sql: str
    values: tuple[float | str, ...] = ()


def _joined(clauses: Sequence[Clause], word: str) -> Clause:
    """Return clauses with a word between them, in brackets if there are several."""
    if len(clauses) == 1:
        return clauses[0]
    text = f" {word} ".join(clause.sql for clause in clauses)
    return Clause(f"({text})", tuple(value for clause in clauses for value in clause.values))


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class _Term:
    """A column or a value, with its type."""

    clause: Clause
    kind: type
    text: str
    is_column: bool


def parse_condition(text: str, columns: Mapping[str, type]) -> Clause:
    """Return a condition as a SQL clause with bound values.

    Parameters
    ----------
    text : str
        The condition; an empty one is always true.
    columns : mapping of str to type
        Names of the columns that it may use, with int, float or str.

    Raises
    ------
    DataIdError
        If it cannot be understood, or names an unknown column; the message says where.
    """
    if not text.strip():
        return Clause("1")
    return _Parser(text, columns).parse()


class _Parser:
    """Reads a condition from left to right."""

    def __init__(self, text: str, columns: Mapping[str, type]) -> None:
        self.text, self.columns, self.position, self.depth = text, columns, 0, 0
        self.tokens = list(self._split())

    def _split(self) -> Any:  # noqa: ANN401 - an iterator of tokens
        if len(self.text) > _LONGEST:
            raise DataIdError(f"the condition has {len(self.text)} characters; at most {_LONGEST} are read")
        start, end = 0, len(self.text.rstrip())
        while start < end:
            match = _TOKEN.match(self.text, start)
            if match is None:
                raise self._fault(f"cannot read '{self.text[start:end].strip()[:20]}'", start)
            kind = str(match.lastgroup)
            yield _Token(kind, match[kind], match.start(kind))
            start = match.end()

    def parse(self) -> Clause:
        clause = self._condition()
        if self.position < len(self.tokens):
            token = self.tokens[self.position]
            raise self._fault(f"expected 'and', 'or' or the end, got '{token.text}'", token.place)
        return clause

    def _condition(self) -> Clause:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise DataIdError(f"the condition has more than {_DEEPEST} brackets inside each other; write it flatter")
        parts = [self._conjunction()]
        while self._take_word("or"):
            parts.append(self._conjunction())
        self.depth -= 1
        return _joined(parts, "OR")

    def _conjunction(self) -> Clause:
        parts = [self._negation()]
        while self._take_word("and"):
            parts.append(self._negation())
        return _joined(parts, "AND")

    def _negation(self) -> Clause:
        count = 0
        while self._take_word("not"):
            count += 1
        if self._take("("):
            clause = self._condition()
            self._expect(")")
        else:
            clause = self._comparison()
        return self._maybe_not(clause, count % 2 == 1)

    def _comparison(self) -> Clause:
        left = self._term()
        if left.is_column:
            negated = self._take_word("not")
            if self._take_word("in"):
                return self._maybe_not(self._membership(left), negated)
            if self._take_word("like"):
                return self._maybe_not(_joined([left.clause, self._value(left, str).clause], "LIKE"), negated)
            if self._take_word("between"):
                low = self._value(left)
                self._expect_word("and")
                bounds = Clause("? AND ?", low.clause.values + self._value(left).clause.values)
                return self._maybe_not(_joined([left.clause, bounds], "BETWEEN"), negated)
            if negated:
                raise self._fault("expected 'in', 'like' or 'between' after 'not'", self._place())
            if self._take_word("is"):
                wanted = not self._take_word("not")
                self._expect_word("measured")
                return Clause(f"{left.clause.sql} IS {'NOT ' if wanted else ''}NULL")
        clauses = []
        while (token := self._peek()) is not None and token.text in _COMPARISONS:
            self.position += 1
            right = self._term()
            self._check_kinds(left, right, token.place)
            clauses.append(_joined([left.clause, right.clause], _COMPARISONS[token.text]))
            left = right
        if not clauses:
            raise self._fault(f"expected a comparison after '{left.text}', as in {_EXAMPLE}", self._place())
        return _joined(clauses, "AND")

    def _membership(self, left: _Term) -> Clause:
        self._expect("(")
        values = self._value(left).clause.values
        while self._take(","):
            values += self._value(left).clause.values
        self._expect(")")
        return Clause(f"{left.clause.sql} IN ({', '.join('?' * len(values))})", values)

    def _value(self, like: _Term, kind: type | None = None) -> _Term:
        """Return the next value, of the type of a column."""
        place = self._place()
        value = self._term()
        if value.is_column:
            raise self._fault(f"expected a value, got the column '{value.text}'", place)
        self._check_kinds(like, value, place)
        if kind is not None and like.kind is not kind:
            raise self._fault(f"'like' compares text, and '{like.text}' is a number", place)
        return value

    def _term(self) -> _Term:
        token = self._peek()
        if token is None:
            raise self._fault("expected a metric or a value, got the end", len(self.text))
        self.position += 1
        if token.kind == "number":
            return _Term(Clause("?", (float(token.text),)), float, token.text, False)
        if token.kind == "string":
            quote = token.text[0]
            value = token.text[1:-1].replace(2 * quote, quote)
            return _Term(Clause("?", (value,)), str, token.text, False)
        if token.kind == "name" and token.text.lower() not in _WORDS:
            if token.text not in self.columns:
                raise self._unknown(token)
            return _Term(Clause(f'"{token.text}"'), self.columns[token.text], token.text, True)
        raise self._fault(f"expected a metric or a value, got '{token.text}'", token.place)

    def _unknown(self, token: _Token) -> DataIdError:
        hint = suggest(token.text, self.columns)
        before = self.tokens[self.position - 2].text if self.position > 1 else ""
        if before in _COMPARISONS and not hint:
            hint = f"; text needs quotes: '{token.text}'"
        else:
            hint += "; obs query REPO --list prints all names"
        return DataIdError(f"there is no metric '{token.text}'{hint}", key=token.text)

    def _check_kinds(self, left: _Term, right: _Term, place: int) -> None:
        if (left.kind is str) != (right.kind is str):
            number, text = (right, left) if left.kind is str else (left, right)
            raise self._fault(f"'{number.text}' is a number and {text.text} is text; they cannot be compared", place)

    def _peek(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _place(self) -> int:
        token = self._peek()
        return len(self.text) if token is None else token.place

    def _take(self, symbol: str) -> bool:
        token = self._peek()
        found = token is not None and token.kind == "symbol" and token.text == symbol
        self.position += found
        return found

    def _take_word(self, word: str) -> bool:
        token = self._peek()
        found = token is not None and token.kind == "name" and token.text.lower() == word
        self.position += found
        return found

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise self._fault(f"expected '{symbol}'", self._place())

    def _expect_word(self, word: str) -> None:
        if not self._take_word(word):
            raise self._fault(f"expected '{word}'", self._place())

    @staticmethod
    def _maybe_not(clause: Clause, negated: bool) -> Clause:
        return Clause(f"NOT ({clause.sql})", clause.values) if negated else clause

    def _fault(self, problem: str, place: int) -> DataIdError:
        return DataIdError(f'cannot read the condition "{self.text}" at character {place + 1}: {problem}')
