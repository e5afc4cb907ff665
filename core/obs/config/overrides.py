"""What a user's override says, one assignment after another: YAML files, LSST's ``.py`` files, ``name=value``.

A ``.py`` file is read, not run: only assignments of literal values to parts of ``config`` count, and nothing in it can
do anything else.
"""

import ast
import logging
import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from obs.errors import ConfigError, ObsError
from obs.frozen import frozen
from obs.small_file import read_small_file
from obs.yaml_lines import YamlPath, line_of, load_yaml, parse_yaml

__all__ = ["Assignment", "read_override_file", "read_override_text", "setting_name"]

logger = logging.getLogger(__name__)

_OPERATORS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


#: A part of a name as Python writes it, ``plugins["base_PsfFlux"]``; a shell takes the quotes away.
_KEY = re.compile(r"""\[(["']?)([^"'\]]+)\1\]""")


@frozen
class Assignment:
    """One value for one name, and where it was written.

    Attributes
    ----------
    name : tuple of str
        Parts of the dotted name as written.
    value : object
        The value; a mapping may stand for a whole section.
    origin : str
        For people: ``file:line`` or ``-c name=value``.
    path : Path or None
        File; None for ``-c``.
    line : int or None
        Line of the file, from 1; None for ``-c``.
    text : str or None
        The value as typed behind ``-c name=``, for fields that take a text as it is.
    lines : mapping of tuple to int, or None
        Lines of the parts of a mapping, by their path from its top.
    """

    name: tuple[str, ...]
    value: Any
    origin: str
    path: Path | None = None
    line: int | None = None
    text: str | None = None
    lines: Mapping[YamlPath, int] | None = None

    def parts(self) -> Iterator["Assignment"]:
        """Yield one assignment for every key of a mapping value; a key may be a dotted name itself."""
        for key, value in self.value.items():
            below = {path[1:]: line for path, line in (self.lines or {}).items() if path[:1] == (key,)}
            line = below.get((), self.line)
            origin = f"{self.path}:{line}" if self.path is not None and line is not None else self.origin
            yield Assignment((*self.name, *str(key).split(".")), value, origin, self.path, line, lines=below)


def read_override_text(text: str) -> Assignment:
    """Read ``name=value``; the value is a Python or YAML literal, else a text.

    Parameters
    ----------
    text : str
        ``name=value``, as behind ``-c``.

    Raises
    ------
    ConfigError
        Where there is no ``=`` or no name.
    """
    name, equals, value = text.partition("=")
    name = setting_name(name)
    if not equals or not name:
        raise ConfigError(f"cannot read '-c {text}'; write it as -c name=value")
    return Assignment(tuple(name.split(".")), _literal(value.strip()), f"-c {text}", text=value.strip())


def setting_name(written: str) -> str:
    """Return a dotted name, of which parts may be written as Python does: ``plugins["base_PsfFlux"]``.

    Parameters
    ----------
    written : str
        The name as typed.
    """
    return _KEY.sub(r".\2", written.strip())


def _literal(text: str) -> Any:  # noqa: ANN401 - a literal can be of any type
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return parse_yaml(text, error=ConfigError)[0]
    except ConfigError:
        return text


def read_override_file(path: Path) -> list[Assignment]:
    """Read an override file: YAML, or with the ending ``.py`` LSST's ``config.x.y = value`` lines.

    Parameters
    ----------
    path : Path
        File, whose ending decides how it is read.

    Raises
    ------
    ConfigError
        For a file that cannot be read, or a line that is not an assignment of a literal value; names the line.
    """
    if path.suffix == ".py":
        return list(_read_python(path, (), ()))
    data, lines = load_yaml(path, error=ConfigError)
    if data is None:
        return []
    if not isinstance(data, dict):
        raise ConfigError("expected 'name: value' lines", path=path, line=line_of(lines, ()))
    return list(Assignment((), data, str(path), path, lines=lines).parts())


