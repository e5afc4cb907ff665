"""Causes that metrics tell together: trailed, out of focus, cloud, moonlight, no light, dome, dead amplifier.

Each rule looks at several metrics at once and takes those over that it explains. What no rule explains is a cause by
itself, named after its gate.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["REMEDIES", "Cause", "find_causes"]


class _Failure(Protocol):
    """A gate that is not passed; see `obs.metrics.verdict.Failure`."""

    @property
    def metric(self) -> str: ...
    @property
    def level(self) -> Literal["look", "bad"]: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
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


REMEDIES = {
    "failed": "read its log; process it again when the cause is gone",
    "no light": "check shutter, cover and dome; leave it out",
    "dead amplifier": "check cable and readout; list the amplifier as a defect, or leave the detector out",
    "trailed": "check tracking, guiding and wind; leave it out of photometry of faint stars",
    "out of focus": "refocus; leave it out where sharp images matter",
    "seeing": "wait for better seeing, or check the focus",
    "moonlit cloud": "leave it out of photometry; the sky is bright and stars are faint",
    "cloud": "weight it by its depth, or leave it out",
    "dome": "check that the dome follows the telescope",
    "moonlight": "observe farther from the Moon, or in redder filters",
    "twilight": "start later, or stop earlier",
    "bright sky": "look for lamps, thin cloud lit from below, or light that scatters in the telescope",
    "pointing": "check the pointing model and the clock; obs camera adjust corrects the camera package",
}
#: What a single gate calls for.
_SINGLE = {
    "fwhm": "the PSF is undersampled: fluxes of the PSF are less exact",
    "psf_gradient": "check collimation and tilt of the camera",
    "psf_concentration": "refocus",
    "psf_e1_residual": "raise the order of the PSF model, or look at its residuals",
    "psf_e2_residual": "raise the order of the PSF model, or look at its residuals",
    "psf_size_residual": "look at the PSF stars: blends, saturation, brighter-fatter",
    "sky_gradient": "check the flat, and light that scatters in the telescope",
    "noise_ratio": "check gain and read noise of the camera package: obs doctor",
    "stars_ratio": "compare the image with one of the same field",
    "stars_expected": "check focus, pointing and the reference catalog",
    "depth": "see seeing, sky and transparency",
    "zp_scatter": "check flat, cloud and color term",
    "zp_n_stars": "use a deeper reference catalog",
    "psf_minus_aperture": "check the aperture correction and light near the stars",
    "astrom_scatter": "check the order of the distortion and the reference catalog",
    "astrom_matched": "check the reference catalog and the pointing",
    "scale_ratio": "correct the pixel scale: obs camera adjust",
    "saturated": "expose shorter",
    "masked": "look at the mask: obs display",
    "stars_hit": "stars are taken for cosmic rays: raise the limits of cosmic_rays",
    "streaks": "look at the trails before photometry",
    "overscan_level": "check the electronics: compare with the amplifier's history",
    "read_noise": "check the electronics: compare with the amplifier's history",
    "amp_step": "check bias and gains of the amplifiers",
    "star_e": "check collimation, focus and tracking",
}
#: What gets worse when stars are wide or long.
_OF_BAD_IMAGES = ("astrom_scatter", "zp_scatter", "psf_minus_aperture", "psf_size_residual")
_MOON_MATTERS, _BRIGHTER, _DIMMER = 0.3, 0.3, 0.85
_DARK_SUN = -18.0
_DEFOCUS_RATIO = 1.8
#: Part of the stars, and number of them, below which nothing gets in.
_NO_STARS, _FEW_STARS = 0.2, 2

_Failures = dict[str, _Failure]


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
    causes = list(_no_light(row, left))
    if row.get("status") == "failed":
        causes.append(Cause("failed", _failure_text(row), REMEDIES["failed"]))
    for rule in (_dead_amplifier, _trailed, _width, _atmosphere, _pointing):
        causes += list(rule(row, left))
    if causes and "depth" in left and row.get("status") != "failed":
        left.pop("depth")  # the consequence of what has been named
    for name, failure in left.items():
        remedy = _SINGLE.get(name, "look at the frame")
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
    few = (number or 0) <= _FEW_STARS or (stars is not None and stars < _NO_STARS)
    if "sky_deficit" in left and left["sky_deficit"].level == "bad" and few:
        text = (
            f"no light: sky {row['sky_rate']:.3g} adu/s, {100 * 10 ** (-0.4 * row['sky_deficit']):.2g} % of the usual, "
            f"and {number or 0:.0f} stars: the shutter was closed, or the cover on"
        )
        metrics = tuple(left)
        left.clear()
        yield Cause("no light", text, REMEDIES["no light"], "bad", metrics)


def _dead_amplifier(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "amp_dead" in left:
        names = (row.get("details") or {}).get("dead_amplifiers", [])
        which = f"amplifier {', '.join(names)}" if names else f"{row['amp_dead']:.0f} amplifiers"
        _take(left, "amp_step", "masked", "noise_ratio", "stars_ratio", "stars_expected", "sky_gradient", "zp_scatter")
        yield Cause(
            "dead amplifier",
            f"{which} dead: no noise of light, or masked",
            REMEDIES["dead amplifier"],
            "bad",
            _take(left, "amp_dead"),
        )


def _trailed(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "star_e_coherent" not in left:
        return
    level = left["star_e_coherent"].level
    text = f"trailed: ellipticity {row['star_e_coherent']:.2f}, in all stars at {row['star_angle']:.0f} deg from x"
    if "seeing" in left:
        text += f", and {left['seeing'].text}"
    names = ("star_e_coherent", "star_e", "seeing", "psf_e1_residual", "psf_e2_residual", "psf_concentration")
    _take(left, *_OF_BAD_IMAGES)
    yield Cause("trailed", text, REMEDIES["trailed"], level, _take(left, *names))


def _width(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell bad focus from bad seeing: a disk instead of a peak, or a sudden doubling."""
    seeing, disk = left.get("seeing"), left.get("psf_concentration")
    if disk is not None or (seeing is not None and seeing.level == "bad"):
        parts = [seeing.text] if seeing else []
        if disk is not None:
            parts.append(f"stars are disks rather than peaks ({row['psf_concentration']:.2f})")
        level: Literal["look", "bad"] = (
            "bad" if "bad" in (failure.level for failure in (seeing, disk) if failure) else "look"
        )
        names = ("seeing", "psf_concentration", "psf_gradient", "star_e", "stars_ratio", "stars_expected")
        metrics = _take(left, *names, *_OF_BAD_IMAGES)
        yield Cause("out of focus", f"out of focus: {', and '.join(parts)}", REMEDIES["out of focus"], level, metrics)
    elif seeing is not None:
        yield Cause("seeing", f"poor {seeing.text}", REMEDIES["seeing"], seeing.level, _take(left, "seeing"))


