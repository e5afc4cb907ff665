"""From the header of a raw file to rows of the registry."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, FileFormatError, ObsError, PluginError, describe_fault
from obs.frozen import frozen
from obs.ingest.headers import FileHeader
from obs.ingest.image_headers import NoImageError, extension_headers, image_headers, known_cards, text_image_headers
from obs.ingest.path_keys import keys_of_path
from obs.ingest.report import HOLDS_TRUTH
from obs.ingest.strangers import find_stranger, unreadable_stranger
from obs.ingest.text_headers import is_text_header
from obs.instrument.header import COLOR, EDITED, TRUTH, name_cards
from obs.instrument.image_types import TAKES_MASTERS, standard_type, type_of_master
from obs.instrument.instrument import Instrument, make_translator
from obs.instrument.translator import Translator
from obs.policy.data_id import cast_value

__all__ = [
    "Frame",
    "Translated",
    "load_translator",
    "read_frames",
    "registry_columns",
    "translate_file",
    "with_columns",
]

_EDITED_HEADER = (
    "the header does not agree with CHECKSUM: it was edited or damaged after the file was written; "
    "see its values by obs translate, and copy the file again if one is wrong"
)


@frozen
class Frame:
    """A detector's exposure in a file.

    Parameters
    ----------
    hdu : int
        Number of its HDU; of several, as where each amplifier has its own, the first.
    header : dict
        Its cards that have a value, above those of the primary header.
    row : dict
        What they tell of the registry's columns.
    hint : str
        End of the message about a missing column.
    """

    hdu: int
    header: FileHeader
    row: dict[str, Any]
    hint: str = ""


@frozen
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
    stranger : str
        Why the file is left out, which is of another camera; else empty.
    is_no_exposure : bool
        Whether the reason is that it holds something else: tables, or the truth of a simulation.
    size : tuple of int
        Rows and columns of its first image, as the header gives them; 0 where it does not.
    """

    path: Path
    rows: tuple[dict[str, Any], ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = field(default_factory=tuple)
    stranger: str = ""
    is_no_exposure: bool = False
    size: tuple[int, int] = (0, 0)


def load_translator(instrument: Instrument) -> Translator:
    """Return the translator of a camera.

    Raises
    ------
    PluginError
        If the camera has none, or one that does not say what the registry's columns are.
    """
    return _checked(instrument.make_translator(), _name(instrument))


def _name(instrument: Instrument) -> str:
    named = instrument.translator
    return named if isinstance(named, str) else f"of camera '{instrument.name}'"


def _checked(translator: Translator, name: str) -> Translator:
    """Return a translator after a look at what ingest needs of it, its table of wrong headers among it."""
    if lacking := [name for name in ("columns", "unique") if not getattr(translator, name)]:
        raise PluginError(f"the translator {name} cannot be used for ingest: it sets no {' and no '.join(lacking)}")
    _ = translator.fixes
    return translator


def with_columns(
    instrument: Instrument,
    files: Mapping[Path, Sequence[Mapping[str, Any]]],
    keys: Sequence[str],
    there: Mapping[str, Any] | None = None,
) -> Translator:
    """Return the translator of a camera, with columns for all that is known of raw frames without it.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    files : mapping of Path to sequence of mapping
        What is known of the frames of each file, one at least.
    keys : sequence of str
        Columns that name a row, for a translator that does not say, or names some that nothing tells.
    there : mapping of str, optional
        Columns of the registry, beside which no new ones are possible.

    Returns
    -------
    Translator
    """
    translator = copy.copy(instrument.make_translator())
    rows = [row for rows in files.values() for row in rows]
    added = {name: type(value) for row in rows for name, value in row.items() if value is not None}
    wanted = {name: kind for name, kind in added.items() if there is None or name in there}
    unique = tuple(translator.unique)
    told = {*rows[0], *_told(next(iter(files)), translator)}
    if not (unique and told.issuperset(unique)):
        unique = tuple(key for key in keys if key in rows[0])
    translator.__dict__ |= {"columns": {**wanted, **translator.columns}, "unique": unique}
    return _checked(translator, _name(instrument))


def _told(path: Path, translator: Translator) -> set[str]:
    """Return the columns that the headers of a file tell; none of one that cannot be read."""
    with suppress(ObsError):
        rows = [frame.row for frame in read_frames(path, translator)]
        return {name for row in rows for name, value in row.items() if value is not None}
    return set()


def registry_columns(translator: Translator) -> dict[str, type]:
    """Return the columns of the table ``raw`` and their types; frames that share a file have the number of the HDU."""
    columns = dict(translator.columns)
    return columns if not translator.extensions else columns | {"hdu": int}


def translate_file(
    path: Path,
    reference: str | Translator,
    needed: Sequence[str],
    template: str = "",
    given: Mapping[str, Any] | None = None,
    rows: Mapping[Path, Sequence[Mapping[str, Any]]] | None = None,
) -> Translated:
    """Read a file's headers and translate them; whatever is wrong with the file becomes the result's ``error``.

    Parameters
    ----------
    path : Path
        The file.
    reference : str or Translator
        The translator, or ``"package.module:Class"`` for it.
    needed : sequence of str
        Columns without which the file has no place.
    template : str, default: ""
        Template of raw files, by which the path gives keys that the header does not.
    given : mapping, optional
        Values of columns that neither gives.
    rows : mapping of Path to sequence of mapping, optional
        For files of which more is known: what is known of each frame, which counts before the headers.
    """
    try:
        translator = make_translator(reference)
        warnings: list[str] = []
        frames = list(read_frames(path, translator))
        if TRUTH in frames[0].header:
            return Translated(path, error=HOLDS_TRUTH, is_no_exposure=True)
        if stranger := find_stranger(frames[0].header, translator):
            return Translated(path, stranger=stranger)
        kind, card = type_of_master(frames[0].header)
        if kind and standard_type(str(frames[0].row.get("dataType", ""))) is None:
            error = f"a {kind} made of several frames ({card}), no raw frame; {TAKES_MASTERS} takes it"
            return Translated(path, error=error, is_no_exposure=True)
        if any(EDITED in frame.header for frame in frames):
            warnings.append(_EDITED_HEADER)
        whole = [_with_given(_with_path(frame, path, template), given or {}) for frame in frames]
        if known := (rows or {}).get(path):
            whole = [_with_row(whole, row, translator.unique) for row in known]
            told = dict.fromkeys(name for row in known for name, value in row.items() if value is not None)
            if homeless := [name for name in told if name not in translator.columns]:
                warnings.append(
                    f"the registry has no column for its {', '.join(homeless)}, which are left out; to keep them, name "
                    "them in the columns of the camera (register.columns in config/ingest.py of a package of the "
                    "stack), and ingest again with --create"
                )
        translated = tuple(_complete(translator, frame, needed, warnings) for frame in whole)
    except ObsError as error:
        if stranger := unreadable_stranger(path, reference):
            return Translated(path, stranger=stranger)
        # The list of files says which one it is.
        return Translated(path, error=describe_fault(error, path), is_no_exposure=isinstance(error, NoImageError))
    except Exception as error:  # noqa: BLE001 - a translator's fault with one header must not stop the night
        return Translated(path, error=describe_fault(error, path, "the translator failed"))
    return Translated(path, translated, warnings=tuple(dict.fromkeys(warnings)), size=_size(frames[0].header))


def _size(header: FileHeader) -> tuple[int, int]:
    rows, columns = header.get("NAXIS2"), header.get("NAXIS1")
    return (rows, columns) if isinstance(rows, int) and isinstance(columns, int) else (0, 0)


def read_frames(path: Path, translator: Translator, *, text: bool = False) -> Iterator[Frame]:
    """Read the headers of a file and find the detectors' exposures in it.

    Parameters
    ----------
    path : Path
        The file.
    translator : Translator
        The camera's.
    text : bool, default: False
        Take the text of a header (``.hdr``) too, which has no pixels.

    Yields
    ------
    Frame
        One for each of the translator's `extensions`; without these one for each data ID.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or no header tells what it is of.
    """
    is_text = text and is_text_header(path)
    if translator.extensions and not is_text:
        for number, header in extension_headers(path, translator.extensions):
            known = {**known_cards(header), **name_cards(path)}
            yield Frame(number, known, translator.registry_columns(known))
        return
    found: dict[tuple[Any, ...], Frame] = {}
    fault: FileFormatError | None = None
    for number, header in _of_each_color(
        text_image_headers(path) if is_text else image_headers(path), path, translator
    ):
        try:
            row = translator.registry_columns(header)
        except FileFormatError as error:
            fault = fault or error
            continue
        # Amplifiers in HDUs of their own, and what else goes with a detector, have its data ID.
        found.setdefault(tuple(row.get(name) for name in translator.unique), Frame(number, header, row))
    if not found:
        raise fault or FileFormatError("has no image", path=path)
    whole = [frame for key, frame in found.items() if None not in key]
    yield from whole or list(found.values())[:1]


def _of_each_color(
    images: Iterator[tuple[int, FileHeader]], path: Path, translator: Translator
) -> Iterator[tuple[int, FileHeader]]:
    """Yield the headers of a file; those of a color camera once for each color."""
    for number, cards in images:
        header = {**cards, **name_cards(path)}
        is_simulated = any(card in header for card in translator.simulated_cards)
        for color in translator.colors if not is_simulated else ():
            yield number, {**header, COLOR: color}
        if is_simulated or not translator.colors:
            yield number, header


def _with_path(frame: Frame, path: Path, template: str) -> Frame:
    """Add the keys that only the path gives."""
    found = keys_of_path(template, path, frame.row) if template else {}
    if not found:
        return frame
    hint = f"; the path gives {', '.join(found)}, and more if it ends in {template}"
    return replace(frame, row=dict(frame.row) | found, hint=hint)


def _with_given(frame: Frame, given: Mapping[str, Any]) -> Frame:
    """Add the keys that only the user gives."""
    return replace(frame, row={**given, **{name: v for name, v in frame.row.items() if v is not None}})


def _with_row(frames: Sequence[Frame], row: Mapping[str, Any], unique: Sequence[str]) -> Frame:
    """Return the frame of a file that a row is of, with what the row tells on top."""
    names = [name for name in unique if name in row]
    own = (frame for frame in frames if all(frame.row.get(name) in (None, row[name]) for name in names))
    frame = next(own, frames[0])
    return replace(frame, row={**frame.row, **row})


def _complete(translator: Translator, frame: Frame, needed: Sequence[str], warnings: list[str]) -> dict[str, Any]:
    """Return a row with every column, as its type; what is not known is None."""
    row = frame.row
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
        advice = f"; give it by --set {' '.join(f'{name}=VALUE' for name in lacking)}"
        raise FileFormatError(f"the header does not give {', '.join(lacking)}{frame.hint}{advice}")
    warnings += [f"the header does not give {name}" for name in whole if whole[name] is None and name not in wrong]
    if translator.extensions:
        whole["hdu"] = frame.hdu
    return whole


def _as_type(name: str, value: Any, kind: type) -> Any:  # noqa: ANN401 - values of any type
    if isinstance(value, str):
        value = value.strip()
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    return cast_value(name, value, kind)
