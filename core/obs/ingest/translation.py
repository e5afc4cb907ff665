"""From the header of a raw file to rows of the registry."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, FileFormatError, ObsError, PluginError
from obs.ingest.headers import FileHeader, read_headers
from obs.instrument.instrument import Instrument, resolve
from obs.instrument.translator import Translator
from obs.policy.data_id import cast_value

__all__ = ["Translated", "first_image", "load_translator", "registry_columns", "translate_file"]


@dataclass(frozen=True)
class Translated:
    """What a file's headers say.

    Parameters
    ----------
    path : Path
        The file.
    rows : tuple of dict
        One row of the registry for each image that counts.
    error : str
        Why there are none; else empty.
    warnings : tuple of str
        Columns that could not be filled.
    """

    path: Path
    rows: tuple[dict[str, Any], ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = field(default_factory=tuple)


def load_translator(instrument: Instrument) -> Translator:
    """Return the translator of a camera.

    Raises
    ------
    PluginError
        If the camera has none, or one that does not say what the registry's columns are.
    """
    if instrument.translator is None:
        raise PluginError(
            f"camera '{instrument.name}' has no translator, so that its headers cannot be read", plugin=instrument.name
        )
    return _make(instrument.translator)


def _make(reference: str) -> Translator:
    kind = resolve(reference)
    if not (isinstance(kind, type) and issubclass(kind, Translator)):
        raise PluginError(f"{reference} cannot be used for ingest: it is no obs.instrument.translator.Translator")
    if lacking := [name for name in ("columns", "unique") if not getattr(kind, name)]:
        raise PluginError(
            f"the translator {reference} cannot be used for ingest: it sets no {' and no '.join(lacking)}"
        )
    return kind()


def registry_columns(translator: Translator) -> dict[str, type]:
    """Return the columns of the table ``raw`` and their types; frames that share a file have the number of the HDU."""
    columns = dict(translator.columns)
    return columns if not translator.extensions else columns | {"hdu": int}


def translate_file(path: Path, reference: str, needed: Sequence[str]) -> Translated:
    """Read a file's headers and translate them; whatever is wrong with the file becomes the result's ``error``.

    Parameters
    ----------
    path
        The file.
    reference
        The translator, as ``"package.module:Class"``.
    needed
        Columns without which the file has no place.
    """
    try:
        translator = _make(reference)
        warnings: list[str] = []
        rows = tuple(_complete(translator, row, needed, warnings) for row in _rows(path, translator))
    except ObsError as error:
        # The list of files says which one it is.
        return Translated(path, error=str(error).removeprefix(f"{path}: "))
    except Exception as error:  # noqa: BLE001 - a translator's fault with one header must not stop the night
        return Translated(path, error=f"the translator failed: {type(error).__name__}: {error}")
    return Translated(path, rows, warnings=tuple(dict.fromkeys(warnings)))


def _rows(path: Path, translator: Translator) -> Iterator[dict[str, Any]]:
    wanted = translator.extensions
    if wanted:
        for number, header in _extensions(path, wanted):
            yield translator.registry_columns(_known(header)) | {"hdu": number}
        return
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    fault: FileFormatError | None = None
    for header in _images(path):
        try:
            row = translator.registry_columns(header)
        except FileFormatError as error:
            fault = fault or error
            continue
        # Amplifiers in HDUs of their own, and what else goes with a detector, have its data ID.
        found.setdefault(tuple(row.get(name) for name in translator.unique), row)
    if not found:
        raise fault or FileFormatError("has no image", path=path)
    whole = [row for key, row in found.items() if None not in key]
    yield from whole or list(found.values())[:1]


def _images(path: Path) -> Iterator[FileHeader]:
    """Yield the primary header if it has pixels, else that of every image, with the primary's cards beneath."""
    primary: FileHeader = {}
    count = 0
    for number, header in read_headers(path):
        if number == 0:
            primary = header
        if header.get("NAXIS", 0) != 2 or header.get("XTENSION", "IMAGE").strip() not in ("IMAGE", ""):
            continue
        count += 1
        yield _known(primary | header)
        if number == 0:
            return
    if not count:
        yield _known(primary)


def _known(header: FileHeader) -> FileHeader:
    """Return the cards that have a value."""
    return {keyword: value for keyword, value in header.items() if value == value}


def first_image(path: Path) -> FileHeader:
    """Return the primary header's cards; where that has no data, with those of the first HDU that has on top.

    Raises
    ------
    FileFormatError
        If it is no FITS file, or ends early.
    """
    primary: FileHeader = {}
    for number, header in read_headers(path):
        if number == 0:
            primary = header
        if header.get("NAXIS", 0) > 0:
            return _known(primary | header)
    return _known(primary)


def _extensions(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, FileHeader]]:
    """Yield the extensions that hold a detector each, with the primary header's cards beneath their own."""
    primary: FileHeader = {}
    missing = {name.upper(): name for name in wanted}
    for number, header in read_headers(path):
        primary = primary or header
        name = str(header.get("EXTNAME", "")).strip().upper()
        if name in missing:
            del missing[name]
            yield number, primary | header
            if not missing:
                return
    if len(missing) == len(wanted):
        raise FileFormatError(f"has none of the extensions {', '.join(missing.values())}", path=path)
    raise FileFormatError(f"lacks the extensions {', '.join(missing.values())}", path=path)


def _complete(
    translator: Translator, row: Mapping[str, Any], needed: Sequence[str], warnings: list[str]
) -> dict[str, Any]:
    """Return a row with every column, as its type; what is not known is None."""
    whole: dict[str, Any] = dict.fromkeys(translator.columns)
    wrong = set()
    for name, kind in translator.columns.items():
        value = row.get(name)
        if value is None or value != value:  # NaN
            continue
        try:
            whole[name] = _as_type(name, value, kind)
        except DataIdError as error:
            if name in needed:
                raise
            warnings.append(str(error))
            wrong.add(name)
    lacking = [name for name in needed if whole.get(name) is None and name in whole]
    if lacking:
        raise FileFormatError(f"the header does not tell {', '.join(lacking)}")
    warnings += [f"the header does not tell {name}" for name in whole if whole[name] is None and name not in wrong]
    if "hdu" in row:
        whole["hdu"] = row["hdu"]
    return whole


def _as_type(name: str, value: Any, kind: type) -> Any:  # noqa: ANN401 - values of any type
    if isinstance(value, str):
        value = value.strip()
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    return cast_value(name, value, kind)
