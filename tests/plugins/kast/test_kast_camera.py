"""Kast: overscans that are not beside their data, described by a table."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from obs_kast import instrument
from obs_kast.translator import KastTranslator

from obs.geom import Box
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import parse_date
from obs.testing import CameraContract


class TestKast(CameraContract):
    camera = instrument
    headers = "headers.yaml"


@pytest.fixture(scope="module")
def detector():
    return instrument.load_camera().detector("blue")


@pytest.fixture
def frame(shared_data):
    """Read the header and the pixels of a real frame."""
    return lambda name: fits.getdata(shared_data / f"kast/{name}.fits.gz", header=True)[::-1]


def test_every_pixel_is_of_one_box(detector):
    use = np.zeros(detector.raw_shape, int)
    for amp in detector.amplifiers:
        use[amp.raw_data_bbox.slices] += 1
        use[amp.raw_serial_overscan_bbox.slices] += 1
    assert (use == 1).all()


def test_overscans_lie_side_by_side_behind_both_amplifiers(detector, frame):
    header, pixels = frame("b21")
    assert detector.raw_shape == pixels.shape == (350, 2112)
    width, data = header["COVER"], Box.from_section(header["DATASEC"])
    assert len(detector.amplifiers) == header["AMPSROW"]
    for number, amp in enumerate(detector.amplifiers):
        assert amp.raw_serial_overscan_bbox == Box(data.x_max + number * width, 0, width, 350)
        assert data.contains(amp.raw_data_bbox)


@pytest.mark.parametrize("name", ["b21", "b22"])
def test_overscan_has_the_level_of_its_own_amplifier(detector, frame, name):
    _, pixels = frame(name)
    levels = [
        [np.median(pixels[box.slices]) for box in (amp.raw_data_bbox, amp.raw_serial_overscan_bbox)]
        for amp in detector.amplifiers
    ]
    (left, left_overscan), (right, right_overscan) = levels
    assert right - left > 15
    assert abs(left - left_overscan) < 3
    assert abs(right - right_overscan) < 3


@given(
    begin=st.datetimes(datetime(2008, 1, 1), datetime(2026, 1, 1)),
    number=st.integers(0, 9999),
    seconds=st.floats(0, 3600),
)
def test_made_header_gives_the_data_id(begin, number, seconds):
    visit = (begin - datetime(2008, 1, 1)).days * 10000 + number
    date = begin.date().isoformat()
    data_id = {"visit": visit, "ccd": 0, "filter": "Open", "dateObs": date, "taiObs": date, "expTime": seconds}
    info = VisitInfo(exposure_time=seconds, date_begin=begin.isoformat(timespec="milliseconds"))
    header = KastTranslator.make_header(
        data_id,
        visit_info=info,
        detector=instrument.load_camera().detector(0),
        physical_filter="Open",
        image_type="science",
    )
    assert KastTranslator().registry_columns(header) == data_id
    read = parse_date(KastTranslator().visit_info(header).date_begin)
    assert abs(read - begin) <= timedelta(milliseconds=2)
