"""Exceptions by the names that scripts of the stack catch."""

import builtins

from obs.errors import DatasetNotFoundError, ObsError

__all__ = [
    "Exception",
    "InvalidParameterError",
    "LengthError",
    "LsstCppException",
    "NotFoundError",
    "OutOfRangeError",
    "RuntimeError",
    "TypeError",
]

Exception = LsstCppException = ObsError
InvalidParameterError = LengthError = ValueError
NotFoundError = DatasetNotFoundError
OutOfRangeError = IndexError
RuntimeError = builtins.RuntimeError
TypeError = builtins.TypeError
