"""Causes in the images of the stars: trails, jumps, focus, seeing, halos."""

from collections.abc import Iterator, Mapping
from typing import Any

from obs.metrics.cause import BRIGHTER, OF_BAD_IMAGES, OF_FEW_PHOTONS, OF_LONG_STARS, Cause, Failures, take, worst
from obs.metrics.remedies import REMEDIES

__all__ = ["double_images", "halo", "trailed", "width"]

#: Profile of the stars over the usual one below which they are out of focus, and width over the usual one from which on
#: no profile is trusted.
_DISK_RATIO, _DEFOCUS_RATIO = 0.93, 3.0
#: Dip of the PSF above which long stars are two images rather than a trail.
_TWO_PEAKS = 0.15
#: Ellipticity that all stars share above which a halo is of stars that are drawn out.
_DRAWN_OUT = 0.08


def double_images(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell a jump of the telescope from the second image of all stars.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "double_images" not in left:
        return
    text = f"tracking jump: {row['double_images']:.0f} % of the bright stars have the same companion"
    names = (
        "transparency",
        "dimming",
        "fading",
        "stars_ratio",
        "stars_expected",
        "astrom_matched",
        "depth",
        "source_excess",
        *OF_BAD_IMAGES,
        *OF_LONG_STARS,
    )
    take(left, *names)
    yield Cause("tracking jump", text, REMEDIES["trailed"], left["double_images"].level, take(left, "double_images"))


def trailed(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell stars that are drawn out in one direction all over the detector.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    if "star_e_coherent" not in left:
        if "halo" in left:
            return  # guiding that was lost for a part of the exposure
        if "star_e_excess" in left and not {"seeing", "fwhm_ratio", "psf_concentration"} & set(left):
            text = f"wind or guiding: the ellipticity that all stars share is {row['star_e_excess']:.2f} off that of "
            text += f"the night's other frames ({row['star_e_coherent']:.2f} at {round(row['star_angle'])} deg from x)"
            level = left["star_e_excess"].level
            yield Cause("trailed", text, REMEDIES["trailed"], level, take(left, *OF_LONG_STARS))
        take(left, "star_e_excess")  # stars that are wide first of all
        return
    level = left["star_e_coherent"].level
    name, kind = (
        ("tracking jump", "stars with two peaks") if (row.get("psf_dip") or 0) > _TWO_PEAKS else ("trailed", "")
    )
    text = f"{name}: {kind}{', ' if kind else ''}ellipticity {row['star_e_coherent']:.2f}, in all stars at "
    text += f"{round(row['star_angle'])} deg from x"
    if "seeing" in left:
        text += f", and {left['seeing'].text}"
    take(left, *OF_BAD_IMAGES, "stars_hit", "cosmic_rays", "stars_ratio", "stars_expected")
    yield Cause(name, text, REMEDIES["trailed"], level, take(left, *OF_LONG_STARS))


def width(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell bad focus from bad seeing: a disk instead of a peak, or a sudden doubling.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
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
        level = worst(failure for failure in (seeing, disk) if failure)
        names = ("seeing", "fwhm_ratio", "psf_concentration", "psf_gradient", "star_e", "stars_ratio", "stars_expected")
        metrics = take(left, *names, *OF_BAD_IMAGES)
        yield Cause("out of focus", f"out of focus: {', and '.join(parts)}", REMEDIES["out of focus"], level, metrics)
    elif seeing is not None:
        metrics = take(left, "seeing", "fwhm_ratio", "stars_ratio", "stars_expected", *OF_BAD_IMAGES)
        yield Cause("seeing", f"poor {seeing.text}", REMEDIES["seeing"], seeing.level, metrics)


def halo(row: Mapping[str, Any], left: Failures) -> Iterator[Cause]:
    """Tell what spreads the light of stars far out: haze, dew and frost, or a guider that was lost for a while.

    Parameters
    ----------
    row : mapping
        Metrics and circumstances of the exposure, by name; values that are not known are None.
    left : dict of str to Failure
        Failures by metric that no cause explains yet; those that this one explains are removed.
    """
    halo, clear = left.get("halo"), left.get("transparency")
    if halo is None:
        return
    if clear is not None and (row.get("sky_brighter") or 0.0) > BRIGHTER:
        take(left, "halo")  # cloud that the Moon or a town lights, which is named as such
        return
    shared = row.get("star_e_coherent") or 0.0
    if clear is None and shared > _DRAWN_OUT:
        text = f"guiding lost for a part of the exposure: {halo.text}, and ellipticity {shared:.2f} in all stars"
        yield Cause("trailed", text, REMEDIES["trailed"], halo.level, take(left, *OF_LONG_STARS, *OF_BAD_IMAGES))
        return
    found = [halo, *(left[name] for name in ("transparency", "sky_gradient", "zp_scatter") if name in left)]
    level = worst(found)
    text = f"haze, dew or frost: {', and '.join(failure.text for failure in found)}"
    names = ("transparency", "zp_trend", "sky_gradient", "sky_bimodal", "source_excess", "depth_difference", "streaks")
    yield Cause("haze", text, REMEDIES["haze"], level, take(left, *names, *OF_FEW_PHOTONS, *OF_BAD_IMAGES))
