"""A new data repository."""

from pathlib import Path

from obs.errors import OutputError, PluginError, RepositoryError
from obs.ingest.raws import create_raw_tables
from obs.ingest.translation import load_translator
from obs.instrument.instrument import Instrument
from obs.repo.atomic import atomic_write
from obs.repo.database_file import DATABASE_FILE
from obs.repo.description import write_description
from obs.repo.key_sources import registry_place
from obs.repo.layout import is_repository, open_repository
from obs.repo.registry import Registry

__all__ = ["make_repository"]


def make_repository(root: Path | str, instrument: Instrument, *, registry: str | None = None) -> bool:
    """Make a folder a data repository, with an empty registry.

    Parameters
    ----------
    root : Path or str
        The folder; it need not exist.
    instrument : Instrument
        The camera.
    registry : str, optional
        URL of the database that the registry is in, such as ``postgresql+psycopg://host/name``; a file in the folder
        if None.

    Returns
    -------
    bool
        False if it is one already, of the same camera.

    Raises
    ------
    RepositoryError
        If it is a repository of another camera or another program, or the database does not answer.
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> from obs import load_instrument, make_repository
    >>> make_repository("HSC", load_instrument("hsc"))
    True
    """
    root = Path(root)
    if root.exists() and not root.is_dir():
        raise OutputError(f"{root} is a file; name a folder", path=root)
    is_new = not is_repository(root)
    if is_new:
        if registry is not None:
            Registry(registry)  # a database that does not answer leaves nothing behind
            _write_url(root / DATABASE_FILE, registry)
        is_new = write_description(root, camera=instrument.name, parents=[])
    known = open_repository(root)
    if not known.is_own:
        raise RepositoryError(f"{root} is a repository of another program, which is only read", path=root)
    if known.camera != instrument.name:
        raise RepositoryError(
            f"{root} is a repository of the camera '{known.camera}', not '{instrument.name}'; name another",
            path=root,
        )
    policy = instrument.load_policy()
    try:
        translator = load_translator(instrument)
    except PluginError:
        return is_new  # a camera without raw frames to ingest: its repositories are filled by other means
    create_raw_tables(Registry(registry_place(root, policy), read_only=False), translator)
    return is_new


def _write_url(path: Path, url: str) -> None:
    """Keep the URL of the database, unless another process has just kept one."""
    try:
        with atomic_write(path, replace=False) as file:
            file.write(f"{url}\n".encode())
    except FileExistsError:
        known = path.read_text().strip()
        if known != url:
            raise RepositoryError(
                f"{path} names another database already; remove the file, or make the repository elsewhere", path=path
            ) from None
