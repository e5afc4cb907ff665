"""Write the report of a night: a page, a short text, and a line of JSON."""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from obs.frozen import frozen
from obs.metrics.definitions import CONTEXT, METRICS
from obs.metrics.derive import DERIVED
from obs.metrics.verdict import judge_masters
from obs.plural import count_of
from obs.rendering import render
from obs.repo.atomic import atomic_write
from obs.report.ledger import compare_nights, list_nights, list_targets
from obs.report.night import Frame, Night
from obs.report.payload import build_payload, escape_json
from obs.report.pictures import Pictures
from obs.report.problems import failure_lines, warning_lines
from obs.report.sentence import describe_night, find_needs, values
from obs.report.short_text import report_text, report_twin
from obs.resources import template_folder
from obs.version import __version__

__all__ = ["REPORT_NAME", "ReportFiles", "write_report"]

#: Name of the page in an output; the others have other endings.
REPORT_NAME = "report.html"
_SCRIPTS = ("charts.js", "tables.js", "stars.js", "heat.js", "panel.js", "night.js", "page.js")
_MOST_PLAIN = 300
#: Characters of headers and file names that would turn the text after them around.
_INVISIBLE = {number: f"[U+{number:04X}]" for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_TILES = (
    ("seeing", "Seeing", '{:.2f}"'),
    ("sky", "Sky, mag/arcsec²", "{:.2f}"),
    ("transparency", "Transparency", "{:.2f}"),
)
_TWIN_LENGTH = 60


@frozen
class ReportFiles:
    """Where a report was written.

    Attributes
    ----------
    page, text, twin : Path
        HTML, text of a kilobyte, one line of JSON.
    """

    page: Path
    text: Path
    twin: Path


def write_report(
    night: Night,
    path: Path,
    pictures: Pictures,
    *,
    rerun: str = "",
    other: Mapping[str, Any] | None = None,
    live: bool = False,
) -> ReportFiles:
    """Write the page of a night, and beside it a text and a line of JSON.

    Parameters
    ----------
    night : Night
        The frames.
    path : Path
        The page; the others have its name with other endings.
    pictures : Pictures
        Pictures and stars of some frames.
    rerun : str, optional
        Name of the rerun.
    other : mapping, optional
        The comparison with another rerun.
    live : bool, optional
        Let an open page take new data from the file ``NAME.live.js`` beside it.

    Returns
    -------
    ReportFiles

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    needs, sentence = find_needs(night), describe_night(night)
    payload = build_payload(night)
    payload |= {
        "pictures": pictures.images,
        "stars": pictures.stars,
        "focal": pictures.focal,
        "compass": pictures.compass,
    }
    place = shlex.quote(str(night.root))
    payload["raw"] = f"obs display {place} {night.raw} --id "
    payload["commands"] = [f"obs display {place} calexp --id ", f"obs log {place} --id "]
    if night.root.parent.name == "rerun":
        repository = shlex.quote(str(night.root.parent.parent))
        payload["commands"].append(f"obs process {repository} --rerun {shlex.quote(night.root.name)} --id ")
    payload |= {"report": f"obs report {place}", "select": f"obs query {place}"}
    if other:
        payload["other"] = {"name": other["name"], "values": other["values"]}
    if night.is_mosaic:
        payload["frames"]["spreads"] = _spreads(night.visits, list(payload["metrics"]))
    folder = template_folder() / "report"
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    if live:
        script += "\n" + (folder / "live.js").read_text(encoding="utf-8")
    fold = {"tiles": _tiles(night), "needs": needs, "no_needs": _no_needs(night)}
    detectors = payload.get("detectors")
    page = render(
        "report/page.html.jinja",
        title=f"{night.camera}: {', '.join(night.nights) or 'no night'}",
        sentence=sentence,
        state=_state_line(night, rerun),
        version=__version__,
        live=live,
        style=Markup((folder / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - ours, not the user's
        script=Markup(script),  # noqa: S704 - ours, not the user's
        data=_as_script({name: part for name, part in payload.items() if name != "detectors"}),
        detectors_data=_as_script(detectors) if detectors else "",
        **fold,
        frames=bool(night.visits),
        mosaic=night.is_mosaic,
        plain=_plain_rows(night),
        plain_caption=_plain_caption(night),
        targets=list_targets(night.visits),
        nights=list_nights(night),
        against_nights=compare_nights(night),
        other=other,
        gates_text=_gates_text(night),
        masters=_masters(night),
        calibs_text=_calibs_text(night),
        failures=failure_lines(night.detectors),
        warnings=warning_lines(night.detectors),
        unmeasured=[f"{name}: {reason}" for name, reason in payload["frames"]["unmeasured"].items()],
        definitions=list({**METRICS, **DERIVED, **CONTEXT}.values()),
    )
    files = ReportFiles(path, path.with_suffix(".txt"), path.with_suffix(".json"))
    if live:
        news = {"stamp": time.time(), "sentence": sentence, "state": _state_line(night, rerun), "payload": payload}
        news |= {name: render(f"report/{name}.html.jinja", **fold) for name in ("tiles", "needs")}
        _write(path.with_suffix(".live.js"), f"obsLive({escape_json(news)});\n")
    _write(files.page, page)
    _write(files.text, report_text(night, sentence, needs))
    _write(files.twin, json.dumps(report_twin(night, sentence, needs), default=str) + "\n")
    return files


def _as_script(value: object) -> Markup:
    return Markup(escape_json(value))  # noqa: S704 - escaped as JSON in a script element has to be


def _no_needs(night: Night) -> str:
    if not night.visits:
        return f"Nothing to judge: {night.reason}."
    waiting = night.count().get("waiting", 0)
    noun = "frame" if waiting == 1 else "frames"
    text = f"Nothing: every {'processed ' if waiting else ''}frame passes its gates."
    if waiting:
        text += f" {waiting} {noun} not processed yet."
    if not len(values(night.visits, "zero_point_rate")):
        why = _why_not(night, "zero_point_rate")
        text += f" No frame has a zero point ({why}), so that transparency and depth are not judged."
    return text


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.translate(_INVISIBLE).encode("utf-8", "replace"))


def _state_line(night: Night, rerun: str) -> str:
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    parts = [night.state.capitalize(), f"made {made}", f"obs {__version__}"]
    if night.camera:
        parts.append(f"camera {night.camera}")
    parts.append(f"rerun {rerun}" if rerun else f"output {night.root.name}")
    return " · ".join([*parts, f"gates of {night.gates.date}"])


def _tiles(night: Night) -> list[dict[str, Any]]:
    tiles = [_tile(night, metric, label, text) for metric, label, text in _TILES]
    exposed = sum(float(frame.row.get("exposure_time") or 0.0) for frame in night.visits)
    useful = sum(
        float(frame.row.get("exposure_time") or 0.0) * min(float(frame.row.get("effective") or 100.0), 150.0) / 100.0
        for frame in night.visits
        if frame.verdict.level in ("good", "look")
    )
    known = exposed > 0
    tile = {"metric": "effective", "label": "Useful / open shutter", "known": known}
    tile["value"] = f"{useful / 3600:.2f} / {exposed / 3600:.2f} h" if known else "not known"
    tile["range"] = f"{100 * useful / exposed:.0f} %, failed and bad frames left out" if known else "no exposure times"
    if known and not len(values(night.visits, "effective")):
        tile["value"] = f"{exposed / 3600:.2f} h open"
        tile["range"] = "useful part not known: too few frames to compare"
    tile["points"] = _spark(values(night.visits, "effective"))
    return [*tiles, tile]


def _tile(night: Night, metric: str, label: str, text: str) -> dict[str, Any]:
    known = values(night.visits, metric)
    tile: dict[str, Any] = {"metric": metric, "label": label, "known": bool(len(known)), "points": _spark(known)}
    if not len(known):
        return tile | {"value": "not measured", "range": _why_not(night, metric)}
    tile["value"] = text.format(float(np.median(known)))
    number = f"{len(known)} of {len(night.visits)}"
    tile["range"] = f"{text.format(known.min())} to {text.format(known.max())}, {number}"
    return tile


def _why_not(night: Night, metric: str) -> str:
    if not night.visits:
        return "no frame"
    done = [frame for frame in night.detectors if frame.verdict.level not in ("failed", "waiting")]
    if not done:
        return "every frame failed" if night.count().get("failed") == len(night.visits) else "no frame is processed yet"
    if metric == "transparency":
        return "too few frames with a zero point to compare"
    return str(done[0].row.get("details", {}).get("reasons", {}).get(metric, "nothing measured it"))


def _spark(known: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    """Return the points of a small line in a box of 120 by 28."""
    if len(known) < 2:
        return ""
    some = known[np.linspace(0, len(known) - 1, min(len(known), _TWIN_LENGTH)).astype(int)]
    low, span = float(some.min()), float(np.ptp(some)) or 1.0
    step = 120.0 / (len(some) - 1)
    return " ".join(f"{step * i:.1f},{26 - 24 * (value - low) / span:.1f}" for i, value in enumerate(some))


def _plain_rows(night: Night) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for frame in night.visits:
        if frame.verdict.level == "good" or len(rows) == _MOST_PLAIN:
            continue
        numbers = {name: _show(frame.row.get(name), METRICS[name].digits) for name in ("seeing", "sky", "depth")}
        words = {"level": frame.verdict.level, "name": frame.name, "filter": str(frame.row.get("filter") or "")}
        rows.append(words | numbers | {"reason": frame.verdict.text})
    return rows


def _plain_caption(night: Night) -> str:
    number = sum(frame.verdict.level != "good" for frame in night.visits)
    limit = f"; the first {_MOST_PLAIN} are listed" if number > _MOST_PLAIN else ""
    return f"{number} of {len(night.visits)} are not good{limit}."


def _gates_text(night: Night) -> str:
    files = ", ".join(path.name if path.parent.name == "metrics" else str(path) for path in night.gates.files)
    relative = sum(gate.is_relative for gate in night.gates.gates.values())
    nights = len({str(row.get("date", ""))[:10] for row in night.history})
    history = f"{len(night.history)} detector images of {nights} other dates" if night.history else "no other night"
    return (
        f"{len(night.gates.gates)} gates of {night.gates.date} from {files}; {relative} of them compare frames with "
        f"the night and with the camera's history ({history}). A gate without enough frames to compare is not "
        "applied, and the panel of a frame says so."
    )


def _calibs_text(night: Night) -> str:
    """Say which calibration frames the night used, and how old they are."""
    words = []
    for name in ("bias", "dark", "flat"):
        ages = values(night.detectors, f"{name}_age")
        if len(ages):
            is_range = round(ages.min()) != round(ages.max())
            span = f"{ages.min():.0f} to {ages.max():.0f} days" if is_range else count_of(round(ages.min()), "day")
            words.append(f"{name} ({span} before the frames, {len(ages)} of {len(night.detectors)} detector images)")
        else:
            words.append(f"no {name}, or one without a date")
    return f"Used: {'; '.join(words)}."


def _masters(night: Night) -> list[dict[str, str]]:
    verdicts = judge_masters(night.masters, night.gates)
    return [
        _master(row) | {"verdict": verdict.level, "reason": verdict.text}
        for row, verdict in zip(night.masters, verdicts, strict=True)
    ]


def _change(row: Mapping[str, Any]) -> str:
    details = row.get("details", {})
    if row.get("master_change") is None:
        return f"not measured: {details.get('reasons', {}).get('master_change', 'made by an older version')}"
    return f"{row['master_change']:.2f} since {details.get('compared_with', 'the one before')}"


def _master(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "type": str(row.get("type") or ""),
        "name": str(row["data_id"]),
        "made": str(row.get("made") or "")[:16].replace("T", " "),
        "used": _show(row.get("n_used"), 0),
        "dropped": _show(row.get("n_dropped"), 0),
        "level": _show(row.get("level"), 1),
        "noise": _show(row.get("noise_expected"), 2),
        "change": _change(row),
        "warnings": "; ".join(row["details"].get("warnings", [])) or "none",
    }


def _spreads(visits: Sequence[Frame], metrics: Sequence[str]) -> dict[str, list[list[float] | None]]:
    """Return the 5th and 95th percentile over the detectors of each visit; None for fewer than five."""
    spreads = {}
    for metric in metrics:
        found = [frame.row.get("details", {}).get("spreads", {}).get(metric, []) for frame in visits]
        spreads[metric] = [list(item[1:]) if len(item) == 3 else None for item in found]
    return spreads


def _show(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
