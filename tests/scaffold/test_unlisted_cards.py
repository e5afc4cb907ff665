"""Cards that no list names, and words of other languages: how they are read, alone and by the translator."""

from datetime import datetime

import numpy as np
import pytest
from made_package import imported, rows_of

from obs.ingest.translation import load_translator
from obs.inspection.inspect import inspect_files
from obs.inspection.pixels.type_levels import show_stars
from obs.inspection.raw_file import read_raw_file
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.facts import template_facts
from raw_frames import COMMON, write_frame

SHAPE = (64, 80)
BEGIN = "2026-11-20T21:30:00.000"


def frame_at(path, *cards, without=(), stars=True):
    random = np.random.default_rng(4)
    y, x = np.indices(SHAPE)
    pixels = random.normal(500, 5, SHAPE)
    for star_x, star_y in random.uniform(8, 56, (8, 2)) if stars else ():
        pixels = pixels + 2000 * np.exp(-((x - star_x) ** 2 + (y - star_y) ** 2) / 4.0)
    pixels[random.integers(0, 64, 30), random.integers(0, 80, 30)] += 900  # hot pixels are not stars
    names = {card[0] for card in cards} | set(without)
    return write_frame(path, [*(c for c in COMMON if c[0] not in names), *cards], np.round(pixels).astype(int))


def made(tmp_path, found):
    facts = template_facts(found, visit_key="visit", detector_key="ccd")
    return create_package(Answers(camera="odd"), tmp_path, facts=facts)


@pytest.mark.parametrize(
    ("card", "confidence"),
    [
        (("JD-START", 2461365.3958333335), "likely"),
        (("OBSMJDUT", 61364.895833333336), "likely"),
        (("JDUNIT", 2461365.3958333335), "guess"),
        (("EXPMJDEN", 61364.89618055556, "end of exposure"), "likely"),
        (("DATE-OBS", "2026-11-21T06:30:00", "[JST] start of exposure"), "likely"),
        (("DATE-OBS", "2026-11-20T11:30:00", "HST at begin"), "likely"),
    ],
)
def test_begin_of_the_exposure(tmp_path, card, confidence):
    found = inspect_files([frame_at(tmp_path / "a.fits", card, without=("DATE-OBS", "MJD-OBS"))])
    assert found["date_begin"].value == BEGIN
    assert found["date_begin"].confidence == confidence
    cards = found.files[0].cards
    begin = found.frames.dates[0].read(cards, float(found["exposure_time"].value))
    assert abs((begin - datetime.fromisoformat(BEGIN)).total_seconds()) < 1e-3


@pytest.mark.parametrize(
    ("text", "begin", "middle"),
    [
        ("2016-12-31T23:59:60.5", "2016-12-31T23:59:60.500", "2017-01-01T00:00:14.500"),
        ("2017-12-31T23:59:60.5", "2018-01-01T00:00:00.500", "2018-01-01T00:00:15.500"),
        ("2025-06-30T23:59:60", "2025-07-01T00:00:00.000", "2025-07-01T00:00:15.000"),
    ],
    ids=["a leap second", "rounded", "rounded in June"],
)
def test_seconds_of_60_at_midnight(tmp_path, text, begin, middle):
    """An exposure of 30 s that begins in the middle of a leap second: 15 s later it is 00:00:14.5 UTC."""
    cards = ("DATE-OBS", text)
    found = inspect_files([frame_at(tmp_path / "a.fits", cards, without=("MJD-OBS",))])
    assert found["date_begin"].value == begin
    with imported(made(tmp_path, found)) as instrument:
        info = load_translator(instrument).visit_info({card[0]: card[1] for card in [*COMMON, cards]})
        assert (info.date_begin, info.date_avg) == (begin, middle)
        row = rows_of(instrument, tmp_path / "a.fits")[0]
        assert (row["taiObs"], row["dateObs"]) == (begin, begin[:10])


@pytest.mark.parametrize("card", [("HJD", 2461365.39), ("BJDSTART", 2461365.39), ("MJDREF", 51544.0), ("JDMAX", 12.0)])
def test_other_days_do_not_date_a_frame(tmp_path, card):
    found = inspect_files([frame_at(tmp_path / "a.fits", card, without=("DATE-OBS", "MJD-OBS"))])
    assert found["date_begin"].confidence in ("guess", "not known")


