"""Mapper classes of a package of the LSST stack: which policy files each has. They are parsed, never run.

``obs_lsst`` has many cameras: ``yamlFileList`` of a class names its policies, of which the first to have a key wins.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.small_file import read_small_text

__all__ = ["MapperSource", "read_mapper"]

_FILES, _NAME = "yamlFileList", "_cameraName"


@frozen
class MapperSource:
    """What the class of a mapper says.

    Parameters
    ----------
    policies : tuple of Path
        Its policy files that are there; the first to have a key wins. None of a class that lists none.
    camera : str
        Name of the camera; empty where the class does not say.
    """

    policies: tuple[Path, ...] = ()
    camera: str = ""


def read_mapper(folder: Path, name: str) -> MapperSource:
    """Return what a package says of a mapper class.

    Parameters
    ----------
    folder : Path
        The package.
    name : str
        Name of the class, such as ``ImsimMapper``; capitals do not matter.
    """
    classes = _classes(folder)
    found = next((one for one in classes if one.lower() == name.lower()), None)
    if found is None:
        return MapperSource()
    files = (folder / "policy" / file for file in _files(found, classes, ()))
    camera = _attribute(found, _NAME, classes, ())
    named = camera.value if isinstance(camera, ast.Constant) and isinstance(camera.value, str) else ""
    return MapperSource(tuple(file for file in dict.fromkeys(files) if file.is_file()), named)


def _classes(folder: Path) -> dict[str, ast.ClassDef]:
    """Return the classes of mappers of a package, by name."""
    found: dict[str, ast.ClassDef] = {}
    for path in sorted((folder / "python").rglob("*.py")):
        try:
            text = read_small_text(path, error=FileFormatError)
            tree = ast.parse(text) if "Mapper" in text else ast.Module([], [])
        except (SyntaxError, ValueError, FileFormatError):  # Python 2, or no text
            continue
        found |= {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return {name: node for name, node in found.items() if name.endswith("Mapper")}


def _attribute(
    name: str, attribute: str, classes: Mapping[str, ast.ClassDef], seen: tuple[str, ...]
) -> ast.expr | None:
    """Return what a class, or the first class above it, assigns to an attribute."""
    if name not in classes or name in seen:
        return None
    for statement in classes[name].body:
        if isinstance(statement, ast.Assign) and any(getattr(to, "id", "") == attribute for to in statement.targets):
            return statement.value
    bases = (getattr(base, "attr", getattr(base, "id", "")) for base in classes[name].bases)
    found = (_attribute(base, attribute, classes, (*seen, name)) for base in bases)
    return next((value for value in found if value is not None), None)


def _files(name: str, classes: Mapping[str, ast.ClassDef], seen: tuple[str, ...]) -> list[str]:
    value = _attribute(name, _FILES, classes, ())
    return [] if value is None or name in seen else _listed(value, classes, (*seen, name))


def _listed(value: ast.expr, classes: Mapping[str, ast.ClassDef], seen: tuple[str, ...]) -> list[str]:
    """Return the names in a list, a sum of lists, or the list of another class."""
    match value:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [str(item.value) for item in items if isinstance(item, ast.Constant)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [*_listed(left, classes, seen), *_listed(right, classes, seen)]
        case ast.Call(args=[inner]):
            return _listed(inner, classes, seen)
        case ast.Attribute(value=ast.Name(id=other), attr="yamlFileList"):
            return _files(other, classes, seen)
        case _:
            return []
