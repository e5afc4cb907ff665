"""Mask the trails of satellites and aircraft, and subtract their light."""

from dataclasses import field

from obs.algorithms.sky.streak import Streak
from obs.algorithms.sky.streaks import find_streaks
from obs.config.base import TaskConfig, setting
from obs.frozen import frozen
from obs.image.masked_image import MaskedImage

__all__ = ["FoundStreaks", "StreakConfig", "mask_streaks"]

BAD_PLANES = ("BAD", "SAT", "NO_DATA", "UNMASKEDNAN")


class StreakConfig(TaskConfig):
    """How the trails of satellites and aircraft are found."""

    enabled: bool = setting(True, "Find the trails of satellites and aircraft, and mask them STREAK.")
    subtract: bool = setting(
        True, "Subtract the light of a trail, so that sources on it are measured. They are flagged all the same."
    )


@frozen
class FoundStreaks:
    """Trails that were found on one image.

    Parameters
    ----------
    streaks : list of Streak
        The trails.
    fraction : float
        Fraction of the pixels that they cover.
    warnings : list of str
        What the user should know.
    """

    streaks: list[Streak] = field(default_factory=list)
    fraction: float = 0.0
    warnings: list[str] = field(default_factory=list)


def mask_streaks(masked_image: MaskedImage, config: StreakConfig) -> FoundStreaks:
    """Mask trails STREAK, in place.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels. The light of trails is subtracted if the settings say so.
    config : StreakConfig
        Settings.

    Returns
    -------
    FoundStreaks
    """
    mask = masked_image.mask
    mask.add_plane("STREAK")
    if not config.enabled:
        return FoundStreaks()
    bad = mask.any_known(BAD_PLANES)
    streaks, where, light = find_streaks(masked_image.image, masked_image.variance, bad)
    if light is None:
        return FoundStreaks()
    mask.set(where, "STREAK")
    if config.subtract:
        masked_image.image -= light
    fraction = float(where.mean())
    trails, edges = ([streak for streak in streaks if streak.edge == edge] for edge in (False, True))
    warnings = []
    if trails:
        count = "1 trail" if len(trails) == 1 else f"{len(trails)} trails"
        share = f"{100 * fraction:.2g} %" + (" with the bands along edges" if edges else "")
        warnings.append(f"{count} of satellites or aircraft, masked STREAK ({share}): {_places(trails)}")
    if edges:
        count = "1 bright band" if len(edges) == 1 else f"{len(edges)} bright bands"
        warnings.append(
            f"{count} beside dark ones, as the background leaves them along edges of vignetting, shadows and "
            f"obstacles, masked STREAK as trails are: {_places(edges)}"
        )
    return FoundStreaks(trails, fraction, warnings)


def _places(streaks: list[Streak]) -> str:
    return "; ".join(_place(streak) for streak in streaks)


def _place(streak: Streak) -> str:
    ends = " to ".join(f"({x:.0f}, {y:.0f})" for x, y in zip(streak.x, streak.y, strict=True))
    shape = "" if streak.straight else "about "
    return f"{shape}{ends}, {streak.width:.0f} pixels wide"
