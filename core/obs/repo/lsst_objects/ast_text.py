"""Text that the AST library writes of its objects, as the LSST stack keeps WCSs.

References
----------
D. S. Berry, R. F. Warren-Smith and T. Jenness (2016), Astronomy and Computing 15, 33; its `channel.c` writes the text.
"""

import re
from dataclasses import field

from obs.errors import FileFormatError
from obs.frozen import frozen

__all__ = ["AstObject", "parse_ast"]

_LINE = re.compile(r"(\w+)\s*=\s*(.*)")
_MAX_DEPTH = 200


@frozen
class AstObject:
    """One object of the AST library, as text.

    Parameters
    ----------
    kind : str
        Its class, such as ``CmpMap``.
    values : dict of str to float, str or AstObject
        Attributes by their name in lower case.
    """

    kind: str
    values: "dict[str, float | str | AstObject]" = field(default_factory=dict)

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a number, or the default if there is no such attribute.

        Parameters
        ----------
        name : str
            Name of the attribute.
        default : float, default: 0.0
            Value of a missing attribute.

        Raises
        ------
        FileFormatError
            If the attribute is not a number.
        """
        value = self.values.get(name, default)
        if isinstance(value, AstObject | str):
            raise FileFormatError(f"the attribute {name} of a {self.kind} of AST is not a number: {value!r}")
        return value

    def whole(self, name: str, default: int = 0) -> int:
        """Return a whole number, or the default if there is no such attribute.

        Parameters
        ----------
        name : str
            Name of the attribute.
        default : int, default: 0
            Value of a missing attribute.

        Raises
        ------
        FileFormatError
            If the attribute is not a number.
        """
        return int(self.number(name, default))

    def text(self, name: str, default: str = "") -> str:
        """Return an attribute as text, or the default if there is no such attribute.

        Parameters
        ----------
        name : str
            Name of the attribute.
        default : str, default: ""
            Value of a missing attribute.
        """
        return str(self.values.get(name, default))

    def part(self, name: str) -> "AstObject":
        """Return an object that is inside this one.

        Raises
        ------
        FileFormatError
            If there is none of this name.
        """
        value = self.values.get(name)
        if not isinstance(value, AstObject):
            raise FileFormatError(f"a {self.kind} of AST has no part {name}")
        return value


def parse_ast(text: str) -> AstObject:
    """Read the first object in a text.

    Parameters
    ----------
    text : str
        Dump of an AST object, between the lines Begin and End.

    Raises
    ------
    FileFormatError
        If there is none, or it ends too early.
    """
    start = text.find("Begin ")
    if start < 0:
        raise FileFormatError("there is no object of AST")
    stack: list[AstObject] = []
    name = ""
    for line in text[start:].splitlines():
        words = line.strip()
        if not words or words.startswith(("#", "IsA ")):
            continue
        if words.startswith("Begin "):
            made = AstObject(words.split()[1])
            if stack:
                stack[-1].values[name] = made
            stack.append(made)
            if len(stack) > _MAX_DEPTH:
                raise FileFormatError(f"an object of AST is nested more than {_MAX_DEPTH} deep")
        elif words.startswith("End "):
            done = stack.pop()
            if not stack:
                return done
        elif match := _LINE.match(words):
            name = match[1].lower()
            if match[2]:
                stack[-1].values[name] = _value(match[2])
    raise FileFormatError("an object of AST ends too early")


def _value(text: str) -> float | str:
    if text.startswith('"'):
        return text[1:].split('"')[0]
    try:
        return float(text.split()[0])
    except ValueError:
        return text.strip()
