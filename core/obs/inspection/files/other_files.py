"""Values of one file, held against what other files of the camera say."""

from collections.abc import Sequence
from dataclasses import replace

from obs.errors import FileFormatError
from obs.inspection.amplifier_facts import DetectorFacts
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.inspection.raw_file import RawImage
from obs.instrument.card_values import read_number

__all__ = ["compare_amplifiers_with_files", "compare_with_files"]

_SAME = 0.04
"""Part by which two statements of one quantity may differ, as those of a WCS and of a focal length do."""


def compare_with_files(finding: Finding, value: float, others: Sequence[tuple[str, float]]) -> Finding:
    """Return a finding as sure as other files let it be: a guess where as many say otherwise, else likely.

    Parameters
    ----------
    finding : Finding
        What one file tells.
    value : float
        The number that it is read from.
    others : sequence of (str, float)
        Names of other files, and the numbers there.
    """
    odd = [(name, other) for name, other in others if abs(other / value - 1.0) > _SAME]
    if not odd or not finding.is_known:
        return finding
    sure: Confidence = "guess" if len(odd) > len(others) - len(odd) else "likely"
    more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
    note = f"{odd[0][1]:.4g} in {odd[0][0]}{more}"
    note = f"{finding.note}; {note}" if finding.note else note
    return replace(finding, confidence=lower_confidence(finding.confidence, sure), note=note)


def compare_amplifiers_with_files(
    facts: DetectorFacts, images: Sequence[RawImage], others: Sequence[Sequence[RawImage]]
) -> DetectorFacts:
    """Return a detector whose gains and read noises are as sure as the cards of other files let them be.

    Parameters
    ----------
    facts : DetectorFacts
        The detector.
    images : sequence of RawImage
        Those that it was found in.
    others : sequence of sequence of RawImage
        Those of other files, in the same order.
    """
    amplifiers = []
    for amp in facts.amplifiers:
        index = next((n for n, image in enumerate(images) if amp.raw_hdu == image.hdu), 0)
        findings = dict(amp.findings)
        for quantity in ("gain", "read_noise"):
            finding = findings[quantity]
            value = _positive(images[index], finding.source)
            if value is None:
                continue
            found = ((other[index].path.name, _positive(other[index], finding.source)) for other in others)
            findings[quantity] = compare_with_files(finding, value, [(name, v) for name, v in found if v is not None])
        amplifiers.append(replace(amp, findings=findings))
    return replace(facts, amplifiers=tuple(amplifiers))


def _positive(image: RawImage, keyword: str) -> float | None:
    """Return the number that a card holds; None where it holds none, or one that nobody filled in."""
    try:
        value = read_number(image.cards.get(keyword))
    except FileFormatError:
        return None
    return value if value > 0 else None
