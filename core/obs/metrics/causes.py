"""Causes that metrics tell together: trailed, out of focus, cloud, moonlight, no light, dome, dead amplifier.

Each rule looks at several metrics at once and takes those over that it explains. What no rule explains is a cause by
itself, named after its gate.
"""

from collections.abc import Mapping
from typing import Any

from obs.metrics.cause import Cause, Failure
from obs.metrics.detector_causes import (
    ages,
    dead_amplifier,
    header,
    hot_pixels,
    noise,
    pointing,
    response,
    scale,
    streaks,
    wrong_field,
)
from obs.metrics.image_causes import double_images, halo, trailed, width
from obs.metrics.remedies import REMEDIES, SINGLE_REMEDIES
from obs.metrics.sky_causes import another_filter, atmosphere, dew, failed_in_light, is_measurement_error, no_light
from obs.metrics.uneven_causes import flat, uneven

__all__ = ["find_causes"]

#: In this order: each takes what it explains.
_RULES = (
    *(scale, dead_amplifier, another_filter, double_images, trailed, dew, width),
    *(noise, halo, response, atmosphere, flat, hot_pixels, streaks, uneven, pointing, header, ages),
)

_NO_ZERO_POINT = "no zero point: "

#: Causes that say why the measurement failed, better than its error does.
_EXPLAIN = ("no light", "wrong field")


def find_causes(row: Mapping[str, Any], failures: Mapping[str, Failure]) -> list[Cause]:
    """Return why a frame is not good, worst first.

    Parameters
    ----------
    row : mapping
        Metrics of the frame, with those of `obs.metrics.derive.DERIVED`.
    failures : mapping of str to Failure
        Gates that it fails, by metric.

    Returns
    -------
    list of Cause
        Empty for a good frame.
    """
    left = dict(failures)
    causes = [*no_light(row, left), *failed_in_light(row), *wrong_field(row, left)]
    explained = causes and causes[0].name in _EXPLAIN and is_measurement_error(row)
    if row.get("status") == "failed" and not explained:
        causes.append(Cause("failed", _failure_text(row), REMEDIES["failed"]))
    for rule in _RULES:
        causes += list(rule(row, left))
    if causes and "depth" in left and row.get("status") != "failed":
        left.pop("depth")  # the consequence of what has been named
    for name, failure in left.items():
        remedy = _said(name, row) or SINGLE_REMEDIES.get(name, "look at the frame")
        causes.append(Cause(name, failure.text, remedy, failure.level, (name,)))
    return sorted(causes, key=lambda cause: cause.level != "bad")


def _said(name: str, row: Mapping[str, Any]) -> str:
    """Return what the pipeline itself said of a value that is missing, which names its cause and what to do."""
    said = (row.get("details") or {}).get("warnings", []) if name == "zp_n_stars" else []
    return next((text.removeprefix(_NO_ZERO_POINT) for text in said if text.startswith(_NO_ZERO_POINT)), "")


def _failure_text(row: Mapping[str, Any]) -> str:
    step = (row.get("details") or {}).get("failed_step", "")
    where = f"failed in {step}" if step and step != "start" else "failed"
    return f"{where}: {row.get('error') or 'no reason is recorded'}"
