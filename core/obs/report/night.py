"""Everything that a report says of the frames of an output, as plain data."""

import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from obs.errors import RepositoryError
from obs.metrics.cause import Cause
from obs.metrics.definitions import METRICS
from obs.metrics.gates import Gates, load_gates
from obs.metrics.gather import visit_rows
from obs.metrics.history import read_history
from obs.metrics.nights import compute_night, visit_name
from obs.metrics.verdict import LEVELS, Verdict, judge
from obs.repo.butler import Butler
from obs.repo.metric_rows import query_metric_table
from obs.repo.metric_table import MetricTable

__all__ = ["Frame", "Night", "collect_night"]

#: A run whose last result is younger than this is still going, s.
_FRESH = 600.0
#: Metrics that tell of a detector rather than of the night.
_HARDWARE = (
    "amp_dead",
    "amp_step",
    "masked",
    "overscan_level",
    "read_noise",
    "amp_noise_ratio",
    "noise_ratio",
    "stars_hit",
)
_DETECTOR_KEYS = ("ccd", "detector", "camcol", "amp", "channel", "extension", "detectorName", "raftName")


@dataclass
class Frame:
    """A detector image or a visit with its verdict.

    Attributes
    ----------
    name : str
        Short data ID, as commands take it.
    row : dict
        Its metrics.
    verdict : Verdict
        What to think of it.
    """

    name: str
    row: dict[str, Any]
    verdict: Verdict


@dataclass
class Night:
    """The frames of an output.

    Attributes
    ----------
    root : Path
        The output.
    camera : str
        Name of the camera.
    raw : str
        Name of the camera's dataset type of raw frames.
    nights : list of str
        Dates on which the nights began.
    detectors, visits : list of Frame
        Detector images; visits, in order of time.
    gates : Gates
        The limits.
    masters : list of dict
        Rows of calibration frames.
    state : str
        ``finished``, ``running``, ``stopped`` or ``nothing processed``, in words.
    history : list of dict
        Rows of detectors of other nights.
    reason : str
        Why there is no frame, if there is none.
    """

    root: Path
    camera: str = ""
    raw: str = "raw"
    nights: list[str] = field(default_factory=list)
    detectors: list[Frame] = field(default_factory=list)
    visits: list[Frame] = field(default_factory=list)
    gates: Gates = field(default_factory=Gates)
    masters: list[dict[str, Any]] = field(default_factory=list)
    state: str = "nothing processed"
    history: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""

    @property
    def is_mosaic(self) -> bool:
        """Whether some visit has several detectors."""
        return len(self.detectors) > len(self.visits)

    def count(self, *, detectors: bool = False) -> dict[str, int]:
        """Return the number of visits, or of detector images, of each level, the worst first.

        Parameters
        ----------
        detectors : bool, default: False
            Whether detector images are counted, not visits.
        """
        found = Counter(frame.verdict.level for frame in (self.detectors if detectors else self.visits))
        return {level: found[level] for level in LEVELS if found[level]}

    def find_visit(self, frame: Frame) -> str:
        """Return the name of the visit of a detector image."""
        return visit_name(frame.row)


def collect_night(
    butler: Butler, *, night: str | None = None, gates_file: Path | None = None, root: Path | None = None
) -> Night:
    """Read the metrics of an output and judge its frames.

    Parameters
    ----------
    butler : Butler
        The output.
    night : str, optional
        Only the frames of the night that began on this date (``2026-11-28``).
    gates_file : Path, optional
        Limits in place of those of obs and the camera.
    root : Path, optional
        Folder of the output, if it is not that of the Butler.

    Returns
    -------
    Night
        Without frames and with a reason, if nothing was processed.

    Raises
    ------
    ConfigError
        If a file of gates cannot be understood.
    """
    folder = root or butler.output or butler.root
    gates = load_gates(butler.instrument.config_folder, gates_file)
    result = Night(folder, butler.instrument.name, butler.instrument.raw_dataset_type, gates=gates)
    for place in dict.fromkeys([*butler.roots, butler.calib_root]):
        result.masters += [row for row in MetricTable(place).read("master") if row not in result.masters]
    try:
        MetricTable(folder).check_numbers("detector", METRICS)
        rows = query_metric_table(folder).rows
    except RepositoryError as error:
        result.reason = str(error)
        return result
    rows = [row for row in rows if night is None or compute_night(row) in (night, "")]
    if not rows:
        result.reason = f"no frame of the night {night}" if night else "no data ID was processed"
        return result
    result.nights = sorted({compute_night(row) for row in rows} - {""})
    result.history = read_history([folder, *butler.roots], result.nights)
    rows.sort(key=lambda row: (row.get("mjd") is None, row.get("mjd") or 0.0, row["data_id"]))
    result.detectors = [
        Frame(short_name(row), row, verdict)
        for row, verdict in zip(rows, judge(rows, gates, result.history), strict=True)
    ]
    result.visits = _judge_visits(result.detectors, gates, result.history)
    result.state = _state(rows)
    return result


