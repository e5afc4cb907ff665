"""Calibrations that are being built: in a folder of their own, until all of them are complete and can be registered.

A build that is killed leaves nothing in the places of calibrations. Files are moved there in the transaction that
registers them. A list of these places, written before, lets the next build take back what a killed one has moved and
not registered.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from obs.errors import ObsError, OutputError
from obs.ingest.calib_store import CalibStore
from obs.os_advice import write_advice
from obs.policy.data_id import DataId, format_data_id
from obs.repo.atomic import atomic_write, is_leftover, sync_folder, temporary_path
from obs.repo.links_out import check_inside

__all__ = ["Staging", "recover_builds", "staging"]

_ENDING = ".build"
_PLACES = "places"


@contextmanager
def staging(store: CalibStore) -> Iterator["Staging"]:
    """Make a folder for a build among the calibrations; it is removed in any case.

    Parameters
    ----------
    store : CalibStore
        Calibrations of the repository.

    Yields
    ------
    Staging
        Hidden folder beside the calibrations, from which files are moved into their places.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    folder = temporary_path(store.root / "calibs", _ENDING)
    check_inside(store.root)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"cannot write to {store.root}: {write_advice(error)}", path=store.root) from error
    try:
        yield Staging(store, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Staging:
    """The folder of one build.

    Parameters
    ----------
    store : CalibStore
        The calibrations.
    folder : Path
        The folder, on the same disk.
    """

    def __init__(self, store: CalibStore, folder: Path) -> None:
        self.store, self.folder = store, folder

    def install(self, built: Sequence[tuple[str, DataId]], days: int | None) -> None:
        """Move calibrations to their places and register them, all or none.

        Parameters
        ----------
        built : sequence of tuple
            Dataset types and data IDs of those that are complete.
        days : int or None
            Validity before and after the date; None to move them only.

        Raises
        ------
        OutputError
            If they cannot be moved or registered.
        """
        if days is None:
            self._move(built)
            return
        known = self.store.known()
        places = [self._place(*entry) for entry in built if not _is_known(known, *entry)]
        with atomic_write(self.folder / _PLACES) as file:
            file.write("".join(f"{place}\n" for place in places).encode("utf-8", "surrogateescape"))
        try:
            with self.store.registry.transaction() as changes:
                self._move(built)
                self.store.add_within(changes, built, days)
        except BaseException:
            with suppress(ObsError):
                _take_back(self.store, self.folder)
            raise

    def _place(self, name: str, data_id: DataId) -> Path:
        return self.store.target(name, data_id).relative_to(self.store.root)

    def _move(self, built: Sequence[tuple[str, DataId]]) -> None:
        for entry in built:
            place = self._place(*entry)
            target = self.store.root / place
            check_inside(target.parent)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.folder / place, target)
                sync_folder(target.parent)
            except OSError as error:
                raise OutputError(f"cannot write {target}: {write_advice(error)}", path=target) from error


def recover_builds(store: CalibStore) -> list[Path]:
    """Remove what killed builds have left, and return their folders.

    Parameters
    ----------
    store : CalibStore
        Calibrations of the repository. Folders of processes that still run are left alone.

    Raises
    ------
    OutputError
        If the registry cannot be written.
    """
    found = [path for path in store.root.glob(f".*{_ENDING}") if is_leftover(path)]
    for folder in found:
        _take_back(store, folder)
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _take_back(store: CalibStore, folder: Path) -> None:
    """Remove the files that a build has moved to their places, and not registered."""
    try:
        places = (folder / _PLACES).read_bytes().decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return  # it was killed before
    with store.registry.transaction() as changes:
        registered = {store.target(name, data_id) for name, data_id in store.registered(changes)}
        for place in places:
            target = store.root / place
            if target not in registered and target.resolve().is_relative_to(store.root.resolve()):
                target.unlink(missing_ok=True)


def _is_known(known: set[tuple[str, str]], name: str, data_id: DataId) -> bool:
    return (name, format_data_id(data_id)) in known
