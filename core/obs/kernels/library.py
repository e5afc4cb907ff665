"""The compiled library, and how its functions are called.

The library is plain C without Python's headers, so one file serves all versions of Python. ctypes releases the
interpreter's lock during a call. Where the library is missing, was made from other sources, or is switched off by
``OBS_KERNELS=numpy``, callers run their numpy code, which is the reference that tests compare with.
"""

import ctypes
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NAME", "Kernel", "describe", "is_of_other_version", "source_digest", "use_library"]

NAME = "kernels.so"
FOLDER = Path(__file__).parent
_INSTALLED = FOLDER / NAME

_Byte = ctypes.c_char
_SCALARS = {"int": ctypes.c_int64, "float": ctypes.c_double}

_chosen: list[Path | None] = []
"""Libraries that `use_library` put in the place of the installed one, the last of which counts."""


def source_digest(folder: Path = FOLDER) -> str:
    """Return a digest of the C sources in a folder."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@cache
def _load(path: Path) -> ctypes.CDLL | None:
    """Load a library that was made from the sources beside this file; None if there is none."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(str(path))
        library.obs_kernels_digest.restype = ctypes.c_char_p
        if library.obs_kernels_digest() == source_digest().encode():
            return library
    return None


def _library() -> ctypes.CDLL | None:
    if _chosen:
        return None if _chosen[-1] is None else _load(_chosen[-1])
    return None if _is_switched_off() else _load(_INSTALLED)


@cache
def _is_switched_off() -> bool:
    """Whether the environment says so; looked up once, because kernels are called ten thousand times a frame."""
    return os.environ.get("OBS_KERNELS") == "numpy"


@contextmanager
def use_library(path: Path | None) -> Iterator[bool]:
    """Use another library for a while, or none; give whether it is usable.

    Parameters
    ----------
    path : Path or None
        Library of compiled kernels; None for numpy alone.

    Yields
    ------
    bool
        Whether the library can be used.
    """
    _chosen.append(path)
    try:
        yield _library() is not None
    finally:
        _chosen.pop()


def describe() -> str:
    """Say in a few words which kernels are in use."""
    if _library() is not None:
        return "compiled kernels"
    if _is_switched_off():
        return "numpy kernels, as OBS_KERNELS says"
    if is_of_other_version():
        return "numpy kernels: the compiled ones are of another version; install obs again"
    return "numpy kernels: no C compiler was found when obs was installed"


def is_of_other_version() -> bool:
    """Return whether there is a compiled library, made from other sources than these, so that numpy does its work."""
    path = _chosen[-1] if _chosen else _INSTALLED
    return path is not None and not _is_switched_off() and path.exists() and _library() is None


class Kernel:
    """One function of the library. It is false where callers have to do without.

    Parameters
    ----------
    name : str
        Name of the C function, which returns an ``int64_t``.
    *arguments : str
        Type of each argument: ``int`` and ``float`` for numbers (``int64_t``, ``double``), the name of a numpy type for
        an array.
    """

    def __init__(self, name: str, *arguments: str) -> None:
        self._name, self._arguments = name, arguments
        self._types = [_SCALARS.get(kind, ctypes.c_void_p) for kind in arguments]
        self._library: ctypes.CDLL | None = None
        self._function: Any = None
        self._dtypes = [None if kind in _SCALARS else np.dtype(kind) for kind in arguments]

    def __bool__(self) -> bool:
        return _library() is not None

    def __call__(self, *values: NDArray[np.generic] | float) -> int:
        """Call it.

        Parameters
        ----------
        *values : ndarray or number
            As declared; arrays are contiguous and have exactly the declared type, or a ``TypeError`` says which not.
        """
        library = _library()
        if library is None or library is not self._library:
            self._bind(library)
        given = [self._pointer(k, value) for k, value in enumerate(values)]
        return int(self._function(*given))

    def _bind(self, library: ctypes.CDLL | None) -> None:
        if library is None:
            raise RuntimeError(f"{self._name} was called without compiled kernels")
        self._function = library[self._name]
        self._function.restype, self._function.argtypes = ctypes.c_int64, self._types
        # at last, because other threads use the function as soon as they see the library
        self._library = library

    def _pointer(self, k: int, value: NDArray[np.generic] | float) -> float:
        if self._dtypes[k] is None:
            return value  # type: ignore[return-value]
        if not isinstance(value, np.ndarray) or value.dtype != self._dtypes[k] or not value.flags.c_contiguous:
            found = f"{value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
            raise TypeError(f"argument {k} of {self._name} is {found}, not a contiguous array of {self._dtypes[k]}")
        try:
            # a fifth of the time of `value.ctypes`, which arrays without pixels and those that are only read need
            return ctypes.addressof(_Byte.from_buffer(value))  # type: ignore[arg-type]  # an array is a buffer
        except (TypeError, ValueError):
            return value.ctypes.data
