"""Causes in detector, shutter and calibrations: dead or noisy amplifiers, trails, header, old masters."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from obs.metrics.cause import OF_FEW_PHOTONS, Cause, Failures, take, worst
from obs.metrics.remedies import REMEDIES

__all__ = [
    "ages",
    "dead_amplifier",
    "header",
    "hot_pixels",
    "noise",
    "pointing",
    "response",
    "scale",
    "streaks",
    "wrong_field",
]

#: What follows from an amplifier that sees no light.
_OF_DEAD_AMPLIFIERS = (
    *("amp_step", "masked", "noise_ratio", "read_noise", "amp_noise_ratio", "overscan_level"),
    *("read_noise_shape", "read_noise_pattern"),
    *("stars_ratio", "stars_expected", "sky_gradient", "sky_bimodal", "zp_scatter", "zp_trend", "source_excess"),
    "gradient_excess",
    "spot_excess",
    *("depth_difference", "background_residual", "psf_minus_aperture", "psf_trend", "streaks", "halo"),
)
#: Percent of the pixels hit by cosmic rays that stand alone, from which on most are hot pixels.
_ALONE = 20.0
#: Gates of images whose stars are not where their light is.
_OF_IMAGES = frozenset({"star_e_coherent", "star_e", "double_images", "seeing", "fwhm_ratio", "psf_concentration"})
#: What astrometry says where stars are where none should be, and frames that must have found theirs there.
_NO_MATCH, _FEWEST_SOLVED = re.compile(r"no astrometry: the (\d+) sources match nothing"), 3
#: Part by which a pixel scale may be off a whole number of pixels in one.
_WHOLE = 0.02
#: Dark parts of amplifiers that differ by less are one: that of the shutter.
_SAME_PART = 0.2
#: Gates of electronics that fail, and number of amplifiers from which on half of them do not fail together by chance.
_READOUT, _SEVERAL = frozenset({"read_noise", "overscan_level", "amp_noise_ratio", "read_noise_shape"}), 4


def _shadow(left: Failures, names: Sequence[str], parts: Mapping[str, float], number: int) -> str:
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


def dead_amplifier(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell amplifiers without light from what covers a part of the detector.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "amp_dead" in left:
        details = row.get("details") or {}
        names, parts = details.get("dead_amplifiers", []), details.get("dark_parts", {})
        number = len(details.get("amplifiers", []))
        shadow = _shadow(left, names, parts, number)
        if shadow:
            take(left, *_OF_DEAD_AMPLIFIERS)
            yield Cause("shutter", shadow, REMEDIES["shutter"], left["amp_dead"].level, take(left, "amp_dead"))
            return
        words = [f"amplifier {', '.join(names)} dead"] if names else []
        words += [f"{100 * part:.0f} % of amplifier {name} dead" for name, part in parts.items()]
        which = " and ".join(words) if words else f"{row['amp_dead']:.2g} amplifiers dead"
        level = left["amp_dead"].level
        take(left, *_OF_DEAD_AMPLIFIERS)
        text = f"{which}: no noise of light, or masked"
        if number == 2 and len(names) == 1:
            text += ", or something was in the way of this half"
        yield Cause("dead amplifier", text, REMEDIES["dead amplifier"], level, take(left, "amp_dead"))


def noise(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell noise of the electronics, of which much else follows.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    found = [left[name] for name in ("read_noise", "amp_noise_ratio") if name in left]
    if not found:
        return
    level = worst(found)
    amplifiers = row.get("noisy_amplifiers") or []
    which = f"amplifier{'s' if len(amplifiers) > 1 else ''} {', '.join(amplifiers)}, " if amplifiers else ""
    text = f"{'noisy readout' if 'amp_noise_ratio' in left else 'readout'}: {which}{found[0].text}"
    names = ("read_noise", "amp_noise_ratio", "read_noise_shape", "read_noise_pattern", "noise_ratio", "cosmic_rays")
    yield Cause("noise", text, REMEDIES["noise"], level, take(left, *names, "depth", "depth_difference", "stars_hit"))


def response(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell a detector that lost or gained light from cloud, which takes it from the others of the visit, too.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "zp_offset" not in left:
        return
    level, offset = left["zp_offset"].level, row["zp_offset"]
    text = f"response: the zero point left its usual place among the detectors of the visit by {offset:+.2f} mag: gain "
    text += "or flat changed, or something was in front of this detector" if offset < 0 else "or flat changed"
    names = ("zp_offset", "transparency", "zp_trend", "sky_excess", "sky_deficit", *OF_FEW_PHOTONS)
    yield Cause("response", text, REMEDIES["response"], level, take(left, *names))


def hot_pixels(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell a detector that is warmer than its dark frames from cosmic rays: what passes for them are single pixels.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    alone = row.get("cosmic_rays_single")
    if "cosmic_rays" in left and alone is not None and alone > _ALONE:
        text = (
            f"hot pixels: {left['cosmic_rays'].text}, and {alone:.0f} % of them stand alone: the detector was warmer "
        )
        text += "than for its dark, whatever the header says"
        yield Cause("hot pixels", text, REMEDIES["hot pixels"], left["cosmic_rays"].level, take(left, "cosmic_rays"))


def streaks(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell trails of satellites from light that falls in while the detector is read.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
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
        # light beside the trail passes for cosmic rays, and makes the sky uneven
        metrics = take(left, "streaks", "cosmic_rays", "gradient_excess", "spot_excess")
        yield Cause(name, text, REMEDIES[name], level, metrics)


def header(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Say what the header contradicts itself in.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "header_problems" in left:
        lines = (row.get("details") or {}).get("header", [])
        text = f"header: {'; '.join(lines)}" if lines else left["header_problems"].text
        yield Cause("header", text, REMEDIES["header"], "look", take(left, "header_problems"))


def ages(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Name calibration frames that are too old.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    names = [name for name in ("bias", "dark", "flat") if f"{name}_age" in left]
    if names:
        words = [f"{name} {_days(float(row[f'{name}_age']))}" for name in names]
        level = worst(left[f"{name}_age"] for name in names)
        metrics = take(left, *(f"{name}_age" for name in names))
        yield Cause("calibrations", f"calibrations: {', '.join(words)}", REMEDIES["calibrations"], level, metrics)


def _days(age: float) -> str:
    return f"{age:.0f} days old" if age >= 0 else f"taken {-age:.0f} days later"


def wrong_field(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell a telescope that was elsewhere: stars match nothing where those of other frames of the field do.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet. It is not changed.
    """
    if not _OF_IMAGES.isdisjoint(left):
        return  # stars that are drawn out, double or disks may match nothing at their own place
    found, solved = _NO_MATCH.search(str(row.get("error"))), row.get("n_solved_alike") or 0
    if row.get("status") == "failed" and found and solved >= _FEWEST_SOLVED:
        text = f"another field than the header says: {found[1]} sources match nothing there, and those of {solved:.0f} "
        text += "other frames do; the telescope was elsewhere, or its header is of another exposure"
        yield Cause("wrong field", text, REMEDIES["wrong field"], "bad")


