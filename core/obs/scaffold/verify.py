"""A new package's own translator, run on the files that the package was made from."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from obs.checks.open_package import open_package
from obs.errors import ObsError
from obs.image.visit_info import VisitInfo
from obs.ingest.translation import Frame, read_frames
from obs.inspection.finding import Finding
from obs.inspection.frame_facts import FileFacts
from obs.inspection.inspect import Findings
from obs.instrument.translator import Translator

__all__ = ["find_disagreements"]

_ARCSEC = 1.0 / 3600.0
_TOLERANCES = {"exposure_time": 1e-3, "airmass": 1e-3, "boresight_ra": _ARCSEC, "boresight_dec": _ARCSEC}
_ADVICE = "put the right card first in translator.py, or add it to header_fixes"


def find_disagreements(package: Path, findings: Findings) -> list[str]:
    """Return where the translator of a package reads a file otherwise than the file is understood alone.

    Parameters
    ----------
    package : Path
        Folder of the new package.
    findings : Findings
        What the files told, from which it was made.
    """
    found: list[str] = []
    seen: dict[tuple[Any, ...], str] = {}
    twins: list[str] = []
    with open_package(str(package)) as opened:
        if opened.instrument is None:
            return [str(problem) for problem in opened.problems]
        translator = opened.instrument.make_translator()
        for file, facts in zip(findings.files, findings.frames.files, strict=True):
            try:
                frames = list(read_frames(file.path, translator, text=True))
                info = translator.visit_info(frames[0].header)
            except ObsError as error:
                text = str(error).removeprefix(f"{file.path}: ")
                found.append(f"{file.path.name}: the translator cannot read it: {text}")
                continue
            found += [f"{file.path.name}: {text}" for text in _differences(facts, frames[0], info, findings)]
            twins += _twins(translator, frames, file.path.name, seen)
    return [*found, *_first_of(twins)]


def _differences(facts: FileFacts, frame: Frame, info: VisitInfo, findings: Findings) -> Iterator[str]:
    row = frame.row
    pairs: list[tuple[str, Finding, Any]] = [
        ("date_begin", facts.date[0], info.date_begin),
        ("exposure_time", facts.exposure[0], info.exposure_time),
        ("filter", facts.glass[0], row.get("filter")),
        ("dataType", facts.image_type[0], row.get("dataType")),
        ("boresight_ra", facts.pointing[0], info.boresight_ra),
        ("boresight_dec", facts.pointing[1], info.boresight_dec),
        ("airmass", facts.airmass[0], info.airmass),
    ]
    for name, finding, value in pairs:
        if name == "filter" and findings.mosaic.is_known:
            continue  # the color of the mosaic, with the glass before it
        if not _agree(name, finding, value):
            evidence = f"{finding.source} alone gives {finding.value} ({finding.confidence})"
            if not finding.is_known:
                evidence = f"the header alone does not say it{f': {finding.note}' if finding.note else ''}"
            yield f"{name} is {_shown(value)} by the translator, {evidence}; {_ADVICE}"


def _shown(value: Any) -> str:  # noqa: ANN401 - numbers and texts
    if value is None or value == "" or value != value:
        return "not known"
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _agree(name: str, finding: Finding, value: Any) -> bool:  # noqa: ANN401 - numbers and texts
    is_told = not (value is None or value == "" or value != value)
    if not finding.is_known:  # of a filter or a type that is not known, the translator says so
        return not is_told or name in ("filter", "dataType")
    if name in _TOLERANCES and is_told:
        return math.isclose(float(value), float(finding.value), rel_tol=1e-9, abs_tol=_TOLERANCES[name])
    if not is_told:
        return finding.confidence == "guess"  # not taken where other files are surer
    return str(value).strip() == str(finding.value).strip()


def _first_of(twins: list[str]) -> list[str]:
    """Return the first of several files whose data IDs others have, with the number of the rest."""
    if len(twins) < 2:
        return twins
    return [f"{twins[0]}; the same holds for {len(twins) - 1} more files"]


def _twins(translator: Translator, frames: list[Frame], name: str, seen: dict[tuple[Any, ...], str]) -> Iterator[str]:
    """Yield what to tell of frames whose data IDs others have."""
    for frame in frames:
        key = tuple(frame.row.get(column) for column in translator.unique)
        if None in key:
            return  # it has no data ID: what does not say it is a warning of its own
        if key in seen and seen[key] != name:
            words = " ".join(f"{k}={v}" for k, v in zip(translator.unique, key, strict=True))
            yield f"{name}: has {words}, as {seen[key]}: only one of them can be ingested"
            return
        seen[key] = name
