"""Begin, middle and end of an exposure from headers of any origin."""

import math

import pytest

from obs.repo.header_times import infer_visit_info


@pytest.mark.parametrize(
    ("cards", "begin", "middle"),
    [
        ({"DATE-OBS": "2024-03-01T22:00:00", "EXPTIME": 60.0}, "2024-03-01T22:00:00.000", "2024-03-01T22:00:30.000"),
        (
            {"DATE-OBS": "2024-03-01T23:30:00+02:00", "EXPTIME": 60},
            "2024-03-01T21:30:00.000",
            "2024-03-01T21:30:30.000",
        ),
        ({"DATE-OBS": "2024-03-01T22:00:00-0330", "EXPTIME": 60}, "2024-03-02T01:30:00.000", "2024-03-02T01:30:30.000"),
        ({"DATE-OBS": "2024-03-01T22:00:00Z"}, "2024-03-01T22:00:00.000", ""),
        ({"DATE-OBS": "2024-03-01", "TIME-OBS": "22:00:00.5"}, "2024-03-01T22:00:00.500", ""),
        ({"DATE-OBS": "2024-03-01", "MJD-OBS": 60370.5}, "2024-03-01T12:00:00.000", ""),
        ({"MJD-OBS": 60370.5, "EXPTIME": 2.0}, "2024-03-01T12:00:00.000", "2024-03-01T12:00:01.000"),
        (
            {"DATE-BEG": "2024-03-01T22:00:00", "DATE-AVG": "2024-03-01T23:00:40+01:00", "EXPTIME": 60.0},
            "2024-03-01T22:00:00.000",
            "2024-03-01T22:00:40.000",
        ),
        ({"DATE-OBS": "yesterday", "EXPTIME": 2.0}, "", ""),
    ],
)
def test_dates(cards, begin, middle):
    info = infer_visit_info(cards)
    assert (info.date_begin, info.date_avg) == (begin, middle)


@pytest.mark.parametrize(
    ("cards", "seconds"),
    [
        ({"EXPTIME": 30.0}, 30.0),
        ({"EXPTIME": " 30.0 "}, 30.0),
        ({"EXPOSURE": 30}, 30.0),
        ({"XPOSURE": 30, "EXPTIME": float("nan")}, 30.0),
        ({"EXPMSEC": 500}, 0.5),
        ({"EXPTIME": 0.0, "DATE-OBS": "2024-03-01"}, math.nan),
    ],
)
def test_exposure_times(cards, seconds):
    assert infer_visit_info(cards).exposure_time == pytest.approx(seconds, nan_ok=True)


def test_a_header_without_any_of_it():
    assert infer_visit_info({"OBJECT": "M 31"}) is None
