"""A fault in a YAML file of a dataset."""

from pathlib import Path

from obs.errors import FileFormatError

__all__ = ["YamlFault"]


class YamlFault(FileFormatError):
    """A fault in a YAML file, with its line.

    Parameters
    ----------
    message : str
        Fault and remedy.
    path : Path or str, optional
        The file; it precedes the message.
    line : int, optional
        Line, from 1; it precedes the message as well.
    """

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}", path=path)
