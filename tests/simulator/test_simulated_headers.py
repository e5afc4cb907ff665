"""What a simulated frame's header says is what was asked for, for every camera that is installed."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from obs.ingest.translation import load_translator, translate_file
from obs.instrument.consistency import compute_azimuth_altitude, visit_faults
from obs.instrument.discovery import discover
from obs.repo.fits_file import header_to_dict, set_cards
from obs.simulator.config import SimulateConfig
from obs.simulator.files import FILE_FORMATS, FileOptions, simulate_file
from obs.simulator.headers import make_consistent_header, make_header
from obs.simulator.shots import IMAGE_TYPES, Shot

CAMERAS = {
    name: found.instrument
    for name, found in discover().instruments.items()
    if found.instrument.raw_dataset_type == "raw" and found.instrument.translator
}


def test_the_reference_cameras_are_among_them():
    assert {"hsc", "necam"} <= set(CAMERAS)


@pytest.fixture(scope="module", params=sorted(CAMERAS))
def instrument(request):
    return CAMERAS[request.param]


def _written(header):
    """Return cards as they are read from a file."""
    cards = fits.Header()
    set_cards(cards, header)
    return header_to_dict(fits.Header.fromstring(cards.tostring()))


@given(data=st.data())
def test_headers_give_the_data_id_and_the_circumstances_again(instrument, data):
    camera = instrument.load_camera()
    detector = camera.detector(data.draw(st.sampled_from([detector.id for detector in camera])))
    shot = Shot(
        visit=data.draw(st.integers(1, 999_999)),
        image_type=data.draw(st.sampled_from(IMAGE_TYPES)),
        physical_filter=data.draw(st.sampled_from([known.physical_filter for known in instrument.filters])),
        date_begin=data.draw(st.datetimes(datetime(2013, 1, 1), datetime(2026, 1, 1))).replace(microsecond=0),
        exposure_time=data.draw(st.sampled_from([0.0, 1.5, 30.0, 300.0])),
        ra=data.draw(st.floats(0, 359.99)),
        dec=data.draw(st.floats(-89.9, 89.9).filter(lambda dec: abs(dec) > 1e-3)),
        rotation=data.draw(st.floats(0, 359.9)),
        airmass=data.draw(st.floats(1, 3)),
    )
    data_id = shot.data_id(instrument, detector)
    translator = load_translator(instrument)
    header = _written(make_header(instrument, shot, detector, data_id))
    columns = translator.registry_columns(header)
    asked = {key: value for key, value in data_id.items() if key in translator.columns}
    assert {"visit", "filter"} <= set(asked)
    # it may be by another of its names: HSC's headers are read in capitals, as its registries have them
    assert instrument.find_filter(columns.pop("filter")).physical_filter == asked.pop("filter")
    assert {key: columns[key] for key in asked} == asked
    assert instrument.find_detector(columns) is detector
    info = translator.visit_info(header)
    assert info.exposure_time == shot.exposure_time
    assert info.dark_time == shot.exposure_time
    assert info.boresight_ra == pytest.approx(shot.ra, abs=1e-7)
    assert info.boresight_dec == pytest.approx(shot.dec, abs=1e-7)
    turned = (info.rotation_angle - shot.rotation + 180) % 360 - 180
    assert turned == pytest.approx(0, abs=1e-9)
    assert info.airmass == pytest.approx(shot.airmass)
    assert info.date_begin[:19] == shot.date_begin.isoformat()


def test_a_header_has_no_altitude_that_place_and_date_contradict():
    instrument = CAMERAS["hsc"]
    translator, detector = load_translator(instrument), instrument.load_camera().detector(49)
    shot = Shot(2, "science", "HSC-R", datetime(2020, 9, 4, 9), 30.0, 150.0, 2.0, airmass=1.2)
    info = translator.visit_info(make_consistent_header(instrument, shot, detector, shot.data_id(instrument, detector)))
    assert info.airmass == 1.2
    assert np.isnan(info.boresight_altitude)
    assert not list(visit_faults(info))

    shot = replace(shot, date_begin=datetime(2020, 9, 4, 19))  # in the east
    _, altitude = compute_azimuth_altitude(info, shot.date_begin)
    shot = replace(shot, airmass=1 / np.sin(np.radians(altitude)))
    info = translator.visit_info(make_consistent_header(instrument, shot, detector, shot.data_id(instrument, detector)))
    assert info.boresight_altitude == pytest.approx(altitude)


@pytest.mark.parametrize("file_format", FILE_FORMATS)
def test_ingest_reads_a_simulated_file_as_its_data_id(tmp_path, file_format):
    instrument = CAMERAS["necam"]
    shot = Shot(12, "dark", "Clear", datetime(2020, 9, 4, 3), 1.0, 150.0, 2.0)
    config = SimulateConfig()
    config.cosmic_rays.count = 0
    detector = instrument.load_camera().detectors[0]
    path = simulate_file(instrument, shot, [detector], config, FileOptions(tmp_path, file_format), seed=1)
    done = translate_file(path, instrument.translator, ("visit", "ccd"))
    assert not done.error
    (row,) = done.rows
    assert (row["visit"], row["ccd"], row["filter"], row["dateObs"]) == (12, 1, "Clear", "2020-09-04")
    assert np.isclose(row["expTime"], 1.0)