def _read_python(path: Path, prefix: tuple[str, ...], loading: tuple[Path, ...]) -> Iterator[Assignment]:
    if path in loading:
        raise ConfigError("this file loads itself", path=path)
    try:
        tree = ast.parse(read_small_file(path, error=ConfigError))
    except (RecursionError, MemoryError):
        raise ConfigError("invalid Python: nested too deeply", path=path) from None
    except (SyntaxError, ValueError) as problem:
        if isinstance(problem, ObsError):
            raise
        line = getattr(problem, "lineno", None)
        raise ConfigError(f"invalid Python: {getattr(problem, 'msg', problem)}", path=path, line=line) from None
    names = {
        item.asname or item.name: f"{statement.module}:{item.name}"
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom)
        for item in statement.names
    }
    for statement in tree.body:
        target = _read_retarget(statement, path, names)
        if target is None:
            yield from _read_statement(statement, path, prefix, (*loading, path))
        elif target.value is not None:
            yield replace(target, name=(*prefix, *target.name))


def _read_retarget(statement: ast.stmt, path: Path, names: Mapping[str, str]) -> Assignment | None:
    """Read ``config.isr.retarget(NAME)``, where the file imports NAME; return None for any other statement.

    The value is None for a class of the LSST stack, as it is for a name that the file does not import.
    """
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="retarget")) as call):
            section = _config_name(owner)
        case _:
            return None
    if not section:
        return None
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "target")]
    name = given[0].id if given and isinstance(given[0], ast.Name) else ""
    reference = names.get(name)
    line = statement.lineno
    if reference is None or reference.startswith("lsst."):
        logger.warning("%s:%d: ignored: 'retarget' names a class of the LSST stack", path, line)
        reference = None
    return Assignment((*section, "target"), reference, f"{path}:{line}", path, line)


def _read_statement(
    statement: ast.stmt, path: Path, prefix: tuple[str, ...], loading: tuple[Path, ...]
) -> Iterator[Assignment]:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Expr(value=ast.Constant()):
            return
        case ast.Assign(targets=[target], value=value) if (name := _config_name(target)) is not None:
            line = statement.lineno
            yield Assignment((*prefix, *name), _python_value(value, path), f"{path}:{line}", path, line)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="load"), args=[file])) if (
            name := _config_name(owner)
        ) is not None:
            yield from _read_python(_python_path(file, path), (*prefix, *name), loading)
        case _:
            raise ConfigError(
                f"cannot read '{ast.unparse(statement).splitlines()[0]}'; "
                "only lines such as config.isr.do_bias = False are understood",
                path=path,
                line=statement.lineno,
            )


def _config_name(node: ast.expr) -> tuple[str, ...] | None:
    """Return ("a", "name", "b") of ``config.a["name"].b``, None for anything else."""
    match node:
        case ast.Name(id="config" | "root"):
            return ()
        case ast.Attribute(value=owner, attr=name) | ast.Subscript(value=owner, slice=ast.Constant(value=str(name))):
            above = _config_name(owner)
            return None if above is None else (*above, name)
    return None


#: Numbers that Python writes as a call.
_NO_LITERALS = ("nan", "inf", "infinity")


def _python_value(node: ast.expr, path: Path) -> Any:  # noqa: ANN401 - a literal can be of any type
    """Return a literal, ``float("nan")``, or simple arithmetic with numbers such as ``1.5*2.355``."""
    match node:
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(text))], keywords=[]) if (
            text.lower().lstrip("+-") in _NO_LITERALS
        ):
            return float(text)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            numbers = [_python_value(side, path) for side in (left, right)]
            if all(isinstance(number, int | float) for number in numbers):
                try:
                    return _OPERATORS[type(sign)](*numbers)
                except ArithmeticError as problem:
                    raise ConfigError(f"'{ast.unparse(node)}': {problem}", path=path, line=node.lineno) from None
    try:
        return ast.literal_eval(node)
    except ValueError:
        text = ast.unparse(node)
        raise ConfigError(
            f"'{text}' is not a plain value; write a number, text or list", path=path, line=node.lineno
        ) from None


def _python_path(node: ast.expr, path: Path) -> Path:
    """Return the file meant by a literal or by ``os.path.join(os.path.dirname(__file__), ...)``."""
    match node:
        case ast.Constant(value=str(name)):
            return path.parent / name
        case ast.Name(id="__file__"):
            return path
        case ast.Call(func=ast.Attribute(attr="dirname"), args=[inner]):
            return _python_path(inner, path).parent
        case ast.Call(func=ast.Attribute(attr="join"), args=[first, *rest]) if rest:
            names = [_python_value(item, path) for item in rest]
            if all(isinstance(name, str) for name in names):
                return _python_path(first, path).joinpath(*names)
    text = ast.unparse(node)
    raise ConfigError(f"the file '{text}' is ambiguous; name it with -C instead", path=path, line=node.lineno)
