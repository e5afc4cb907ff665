"""Make catalogs of the coadds of many patches, and one table of each tract."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from obs.coadds.catalog import CatalogSummary, catalog_patch
from obs.coadds.catalog_config import CoaddCatalogConfig
from obs.coadds.coadd import check_sky_map
from obs.coadds.object_table import object_table
from obs.coadds.sky_maps import coadd_roots, load_sky_map
from obs.config.earlier_names import EARLIER_PROCESS_NAMES
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import CATALOG_NAMES
from obs.errors import DatasetNotFoundError
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.instrument.instrument import Instrument
from obs.memory import keep_freed_memory
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.repo.made_with import find_input, find_record, is_unchanged, recording
from obs.runs.record import RecordOptions, begin_output
from obs.shell_command import shell_command

__all__ = ["catalog_jobs", "catalog_settings", "make_catalogs", "write_object_tables"]

_TASK = "coaddCatalog"
#: The dataset of a patch, and those of each of its filters.
_MAIN, _EACH = "deepCoadd_ref", ("deepCoadd_meas", "deepCoadd_forced_src")


def catalog_settings(instrument: Instrument) -> ConfigLayers[CoaddCatalogConfig]:
    """Return the settings of ``obs coadd-catalog`` for a camera: its own, over the section calibrate of `process`.

    Parameters
    ----------
    instrument : Instrument
        Camera whose own settings are the first layers.
    """
    layers = ConfigLayers(CoaddCatalogConfig, CATALOG_NAMES | EARLIER_PROCESS_NAMES)
    process = instrument.config_folder / "process.yaml"
    if process.is_file():
        layers.load(process, section="calibrate")
    layers.set_value("calibrate.detection.noise", "smoothed")
    own = instrument.config_folder / f"{_TASK}.yaml"
    if own.is_file():
        layers.load(own)
    return layers


def catalog_jobs(butler: Butler, wanted: Sequence[Mapping[str, Any]]) -> list[tuple[DataId, list[str]]]:
    """Return the patches that have coadds, and the filters of each.

    Parameters
    ----------
    butler : Butler
        The repository.
    wanted : sequence of mapping
        Data IDs with any of tract, patch and filter; none means all.

    Raises
    ------
    DatasetNotFoundError
        If there is no coadd that fits.
    """
    kind = butler.mapper.dataset_type("deepCoadd")
    found: dict[tuple[Any, Any], list[str]] = {}
    for _, data_id, _ in iterate_datasets(coadd_roots(butler), [kind], wanted):
        filters = found.setdefault((data_id["tract"], data_id["patch"]), [])
        if data_id["filter"] not in filters:
            filters.append(str(data_id["filter"]))
    if not found:
        command = shell_command("obs", "coadd", butler.roots[0])
        raise DatasetNotFoundError(
            f"{butler.roots[0]} has no coadd that fits; make them: {command}", dataset_type=kind.name
        )
    return [({"tract": tract, "patch": patch}, sorted(filters)) for (tract, patch), filters in sorted(found.items())]


def make_catalogs(
    butler: Butler,
    config: CoaddCatalogConfig,
    jobs: Sequence[tuple[DataId, list[str]]],
    *,
    skip_existing: bool = False,
    clobber_config: bool = False,
    processes: int = 1,
    timeout: float | None = None,
    on_done: Callable[[Outcome[CatalogSummary]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[CatalogSummary]]:
    """Make the catalogs of patches; one that fails does not stop the others.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    config : CoaddCatalogConfig
        Settings.
    jobs : sequence of tuple
        What `catalog_jobs` returned.
    skip_existing : bool, optional
        Keep catalogs that were made of the same coadds and catalogs of exposures with the same settings.
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
    """
    check_sky_map(butler)
    begin_output(butler, _TASK, config, RecordOptions(clobber=clobber_config))
    todo = [job for job in jobs if not (skip_existing and _is_current(butler, *job, config))]
    filters = {(data_id["tract"], data_id["patch"]): names for data_id, names in todo}
    return run(
        partial(_catalog_one, butler=butler, config=config, filters=filters),
        [data_id for data_id, _ in todo],
        processes=processes,
        timeout=timeout,
        on_done=on_done,
        raise_errors=raise_errors,
    )


def _catalog_one(
    data_id: Mapping[str, Any], /, butler: Butler, config: CoaddCatalogConfig, filters: Mapping[Any, list[str]]
) -> CatalogSummary:
    keep_freed_memory()
    names = filters[data_id["tract"], data_id["patch"]]
    with recording(butler, _MAIN, data_id, config.model_dump(mode="json")):
        return catalog_patch(butler, int(data_id["tract"]), str(data_id["patch"]), names, config)


def _is_current(butler: Butler, data_id: Mapping[str, Any], filters: Sequence[str], config: CoaddCatalogConfig) -> bool:
    """Return whether a patch has catalogs of these filters, made of the same files with the same settings."""
    catalogs = [butler.path(name, {**data_id, "filter": band}, write=True) for name in _EACH for band in filters]
    if not all(path.is_file() for path in (*catalogs, butler.path(_MAIN, data_id, write=True))):
        return False
    if not is_unchanged(butler, _MAIN, data_id, config.model_dump(mode="json")):
        return False
    found = find_record(butler, _MAIN, data_id)
    coadds = {os.path.abspath(butler.path("deepCoadd", {**data_id, "filter": band})) for band in filters}
    read = {
        str(find_input(butler, item))
        for item in (() if found is None else found[0].inputs)
        if item.dataset_type == "deepCoadd"
    }
    return read == coadds


def write_object_tables(butler: Butler, tracts: Sequence[int]) -> dict[int, int]:
    """Write one table of each tract, over all its patches, as Parquet and FITS; return the numbers of objects.

    Parameters
    ----------
    butler : Butler
        Butler with an output.
    tracts : sequence of int
        Numbers of the tracts.

    Returns
    -------
    dict of int to int
        Tract to number of objects. Nothing is written for a tract without objects.
    """
    sky_map = load_sky_map(butler)
    kind = butler.mapper.dataset_type("deepCoadd_forced_src")
    counts = {}
    for tract in tracts:
        found = [data_id for _, data_id, _ in iterate_datasets(coadd_roots(butler), [kind], [{"tract": tract}])]
        names = {str(data_id["filter"]) for data_id in found}
        there = {sky_map.tract(tract).patch(str(data_id["patch"])).index for data_id in found}
        patches = [f"{x},{y}" for x, y in sorted(there, key=lambda index: index[::-1])]
        with recording(butler, "objectTable", {"tract": tract}, {}):
            table = object_table(butler, tract, patches, sorted(names))
            if len(table):
                butler.put(table, "objectTable", tract=tract)
                butler.put(table, "objectCatalog", tract=tract)
        counts[tract] = len(table)
    return counts
