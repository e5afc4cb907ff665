"""Running sums along one axis."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["box_sums"]

_COMPILED = Kernel("sum_boxes", "float32", *("int",) * 4, "float64", "float64")

_PADDING: dict[str, Literal["constant", "edge", "symmetric"]] = {
    "zero": "constant", "edge": "edge", "mirror": "symmetric"
}  # fmt: skip


def box_sums(
    values: NDArray[np.generic], width: int, axis: int = -1, beyond: Literal["zero", "edge", "mirror"] = "zero"
) -> NDArray[np.float64]:
    """Return the sum of the values about each one, in float64 and in the shape of the values.

    Differences of running totals, so that the cost does not depend on the width. A sum of zeros is zero to rounding.

    Parameters
    ----------
    values : ndarray
        Finite numbers.
    width : int
        Number of values in a sum. An even one begins half of the width before its value.
    axis : int, default: -1
        Axis along which they are added up.
    beyond : {"zero", "edge", "mirror"}, default: "zero"
        What counts as being beyond the ends: nothing, the last value, or the values before the end once more.
    """
    if _COMPILED and beyond == "zero" and values.dtype == np.float32:
        axis %= values.ndim
        outer, inner = math.prod(values.shape[:axis]), math.prod(values.shape[axis + 1 :])
        result = np.empty(values.shape)
        _COMPILED(np.ascontiguousarray(values), outer, values.shape[axis], inner, width, np.empty(inner), result)
        return result
    before = width // 2
    along = np.moveaxis(values, axis, -1)
    around = [(0, 0)] * (along.ndim - 1) + [(before + 1, width - 1 - before)]
    total = np.cumsum(np.pad(along, around, _PADDING[beyond]), axis=-1, dtype=np.float64)
    # the value before the first sum is there to be subtracted
    return np.moveaxis(total[..., width:] - total[..., :-width], -1, axis)
