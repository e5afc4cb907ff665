"""The noise that frames share, since the same bias and dark were subtracted from all: it does not average out."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.frame_calibrations import CalibrationReader, find_calibrations
from obs.image.visit_info import VisitInfo
from obs.ingest.calib_jobs import BuildJob
from obs.repo.butler import Butler
from obs.tasks.frame_seconds import dark_seconds
from obs.tasks.isr_config import IsrConfig

__all__ = ["common_variance", "dark_time", "scaled_sum"]

logger = logging.getLogger(__name__)


def dark_time(info: VisitInfo | None) -> float:
    """Return the dark time, else the exposure time, else 0 s.

    Parameters
    ----------
    info : VisitInfo or None
        Circumstances of the exposure.

    Returns
    -------
    float
        Seconds.
    """
    if info is None:
        return 0.0
    time = info.dark_time if np.isfinite(info.dark_time) else info.exposure_time
    return time if np.isfinite(time) else 0.0


def common_variance(
    butler: Butler, job: BuildJob, isr: IsrConfig, read: CalibrationReader
) -> list[NDArray[np.float32] | None]:
    """Return the variance of the bias and of one second of the dark that the frames have in common; empty for none.

    Parameters
    ----------
    butler : Butler
        The repository.
    job : BuildJob
        What is built.
    isr : IsrConfig
        What is done to each frame.
    read : callable
        What reads each calibration.
    """
    if not (isr.do_bias or isr.do_dark):
        return []
    off = {switch: False for switch in IsrConfig.model_fields if switch.startswith("do_")}
    only = isr.model_copy(update=off | {"do_bias": isr.do_bias, "do_dark": isr.do_dark})
    data_id = butler.complete_raw(job.inputs[0])
    found, _, _ = find_calibrations(butler, data_id, only, physical_filter="", band="", warn=logger.debug, read=read)
    planes: list[NDArray[np.float32] | None] = []
    for frame in (found.bias, found.dark):
        planes.append(None if frame is None else _finite(frame.masked_image.variance))
    if found.dark is not None and planes[1] is not None:
        seconds = dark_seconds(found.dark)
        planes[1] = planes[1] / np.float32(seconds**2) if seconds != 1 else planes[1]
    return planes if any(plane is not None for plane in planes) else []


def _finite(variance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a variance with zero where it is not a number; itself where it always is."""
    if all(np.isfinite(variance[rows]).all() for rows in row_blocks(variance.shape)):
        return variance
    return np.where(np.isfinite(variance), variance, np.float32(0))


def scaled_sum(
    planes: Sequence[NDArray[np.float32] | None], factors: Sequence[float], rows: slice = slice(None)
) -> NDArray[np.float32]:
    """Return the sum of variances in some rows, each times the square of its factor; None counts as none.

    Parameters
    ----------
    planes : sequence of ndarray of float32, shape (ny, nx), or None
        Variances. At least one is needed.
    factors : sequence of float
        Factor of each frame, whose square multiplies its variance.
    rows : slice, optional
        Rows to add; all by default.
    """
    terms = (
        plane[rows] * np.float32(factor**2) for plane, factor in zip(planes, factors, strict=True) if plane is not None
    )
    total = next(terms)
    for term in terms:
        total += term
    return total
