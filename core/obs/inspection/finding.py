"""What was found out about a camera, from where, and how sure it is."""

from typing import Any, Literal, get_args

from obs.frozen import frozen

__all__ = ["CONFIDENCES", "Confidence", "Finding", "lower_confidence"]

Confidence = Literal["certain", "likely", "guess", "not known"]
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)


@frozen
class Finding:
    """One quantity that raw files show, with its source.

    Parameters
    ----------
    quantity : str
        What it is: ``exposure_time``, ``gain of amplifier A``.
    value : Any
        Its value in the engine's unit; None where it is not known.
    source : str
        The cards, or the pixels, that it comes from; empty where there are none.
    confidence : {"certain", "likely", "guess", "not known"}
        How sure it is. Certain is what a card says in so many words.
    note : str
        What contradicts it, or what was not understood.
    """

    quantity: str
    value: Any
    source: str = ""
    confidence: Confidence = "certain"
    note: str = ""

    @classmethod
    def unknown(cls, quantity: str, note: str = "") -> "Finding":
        """Return the finding that nothing is known of a quantity.

        Parameters
        ----------
        quantity : str
            Name of the quantity.
        note : str
            Why it is not known.
        """
        return cls(quantity, None, "", "not known", note)

    @property
    def is_known(self) -> bool:
        """Whether there is a value, be it a guess."""
        return self.confidence != "not known"


def lower_confidence(first: Confidence, second: Confidence) -> Confidence:
    """Return the less sure of two.

    Parameters
    ----------
    first, second : {"certain", "likely", "guess", "not known"}
        The confidences.
    """
    return max(first, second, key=CONFIDENCES.index)
