"""Settings out of a sky map that the LSST stack pickled, without running anything that is in the file."""

import ast
import pickletools
import re
from pathlib import Path
from typing import Any

from obs.errors import FileFormatError
from obs.regular_file import open_regular
from obs.skymap.sky_map import SkyMap
from obs.skymap.types import make_sky_map

__all__ = ["read_pickled_sky_map"]

_LARGEST = 1 << 20
_CLASSES = {
    "DiscreteSkyMap": "discrete",
    "RingsSkyMap": "rings",
    "DodecaSkyMap": "dodecahedron",
    "EquatSkyMap": "equatorial",
    "HealpixSkyMap": "healpix",
}
_MODULE = re.compile(r"lsst\.skymap(\.\w+)?")
_HARMLESS = {("lsst.pex.config.config", "unreduceConfig"), ("_codecs", "encode"), ("copyreg", "_reconstructor")}
_HARMLESS |= {("copy_reg", "_reconstructor"), ("builtins", "object"), ("__builtin__", "object")}
#: Opcodes that such a file has: constants, tuples, the memo, and the calls of the classes above.
_OPCODES = frozenset(
    (  # noqa: SIM905 - as a list it takes fifty lines
        "PROTO FRAME STOP MARK GLOBAL STACK_GLOBAL REDUCE BUILD NEWOBJ TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_TUPLE "
        "EMPTY_DICT EMPTY_LIST DICT LIST APPEND APPENDS SETITEM SETITEMS PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET "
        "MEMOIZE INT BININT BININT1 BININT2 LONG LONG1 NONE NEWTRUE NEWFALSE FLOAT BINFLOAT STRING "
        "BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINBYTES SHORT_BINBYTES POP DUP"
    ).split()
)
_ADVICE = "make the sky map anew with obs skymap make"
_REFUSED = "a version 0 rings sky map numbers tracts in another way"


def read_pickled_sky_map(path: Path) -> SkyMap[Any]:
    """Read ``skyMap.pickle`` of the second-generation LSST stack.

    The file is never unpickled. Its opcodes are listed; any that such a file does not have, or the name of a function
    that it does not need, refuses it. The stack keeps a sky map as the text of its settings, and of that only
    assignments of constants are taken.

    Raises
    ------
    FileFormatError
        If the file is anything else.
    """
    texts, names, numbers = _list_content(path)
    classes = [name for _, name in names if name in _CLASSES]
    settings = next((text for text in texts if "config" in text and "=" in text), None)
    if not classes or settings is None:
        raise FileFormatError(f"holds no sky map of the LSST stack that can be read; {_ADVICE}", path=path)
    kind = _CLASSES[classes[0]]
    if kind == "rings" and numbers and numbers[-1] == 0:
        raise FileFormatError(f"{_REFUSED}; {_ADVICE}, and make coadds anew", path=path)
    return make_sky_map(kind, _assignments(settings, path))


def _list_content(path: Path) -> tuple[list[str], list[tuple[str, str]], list[int]]:
    """Return the texts, the names of classes and functions, and the integers of a pickle."""
    content = _Content()
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise FileFormatError(f"is too large for a sky map (more than {_LARGEST} bytes); {_ADVICE}", path=path)
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name not in _OPCODES:
                raise FileFormatError(f"has the opcode {opcode.name}, which no sky map has; {_ADVICE}", path=path)
            content.add(opcode.name, argument)
    except OSError as error:
        raise FileFormatError(f"cannot be read: {error.strerror}", path=path) from error
    except ValueError as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"is not a whole pickle; {_ADVICE}", path=path) from error
    for module, name in content.names:
        if (module, name) not in _HARMLESS and not _MODULE.fullmatch(module):
            raise FileFormatError(f"names {module}.{name}, which no sky map needs; not read; {_ADVICE}", path=path)
    return content.texts, content.names, content.numbers


class _Content:
    """What the opcodes of a pickle mention, in their order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.names: list[tuple[str, str]] = []
        self.numbers: list[int] = []
        self._pushed: list[str] = ["", ""]  # a text, or nothing for any other value
        self._memo: dict[int, str] = {}

    def add(self, opcode: str, argument: object) -> None:
        """Take in one opcode and its argument."""
        if opcode in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument if isinstance(argument, int) else len(self._memo)] = self._pushed[-1]
        elif opcode in ("GET", "BINGET", "LONG_BINGET"):
            self._pushed.append(self._memo.get(argument, "") if isinstance(argument, int) else "")
        elif opcode not in ("PROTO", "FRAME", "MARK"):
            self._push(opcode, argument)

    def _push(self, opcode: str, argument: object) -> None:
        text = ""
        if opcode == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            self.names.append((module, name))
        elif opcode == "STACK_GLOBAL":
            self.names.append((self._pushed[-2], self._pushed[-1]))
        elif isinstance(argument, bytes | str):
            text = argument.decode("utf-8", "replace") if isinstance(argument, bytes) else argument
            self.texts.append(text)
        elif isinstance(argument, int):
            self.numbers.append(argument)
        self._pushed.append(text)


def _assignments(text: str, path: Path) -> dict[str, Any]:
    """Return the constants that lines such as ``config.numRings=120`` assign."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise FileFormatError(f"holds settings that cannot be read; {_ADVICE}", path=path) from error
    values: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Attribute):
            try:
                values[target.attr] = ast.literal_eval(node.value)
            except ValueError:
                raise FileFormatError(f"sets {target.attr} to no constant; {_ADVICE}", path=path) from None
    return values
