"""Raw frames, and their parts that the camera's translator tells."""

import logging

import numpy as np
import pytest
from astropy.io import fits

from obs.ingest.raws import ingest_raws
from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler

CARDS = {
    "IMGTYPE": "OBJECT",
    "FILTER": "Clear",
    "DATE-OBS": "20200904",
    "RUN": 7,
    "INSTRUME": "NECAM",
    "DETECTOR": 1,
    "EXPTIME": 60.0,
    "RA2000": 150.0,
    "DEC2000": 2.0,
}


@pytest.fixture
def butler(tmp_path):
    header = fits.Header(CARDS)
    fits.PrimaryHDU(np.zeros((20, 30), np.uint16), header).writeto(tmp_path / "raw.fits")
    make_repository(tmp_path / "DATA", load_instrument("necam"))
    butler = Butler(tmp_path / "DATA")
    assert ingest_raws(butler, [tmp_path / "raw.fits"]).ok
    return butler


def test_parts_of_a_raw_frame_are_translated(butler):
    info = butler.get("raw_visitInfo", visit=7)
    assert info.exposure_time == 60.0
    assert (info.boresight_ra, info.boresight_dec) == pytest.approx((150.0, 2.0))
    assert info.exposure_id == butler.get("ccdExposureId", visit=7, ccd=1)
    assert butler.get("raw_filter", visit=7) == "Clear"
    assert butler.get("raw_detector", visit=7) == "n1_necam"
    wcs = butler.get("raw_wcs", visit=7)
    box = butler.instrument.find_detector({"ccd": 1}).bbox
    ra, dec = wcs.pixel_to_sky(x=(box.width - 1) / 2, y=(box.height - 1) / 2)
    assert (float(ra), float(dec)) == pytest.approx((150.0, 2.0), abs=1e-3)


def test_a_raw_frame_has_them_too(butler):
    exposure = butler.get("raw", visit=7)
    assert exposure.visit_info == butler.get("raw_visitInfo", visit=7)
    assert exposure.detector_name == "n1_necam"
    assert exposure.physical_filter == "Clear"
    assert exposure.wcs is not None
    assert exposure.metadata["RUN"] == 7


def test_what_cannot_be_translated_is_told(butler, caplog):
    path = butler.path("raw", visit=7)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["EXPTIME"] = "long"
    with caplog.at_level(logging.WARNING):
        exposure = butler.get("raw", visit=7)
    assert exposure.detector_name == "n1_necam"
    assert "its visitInfo is not known: exposure_time: " in caplog.text
