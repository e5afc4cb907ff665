"""Conditions on quality metrics as SQL.

The grammar is that of `obs.expression.parse`. Values become bound parameters, so that no text of the user ever reaches
the database as SQL, but for names of columns that are there.
"""

from collections.abc import Mapping, Sequence

from obs.errors import DataIdError, ObsError, suggest
from obs.expression import parse_expression
from obs.expression.nodes import Comparison, Item, Junction, Measured, Membership, Negation, Node, Pattern, Term
from obs.expression.parse import fault
from obs.frozen import frozen

__all__ = ["Clause", "parse_condition"]


@frozen
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
    node = parse_expression(text)
    return Clause("1") if node is None else _Writer(text, columns).clause(node)


def _joined(clauses: Sequence[Clause], word: str) -> Clause:
    """Return clauses with a word between them, in brackets if there are several."""
    if len(clauses) == 1:
        return clauses[0]
    text = f" {word} ".join(clause.sql for clause in clauses)
    return Clause(f"({text})", tuple(value for clause in clauses for value in clause.values))


@frozen
class _Writer:
    """Writes the parts of a condition as SQL."""

    text: str
    columns: Mapping[str, type]

    def clause(self, node: Node) -> Clause:
        match node:
            case Junction():
                return _joined([self.clause(part) for part in node.parts], node.word.upper())
            case Negation():
                inner = self.clause(node.part)
                return Clause(f"NOT ({inner.sql})", inner.values)
            case Comparison():
                sides = [self._term(node.left, node.right), self._term(node.right, node.left)]
                self._check_kinds(node.left, node.right, node.place)
                return _joined(sides, "<>" if node.sign == "!=" else node.sign)
            case Membership():
                return self._membership(node)
            case Pattern():
                column = self._term(node.name)
                if self.columns[node.name.text] is not str:
                    problem = f"'like' compares text, and '{node.name.text}' is a number"
                    raise fault(self.text, node.name.place, problem)
                return _joined([column, self._term(node.pattern)], "LIKE")
            case Measured():
                return Clause(f"{self._term(node.name).sql} IS NOT NULL")

    def _membership(self, node: Membership) -> Clause:
        for item in node.items:
            self._check_kinds(node.name, item.low, item.low.place)
        values = tuple(item.low.value for item in node.items if item.high is None)
        clauses = [self._range(node.name, item, item.high) for item in node.items if item.high is not None]
        if values:
            clauses.append(Clause(f"{self._term(node.name).sql} IN ({', '.join('?' * len(values))})", values))
        return _joined(clauses, "OR")

    def _range(self, name: Term, item: Item, high: Term) -> Clause:
        column = self._term(name)
        self._check_kinds(name, high, high.place)
        between = _joined([column, Clause("? AND ?", (item.low.value, high.value))], "BETWEEN")
        if item.step is None:
            return between
        on_step = Clause(f"(CAST({column.sql} - ? AS INTEGER) % ? = 0)", (item.low.value, item.step))
        return _joined([between, on_step], "AND")

    def _term(self, term: Term, beside: Term | None = None) -> Clause:
        if not term.is_name:
            return Clause("?", (term.value,))
        if term.text in self.columns:
            return Clause(f'"{term.text}"')
        raise self._unknown(term, beside)

    def _unknown(self, term: Term, beside: Term | None) -> ObsError:
        hint = suggest(term.text, self.columns)
        if not hint and beside is not None and beside.place < term.place and beside.text in self.columns:
            hint = f"; text needs quotes: '{term.text}'"
        else:
            hint += "; obs query REPO --list prints all names"
        problem = f"there is no metric '{term.text}' in this output{hint}"
        return DataIdError(str(fault(self.text, term.place, problem)), key=term.text)

    def _check_kinds(self, left: Term, right: Term, place: int) -> None:
        for term in (left, right):
            self._term(term)  # names that there are not come first
        kinds = [self.columns[term.text] if term.is_name else type(term.value) for term in (left, right)]
        if (kinds[0] is str) != (kinds[1] is str):
            number, text = (right, left) if kinds[0] is str else (left, right)
            problem = f"'{number.text}' is a number and {text.text} is text; they cannot be compared"
            raise fault(self.text, place, problem)
