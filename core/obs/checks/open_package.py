"""Open the package of a camera: one that is installed, by its name, or any by its folder."""

import ast
import importlib
import sys
import tomllib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from obs.checks.problem import Problem, last_place
from obs.errors import PluginError, place, suggest
from obs.frozen import frozen
from obs.instrument.discovery import GROUP, load_instrument
from obs.instrument.instrument import Instrument

__all__ = ["OpenPackage", "open_package", "open_packages"]


@frozen
class OpenPackage:
    """A package whose camera can be used, or why it cannot.

    Parameters
    ----------
    name : str
        Name of the camera.
    folder : Path or None
        Folder of the Python package; None where it is not known.
    instrument : Instrument or None
        The camera; None where the package cannot be imported.
    problems : tuple of Problem
        Why it cannot.
    """

    name: str
    folder: Path | None
    instrument: Instrument | None = None
    problems: tuple[Problem, ...] = ()


@contextmanager
def open_package(what: str) -> Iterator[OpenPackage]:
    """Open one package; within the block its modules can be imported.

    Parameters
    ----------
    what : str
        Name of an installed camera, or the folder of a package: the one with ``pyproject.toml``, or the Python package.

    Raises
    ------
    PluginError
        If there is no such package, or the folder has several cameras.
    """
    packages = open_packages(what)
    try:
        first = next(packages)
        if what != first.name and Path(what).expanduser().is_dir():
            names = [name for name, *_ in _entry_points(Path(what).expanduser())[0]]
            if len(names) > 1:
                raise PluginError(f"{what} has the cameras {', '.join(names)}; give the folder of one, or its name")
        yield first
    finally:
        packages.close()


def open_packages(what: str) -> Generator[OpenPackage, None, None]:
    """Yield the cameras of a package one after another; until the next is asked for its modules can be imported.

    Parameters
    ----------
    what : str
        Folder of a package, or name of a camera.

    Raises
    ------
    PluginError
        If there is no such package.
    """
    folder = Path(what).expanduser()
    # A folder of data may be called like the camera.
    is_name = what.isidentifier() and not any((folder / name).is_file() for name in ("pyproject.toml", "__init__.py"))
    if is_name or not folder.is_dir():
        yield _open_installed(what)
        return
    points, problems = _entry_points(folder)
    if problems:
        yield OpenPackage(folder.name, folder, problems=tuple(problems))
    for name, reference, declared in points:
        module = reference.partition(":")[0]
        nested = (folder / module.partition(".")[0]).is_dir() or (folder / "pyproject.toml").is_file()
        root = folder if nested else folder.parent
        with _importable(root, module):
            yield _open_reference(name, reference, declared, root)


def _open_installed(name: str) -> OpenPackage:
    points = entry_points(group=GROUP, name=name)
    if len({point.value for point in points}) != 1:
        try:
            load_instrument(name)
        except PluginError as error:
            if points:
                return OpenPackage(name, None, problems=(Problem("entry point", str(error)),))
            raise PluginError(f"{error}; or give the folder of a package", plugin=name) from None
    point = next(iter(points))
    spec = find_spec(point.module.partition(".")[0])
    if spec is None or spec.origin is None:
        origin = "" if point.dist is None else f" of {point.dist.name}=={point.dist.version}"
        message = f"{name} = '{point.value}'{origin}: there is no package {point.module}; install it again"
        return OpenPackage(name, None, problems=(Problem("entry point", message),))
    return _open_module(name, point.value, "", Path(spec.origin).parent)


def _open_reference(name: str, reference: str, declared: str, root: Path) -> OpenPackage:
    module, colon, _ = reference.partition(":")
    folder = root / module.replace(".", "/")
    if not colon:
        message = f"should be '{module}:instrument', the package and the name of the Instrument in it"
        return OpenPackage(
            name, None, problems=(Problem("entry point", f"{declared}{name} = '{reference}' {message}"),)
        )
    if not folder.is_dir():
        near = suggest(module, [path.parent.name for path in root.glob("*/__init__.py")])
        message = f"{declared}{name} = '{reference}': there is no package {folder}{near}"
        return OpenPackage(name, None, problems=(Problem("entry point", message),))
    return _open_module(name, reference, declared, folder)


def _open_module(name: str, reference: str, declared: str, folder: Path) -> OpenPackage:
    """Import a package of which all files are there."""
    if broken := tuple(_syntax(folder)):
        return OpenPackage(name, folder, problems=broken)
    module, _, attribute = reference.partition(":")
    try:
        imported = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a package can fail in any way
        problem = Problem("code", f"{last_place(error, folder)}{type(error).__name__}: {error}")
        return OpenPackage(name, folder, problems=(problem,))
    if not hasattr(imported, attribute):
        near = suggest(attribute, vars(imported))
        message = f"{declared}{name} = '{reference}': {module} has no '{attribute}'{near}"
        return OpenPackage(name, folder, problems=(Problem("entry point", message),))
    return OpenPackage(name, folder, getattr(imported, attribute))


def _entry_points(folder: Path) -> tuple[list[tuple[str, str, str]], list[Problem]]:
    """Return name, reference and place of the cameras that a folder declares."""
    candidates = (folder / "pyproject.toml", folder.parent / "pyproject.toml")
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        if (folder / "__init__.py").is_file() and folder.name.startswith("obs_"):
            return [(folder.name.removeprefix("obs_"), f"{folder.name}:instrument", "")], []
        raise PluginError(f"{folder} is not a package of a camera: it has no pyproject.toml and no __init__.py")
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
