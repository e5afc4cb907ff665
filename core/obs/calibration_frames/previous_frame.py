"""How much a calibration frame differs from the one before it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from obs.errors import ObsError
from obs.image.exposure import Exposure
from obs.ingest.calib_store import CalibStore
from obs.repo.fits_exposure import read_exposure

__all__ = ["changed_pixels", "measure_change"]

_DATE = "calibDate"
_SIGMA = 6.0
#: Rows that are compared at once, and the step of those that show the median difference.
_ROWS, _SAMPLE = 256, 8


def measure_change(store: CalibStore, name: str, data_id: Mapping[str, Any]) -> tuple[float | None, str]:
    """Compare a calibration frame that was installed with that of the nearest earlier date.

    Parameters
    ----------
    store : CalibStore
        The calibrations.
    name : str
        Their type.
    data_id : mapping
        Which frame.

    Returns
    -------
    part : float or None
        Percentage of pixels that changed.
    text : str
        The date of the earlier frame, or why there is nothing to compare.
    """
    keys = store.types[name].keys
    same = {key: value for key, value in data_id.items() if key in keys and key != _DATE}
    earlier = [
        (str(other.data_id[_DATE]), other.path)
        for other in store.find(name)
        if other.path is not None
        and str(other.data_id[_DATE]) < str(data_id[_DATE])
        and all(other.data_id.get(key) == value for key, value in same.items())
    ]
    path = store.path(name, data_id)
    if not earlier or path is None or name == "defects":
        return None, "no earlier frame to compare with" if name != "defects" else "a list of defects has no pixels"
    date, before = max(earlier, key=lambda item: item[0])
    try:
        this, other = read_exposure(path), read_exposure(before) if before is not None else None
    except ObsError as error:
        return None, f"the frame of {date} cannot be read: {error}"
    if other is None or this.shape != other.shape:
        return None, f"the frame of {date} has another shape"
    return changed_pixels(this, other), date


def changed_pixels(this: Exposure, other: Exposure) -> float:
    """Return the percentage of pixels that differ by more than 6 standard deviations, the median difference taken out.

    Parameters
    ----------
    this, other : Exposure
        Frames of one shape, with variances.
    """
    first, second = this.masked_image, other.masked_image
    middle = float(np.nanmedian(first.image[::_SAMPLE, ::_SAMPLE] - second.image[::_SAMPLE, ::_SAMPLE]))
    n_changed = n_known = 0
    for start in range(0, this.shape[0], _ROWS):
        rows = slice(start, start + _ROWS)
        difference = np.abs(first.image[rows] - second.image[rows] - np.float32(middle))
        with np.errstate(invalid="ignore"):
            sigma = np.sqrt(first.variance[rows] + second.variance[rows])
            known = np.isfinite(difference) & np.isfinite(sigma) & (sigma > 0)
            n_changed += int(np.count_nonzero(known & (difference > _SIGMA * sigma)))
        n_known += int(np.count_nonzero(known))
    return 100.0 * n_changed / n_known if n_known else float("nan")
