"""Headers with gaps, and the ages of calibration frames."""

import math
import re

import numpy as np
import pytest

from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.visit_info import VisitInfo
from obs.metrics.header import measure_ages, measure_header
from obs.metrics.measured import Measured

KNOWN = {
    "exposure_time": 60.0,
    "date_begin": "2020-09-04T03:00:00.000",
    "date_avg": "2020-09-04T03:00:30.000",
    "date_end": "2020-09-04T03:01:00.000",
    "boresight_ra": 150.0,
    "boresight_dec": 2.0,
    "airmass": 1.2,
}


def problems(cards=None, **changes):
    out = Measured()
    pixels = MaskedImage(np.zeros((4, 4), np.float32))
    info = VisitInfo(**KNOWN | changes)
    exposure = Exposure(pixels, visit_info=info, physical_filter="r", metadata=cards)
    measure_header(out, exposure)
    measure_ages(out, exposure)
    return out


def test_a_whole_header_has_no_problem():
    assert problems().values["header_problems"] == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exposure_time": 0.0}, "the exposure time is 0 s"),
        ({"exposure_time": math.nan}, "the exposure time is missing"),
        ({"boresight_ra": math.nan}, "the pointing is missing"),
        ({"date_begin": "", "date_avg": "", "date_end": ""}, "the date is missing"),
        ({"airmass": 0.3}, "airmass is 0.3, not from"),
        ({"date_end": "2020-09-04T02:59:00.000"}, "date_end .* is before date_begin"),
        ({"cards": {"CCD-TEMP": -88.0, "SET-TEMP": -100.0}}, "the detector is at -88.0 C, its set point is -100.0 C"),
    ],
)
def test_what_cannot_be_is_named(changes, words):
    found = problems(**changes).details["header"]
    assert any(re.search(words, line) for line in found), found


def test_ages_are_days_and_have_reasons():
    out = problems({"CALIB_DATE_BIAS": "2020-09-01", "CALIB_DATE_DARK": "yesterday"})
    assert out.values["bias_age"] == pytest.approx(2.625, abs=0.01)
    assert "('yesterday') is not known" in out.reasons["dark_age"]
    assert out.reasons["flat_age"] == "no flat with a date was used"
