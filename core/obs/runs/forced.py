"""Forced photometry on many images, for commands and Python users alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from obs.config.layers import ConfigLayers
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.frozen import frozen
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
from obs.tasks.forced.measure import BLENDED
from obs.visits.changed_images import warn_of_changed_images
from obs.visits.constant_neighbors import Neighbors
from obs.visits.forced import force_image
from obs.visits.neighbors_of_table import find_neighbors_of_table

__all__ = ["ForcedSummary", "forced_settings", "measure_images"]

_TASK = "forced"


@frozen
class ForcedSummary:
    """What was measured on an image.

    Parameters
    ----------
    count : int
        Number of positions on it.
    blended : int
        Positions whose light another star shares, which nothing separates from them.
    calibration : str
        The calibration that was used.
    """

    count: int
    blended: int
    calibration: str


def forced_settings(instrument: Instrument) -> ConfigLayers[ForcedConfig]:
    """Return the settings of ``obs forced`` for a camera, to which layers can be added.

    Parameters
    ----------
    instrument : Instrument
        Camera whose own settings are the first layer.
    """
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
    on_done: Callable[[Outcome[ForcedSummary]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[ForcedSummary]]:
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
    """
    begin_output(butler, _TASK, config, RecordOptions(clobber=True))
    warn_of_changed_images(butler, data_ids, tract=tract)
    neighbors = find_neighbors_of_table(butler, data_ids, targets, config, tract=tract)
    work = partial(
        _measure_image,
        butler=butler,
        targets=targets,
        config=config,
        tract=tract,
        sources=sources,
        neighbors=neighbors,
    )
    return run(work, list(data_ids), processes=processes, timeout=timeout, on_done=on_done, raise_errors=raise_errors)


def _measure_image(
    data_id: Mapping[str, Any],
    butler: Butler,
    targets: Catalog,
    config: ForcedConfig,
    tract: int | None,
    sources: Sequence[InputFile],
    neighbors: Mapping[str, Neighbors],
) -> ForcedSummary:
    keep_freed_memory()
    beside = neighbors.get(str(butler.get("calexp_filter", data_id) or "")) if neighbors else None
    whole = {**data_id, "tract": tract or 0}
    with recording(butler, "forced_src", whole, config.model_dump(mode="json"), also=sources):
        found = force_image(butler, data_id, targets, config, tract=tract, neighbors=beside, catalog_first=True)
        if len(found.catalog):
            butler.put(found.catalog, "forced_src", whole)
    blended = int(np.count_nonzero(found.catalog[BLENDED])) if len(found.catalog) else 0
    return ForcedSummary(len(found.catalog), blended, str(found.calibration))
