"""Causes between the stars and the telescope: cloud, moonlight, twilight, dew, another filter, no light at all."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from obs.errors import MeasurementError
from obs.metrics.cause import BRIGHTER, OF_BAD_IMAGES, OF_DARK_PARTS, OF_FEW_PHOTONS, Cause, Failures, take, worst
from obs.metrics.compare_order import STEADY
from obs.metrics.remedies import REMEDIES

__all__ = ["another_filter", "atmosphere", "dew", "failed_in_light", "no_light"]

#: What follows from a sky that is too bright.
_OF_BRIGHT_SKY = (*OF_FEW_PHOTONS, "sky_excess", "sky_gradient", "moonlit")
_MOON_MATTERS, _DIMMER = 0.3, 0.85
_DARK_SUN, _BRIGHT_SUN = -18.0, -12.0
#: Transparency from which a frame has lost no light, whatever those after it lose.
_STILL_CLEAR = 0.97
#: Seeing over that of the night from which on it has grown.
_GROWN = 1.1
#: Light beyond the aperture, percent, from which it shows dew though the seeing stays.
_WIDE_HALO = 3.0
#: Part of the stars below which most of a detector has no light.
_HALF_THE_STARS = 0.7
#: Part of the stars, and number of them, below which nothing gets in.
_NO_STARS, _FEW_STARS = 0.2, 2
#: Saturated pixels in the words of a failure, and the percentage above which they are its cause.
_SATURATED, _ALL_SATURATED = re.compile(r"\bSAT ([\d.]+) %"), 90.0


def no_light(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell an exposure into which no light came; it takes all gates over.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    stars, number = row.get("stars_ratio"), row.get("n_stars", row.get("n_psf_offered"))
    number = row.get("n_psf_offered") if number is None else number  # those of a frame that failed before
    # of a dark frame cosmic rays and hot pixels pass for stars, but they are not where stars are
    few = (number or 0) <= _FEW_STARS or (stars is not None and stars < _NO_STARS) or row.get("zero_point_rate") is None
    if "sky_deficit" in left and left["sky_deficit"].level == "bad" and few:
        seen = f"{number or 0:.0f} stars" if (number or 0) <= _FEW_STARS else "no star of the reference catalog"
        text = (
            f"no light: sky {row['sky_rate']:.3g} adu/s, {100 * 10 ** (-0.4 * row['sky_deficit']):.2g} % of the usual, "
            f"and {seen}: the shutter was closed, or the cover on"
        )
        metrics = tuple(left)
        left.clear()
        yield Cause("no light", text, REMEDIES["no light"], "bad", metrics)


def is_measurement_error(row: Mapping[str, Any]) -> bool:
    return row.get("status") == "failed" and str(row.get("error")).startswith(MeasurementError.__name__)


def failed_in_light(row: Mapping[str, Any]) -> Iterator[Cause]:
    """Name twilight or another light where it stopped the measurement, so that the sky has no value.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    """
    if not is_measurement_error(row) or row.get("sky_rate") is not None:
        return
    sun, saturated = row.get("sun_altitude"), _SATURATED.search(str(row.get("error")))
    if sun is not None and sun > _BRIGHT_SUN:
        text = f"twilight: Sun at {sun:.0f} deg, too bright to be measured"
        yield Cause("twilight", text, REMEDIES["twilight"], "bad", ("sun_altitude",))
    elif saturated and float(saturated[1]) > _ALL_SATURATED:
        text = f"saturated: {saturated[1]} % of the pixels; a lamp, an open dome by day, or twilight with a wrong clock"
        yield Cause("saturated", text, REMEDIES["saturated"], "bad")


def another_filter(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell another filter than the header says: stars of different color have different zero points.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "color_term" not in left or left["color_term"].level != "bad":
        return
    color = (row.get("details") or {}).get("color", "")
    text = f"another filter than '{row.get('filter')}'? The zero point changes with {color or 'color'}: "
    text += left["color_term"].text
    names = (
        "transparency",
        "dimming",
        "fading",
        "sky_excess",
        "moonlit",
        "sky_deficit",
        "zp_scatter",
        "depth",
        "depth_difference",
        "zp_trend",
    )
    take(left, *names, "stars_ratio", "stars_expected", "psf_minus_aperture")
    yield Cause("filter", text, REMEDIES["filter"], "bad", take(left, "color_term"))


def dew(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell dew from weather: width or halo of the stars, and light, get worse together, frame by frame.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    dew, clear = row.get("dew"), row.get("transparency")
    tells = ("transparency", "dimming", "fading", "seeing", "zp_trend", "sky_gradient")
    found = [left[name] for name in tells if name in left]
    if dew is None or clear is None or clear > _STILL_CLEAR or not found:
        return
    if dew < STEADY:
        if "fading" in left and (row.get("sky_brighter") or 0.0) < BRIGHTER:
            text = f"dew, frost, or cloud that grows: {row['fading']:.0f} % of the light lost, step by step over eight "
            level = worst(left[name] for name in ("fading", "transparency") if name in left)
            gone = ("fading", "transparency", "zp_trend", "sky_deficit", *OF_FEW_PHOTONS)
            yield Cause("dew", text + "frames", REMEDIES["dew"], level, take(left, *gone))
        return
    level = worst(found)
    lost = f"while {100 * (1 - clear):.0f} % of the light was lost, step by step"
    halo = row.get("halo") or 0.0
    grew = (row.get("seeing_ratio") or math.inf) > _GROWN  # else it is the halo that grew, as little as it is
    if "seeing" in left or (halo < _WIDE_HALO and grew):
        text = f"dew, frost or a focus that runs away: the seeing grew to {row['seeing']:.1f} arcsec {lost}"
    else:
        text = f"dew or frost: the light of stars beyond the aperture grew to {halo:.0f} % {lost}"
    names = (*tells, *OF_FEW_PHOTONS, *OF_BAD_IMAGES, "sky_bimodal", "background_residual", "streaks", "sky_deficit")
    yield Cause("dew", text, REMEDIES["dew"], level, take(left, *names))


def atmosphere(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell cloud, moonlit cloud, dome, moonlight, twilight and other light by zero point and sky together.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "sky_deficit" in left and (row.get("transparency") or 0.0) > _DIMMER:
        stars = row.get("stars_ratio")
        if stars is not None and stars < _HALF_THE_STARS:
            text = f"most of the detector without light: {100 * stars:.0f} % of the usual stars, and those as bright "
            text += "as usual; the shutter was stuck, or something was in the way"
            level = left["sky_deficit"].level
            yield Cause("shutter", text, REMEDIES["shutter"], level, take(left, *OF_DARK_PARTS))
            return
        part = 100 * 10 ** (-0.4 * row["sky_deficit"])
        text = f"sky missing: {part:.2g} % of the usual, and stars are as bright as usual"
        yield Cause("no sky", text, REMEDIES["no sky"], left["sky_deficit"].level, take(left, "sky_deficit"))
    clear, brighter = left.get("transparency"), row.get("sky_brighter")
    moon = row.get("moon_altitude")
    moon_is_up = moon is not None and moon > 0
    sun = row.get("sun_altitude")
    if clear is not None:
        lost = f"{100 * (1 - row['transparency']):.0f} % of the light lost"
        if "zp_trend" in left and "sky_gradient" not in left:
            lost += f", unevenly ({row['zp_trend']:.2f} mag over the detector)"
            take(left, "zp_trend")
        rises = brighter is not None and brighter - (0 if moon_is_up else (row.get("moon_expected") or 0)) > BRIGHTER
        deficit = row.get("sky_deficit")
        if rises and brighter is not None:
            name = "moonlit cloud" if moon_is_up else "cloud"
            lit = (
                "the Moon is up"
                if moon_is_up
                else "lit from below"
                if moon is not None
                else "Moon not known: no place of the observatory"
            )
            text = f"{name}: {lost}, and the sky {brighter:.1f} mag brighter ({lit})"
            metrics = take(left, "transparency", "sky_excess", "moonlit", *OF_FEW_PHOTONS)
            yield Cause(name, text, REMEDIES[name], clear.level, metrics)
        elif deficit is not None and deficit > BRIGHTER and "sky_gradient" in left:
            text = (
                f"dome in the way: {lost}, the sky {deficit:.1f} mag fainter, and uneven ({row['sky_gradient']:.0f} %)"
            )
            names = ("transparency", "sky_gradient", "sky_deficit", *OF_FEW_PHOTONS)
            yield Cause("dome", text, REMEDIES["dome"], clear.level, take(left, *names))
        else:
            metrics = take(left, "transparency", "sky_deficit", *OF_FEW_PHOTONS)
            yield Cause("cloud", f"cloud: {lost}", REMEDIES["cloud"], clear.level, metrics)
        return
    if "dimming" in left and "zp_trend" not in left:
        under_moon = moon_is_up and (row.get("moonlit") or brighter or 0.0) > BRIGHTER
        name, where = ("moonlit cloud", " under the Moon") if under_moon else ("cloud", "")
        text = f"thin cloud{where}: {row['dimming']:.0f} % of the light lost against the frames around it"
        level = left["dimming"].level
        taken = take(left, "dimming", *(("moonlit", "sky_excess") if under_moon else ()), *OF_FEW_PHOTONS)
        yield Cause(name, text, REMEDIES[name], level, taken)
    if (
        sun is not None
        and sun > _DARK_SUN
        and brighter is not None
        and brighter > BRIGHTER
        and ("depth" in left or brighter > 1)
    ):
        text = f"twilight: Sun at {sun:.0f} deg, sky {brighter:.1f} mag brighter than usual"
        level = left["depth"].level if "depth" in left else "look"
        yield Cause("twilight", text, REMEDIES["twilight"], level, take(left, *_OF_BRIGHT_SKY))
    elif "sky_excess" in left:
        text = f"bright sky: {row['sky_excess']:.1f} mag brighter than Moon and twilight explain"
        level = left["sky_excess"].level
        metrics = take(left, "sky_excess", "moonlit", *OF_FEW_PHOTONS)
        yield Cause("bright sky", text, REMEDIES["bright sky"], level, metrics)
    elif "moonlit" in left or (
        "depth" in left and (row.get("moon_expected") or 0) > _MOON_MATTERS and (brighter or 0) > _MOON_MATTERS
    ):
        yield _moonlight(row, left)


def _moonlight(row: Mapping[str, Any], left: Failures) -> Cause:
    """Tell what the Moon does to the sky, against the dark frames of the night if there are any."""
    brighter, than = (row["moonlit"], " than without it") if "moonlit" in left else (row["sky_brighter"], "")
    text = f"moonlight: sky {brighter:.1f} mag brighter{than}; the Moon ({row['moon_phase']:.0f} % lit, "
    text += f"{row['moon_altitude']:.0f} deg high, {row['moon_separation']:.0f} deg away) explains it"
    if "depth" in left:
        text += f"; {left['depth'].text}"
    return Cause("moonlight", text, REMEDIES["moonlight"], "look", take(left, *_OF_BRIGHT_SKY))