def _judge_visits(detectors: Sequence[Frame], gates: Gates, history: Sequence[Mapping[str, Any]]) -> list[Frame]:
    """Return the visits; the only detector of a visit speaks for it."""
    groups: dict[str, list[Frame]] = {}
    for frame in detectors:
        groups.setdefault(visit_name(frame.row), []).append(frame)
    if all(len(group) == 1 for group in groups.values()):
        return [Frame(frame.name, frame.row, frame.verdict) for frame in detectors]
    rows = visit_rows([frame.row for frame in detectors])
    # what is wrong with one detector in all visits is not a property of a visit
    weather = {name: gate for name, gate in gates.gates.items() if name not in _HARDWARE}
    verdicts = judge(rows, replace(gates, gates=weather), visit_rows(history))
    visits = []
    for row, verdict in zip(rows, verdicts, strict=True):
        _add_failed(row, verdict, groups[row["data_id"]])
        visits.append(Frame(row["data_id"], row, verdict))
    return visits


def _add_failed(row: Mapping[str, Any], verdict: Verdict, detectors: Sequence[Frame]) -> None:
    """Let a visit know of its detectors that failed: a mean over survivors hides them."""
    failed = [frame for frame in detectors if frame.verdict.level == "failed"]
    if not failed:
        return
    causes = [_find_failure(frame.verdict) for frame in failed]
    text, number = Counter(without_numbers(cause.text) for cause in causes).most_common(1)[0]
    same = "" if number == len(failed) else f", {number} of them"
    cause = next(cause for cause in causes if without_numbers(cause.text) == text)
    words = f"{len(failed)} of {row['n_expected']} detectors {cause.text.replace('failed', f'failed{same}', 1)}"
    others = [c for c in verdict.causes if c.name != "failed"]
    summary = Cause("failed", words, cause.remedy, "bad")
    # what stopped all detectors says more than that they failed
    first = bool(others) and others[0].name in ("no light", "twilight")
    verdict.causes = [others[0], summary, *others[1:]] if first else [summary, *others]
    verdict.level = "failed" if len(failed) == len(detectors) else "bad" if len(failed) > 1 else "look"


def _find_failure(verdict: Verdict) -> Cause:
    """Return why a detector failed: what a rule makes of its metrics, such as missing light, if that explains it."""
    cause = next((cause for cause in verdict.causes if cause.name == "failed"), None)
    if cause is not None:
        return cause
    explanation = verdict.causes[0]
    return replace(explanation, name="failed", text=f"failed: {explanation.text}")


def short_name(row: Mapping[str, Any]) -> str:
    """Return the keys that name a detector image, such as ``visit=12 ccd=3``; its whole data ID if it has no visit."""
    if (visit := row.get("visit")) is None:
        return str(row["data_id"])
    words = [f"visit={visit}", *(f"{key}={row[key]}" for key in _DETECTOR_KEYS if row.get(key) is not None)]
    return " ".join(words)


def command(name: str, folder: Path, what: str) -> str:
    """Return a command to copy for a frame; names are quoted for the shell."""
    words = [shlex.quote(word) for word in name.split()]
    return f"obs {what.format(repo=shlex.quote(str(folder)))} --id {' '.join(words)}"


def without_numbers(text: str) -> str:
    """Return a message without its digits, so that messages that differ in numbers are one."""
    return "".join(letter for letter in text if not letter.isdigit())


def _state(rows: Sequence[Mapping[str, Any]]) -> str:
    waiting = sum(row.get("status") == "waiting" for row in rows)
    if not waiting:
        return "finished"
    last = max(float(row.get("changed") or 0.0) for row in rows)
    is_going = time.time() - last < _FRESH
    return f"{'running' if is_going else 'stopped'}: {len(rows) - waiting} of {len(rows)} processed"