def test_a_z_contradicts_another_time_scale(tmp_path):
    cards = [("DATE-OBS", "2026-11-20T21:30:00Z", "start"), ("TIMESYS", "TDB")]
    found = inspect_files([frame_at(tmp_path / "a.fits", *cards)])
    assert (found["time_scale"].value, found["time_scale"].confidence) == ("UTC", "guess")
    assert "TIMESYS says TDB" in found["time_scale"].note


@pytest.mark.parametrize("card", [("EXPTIME", 0.5, "[d] time on source"), ("EXPTIME", 0.5, "exposure, in days")])
def test_days_of_exposure(tmp_path, card):
    assert inspect_files([frame_at(tmp_path / "a.fits", card)])["exposure_time"].value == 43200.0


def test_height_in_meters_is_that_of_the_site(tmp_path):
    found = inspect_files([frame_at(tmp_path / "a.fits", ("HEIGHT", 1760.0, "[m]"))])
    assert (found["elevation"].value, found["elevation"].source) == (1760.0, "HEIGHT")
    found = inspect_files([frame_at(tmp_path / "b.fits", ("HEIGHT", 64, "image height"))])
    assert not found["elevation"].is_known


@pytest.mark.parametrize(
    ("cards", "kind"),
    [
        ([("IMAGETYP", "Dark 0s"), ("EXPTIME", 0.0)], "bias"),
        ([("IMAGETYP", "Dark 60s"), ("EXPTIME", 60.0)], "dark"),
        ([("TYPEIMG", "Noir"), ("EXPTIME", 60.0)], "dark"),
        ([("TYPEIMG", "PLU"), ("EXPTIME", 2.0)], "flat"),
        ([("TYPEIMG", "Offset"), ("EXPTIME", 0.0)], "bias"),
    ],
)
def test_image_type(tmp_path, cards, kind):
    found = inspect_files([frame_at(tmp_path / "a.fits", *cards, ("OBJECT", ""), without=("IMAGETYP",))])
    assert found["image_type"].value == kind
    with imported(made(tmp_path, found)) as instrument:
        assert rows_of(instrument, tmp_path / "a.fits")[0]["dataType"] == kind


def test_filter_in_a_card_of_another_name(tmp_path):
    found = inspect_files([frame_at(tmp_path / "a.fits", ("FILTRES", "V"), without=("FILTER",))])
    assert (found["filter"].value, found["filter"].source, found["filter"].confidence) == ("V", "FILTRES", "guess")


def test_hour_angle_and_sidereal_time_make_the_pointing(tmp_path):
    """On a date of 2026 the equinox has moved by a third of a degree."""
    cards = [("LST", "14:00:00"), ("HA", "+00:40:00"), ("DEC", "+30:00:00"), ("DATE-OBS", BEGIN)]
    found = inspect_files([frame_at(tmp_path / "a.fits", *cards, without=("RA", "CRVAL1", "CTYPE1"))])
    assert found["boresight_ra"].value == pytest.approx(199.70, abs=0.02)
    assert found["boresight_dec"].value == pytest.approx(30.14, abs=0.02)
    assert found["boresight_ra"].confidence == "likely"
    with imported(made(tmp_path, found)) as instrument:
        info = load_translator(instrument).visit_info({card[0]: card[1] for card in [*COMMON, *cards]})
        assert info.boresight_ra == pytest.approx(found["boresight_ra"].value)


def test_frames_without_a_type_that_show_stars_are_science_frames(tmp_path):
    found = inspect_files([frame_at(tmp_path / "a.fits", ("IMAGETYP", "ffi"))])
    assert (found["image_type"].value, found["image_type"].confidence) == ("science", "guess")
    assert any("all show stars: they are taken for science" in text for text in found.warnings)
    with imported(made(tmp_path, found)) as instrument:
        assert rows_of(instrument, tmp_path / "a.fits")[0]["dataType"] == "science"
    dark = frame_at(tmp_path / "b.fits", ("IMAGETYP", "ffi"), stars=False)
    assert not inspect_files([tmp_path / "a.fits", dark])["image_type"].is_known
    assert not show_stars([read_raw_file(dark)])
