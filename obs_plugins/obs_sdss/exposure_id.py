"""Number the frames of the survey."""

from collections.abc import Mapping
from typing import Any

from obs.errors import DataIdError

__all__ = ["BITS", "exposure_id"]

BITS = 38
_LIMITS = {"run": (0, 2**BITS // 1_000_000 - 1), "camcol": (1, 6), "field": (0, 9999)}
_FILTERS = "ugriz"


def exposure_id(data_id: Mapping[str, Any]) -> int:
    """Return the number of a frame: run, filter, camcol and field as decimal digits, ``RRRRRRFCffff``.

    Parameters
    ----------
    data_id : mapping
        With ``run``, ``camcol``, ``field`` and ``filter``.

    Returns
    -------
    int
        Less than 2^38. Source ids are this number times 2^26 plus a counter.

    Raises
    ------
    DataIdError
        If a key is missing or out of the range that has digits.
    """
    for key in (*_LIMITS, "filter"):
        if key not in data_id:
            raise DataIdError(f"the number of a frame needs the key '{key}'", data_id=data_id, key=key)
    for key, (least, most) in _LIMITS.items():
        if not least <= int(data_id[key]) <= most:
            raise DataIdError(f"{key}={data_id[key]} is not from {least} to {most}", data_id=data_id, key=key)
    name = str(data_id["filter"])
    if len(name) != 1 or name not in _FILTERS:
        raise DataIdError(f"filter={name} is none of {', '.join(_FILTERS)}", data_id=data_id, key="filter")
    run, camcol, field = (int(data_id[key]) for key in _LIMITS)
    return ((run * 10 + _FILTERS.index(name)) * 10 + camcol) * 10000 + field
