"""Which database a repository's `registry.pgsql` names: a URL, or settings as the LSST stack wrote them.

References
----------
The stack's daf_persistence (`registries.py`: YAML) and, for Hyper Suprime-Cam before 2016, its daf_butlerUtils
(`PgSqlConfig`: lines ``config.host='...'``).
"""

import os
import re
from pathlib import Path
from urllib.parse import quote

import yaml

from obs.errors import RepositoryError
from obs.small_file import read_small_text

__all__ = ["DATABASE_FILE", "database_url", "is_registry"]

DATABASE_FILE = "registry.pgsql"
"""Names the database, where the registry is not a file."""

_DRIVER = "postgresql+psycopg"
_SETTING = re.compile(r"""^\s*(?:config|root)\.(\w+)\s*=\s*["']?(.*?)["']?\s*$""", re.MULTILINE)


def is_registry(path: Path) -> bool:
    """Return whether a registry is there; another is looked for, with other data, only if nothing is in its place.

    Parameters
    ----------
    path : Path
        Where the registry, or the file that names its database, may be.

    Raises
    ------
    RepositoryError
        If something else is there: a link that leads nowhere, a folder, a pipe.
    """
    if path.is_file() or not os.path.lexists(path):
        return path.is_file()
    problem, advice = "a folder, a pipe or a device", "move it away"
    if not path.exists():
        problem, advice = f"a link to {os.readlink(path)}, which is not there", "mount its disk, or correct the link"
    raise RepositoryError(f"the registry {path} is {problem}; {advice}", path=path)


def database_url(path: Path) -> str:
    """Return the URL of the database.

    Parameters
    ----------
    path : Path
        File with a URL, or with the settings host, port, user, password and database.

    Raises
    ------
    RepositoryError
        If the file names none.
    """
    text = read_small_text(path, error=RepositoryError)
    for word in text.split():
        if "://" in word:
            return word.strip("'\"")
    settings = _settings(text)
    name = settings.get("database") or settings.get("db")
    if not name:
        raise RepositoryError(
            f"{path} names no database: expected a URL such as postgresql+psycopg://host/name, or the settings host, "
            "port, user, password and database",
            path=path,
        )
    user = quote(settings.get("user", ""), safe="")
    if password := settings.get("password"):
        user += f":{quote(password, safe='')}"
    port = f":{settings['port']}" if settings.get("port") else ""
    return f"{_DRIVER}://{user}{'@' if user else ''}{settings.get('host', 'localhost')}{port}/{quote(name, safe='')}"


def _settings(text: str) -> dict[str, str]:
    """Return the settings of a file of the stack; empty if it is none."""
    if assigned := dict(_SETTING.findall(text)):
        return assigned
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    if not isinstance(data, dict):
        return {}
    return {str(key): str(value) for key, value in data.items() if value not in (None, "")}
