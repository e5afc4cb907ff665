"""Causes that metrics tell together: trailed, out of focus, cloud, moonlight, no light, dome, dead amplifier.

Each rule looks at several metrics at once and takes those over that it explains. What no rule explains is a cause by
itself, named after its gate.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.metrics.remedies import REMEDIES, SINGLE_REMEDIES

__all__ = ["Cause", "find_causes"]


class _Failure(Protocol):
    """A gate that is not passed; see `obs.metrics.verdict.Failure`."""

    @property
    def metric(self) -> str: ...
    @property
    def level(self) -> Literal["look", "bad"]: ...
    @property
    def text(self) -> str: ...


@frozen
class Cause:
    """Why a frame is not good.

    Attributes
    ----------
    name : str
        A word for counts: ``cloud``.
    text : str
        Reason in words, with values.
    remedy : str
        What to do.
    level : {"look", "bad"}
        How much it matters.
    metrics : tuple of str
        The metrics that tell it.
    """

    name: str
    text: str
    remedy: str
    level: Literal["look", "bad"] = "bad"
    metrics: tuple[str, ...] = ()


#: What follows from an amplifier that sees no light.
_OF_DEAD_AMPLIFIERS = (
    *("amp_step", "masked", "noise_ratio", "read_noise", "amp_noise_ratio", "overscan_level"),
    *("read_noise_shape", "read_noise_pattern"),
    *("stars_ratio", "stars_expected", "sky_gradient", "sky_bimodal", "zp_scatter", "zp_trend", "source_excess"),
    *("depth_difference", "background_residual", "psf_minus_aperture", "psf_trend", "streaks", "halo"),
)
#: What follows from something in the way of a part of the light.
_OF_DOME = (
    *("zp_trend", "zp_scatter", "zp_n_stars", "sky_gradient", "sky_deficit", "sky_bimodal", "background_residual"),
    *("source_excess", "depth", "depth_difference", "stars_ratio", "stars_expected", "astrom_matched", "streaks"),
    "halo",
)
#: What follows where the stars that are left are fainter, or fainter against the sky.
_OF_FEW_PHOTONS = ("depth", "stars_ratio", "stars_expected", "zp_n_stars", "zp_scatter", "astrom_scatter")
#: What follows where a part of the detector sees no light.
_OF_DARK_PARTS = (
    *_OF_FEW_PHOTONS,
    *("sky_bimodal", "sky_gradient", "sky_deficit", "source_excess", "background_residual", "depth_difference"),
    "noise_ratio",
)
#: What follows from a sky that is too bright.
_OF_BRIGHT_SKY = (*_OF_FEW_PHOTONS, "sky_excess", "sky_gradient")
#: What gets worse when stars are wide or long.
_OF_BAD_IMAGES = ("halo", "astrom_scatter", "zp_scatter", "psf_minus_aperture", "psf_trend", "psf_size_residual")
#: What trails and double stars have in common.
_OF_LONG_STARS = (
    *("star_e_coherent", "star_e", "seeing", "fwhm_ratio"),
    *("psf_e1_residual", "psf_e2_residual", "psf_concentration"),
)
_MOON_MATTERS, _BRIGHTER, _DIMMER = 0.3, 0.3, 0.85
_DARK_SUN, _BRIGHT_SUN = -18.0, -12.0
#: Rank correlation above which a drift is steady.
_STEADY = 0.7
#: Profile of the stars over the usual one below which they are out of focus, and width over the usual one from which on
#: no profile is trusted.
_DISK_RATIO, _DEFOCUS_RATIO = 0.93, 3.0
#: Dark parts of amplifiers that differ by less are one: that of the shutter.
_SAME_PART = 0.2
#: Dip of the PSF above which long stars are two images rather than a trail.
_TWO_PEAKS = 0.15
#: Gates of electronics that fail, and number of amplifiers from which on half of them do not fail together by chance.
_READOUT, _SEVERAL = frozenset({"read_noise", "overscan_level", "amp_noise_ratio", "read_noise_shape"}), 4
#: Transparency from which a frame has lost no light, whatever those after it lose.
_STILL_CLEAR = 0.97
#: Light beyond the aperture, percent, from which it shows dew though the seeing stays.
_WIDE_HALO = 3.0
#: Ellipticity that all stars share above which a halo is of stars that are drawn out.
_DRAWN_OUT = 0.08
#: Percent by which a step of the sky may differ from all of it where one side has no light, and part of the stars below
#: which most of a detector has none.
_DARK_STEP, _HALF_THE_STARS = 5.0, 0.7
#: Part of the stars, and number of them, below which nothing gets in.
_NO_STARS, _FEW_STARS = 0.2, 2

_Failures = dict[str, _Failure]
#: Saturated pixels in the words of a failure, and the percentage above which they are its cause.
_SATURATED, _ALL_SATURATED = re.compile(r"\bSAT ([\d.]+) %"), 90.0


def find_causes(row: Mapping[str, Any], failures: Mapping[str, _Failure]) -> list[Cause]:
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
    causes = [*_no_light(row, left), *_failed_in_light(row)]
    explained = causes and causes[0].name == "no light" and _is_measurement_error(row)
    if row.get("status") == "failed" and not explained:
        causes.append(Cause("failed", _failure_text(row), REMEDIES["failed"]))
    for rule in _RULES:
        causes += list(rule(row, left))
    if causes and "depth" in left and row.get("status") != "failed":
        left.pop("depth")  # the consequence of what has been named
    for name, failure in left.items():
        remedy = SINGLE_REMEDIES.get(name, "look at the frame")
        causes.append(Cause(name, failure.text, remedy, failure.level, (name,)))
    return sorted(causes, key=lambda cause: cause.level != "bad")


def _failure_text(row: Mapping[str, Any]) -> str:
    step = (row.get("details") or {}).get("failed_step", "")
    where = f"failed in {step}" if step and step != "start" else "failed"
    return f"{where}: {row.get('error') or 'no reason is recorded'}"


def _take(left: _Failures, *names: str) -> tuple[str, ...]:
    """Remove failures that a cause explains; return their metrics."""
    return tuple(name for name in names if left.pop(name, None) is not None)


def _no_light(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
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


def _is_measurement_error(row: Mapping[str, Any]) -> bool:
    return row.get("status") == "failed" and str(row.get("error")).startswith(MeasurementError.__name__)


def _failed_in_light(row: Mapping[str, Any]) -> Iterator[Cause]:
    """Name twilight or another light where it stopped the measurement, so that the sky has no value."""
    if not _is_measurement_error(row) or row.get("sky_rate") is not None:
        return
    sun, saturated = row.get("sun_altitude"), _SATURATED.search(str(row.get("error")))
    if sun is not None and sun > _BRIGHT_SUN:
        text = f"twilight: Sun at {sun:.0f} deg, too bright to be measured"
        yield Cause("twilight", text, REMEDIES["twilight"], "bad", ("sun_altitude",))
    elif saturated and float(saturated[1]) > _ALL_SATURATED:
        text = f"saturated: {saturated[1]} % of the pixels; a lamp, an open dome by day, or twilight with a wrong clock"
        yield Cause("saturated", text, REMEDIES["saturated"], "bad")


def _shadow(left: _Failures, names: Sequence[str], parts: Mapping[str, float], number: int) -> str:
    """Return in words what a shutter covered; empty if amplifiers are dead, which do not fail together by chance."""
    if number > 1 and len(parts) == number and max(parts.values()) - min(parts.values()) < _SAME_PART:
        part = 100 * sum(parts.values()) / number
        text = f"{part:.0f} % of the detector without light, in all amplifiers alike: the shutter was stuck, or "
        return f"{text}something was in the way"
    dark = len(names) + sum(parts.values())
    if not names or dark > number or not _READOUT.isdisjoint(left):
        return ""
    if parts or (number >= _SEVERAL and dark >= 0.5 * number):
        text = f"{100 * dark / number:.0f} % of the detector without light, and read as usual: the shutter was stuck, "
        return f"{text}something was in the way, or amplifiers {', '.join([*names, *parts])} are dead"
    return ""


def _dead_amplifier(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "amp_dead" in left:
        details = row.get("details") or {}
        names, parts = details.get("dead_amplifiers", []), details.get("dark_parts", {})
        number = len(details.get("amplifiers", []))
        shadow = _shadow(left, names, parts, number)
        if shadow:
            _take(left, *_OF_DEAD_AMPLIFIERS)
            yield Cause("shutter", shadow, REMEDIES["shutter"], left["amp_dead"].level, _take(left, "amp_dead"))
            return
        words = [f"amplifier {', '.join(names)} dead"] if names else []
        words += [f"{100 * part:.0f} % of amplifier {name} dead" for name, part in parts.items()]
        which = " and ".join(words) if words else f"{row['amp_dead']:.2g} amplifiers dead"
        level = left["amp_dead"].level
        _take(left, *_OF_DEAD_AMPLIFIERS)
        text = f"{which}: no noise of light, or masked"
        if number == 2 and len(names) == 1:
            text += ", or something was in the way of this half"
        yield Cause("dead amplifier", text, REMEDIES["dead amplifier"], level, _take(left, "amp_dead"))


def _filter(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell another filter than the header says: stars of different color have different zero points."""
    if "color_term" not in left or left["color_term"].level != "bad":
        return
    color = (row.get("details") or {}).get("color", "")
    text = f"another filter than '{row.get('filter')}'? The zero point changes with {color or 'color'}: "
    text += left["color_term"].text
    names = ("transparency", "sky_excess", "sky_deficit", "zp_scatter", "depth", "depth_difference", "zp_trend")
    _take(left, *names, "stars_ratio", "stars_expected", "psf_minus_aperture")
    yield Cause("filter", text, REMEDIES["filter"], "bad", _take(left, "color_term"))


