"""The teaching camera: its tables, its headers both ways, its policy and settings."""

import math
import subprocess
import sys
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.camera.fits_table import read_amplifiers, write_amplifiers
from obs.config.layers import ConfigLayers
from obs.errors import DataIdError, FileFormatError
from obs.geom import Box
from obs.image.visit_info import VisitInfo
from obs.instrument.boresight_wcs import fit_boresight_wcs
from obs.instrument.card_values import parse_date
from obs.tasks.process_config import ProcessConfig
from obs.testing import CameraContract
from obs_necam import instrument
from obs_necam.exposure_id import exposure_id
from obs_necam.translator import NecamTranslator

HEADER = {
    "IMGTYPE": "science",
    "FILTER": "Clear",
    "DATE-OBS": "20200904",
    "RUN": 7,
    "INSTRUME": "NECAM",
    "DETECTOR": 1,
    "EXPTIME": 60,
    "RA2000": 150.25,
    "DEC2000": -2.5,
}
ROW = {
    "visit": 7,
    "ccd": 1,
    "filter": "Clear",
    "dataType": "science",
    "dateObs": "2020-09-04",
    "taiObs": "2020-09-04",
    "expTime": 60.0,
}


class TestNecam(CameraContract):
    camera = "necam"
    headers = "headers.json"


def test_importing_reads_no_data_file():
    code = (
        "import sys; opened = []; sys.addaudithook(lambda e, a: e == 'open' and opened.append(str(a[0])));"
        "import obs_necam; bad = [p for p in opened if p.endswith(('.yaml', '.csv'))]; sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_there_is_one_detector_of_one_amplifier():
    camera = instrument.load_camera()
    (detector,) = camera
    assert (detector.id, detector.name, detector.raw_shape) == (1, "n1_necam", (4096, 6144))
    assert detector.bbox == Box(0, 0, 6144, 4096)
    (amp,) = detector.amplifiers
    assert (amp.name, amp.bbox, amp.raw_data_bbox) == ("left", detector.bbox, detector.bbox)
    assert (amp.nominal.gain, amp.nominal.read_noise, amp.nominal.saturation) == (0.5, 20.0, 65535.0)


def test_pixels_are_half_an_arcsec():
    camera = instrument.load_camera()
    wcs = fit_boresight_wcs(camera, camera.detector(1), boresight_ra=150.0, boresight_dec=2.0)
    assert wcs.pixel_scale == pytest.approx(0.5)
    assert wcs.sky_to_pixel(ra=[150.0], dec=[2.0]) == pytest.approx((3071.5, 2047.5))


def test_amplifier_table_survives_the_way_through_fits(tmp_path):
    amplifiers = instrument.load_camera().detector(1).amplifiers
    write_amplifiers(amplifiers, tmp_path / "n1_necam.fits")
    assert repr(read_amplifiers(tmp_path / "n1_necam.fits")) == repr(amplifiers)


def test_header_gives_the_registrys_row():
    assert NecamTranslator().registry_columns(HEADER) == ROW
    assert NecamTranslator().registry_columns(HEADER | {"RUN": "7", "DETECTOR": "1", "EXPTIME": "60"}) == ROW


def test_header_gives_the_circumstances():
    info = NecamTranslator().visit_info(HEADER, exposure_id=449)
    assert (info.exposure_id, info.exposure_time, info.dark_time) == (449, 60.0, 60.0)
    assert (info.boresight_ra, info.boresight_dec) == (150.25, -2.5)  # degrees, not hours
    assert info.date_begin == ""
    later = NecamTranslator().visit_info(HEADER | {"TIME-OBS": "23:59:50.000"})
    assert (later.date_begin, later.date_end) == ("2020-09-04T23:59:50.000", "2020-09-05T00:00:50.000")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"DATE-OBS": "2020-09-04"}, r"^dateObs: '2020-09-04' is not a date like '20200904'$"),
        ({"RUN": "A7"}, r"^visit: 'A7' is not a number$"),
        ({"RUN": True}, r"^visit: T is a logical value, not a number$"),
        ({"DETECTOR": 1.5}, r"^ccd: 1\.5 is not a whole number$"),
    ],
)
def test_wrong_header_is_told(change, message):
    with pytest.raises(FileFormatError, match=message):
        NecamTranslator().registry_columns(HEADER | change)


