"""Choose the exposures of a patch by place, seeing, PSF and a condition of the user."""

import logging
import math
from collections.abc import Sequence
from typing import Any

from obs.coadds.config import CoaddSelectConfig
from obs.coadds.facts import frame_facts
from obs.coadds.frames import Frame
from obs.expression import Condition
from obs.frozen import frozen
from obs.repo.butler import Butler

__all__ = ["Candidate", "check_condition", "select_candidates"]

_LOG = logging.getLogger(__name__)


@frozen
class Candidate:
    """An exposure and what is known of it.

    Parameters
    ----------
    frame : Frame
        The exposure.
    facts : dict of str to object
        Name to value, as of `frame_facts`; the user's condition may use these names.
    """

    frame: Frame
    facts: dict[str, Any]

    @property
    def seeing(self) -> float:
        """Full width at half maximum of the PSF, arcsec; NaN if not known."""
        value = self.facts.get("seeing")
        return math.nan if value is None else float(value)


def select_candidates(butler: Butler, frames: Sequence[Frame], config: CoaddSelectConfig) -> list[Candidate]:
    """Return the exposures that meet the limits; for each of the others, the reason is logged.

    Parameters
    ----------
    butler : Butler
        The repository.
    frames : sequence of Frame
        Exposures.
    config : CoaddSelectConfig
        Limits.

    Raises
    ------
    ConfigError
        For a condition that cannot be read or names what there is not.
    """
    condition = Condition(config.expression)
    chosen = []
    for frame in frames:
        candidate = Candidate(frame, frame_facts(butler, frame))
        reason = _reason_against(candidate, config, condition)
        if reason:
            _LOG.warning("%s: left out, %s", frame.name, reason)
        else:
            chosen.append(candidate)
    if 0 < config.maximum_exposures < len(chosen):
        by_seeing = sorted(chosen, key=lambda one: (math.isnan(one.seeing), one.seeing))
        kept = {id(one) for one in by_seeing[: config.maximum_exposures]}
        chosen = [one for one in chosen if id(one) in kept]
    return chosen


def check_condition(butler: Butler, frame: Frame, config: CoaddSelectConfig) -> None:
    """Check the user's condition on one exposure, before an output is begun with it.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    frame : Frame
        One of the exposures; its facts decide which names are known.
    config : CoaddSelectConfig
        Its ``expression`` is the condition.

    Raises
    ------
    ConfigError
        If it cannot be read, or names what there is not.
    """
    Condition(config.expression).holds(frame_facts(butler, frame))


def _reason_against(candidate: Candidate, config: CoaddSelectConfig, condition: Condition) -> str:
    seeing, residual = candidate.seeing, candidate.facts.get("psf_size_residual")
    if seeing > config.maximum_seeing:
        return f"seeing {seeing:.2f} arcsec is above select.maximum_seeing {config.maximum_seeing:g}"
    if seeing < config.minimum_seeing:
        return f"seeing {seeing:.2f} arcsec is below select.minimum_seeing {config.minimum_seeing:g}"
    if residual is not None and abs(residual) > config.maximum_psf_residual:
        return f"PSF size residual {residual:.3f} is above select.maximum_psf_residual {config.maximum_psf_residual:g}"
    if not condition.holds(candidate.facts):
        return f"'{condition.text}' is not true of it"
    return ""
