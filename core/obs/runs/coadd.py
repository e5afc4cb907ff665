"""Make coadds of many patches."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from obs.coadds.coadd import CoaddSummary, check_sky_map, coadd_patch, is_current
from obs.coadds.config import CoaddConfig
from obs.coadds.frames import Frame, describe_failed, find_frames
from obs.coadds.inputs import overlaps, patches_near
from obs.coadds.select import check_condition
from obs.coadds.sky_maps import load_sky_map
from obs.config.layers import ConfigLayers
from obs.errors import DataIdError, DatasetNotFoundError
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.geom import Box
from obs.instrument.instrument import Instrument
from obs.instrument.settings import camera_settings
from obs.memory import keep_freed_memory
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.made_with import recording
from obs.runs.record import RecordOptions, begin_output
from obs.shell_command import shell_command
from obs.visits.changed_images import warn_of_changed_images

__all__ = ["CoaddJob", "coadd_jobs", "coadd_settings", "make_coadds"]

_LOG = logging.getLogger(__name__)
_TASK = "coadd"
#: Pixels by which an exposure must reach into the border that a patch shares with its neighbors.
_SLIVER = 8
_KEYS = {"tract": int, "patch": str, "filter": str}

#: Data ID of a coadd and the exposures that it is made of.
CoaddJob = tuple[DataId, list[Frame]]


def coadd_settings(instrument: Instrument) -> ConfigLayers[CoaddConfig]:
    """Return the settings of ``obs coadd`` for a camera, to which layers can be added.

    Parameters
    ----------
    instrument : Instrument
        Camera whose own settings are the first layer.
    """
    return camera_settings(instrument, _TASK, CoaddConfig)


def coadd_jobs(
    butler: Butler, wanted: Sequence[Mapping[str, Any]], frames_wanted: Sequence[Mapping[str, Any]] = ()
) -> list[CoaddJob]:
    """Return the coadds that are asked for and the exposures of each.

    Parameters
    ----------
    butler : Butler
        The repository.
    wanted : sequence of mapping
        Data IDs with any of tract, patch and filter; what is left out stands for all that exposures reach.
    frames_wanted : sequence of mapping, optional
        Data IDs of exposures; none means all.

    Raises
    ------
    DatasetNotFoundError
        If the repository has no sky map or no exposure.
    DataIdError
        If a tract or a patch does not exist, or no exposure reaches it.
    """
    sky_map = load_sky_map(butler)
    frames = find_frames(butler, frames_wanted)
    if not frames:
        advice = f"{shell_command('obs', 'ls', butler.roots[0], 'calexp')} lists them"
        raise DatasetNotFoundError(
            f"{butler.roots[0]} has no calibrated exposure that fits; {advice}", dataset_type="calexp"
        )
    if failed := describe_failed(butler, frames_wanted):
        _LOG.warning("%s; they are not in the coadds", failed)
    by_filter: dict[str, list[Frame]] = {}
    for frame in frames:
        by_filter.setdefault(_filter_of(butler, frame), []).append(frame)
    jobs: dict[tuple[int, str, str], CoaddJob] = {}
    for one in wanted or [{}]:
        found = 0
        for name, group in sorted(by_filter.items()):
            if one.get("filter", name) != name:
                continue
            for number in _tracts(sky_map, group, one):
                tract = sky_map.tract(number)
                patches = [tract.patch(str(one["patch"]))] if "patch" in one else patches_near(group, tract)
                for patch in patches:
                    reaching = [frame for frame in group if overlaps(frame, tract, patch.outer_box)]
                    # a sliver that the kernel takes is no reason to make a patch, but to say so where it is asked for
                    margin = 0 if "patch" in one else min(_SLIVER, tract.border)
                    inside = _shrunken(patch.outer_box, margin)
                    if any(overlaps(frame, tract, inside) for frame in reaching):
                        data_id: DataId = {"tract": number, "patch": patch.name, "filter": name}
                        jobs.setdefault((number, patch.name, name), (data_id, reaching))
                        found += 1
        if not found:
            text = " ".join(f"{key}={value}" for key, value in one.items()) or "any patch"
            raise DataIdError(
                f"no exposure of the filters {', '.join(sorted(by_filter))} reaches {text}; obs skymap show lists the "
                "patches that are covered"
            )
    return list(jobs.values())


def _shrunken(box: Box, margin: int) -> Box:
    return Box(box.x_min + margin, box.y_min + margin, box.width - 2 * margin, box.height - 2 * margin)


def _tracts(sky_map: Any, frames: Sequence[Frame], wanted: Mapping[str, Any]) -> list[int]:  # noqa: ANN401
    if "tract" in wanted:
        return [sky_map.tract(int(wanted["tract"])).number]
    numbers = set()
    for frame in frames:
        outline = frame.outline()
        numbers |= {tract.number for tract in sky_map.tracts_with(ra=outline[:, 0], dec=outline[:, 1])}
    return sorted(numbers)


def _filter_of(butler: Butler, frame: Frame) -> str:
    if "filter" in frame.data_id:
        return str(frame.data_id["filter"])
    try:
        return str(butler.get("calexp_filter", frame.data_id))
    except DatasetNotFoundError:
        return "unknown"


def make_coadds(
    butler: Butler,
    config: CoaddConfig,
    jobs: Sequence[CoaddJob],
    *,
    skip_existing: bool = False,
    clobber_config: bool = False,
    processes: int = 1,
    timeout: float | None = None,
    on_done: Callable[[Outcome[CoaddSummary]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[CoaddSummary]]:
    """Make coadds; one that fails does not stop the others.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    config : CoaddConfig
        Settings.
    jobs : sequence of CoaddJob
        What to make, from `coadd_jobs`.
    skip_existing : bool, optional
        Keep coadds that were made of the same exposures, with the same calibrations and the same settings.
    clobber_config : bool, optional
        Let settings differ from those recorded in the output.
    processes : int, default: 1
        Number of processes that work at the same time.
    timeout : float, optional
        Time limit for each data ID, seconds.
    on_done : callable, optional
        Called in this process with every outcome as soon as it is known.
    raise_errors : bool, default: False
        Whether the first exception is raised instead of recorded. Then everything runs in this process.

    Raises
    ------
    OutputError
        If the output has coadds on another sky map, or was made with other settings.
    ConfigError
        If the condition for exposures cannot be read, or names what there is not.
    """
    check_sky_map(butler)
    if jobs:
        check_condition(butler, jobs[0][1][0], config.select)
    begin_output(butler, _TASK, config, RecordOptions(clobber=clobber_config))
    todo = [job for job in jobs if not (skip_existing and is_current(butler, *job, config))]
    if skip_existing:
        _LOG.info("%d of %d coadds are there and stay", len(jobs) - len(todo), len(jobs))
    used = {frame.name: frame.data_id for _, frames in todo for frame in frames}
    warn_of_changed_images(butler, list(used.values()), use_common=config.use_common_calibration)
    frames = {_key(data_id): frames for data_id, frames in todo}
    return run(
        partial(_coadd_one, butler=butler, config=config, frames=frames),
        [data_id for data_id, _ in todo],
        processes=processes,
        timeout=timeout,
        on_done=on_done,
        raise_errors=raise_errors,
    )


def _key(data_id: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(data_id[key] for key in _KEYS)


def _coadd_one(
    data_id: Mapping[str, Any], /, butler: Butler, config: CoaddConfig, frames: Mapping[tuple[Any, ...], list[Frame]]
) -> CoaddSummary:
    keep_freed_memory()
    with recording(butler, "deepCoadd", data_id, config.model_dump(mode="json")):
        return coadd_patch(butler, data_id, frames[_key(data_id)], config)
