"""Every exception that a user can meet.

Each is a subclass of the built-in that fits, carries its facts as attributes, and its message is one line that says
what was wrong, where, and what to do next. Raise:

- `PolicyError` for a fault in a mapper policy: file, line, key.
- `DataIdError` for a data ID that cannot be read, is incomplete, or is ambiguous.
- `ConfigError` for a setting that does not exist or is out of range: field, file, line.
- `RepositoryError` for a folder that is not a repository or one that contradicts what is asked of it.
- `DatasetNotFoundError` where a dataset was asked for that is not there.
- `FileFormatError` for a file that cannot be what it should be: truncated, wrong shape, missing keyword.
- `ColumnError` for a column that a catalog does not have: the file, if it was read from one.
- `PluginError` for a camera that is not installed or does not hold to its contract.
- `OutputError` where a result cannot be written.
- `MeasurementError` where pixels do not allow what was asked: no star, no background, no fit.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from obs.url_secrets import hide_passwords

__all__ = [
    "ColumnError",
    "ConfigError",
    "DataIdError",
    "DatasetNotFoundError",
    "FileFormatError",
    "MeasurementError",
    "NoReaderError",
    "ObsError",
    "OutputError",
    "PluginError",
    "PolicyError",
    "RepositoryError",
    "describe_fault",
    "place",
    "suggest",
]


#: Letters of a foreign message that are shown.
_LONGEST = 200


def suggest(word: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the allowed word nearest to ``word``, or an empty string.

    Parameters
    ----------
    word : str
        Word that was not found.
    allowed : iterable of str
        Words to choose from. Their case does not matter.
    """
    names = list(allowed)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if not close:  # typed in capitals, or without them
        same = {name.casefold(): name for name in names}
        close = [same[name] for name in get_close_matches(word.casefold(), same, n=1, cutoff=0.6)]
    return f"; did you mean '{close[0]}'?" if close else ""


def place(path: Path | str | None, line: int | None = None, key: str | None = None) -> str:
    """Return ``"file:line: key: "``, with the parts that are known, as a prefix for a message.

    Parameters
    ----------
    path : Path or str or None
        File.
    line : int, optional
        Line, from 1; it is shown only with a file.
    key : str, optional
        Key or setting at fault.
    """
    where = "" if path is None else f"{path}:{line}: " if line is not None else f"{path}: "
    return where + (f"{key}: " if key else "")


def describe_fault(error: Exception, path: Path | str | None = None, what: str = "cannot be read") -> str:
    """Return what went wrong with one file, on one line and without the file's name; ``what`` if nobody foresaw it.

    The border at which the failure of any reader becomes a line for that file, so that the others go on.

    Parameters
    ----------
    error : Exception
        Exception that a reader raised.
    path : Path or str, optional
        File, whose name is removed from the message.
    what : str, default: "cannot be read"
        Beginning of the message for exceptions of other libraries.
    """
    message = hide_passwords(" ".join(str(error).split()))
    if isinstance(error, ObsError):
        return message.removeprefix(f"{path}: ")
    reason = f"{type(error).__name__}: {message[:_LONGEST]}" if message else type(error).__name__
    return f"{what}: {reason}"


class ObsError(Exception):
    """Base of all errors that are the user's to fix, printed as one line without a traceback.

    Parameters
    ----------
    message : str
        One line for the user. Passwords in URLs are hidden.
    *others : object
        Further arguments of the exception.

    Examples
    --------
    >>> from obs import Butler, ObsError
    >>> try:
    ...     Butler("DATA").get("calexp", visit=21)
    ... except ObsError as error:
    ...     print(type(error).__name__)
    DatasetNotFoundError
    """

    def __init__(self, message: str = "", *others: object) -> None:
        super().__init__(hide_passwords(message), *others)


