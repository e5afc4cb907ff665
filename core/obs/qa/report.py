"""The quality of processed simulated frames, as a table and a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from obs.errors import DatasetNotFoundError
from obs.frozen import frozen
from obs.policy.data_id import format_data_id
from obs.qa.metrics import TruthComparison, compare_with_truth
from obs.repo.butler import Butler
from obs.repo.fits_catalog import read_catalog

__all__ = ["REPORT_HEADERS", "REPORT_SIDES", "FrameReport", "report_frame", "report_rows"]

REPORT_HEADERS = (
    "frame",
    "seeing/arcsec",
    "true",
    "depth/mag",
    "zero point/mag",
    "off/mmag",
    "scatter/mmag",
    "RA/mas",
    "Dec/mas",
    "found",
    "stars",
)
#: How the columns are aligned: left or right.
REPORT_SIDES = "lrrrrrrrrrr"


@frozen
class FrameReport:
    """One processed frame beside its truth.

    Parameters
    ----------
    data_id : dict
        Which frame.
    seeing, true_seeing : float
        Full width at half maximum of the PSF as measured and as it is, arcsec.
    zero_point : float
        Measured magnitude of one count; NaN if there is none.
    comparison : TruthComparison
        The stars.
    """

    data_id: Mapping[str, Any]
    seeing: float
    true_seeing: float
    zero_point: float
    comparison: TruthComparison


def report_frame(butler: Butler, data_id: Mapping[str, Any], truth: Path) -> FrameReport:
    """Compare a processed frame with the truth that was written beside its raw file.

    Parameters
    ----------
    butler : Butler
        Repository with ``calexp`` and ``src``.
    data_id : mapping
        Which frame.
    truth : Path
        Catalog of the true sources.

    Raises
    ------
    DatasetNotFoundError
        If the frame was not processed, or there is no truth.
    """
    wcs, psf, calib = (_part(butler, data_id, name) for name in ("wcs", "psf", "photoCalib"))
    comparison = compare_with_truth(butler.get("src", data_id), read_catalog(truth), calib)
    scale = wcs.pixel_scale if wcs is not None else float("nan")
    return FrameReport(
        data_id=dict(data_id),
        seeing=float(getattr(psf, "fwhm", float("nan"))) * scale,
        true_seeing=comparison.seeing * scale,
        zero_point=float("nan") if calib is None else calib.zero_point,
        comparison=comparison,
    )


def _part(butler: Butler, data_id: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - one of three classes
    """Return a part of a calibrated image, whose pixels are not read; None where it has none."""
    try:
        return butler.get(f"calexp_{name}", data_id)
    except DatasetNotFoundError:
        return None


def report_rows(reports: Sequence[FrameReport]) -> list[tuple[str, ...]]:
    """Return the table's rows: what was measured, and errors of bright isolated stars against the truth.

    Parameters
    ----------
    reports : sequence of FrameReport
        One for each frame.
    """
    return [
        (
            format_data_id(report.data_id),
            _number(report.seeing, 3),
            _number(report.true_seeing, 3),
            _number(report.comparison.depth, 2),
            _number(report.zero_point, 3),
            _number(1e3 * report.comparison.photometric_offset, 1),
            _number(1e3 * report.comparison.photometric_scatter, 1),
            *(_number(value, 1) for value in report.comparison.astrometric_scatter),
            _number(100.0 * report.comparison.completeness, 1, "%"),
            str(int(np.count_nonzero(report.comparison.bright))),
        )
        for report in reports
    ]


def _number(value: float, digits: int, unit: str = "") -> str:
    return f"{value:.{digits}f}{unit}" if np.isfinite(value) else "-"
