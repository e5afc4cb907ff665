"""Datasets that need no file, because the camera knows them: its detectors, and the numbers of exposures and coadds."""

from collections.abc import Callable, Mapping
from typing import Any

from obs.errors import DatasetNotFoundError
from obs.instrument.coadd_packer import CoaddPacker
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId

__all__ = ["CAMERA_DATASETS", "read_camera_dataset"]

#: Dataset types whose value says whether the filter counts for the number of a coadd.
_COADD_IDS = {
    "deepCoaddId": True,
    "deepMergedCoaddId": False,
    "goodSeeingCoaddId": True,
    "goodSeeingMergedCoaddId": False,
    "chiSquaredCoaddId": False,
}
#: All of them; ``_bits`` says how many bits a number needs, ``expIdInfo`` both.
CAMERA_DATASETS = frozenset(
    {"camera", "ccdExposureId", "ccdExposureId_bits", "expIdInfo", "skypolicy"}
    | {f"{name}{suffix}" for name in _COADD_IDS for suffix in ("", "_bits")}
)


def read_camera_dataset(
    name: str, data_id: DataId, instrument: Instrument, complete_raw: Callable[[Mapping[str, Any]], DataId]
) -> object:
    """Return the value of one of `CAMERA_DATASETS`.

    Parameters
    ----------
    name : str
        The dataset type.
    data_id : dict
        Key to value.
    instrument : Instrument
        The camera.
    complete_raw : callable
        From a data ID to one with all keys that number an exposure.

    Raises
    ------
    DatasetNotFoundError
        If it means nothing here.
    DataIdError
        If a key is missing, or a value has no room in the number.
    """
    if name == "camera":
        return instrument.load_camera()
    if name == "skypolicy":
        raise DatasetNotFoundError(
            "skypolicy, the sky tiles of old policies, means nothing here: use deepCoadd_skyMap", dataset_type=name
        )
    if name == "ccdExposureId_bits":
        return instrument.exposure_id_bits
    kind, _, bits = name.partition("_")
    if kind in _COADD_IDS:
        packer = CoaddPacker(instrument)
        return packer.bits if bits else packer.number(data_id, has_filter=_COADD_IDS[kind])
    number = instrument.exposure_number(complete_raw(data_id))
    return (number, instrument.exposure_id_bits) if name == "expIdInfo" else number
