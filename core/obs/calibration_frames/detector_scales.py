"""Levels of detectors relative to one another, which flats and frames of the sky keep."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from obs.algorithms.combine.frames import separate_scales
from obs.calibration_frames.summary import BuildSummary
from obs.errors import OutputError
from obs.ingest.calib_jobs import BuildJob
from obs.policy.data_id import format_data_id
from obs.repo.fits_exposure import read_exposure
from obs.repo.fits_exposure_header import read_exposure_header
from obs.repo.formatters import write_dataset
from obs.tasks.calibration_recipes import RECIPES

__all__ = ["detector_scales", "rescale_calibration"]

_DATE = "calibDate"
_SCALE = "CALIB_SCALE"


def detector_scales(
    jobs: Sequence[BuildJob], summaries: Mapping[str, BuildSummary], kept: Mapping[str, Path]
) -> dict[str, float]:
    """Return the levels of detectors relative to one another, from all exposures that they have in common.

    Parameters
    ----------
    jobs : sequence of BuildJob
        What was made, and what was there before.
    summaries : mapping of str to BuildSummary
        What became of it, by the data ID as text.
    kept : mapping of str to Path
        Files of those that were there before, which keep the scale that their headers record. The others get theirs
        relative to them.

    Returns
    -------
    dict of str to float
        Factor for each calibration frame that was made, by its data ID as text; their mean is 1 for each filter if
        none was kept. Only of those types that keep it.
    """
    headers = {name: read_exposure_header(path) for name, path in kept.items()}
    used = {name: summary.levels for name, summary in summaries.items()}
    used |= {name: _recorded_levels(header) for name, header in headers.items()}
    groups: dict[Any, list[BuildJob]] = {}
    for job in jobs:
        if RECIPES[job.name].keep_detector_scale and format_data_id(job.data_id) in used:
            groups.setdefault((job.name, job.data_id.get("filter"), job.data_id[_DATE]), []).append(job)
    scales: dict[str, float] = {}
    for group in groups.values():
        names = [format_data_id(job.data_id) for job in group]
        if len(group) == 1:
            scales |= {name: 1.0 for name in names if name not in kept}
            continue
        # What all detectors of an exposure share is what is left of its data ID without what tells them apart.
        own = [key for key in group[0].data_id if len({job.data_id[key] for job in group}) > 1]
        levels: dict[str, dict[str, float]] = {}
        for name, job in zip(names, group, strict=True):
            for data_id in job.inputs:
                level = used[name].get(format_data_id(data_id))
                if level is not None:
                    visit = format_data_id({key: value for key, value in data_id.items() if key not in own})
                    levels.setdefault(visit, {})[name] = level
        matrix = np.array([[row.get(name, np.nan) for name in names] for row in levels.values()])
        found = dict(zip(names, separate_scales(matrix)[1].tolist(), strict=True))
        ratios = [float(headers[name].get(_SCALE, 1.0)) / found[name] for name in names if name in kept]
        common = float(np.mean(ratios)) if ratios else 1.0
        scales |= {name: scale * common for name, scale in found.items() if name not in kept}
    return scales


def _recorded_levels(header: Mapping[str, Any]) -> dict[str, float]:
    """Return the level of each input of a calibration frame, as its header records them."""
    return {
        str(header[f"CALIB_INPUT_{number}"]): float(header[f"CALIB_LEVEL_{number}"])
        for number in range(int(header.get("CALIB_NINPUT", 0)))
        if f"CALIB_LEVEL_{number}" in header and f"CALIB_INPUT_{number}" in header
    }


def rescale_calibration(data_id: Mapping[str, Any], *, paths: Mapping[str, Path], scales: Mapping[str, float]) -> None:
    """Multiply a calibration frame by its detector's scale.

    Parameters
    ----------
    data_id : mapping
        Data ID of the calibration frame.
    paths : mapping of str to Path
        Data ID as text to file; the file is replaced.
    scales : mapping of str to float
        Data ID as text to factor.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    name = format_data_id(data_id)
    scale = scales[name]
    if not np.isfinite(scale):
        raise OutputError(f"{paths[name]}: its level relative to the other detectors is not known", path=paths[name])
    exposure = read_exposure(paths[name])
    exposure.masked_image.image *= np.float32(scale)
    exposure.masked_image.variance *= np.float32(scale**2)
    exposure.metadata[_SCALE] = scale
    write_dataset("", exposure, paths[name])
