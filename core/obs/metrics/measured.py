"""Values of metrics, and reasons where there is none."""

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FEWEST", "SAMPLE_STEP", "Measured"]

FEWEST = 5
"""Values that a median needs."""

SAMPLE_STEP = 4
"""Of the pixels, each such row and column is looked at."""


@dataclass
class Measured:
    """Values of metrics, and reasons where there is none.

    Attributes
    ----------
    values : dict of str to float
        Metric to value.
    reasons : dict of str to str
        Metric to why it was not measured.
    details : dict
        What is not one number: amplifiers.
    """

    values: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def set(self, reason: str, **values: float) -> None:
        """Note values, and for those that are not finite the reason.

        Parameters
        ----------
        reason : str
            Why a value is missing, if it is not finite.
        **values : float
            Metric to value.
        """
        for name, value in values.items():
            if math.isfinite(value):
                self.values[name] = float(value)
            else:
                self.reasons[name] = reason