class PolicyError(ObsError, ValueError):
    """A mapper policy that cannot be used.

    Parameters
    ----------
    message : str
        Fault and remedy.
    path : Path or str, optional
        Policy file; it precedes the message.
    line : int, optional
        Line, from 1.
    key : str, optional
        Key at fault.
    """

    def __init__(
        self, message: str, *, path: Path | str | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        super().__init__(place(path, line, key) + message)
        self.path, self.line, self.key = path, line, key


class DataIdError(ObsError, ValueError):
    """A data ID that cannot be read, is incomplete, or names more than one dataset.

    Parameters
    ----------
    message : str
        Fault and remedy.
    data_id : mapping, optional
        The data ID.
    key : str, optional
        Key at fault.
    """

    def __init__(self, message: str, *, data_id: Mapping[str, Any] | None = None, key: str | None = None) -> None:
        super().__init__(message)
        self.data_id, self.key = data_id, key


class ConfigError(ObsError, ValueError):
    """A setting that does not exist, has the wrong type, or is out of range.

    Parameters
    ----------
    message : str
        Fault and remedy.
    field : str, optional
        Full name of the setting.
    path : Path or str, optional
        Override file; it precedes the message.
    line : int, optional
        Line, from 1.
    """

    def __init__(
        self, message: str, *, field: str | None = None, path: Path | str | None = None, line: int | None = None
    ) -> None:
        super().__init__(place(path, line) + message)
        self.field, self.path, self.line = field, path, line


class RepositoryError(ObsError, OSError):
    """A folder that is not a data repository, or one that contradicts what is asked of it.

    Parameters
    ----------
    message : str
        Fault and remedy.
    path : Path or str, optional
        The folder or file.
    """

    def __init__(self, message: str, *, path: Path | str | None = None) -> None:
        super().__init__(message)
        self.path = path


class DatasetNotFoundError(ObsError, LookupError):
    """A dataset that is not in the repository or any of its parents.

    Parameters
    ----------
    message : str
        Fault and remedy.
    dataset_type : str, optional
        Type of the dataset.
    data_id : mapping, optional
        Its data ID.
    paths : iterable of Path or str, optional
        Places without the file; kept as a tuple.
    """

    def __init__(
        self,
        message: str,
        *,
        dataset_type: str | None = None,
        data_id: Mapping[str, Any] | None = None,
        paths: Iterable[Path | str] = (),
    ) -> None:
        super().__init__(message)
        self.dataset_type, self.data_id, self.paths = dataset_type, data_id, tuple(paths)


class FileFormatError(ObsError, ValueError):
    """A file whose content is not what it should be.

    Parameters
    ----------
    message : str
        Fault and remedy.
    path : Path or str, optional
        The file; it precedes the message.
    """

    def __init__(self, message: str, *, path: Path | str | None = None) -> None:
        super().__init__(place(path) + message)
        self.path = path


class NoReaderError(FileFormatError):
    """A file that nothing here can read, which says nothing against the file."""


class ColumnError(ObsError, KeyError):
    """A column that a catalog does not have.

    Parameters
    ----------
    message : str
        Fault and remedy.
    column : str, optional
        Name of the missing column.
    path : Path or str, optional
        File of the catalog; it precedes the message.
    """

    __str__ = Exception.__str__  # a KeyError shows its message in quotes

    def __init__(self, message: str, *, column: str | None = None, path: Path | str | None = None) -> None:
        super().__init__(place(path) + message)
        self.column, self.path = column, path


class PluginError(ObsError, ImportError):
    """A camera that is not installed, or a plugin that breaks the contract.

    Parameters
    ----------
    message : str
        Fault and remedy.
    plugin : str, optional
        Name of the camera.
    """

    def __init__(self, message: str, *, plugin: str | None = None) -> None:
        super().__init__(message)
        self.plugin = plugin


class OutputError(ObsError, OSError):
    """A result that cannot be written: read-only folder, full disk, another configuration.

    Parameters
    ----------
    message : str
        Fault and remedy.
    path : Path or str, optional
        The folder or file.
    """

    def __init__(self, message: str, *, path: Path | str | None = None) -> None:
        super().__init__(message)
        self.path = path


class MeasurementError(ObsError, RuntimeError):
    """Pixels or sources that do not allow what was asked of them."""