def test_header_without_its_number_is_told():
    header = {key: value for key, value in HEADER.items() if key != "RUN"}
    with pytest.raises(FileFormatError, match=r"^visit: the header does not have RUN$"):
        NecamTranslator().registry_columns(header)


def test_exposure_time_that_is_no_number_is_not_known():
    header = HEADER | {"EXPTIME": math.nan}
    assert math.isnan(NecamTranslator().registry_columns(header)["expTime"])
    assert math.isnan(NecamTranslator().visit_info(header).dark_time)


# a header with the first hour of 2000 is one of a clock that was not set
OBSERVED = st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1)).filter(
    lambda begin: begin.date() != date(2000, 1, 1)
)


@given(
    visit=st.integers(0, 9999),
    begin=OBSERVED,
    seconds=st.floats(0, 1200),
    ra=st.floats(1e-3, 360, exclude_max=True),
    dec=st.floats(-90, 90),
    rotation=st.floats(-180, 180),
    image_type=st.sampled_from(["bias", "dark", "flat", "science"]),
)
def test_made_header_gives_the_data_id_and_circumstances(visit, begin, seconds, ra, dec, rotation, image_type):
    begin = begin.replace(microsecond=begin.microsecond // 1000 * 1000)
    date = begin.date().isoformat()
    data_id = {"visit": visit, "ccd": 1, "filter": "Clear", "dateObs": date, "taiObs": date, "expTime": seconds}
    info = VisitInfo(
        exposure_time=seconds,
        date_begin=begin.isoformat(timespec="milliseconds"),
        boresight_ra=ra,
        boresight_dec=dec,
        rotation_angle=rotation,
    )
    header = NecamTranslator.make_header(
        data_id,
        visit_info=info,
        detector=instrument.load_camera().detector(1),
        physical_filter="Clear",
        image_type=image_type,
    )
    assert NecamTranslator().registry_columns(header) == data_id | {"dataType": image_type}
    read = NecamTranslator().visit_info(header)
    assert (read.exposure_time, read.boresight_ra, read.boresight_dec) == (seconds, ra, dec)
    assert read.rotation_angle == rotation
    assert abs(parse_date(read.date_begin) - begin) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("dataset_type", "path"),
    [
        ("raw", "raw/2020-09-04/science-0007-Clear-01.fts"),
        ("icSrc", "sci-results/icSrc/2020-09-04/icSrc-0007-Clear-01.fits"),
        ("calexp", "calexp/raw/2020-09-04/science-0007-Clear-01.fits"),
        ("bias", "BIAS/2020-09-01/BIAS-2020-09-01-01.fits"),
        ("flat", "FLAT/2020-09-01/Clear/FLAT-2020-09-01-Clear-01.fits"),
    ],
)
def test_files_lie_where_the_policy_says(dataset_type, path):
    kind = instrument.load_policy().dataset_types[dataset_type]
    assert kind.format(ROW | {"calibDate": "2020-09-01"}) == path


def test_settings_do_without_overscan_and_defects():
    layers = ConfigLayers(ProcessConfig)
    layers.load(instrument.config_folder / "process.yaml")
    config = layers.build()
    assert not config.isr.do_overscan
    assert not config.isr.do_defect
    assert config.isr.do_bias
    assert config.isr.do_flat


@given(visit=st.integers(0, 2**29 // 64 - 1), ccd=st.integers(0, 63))
def test_exposure_id_is_visit_and_detector(visit, ccd):
    assert divmod(instrument.exposure_number({"visit": visit, "ccd": ccd}), 64) == (visit, ccd)


@pytest.mark.parametrize(
    ("data_id", "message"),
    [
        ({"ccd": 1}, r"^the number of an exposure needs the key 'visit'$"),
        ({"visit": 1, "ccd": 64}, r"^ccd=64 is not from 0 to 63$"),
    ],
)
def test_exposure_without_number_is_told(data_id, message):
    with pytest.raises(DataIdError, match=message):
        exposure_id(data_id)


def test_visit_that_does_not_fit_is_told():
    with pytest.raises(DataIdError, match=r"^visit=1073741824 is not from 0 to 8388607$"):
        instrument.exposure_number({"visit": 2**30, "ccd": 1})
