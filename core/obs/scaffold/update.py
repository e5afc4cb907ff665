"""Bring a package to a newer project template, and leave alone what its owner changed.

`obs new` stores the answers and every file as it was written in ``.obs-template.json``. A file that still is what was
written is replaced; one that the owner changed gets the template's changes where they do not meet the owner's.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import unified_diff
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from obs.errors import ConfigError, OutputError, PluginError
from obs.frozen import frozen
from obs.repo.atomic import atomic_write
from obs.repo.scratch_folder import scratch_folder
from obs.resources import project_template
from obs.scaffold.answers import Answers
from obs.scaffold.create import render_template
from obs.scaffold.merge import Chunk, merge_texts, with_markers
from obs.scaffold.old_facts import renew_facts
from obs.small_file import read_small_text

__all__ = ["ANSWERS_FILE", "Change", "Kind", "Update", "apply_update", "find_package", "plan_update"]

#: Where `obs new` stores answers, facts, and what was written.
ANSWERS_FILE = ".obs-template.json"

Kind = Literal["added", "replaced", "merged", "removed", "yours", "conflict"]


@frozen
class Change:
    """What happens to one file.

    Parameters
    ----------
    path : str
        The file, relative to the package.
    kind : str
        ``added``, ``replaced``, ``merged`` and ``removed`` are done; ``yours`` is left as its owner has it;
        ``conflict`` was changed by both sides at the same place.
    text : str or None
        What is to be written; of a conflict the merged text with markers; None where nothing is.
    note : str
        What the owner should know.
    diff : str
        Of a conflict: what the template changed.
    """

    path: str
    kind: Kind
    text: str | None = None
    note: str = ""
    diff: str = ""


@frozen
class Update:
    """What an update would do.

    Parameters
    ----------
    package : Path
        The package.
    before, after : int
        Version of the template that the package was made from, and of the engine's.
    changes : tuple of Change
        All files that something happens to, or that the owner should know of.
    answers : dict
        Content of the new answers file.
    originals : dict
        The files as the old template wrote them, as far as that is known.
    notes : tuple of str
        What the owner should know beside.
    """

    package: Path
    before: int
    after: int
    changes: tuple[Change, ...]
    answers: dict[str, Any]
    originals: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def conflicts(self) -> list[Change]:
        """The files that both sides changed."""
        return [change for change in self.changes if change.kind == "conflict"]


def find_package(what: str) -> Path:
    """Return the folder that ``obs new`` made: by its path, that of the Python package in it, or the camera's name.

    Parameters
    ----------
    what : str
        Path of a folder, or name of a camera.

    Raises
    ------
    PluginError
        If there is none, or it has no answers file.
    """
    folder = Path(what).expanduser()
    # A folder of data may be called like the camera.
    spec = find_spec(f"obs_{what}") if what.isidentifier() else None
    installed = None if spec is None or spec.origin is None else Path(spec.origin).parent
    for place in (folder, installed):
        if place is not None and (place / ANSWERS_FILE).is_file():
            return place
        if place is not None and (place / "__init__.py").is_file() and (place.parent / ANSWERS_FILE).is_file():
            return place.parent
    if installed is None and not folder.is_dir():
        other = f", and no package obs_{what} is installed" if what.isidentifier() else ""
        raise PluginError(f"there is no folder {what}{other}; give the folder that obs new made")
    hint = "" if installed is None else "; if it is not installed with pip install -e, give the folder of its source"
    raise PluginError(
        f"{installed or folder} has no {ANSWERS_FILE}: it was not made by obs new, and cannot be updated{hint}"
    )


def plan_update(package: Path, *, template: Path | None = None) -> Update:
    """Find out what an update would do; nothing is written.

    Parameters
    ----------
    package : Path
        The folder that ``obs new`` made.
    template : Path, optional
        Another template than the engine's.

    Raises
    ------
    ConfigError
        If the answers file is damaged.
    PluginError
        If the package was made from a newer template.
    """
    template = template or project_template()
    after = _template_version(template)
    stored = _read_stored(package / ANSWERS_FILE)
    before, originals = stored.version, stored.originals
    if before > after:
        raise PluginError(
            f"{package} was made from template {before}, this obs-toolkit has {after}; upgrade obs-toolkit"
        )
    with scratch_folder("new") as scratch:
        fresh = _read_files(render_template(stored.context, scratch, template=template))
    answers = json.loads(fresh.pop(ANSWERS_FILE))
    notes = list(stored.notes)
    if originals is None:
        # Of the same version, the template itself tells.
        originals = dict(fresh) if before == after else {}
        if before != after:
            notes.append(
                f"{ANSWERS_FILE} does not say what obs new wrote, so that your changes and those of the template "
                "cannot be distinguished"
            )
    sides = _Sides(package, originals, fresh, after)
    changes = tuple(change for path in sorted(originals.keys() | fresh.keys()) for change in sides.compare(path))
    return Update(package, before, after, changes, answers, originals, tuple(notes))


def apply_update(update: Update, *, conflicts: Literal["show", "markers", "keep"] = "show") -> None:
    """Do it; each file is written whole or not at all, the answers file last, so that it can be repeated.

    Parameters
    ----------
    update : Update
        What to do.
    conflicts : {"show", "markers", "keep"}
        What happens to files that both sides changed: they are left alone and come up again, get the template's lines
        between markers, or are left alone for good.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    answers = dict(update.answers)
    written: dict[str, str] = dict(answers["originals"])
    for change in update.changes:
        target = update.package / change.path
        if change.kind == "removed":
            try:
                target.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(f"cannot remove {target}: {error.strerror}", path=target) from error
        elif change.kind == "conflict" and (conflicts == "show" or (conflicts == "markers" and change.text is None)):
            written.pop(change.path, None)
            if change.path in update.originals:
                written[change.path] = update.originals[change.path]
        elif change.text is not None and not (change.kind == "conflict" and conflicts == "keep"):
            with atomic_write(target) as file:
                file.write(change.text.encode())
    answers["originals"] = dict(sorted(written.items()))
    with atomic_write(update.package / ANSWERS_FILE) as file:
        file.write((json.dumps(answers, indent=1, ensure_ascii=False) + "\n").encode())


