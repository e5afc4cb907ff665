"""Corrections of the zero point that meas_mosaic wrote."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from obs.compat.lsst.daf.base import PropertySet

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
        self.u_max, self.v_max = float(metadata["U_MAX"]), float(metadata["V_MAX"])
        self.x0, self.y0 = float(metadata["X0"]), float(metadata["Y0"])
        self._terms = np.zeros((self.order + 1, self.order + 1))
        for i in range(self.order + 1):
            for j in range(self.order + 1 - i):
                self._terms[i, j] = float(metadata[f"C_{i}_{j}"])

    def eval(self, u: Any, v: Any) -> Any:  # noqa: ANN401 - numbers or arrays
        """Return the correction at positions, pixels; a number for numbers, an array for arrays."""
        x, y = (np.asarray(u, np.float64) + self.x0) / self.u_max, (np.asarray(v, np.float64) + self.y0) / self.v_max
        series = np.polynomial.chebyshev.chebval2d if self.chebyshev else np.polynomial.polynomial.polyval2d
        value = series(x, y, self._terms)
        return value if np.ndim(value) else float(value)
