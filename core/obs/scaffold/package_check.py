"""Everything that can be wrong with a camera's package, with the place and how to mend it."""

import ast
import importlib
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from obs.errors import PluginError, place, suggest
from obs.instrument.discovery import GROUP, load_instrument
from obs.scaffold.instrument_check import Problem, check_instrument, origin_of

__all__ = ["check_package"]


def check_package(what: str) -> list[Problem]:
    """Check a camera's package; nothing need be installed.

    Parameters
    ----------
    what : str
        Name of an installed camera, or the folder of a package: the one with ``pyproject.toml``, or the Python package.

    Returns
    -------
    list of Problem
        What is wrong; empty if nothing is.

    Raises
    ------
    PluginError
        If there is no such package.
    """
    folder = Path(what).expanduser()
    if not folder.is_dir():
        return _check_installed(what)
    points, problems = _entry_points(folder)
    for name, reference, declared in points:
        module = reference.partition(":")[0]
        nested = (folder / module.partition(".")[0]).is_dir() or (folder / "pyproject.toml").is_file()
        problems += _check_reference(name, reference, declared, folder if nested else folder.parent)
    return problems


def _check_installed(name: str) -> list[Problem]:
    points = entry_points(group=GROUP, name=name)
    if len({point.value for point in points}) != 1:
        try:
            load_instrument(name)
        except PluginError as error:
            if points:
                return [Problem("entry point", str(error))]
            raise PluginError(f"{error}; or give the folder of a package", plugin=name) from None
    point = next(iter(points))
    spec = find_spec(point.module.partition(".")[0])
    if spec is None or spec.origin is None:
        origin = "" if point.dist is None else f" of {point.dist.name}=={point.dist.version}"
        message = f"{name} = '{point.value}'{origin}: there is no package {point.module}; install it again"
        return [Problem("entry point", message)]
    return _check_module(name, point.value, Path(spec.origin).parent, declared="")


def _entry_points(folder: Path) -> tuple[list[tuple[str, str, str]], list[Problem]]:
    """Return name, reference and place of the cameras that a folder declares."""
    candidates = (folder / "pyproject.toml", folder.parent / "pyproject.toml")
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        if (folder / "__init__.py").is_file() and folder.name.startswith("obs_"):
            return [(folder.name.removeprefix("obs_"), f"{folder.name}:instrument", "")], []
        raise PluginError(f"{folder} is no package of a camera: it has no pyproject.toml and no __init__.py")
    try:
        text = path.read_text(encoding="utf-8")
        project = tomllib.loads(text)
    except (OSError, ValueError) as error:
        return [], [Problem("entry point", f"{path}: {error}")]
    points = project.get("project", {}).get("entry-points", {}).get(GROUP, {})
    if not points:
        example = f'[project.entry-points."{GROUP}"] with NAME = "obs_NAME:instrument"'
        return [], [Problem("entry point", f"{path}: no camera is declared; add {example}")]
    found = [(name, str(value), place(path, _line_with(text, name, str(value)))) for name, value in points.items()]
    return [point for point in found if point[1].partition(":")[0] == folder.name] or found, []


def _line_with(text: str, *words: str) -> int | None:
    """Return the number of the first line that has all words."""
    return next((n for n, line in enumerate(text.splitlines(), 1) if all(word in line for word in words)), None)


def _check_reference(name: str, reference: str, declared: str, root: Path) -> list[Problem]:
    module, colon, _ = reference.partition(":")
    folder = root / module.replace(".", "/")
    if not colon:
        wanted = f"'{module}:instrument', the package and the name of the Instrument in it"
        return [Problem("entry point", f"{declared}{name} = '{reference}' should be {wanted}")]
    if not folder.is_dir():
        near = suggest(module, [path.parent.name for path in root.glob("*/__init__.py")])
        return [Problem("entry point", f"{declared}{name} = '{reference}': there is no package {folder}{near}")]
    with _importable(root, module):
        return _check_module(name, reference, folder, declared)


def _check_module(name: str, reference: str, folder: Path, declared: str) -> list[Problem]:
    """Import a package of which all files are there, and check what it gives."""
    if broken := list(_syntax(folder)):
        return broken
    module, _, attribute = reference.partition(":")
    try:
        imported = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a package can fail in any way
        return [Problem("code", f"{origin_of(error, folder)}{type(error).__name__}: {error}")]
    if not hasattr(imported, attribute):
        near = suggest(attribute, vars(imported))
        return [Problem("entry point", f"{declared}{name} = '{reference}': {module} has no '{attribute}'{near}")]
    return check_instrument(getattr(imported, attribute), name, Path(str(imported.__file__)))


@contextmanager
def _importable(root: Path, module: str) -> Iterator[None]:
    """Let the package of a folder be imported in place of an installed one, and forget it afterwards."""
    before = {name: found for name, found in sys.modules.items() if name.partition(".")[0] == module}
    for name in before:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))
        for name in [name for name in sys.modules if name.partition(".")[0] == module]:
            del sys.modules[name]
        sys.modules.update(before)


def _syntax(folder: Path) -> Iterator[Problem]:
    for path in sorted(folder.rglob("*.py")):
        try:
            ast.parse(path.read_bytes(), filename=str(path))
        except SyntaxError as error:
            yield Problem("code", f"{path}:{error.lineno}: {error.msg}: {(error.text or '').strip()}")
        except ValueError as error:
            yield Problem("code", f"{path}: {error}")