def _double(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "double_images" not in left:
        return
    text = f"tracking jump: {row['double_images']:.0f} % of the bright stars have the same companion"
    names = (
        "transparency",
        "stars_ratio",
        "stars_expected",
        "astrom_matched",
        "depth",
        "source_excess",
        *_OF_BAD_IMAGES,
        *_OF_LONG_STARS,
    )
    _take(left, *names)
    yield Cause("tracking jump", text, REMEDIES["trailed"], left["double_images"].level, _take(left, "double_images"))


def _dew(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell dew from weather: width or halo of the stars, and light, get worse together, frame by frame."""
    dew, clear = row.get("dew"), row.get("transparency")
    tells = ("transparency", "seeing", "zp_trend", "sky_gradient")
    levels = [left[name].level for name in tells if name in left]
    if dew is None or clear is None or clear > _STILL_CLEAR or dew < _STEADY or not levels:
        return
    level: Literal["look", "bad"] = "bad" if "bad" in levels else "look"
    lost = f"while {100 * (1 - clear):.0f} % of the light was lost, step by step"
    halo = row.get("halo") or 0.0
    if "seeing" in left or halo < _WIDE_HALO:
        text = f"dew, frost or a focus that runs away: the seeing grew to {row['seeing']:.1f} arcsec {lost}"
    else:
        text = f"dew or frost: the light of stars beyond the aperture grew to {halo:.0f} % {lost}"
    names = (*tells, *_OF_FEW_PHOTONS, *_OF_BAD_IMAGES, "sky_bimodal", "background_residual", "streaks", "sky_deficit")
    yield Cause("dew", text, REMEDIES["dew"], level, _take(left, *names))


def _halo(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell what spreads the light of stars far out: haze, dew and frost, or a guider that was lost for a while."""
    halo, clear = left.get("halo"), left.get("transparency")
    if halo is None:
        return
    if clear is not None and (row.get("sky_brighter") or 0.0) > _BRIGHTER:
        _take(left, "halo")  # cloud that the Moon or a town lights, which is named as such
        return
    shared = row.get("star_e_coherent") or 0.0
    if clear is None and shared > _DRAWN_OUT:
        text = f"guiding lost for a part of the exposure: {halo.text}, and ellipticity {shared:.2f} in all stars"
        yield Cause("trailed", text, REMEDIES["trailed"], halo.level, _take(left, *_OF_LONG_STARS, *_OF_BAD_IMAGES))
        return
    found = [halo, *(left[name] for name in ("transparency", "sky_gradient", "zp_scatter") if name in left)]
    level: Literal["look", "bad"] = "bad" if any(failure.level == "bad" for failure in found) else "look"
    text = f"haze, dew or frost: {', and '.join(failure.text for failure in found)}"
    names = ("transparency", "zp_trend", "sky_gradient", "sky_bimodal", "source_excess", "depth_difference", "streaks")
    yield Cause("haze", text, REMEDIES["haze"], level, _take(left, *names, *_OF_FEW_PHOTONS, *_OF_BAD_IMAGES))


def _flat(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell a wrong flat or something in the way: zero point and sky change over the detector."""
    if "zp_trend" not in left:
        yield from _dome_without_zero_point(row, left)
        yield from _patches(left)
        return
    if "sky_gradient" in left and left["zp_trend"].level == left["sky_gradient"].level == "bad":
        text = (
            f"dome in the way: stars lose up to {row['zp_trend']:.1f} mag over the detector, and the sky changes by "
            f"{row['sky_gradient']:.0f} % with them"
        )
        yield Cause("dome", text, REMEDIES["dome"], "bad", _take(left, *_OF_DOME))
        return
    text = f"uneven response: {left['zp_trend'].text}"
    if "sky_gradient" in left:
        text += f", and {left['sky_gradient'].text}"
    level = left["zp_trend"].level
    metrics = _take(left, "zp_trend", "sky_gradient", "zp_scatter", "sky_bimodal", "depth_difference")
    yield Cause("flat", f"{text}: flat, dome or thin cloud", REMEDIES["flat"], level, metrics)


def _dome_without_zero_point(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell a dome that covers so much that stars have no zero point in common, or too few are left to show it."""
    gradient, deficit = left.get("sky_gradient"), row.get("sky_deficit") or 0.0
    if gradient is None or gradient.level != "bad":
        return
    changes = f"changes by {row['sky_gradient']:.0f} % over the detector"
    if row.get("zero_point_rate") is None and deficit > _BRIGHTER:
        text = f"the sky is {deficit:.1f} mag fainter than usual and {changes}, and stars have no zero point in common"
    elif "stars_ratio" in left and (row.get("sky_brighter") or 0.0) < _BRIGHTER:
        text = f"the sky {changes}, and {100 * row['stars_ratio']:.0f} % of the usual stars are left"
    else:
        return
    yield Cause("dome", f"dome in the way: {text}", REMEDIES["dome"], "bad", _take(left, *_OF_DOME))


def _patches(left: _Failures) -> Iterator[Cause]:
    """Tell shadows that are too small for a trend: stars scatter about the zero point where the sky is uneven."""
    found = [left[name] for name in ("zp_scatter", "sky_gradient") if name in left]
    if len(found) < 2:
        return
    level: Literal["look", "bad"] = "bad" if any(failure.level == "bad" for failure in found) else "look"
    text = f"uneven response: {found[0].text}, and {found[1].text}: frost or dew on the window, flat, or thin cloud"
    names = ("zp_scatter", "sky_gradient", "sky_bimodal", "source_excess", "streaks", "depth_difference")
    yield Cause("flat", text, REMEDIES["flat"], level, _take(left, *names))


def _uneven(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell light that is not of the sky: it changes over the detector, and stars do not."""
    if not {"sky_bimodal", "sky_gradient", "source_excess"} & set(left):
        return
    step = row.get("sky_bimodal") or 0.0
    level: Literal["look", "bad"]
    if "sky_bimodal" in left and abs(step - 100.0) < _DARK_STEP:
        text = f"a part of the detector without light: the sky falls by {step:.0f} % at a step; the shutter was stuck, "
        text += "something was in the way, or an amplifier is dead"
        level = left["sky_bimodal"].level
        yield Cause("shutter", text, REMEDIES["shutter"], level, _take(left, *_OF_DARK_PARTS))
        return
    parts = [left[name] for name in ("sky_bimodal", "sky_gradient", "source_excess") if name in left]
    level = "bad" if any(part.level == "bad" for part in parts) else "look"
    text = f"uneven sky: {', and '.join(part.text for part in parts)}: ghost, stray light, frost, or a step of the "
    text += "bias"
    names = ("sky_bimodal", "sky_gradient", "source_excess", "amp_step", "depth_difference")
    yield Cause("uneven sky", text, REMEDIES["uneven sky"], level, _take(left, *names))


def _noise(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell noise of the electronics, of which much else follows."""
    found = [left[name] for name in ("read_noise", "amp_noise_ratio") if name in left]
    if not found:
        return
    level: Literal["look", "bad"] = "bad" if any(failure.level == "bad" for failure in found) else "look"
    amplifiers = row.get("noisy_amplifiers") or []
    which = f"amplifier{'s' if len(amplifiers) > 1 else ''} {', '.join(amplifiers)}, " if amplifiers else ""
    text = f"{'noisy readout' if 'amp_noise_ratio' in left else 'readout'}: {which}{found[0].text}"
    names = ("read_noise", "amp_noise_ratio", "read_noise_shape", "read_noise_pattern", "noise_ratio", "cosmic_rays")
    yield Cause("noise", text, REMEDIES["noise"], level, _take(left, *names, "depth", "depth_difference", "stars_hit"))


def _streaks(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "streaks" in left:
        level, number = left["streaks"].level, row.get("n_streaks")
        count = f"{number:.0f} trails" if number and number > 1 else "a trail"
        along, name = (row.get("details") or {}).get("streaks_along"), "streaks"
        text = f"{count} of satellites or aircraft in {row['streaks']:.1f} % of the pixels"
        if along and number and number > 1:
            name = "read in light"
            text = f"{count} along the {along} in {row['streaks']:.1f} % of the pixels: the shutter was open while the "
            text += "detector was read, or charge bled from stars"
        elif along:
            text += f", along the {along}: perhaps of a star, if the shutter was open while the detector was read"
        yield Cause(name, text, REMEDIES[name], level, _take(left, "streaks"))


def _header(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "header_problems" in left:
        lines = (row.get("details") or {}).get("header", [])
        text = f"header: {'; '.join(lines)}" if lines else left["header_problems"].text
        yield Cause("header", text, REMEDIES["header"], "look", _take(left, "header_problems"))


def _ages(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    names = [name for name in ("bias", "dark", "flat") if f"{name}_age" in left]
    if names:
        words = [f"{name} {_days(float(row[f'{name}_age']))}" for name in names]
        level: Literal["look", "bad"] = "bad" if any(left[f"{name}_age"].level == "bad" for name in names) else "look"
        metrics = _take(left, *(f"{name}_age" for name in names))
        yield Cause("calibrations", f"calibrations: {', '.join(words)}", REMEDIES["calibrations"], level, metrics)


def _days(age: float) -> str:
    return f"{age:.0f} days old" if age >= 0 else f"taken {-age:.0f} days later"


def _trailed(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "star_e_coherent" not in left:
        return
    level = left["star_e_coherent"].level
    name, kind = (
        ("tracking jump", "stars with two peaks") if (row.get("psf_dip") or 0) > _TWO_PEAKS else ("trailed", "")
    )
    text = f"{name}: {kind}{', ' if kind else ''}ellipticity {row['star_e_coherent']:.2f}, in all stars at "
    text += f"{row['star_angle']:.0f} deg from x"
    if "seeing" in left:
        text += f", and {left['seeing'].text}"
    _take(left, *_OF_BAD_IMAGES, "stars_hit", "cosmic_rays", "stars_ratio", "stars_expected")
    yield Cause(name, text, REMEDIES["trailed"], level, _take(left, *_OF_LONG_STARS))


def _width(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell bad focus from bad seeing: a disk instead of a peak, or a sudden doubling."""
    seeing, disk = left.get("seeing") or left.get("fwhm_ratio"), left.get("psf_concentration")
    profile = row.get("profile_ratio")
    keeps_profile = (profile or 0.0) > _DISK_RATIO and (row.get("seeing_ratio") or 9) < _DEFOCUS_RATIO
    is_flatter = profile is not None and profile < _DISK_RATIO
    if disk is not None or (seeing is not None and (is_flatter or (seeing.level == "bad" and not keeps_profile))):
        parts = [seeing.text] if seeing else []
        if disk is not None:
            parts.append(f"stars are disks rather than peaks ({row['psf_concentration']:.2f})")
        elif is_flatter and profile is not None:
            parts.append(f"the profile of stars is flatter than usual ({profile:.2f} of it)")
        level: Literal["look", "bad"] = (
            "bad" if "bad" in (failure.level for failure in (seeing, disk) if failure) else "look"
        )
        names = ("seeing", "fwhm_ratio", "psf_concentration", "psf_gradient", "star_e", "stars_ratio", "stars_expected")
        metrics = _take(left, *names, *_OF_BAD_IMAGES)
        yield Cause("out of focus", f"out of focus: {', and '.join(parts)}", REMEDIES["out of focus"], level, metrics)
    elif seeing is not None:
        metrics = _take(left, "seeing", "fwhm_ratio", "stars_ratio", "stars_expected", *_OF_BAD_IMAGES)
        yield Cause("seeing", f"poor {seeing.text}", REMEDIES["seeing"], seeing.level, metrics)


def _atmosphere(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell cloud, moonlit cloud, dome, moonlight, twilight and other light by zero point and sky together."""
    if "sky_deficit" in left and (row.get("transparency") or 0.0) > _DIMMER:
        stars = row.get("stars_ratio")
        if stars is not None and stars < _HALF_THE_STARS:
            text = f"most of the detector without light: {100 * stars:.0f} % of the usual stars, and those as bright "
            text += "as usual; the shutter was stuck, or something was in the way"
            level = left["sky_deficit"].level
            yield Cause("shutter", text, REMEDIES["shutter"], level, _take(left, *_OF_DARK_PARTS))
            return
        part = 100 * 10 ** (-0.4 * row["sky_deficit"])
        text = f"sky missing: {part:.2g} % of the usual, and stars are as bright as usual"
        yield Cause("no sky", text, REMEDIES["no sky"], left["sky_deficit"].level, _take(left, "sky_deficit"))
    clear, brighter = left.get("transparency"), row.get("sky_brighter")
    moon = row.get("moon_altitude")
    moon_is_up = moon is not None and moon > 0
    sun = row.get("sun_altitude")
    if clear is not None:
        lost = f"{100 * (1 - row['transparency']):.0f} % of the light lost"
        if "zp_trend" in left and "sky_gradient" not in left:
            lost += f", unevenly ({row['zp_trend']:.2f} mag over the detector)"
            _take(left, "zp_trend")
        rises = brighter is not None and brighter - (0 if moon_is_up else (row.get("moon_sky") or 0)) > _BRIGHTER
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
            metrics = _take(left, "transparency", "sky_excess", *_OF_FEW_PHOTONS)
            yield Cause(name, text, REMEDIES[name], clear.level, metrics)
        elif deficit is not None and deficit > _BRIGHTER and "sky_gradient" in left:
            text = (
                f"dome in the way: {lost}, the sky {deficit:.1f} mag fainter, and uneven ({row['sky_gradient']:.0f} %)"
            )
            names = ("transparency", "sky_gradient", "sky_deficit", *_OF_FEW_PHOTONS)
            yield Cause("dome", text, REMEDIES["dome"], clear.level, _take(left, *names))
        else:
            metrics = _take(left, "transparency", "sky_deficit", *_OF_FEW_PHOTONS)
            yield Cause("cloud", f"cloud: {lost}", REMEDIES["cloud"], clear.level, metrics)
        return
    if (
        sun is not None
        and sun > _DARK_SUN
        and brighter is not None
        and brighter > _BRIGHTER
        and ("depth" in left or brighter > 1)
    ):
        text = f"twilight: Sun at {sun:.0f} deg, sky {brighter:.1f} mag brighter than usual"
        level = _level_of(left, "depth")
        yield Cause("twilight", text, REMEDIES["twilight"], level, _take(left, *_OF_BRIGHT_SKY))
    elif "sky_excess" in left:
        text = f"bright sky: {row['sky_excess']:.1f} mag brighter than Moon and twilight explain"
        level = left["sky_excess"].level
        metrics = _take(left, "sky_excess", *_OF_FEW_PHOTONS)
        yield Cause("bright sky", text, REMEDIES["bright sky"], level, metrics)
    elif "depth" in left and (row.get("moon_sky") or 0) > _MOON_MATTERS and (brighter or 0) > _MOON_MATTERS:
        text = (
            f"moonlight: sky {brighter:.1f} mag brighter; the Moon ({row['moon_phase']:.0f} % lit, "
            f"{row['moon_separation']:.0f} deg away) explains it; {left['depth'].text}"
        )
        yield Cause("moonlight", text, REMEDIES["moonlight"], "look", _take(left, *_OF_FEW_PHOTONS))


def _level_of(left: Mapping[str, _Failure], name: str) -> Literal["look", "bad"]:
    return left[name].level if name in left else "look"


def _pointing(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    names = [name for name in ("pointing_share", "pointing_error") if name in left]
    if names:
        level: Literal["look", "bad"] = "bad" if any(left[name].level == "bad" for name in names) else "look"
        text = f"pointing: the field is {row['pointing_error']:.0f} arcsec from where the header puts it"
        yield Cause("pointing", text, REMEDIES["pointing"], level, _take(left, *names))


#: In this order: each takes what it explains.
_RULES = (
    *(_dead_amplifier, _filter, _double, _trailed, _dew, _width),
    *(_noise, _halo, _atmosphere, _flat, _uneven, _streaks, _pointing, _header, _ages),
)
