"""Write a third-generation repository with what one of ours holds, through the real library's public interface."""

from pathlib import Path

from obs.gen3_repository.export_calibrations import export_calibrations
from obs.gen3_repository.export_raws import RawExport
from obs.gen3_repository.export_results import export_results
from obs.gen3_repository.places import SKY_MAP_RUN
from obs.gen3_repository.records import instrument_records
from obs.gen3_repository.target import Gen3Report, Target, open_target, write_faults
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets

__all__ = ["CLASS_PLACE", "export_gen3"]

#: Where the library finds the class of a camera; see `obs.gen3_repository.instruments`.
CLASS_PLACE = "obs.gen3_repository.instruments"


def export_gen3(butler: Butler, out: Path, *, transfer: str = "copy") -> Gen3Report:
    """Write cameras, exposures, visits and datasets of a repository into a third-generation one.

    Parameters
    ----------
    butler : Butler
        Our repository; its results are exported too, if it is an output of processing.
    out : Path
        Folder of the third-generation repository, made if need be; another export into it adds what it lacks.
    transfer : str, default: "copy"
        How files get there: ``copy``, ``symlink``, ``hardlink`` or ``direct`` (they stay, and are named by their path).

    Returns
    -------
    Gen3Report

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    """
    with write_faults(out):
        return _export(butler, out, transfer)


def _export(butler: Butler, out: Path, transfer: str) -> Gen3Report:
    name = butler.instrument.name
    target = Target(open_target(out), name, transfer)
    target.insert(instrument_records(butler.instrument, f"{CLASS_PLACE}.{name}"))
    raws = RawExport(butler, target)
    raws.run()
    if butler.output is not None or butler.root != butler.roots[-1]:
        export_results(butler, target, raws)
    export_calibrations(butler, target)
    shards = find_datasets(butler.roots, [butler.policy.dataset_types["ref_cat"]]).get("ref_cat", {})
    n_shard = sum(path.stem.isdecimal() for path in shards.values())
    target.report.left |= {"ref_cat": n_shard} if n_shard else {}
    target.chain(f"{name}/defaults", (f"{name}/raw/all", f"{name}/calib", SKY_MAP_RUN))
    return target.report
