"""Write the package with which the third-generation LSST stack reads a camera."""

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.checks.open_package import OpenPackage
from obs.errors import FileFormatError, ObsError, OutputError, PluginError
from obs.gen3.camera_yaml import camera_losses, dump_camera
from obs.gen3.description import describe_instrument, find_identity, find_visit_key
from obs.gen3.known_cameras import find_clashes
from obs.ingest.translation import load_translator, read_frames
from obs.instrument.header import FILE_NAME, FOLDER
from obs.instrument.instrument import Instrument
from obs.os_advice import write_advice
from obs.rendering import render
from obs.repo.atomic import temporary_path
from obs.small_file import read_small_text

__all__ = ["Exported", "export_package"]

#: Template to the place of the file, in which names of the camera are filled in.
_FILES = {
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "product.table": "ups/obs_{package}.table",
    "namespace.py": "python/lsst/__init__.py",
    "package.py": "python/lsst/obs/{package}/__init__.py",
    "translator.py": "python/lsst/obs/{package}/translator.py",
    "filters.py": "python/lsst/obs/{package}/filters.py",
    "instrument.py": "python/lsst/obs/{package}/_instrument.py",
    "raw_formatter.py": "python/lsst/obs/{package}/rawFormatter.py",
    "ingest.py": "python/lsst/obs/{package}/ingest.py",
    "isr.py": "config/isr.py",
    "ProcessCcd.yaml": "pipelines/ProcessCcd.yaml",
    "DRP.yaml": "pipelines/DRP.yaml",
    "cpBias.yaml": "pipelines/cpBias.yaml",
    "cpDark.yaml": "pipelines/cpDark.yaml",
    "cpFlat.yaml": "pipelines/cpFlat.yaml",
    "test_translator.py": "tests/test_translator.py",
    "test_camera.py": "tests/test_camera.py",
    "test_instrument.py": "tests/test_instrument.py",
}
_DATE_LENGTH = 23  # to the millisecond


class Exported:
    """What was written, and what its owner should know.

    Parameters
    ----------
    folder : Path
        Folder of the package.
    notes : sequence of str
        What could not be exported, or has to be filled in.
    """

    def __init__(self, folder: Path, notes: Sequence[str]) -> None:
        self.folder = folder
        self.notes = tuple(notes)


def export_package(opened: OpenPackage, folder: Path, *, raw_files: Sequence[Path] = ()) -> Exported:
    """Write the package of a camera for the LSST stack.

    Parameters
    ----------
    opened : OpenPackage
        The camera's own package.
    folder : Path
        Folder in which the new one, ``lsst_obs_NAME``, is made.
    raw_files : sequence of Path
        Raw files, or headers as text. They and the real headers in the camera's tests show by which cards files of the
        camera are recognized, and become tests of the new package.

    Raises
    ------
    PluginError
        If the camera cannot be used, or the stack cannot describe it.
    FileFormatError
        If a raw file cannot be read.
    OutputError
        If the folder exists already, or cannot be written.
    """
    if opened.instrument is None:
        raise PluginError(f"camera '{opened.name}' cannot be used: {opened.problems[0]}", plugin=opened.name)
    instrument = opened.instrument
    target = folder / f"lsst_obs_{instrument.name}"
    if target.exists():
        raise OutputError(f"{target} exists already; remove it, or choose another folder by --output", path=target)
    headers = [*_stored_headers(opened), *_headers_of(raw_files, instrument)]
    identity = find_identity([header["cards"] for header in headers]) if headers else {}
    tests = [test for header in headers if (test := _with_expected(header, instrument)) is not None]
    seen = [test["expected"]["physical_filter"] for test in tests]
    values = describe_instrument(instrument, identity, seen)
    notes = _notes(instrument, values, headers)
    texts = {place.format(package=values["package"]): name for name, place in _FILES.items()}
    written = {
        place: render(f"lsst/{name}.jinja", **values, notes=notes, has_headers=bool(tests))
        for place, name in texts.items()
    }
    written["python/lsst/obs/__init__.py"] = written["python/lsst/__init__.py"]
    written["camera/camera.yaml"] = dump_camera(instrument.load_camera())
    if tests:
        written["tests/headers.json"] = json.dumps(tests, indent=1, ensure_ascii=True) + "\n"
    _write(target, written)
    return Exported(target, notes)


def _write(target: Path, texts: Mapping[str, str]) -> None:
    """Write files into a folder that appears whole or not at all."""
    staged = temporary_path(target)
    try:
        for place, text in texts.items():
            path = staged / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        staged.rename(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {write_advice(error)}", path=target) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _stored_headers(opened: OpenPackage) -> list[dict[str, Any]]:
    """Return the real headers in the tests of a package, where its source is at hand."""
    path = None if opened.folder is None else opened.folder.resolve().parent / "tests" / "headers.json"
    if path is None or not path.is_file():
        return []
    try:
        stored = json.loads(read_small_text(path, error=FileFormatError))
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileFormatError(f"these headers cannot be read: {error}", path=path) from error
    return [
        {"file": str(entry["file"]), "cards": {key: value for key, value in entry["cards"].items() if _is_plain(value)}}
        for entry in stored
        if isinstance(entry, dict) and isinstance(entry.get("cards"), dict) and entry.get("file")
    ]


def _headers_of(paths: Sequence[Path], instrument: Instrument) -> list[dict[str, Any]]:
    translator = load_translator(instrument)
    return [
        {
            "file": path.name,
            "cards": {
                key: value for key, value in frame.header.items() if key not in (FILE_NAME, FOLDER) and _is_plain(value)
            },
        }
        for path in paths
        for frame in read_frames(path, translator, text=True)
    ]


def _is_plain(value: object) -> bool:
    """Whether a card has a value that JSON holds."""
    return isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value))


def _with_expected(header: dict[str, Any], instrument: Instrument) -> dict[str, Any] | None:
    """Return a header with what the camera's own translator reads in it; None if that cannot place the frame."""
    translator = load_translator(instrument)
    cards = {**header["cards"], FILE_NAME: header["file"]}
    try:
        row, info = translator.registry_columns(cards), translator.visit_info(cards)
        detector = instrument.find_detector(row)
        exposure = int(row[find_visit_key(instrument, translator)])
    except (ObsError, KeyError):
        return None
    if not info.date_begin:
        return None
    name = str(row.get("filter") or "unknown")
    known = [one for one in instrument.filters if name == one.physical_filter or name in one.aliases]
    expected = {
        "exposure_id": exposure,
        "detector_num": detector.id,
        "detector_name": detector.name,
        "physical_filter": known[0].physical_filter if known else name,
        "observation_type": str(row.get("dataType") or "unknown").lower(),
        "datetime_begin": [info.date_begin[:_DATE_LENGTH], info.time_scale.lower()],
        "exposure_time": info.exposure_time,
        "boresight_airmass": info.airmass,
        "ra": info.boresight_ra,
        "dec": info.boresight_dec,
    }
    return header | {"expected": {key: value for key, value in expected.items() if value == value}}


def _notes(instrument: Instrument, values: Mapping[str, Any], headers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the owner of the new package has to know or to fill in."""
    notes = camera_losses(instrument.load_camera())
    notes += find_clashes(values["package"], (header["cards"] for header in headers))
    if not values["identity"]:
        why = "the headers have no card that names the camera" if headers else "no real header is known"
        notes.insert(
            0,
            f"{why}: write the cards by which files are recognized into IDENTITY of translator.py, for example "
            '{"INSTRUME": "MyCam"}; until then the stack does not recognize a file',
        )
    return notes
