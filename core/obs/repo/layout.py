"""What makes a folder a data repository, and who its parents are.

Our own repositories have an ``obs.yaml``. Those of the second-generation LSST stack have a ``_mapper`` (the name of a
class), a ``repositoryCfg.yaml``, or a ``_parent`` link to the repository that they were made from.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from yaml.constructor import ConstructorError

from obs.errors import RepositoryError, place, suggest
from obs.frozen import frozen
from obs.shell_command import shell_command
from obs.small_file import read_small_file, read_small_text
from obs.yaml_lines import line_of, load_yaml

__all__ = [
    "DESCRIPTION",
    "LAYOUT",
    "Repository",
    "is_repository",
    "is_third_generation",
    "open_repository",
    "repositories_with_parents",
]

#: The file by which a repository of ours says what it is.
DESCRIPTION = "obs.yaml"
_LSST = ("_mapper", "repositoryCfg.yaml", "_parent")
_KEYS = ("layout", "camera", "parents", "linked")
#: More repositories than these behind one are a mistake, or made to harm.
_MOST_REPOSITORIES = 1000
#: Version of the layout that is written and the highest that is read.
LAYOUT = 1


@frozen
class Repository:
    """A data repository and its parents.

    Parameters
    ----------
    root : Path
        Its folder, absolute, links resolved.
    is_own : bool
        Whether it has our layout; another's is only read.
    camera : str or None
        Name of the camera, where ``obs.yaml`` gives it.
    mapper : str or None
        Name of the LSST mapper class, where that is given.
    parents : tuple of Path
        Repositories in which to look for what is not here, in this order.
    policy : mapping
        What the repository sets otherwise than the camera's policy, for itself only.
    calib_root : str or None
        Where its calibrations are, if it says so.
    linked : tuple of str
        Links in it that lead out of it on purpose, relative to the root.
    """

    root: Path
    is_own: bool
    camera: str | None = None
    mapper: str | None = None
    parents: tuple[Path, ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    calib_root: str | None = None
    linked: tuple[str, ...] = ()


def is_repository(folder: Path) -> bool:
    """Return whether a folder is a data repository."""
    return any(os.path.lexists(folder / name) for name in (DESCRIPTION, *_LSST))


def is_third_generation(folder: Path) -> bool:
    """Whether a folder is a repository of the third-generation LSST stack."""
    return (folder / "butler.yaml").is_file()


def plain_folder(folder: Path | str) -> Path:
    """Return the folder that a path or a URI such as ``file:///data`` names, ``~`` replaced.

    Raises
    ------
    RepositoryError
        If it is a URI of something else than a file system.
    """
    # A path that was made of a URI has one slash less.
    uri = re.fullmatch(r"([A-Za-z][\w+.-]+):/{1,3}(.*)", str(folder))
    if uri is None:
        return Path(folder).expanduser()
    if uri[1] != "file":
        raise RepositoryError(f"{folder}: repositories are folders here; copy it to a disk, or mount it", path=folder)
    return Path("/" + unquote(uri[2]))


def open_repository(folder: Path | str) -> Repository:
    """Read what a repository says of itself; nothing is written.

    Parameters
    ----------
    folder : Path or str
        Top folder of the repository.

    Raises
    ------
    RepositoryError
        If the folder is none, or its description cannot be read.
    """
    root = plain_folder(folder)
    if not root.is_dir():
        problem = "is a file" if root.exists() else "does not exist"
        raise RepositoryError(f"the folder {root} {problem}; name the top folder of a data repository", path=root)
    if not is_repository(root):
        if is_third_generation(root):
            raise RepositoryError(
                f"{root} is a repository of the third-generation LSST stack (butler.yaml); obs init makes a repository "
                f"here, and {shell_command('obs', 'ingest', 'REPO', '--from-butler', root)} takes what this one holds",
                path=root,
            )
        above = next((parent for parent in root.absolute().parents if is_repository(parent)), None)
        advice = f"did you mean {above}?" if above else "name the top folder of a repository"
        names = (DESCRIPTION, *_LSST[:-1])
        raise RepositoryError(
            f"{root} is not a data repository: it holds no {', '.join(names)} or {_LSST[-1]}; {advice}",
            path=root,
        )
    root = root.resolve()
    if (root / DESCRIPTION).exists():
        return _read_own(root)
    if (root / "repositoryCfg.yaml").exists():
        return _read_configuration(root)
    mapper = read_small_text(root / "_mapper", error=_Fault).strip() if (root / "_mapper").exists() else None
    parent = root / "_parent"
    if mapper == "" or (mapper is None and not parent.exists()):
        what = "its _mapper is empty" if mapper == "" else f"its _parent link leads nowhere ({os.readlink(parent)})"
        raise RepositoryError(f"{root} cannot be opened: {what}", path=root)
    return Repository(root, is_own=False, mapper=mapper, parents=(parent.resolve(),) if parent.exists() else ())


def repositories_with_parents(folders: Sequence[Path]) -> list[Repository]:
    """Return repositories and their ancestors, depth first, each once.

    Parameters
    ----------
    folders : sequence of Path
        Repositories, the preferred one first.

    Raises
    ------
    RepositoryError
        If one of them is not a repository or cannot be read.
    """
    found: dict[Path, Repository] = {}
    # the last one is next: folder, and the repository whose parent it is
    left: list[tuple[Path, Path | None]] = [(plain_folder(folder).resolve(), None) for folder in reversed(folders)]
    while left:
        folder, child = left.pop()
        if folder in found:
            continue
        if len(found) == _MOST_REPOSITORIES:
            raise RepositoryError(
                f"{folder} is one of more than {_MOST_REPOSITORIES} parents of a repository; correct 'parents' in the "
                f"{DESCRIPTION} of {child}",
                path=folder,
            )
        try:
            found[folder] = open_repository(folder)
        except RepositoryError as error:
            if child is None:
                raise
            raise RepositoryError(f"parent of {child}: {error}", path=folder) from None
        left.extend((parent, folder) for parent in reversed(found[folder].parents))
    return list(found.values())


class _Fault(RepositoryError):
    """A fault in a description, with its line."""

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None) -> None:
        super().__init__(place(path, line) + message, path=path)


def _read_own(root: Path) -> Repository:
    path = root / DESCRIPTION
    data, lines = load_yaml(path, error=_Fault)
    if not isinstance(data, dict):
        raise _Fault("expected a mapping with the keys layout, camera and parents", path=path)
    for key in data:
        if key not in _KEYS:
            hint = suggest(str(key), _KEYS)
            message = f"unknown key '{key}'{hint}; keys: {', '.join(_KEYS)}"
            raise _Fault(message, path=path, line=line_of(lines, (key,)))
    layout, camera, parents = data.get("layout", LAYOUT), data.get("camera"), data.get("parents", [])
    if not isinstance(layout, int) or not 1 <= layout <= LAYOUT:
        message = f"layout {layout} is not known here (1 to {LAYOUT} are); a newer version of obs made this repository"
        raise _Fault(message, path=path, line=line_of(lines, ("layout",)))
    if not isinstance(camera, str) or not camera:
        raise _Fault("camera must be the name of a camera", path=path, line=line_of(lines, ("camera",)))
    if not isinstance(parents, list) or not all(isinstance(parent, str) for parent in parents):
        raise _Fault("parents must be a list of folders", path=path, line=line_of(lines, ("parents",)))
    linked = data.get("linked", [])
    if not isinstance(linked, list) or not all(isinstance(name, str) for name in linked):
        raise _Fault("linked must be a list of links in the repository", path=path, line=line_of(lines, ("linked",)))
    folders = tuple((root / parent).resolve() for parent in parents)
    names = tuple(os.path.normpath(name) for name in linked)
    return Repository(root, is_own=True, camera=camera, parents=folders, linked=names)


class _ConfigurationLoader(yaml.SafeLoader):
    """Reads LSST's own tags as plain data: a description as a mapping, a class as its name."""