@frozen
class _Stored:
    """What an answers file holds."""

    version: int
    context: dict[str, Any]
    originals: dict[str, str] | None
    notes: tuple[str, ...]


def _read_stored(path: Path) -> _Stored:
    try:
        data = json.loads(read_small_text(path, error=ConfigError))
        version = int(data["template_version"])
        answers = dict(data["answers"])
        originals = None if data.get("originals") is None else dict(data["originals"])
        is_sound = all(
            isinstance(text, str) and _is_inside(name, path.parent) for name, text in (originals or {}).items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        kind = f"has no key {error}" if isinstance(error, KeyError) else f"is damaged: {' '.join(str(error).split())}"
        raise ConfigError(f"the answers file {kind}; restore it, as it was committed", path=path) from error
    if not is_sound:
        raise ConfigError("the answers file is damaged: originals; restore it, as it was committed", path=path)
    facts = answers.pop("_facts", None)
    known = {field.name for field in fields(Answers)}
    strange = sorted(answers.keys() - known)
    try:
        checked = Answers(**{name: str(answers[name]) for name in answers.keys() & known})
    except ConfigError as error:
        raise ConfigError(f"the answers are wrong: {error}", path=path) from error
    context: dict[str, Any] = dict(checked.as_context())
    if isinstance(facts, Mapping):
        context["_facts"] = renew_facts(facts)
    notes = tuple(f"the template asks no longer for '{name}'" for name in strange)
    return _Stored(version, context, originals, notes)


def _is_inside(path: str, package: Path) -> bool:
    """Whether a path stays in the package, also through links in it."""
    if Path(path).is_absolute() or ".." in Path(path).parts or "\0" in path:
        return False
    return (package / path).resolve().is_relative_to(package.resolve())


def _template_version(template: Path) -> int:
    return int(json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))["_template_version"])


def _read_files(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@frozen
class _Sides:
    """The owner's files, what was written once, and what would be written today."""

    package: Path
    originals: Mapping[str, str]
    fresh: Mapping[str, str]
    version: int

    def compare(self, path: str) -> Iterator[Change]:
        """Yield what happens to a file, if anything."""
        old, new = self.originals.get(path), self.fresh.get(path)
        try:
            mine = (self.package / path).read_bytes().decode()
        except FileNotFoundError:
            mine = None
        except (OSError, UnicodeDecodeError) as error:
            if new != old:
                yield Change(
                    path, "conflict", note=f"it cannot be read as text: {error}", diff=self._diff(path, old, new)
                )
            return
        if mine == new:
            return
        if mine is None:
            yield from self._missing(path, old, new)
        elif new is None:
            if mine == old:
                yield Change(path, "removed", note="the template has it no longer")
            else:
                yield Change(path, "yours", note="the template has it no longer")
        elif mine == old:
            yield Change(path, "replaced", new)
        elif new == old:
            yield Change(path, "yours")
        else:
            yield from self._merge(path, old, mine, new)

    def _missing(self, path: str, old: str | None, new: str | None) -> Iterator[Change]:
        if old is None:
            yield Change(path, "added", new)
        elif new is not None and new != old:
            yield Change(path, "yours", note="you removed it, and the template has changed it")

    def _merge(self, path: str, old: str | None, mine: str, new: str) -> Iterator[Change]:
        chunks = [Chunk(tuple(_lines(mine)), tuple(_lines(new)))] if old is None else merge_texts(old, mine, new)
        text = with_markers(chunks, mine="yours", theirs=f"template {self.version}")
        if all(chunk.theirs is None for chunk in chunks):
            if text != mine:
                yield Change(path, "merged", text)
            return
        yield Change(path, "conflict", text, diff=self._diff(path, mine if old is None else old, new))

    def _diff(self, path: str, old: str | None, new: str | None) -> str:
        """Return what the template changed, or what is other than in the template where that is not known."""
        lines = unified_diff(_lines(old or ""), _lines(new or ""), f"a/{path}", f"b/{path}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
