"""Calls of a translator's methods, which a plugin wrote and which may fail in any way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from obs.errors import FileFormatError
from obs.instrument.header import Header

__all__ = ["call_method"]


def call_method(method: Callable[[Header], Any], md: Header, module: Callable[[], Path]) -> Any:  # noqa: ANN401 - columns are of any type
    """Return what a method tells of a header.

    Parameters
    ----------
    method : callable
        The method.
    md : Header
        The header.
    module : callable
        Returns the file of the translator; called where the method fails.

    Raises
    ------
    FileFormatError
        If it fails; of the translator's own faults with the line.
    """
    try:
        return method(md)
    except FileFormatError:
        raise
    except KeyError as error:
        if md.asked.get(error.args[0]) is False:
            raise FileFormatError(f"the header does not have {error.args[0]}") from None
        raise FileFormatError(f"{_place(error, module())}KeyError: {error}") from error
    except (TypeError, ValueError) as error:
        raise FileFormatError(str(error)) from error
    except Exception as error:
        # a plugin's method can fail in any way
        raise FileFormatError(f"{_place(error, module())}{type(error).__name__}: {error}") from error


def _place(error: Exception, module: Path) -> str:
    """Return the last line of the translator that an error passed, as ``file:line: ``."""
    place, trace = "", error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == module:
            place = f"{module}:{trace.tb_lineno}: "
        trace = trace.tb_next
    return place
