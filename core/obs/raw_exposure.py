"""From a raw frame in a repository to an exposure without the instrument's signature.

The frame, what the header tells of it, and the calibrations that its settings need are brought together here; what is
done with them is in `obs.tasks.isr`.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from obs.camera.detector import Detector
from obs.errors import (
    DatasetNotFoundError,
    FileFormatError,
    PluginError,
)
from obs.frame_calibrations import CalibrationReader, choose_calibrations, filter_of, read_calibration
from obs.image.exposure import Exposure
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.instrument.explain import explain
from obs.instrument.header import COLOR
from obs.instrument.instrument import Instrument
from obs.instrument.possible_wcs import known_cards, possible_wcs
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.fits_checksum import checksums_compared
from obs.repo.fits_exposure_header import header_wcs
from obs.repo.fits_raw import extract_color, read_raw
from obs.repo.formatters import split_hdu
from obs.repo.input_files import note_input
from obs.tasks.isr import remove_signature, required_calibrations
from obs.tasks.isr_config import IsrConfig
from obs.tasks.isr_window import find_window
from obs.threads import map_threads

__all__ = ["get_raw", "get_raw_facts", "remove_raw_signature"]

logger = logging.getLogger(__name__)


def remove_raw_signature(
    butler: Butler,
    data_id: Mapping[str, Any],
    config: IsrConfig,
    *,
    warn: Callable[[str], None] = logger.warning,
    inspect: Callable[[Raw], None] | None = None,
    read: CalibrationReader = read_calibration,
) -> Exposure:
    """Read a raw frame and its calibrations, and remove the instrument's signature.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Which frame.
    config : IsrConfig
        Settings.
    warn : callable, optional
        Called with each line that the user should see.
    inspect : callable, optional
        Called with the raw frame before anything else is done.
    read : callable, optional
        What reads each calibration, called as `obs.frame_calibrations.read_calibration` is.

    Returns
    -------
    Exposure
        With the WCS that pointing and camera give, or that of the header where these are not known.

    Raises
    ------
    DatasetNotFoundError
        If the frame or a calibration is missing; says what can be done.
    FileFormatError
        If a file or a header is not what it has to be.
    """
    with checksums_compared(config.compare_checksums):
        return _remove_raw_signature(butler, data_id, config, warn, inspect, read)


def _remove_raw_signature(
    butler: Butler,
    data_id: Mapping[str, Any],
    config: IsrConfig,
    warn: Callable[[str], None],
    inspect: Callable[[Raw], None] | None,
    read: CalibrationReader,
) -> Exposure:
    instrument = butler.instrument
    whole = butler.complete_raw(data_id)
    detector = instrument.find_detector(whole)
    physical_filter, band = filter_of(butler, whole)
    needed = required_calibrations(config, physical_filter=physical_filter, band=band)
    # reading a file leaves other threads free most of the time
    jobs: list[Callable[[], Any]] = [partial(get_raw, butler, whole, detector)]
    jobs += [partial(read, butler, name, whole, config) for name in needed]
    raw, *found = map_threads(lambda job: job(), jobs)
    if inspect is not None:
        inspect(raw)
    visit_info = _visit_info(instrument, raw, butler.get("ccdExposureId", whole))
    calibrations, config, used = choose_calibrations(
        butler, whole, config, needed, dict(zip(needed, found, strict=True)), warn
    )
    wcs, other_wcs = possible_wcs(instrument.load_camera(), detector, visit_info, _header_wcs(raw, detector, config))
    exposure = remove_signature(
        raw,
        detector,
        calibrations,
        config,
        visit_info=visit_info,
        physical_filter=physical_filter,
        band=band,
        wcs=wcs if config.expect_wcs else None,
        warn=warn,
        time_fault=_time_fault(instrument, raw, visit_info),
    )
    exposure.other_wcs = other_wcs if config.expect_wcs else {}
    exposure.metadata.update(used)
    return exposure


def get_raw(butler: Butler, data_id: Mapping[str, Any], detector: Detector) -> Raw:
    """Read the raw frame of a data ID.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    data_id : mapping
        Data ID of the raw frame.
    detector : Detector
        Its detector, which decides the HDUs to read, and the color of a mosaic.

    Raises
    ------
    DatasetNotFoundError
        If there is none.
    FileFormatError
        If the file is not what it has to be.
    """
    name = butler.instrument.raw_dataset_type
    if butler.instrument.reader(name) is not None:
        found = butler.get(name, data_id)
        return found if isinstance(found, Raw) else Raw(found.masked_image.image, found.metadata)
    path = butler.path(name, data_id)
    if not path.is_file():
        raise DatasetNotFoundError(f"no {name} for {format_data_id(data_id)}: looked for {path}", dataset_type=name)
    note_input(name, path)
    hdu = split_hdu(butler.get_uri(name, data_id))[1]
    amplifier_hdus = sorted({amp.raw_hdu for amp in detector.amplifiers})
    plane = detector.color_plane
    color = {} if plane is None else {COLOR: plane.color}
    choose = partial(_is_frame, butler.instrument, data_id, color)
    raw = read_raw(
        path,
        hdu=hdu,
        amplifier_hdus=amplifier_hdus,
        overscan_hdus=detector.overscan_hdus,
        shape=detector.raw_shape,
        choose=choose,
    )
    return raw if plane is None else extract_color(raw, plane, detector.saturation)


def _header_wcs(raw: Raw, detector: Detector, config: IsrConfig) -> TanSipWcs | None:
    """Return the WCS of the header for pixels of the whole raw image, of which the frame may be a part."""
    found = header_wcs(raw.metadata)
    part = find_window(raw, detector) if config.do_place_windows else None
    if found is None or part is None:
        return found
    window, box = part
    step = 1 if detector.color_plane is None else 2
    return found.shifted(x=step * (window.data.x_min - box.x_min), y=step * (window.data.y_min - box.y_min))


def get_raw_facts(butler: Butler, data_id: Mapping[str, Any]) -> tuple[Detector, VisitInfo, Mapping[str, Any]]:
    """Return the detector, the facts and the header cards of a raw file whose pixels could not be processed.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        Which raw file.

    Raises
    ------
    ObsError
        If the file or its header cannot be read.
    """
    whole = butler.complete_raw(data_id)
    detector = butler.instrument.find_detector(whole)
    raw = get_raw(butler, whole, detector)
    return detector, _visit_info(butler.instrument, raw, butler.get("ccdExposureId", whole)), raw.metadata


def _is_frame(
    instrument: Instrument, data_id: Mapping[str, Any], color: Mapping[str, str], header: Mapping[str, Any]
) -> bool:
    """Return whether a header is that of a data ID, as far as the translator knows its keys."""
    if instrument.translator is None:
        return False
    try:
        row = instrument.make_translator().registry_columns({**known_cards(header), **color})
    except FileFormatError:
        return False
    return all(row[key] == value for key, value in data_id.items() if key in row)


def _visit_info(instrument: Instrument, raw: Raw, exposure_id: int) -> VisitInfo:
    if instrument.translator is None:
        raise PluginError(
            f"camera '{instrument.name}' has neither a translator for its headers nor an 'isr' of its own",
            plugin=instrument.name,
        )
    return instrument.make_translator().visit_info(known_cards(raw.metadata), exposure_id=exposure_id)


def _time_fault(instrument: Instrument, raw: Raw, visit_info: VisitInfo) -> str:
    """Return the cards of an exposure time that cannot be, with their values; empty if there is none or it is known."""
    if visit_info.exposure_time == visit_info.exposure_time:
        return ""
    cards = known_cards(raw.metadata)
    item = next(item for item in explain(instrument.make_translator(), cards) if item.name == "exposure_time")
    return ", ".join(f"{keyword} = {cards[keyword]}" for keyword in item.cards if keyword in cards)
