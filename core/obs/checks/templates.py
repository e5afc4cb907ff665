"""Whether the path of a dataset tells its data ID again.

Where it does not, two datasets may have one path, and the second overwrites the first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import PurePosixPath
from typing import Any

from obs.errors import place
from obs.instrument.instrument import Instrument
from obs.policy.data_id import format_data_id
from obs.policy.dataset_type import DatasetType
from obs.policy.policy import Policy

__all__ = ["sample_data_ids", "template_faults"]

_WIDTH = re.compile(r"%\((\w+)\)[-#0 +]*(\d+)")
_DATES = ("2020-09-04", "1998-12-31")
_PATCHES = ("0,0", "12,3")
_COUNT = 4


def template_faults(instrument: Instrument, policy: Policy) -> Iterator[str]:
    """Try every template with keys on a handful of data IDs, always the same ones.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    policy : Policy
        Its policy.

    Yields
    ------
    str
        File and line of the dataset type, and the two data IDs that disagree.
    """
    raw = policy.dataset_types.get(instrument.raw_dataset_type)
    of_raw = [] if raw is None else list(islice(_faults(instrument, raw), 1))
    yield from of_raw
    stem = str(PurePosixPath(raw.template or "").with_suffix("")) if raw is not None and of_raw else ""
    for kind in policy.dataset_types.values():
        # what is called after raw has the fault of raw
        if kind is not raw and kind.keys and not (stem and stem in (kind.template or "")):
            yield from islice(_faults(instrument, kind), 1)


def _faults(instrument: Instrument, kind: DatasetType) -> Iterator[str]:
    where = f"{place(kind.path, kind.line)}the template of '{kind.name}', {kind.template}, "
    for data_id in sample_data_ids(instrument, kind):
        path = kind.format(data_id)
        found = kind.parse(path)
        if found is None:
            yield f"{where}gives '{path}', which is not read back: put a character between its keys"
        elif found != data_id:
            yield (
                f"{where}gives '{path}' for {format_data_id(data_id)} and for {format_data_id(found)}: put a character "
                "between its keys"
            )


def sample_data_ids(instrument: Instrument, kind: DatasetType) -> list[dict[str, Any]]:
    """Return data IDs with the keys of a template: filters and detectors of the camera, small and large numbers.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    kind : DatasetType
        Dataset type whose template is tested.
    """
    chips = _detector_keys(instrument)
    filters = [known.physical_filter for known in instrument.filters] or ["none"]
    widths = {key: int(width) for key, width in _WIDTH.findall(kind.template or "")}
    values: dict[str, Sequence[Any]] = {}
    for key, type_ in kind.keys.items():
        if key == "filter" or key == "physical_filter":
            values[key] = filters
        elif key == "patch":
            values[key] = _PATCHES
        elif type_ is str:
            values[key] = _DATES if "date" in key.lower() or key == "taiObs" else ("abc", "X1")
        else:
            # with as many digits as the template has room for, and with fewer
            digits = widths.get(key) or 4
            values[key] = [type_("1234567890"[: min(digits, length)]) for length in (1, 2, digits, 3)]
    names = list(values)
    rows = islice(zip(*(cycle(values[name]) for name in names), strict=False), _COUNT)
    chosen = zip(rows, cycle(chips), strict=False)
    return [
        dict(zip(names, row, strict=True)) | {key: chip[key] for key in names if key in chip} for row, chip in chosen
    ]


def _detector_keys(instrument: Instrument) -> list[Mapping[str, Any]]:
    """Return the keys that name the first and the last detectors."""
    detectors = instrument.load_camera().detectors
    return [instrument.detector_keys(detector) for detector in (*detectors[:2], detectors[-1])]
