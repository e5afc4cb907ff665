"""Which values of a header are plausible."""

from pathlib import Path

import pytest
from astropy.io import fits

from obs.doctor.exposure import RawExposure
from obs.doctor.header import check_header
from obs.doctor.sky import check_sky
from obs.inspection.cards import parse_cards
from obs.instrument.explain import explain
from obs.instrument.instrument import FilterDefinition, Instrument
from obs.instrument.translator import Translator

AMPLIFIERS = """\
detector,name,bbox_x_min,bbox_y_min,bbox_width,bbox_height,raw_bbox_x_min,raw_bbox_y_min,raw_bbox_width,\
raw_bbox_height,raw_data_bbox_x_min,raw_data_bbox_y_min,raw_data_bbox_width,raw_data_bbox_height,readout_corner,gain,\
read_noise,saturation
chip,a,0,0,10,10,0,0,10,10,0,0,10,10,LL,1,5,60000
"""
DETECTORS = """\
id,name,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,offset_x,offset_y
1,chip,10,10,10,10,0.015,0.015,0,0
"""
HEADER = {
    "RUN": 5,
    "CHIP": 1,
    "IMAGETYP": "object",
    "FILTER": "r",
    "DATE-OBS": "2021-10-08T01:55:17.144",
    "EXPTIME": 94.975,
    "DARKTIME": 96.0,
    "AIRMASS": 1.1598,
    "RA": 287.3248,
    "DEC": 59.4939,
    "ALT": 59.5785,
    "AZ": 345.672,
    "LAT": 30.679833,
    "LON": -104.015173,
    "HUMID": 30.0,
    "CTYPE1": "RA---TAN",
    "CD1_1": -2.161e-4,
    "CD2_2": 2.161e-4,
}


class Plausible(Translator):
    columns = {"run": int, "chip": int, "filter": str, "dataType": str, "dateObs": str, "temp": float}
    unique = ("run", "chip")
    visit = ("run", "filter", "dateObs")
    translation = {
        "run": "RUN",
        "chip": "CHIP",
        "filter": "FILTER",
        "dataType": "IMAGETYP",
        "temp": "CCDTEMP",
        "date_begin": "DATE-OBS",
        "date_end": "DATE-END",
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        "dark_time": ("DARKTIME", {"unit": "s"}),
        "airmass": "AIRMASS",
        "boresight_ra": ("RA", {"unit": "deg"}),
        "boresight_dec": ("DEC", {"unit": "deg"}),
        "boresight_altitude": ("ALT", {"unit": "deg"}),
        "boresight_azimuth": ("AZ", {"unit": "deg"}),
        "latitude": ("LAT", {"unit": "deg"}),
        "longitude": ("LON", {"unit": "deg"}),
        "humidity": ("HUMID", {"unit": "%"}),
    }

    def translate_dateObs(self, md):
        return md["DATE-OBS"][:10]


@pytest.fixture
def look(tmp_path):
    """Check a header with some cards changed; return verdict and note by name."""
    (tmp_path / "camera.yaml").write_text("name: plain\nplate_scale: 51.86\n")
    (tmp_path / "detectors.csv").write_text(DETECTORS)
    (tmp_path / "amplifiers.csv").write_text(AMPLIFIERS)
    instrument = Instrument(
        "plain",
        folder=tmp_path,
        policy="policy.yaml",
        camera=".",
        filters=(FilterDefinition(physical_filter="r", band="r"),),
        exposure_id=lambda data_id: data_id["run"],
        exposure_id_bits=8,
        detector="%(chip)d",
    )

    def run(translator=Plausible, **changes):
        header = {key: value for key, value in (HEADER | changes).items() if value is not None}
        lines = fits.Header(list(header.items())).tostring(sep="\n", endcard=False, padding=False).splitlines()
        reader = translator()
        reader.guarded = False  # as obs doctor has it
        row = reader.registry_columns(header)
        exposure = RawExposure(
            path=Path("a.fits"),
            hdu=0,
            instrument=instrument,
            translator=reader,
            header=header,
            cards=parse_cards(lines),
            values=tuple(explain(reader, header)),
            row=row,
            detector=instrument.load_camera().detectors[0],
        )
        return {check.name: check for check in (*check_header(exposure), *check_sky(exposure))}

    return run


def test_a_good_header_has_nothing_wrong(look):
    found = look()
    assert {check.verdict for check in found.values()} == {"ok", "not known"}
    assert found["exposure_time"].value == "94.975 s"
    assert found["exposure_time"].source == "EXPTIME"
    assert found["pixel scale"].verdict == found["altitude, azimuth"].verdict == "ok"


