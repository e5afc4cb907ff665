"""Flats in which the time that a shutter takes to open shows, or must be expected."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.shutter import shutter_pattern

__all__ = ["GRADIENT", "find_short_flats", "warn_of_short_flats"]

GRADIENT = 0.01
"""Difference over the detector, of the level, above which a flat is wrong enough to say so."""


def find_short_flats(
    cells: NDArray[np.float64], places: NDArray[np.float64], seconds: Sequence[float]
) -> tuple[dict[int, str], str]:
    """Return the flats that are too short for the shutter, by their numbers, and a warning if all are.

    Parameters
    ----------
    cells : ndarray of float64, shape (n_frame, n_cell)
        Clipped means of cells of flats that were divided by their level.
    places : ndarray of float64, shape (n_cell, 2)
        Middles of the cells, pixels.
    seconds : sequence of float
        Exposure times.
    """
    times = np.asarray(seconds, float)
    if len(times) != len(cells):
        return {}, ""
    late = shutter_pattern(cells, places, times)
    if not late > 0:
        return {}, ""
    part = late / times
    short = part > GRADIENT
    if not short.any():
        return {}, ""
    enough = late / GRADIENT
    if np.count_nonzero(~short) < 2:
        return {}, (
            f"{np.count_nonzero(short)} flats of {times[short].min():g} to {times[short].max():g} s differ over the "
            f"detector by what a slow shutter adds, up to {100 * part.max():.2g} %: parts of the detector are exposed "
            f"{1000 * late:.2g} ms longer than others, and fluxes are wrong by that much. Take flats of {enough:.2g} s "
            "or more, of less light"
        )
    reason = (
        "a slow shutter: its {:g} s are {:.2g} % longer in parts of the detector than in others, as longer flats show"
    )
    return {int(k): reason.format(times[k], 100 * part[k]) for k in np.flatnonzero(short)}, ""


def warn_of_short_flats(seconds: Sequence[float], shutter: float) -> str:
    """Return a warning if all flats are so short that a shutter may show, and so alike that its pattern cannot.

    Parameters
    ----------
    seconds : sequence of float
        Exposure times.
    shutter : float
        Time that the shutter may take to open, s.
    """
    times = np.asarray(seconds, float)
    if not (shutter > 0 and len(times) and (times > 0).all() and shutter / times.max() >= GRADIENT):
        return ""
    if times.max() > 2 * times.min():
        return ""  # frames of such different times have been compared
    pattern = float(f"{100 * shutter / times.max():.2g}")  # 120, not 1.2e+02
    return (
        f"all flats are exposures of {times.max():g} s or less, in which a mechanical shutter may leave a pattern of "
        f"{pattern:g} % for {1000 * shutter:g} ms, and flats of equal times cannot show it. Add "
        f"flats of {shutter / GRADIENT:g} s or more; if the shutter is electronic, set odd_frames.shutter to 0"
    )
