"""The verdict on a frame: the gates that it fails, worst first, each with value, limit and reference."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from obs.frozen import frozen
from obs.metrics.cause import Cause
from obs.metrics.causes import find_causes
from obs.metrics.definitions import MASTER_METRICS, METRICS, Metric
from obs.metrics.derive import DERIVED, add_derived
from obs.metrics.gates import Gate, Gates
from obs.metrics.references import Reference, References

__all__ = ["Failure", "Level", "OwnLevel", "Verdict", "judge", "judge_masters"]

Level = Literal["good", "look", "bad", "failed", "waiting"]
OwnLevel = Literal["good", "look", "bad", ""]

#: Scatter that a reference has at least, in parts of its value: that of few frames may be small by chance.
_LEAST_SCATTER = 0.01
#: Part of the usual value that frames of one camera reach by ordinary seeing: a limit above it is passed by chance.
_NIGHT_TO_NIGHT = 0.8
#: Standard errors of a value that are taken off before it is judged.
_MOST_ERRORS = 2.0
#: Scatter, number of stars, and error of a median in that of a mean (twice that of a size for its square), or of a
#: robust scatter.
_ERRORS = {
    "zp_scatter": ("zp_scatter", "zp_n_stars", 1.2),
    "astrom_scatter": ("astrom_scatter", "n_reference", 1.2),
    "psf_size_residual": ("psf_size_scatter", "n_psf_reserved", 2.5),
    "psf_e1_residual": ("psf_e_scatter", "n_psf_offered", 1.25),
    "psf_e2_residual": ("psf_e_scatter", "n_psf_offered", 1.25),
}

#: Metrics whose standard errors are metrics, too.
_MEASURED_ERRORS = {
    "star_e_excess": "star_e_excess_error",
    "zp_offset": "zp_offset_error",
    "zp_trend": "zp_trend_error",
    "psf_trend": "psf_trend_error",
    "psf_minus_aperture": "psf_minus_aperture_error",
    "halo": "halo_error",
    "dimming": "dimming_error",
    "gradient_excess": "gradient_excess_error",
    "spot_excess": "spot_excess_error",
    "cosmic_rays": "cosmic_rays_error",
}

LEVELS: tuple[Level, ...] = ("failed", "bad", "look", "waiting", "good")
"""From the worst to the best."""


@frozen
class Failure:
    """A gate that a frame does not pass.

    Attributes
    ----------
    metric : str
        Name of the metric.
    level : {"look", "bad"}
        Which limit it exceeds.
    excess : float
        Distance from what is good in units of the limit ``look``; orders failures.
    text : str
        Value, limit and reference in words.
    """

    metric: str
    level: Literal["look", "bad"]
    excess: float
    text: str


@dataclass
class Verdict:
    """What to think of a frame.

    Attributes
    ----------
    level : str
        ``good``, ``look``, ``bad``, ``failed`` or ``waiting``.
    causes : list of Cause
        Why, worst first: causes that several metrics tell together, then single gates.
    failures : list of Failure
        The gates that it fails, worst first.
    without : dict of str to str
        Gates that could not be applied, and why.
    """

    level: Level
    causes: list[Cause] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    without: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All reasons in one line; empty for a good frame."""
        return "; ".join(cause.text for cause in self.causes)


def judge(rows: Sequence[dict[str, Any]], gates: Gates, history: Sequence[Mapping[str, Any]] = ()) -> list[Verdict]:
    """Judge frames against the gates.

    Parameters
    ----------
    rows : sequence of dict
        Rows of detectors or of visits of one camera; they gain the metrics of `obs.metrics.derive.DERIVED`.
    gates : Gates
        The limits.
    history : sequence of mapping
        Rows of other nights.

    Returns
    -------
    list of Verdict
        One for each row.
    """
    references = References(rows, history, gates.night_frames, gates.history_frames)
    add_derived(rows, references, gates.extinction)
    return [_heed_people(row, _judge_one(row, gates, references)) for row in rows]