def _construct_description(loader: yaml.SafeLoader, node: yaml.Node) -> dict[Any, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise ConstructorError(None, None, "a description is a mapping", node.start_mark)
    return loader.construct_mapping(node, deep=True)


def _construct_object(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    """Return an object of Python as plain data: the mapping that it is written as, or what that has as its data."""
    if not isinstance(node, yaml.MappingNode):
        raise ConstructorError(None, None, f"an object {suffix} is not read", node.start_mark)
    data = loader.construct_mapping(node, deep=True)
    return data.get("data", data.get("dictitems", data))


_ConfigurationLoader.add_constructor("!RepositoryCfg_v1", _construct_description)
for _tag in ("python/object:", "python/object/new:"):
    _ConfigurationLoader.add_multi_constructor(f"tag:yaml.org,2002:{_tag}", _construct_object)
_ConfigurationLoader.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda loader, suffix, node: suffix)


def _read_configuration(root: Path) -> Repository:
    path = root / "repositoryCfg.yaml"
    try:
        # Only plain data are built: the loader is a SafeLoader with two tags more.
        data = _ConfigurationLoader(read_small_file(path, error=_Fault)).get_single_data()
    except RepositoryError:
        raise
    except Exception as error:  # noqa: BLE001 - each tag of YAML fails in its own way
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error) or type(error).__name__
        line = None if mark is None else mark.line + 1
        raise _Fault(f"cannot read this description: {reason}", path=path, line=line) from None
    if not isinstance(data, dict):
        raise _Fault("this is not a !RepositoryCfg_v1 description", path=path)
    mapper, arguments = data.get("_mapper"), data.get("_mapperArgs")
    parents = [_folder(parent) for parent in data.get("_parents") or []]
    policy = data.get("_policy")
    real = _folder(data.get("_root")) or "."
    return Repository(
        (root / real).resolve(),
        is_own=False,
        mapper=mapper if isinstance(mapper, str) else None,
        parents=tuple((root / parent).resolve() for parent in parents if parent),
        policy=_nested(policy) if isinstance(policy, dict) else {},
        calib_root=arguments.get("calibRoot") if isinstance(arguments, dict) else None,
    )


def _nested(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy whose keys with points, such as ``exposures.raw.template``, are keys within keys."""
    nested: dict[str, Any] = {}
    for key, value in policy.items():
        *above, last = str(key).split(".")
        inner = nested
        for part in above:
            inner = inner.setdefault(part, {})
        both = isinstance(value, Mapping) and isinstance(inner.get(last), dict)
        inner[last] = inner[last] | _nested(value) if both else _nested(value) if isinstance(value, Mapping) else value
    return nested


def _folder(value: object) -> str | None:
    """Return a parent's folder, which is written as a path, a file URL, or another description."""
    if isinstance(value, dict):
        value = value.get("_root")
    return value.removeprefix("file://") if isinstance(value, str) and value else None
