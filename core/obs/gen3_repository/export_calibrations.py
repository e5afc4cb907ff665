"""Write calibration frames with their validity into a third-generation repository."""

import warnings
from datetime import timedelta
from typing import Any

from astropy.time import Time
from erfa import ErfaWarning
from lsst.daf.butler import DatasetType, Timespan
from lsst.daf.butler._collection_type import CollectionType

from obs.gen3_repository.export_raws import filter_there
from obs.gen3_repository.formatter import ImageFormatter
from obs.gen3_repository.target import Target
from obs.ingest.calib_store import Calibration, CalibStore
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler

__all__ = ["export_calibrations"]

_CALIBRATIONS = {**dict.fromkeys(("bias", "dark", "flat", "fringe", "sky"), "ExposureF"), "defects": "Defects"}


def export_calibrations(butler: Butler, target: Target) -> None:
    """Write the calibrations of our repository into the other.

    Parameters
    ----------
    butler : Butler
        Butler of our repository.
    target : Target
        The other repository. Types that it has no place for are counted in its report.
    """
    store = CalibStore(butler, read_only=True)
    for name in store.types:
        found = store.find(name)
        if name not in _CALIBRATIONS:
            target.report.left |= {name: len(found)} if found else {}
        elif there := [known for known in found if known.path is not None]:
            _calibration_type(butler, target, name, there)


def _calibration_type(butler: Butler, target: Target, name: str, found: list[Calibration]) -> None:
    filtered = any("filter" in known.data_id for known in found)
    dimensions = ("instrument", "detector", "physical_filter") if filtered else ("instrument", "detector")
    kind = target.dataset_type(name, dimensions, _CALIBRATIONS[name], calibration=True)
    collection = f"{target.name}/calib"
    target.there.registry.registerCollection(collection, CollectionType.CALIBRATION)
    for known in found:
        with target.attempt(f"{name} {format_data_id(known.data_id)}"):
            _calibration(butler, target, kind, collection, known)


def _calibration(butler: Butler, target: Target, kind: DatasetType, collection: str, known: Calibration) -> None:
    instrument = butler.instrument
    keys: dict[str, Any] = {"instrument": target.name, "detector": instrument.find_detector(known.data_id).id}
    if "physical_filter" in kind.dimensions:
        keys["physical_filter"] = filter_there(instrument, str(known.data_id.get("filter") or ""), target)
    ref = target.new(kind, f"{target.name}/calib/{known.data_id['calibDate']}", **keys)
    if ref is None or known.path is None:
        return
    target.ingest({known.path: [ref]}, ImageFormatter)
    with warnings.catch_warnings():
        # leap seconds of years to come, to which defects are valid, are not known
        warnings.simplefilter("ignore", ErfaWarning)
        begin = Time(known.valid_start, scale="utc").tai
        end = Time(known.valid_end, scale="utc").tai + timedelta(days=1)  # the last day is valid to its end
    target.there.registry.certify(collection, [ref], Timespan(begin, end))
