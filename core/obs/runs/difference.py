"""Difference images of many data IDs, for commands and Python users alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from obs.coadds.difference import DifferenceSummary, difference_image
from obs.coadds.sky_maps import load_sky_map
from obs.config.layers import ConfigLayers
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.repo.made_with import recording
from obs.repo.rerun_settings import config_path
from obs.runs.record import RecordOptions, begin_output
from obs.runs.settings import camera_settings
from obs.tasks.difference.config import DifferenceConfig
from obs.visits.calibration import calibration_files

__all__ = ["difference_settings", "make_differences"]

_TASK = "difference"


def difference_settings(instrument: Instrument) -> ConfigLayers[DifferenceConfig]:
    """Return the settings of ``obs difference`` for a camera, to which layers can be added."""
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
        Keep differences that are newer than their image, its common calibration and all coadds, and were made with the
        same settings.
    processes, timeout, on_done, raise_errors
        As of `obs.executor.run.run`.

    Returns
    -------
    list of Outcome

    Raises
    ------
    DatasetNotFoundError
        If the repository has no sky map.
    """
    load_sky_map(butler)
    begin_output(butler, _TASK, config, RecordOptions(clobber=True))
    if skip_existing:
        newest = _newest_input(butler)
        data_ids = [data_id for data_id in data_ids if not _is_current(butler, data_id, newest, tract)]
    work = partial(_difference_one, butler=butler, config=config, tract=tract)
    return run(work, list(data_ids), processes=processes, timeout=timeout, on_done=on_done, raise_errors=raise_errors)


def _difference_one(
    data_id: Mapping[str, Any], butler: Butler, config: DifferenceConfig, tract: int | None
) -> DifferenceSummary:
    with recording(butler, "deepDiff_differenceExp", data_id, config.model_dump(mode="json")):
        return difference_image(butler, data_id, config, tract=tract)


def _newest_input(butler: Butler) -> int:
    """Return when the last of coadds and settings was written, ns."""
    kind = butler.mapper.dataset_type("deepCoadd")
    paths = [path for _, _, path in iterate_datasets(butler.roots, [kind])]
    paths.append(config_path(Path(str(butler.output)), _TASK))
    return max(path.stat().st_mtime_ns for path in paths)


def _is_current(butler: Butler, data_id: DataId, newest: int, tract: int | None) -> bool:
    """Return whether an image has a difference that is newer than all that it is made of."""
    if not butler.exists("deepDiff_differenceExp", data_id, write=True):
        return False
    made = butler.path("deepDiff_differenceExp", data_id, write=True).stat().st_mtime_ns
    inputs = [butler.path("calexp", data_id), *calibration_files(butler, data_id, tract=tract)]
    return made > max(newest, *(path.stat().st_mtime_ns for path in inputs))
