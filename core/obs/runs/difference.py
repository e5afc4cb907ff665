"""Difference images of many data IDs, for commands and Python users alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from obs.coadds.difference import DifferenceSummary, difference_image
from obs.coadds.sky_maps import load_sky_map
from obs.config.layers import ConfigLayers
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.made_with import recording
from obs.runs.record import RecordOptions, begin_output
from obs.runs.settings import camera_settings
from obs.tasks.difference.config import DifferenceConfig

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
    work = partial(_difference_one, butler=butler, config=config, tract=tract)
    return run(work, list(data_ids), processes=processes, timeout=timeout, on_done=on_done, raise_errors=raise_errors)


def _difference_one(
    data_id: Mapping[str, Any], butler: Butler, config: DifferenceConfig, tract: int | None
) -> DifferenceSummary:
    with recording(butler, "deepDiff_differenceExp", data_id, config.model_dump(mode="json")):
        return difference_image(butler, data_id, config, tract=tract)
