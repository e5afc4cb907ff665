"""Which raw frames go into which calibration frame."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from obs.errors import DataIdError, DatasetNotFoundError
from obs.frozen import frozen
from obs.ingest.calib_store import CalibStore
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler

__all__ = ["BuildJob", "leave_out_other_types", "plan_calibrations", "usual_inputs"]

logger = logging.getLogger(__name__)

_DATE = "calibDate"
_DATE_COLUMNS = ("dateObs", "taiObs", "dayObs", "date")
#: Columns in which registries say what was observed, and how they call what a calibration is made from.
_TYPE_COLUMNS = ("dataType", "imageType", "image_type", "obsType", "obstype")
_TYPE_WORDS = {"bias": ("BIAS", "ZERO"), "dark": ("DARK",), "flat": ("FLAT",), "defects": ("DARK", "FLAT")}
_CALIBRATION_WORDS = ("BIAS", "ZERO", "DARK", "FLAT")

_SHORT = 10.0
"""Seconds of the longest darks that can stand in for biases."""


@frozen
class BuildJob:
    """One calibration frame to be made.

    Parameters
    ----------
    name : str
        Its type.
    data_id : dict
        Its data ID, as in the registry of calibrations.
    inputs : tuple of dict
        Data IDs of the raw frames.
    kinds : tuple of str
        What the registry says that each of them is, upper case; empty where it does not say.
    """

    name: str
    data_id: DataId
    inputs: tuple[DataId, ...]
    kinds: tuple[str, ...] = ()


def usual_inputs(butler: Butler, name: str) -> list[DataId]:
    """Return the data IDs that represent what a type of calibration is made from, as the registry calls it.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    name : str
        Type of the calibration, for example "bias".

    Raises
    ------
    DataIdError
        If the registry does not give.
    """
    raw = butler.instrument.raw_dataset_type
    column = next((column for column in _TYPE_COLUMNS if column in butler.id_keys(raw)), None)
    words = _TYPE_WORDS.get(name)
    if column is None or words is None:
        raise DataIdError(f"name the raw frames that the {name} is made from with --id")
    values = [value for value in butler.query_metadata(raw, column) if value is not None]
    found: list[DataId] = [{column: value} for value in values if _is_usual(name, str(value))]
    if not found:
        raise DataIdError(
            f"no raw frame has a {column} such as {' or '.join(words)} (there are: {', '.join(map(str, values))}); "
            f"{_stand_in(butler, name, column) or _way_on(name)}"
        )
    return found


def leave_out_other_types(butler: Butler, name: str, data_ids: Sequence[DataId]) -> list[DataId]:
    """Return data IDs that stand for those frames asked for that a type of calibration is usually made from.

    Where a type is asked for, or no frame has the usual one, all stay: somebody wants them.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    name : str
        Type of the calibration.
    data_ids : sequence of dict
        What was asked for.
    """
    raw = butler.instrument.raw_dataset_type
    column = next((column for column in _TYPE_COLUMNS if column in butler.id_keys(raw)), None)
    if column is None or any(column in data_id for data_id in data_ids):
        return list(data_ids)
    keys = list(butler.get_keys(raw))
    types = {
        tuple(row[:-1]): row[-1] for data_id in data_ids for row in butler.query_metadata(raw, [*keys, column], data_id)
    }
    values = set(types.values())
    usual = [value for value in sorted(values - {None}) if _is_usual(name, str(value))]
    if not usual or len(usual) == len(values):
        return list(data_ids)
    others = Counter(str(value) for value in types.values() if value not in usual)
    logger.warning(
        "%d frames are left out of the %s (%s); to use them: --id %s=%s",
        others.total(),
        name,
        ", ".join(f"{count} {value}" for value, count in sorted(others.items())),
        column,
        "^".join(map(str, sorted(values - {None}))),
    )
    return [{**data_id, column: value} for data_id in data_ids for value in usual]


def _is_usual(name: str, value: str) -> bool:
    """Return whether frames of a type are what a calibration is made from."""
    if (words := _TYPE_WORDS.get(name)) is not None:
        return any(word in value.upper() for word in words)
    return not any(word in value.upper() for word in _CALIBRATION_WORDS)


def _way_on(name: str) -> str:
    """Return what can be done where no raw frame says that a type of calibration is made from it."""
    without = "" if name == "defects" else f", or go on without a {name} by -c isr.do_{name}=false"
    return f"name the frames with --id{without}"


def _stand_in(butler: Butler, name: str, column: str) -> str:
    """Return how darks become the bias of a camera that takes none; empty where they do not.

    Short ones, such as dark flats, have next to no dark current. Those as long as exposures have just theirs, so that
    no dark is to be subtracted in addition; of a flat, it is much less than the bias.
    """
    raw = butler.instrument.raw_dataset_type
    if name != "bias" or "expTime" not in butler.id_keys(raw):
        return ""
    frames = [(row[1], str(row[0])) for row in butler.query_metadata(raw, [column, "expTime"]) if row[1] is not None]
    darks = [(seconds, kind) for seconds, kind in frames if "DARK" in kind.upper()]
    others = {seconds for seconds, kind in frames if not any(word in kind.upper() for word in _CALIBRATION_WORDS)}
    short = [dark for dark in darks if dark[0] <= _SHORT]
    equal = [dark for dark in darks if dark[0] in others]
    if not short and not equal:
        return ""
    seconds, kind = min(short or equal)
    advice = f"the darks of {seconds:g} s can stand in: --id {column}={kind} expTime={seconds:g}"
    if short:
        return advice
    return (
        f"{advice}, and since they hold the dark current of exposures of {seconds:g} s, go on with -c isr.do_dark=false"
    )


def plan_calibrations(
    butler: Butler,
    store: CalibStore,
    name: str,
    data_ids: Sequence[Mapping[str, Any]],
    *,
    override: Mapping[str, Any] | None = None,
) -> list[BuildJob]:
    """Sort raw frames by the calibration frame that they go into.

    Parameters
    ----------
    butler : Butler
        The repository.
    store : CalibStore
        Its calibrations.
    name : str
        Type of calibration.
    data_ids : sequence of mapping
        What the raw frames must be.
    override : mapping, optional
        Keys of the calibrations that are set by hand, such as ``calibDate``; else that is the mean of the inputs'.

    Raises
    ------
    DataIdError
        If there is no raw frame, naming the values that there are, or the registry does not give its date.
    DatasetNotFoundError
        If the camera has no such type of calibration.
    """
    if name not in store.types:
        raise DatasetNotFoundError(
            f"the camera '{butler.instrument.name}' has no place for a {name}: its policy has {', '.join(store.types)}",
            dataset_type=name,
        )
    raw = butler.instrument.raw_dataset_type
    fixed = dict(override or {})
    known = butler.id_keys(raw)
    identity = list(butler.get_keys(raw))
    group_keys = [key for key in store.types[name].keys if key != _DATE]
    if astray := [key for key in group_keys if key not in known and key not in fixed]:
        raise DataIdError(f"the registry does not give {', '.join(astray)} of a raw frame; set it with --calib-id")
    dates = next((column for column in _DATE_COLUMNS if column in known), None)
    if dates is None and _DATE not in fixed:
        raise DataIdError(f"the registry does not give the date of a raw frame; give --calib-id {_DATE}=YYYY-MM-DD")
    group_keys = [key for key in group_keys if key in known]
    kind = next((column for column in _TYPE_COLUMNS if column in known), None)
    columns = list(dict.fromkeys((*identity, *group_keys, *(column for column in (dates, kind) if column))))
    rows = {row for data_id in data_ids for row in butler.query_metadata(raw, columns, data_id)}
    if not rows:
        wanted = "; ".join(format_data_id(data_id) for data_id in data_ids) or "any data ID"
        problem = f"no raw frame in the registry for {wanted}"
        try:
            for data_id in data_ids:
                butler.check_data_id(raw, data_id)
        except DataIdError as error:
            raise DataIdError(f"{problem}: {error}") from None
        raise DataIdError(problem)
    frames = [dict(zip(columns, row, strict=True)) for row in sorted(rows, key=_sort_key)]
    groups: dict[tuple[Any, ...], list[DataId]] = {}
    for frame in frames:
        groups.setdefault(tuple(frame[key] for key in group_keys), []).append(frame)
    jobs = []
    for values, members in sorted(groups.items()):
        group: dict[str, Any] = dict(zip(group_keys, values, strict=True))
        if dates is not None:
            # All detectors share the date, also where one of them does not have a frame.
            alike = [
                frame[dates]
                for frame in frames
                if frame.get("filter") == members[0].get("filter") or "filter" not in group
            ]
            group[_DATE] = _mean_date([str(day) for day in alike])
        data_id = store.complete(name, group | fixed)
        inputs = tuple({key: frame[key] for key in identity} for frame in members)
        kinds = tuple(str(frame[kind] or "").upper() if kind else "" for frame in members)
        jobs.append(BuildJob(name, data_id, inputs, kinds))
    return jobs


def _sort_key(row: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    """Sort by all columns; what is not known comes last."""
    return [(value is None, 0 if value is None else value) for value in row]


def _mean_date(days: Sequence[str]) -> str:
    try:
        numbers = [date.fromisoformat(day[:10]).toordinal() for day in days]
    except ValueError as error:
        raise DataIdError(f"the registry contains an invalid date: {error}; give --calib-id {_DATE}=...") from None
    return date.fromordinal(round(sum(numbers) / len(numbers))).isoformat()
