"""Whether each exposure of each detector has a number of its own that source ids can begin with, today and later."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from obs.camera.detector import Detector
from obs.errors import DataIdError, FileFormatError, PluginError, place
from obs.ingest.translation import load_translator
from obs.instrument.exposure_packer import ExposurePacker
from obs.instrument.header import COLOR
from obs.instrument.instrument import Instrument
from obs.simulator.headers import make_header
from obs.simulator.shots import plan_shots

__all__ = ["exposure_number_faults"]

_LAST_YEAR = 2100


def exposure_number_faults(instrument: Instrument) -> Iterator[str]:
    """Look for exposure numbers that do not fit, or are not unique.

    Yields
    ------
    str
        What is wrong, with the place of the function that makes the numbers.
    """
    if instrument.raw_dataset_type != "raw" or instrument.translator is None:
        return
    function: Any = instrument.exposure_id
    function = instrument.load(function) if isinstance(function, str) else function
    where = _place_of(function) or _file_of(instrument)
    if isinstance(function, ExposurePacker) and function.bits > instrument.exposure_id_bits:
        yield (
            f"{where}exposure_id needs {function.bits} bits, exposure_id_bits is {instrument.exposure_id_bits}; "
            "make them agree"
        )
    faults = [*_faults_of_detectors(instrument)]
    yield from (f"{where}{fault}" for fault in faults or _faults_of_dates(instrument))


def _faults_of_detectors(instrument: Instrument) -> Iterator[str]:
    """Check the numbers of one exposure of each detector."""
    translator = load_translator(instrument)
    blank: dict[str, Any] = {name: kind(1) for name, kind in translator.columns.items()}
    numbers: dict[int, str] = {}
    for detector in instrument.load_camera():
        keys = instrument.detector_keys(detector)
        try:
            number = instrument.exposure_number({**blank, **keys})
        except DataIdError as error:
            yield str(error)
            return
        if number in numbers:
            yield (
                f"detectors '{numbers[number]}' and '{detector.name}' of one exposure have the same number "
                f"{number}; let the number depend on the detector"
            )
            return
        numbers[number] = detector.name


def _faults_of_dates(instrument: Instrument) -> Iterator[str]:
    """Check the numbers of exposures of today and of a date far ahead, as real headers give them."""
    if not instrument.filters:
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    last = max(instrument.load_camera(), key=lambda detector: detector.id)
    for begin in (now, now.replace(year=_LAST_YEAR, day=1)):
        try:
            row = _row(instrument, last, begin)
        except (FileFormatError, PluginError):  # it cannot be simulated: other checks tell why
            return
        try:
            instrument.exposure_number(row)
        except DataIdError as error:
            yield f"a frame of {begin.date().isoformat()}: {error}"
            return


def _row(instrument: Instrument, detector: Detector, begin: datetime) -> dict[str, Any]:
    """Return what the header of a frame tells, without what only simulated frames have."""
    shot = plan_shots(
        image_type="science",
        count=1,
        first_visit=1,
        date_begin=begin,
        exposure_time=1.0,
        physical_filters=[instrument.filters[0].physical_filter],
        ra=0.5,
        dec=0.5,
        seed=1,
    )[0]
    translator = load_translator(instrument)
    translator.today = begin.date()
    header = make_header(instrument, shot, detector, shot.data_id(instrument, detector))
    color = {} if detector.color_plane is None else {COLOR: detector.color_plane.color}
    real = {k: v for k, v in header.items() if k not in translator.simulated_cards}
    return translator.registry_columns({**real, **color})


def _place_of(function: object) -> str:
    code = getattr(function, "__code__", None)
    return "" if code is None else place(code.co_filename, code.co_firstlineno)


def _file_of(instrument: Instrument) -> str:
    """Return the file of the module that a reference names."""
    reference = instrument.exposure_id
    module = sys.modules.get(reference.partition(":")[0]) if isinstance(reference, str) else None
    return "" if module is None else place(module.__file__)