@pytest.mark.parametrize(
    ("changes", "name", "note"),
    [
        ({"DATE-OBS": "1969-07-20T20:17:00"}, "date_begin", "no CCD was at a telescope before 1976"),
        ({"DATE-OBS": "2969-07-20T20:17:00"}, "date_begin", "it is in the future"),
        ({"DATE-OBS": "08/10/2021"}, "date_begin", "'08/10/2021' is not a date like '2020-09-04T21:30:00'"),
        ({"DATE-OBS": None}, "dateObs", None),
        ({"EXPTIME": -1.0}, "exposure_time", "it is negative"),
        ({"EXPTIME": 1e5}, "exposure_time", "it is longer than a day"),
        ({"EXPTIME": "long"}, "exposure_time", "EXPTIME = 'long' is not a number"),
        ({"DARKTIME": 90.0}, "dark_time", "it is shorter than the exposure time, 94.975 s"),
        ({"DARKTIME": -90.0}, "dark_time", "it is negative"),
        ({"AIRMASS": 2.0}, "airmass", "at altitude 59.58 deg it is 1.160"),
        ({"AIRMASS": 0.5}, "airmass", "an airmass is 1 or more"),
        ({"HUMID": 250.0}, "humidity", "it is not between 0 and 110 %"),
        ({"LAT": 100.0}, "latitude", "it is not between -90 and 90 deg"),
        ({"CHIP": 9}, "chip", "camera 'plain' has no detector 9; it has 1 detectors, ids 1 to 1"),
        ({"RUN": 999}, "exposure number", "the exposure id 999 of plain does not fit in 8 bits"),
        ({"FILTER": "z"}, "filter", "plain has no filter 'z'"),
        ({"CD1_1": -4.0e-4, "CD2_2": 4.0e-4}, "pixel scale", "CD1_1 .. CD2_2 says 1.44 arcsec"),
        ({"RA": 19.155}, "altitude, azimuth", "pointing, place and date put it at"),
        ({"LON": 104.015173}, "altitude, azimuth", "pointing, place and date put it at"),
        ({"AZ": 165.672}, "altitude, azimuth", "pointing, place and date put it at"),
    ],
)
def test_what_cannot_be_is_wrong(look, changes, name, note):
    if note is None:
        with pytest.raises(ValueError, match="the header does not have DATE-OBS"):
            look(**changes)
        return
    check = look(**changes)[name]
    assert check.verdict == "wrong"
    assert note in check.note
    assert check.remedy


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"RA": 19.155}, "translation['boresight_ra']: the unit: it fits if the card is in hours"),
        ({"LON": 104.015173}, "translation['longitude']: the sign: it fits if the card counts west as positive"),
        ({"AZ": 165.672}, "translation['boresight_azimuth']: it fits if the card counts from south through west"),
        ({"AZ": 194.328}, "translation['boresight_azimuth']: it fits if the card counts from south through east"),
        ({"LAT": -30.0}, "translation['boresight_ra']: look at ra, dec, longitude, latitude, altitude, azimuth and"),
    ],
)
def test_what_would_mend_a_direction_is_named(look, changes, wanted):
    assert wanted in look(**changes)["altitude, azimuth"].remedy


def test_what_need_not_be_wrong_is_only_to_look_at(look):
    assert look(CCDTEMP="cold")["temp"].verdict == "doubtful"
    assert look(FILTER="z", IMAGETYP="bias", EXPTIME=0.0, DARKTIME=0.0)["filter"].verdict == "doubtful"
    assert look(**{"DATE-END": "2021-10-08T01:55:20"})["date_end"].verdict == "doubtful"


def test_directions_need_their_parts(look):
    assert look(LON=None)["altitude, azimuth"].note == "longitude would have to be known"
    assert look(LAT=100.0)["altitude, azimuth"].note == "latitude would have to be known"
    assert look(SIMSEED=1)["altitude, azimuth"].note == "the frame is simulated"
    assert "altitude, azimuth" not in look(ALT=None)


def test_cards_that_tell_what_is_not_read_are_named(look):
    class Other(Plausible):
        translation = Plausible.translation | {
            "exposure_time": ("TIME", {"unit": "s"}),
            "date_begin": "DATE",
            "boresight_ra": ("RIGHTASC", {"unit": "deg"}),
        }

    found = look(Other)
    assert found["exposure_time"].note == "not known, though EXPTIME gives it"
    assert "test_doctor_header.py:" in found["exposure_time"].remedy
    assert "translation['exposure_time']: name EXPTIME, which holds 94.975" in found["exposure_time"].remedy
    assert found["date_begin"].verdict == "wrong"
    assert found["boresight_ra"].verdict == "doubtful"
