"""Difference images of many data IDs, for commands and Python users alike."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from obs.coadds.coadd import check_sky_map
from obs.coadds.difference import DifferenceSummary, difference_image, image_filter
from obs.coadds.frames import Frame
from obs.coadds.template import template_coadds
from obs.config.layers import ConfigLayers
from obs.errors import ObsError
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.instrument.instrument import Instrument
from obs.instrument.settings import camera_settings
from obs.memory import keep_freed_memory
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.made_with import find_input, find_record, is_unchanged, recording
from obs.runs.record import RecordOptions, begin_output
from obs.tasks.difference.config import DifferenceConfig
from obs.visits.calibration import CALIBRATION_SOURCES, best_calibration, calibration_files
from obs.visits.changed_images import warn_of_changed_images

__all__ = ["difference_settings", "make_differences"]

_TASK = "difference"
_MAIN = "deepDiff_differenceExp"
#: Inputs of which there may be others now than when a difference was made.
_COMPARED = {"deepCoadd_inputs", *(name for kinds in CALIBRATION_SOURCES for name in kinds)}


def difference_settings(instrument: Instrument) -> ConfigLayers[DifferenceConfig]:
    """Return the settings of ``obs difference`` for a camera, to which layers can be added.

    Parameters
    ----------
    instrument : Instrument
        Camera whose own settings are the first layer.
    """
    return camera_settings(instrument, _TASK, DifferenceConfig)


def make_differences(
    butler: Butler,
    data_ids: Sequence[DataId],
    config: DifferenceConfig,
    *,
    tract: int | None = None,
    skip_existing: bool = False,
    processes: int = 1,
    timeout: float | None = None,
    on_done: Callable[[Outcome[DifferenceSummary]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[DifferenceSummary]]:
    """Subtract the coadd from images, and write what is left and the sources on it.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    data_ids : sequence of dict
        The images.
    config : DifferenceConfig
        Settings.
    tract : int, optional
        Tract of the coadd and of the common calibration; by default the first with a coadd of the image.
    skip_existing : bool, optional
        Keep differences that were made by this version with the same settings from the same image, common calibration
        and coadds.
    processes : int, default: 1
        Number of processes that work at the same time.
    timeout : float, optional
        Time limit for each data ID, seconds.
    on_done : callable, optional
        Called in this process with every outcome as soon as it is known.
    raise_errors : bool, default: False
        Whether the first exception is raised instead of recorded. Then everything runs in this process.

    Returns
    -------
    list of Outcome

    Raises
    ------
    DatasetNotFoundError
        If the repository has no sky map.
    OutputError
        If its coadds were made with another one.
    """
    check_sky_map(butler)
    begin_output(butler, _TASK, config, RecordOptions(clobber=True))
    if skip_existing:
        data_ids = [data_id for data_id in data_ids if not _is_current(butler, data_id, config, tract)]
    warn_of_changed_images(butler, data_ids, tract=tract, use_common=config.use_common_calibration)
    work = partial(_difference_one, butler=butler, config=config, tract=tract)
    return run(work, list(data_ids), processes=processes, timeout=timeout, on_done=on_done, raise_errors=raise_errors)


def _difference_one(
    data_id: Mapping[str, Any], butler: Butler, config: DifferenceConfig, tract: int | None
) -> DifferenceSummary:
    keep_freed_memory()
    with recording(butler, _MAIN, data_id, config.model_dump(mode="json")):
        return difference_image(butler, data_id, config, tract=tract)


def _is_current(butler: Butler, data_id: DataId, config: DifferenceConfig, tract: int | None) -> bool:
    """Return whether an image has a difference that was made of the same files with the same settings."""
    if not butler.exists(_MAIN, data_id, write=True):
        return False
    try:
        found = find_record(butler, _MAIN, data_id)
        wanted = _inputs_wanted(butler, data_id, config, tract)
    except ObsError:
        return False  # the run says what is wrong
    items = () if found is None else found[0].inputs
    read = {str(find_input(butler, item)) for item in items if item.dataset_type in _COMPARED}
    return read == wanted and is_unchanged(butler, _MAIN, data_id, config.model_dump(mode="json"))


def _inputs_wanted(butler: Butler, data_id: DataId, config: DifferenceConfig, tract: int | None) -> set[str]:
    """Return the files of the common calibration and of the coadds that a difference made now would read."""
    use_common = config.use_common_calibration
    calibration = best_calibration(butler, data_id, tract=tract, use_common=use_common)
    if calibration.wcs is None:
        return set()
    frame = Frame(dict(data_id), calibration.wcs, butler.get("calexp_bbox", data_id).shape)
    coadds = template_coadds(butler, frame, image_filter(butler, data_id), tract)
    paths = [butler.path("deepCoadd_inputs", coadd) for coadd in coadds]
    if use_common:
        paths += calibration_files(butler, data_id, tract=tract)
    return {os.path.abspath(path) for path in paths}
