"""The calibrations that the removal of the instrument's signature needs for a frame: which, and where they are."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.defect_boxes import mask_to_boxes
from obs.dated_calibrations import locate_tables, read_tables
from obs.errors import (
    ConfigError,
    DataIdError,
    DatasetNotFoundError,
    FileFormatError,
    PolicyError,
    RepositoryError,
)
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.instrument.exposure_time_cards import exposure_seconds
from obs.plural import list_of
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.repo.calibration_type import calibration_type
from obs.repo.defects_table import read_defect_mask, read_defects
from obs.repo.fits_exposure import read_exposure
from obs.repo.formatters import read_dataset
from obs.repo.input_files import InputFile, inputs_noted_apart, note_input, take_notes
from obs.tasks.isr import Calibrations, required_calibrations
from obs.tasks.isr_config import IsrConfig
from obs.threads import map_threads

__all__ = [
    "CalibrationReader",
    "ReadCalibration",
    "choose_calibrations",
    "filter_of",
    "find_calibrations",
    "locate_calibration",
    "locate_calibrations",
    "read_calibration",
]

logger = logging.getLogger(__name__)

#: Field of `Calibrations` to dataset type, where the two differ.
_DATASET_TYPES = {"brighter_fatter_kernel": "bfKernel", "stray_light": "strayLight", "illumination": "illumcor"}
#: What can be made with obs calibs build.
_BUILDABLE = ("bias", "dark", "flat", "fringe", "defects")
_FILTER_KEYS = ("filter", "physical_filter")
#: What is scaled by its exposure time.
_TIMED = ("dark", _DATASET_TYPES["stray_light"])


class ReadCalibration(NamedTuple):
    """A calibration and its file, or why there is none; and what was read for it.

    Parameters
    ----------
    value : object
        The calibration, for example an `Exposure`; None if there is none.
    path : Path
        Its file.
    problem : str
        Why there is none; empty otherwise.
    files : mapping of Path to InputFile
        Records of the files that were read.
    """

    value: Any
    path: Path
    problem: str
    files: Mapping[Path, InputFile]


CalibrationReader = Callable[[Butler, str, Mapping[str, Any], IsrConfig], ReadCalibration]


def filter_of(butler: Butler, data_id: Mapping[str, Any]) -> tuple[str, str]:
    """Return the physical filter and the band of a frame; as it is where the camera does not know it.

    Parameters
    ----------
    butler : Butler
        Butler of the repository; its registry is asked if the data ID has no filter.
    data_id : mapping
        Data ID of the frame.

    Returns
    -------
    physical_filter, band : str
        Both are the same name if the camera does not know the filter, and empty if the frame has none.
    """
    name = next((str(data_id[key]) for key in _FILTER_KEYS if key in data_id), "")
    if not name:
        raw = butler.instrument.raw_dataset_type
        key = next((key for key in _FILTER_KEYS if key in butler.id_keys(raw)), None)
        values = butler.query_metadata(raw, key, data_id) if key else []
        name = str(values[0]) if len(values) == 1 and values[0] is not None else ""
    try:
        known = butler.instrument.find_filter(name)
    except DataIdError:
        return name, name
    return known.physical_filter, known.band


def find_calibrations(
    butler: Butler,
    data_id: Mapping[str, Any],
    config: IsrConfig,
    *,
    physical_filter: str,
    band: str,
    warn: Callable[[str], None] = logger.warning,
    read: CalibrationReader | None = None,
) -> tuple[Calibrations, IsrConfig, dict[str, str]]:
    """Read the calibrations that the settings need for a frame.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Which frame.
    config : IsrConfig
        Settings; a path set there is read in place of what the repository would choose.
    physical_filter, band : str
        Its filter.
    warn : callable, optional
        Called with each line that the user should see.
    read : callable, optional
        What reads each of them, called as `read_calibration` is.

    Returns
    -------
    calibrations : Calibrations
    config : IsrConfig
        The settings, with what is missing switched off if that is allowed.
    used : dict of str to str
        Header cards: names of the files.

    Raises
    ------
    DatasetNotFoundError
        If one is missing, and must not be.
    """
    needed = required_calibrations(config, physical_filter=physical_filter, band=band)
    call = read or read_calibration
    # reading a file leaves other threads free most of the time
    found = map_threads(lambda name: call(butler, name, data_id, config), needed)
    return choose_calibrations(butler, data_id, config, needed, dict(zip(needed, found, strict=True)), warn)


def read_calibration(butler: Butler, name: str, data_id: Mapping[str, Any], config: IsrConfig) -> ReadCalibration:
    """Read a calibration of a frame, or tell why there is none.

    Parameters
    ----------
    butler : Butler
        The repository.
    name : str
        Field of `Calibrations`.
    data_id : mapping
        Which frame.
    config : IsrConfig
        Settings.

    Raises
    ------
    FileFormatError
        If its file is not what it has to be.
    """
    with inputs_noted_apart() as files:
        try:
            return ReadCalibration(*_get(butler, name, data_id, config), "", files)
        except (DatasetNotFoundError, PolicyError, RepositoryError) as error:  # no place in the policy: there is none
            # the error itself would hold on to the frame from which it is read
            return ReadCalibration(None, Path(), str(error), files)


def choose_calibrations(
    butler: Butler,
    data_id: Mapping[str, Any],
    config: IsrConfig,
    needed: Mapping[str, str],
    read: Mapping[str, ReadCalibration],
    warn: Callable[[str], None],
) -> tuple[Calibrations, IsrConfig, dict[str, str]]:
    """Return what `find_calibrations` does, of what `read_calibration` found of all that are needed.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    data_id : mapping
        Data ID of the frame to correct.
    config : IsrConfig
        Settings.
    needed : mapping of str to str
        Type of each calibration that is needed, to the setting that needs it.
    read : mapping of str to ReadCalibration
        Type to the calibration that was read.
    warn : callable
        Called with a line that the user should see.

    Raises
    ------
    DatasetNotFoundError
        If one that is needed is missing.
    """
    found: dict[str, Any] = {}
    used: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, (value, path, problem, files) in read.items():
        take_notes(files)
        if problem:
            if name == "defects":
                found[name] = ()
                logger.info("%s: no defects are known: %s", format_data_id(data_id), problem)
            elif config.allow_missing:
                warn(f"continues without {name.replace('_', ' ')}: {problem}")
                config = config.model_copy(update={needed[name]: False})
            else:
                missing[name] = problem
        else:
            found[name] = value
            used[f"CALIB_{name.upper()}"] = path.name
            if isinstance(value, Exposure) and (day := str(value.metadata.get("DATE-OBS", ""))):
                used[f"CALIB_DATE_{name.upper()}"] = day
    if missing:
        raise _missing(missing, [needed[name] for name in missing], data_id)
    tables, names = read_tables(butler, data_id, config)
    shared = _find_shared_bias(found.get("bias"), found.get("dark"), used.get("CALIB_BIAS", ""))
    return Calibrations(**found, **tables, shared_bias=shared), config, used | names


def _find_shared_bias(bias: Exposure | None, dark: Exposure | None, name: str) -> float:
    """Return the part of a bias's noise in one second of a dark that was made with it, 1/s; 0 if it was not."""
    if bias is None or dark is None or not name or dark.metadata.get("CALIB_BIAS") != name:
        return 0.0
    made = [[str(frame.metadata.get(f"CALIB_CREATION_{of}", "")) for of in ("DATE", "TIME")] for frame in (bias, dark)]
    if made[0] > made[1]:
        return 0.0  # made again since
    number = int(dark.metadata.get("CALIB_NINPUT") or 0)
    times = [float(dark.metadata.get(f"CALIB_TIME_{k}") or 0.0) for k in range(number)]
    return sum(1 / time for time in times) / number if number and min(times) > 0 else 0.0


