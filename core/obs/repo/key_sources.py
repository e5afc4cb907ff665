"""Where a repository's registries are; they are opened when the first key must be looked up."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from obs.errors import RepositoryError
from obs.instrument.instrument import Instrument
from obs.policy.key_source import KeySource
from obs.policy.policy import Policy
from obs.repo.database_file import DATABASE_FILE, database_url, is_registry
from obs.repo.defects_folder import DefectsFolder
from obs.repo.file_keys import FileKeys
from obs.repo.layout import Repository
from obs.repo.registry_reader import RegistryFile

__all__ = ["CALIB_REGISTRY", "REGISTRY_FILE", "KeySources", "registry_place"]

#: Name of the registry of exposures in a repository.
REGISTRY_FILE = "registry.sqlite3"
#: Name of the registry of calibrations in their folder.
CALIB_REGISTRY = "calibRegistry.sqlite3"


class KeySources:
    """Finds the registry of exposures and the registry of calibrations.

    Parameters
    ----------
    repositories : sequence of Repository
        The input and its ancestors.
    policy : Policy
        May fix the places.
    instrument : Instrument
        Says which files tell the keys where there is no registry.
    calib, registry : Path or str, optional
        What the user names.
    """

    def __init__(
        self,
        repositories: Sequence[Repository],
        policy: Policy,
        instrument: Instrument,
        *,
        calib: Path | str | None = None,
        registry: Path | str | None = None,
    ) -> None:
        self._repositories, self._policy, self._instrument = repositories, policy, instrument
        self._calib, self._place = calib, registry
        self._opened: dict[str, KeySource] = {}

    def registry(self) -> KeySource:
        """Return the source of exposure keys.

        Raises
        ------
        RepositoryError
            If there is neither a registry nor a dataset type whose files tell.
        """
        if "registry" not in self._opened:
            place = next(self._registry_places(), None)
            self._opened["registry"] = self._files() if place is None else _open(place)
        return self._opened["registry"]

    def calib_registry(self) -> KeySource:
        """Return the source of calibration keys.

        Raises
        ------
        RepositoryError
            If there is none.
        """
        if "calib" not in self._opened:
            fixed = self._policy.calib_registry_path
            path = self._below_root(fixed) if fixed else self.calib_root / CALIB_REGISTRY
            if not is_registry(path):
                raise RepositoryError(
                    f"there is no registry of calibrations {path}; name their folder with --calib", path=path
                )
            self._opened["calib"] = _open(str(path))
        return self._opened["calib"]

    def folder_registry(self, folder: Path) -> KeySource:
        """Return the source of keys of the defects in a folder of their own.

        Parameters
        ----------
        folder : Path
            The folder.
        """
        name = f"defects {folder}"
        if name not in self._opened:
            self._opened[name] = DefectsFolder(folder, self._instrument, self.registry)
        return self._opened[name]

    @cached_property
    def calib_root(self) -> Path:
        """The folder of the calibrations: as user, repository or policy say, else where their registry is."""
        given = self._calib or next((known.calib_root for known in self._repositories if known.calib_root), None)
        if given or self._policy.calib_root:
            return self._below_root(str(given or self._policy.calib_root))
        roots = [repository.root for repository in self._repositories]
        for folder in [place for root in roots for place in (root / "CALIB", root)]:
            if is_registry(folder / CALIB_REGISTRY):
                return folder
        return next((root / "CALIB" for root in roots if (root / "CALIB").is_dir()), roots[0])

    def _below_root(self, place: str) -> Path:
        return self._repositories[0].root / Path(os.path.expandvars(place)).expanduser()

    def _registry_places(self) -> Iterator[str]:
        if self._place is not None:
            yield str(self._place)
        elif self._policy.registry_path:
            yield str(self._below_root(self._policy.registry_path))
        for repository in self._repositories:
            if is_registry(settings := repository.root / DATABASE_FILE):
                yield database_url(settings)
            if is_registry(path := repository.root / REGISTRY_FILE):
                yield str(path)
        if is_registry(here := Path(REGISTRY_FILE)):
            yield str(here.absolute())

    def _files(self) -> FileKeys:
        name = self._instrument.raw_dataset_type
        dataset_type = self._policy.dataset_types.get(name)
        roots = [repository.root for repository in self._repositories]
        if dataset_type is None or not dataset_type.template:
            raise RepositoryError(
                f"there is no {REGISTRY_FILE} in {', '.join(map(str, roots))} and no template of {name} to find "
                "files by",
                path=roots[0],
            )
        return FileKeys(roots, dataset_type)


def registry_place(root: Path, policy: Policy) -> str:
    """Return where the registry of a repository of our own is, or is to be: a file, or the URL of a database.

    Parameters
    ----------
    root : Path
        Repository.
    policy : Policy
        Its ``registry_path``, if set, wins.

    Raises
    ------
    RepositoryError
        If something else is in the place of the registry.
    """
    if policy.registry_path:
        return str(root / Path(os.path.expandvars(policy.registry_path)).expanduser())
    settings, registry = root / DATABASE_FILE, root / REGISTRY_FILE
    if is_registry(settings):
        return database_url(settings)
    is_registry(registry)  # a link that leads nowhere must not become a new registry
    return str(registry)


def _open(place: str) -> KeySource:
    if "://" not in place:
        return RegistryFile(place)
    # SQLAlchemy takes as long to import as a frame to read
    from obs.repo.registry import Registry  # noqa: PLC0415

    return Registry(place)
