"""Causes of what changes over the detector: a dome, frost, the flat, stray light."""

from collections.abc import Iterator, Mapping
from typing import Any

from obs.metrics.cause import BRIGHTER, OF_DARK_PARTS, Cause, Failures, take, worst
from obs.metrics.remedies import REMEDIES

__all__ = ["flat", "uneven"]

#: What follows from something in the way of a part of the light.
_OF_DOME = (
    *("zp_trend", "zp_scatter", "zp_n_stars", "sky_gradient", "sky_deficit", "sky_bimodal", "background_residual"),
    *("source_excess", "depth", "depth_difference", "stars_ratio", "stars_expected", "astrom_matched", "streaks"),
    *("halo", "dimming", "fading", "gradient_excess", "spot_excess"),
)
#: Percent by which a step of the sky may differ from all of it where one side has no light.
_DARK_STEP = 5.0
#: Percent of the sky from which on a spot is one of light or of shadow.
_SPOT = 2.0


def flat(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell a wrong flat or something in the way: zero point and sky change over the detector.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "zp_trend" not in left:
        yield from _dome_without_zero_point(row, left)
        yield from _patches(left)
        return
    if "sky_gradient" in left and left["zp_trend"].level == left["sky_gradient"].level == "bad":
        text = (
            f"dome in the way: stars lose up to {row['zp_trend']:.1f} mag over the detector, and the sky changes by "
            f"{row['sky_gradient']:.0f} % with them"
        )
        yield Cause("dome", text, REMEDIES["dome"], "bad", take(left, *_OF_DOME))
        return
    text = f"uneven response: {left['zp_trend'].text}"
    if "sky_gradient" in left:
        text += f", and {left['sky_gradient'].text}"
    level = left["zp_trend"].level
    metrics = take(
        left,
        "zp_trend",
        "sky_gradient",
        "zp_scatter",
        "sky_bimodal",
        "depth_difference",
        "dimming",
        "gradient_excess",
        "spot_excess",
    )
    yield Cause("flat", f"{text}: flat, dome or thin cloud", REMEDIES["flat"], level, metrics)


def _dome_without_zero_point(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell a dome that covers so much that stars have no zero point in common, or too few are left to show it."""
    gradient, deficit = left.get("sky_gradient"), row.get("sky_deficit") or 0.0
    if gradient is None or gradient.level != "bad":
        return
    changes = f"changes by {row['sky_gradient']:.0f} % over the detector"
    if row.get("zero_point_rate") is None and deficit > BRIGHTER:
        text = f"the sky is {deficit:.1f} mag fainter than usual and {changes}, and stars have no zero point in common"
    elif "stars_ratio" in left and (row.get("sky_brighter") or 0.0) < BRIGHTER:
        text = f"the sky {changes}, and {100 * row['stars_ratio']:.0f} % of the usual stars are left"
    else:
        return
    yield Cause("dome", f"dome in the way: {text}", REMEDIES["dome"], "bad", take(left, *_OF_DOME))


def _patches(left: Failures) -> Iterator[Cause]:
    """Tell shadows that are too small for a trend: stars scatter about the zero point where the sky is uneven."""
    found = [left[name] for name in ("zp_scatter", "sky_gradient") if name in left]
    if len(found) < 2:
        return
    level = worst(found)
    text = f"uneven response: {found[0].text}, and {found[1].text}: frost or dew on the window, flat, or thin cloud"
    names = (
        "zp_scatter",
        "sky_gradient",
        "sky_bimodal",
        "source_excess",
        "streaks",
        "depth_difference",
        "gradient_excess",
        "spot_excess",
    )
    yield Cause("flat", text, REMEDIES["flat"], level, take(left, *names))


def uneven(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell light that is not of the sky: it changes over the detector, and stars do not.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if not {"sky_bimodal", "sky_gradient", "source_excess", "gradient_excess", "spot_excess"} & set(left):
        return
    step = row.get("sky_bimodal") or 0.0
    if "sky_bimodal" in left and abs(step - 100.0) < _DARK_STEP:
        text = f"a part of the detector without light: the sky falls by {step:.0f} % at a step; the shutter was stuck, "
        text += "something was in the way, or an amplifier is dead"
        level = left["sky_bimodal"].level
        yield Cause("shutter", text, REMEDIES["shutter"], level, take(left, *OF_DARK_PARTS))
        return
    if "sky_gradient" in left or "sky_bimodal" in left:
        take(left, "gradient_excess", "spot_excess")
    order = ("sky_bimodal", "sky_gradient", "gradient_excess", "spot_excess", "source_excess")
    parts = [left[name] for name in order if name in left]
    level = worst(parts)
    text = f"uneven sky: {', and '.join(part.text for part in parts)}: {_kind_of_light(row)}"
    # at the rim of a ghost noise passes for cosmic rays
    names = (*order, "amp_step", "depth_difference")
    yield Cause("uneven sky", text, REMEDIES["uneven sky"], level, take(left, *names, "cosmic_rays"))


def _kind_of_light(row: Mapping[str, Any]) -> str:
    """Return in words what adds light to a part of the sky, or takes it away."""
    spot = row.get("sky_spot") or 0.0
    if spot < -_SPOT:
        return f"a part is {-spot:.0f} % fainter than the rest: dome or vignetting, frost, or a step of the bias"
    if spot > _SPOT:
        return f"a part is {spot:.0f} % brighter than the rest: ghost, stray light, glow, or a step of the bias"
    return "ghost, stray light, frost, or a step of the bias"