def scale(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell pixels that were binned, from which all else follows, and rows that were lost in the readout.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "scale_ratio" not in left:
        return
    ratio = float(row["scale_ratio"])
    factor = max(ratio, 1.0 / ratio) if ratio > 0 else 0.0
    if round(factor) > 1 and abs(factor / round(factor) - 1.0) < _WHOLE:
        than = "larger" if ratio > 1 else "smaller"
        text = (
            f"binning: pixels are {round(factor)} times {than} than those of the camera package, and the image is read "
        )
        text += "as if they were not"
        metrics = tuple(left)
        left.clear()
        yield Cause("binning", text, REMEDIES["binning"], "bad", metrics)
        return
    text = (
        f"{left['scale_ratio'].text}: rows or columns lost in the readout if other frames have the usual scale, else "
    )
    text += "another focal length"
    yield Cause("scale", text, REMEDIES["scale"], left["scale_ratio"].level, take(left, "scale_ratio"))


def pointing(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell how far the field is from where the header puts it.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    names = [name for name in ("pointing_share", "pointing_error") if name in left]
    if names:
        level = worst(left[name] for name in names)
        text = f"pointing: the field is {row['pointing_error']:.0f} arcsec from where the header puts it"
        drift, name = row.get("pointing_drift"), "pointing"
        if drift is not None:
            name = "pointing drift"
            text += f", and runs away by {drift:.0f} arcsec/h"
        yield Cause(name, text, REMEDIES[name], level, take(left, *names))