def _heed_people(row: Mapping[str, Any], verdict: Verdict) -> Verdict:
    """Put the verdict that somebody gave in the place of that of the gates, whose reasons stay."""
    own = row.get("own_verdict")
    if own not in ("good", "look", "bad") or verdict.level in ("failed", "waiting"):
        return verdict
    comment = f": {row['own_comment']}" if row.get("own_comment") else ""
    text = f"your verdict is {own}{comment}" + (f" (gates: {verdict.level})" if verdict.level != own else "")
    cause = Cause("your verdict", text, "", "look" if own == "good" else own)
    return Verdict(own, [cause, *verdict.causes], verdict.failures, verdict.without)


def _judge_one(row: Mapping[str, Any], gates: Gates, references: References) -> Verdict:
    if row.get("status") == "waiting":
        return Verdict("waiting", [Cause("waiting", "not processed yet", "")])
    failures: list[Failure] = []
    without: dict[str, str] = {}
    for gate in gates.gates.values():
        if gate.metric not in METRICS and gate.metric not in DERIVED:
            continue  # of calibration frames
        value = row.get(gate.metric)
        if value is None:
            reasons = row.get("details", {}).get("reasons", {})
            without[gate.metric] = f"not measured: {reasons.get(gate.metric, 'nothing to compare with')}"
            continue
        found = _check(gate, float(value), row, references)
        if isinstance(found, str):
            without[gate.metric] = found
        elif found is not None:
            failures.append(found)
    failures.sort(key=lambda failure: (failure.level != "bad", -failure.excess))
    has_failed = row.get("status") == "failed"
    causes = find_causes(row, {failure.metric: failure for failure in failures})
    if has_failed:
        return Verdict("failed", causes, failures, without)
    level: Level = "good"
    if causes:
        level = "bad" if any(cause.level == "bad" for cause in causes) else "look"
    return Verdict(level, causes, failures, without)


def judge_masters(rows: Sequence[Mapping[str, Any]], gates: Gates) -> list[Verdict]:
    """Judge calibration frames against the gates, whose limits are absolute.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of calibration frames.
    gates : Gates
        The limits.

    Returns
    -------
    list of Verdict
        One for each row.
    """
    verdicts = []
    for row in rows:
        if row.get("status") == "failed":
            verdicts.append(Verdict("failed", [Cause("failed", str(row.get("error") or "failed"), "")]))
            continue
        failures = [
            failure
            for name, metric in MASTER_METRICS.items()
            if (gate := gates.gates.get(name)) is not None
            and (value := row.get(name)) is not None
            and (failure := _failure(gate, float(value), float(value) - gate.center, None, metric)) is not None
        ]
        causes = [Cause(failure.metric, failure.text, "", failure.level) for failure in failures]
        level: Level = "bad" if any(f.level == "bad" for f in failures) else "look" if failures else "good"
        verdicts.append(Verdict(level, causes, failures))
    return verdicts


def _standard_error(metric: str, row: Mapping[str, Any]) -> float:
    """Return the standard error of a metric, 0 if it is not known."""
    if metric in _MEASURED_ERRORS:
        return float(row.get(_MEASURED_ERRORS[metric]) or 0.0)
    scatter, number, factor = _ERRORS.get(metric, ("", "", 0.0))
    known = row.get(scatter), row.get(number)
    return factor * float(known[0]) / math.sqrt(known[1]) if known[0] is not None and known[1] else 0.0


