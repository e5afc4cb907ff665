"""Sinistro: four amplifiers in four extensions, each with its own way to run."""

from datetime import datetime

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from obs_sinistro import instrument
from obs_sinistro.translator import SinistroTranslator

from obs.camera.fits_table import read_amplifiers, write_amplifiers
from obs.geom import Box
from obs.image.visit_info import VisitInfo
from obs.instrument.boresight_wcs import fit_boresight_wcs
from obs.testing import CameraContract

BINNING, FIRST = 2, 1024  # the window begins at pixel 1025 of the detector


class TestSinistro(CameraContract):
    camera = instrument
    headers = "headers.yaml"


@pytest.fixture(scope="module")
def detector():
    return instrument.load_camera().detector("fa05")


@pytest.fixture(scope="module")
def real(shared_data):
    """Headers and pixels of the HDUs of a real frame."""
    with fits.open(shared_data / "sinistro/raw_four_amp_mef.fits.gz") as hdus:
        return [(hdu.header.copy(), None if hdu.data is None else hdu.data.astype(float)) for hdu in hdus]


def test_boxes_are_those_of_the_headers(detector, real):
    for amp in detector.amplifiers:
        header, pixels = real[amp.raw_hdu]
        assert detector.raw_shape == pixels.shape == amp.raw_bbox.shape
        assert amp.raw_data_bbox == Box.from_section(header["DATASEC"])
        assert amp.raw_serial_overscan_bbox == Box.from_section(header["BIASSEC"])
        place = Box.from_section(header["DETSEC"])
        assert amp.bbox == Box(
            (place.x_min - FIRST) // BINNING,
            (place.y_min - FIRST) // BINNING,
            place.width // BINNING,
            place.height // BINNING,
        )
        x, y = (part.split(":") for part in header["DETSEC"].strip("[]").split(","))
        assert amp.flip_x == (int(x[0]) > int(x[1]))
        assert amp.flip_y == (int(y[0]) > int(y[1]))
        assert amp.nominal.gain == header["GAIN"]


def test_read_out_begins_in_the_corners_of_the_detector(detector):
    assert {amp.bbox.x_min: amp.readout_corner for amp in detector.amplifiers if amp.bbox.y_min == 0} == {
        0: "LL",
        512: "LR",
    }
    assert {amp.bbox.x_min: amp.readout_corner for amp in detector.amplifiers if amp.bbox.y_min == 512} == {
        0: "UL",
        512: "UR",
    }


def test_rows_behind_the_data_have_the_level_of_the_overscan(detector, real):
    for amp in detector.amplifiers:
        pixels = real[amp.raw_hdu][1]
        serial, parallel = (
            np.median(pixels[box.slices]) for box in (amp.raw_serial_overscan_bbox, amp.raw_parallel_overscan_bbox)
        )
        assert abs(serial - parallel) < 2


def test_amplifiers_see_the_same_sky(detector, real):
    sky = []
    for amp in detector.amplifiers:
        pixels = real[amp.raw_hdu][1]
        light = np.median(pixels[amp.raw_data_bbox.slices]) - np.median(pixels[amp.raw_serial_overscan_bbox.slices])
        sky.append(light * amp.nominal.gain)
    assert max(sky) / min(sky) < 1.03


def test_hdus_survive_the_way_through_fits(detector, tmp_path):
    write_amplifiers(detector.amplifiers, tmp_path / "fa05.fits")
    read = read_amplifiers(tmp_path / "fa05.fits")
    assert [amp.raw_hdu for amp in read] == [1, 2, 3, 4]
    assert repr(read) == repr(detector.amplifiers)


def test_scale_and_orientation_are_those_of_the_header(detector, real):
    header = real[0][0]
    wcs = fit_boresight_wcs(
        instrument.load_camera(), detector, boresight_ra=header["CRVAL1"], boresight_dec=header["CRVAL2"]
    )
    theirs = [[header[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)]
    np.testing.assert_allclose(wcs.cd, theirs, atol=2e-7)


@given(
    night=st.datetimes(datetime(2010, 1, 1), datetime(2026, 1, 1)), number=st.integers(0, 9999), ra=st.floats(0, 359.99)
)
def test_made_header_gives_the_data_id(night, number, ra):
    date = night.date().isoformat()
    data_id = {
        "visit": (night - datetime(2010, 1, 1)).days * 10000 + number,
        "ccd": 0,
        "filter": "rp",
        "dateObs": date,
        "taiObs": date,
        "expTime": 30.0,
    }
    info = VisitInfo(exposure_time=30.0, date_begin=night.isoformat(timespec="milliseconds"), boresight_ra=ra)
    header = SinistroTranslator.make_header(
        data_id,
        visit_info=info,
        detector=instrument.load_camera().detector(0),
        physical_filter="rp",
        image_type="science",
    )
    assert SinistroTranslator().registry_columns(header) == data_id
    assert SinistroTranslator().visit_info(header).boresight_ra == pytest.approx(ra)
