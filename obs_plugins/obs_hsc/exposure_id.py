"""Number the exposures of the camera's detectors."""

from collections.abc import Mapping
from typing import Any

from obs.errors import DataIdError

__all__ = ["BITS", "exposure_id"]

BITS = 32
_DETECTORS = 200


def exposure_id(data_id: Mapping[str, Any]) -> int:
    """Return ``visit * 200 + ccd``, as in LSST's obs_subaru.

    Parameters
    ----------
    data_id : mapping
        With ``visit`` and ``ccd``.

    Returns
    -------
    int
        Less than 2^32.

    Raises
    ------
    DataIdError
        If a key is missing, or the detector is not from 0 to 199.
    """
    for key in ("visit", "ccd"):
        if key not in data_id:
            raise DataIdError(f"the number of an exposure needs the key '{key}'", data_id=data_id, key=key)
    visit, ccd = int(data_id["visit"]), int(data_id["ccd"])
    if not 0 <= ccd < _DETECTORS:
        raise DataIdError(f"ccd={ccd} is not from 0 to {_DETECTORS - 1}", data_id=data_id, key="ccd")
    return visit * _DETECTORS + ccd