def _check(gate: Gate, value: float, row: Mapping[str, Any], references: References) -> Failure | str | None:
    """Return the failure of a gate, why it cannot be applied, or None if it is passed."""
    if gate.per_degree and (degrees := row.get("field_size")):
        more = gate.per_degree * float(degrees)
        gate = replace(gate, look=gate.look + more, bad=gate.bad + more)
    if (width := row.get("fwhm")) is not None and width < gate.least_fwhm:
        return (
            f"not applied: the FWHM of {width:.2f} pixel is below {gate.least_fwhm:g}, and moments of stars say little"
        )
    if gate.of_camera:
        usual = [ref.median for ref in references.find(gate.metric, row)]
        share = _NIGHT_TO_NIGHT if gate.compare == "below" else 1.0
        if any(_failure(gate, share * median, share * median - gate.center, None) for median in usual):
            return f"not applied: {usual[0]:.2f} is usual for this camera"
    if gate.compare == "fraction_of_seeing":
        seeing = row.get("seeing")
        return "not measured: no seeing" if not seeing else _failure(gate, value, value / seeing, None)
    error = _MOST_ERRORS * _standard_error(gate.metric, row)
    if not gate.is_relative:
        return _failure(gate, value, _less(value - gate.center, error), None)
    found = references.find(gate.metric, row)
    if not found:
        return f"no comparison: fewer than {references.night_frames} frames of the night, and no history"
    if gate.compare == "sigma":
        found = [reference for reference in found if reference.scatter > 0]
        if not found:
            return "no comparison: no history with a scatter"
    failures = [_failure(gate, value, _distance(gate, value, reference, row), reference) for reference in found]
    worst = [failure for failure in failures if failure is not None]
    return max(worst, key=lambda failure: failure.excess) if worst else None


def _distance(gate: Gate, value: float, reference: Reference, row: Mapping[str, Any]) -> float:
    if gate.compare.startswith("ratio"):
        known = _less(value, _MOST_ERRORS * _standard_error(gate.metric, row))
        return known / reference.median if reference.median > 0 else math.nan
    if gate.compare == "sigma":
        return (value - reference.median) / max(reference.scatter, _LEAST_SCATTER * abs(reference.median))
    return _less(value - reference.median, _MOST_ERRORS * _standard_error(gate.metric, row))


def _less(distance: float, error: float) -> float:
    """Return a distance that is smaller by an error, at most by itself."""
    return math.copysign(max(abs(distance) - error, 0.0), distance)


def _failure(
    gate: Gate, value: float, distance: float, reference: Reference | None, metric: Metric | None = None
) -> Failure | None:
    """Return the failure if a distance is beyond a limit."""
    sign = gate.compare.rpartition("_")[2]
    if sign in ("away", "sigma"):
        distance = abs(distance)
    if sign == "below" and gate.compare.startswith("difference"):
        distance = -distance
    is_low = sign == "below" and not gate.compare.startswith("difference")
    beyond = (distance < gate.look, distance < gate.bad) if is_low else (distance > gate.look, distance > gate.bad)
    if not beyond[0]:
        return None
    step = abs(gate.bad - gate.look) or abs(gate.look) or 1.0
    level: Literal["look", "bad"] = "bad" if beyond[1] else "look"
    metric = metric or METRICS.get(gate.metric) or DERIVED[gate.metric]
    text = _words(gate, metric, value, level, reference)
    return Failure(gate.metric, level, abs(distance - gate.look) / step, text)


def _words(gate: Gate, metric: Metric, value: float, level: str, reference: Reference | None) -> str:
    limit = gate.bad if level == "bad" else gate.look
    text = f"{metric.label} {_show(metric, value)}"
    if reference is not None:
        text += f", usual {_show(metric, reference.median)} ({reference.source})"
    name = {
        "above": f"limit {limit:.4g}",
        "below": f"at least {limit:g}",
        "away": f"expected {gate.center:g} within {limit:g}",
        "ratio_above": f"limit {limit:g} times",
        "ratio_below": f"at least {limit:g} times",
        "difference_above": f"limit +{limit:g}",
        "difference_below": f"limit -{limit:g}",
        "difference_away": f"limit {limit:g} off",
        "fraction_of_seeing": f"limit {limit:g} of the seeing",
        "sigma": f"limit {limit:g} sigma",
    }
    return f"{text}, {name[gate.compare]}"


def _show(metric: Metric, value: float) -> str:
    return f"{value:.{metric.digits}f}" + (f" {metric.unit}" if metric.unit else "")