def _missing(problems: Mapping[str, str], switches: Sequence[str], data_id: Mapping[str, Any]) -> DatasetNotFoundError:
    """Return the error that names all calibrations that a frame lacks, and the way on without them."""
    first, *others = problems
    problem, which = problems[first], "" if others else f" {first}"
    build = f"obs calibs build{which} or " if any(name in _BUILDABLE for name in problems) else ""
    remedy = f"make {'each' if others else 'one'} with {build}obs calibs ingest"
    if not others and first in _BUILDABLE and "it is valid from" in problem:
        remedy = f"give it more days by obs calibs build {first} --clobber --validity DAYS, {remedy}"
    off = " ".join(f"isr.{switch}=false" for switch in switches)
    return DatasetNotFoundError(
        f"unable to retrieve {list_of(name.replace('_', ' ') for name in problems)} for {format_data_id(data_id)}: "
        f"{problem}; {remedy}, or continue without {'them' if others else 'it'} by --allow-missing or, in a new "
        f"output, -c {off}",
        dataset_type=_DATASET_TYPES.get(first, first),
        data_id=data_id,
    )


def _get(butler: Butler, name: str, data_id: Mapping[str, Any], config: IsrConfig) -> tuple[Any, Path]:
    """Return a calibration and its file: the one that the settings name, or that the repository has for the frame."""
    dataset_type = _DATASET_TYPES.get(name, name)
    forced = getattr(config, f"{name}_path", None)
    if forced:
        path = _forced_path(name, forced, data_id)
        note_input(dataset_type, path)
        if name == "brighter_fatter_kernel":
            return read_dataset("FitsStorage", "ndarray", path), path
        if name == "defects" and (mask := read_defect_mask(path)) is not None:
            return mask_to_boxes(mask != 0), path
        read = read_defects(path) if name == "defects" else read_exposure(path)
        if config.check_forced_calibrations:
            _check_forced(name, read, path, butler, data_id)
        return (_boxes(read, path) if isinstance(read, Catalog) else read), path
    try:
        path = butler.path(dataset_type, data_id)
        value = butler.get(dataset_type, data_id)
    except DatasetNotFoundError:
        other = _fallback_id(butler, dataset_type, data_id, config)
        if other is None:
            raise
        path, value = butler.path(dataset_type, other), butler.get(dataset_type, other)
    if isinstance(value, Catalog):
        value = _boxes(value, path)
    elif name == "defects" and isinstance(value, np.ndarray):
        value = mask_to_boxes(value != 0)
    elif not isinstance(value, Exposure) and name != "brighter_fatter_kernel":
        # An image, a masked image or a list of boxes: as the camera's policy or its reader has it.
        value = value if isinstance(value, list | tuple) else _exposure_of(value, butler, dataset_type, data_id)
    return value, path


