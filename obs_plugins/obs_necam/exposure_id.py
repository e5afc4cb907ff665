"""Number the exposures of the camera's detectors."""

from collections.abc import Mapping
from typing import Any

from obs.errors import DataIdError

__all__ = ["exposure_id"]

_DETECTORS = 64
"""Room for as many detectors in the number, though the camera has one."""


def exposure_id(data_id: Mapping[str, Any]) -> int:
    """Return ``visit * 64 + ccd``.

    Any function from a data ID to a number will do that gives each exposure of each detector its own, below 2 to the
    power of the instrument's ``exposure_id_bits``.

    Parameters
    ----------
    data_id : mapping
        With ``visit`` and ``ccd``.

    Returns
    -------
    int
        The number.

    Raises
    ------
    DataIdError
        If a key is missing, or the detector is not from 0 to 63.
    """
    for key in ("visit", "ccd"):
        if key not in data_id:
            raise DataIdError(f"the number of an exposure needs the key '{key}'", data_id=data_id, key=key)
    visit, ccd = int(data_id["visit"]), int(data_id["ccd"])
    if not 0 <= ccd < _DETECTORS:
        raise DataIdError(f"ccd={ccd} is not from 0 to {_DETECTORS - 1}", data_id=data_id, key="ccd")
    return visit * _DETECTORS + ccd
