"""Why a frame is not good, and what the rules that find it out share."""

from collections.abc import Iterable
from typing import Literal, Protocol

from obs.frozen import frozen

__all__ = [
    "BRIGHTER",
    "OF_BAD_IMAGES",
    "OF_DARK_PARTS",
    "OF_FEW_PHOTONS",
    "OF_LONG_STARS",
    "Cause",
    "Failure",
    "Failures",
    "take",
    "worst",
]

#: What follows where the stars that are left are fainter, or fainter against the sky.
OF_FEW_PHOTONS = (
    "depth",
    "dimming",
    "fading",
    "gradient_excess",
    "spot_excess",
    "stars_ratio",
    "stars_expected",
    "zp_n_stars",
    "zp_scatter",
    "astrom_scatter",
)
#: What follows where a part of the detector sees no light.
OF_DARK_PARTS = (
    *OF_FEW_PHOTONS,
    *(
        "sky_bimodal",
        "sky_gradient",
        "gradient_excess",
        "spot_excess",
        "sky_deficit",
        "source_excess",
        "background_residual",
        "depth_difference",
    ),
    "noise_ratio",
)
#: What gets worse when stars are wide or long.
OF_BAD_IMAGES = (
    "halo",
    "dimming",
    "fading",
    "astrom_scatter",
    "zp_scatter",
    "psf_minus_aperture",
    "psf_trend",
    "psf_size_residual",
)
#: What trails and double stars have in common.
OF_LONG_STARS = (
    *("star_e_coherent", "star_e_excess", "star_e", "seeing", "fwhm_ratio"),
    *("psf_e1_residual", "psf_e2_residual", "psf_concentration"),
)
#: Magnitudes by which the sky is brighter or fainter than usual where that tells something.
BRIGHTER = 0.3


class Failure(Protocol):
    """A gate that is not passed; see `obs.metrics.verdict.Failure`."""

    @property
    def metric(self) -> str:
        """The metric that the gate is of."""

    @property
    def level(self) -> Literal["look", "bad"]:
        """Whether it is to be looked at, or bad."""

    @property
    def text(self) -> str:
        """What is wrong, in words, with its value."""


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


Failures = dict[str, Failure]


def take(left: Failures, *names: str) -> tuple[str, ...]:
    """Remove failures that a cause explains; return their metrics.

    Parameters
    ----------
    left : dict of str to Failure
        Failures by metric; changed in place.
    *names : str
        Metrics to remove. Those without a failure are skipped, and are not returned.
    """
    return tuple(name for name in names if left.pop(name, None) is not None)


def worst(failures: Iterable[Failure]) -> Literal["look", "bad"]:
    """Return "bad" if any failure is, else "look".

    Parameters
    ----------
    failures : iterable of Failure
        Failures; "look" is returned if there are none.
    """
    return "bad" if any(failure.level == "bad" for failure in failures) else "look"
