"""Forced photometry on many images, for commands and Python users alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from obs.config.layers import ConfigLayers
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.image.catalog import Catalog
from obs.instrument.instrument import Instrument
from obs.instrument.settings import camera_settings
from obs.memory import keep_freed_memory
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.input_files import InputFile
from obs.repo.made_with import recording
from obs.runs.record import RecordOptions, begin_output
from obs.tasks.forced.config import ForcedConfig
from obs.visits.forced import force_image

__all__ = ["forced_settings", "measure_images"]

_TASK = "forced"


def forced_settings(instrument: Instrument) -> ConfigLayers[ForcedConfig]:
    """Return the settings of ``obs forced`` for a camera, to which layers can be added."""
    return camera_settings(instrument, _TASK, ForcedConfig)


def measure_images(
    butler: Butler,
    data_ids: Sequence[DataId],
    targets: Catalog,
    config: ForcedConfig,
    *,
    tract: int | None = None,
    sources: Sequence[InputFile] = (),
    processes: int = 1,
    timeout: float | None = None,
    on_done: Callable[[Outcome[tuple[int, str]]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[tuple[int, str]]]:
    """Measure fluxes at positions on images, and write ``forced_src``.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    data_ids : sequence of dict
        The images.
    targets : Catalog
        ``objectId``, ``coord_ra``, ``coord_dec`` (degrees).
    config : ForcedConfig
        Settings.
    tract : int, optional
        Tract of the results, 0 by default, and of the common calibration, by default the lowest that has one.
    sources : sequence of InputFile, optional
        Files that the positions were read from, for the record.
    processes, timeout, on_done, raise_errors
        As of `obs.executor.run.run`.

    Returns
    -------
    list of Outcome
        With the number of positions on each image, and the calibration that was used.
    """
    begin_output(butler, _TASK, config, RecordOptions(clobber=True))
    work = partial(_measure_image, butler=butler, targets=targets, config=config, tract=tract, sources=sources)
    return run(work, list(data_ids), processes=processes, timeout=timeout, on_done=on_done, raise_errors=raise_errors)


def _measure_image(
    data_id: Mapping[str, Any],
    butler: Butler,
    targets: Catalog,
    config: ForcedConfig,
    tract: int | None,
    sources: Sequence[InputFile],
) -> tuple[int, str]:
    keep_freed_memory()
    whole = {**data_id, "tract": tract or 0}
    with recording(butler, "forced_src", whole, config.model_dump(mode="json"), also=sources):
        found = force_image(butler, data_id, targets, config, tract=tract)
        if len(found.catalog):
            butler.put(found.catalog, "forced_src", whole)
    return len(found.catalog), str(found.calibration)