def _exposure_of(
    pixels: MaskedImage | NDArray[Any], butler: Butler, dataset_type: str, data_id: Mapping[str, Any]
) -> Exposure:
    """Return the pixels of a calibration as an exposure.

    One that the policy has as pixels alone, such as HSC's darks, is taken for one of a second, as in the stack. So of
    its header nothing counts but that it says so.
    """
    if isinstance(pixels, np.ndarray):  # as those of DECam
        image = np.asarray(pixels, np.float32)
        pixels = MaskedImage(image, Mask.zeros(image.shape), np.zeros(image.shape, np.float32))
    exposure = Exposure(pixels)
    if dataset_type not in _TIMED:
        return exposure
    with suppress(DatasetNotFoundError):  # a reader of the camera may know no header
        cards = butler.get(f"{dataset_type}_md", data_id)
        if isinstance(cards, Mapping) and exposure_seconds(cards) == 1.0:
            exposure.metadata["EXPTIME"] = 1.0
    return exposure


def _fallback_id(butler: Butler, dataset_type: str, data_id: Mapping[str, Any], config: IsrConfig) -> DataId | None:
    """Return the data ID of a frame with the filter that stands in for its own; None if there is no such filter."""
    key = next((key for key in _FILTER_KEYS if key in butler.get_keys(dataset_type)), None)
    if config.fallback_filter is None or key is None or data_id.get(key) == config.fallback_filter:
        return None
    # The time of the observation is looked up by its own filter.
    time = butler.mapper.dataset_type(dataset_type).observation_time
    times = butler.query_metadata(butler.instrument.raw_dataset_type, time, data_id)
    return {**data_id, key: config.fallback_filter, **({time: times[0]} if len(times) == 1 else {})}


