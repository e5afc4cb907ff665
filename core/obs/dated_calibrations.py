"""Crosstalk and linearity of a raw frame: of the repository, else of the camera package's tables for its day."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from obs.algorithms.detector.linearity import Linearity
from obs.camera.dated_tables import TableKind, find_dated_tables, read_crosstalk, read_linearity, table_of
from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.input_files import note_input
from obs.tasks.isr_config import IsrConfig

__all__ = ["locate_tables", "read_tables"]

_DAYS = ("dateObs", "taiObs")
"""Keys of a data ID that have the day."""


def locate_tables(butler: Butler, data_id: Mapping[str, Any], config: IsrConfig) -> dict[str, Path]:
    """Return the tables of the camera package that count for a frame.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Which frame.
    config : IsrConfig
        Settings: which corrections are made.

    Returns
    -------
    dict of str to Path
        ``crosstalk`` and ``linearity`` to file; without those that no table is for.

    Raises
    ------
    DatasetNotFoundError
        If there are tables, and the registry does not have the day of the frame.
    """
    kinds: list[TableKind] = []
    if config.do_crosstalk and not config.crosstalk.coefficients:
        kinds.append("crosstalk")
    if config.do_linearize:
        kinds.append("linearity")
    found: dict[str, Path] = {}
    for kind in kinds:
        tables = find_dated_tables(butler.instrument.folder / "curated", kind, butler.instrument.find_detector(data_id))
        table = table_of(tables, _day_of(butler, data_id, kind)) if tables else None
        if table is not None:
            found[kind] = table.path
    return found


def _day_of(butler: Butler, data_id: Mapping[str, Any], kind: str) -> date:
    raw = butler.instrument.raw_dataset_type
    for key in _DAYS:
        values = [data_id[key]] if key in data_id else []
        if not values and key in butler.id_keys(raw):
            values = [row[0] for row in butler.query_metadata(raw, [key], data_id)]
        try:
            return date.fromisoformat(str(values[0])[:10])
        except (IndexError, ValueError):
            continue
    raise DatasetNotFoundError(
        f"the registry does not have the day of {format_data_id(data_id)} ({' or '.join(_DAYS)}), on which its "
        f"table of {kind} depends",
        dataset_type=kind,
        data_id=data_id,
    )


def read_tables(butler: Butler, data_id: Mapping[str, Any], config: IsrConfig) -> tuple[dict[str, Any], dict[str, str]]:
    """Read crosstalk and linearity of a frame.

    Parameters
    ----------
    butler : Butler
        The repository; a linearizer there comes before tables of the camera package.
    data_id : mapping
        Which frame.
    config : IsrConfig
        Settings: which corrections are made.

    Returns
    -------
    found : dict of str to object
        Fields of `obs.tasks.isr.Calibrations`.
    used : dict of str to str
        Header cards: names of the files.

    Raises
    ------
    DatasetNotFoundError
        If there are tables, and the registry does not have the day of the frame.
    FileFormatError
        If a table is not what it has to be.
    """
    found: dict[str, Any] = {}
    used: dict[str, str] = {}
    linearizer = _get_linearizer(butler, data_id) if config.do_linearize else None
    paths = locate_tables(butler, data_id, config)
    if linearizer is not None:
        found["linearizer"], path = linearizer
        used["CALIB_LINEARIZER"] = path.name
        paths.pop("linearity", None)
    for kind, path in paths.items():
        note_input(kind, path)
        used[f"CALIB_{kind.upper()}"] = path.name
        detector = butler.instrument.find_detector(data_id)
        if kind == "crosstalk":
            found["crosstalk"] = read_crosstalk(path, detector)
        else:
            found["linearizer"] = {name: Linearity(*entry) for name, entry in read_linearity(path, detector).items()}
    return found, used


def _get_linearizer(butler: Butler, data_id: Mapping[str, Any]) -> tuple[dict[str, Linearity], Path] | None:
    """Return the linearizer of a frame and its file; None if there is none, and tables count."""
    kind = butler.policy.dataset_types.get("linearizer")
    if kind is None or not kind.template:
        return None
    try:
        value, path = butler.get("linearizer", data_id), butler.path("linearizer", data_id)
    except (DataIdError, DatasetNotFoundError, RepositoryError):
        return None
    return {name: Linearity(*entry) for name, entry in value.items()}, path
