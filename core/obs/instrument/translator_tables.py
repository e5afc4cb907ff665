"""What the tables of a translator may hold, checked when its class is made."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Protocol

from obs.errors import suggest
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import UNITS

__all__ = ["FACTS", "PREFIX", "Rule", "SingleRule", "TranslatorTables", "check_tables", "split_rule"]

#: A keyword, or a keyword with the ``unit`` that it is in, the ``default`` where it is missing, and the card ``times``
#: that multiplies it; ``by_comment`` puts a unit of time that the comment of the card names before ``unit``.
SingleRule = str | tuple[str, Mapping[str, Any]]
#: One of these, or a list of them that stand in for each other.
Rule = SingleRule | list[SingleRule]

FACTS = {fact.name: fact for fact in fields(VisitInfo)}
PREFIX = "translate_"
_OPTIONS = ("unit", "default", "times", "by_comment")


class TranslatorTables(Protocol):
    """Tables of a translator; see `obs.instrument.translator.Translator`."""

    columns: ClassVar[Mapping[str, type]]
    unique: ClassVar[Sequence[str]]
    visit: ClassVar[Sequence[str]]
    constants: ClassVar[Mapping[str, Any]]
    translation: ClassVar[Mapping[str, Rule]]
    defaults: ClassVar[Mapping[str, Any]]
    translators: ClassVar[Mapping[str, str]]


def split_rule(rule: SingleRule) -> tuple[str, Mapping[str, Any]]:
    """Return keyword and options of a rule.

    Parameters
    ----------
    rule : str or tuple
        Keyword, or keyword and options.
    """
    return (rule, {}) if isinstance(rule, str) else rule


def check_tables(translator: type[TranslatorTables]) -> None:
    """Check the tables and the methods of a translator.

    Raises
    ------
    TypeError
        As `obs.instrument.translator.Translator` says.
    """
    known = {**translator.columns, **FACTS}
    methods = {name.removeprefix(PREFIX): name for name in dir(translator) if name.startswith(PREFIX)}
    shared = set(translator.translators.values())
    own = [name for name, method in methods.items() if method not in shared]
    tables = {
        "constants": translator.constants,
        "translation": translator.translation,
        "defaults": translator.defaults,
        "translators": translator.translators,
    }
    for table, names in {**tables, "its methods": own, "unique": translator.unique, "visit": translator.visit}.items():
        for name in names:
            if name not in known:
                raise TypeError(
                    f"{translator.__name__}: '{name}' in {table} is neither a column nor a field of VisitInfo"
                    f"{suggest(name, known)}"
                )
    for name, method in translator.translators.items():
        if not callable(getattr(translator, method, None)):
            raise TypeError(
                f"{translator.__name__}: translators names a method {method} for '{name}', which is not there"
            )
    for name, rule in translator.translation.items():
        for choice in rule if isinstance(rule, list) else [rule]:
            _check_rule(translator, name, split_rule(choice)[1])


def _check_rule(translator: type[TranslatorTables], name: str, options: Mapping[str, Any]) -> None:
    for option in options:
        if option not in _OPTIONS:
            raise TypeError(
                f"{translator.__name__}: '{name}' has the option '{option}', not one of {', '.join(_OPTIONS)}"
            )
    unit = options.get("unit")
    if unit is None:
        return
    if unit not in UNITS:
        raise TypeError(f"{translator.__name__}: '{name}' has the unknown unit '{unit}'{suggest(unit, UNITS)}")
    fact = FACTS.get(name)
    if fact is not None and not fact.metadata["comment"].startswith(f"[{UNITS[unit].standard}]"):
        raise TypeError(f"{translator.__name__}: '{name}' is not a quantity in {unit}: {fact.metadata['comment']}")