def locate_calibrations(butler: Butler, data_id: Mapping[str, Any], config: IsrConfig) -> dict[str, Path]:
    """Return the files of the calibrations that the settings need for a frame, without reading them.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Which frame.
    config : IsrConfig
        Settings.

    Returns
    -------
    dict of str to Path
        Dataset type to file; without those that there are none of.
    """
    whole = butler.complete_raw(data_id)
    physical_filter, band = filter_of(butler, whole)
    found = {}
    for name in required_calibrations(config, physical_filter=physical_filter, band=band):
        path = locate_calibration(butler, name, whole, config)
        if path is not None:
            found[_DATASET_TYPES.get(name, name)] = path
    return found | locate_tables(butler, whole, config)


def locate_calibration(butler: Butler, name: str, data_id: Mapping[str, Any], config: IsrConfig) -> Path | None:
    """Return the file that `read_calibration` would read; None if there is none.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    name : str
        Type of the calibration, for example "bias".
    data_id : mapping
        Data ID of the frame to correct.
    config : IsrConfig
        Settings.
    """
    with suppress(DatasetNotFoundError, PolicyError, RepositoryError):
        return _locate(butler, name, _DATASET_TYPES.get(name, name), data_id, config)
    return None


def _locate(butler: Butler, name: str, dataset_type: str, data_id: Mapping[str, Any], config: IsrConfig) -> Path:
    forced = getattr(config, f"{name}_path", None)
    if forced:
        return _forced_path(name, forced, data_id)
    if not butler.exists(dataset_type, data_id):
        data_id = _fallback_id(butler, dataset_type, data_id, config) or data_id
        if not butler.exists(dataset_type, data_id):
            raise DatasetNotFoundError(f"no {dataset_type} for {format_data_id(data_id)}", dataset_type=dataset_type)
    return butler.path(dataset_type, data_id)


def _forced_path(name: str, text: str, data_id: Mapping[str, Any]) -> Path:
    try:
        path = Path(text % dict(data_id) if "%(" in text else text).expanduser()
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"isr.{name}_path: '{text}' does not fit {format_data_id(data_id)}: {error}") from None
    return path


def _check_forced(name: str, read: Exposure | Catalog, path: Path, butler: Butler, data_id: Mapping[str, Any]) -> None:
    """Refuse a forced calibration that says of itself that it is another type, or of another detector."""
    found_type = calibration_type(read.metadata)
    wanted = _DATASET_TYPES.get(name, name)
    detector = butler.instrument.find_detector(butler.complete_raw(data_id))
    problem = ""
    if found_type and found_type != wanted.lower():
        problem = f"is a calibration of the type {found_type}, not {wanted}"
    elif isinstance(read, Exposure) and read.detector_name not in ("", detector.name):
        problem = f"is of detector '{read.detector_name}', the frame of '{detector.name}'"
    elif isinstance(read, Exposure) and wanted != "bias" and read.shape != detector.bbox.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (read.shape, detector.bbox.shape)]
        problem = f"has {sizes[0]} pixels, detector '{detector.name}' has {sizes[1]}"
    if problem:
        raise ConfigError(
            f"isr.{name}_path: {path} {problem}; name another file, or take it all the same by "
            "-c isr.check_forced_calibrations=false",
            field=f"isr.{name}_path",
        )


def _boxes(table: Catalog, path: Path) -> list[Box]:
    names = ("x0", "y0", "width", "height")
    lacking = [name for name in names if name not in table]
    if lacking:
        raise FileFormatError(f"is not a table of defects: it has no column {', '.join(lacking)}", path=path)
    return [Box(*(int(value) for value in row)) for row in zip(*(table[name] for name in names), strict=True)]
