"""Corrections of the zero point that meas_mosaic wrote."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from obs.compat.lsst.daf.base import PropertySet
from obs.image.flux_correction import FluxCorrection

__all__ = ["FluxFitParams"]


class FluxFitParams:
    """A polynomial of positions on a detector, magnitudes, from the header of a dataset ``fcr``.

    Parameters
    ----------
    metadata : PropertySet or mapping
        Cards ORDER, ABSOLUTE, CHEBYSHEV, U_MAX, V_MAX, X0, Y0, and C_i_j, the coefficient of the terms of order i in x
        and j in y.

    Raises
    ------
    KeyError
        If a card is missing.
    """

    def __init__(self, metadata: PropertySet | Mapping[str, Any]) -> None:
        self.order, self.absolute = int(metadata["ORDER"]), bool(metadata["ABSOLUTE"])
        self.chebyshev = bool(metadata["CHEBYSHEV"])
        cards = metadata.toDict() if isinstance(metadata, PropertySet) else metadata
        self._correction = FluxCorrection.from_header(cards)
        self.u_max, self.v_max = self._correction.x_scale, self._correction.y_scale
        self.x0, self.y0 = self._correction.x_zero, self._correction.y_zero

    def eval(self, u: Any, v: Any) -> Any:  # noqa: ANN401 - numbers or arrays
        """Return the correction at positions, pixels; a number for numbers, an array for arrays."""
        value = self._correction.magnitude(x=u, y=v)
        return value if np.ndim(value) else float(value)
