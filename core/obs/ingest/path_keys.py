"""Keys of a data ID that only the path of a raw file gives: cameras name files after what headers leave out."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obs.policy.data_id import DataId
from obs.policy.dataset_type import Template, split_hdu

__all__ = ["keys_of_path"]

_ENDING = re.compile(r"\.(fits?|fts)(\.(gz|fz|bz2))?$", re.IGNORECASE)


def keys_of_path(template: str, path: Path, row: Mapping[str, Any]) -> DataId:
    """Return the keys that the end of a path gives by the template of raw files.

    The file may be in the template's folders or, with fewer keys, by its name alone anywhere. Its ending does not
    matter.

    Parameters
    ----------
    template : str
        Template of the raw dataset type.
    path : Path
        The file.
    row : mapping
        What the header gives. If the path gives another value for one of its keys, the path counts for nothing.

    Returns
    -------
    dict
        Keys that `row` does not give; empty if the path does not fit.
    """
    folders = _ENDING.sub("", split_hdu(template)[0]).split("/")
    parts = _ENDING.sub("", str(path.absolute())).split("/")
    for count in (len(folders), 1):
        found = Template("/".join(folders[-count:])).parse("/".join(parts[-count:]))
        if found is None:
            continue
        if any(row.get(key) is not None and str(row[key]).strip() != str(value) for key, value in found.items()):
            continue
        return {key: value for key, value in found.items() if row.get(key) is None}
    return {}