def _atmosphere(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    """Tell cloud, moonlit cloud, dome, moonlight, twilight and other light by zero point and sky together."""
    clear, brighter = left.get("transparency"), row.get("sky_brighter")
    moon = row.get("moon_altitude")
    moon_is_up = moon is not None and moon > 0
    sun = row.get("sun_altitude")
    if clear is not None:
        lost = f"{100 * (1 - row['transparency']):.0f} % of the light lost"
        few = ("stars_ratio", "stars_expected", "zp_scatter", "zp_n_stars")
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
            yield Cause(
                name, text, REMEDIES[name], clear.level, _take(left, "transparency", "sky_excess", "depth", *few)
            )
        elif deficit is not None and deficit > _BRIGHTER and "sky_gradient" in left:
            text = (
                f"dome in the way: {lost}, the sky {deficit:.1f} mag fainter, and uneven ({row['sky_gradient']:.0f} %)"
            )
            names = ("transparency", "sky_gradient", "sky_deficit", "depth", *few)
            yield Cause("dome", text, REMEDIES["dome"], clear.level, _take(left, *names))
        else:
            yield Cause(
                "cloud",
                f"cloud: {lost}",
                REMEDIES["cloud"],
                clear.level,
                _take(left, "transparency", "depth", "sky_deficit", *few),
            )
        return
    if (
        sun is not None
        and sun > _DARK_SUN
        and brighter is not None
        and brighter > _BRIGHTER
        and ("depth" in left or brighter > 1)
    ):
        text = f"twilight: Sun at {sun:.0f} deg, sky {brighter:.1f} mag brighter than usual"
        yield Cause(
            "twilight", text, REMEDIES["twilight"], _level_of(left, "depth"), _take(left, "depth", "sky_excess")
        )
    elif "sky_excess" in left:
        text = f"bright sky: {row['sky_excess']:.1f} mag brighter than Moon and twilight explain"
        level = left["sky_excess"].level
        yield Cause("bright sky", text, REMEDIES["bright sky"], level, _take(left, "sky_excess", "depth"))
    elif "depth" in left and (row.get("moon_sky") or 0) > _MOON_MATTERS and (brighter or 0) > _MOON_MATTERS:
        text = (
            f"moonlight: sky {brighter:.1f} mag brighter; the Moon ({row['moon_phase']:.0f} % lit, "
            f"{row['moon_separation']:.0f} deg away) explains it; {left['depth'].text}"
        )
        yield Cause("moonlight", text, REMEDIES["moonlight"], "look", _take(left, "depth"))


def _level_of(left: Mapping[str, _Failure], name: str) -> Literal["look", "bad"]:
    return left[name].level if name in left else "look"


def _pointing(row: Mapping[str, Any], left: _Failures) -> Iterator[Cause]:
    if "pointing_error" in left:
        failure = left["pointing_error"]
        text = f"pointing: the field is {row['pointing_error']:.0f} arcsec from where the header puts it"
        yield Cause("pointing", text, REMEDIES["pointing"], failure.level, _take(left, "pointing_error"))
