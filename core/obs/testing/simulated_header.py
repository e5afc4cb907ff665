"""The header of a simulated frame: whether a camera's translator reads what it writes."""

from collections.abc import Iterator
from datetime import datetime

from obs.camera.detector import Detector
from obs.errors import DataIdError, FileFormatError, PluginError
from obs.image.visit_info import VisitInfo
from obs.ingest.translation import load_translator
from obs.instrument.instrument import Instrument
from obs.simulator.headers import make_header
from obs.simulator.shots import IMAGE_TYPES, ImageType, Shot, plan_shots

__all__ = ["SECONDS", "first_filter", "header_faults", "plan_shot"]

SECONDS = 30.0
"""Exposure time of frames that see light."""
_ARCSEC = 1 / 3600


def header_faults(instrument: Instrument) -> Iterator[str]:
    """Write headers as the simulator does, and read them with the camera's translator.

    Every type of frame, the first and the last detectors, all filters.

    Parameters
    ----------
    instrument : Instrument
        Camera to test.

    Yields
    ------
    str
        What is not read back.
    """
    translator, detectors = load_translator(instrument), instrument.load_camera().detectors
    shots = [
        *(plan_shot(kind, first_filter(instrument), visit=visit) for visit, kind in enumerate(IMAGE_TYPES, 1)),
        *(plan_shot("science", known.physical_filter, visit=1234 + n) for n, known in enumerate(instrument.filters)),
    ]
    reported: set[str] = set()
    for shot in shots:
        for detector in (detectors[0], detectors[-1]):
            wanted = shot.data_id(instrument, detector)
            header = {
                keyword: card[0] if isinstance(card, tuple) else card
                for keyword, card in make_header(instrument, shot, detector, wanted).items()
            }
            try:
                row, info = translator.registry_columns(header), translator.visit_info(header)
            except FileFormatError as error:
                problems = [("", f"the header of a simulated {shot.image_type} frame is not read: {error}")]
            else:
                problems = list(_not_read_back(instrument, shot, detector, row, info))
            for name, problem in problems:
                if name not in reported:
                    reported.add(name)
                    yield f"{problem}; complete make_header of {instrument.translator}"


def _not_read_back(
    instrument: Instrument, shot: Shot, detector: Detector, row: dict[str, object], info: VisitInfo
) -> Iterator[tuple[str, str]]:
    """Compare what a made header tells with what it was made from: name, and what is wrong."""
    translator = load_translator(instrument)
    wanted, frame = shot.data_id(instrument, detector), f"a simulated {shot.image_type} frame"
    for name in translator.unique:
        if row.get(name) is None:
            yield name, f"the header of {frame} does not say {name}"
    numbers = {*translator.unique, *instrument.detector_keys(detector), "expTime"} - {"filter"}
    for name in sorted(numbers & row.keys()):
        if name in wanted and row[name] != wanted[name]:
            yield name, f"{frame} has {name}={wanted[name]}, its header {row[name]!r}"
    if "filter" in translator.columns:
        try:
            found = instrument.find_filter(str(row.get("filter", ""))).physical_filter
        except DataIdError as error:
            yield "filter", f"{frame} has the filter '{shot.physical_filter}': {error}"
        else:
            if found != shot.physical_filter:
                yield "filter", f"{frame} has the filter '{shot.physical_filter}', its header '{found}'"
    made = shot.visit_info
    if not abs(info.exposure_time - made.exposure_time) < 1e-3:
        yield "exposure_time", f"a frame of {made.exposure_time:g} s has the exposure_time {info.exposure_time:g}"
    for name in ("boresight_ra", "boresight_dec"):
        value, true = getattr(info, name), getattr(made, name)
        if abs(value - true) > _ARCSEC:  # where it is known
            yield name, f"{frame} has {name} {true:g} deg, its header {value:g}"


def first_filter(instrument: Instrument) -> str:
    """Return the physical name of a camera's first filter.

    Raises
    ------
    PluginError
        If it has none.
    """
    if not instrument.filters:
        raise PluginError(f"camera '{instrument.name}' has no filter")
    return instrument.filters[0].physical_filter


def plan_shot(image_type: ImageType, physical_filter: str, *, visit: int, seed: int = 1) -> Shot:
    """Return an exposure of a kind, always of the same night and field.

    Parameters
    ----------
    image_type : {"bias", "dark", "flat", "science"}
        Type of the exposure.
    physical_filter : str
        Name of the filter.
    visit : int
        Number of the exposure.
    seed : int, default: 1
        Random seed.
    """
    return plan_shots(
        image_type=image_type,
        count=1,
        first_visit=visit,
        date_begin=datetime(2020, 9, 4, 5, 6, 7),
        exposure_time=SECONDS,
        physical_filters=[physical_filter],
        ra=150.0,
        dec=2.0,
        seed=seed,
    )[0]
