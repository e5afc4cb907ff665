"""Headers with one thing wrong each: what comes of it is not known, or less sure, and the warning names both sides."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from camera_frames import SKY, Amp, Camera, Image, box_of, changed, write_camera
from made_package import imported, processed, rows_of

from obs.checks.package import check_package
from obs.geom import Box
from obs.inspection.inspect import inspect_files
from obs.instrument.exposure_packer import largest_exposure_id
from obs.instrument.translator import Translator
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.facts import template_facts

GOOD = Camera(
    "good",
    [
        ("INSTRUME", "cam"),
        ("TELESCOP", "1m"),
        ("DATE-OBS", "2020-03-04T05:06:07.0"),
        ("MJD-OBS", 58912.2125810185),
        ("EXPTIME", 60.0, "[s]"),
        ("FILTER", "V"),
        ("IMAGETYP", "OBJECT"),
        ("OBJECT", "M 1"),
        ("EXPNUM", 12),
        ("DATASEC", "[9:104,1:64]"),
        ("TRIMSEC", "[9:104,1:64]"),
        ("BIASSEC", "[105:124,1:64]"),
        ("GAIN", 2.3, "e-/ADU"),
        ("RDNOISE", 6.2, "e-"),
        ("RA", "05:34:31.9"),
        ("DEC", "+22:00:52"),
        ("CTYPE1", "RA---TAN"),
        ("CTYPE2", "DEC--TAN"),
        ("CD1_1", -1.0e-4),
        ("CD1_2", 0.0),
        ("CD2_1", 0.0),
        ("CD2_2", 1.0e-4),
    ],
    (Image([], (124, 64), (Amp("[9:104,1:64]", "[105:124,1:64]", gain=2.3, others=("[1:8,1:64]",)),)),),
    in_primary=True,
)
LEVELS = {"not known": 0, "guess": 1, "likely": 2, "certain": 3}


def look(tmp_path, **cards):
    return inspect_files([write_camera(changed(GOOD, "bad", **cards), tmp_path)])


def amplifier(found):
    ((amp,),) = [chip.facts.amplifiers for chip in found.detectors]
    return amp


def test_without_a_fault_all_is_certain(tmp_path):
    found = look(tmp_path)
    amp = amplifier(found)
    assert found.warnings == ()
    assert (amp.data, amp.overscan) == (box_of("[9:104,1:64]"), box_of("[105:124,1:64]"))
    for finding in (amp.findings["data"], amp.findings["overscan"], amp.findings["gain"], amp.findings["read_noise"]):
        assert finding.confidence == "certain", finding
    for quantity in ("date_begin", "exposure_time", "filter", "image_type", "object", "visit"):
        assert found[quantity].confidence == "certain", quantity


@pytest.mark.parametrize(
    ("cards", "quantity", "value", "confidence", "told"),
    [
        ({"EXPTIME": None}, "exposure_time", None, "not known", "no card gives it"),
        ({"EXPTIME": ""}, "exposure_time", None, "not known", "EXPTIME is there, but empty"),
        ({"EXPTIME": "sixty"}, "exposure_time", None, "not known", "EXPTIME = 'sixty' is not a number"),
        ({"EXPTIME": -1.0}, "exposure_time", None, "not known", "EXPTIME = -1.0 cannot be"),
        ({"EXPTIME": 60000.0, "EXPOSURE": 60.0}, "exposure_time", 60000.0, "guess", "EXPOSURE says 60 s"),
        ({"DATE_END": "2020-03-04T05:06:37"}, "exposure_time", 60.0, "guess", "only 30.0 s lie between DATE-OBS"),
        ({"MJD_END": 58912.21275}, "exposure_time", 60.0, "guess", "lie between MJD-OBS and MJD-END"),
        ({"FILTER": ""}, "filter", None, "not known", "FILTER is empty"),
        ({"FILTER": 3}, "filter", None, "not known", "FILTER = 3 is not a name"),
        ({"FILTER": "3"}, "filter", "3", "guess", "a number: perhaps a place in the wheel"),
        ({"FILTER1": "R"}, "filter", "V", "likely", "FILTER1 says 'R'"),
        ({"DATE_OBS": "2020-13-04T05:06:07"}, "date_begin", "2020-03-04T05:06:07.000", "likely", "is not a date"),
        ({"DATE_OBS": "2020-03-04T25:06:07"}, "date_begin", "2020-03-04T05:06:07.000", "likely", "is not a date"),
        ({"DATE_OBS": "2020-13-04", "MJD_OBS": None}, "date_begin", None, "not known", "is not a date that can be"),
        ({"MJD_OBS": 58912.6292}, "date_begin", "2020-03-04T05:06:07.000", "guess", "MJD-OBS says 2020-03-04T15:06"),
        ({"MJD_OBS": 0.0}, "date_begin", "2020-03-04T05:06:07.000", "likely", "MJD-OBS = '0.0' is not a date"),
        ({"IMAGETYP": None}, "image_type", None, "not known", ""),
        ({"IMAGETYP": "qwerty"}, "image_type", None, "not known", "IMAGETYP = 'qwerty' is not a word for a type"),
        ({"OBSTYPE": "FLAT"}, "image_type", "science", "guess", "OBSTYPE says flat"),
        ({"IMAGETYP": "BIAS"}, "image_type", "bias", "guess", "but EXPTIME = 60 s"),
        ({"EXPTIME": 0.0}, "image_type", None, "not known", "but the frame is exposed for 0 s"),
        ({"EXPTIME": 0.0}, "exposure_time", 0.0, "guess", "IMAGETYP says science"),
        ({"EXPTIME": 0.0, "IMAGETYP": None}, "exposure_time", 0.0, "likely", "no card says that this is a bias"),
        ({"OBJECT": 3.7}, "object", "3.7", "guess", "OBJECT is a number, not a name"),
        ({"OBJECT": "#@!?"}, "object", None, "not known", ""),
        ({"FILTER": "", "FILTNAM": "V"}, "filter", "V", "likely", "FILTER names none"),
        ({"CD1_1": 0.0, "CD2_2": 0.0}, "pixel_scale", None, "not known", "CD1_1 .. CD2_2 are all zero"),
        ({"CD1_1": 1.0, "CD2_2": 1.0}, "pixel_scale", None, "not known", "give 3600 arcsec a pixel"),
        ({"PIXSCALE": 0.8}, "pixel_scale", 0.36, "guess", "PIXSCALE says 0.8"),
        ({"EXPNUM": None}, "visit", None, "not known", "no card numbers the exposures"),
        ({"EXPNUM": "twelve"}, "visit", None, "not known", "no card numbers the exposures"),
        (
            {"RA": 5.5755, "DEC": 22.0},
            "boresight_ra",
            5.5755,
            "guess",
            "no card says whether it is in degrees or hours",
        ),
        ({"CRVAL1": 83.6, "CRVAL2": 22.0}, "boresight_ra", 83.633, "certain", ""),
        ({"CRVAL1": 183.6, "CRVAL2": 22.0}, "boresight_ra", 83.633, "guess", "CRVAL1, CRVAL2 are 183.6, 22"),
        ({"CRVAL1": 83.6, "CRVAL2": -22.0}, "boresight_dec", 22.0144, "guess", "CRVAL1, CRVAL2 are 83.6, -22"),
        ({"AIRMASS": 12.0}, "airmass", 12.0, "guess", "low in the sky"),
        ({"DARKTIME": 30.0}, "exposure_time", 60.0, "guess", "DARKTIME says 30 s"),
        ({"CCDSUM": "10 1"}, "binning", (10, 1), "guess", "so differently"),
        ({"DET_ID": 10**7}, "detector", 0, "likely", "no card names it"),
        ({"RA": 400.0, "DEC": 22.0}, "boresight_ra", None, "not known", ""),
        ({"CCDSUM": "0 0"}, "binning", (1, 1), "guess", "CCDSUM = 0 0 is not understood"),
        ({"CCDSUM": "2 2", "XBINNING": 1, "YBINNING": 1}, "binning", (2, 2), "guess", "XBINNING, YBINNING says 1 x 1"),
    ],
)
def test_quantities(tmp_path, cards, quantity, value, confidence, told):
    finding = look(tmp_path, **cards)[quantity]
    assert finding.value == (pytest.approx(value, rel=1e-5) if isinstance(value, float) else value)
    assert finding.confidence == confidence
    assert told in finding.note


DATA, OVERSCAN = box_of("[9:104,1:64]"), box_of("[105:124,1:64]")


@pytest.mark.parametrize(
    ("cards", "data", "overscan", "told"),
    [
        # the data section holds the overscan
        ({"DATASEC": "[1:124,1:64]"}, DATA, OVERSCAN, ""),
        ({"DATASEC": "[1:124,1:64]", "TRIMSEC": None}, DATA, OVERSCAN, "DATASEC = [1:124,1:64]"),
        ({"DATASEC": "[9:124,1:64]", "TRIMSEC": None, "BIASSEC": None}, DATA, OVERSCAN, "no light in columns"),
        # too many columns, by one and by some
        (
            {"DATASEC": "[9:105,1:64]", "TRIMSEC": None, "BIASSEC": "[106:124,1:64]"},
            DATA,
            None,
            "columns 105 of the data",
        ),
        ({"DATASEC": "[5:104,1:64]", "TRIMSEC": None}, DATA, OVERSCAN, "columns 5 to 8 of the data have no light"),
        ({"DATASEC": "[9:100,1:64]", "TRIMSEC": None}, None, OVERSCAN, "columns 101 to 104 beside the data have light"),
        ({"DATASEC": "[9:103,1:64]", "TRIMSEC": None}, None, OVERSCAN, "columns 104 to 104 beside the data have light"),
        # overscan where there is light
        ({"BIASSEC": "[41:60,1:64]"}, DATA, OVERSCAN, "[41:60,1:64] overlap: the overscan is not used"),
        ({"DATASEC": "[9:94,1:64]", "TRIMSEC": None, "BIASSEC": "[95:124,1:64]"}, None, OVERSCAN, "columns 95 to 104"),
        ({"DATASEC": "[29:124,1:64]", "TRIMSEC": None, "BIASSEC": "[9:28,1:64]"}, DATA, OVERSCAN, "the pixels count"),
        # sections that cannot be
        ({"BIASSEC": "[105:140,1:64]"}, DATA, OVERSCAN, "BIASSEC = [105:140,1:64] leaves the image of 124 x 64"),
        ({"BIASSEC": "[105:124]"}, DATA, OVERSCAN, "BIASSEC = '[105:124]' is not a section of the image"),
        ({"DATASEC": "[8:103,0:63]", "TRIMSEC": None}, DATA, OVERSCAN, "DATASEC = '[8:103,0:63]' is not a section"),
        ({"DATASEC": None, "TRIMSEC": None, "BIASSEC": None}, DATA, OVERSCAN, ""),
    ],
)
def test_sections_are_corrected_by_the_pixels_and_no_longer_certain(tmp_path, cards, data, overscan, told):
    found = look(tmp_path, **cards)
    amp = amplifier(found)
    assert data is None or amp.data == data
    assert overscan is None or amp.overscan == overscan
    assert amp.data.intersection(amp.overscan).is_empty
    if told:
        assert any(told in text for text in found.warnings), found.warnings
        assert amp.findings["overscan"].confidence != "certain" or amp.findings["data"].confidence != "certain"
    else:
        assert found.warnings == ()


@pytest.mark.parametrize(
    ("cards", "value", "confidence", "told"),
    [
        ({"GAIN": 1}, 1.0, "guess", "GAIN gives 1, the noise of the pixels at 3"),
        ({"GAIN": 1.0}, 1.0, "guess", " about 2."),
        ({"GAIN": 23.0}, 23.0, "guess", " about 2."),
        ({"GAIN": 2}, 2.0, "likely", ""),
        ({"GAIN": 0.0}, None, "not known", ""),
        ({"GAIN": None}, None, "not known", ""),
        ({"GAIN": "high"}, None, "not known", ""),
        ({"GAIN": 300}, None, "not known", ""),
    ],
)
def test_gains_are_held_against_the_noise(tmp_path, cards, value, confidence, told):
    found = look(tmp_path, **cards)
    gain = amplifier(found).findings["gain"]
    assert (gain.value, gain.confidence) == (value, confidence)
    if value is None:
        assert "the noise suggests about 2." in gain.note
    assert any(told in text for text in found.warnings) if told else not any("gain" in text for text in found.warnings)


def test_read_noise_is_held_against_the_overscan(tmp_path):
    found = look(tmp_path, RDNOISE=20.0)
    assert amplifier(found).findings["read_noise"].confidence == "guess"
    assert any("RDNOISE gives 20, the overscan scatters by" in text for text in found.warnings)


def test_a_bias_frame_leaves_the_header_as_it_is(tmp_path):
    found = inspect_files([write_camera(GOOD, tmp_path, sky=0.0)])
    amp = amplifier(found)
    assert (amp.data, amp.overscan) == (DATA, OVERSCAN)
    assert "agree" not in amp.findings["overscan"].note
    assert amp.findings["gain"].value == 2.3


def test_one_of_two_amplifiers_with_a_wrong_overscan(tmp_path):
    amps = (
        Amp("[17:80,1:64]", "[1:16,1:64]", bias=1000),
        Amp("[81:144,1:64]", "[145:160,1:64]", bias=1200),
    )
    cards = [
        ("INSTRUME", "cam"),
        ("DATASECA", "[17:80,1:64]"),
        ("BIASSECA", "[33:48,1:64]"),
        ("DATASECB", "[81:144,1:64]"),
        ("BIASSECB", "[145:160,1:64]"),
    ]
    camera = Camera("two", cards, (Image([], (160, 64), amps),), in_primary=True)
    found = inspect_files([write_camera(camera, tmp_path)])
    ((left, right),) = [chip.facts.amplifiers for chip in found.detectors]
    assert left.overscan in (Box(0, 0, 0, 0), box_of("[1:16,1:64]"))
    assert left.findings["overscan"].confidence in ("not known", "guess")
    assert right.findings["overscan"].confidence == "certain"
    assert any("BIASSECA" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("cards", "column", "value"),
    [
        ({"EXPTIME": "sixty"}, "expTime", None),
        ({"EXPTIME": -5.0}, "expTime", None),
        ({"EXPTIME": None}, "expTime", None),
        ({"RA": "none"}, "expTime", 60.0),
        ({"FILTER": ""}, "filter", "none"),
        ({"IMAGETYP": "qwerty"}, "dataType", None),
        ({"DATE_OBS": "2020-13-04", "MJD_OBS": None}, "dateObs", "unknown"),
        ({"DATE_OBS": "2020-13-04"}, "dateObs", "2020-03-04"),
    ],
)
def test_a_frame_with_a_fault_is_ingested_and_reduced_all_the_same(tmp_path, cards, column, value):
    path = write_camera(changed(GOOD, "bad", **cards), tmp_path)
    facts = template_facts(inspect_files([path]), visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera="madebad"), tmp_path, facts=facts)
    assert check_package(str(package)) == []
    with imported(package) as instrument:
        (row,) = rows_of(instrument, path)
        assert row[column] == value
        assert float(np.median(processed(path, instrument, row))) * 2.3 == pytest.approx(SKY, rel=0.01)


TWO = [
    ("INSTRUME", "cam"),
    ("DATASECA", "[17:80,1:64]"),
    ("BIASSECA", "[1:16,1:64]"),
    ("DATASECB", "[81:144,1:64]"),
    ("BIASSECB", "[145:160,1:64]"),
]
TWO_IMAGE = (Image([], (160, 64), (Amp("[17:80,1:64]", "[1:16,1:64]"), Amp("[81:144,1:64]", "[145:160,1:64]"))),)


@pytest.mark.parametrize(
    ("cards", "number", "told"),
    [
        ({"DATASECA": "none"}, 1, ""),
        ({"DATASECA": "[117:180,1:64]"}, 1, "amplifier A has no data section that can be: left out"),
        ({"DATASECB": "[71:144,1:64]"}, 1, "overlaps DATASECA = [17:80,1:64]: amplifier B is left out"),
        ({"BIASSECA": "[145:160,1:64]"}, 2, "BIASSECA = [145:160,1:64] overlaps BIASSECB = [145:160,1:64]"),
    ],
)
def test_amplifiers_that_get_in_each_others_way(tmp_path, cards, number, told):
    found = inspect_files(
        [write_camera(changed(Camera("two", TWO, TWO_IMAGE, in_primary=True), "bad", **cards), tmp_path)]
    )
    ((first, *rest),) = [chip.facts.amplifiers for chip in found.detectors]
    assert len(rest) == number - 1
    findings = [first.findings["data"], first.findings["bbox"], first.findings["overscan"]]
    assert any(finding.confidence in ("guess", "not known") for finding in findings)
    assert any(told in text for text in found.warnings), found.warnings


def test_rows_without_light_in_the_data_are_told(tmp_path):
    camera = changed(GOOD, "rows", DATASEC="[9:104,1:64]")
    image = Image(
        [], (124, 64), (Amp("[9:104,1:58]", "[105:124,1:64]", gain=2.3, others=("[1:8,1:64]", "[9:104,59:64]")),)
    )
    found = inspect_files([write_camera(replace(camera, images=(image,)), tmp_path)])
    assert amplifier(found).findings["data"].confidence == "guess"
    assert any("rows 59 to 64 of the data have no light in them" in text for text in found.warnings)


def test_outputs_that_lie_on_each_other_are_not_used(tmp_path):
    cards = [card for n in (1, 2) for card in ((f"ESO DET OUT{n} NX", 48), (f"ESO DET OUT{n} NY", 64))]
    cards += [card for n in (1, 2) for card in ((f"ESO DET OUT{n} PRSCX", 8), (f"ESO DET OUT{n} OVSCX", 8))]
    amps = (Amp("[9:56,1:64]", "[57:64,1:64]"), Amp("[73:120,1:64]", "[65:72,1:64]"))
    camera = Camera("eso", [("INSTRUME", "cam"), *cards], (Image([], (128, 64), amps),), in_primary=True)
    found = inspect_files([write_camera(camera, tmp_path)])
    assert any("the 2 outputs of ESO DET OUT1 .. do not fill the image of 128 x 64" in text for text in found.warnings)
    findings = [amp.findings["data"] for chip in found.detectors for amp in chip.facts.amplifiers]
    assert {finding.confidence for finding in findings} == {"guess"}


def test_frames_that_neither_a_date_nor_a_number_tells_apart(tmp_path):
    found = look(tmp_path, DATE_OBS=None, MJD_OBS=None, EXPNUM=None)
    assert found["visit"].note == "no card numbers the exposures, and none has the time when they began"
    assert any("such frames cannot be ingested" in text and "dates of translator.py" in text for text in found.warnings)


def test_a_number_counts_without_a_date(tmp_path):
    found = look(tmp_path, DATE_OBS=None, MJD_OBS=None, EXPNUM=None, SEQNUM=7)
    facts = template_facts(found, visit_key="visit", detector_key="ccd")
    assert facts["translator"]["visit"]["kind"] == "whole"
    assert found.warnings == ()


@pytest.mark.parametrize("cards", [{"EXPNUM": None}, {"EXPNUM": None, "SEQNUM": 7}])
def test_frames_of_the_last_century_have_numbers_that_can_be(tmp_path, cards):
    old = changed(GOOD, "old", DATE_OBS="1996-03-04T05:06:07.0", MJD_OBS=None, **cards)
    path = write_camera(old, tmp_path)
    facts = template_facts(inspect_files([path]), visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera="madeold"), tmp_path, facts=facts)
    with imported(package) as instrument:
        (row,) = rows_of(instrument, path)
        assert row["visit"] > 0
        assert instrument.exposure_number(row) > row["visit"]


def test_a_high_number_does_not_start_again_each_night(tmp_path):
    found = look(tmp_path, EXPNUM=None, RUN=219698)
    assert (found["visit"].value, found["visit"].confidence) == (219698, "likely")
    assert look(tmp_path, EXPNUM=None, RUN=98)["visit"].confidence == "guess"


@pytest.mark.parametrize("year", [1999, 2014, 2021, 2060, 2100])
def test_frames_of_one_second_have_numbers_of_their_own_in_any_year(tmp_path, year, monkeypatch):
    """Nothing but the date numbers them; source ids must have room for the number."""
    begins = [f"{year}-06-01T05:06:07.{part}" for part in ("000", "250", "999")]
    cards = {"EXPNUM": None, "MJD-OBS": None}
    paths = [
        write_camera(changed(GOOD, f"bad{index}", **cards, **{"DATE-OBS": begin}), tmp_path)
        for index, begin in enumerate(begins)
    ]
    first = write_camera(changed(GOOD, "now", **cards, **{"DATE-OBS": "2020-06-01T05:06:07"}), tmp_path)
    facts = template_facts(inspect_files([first]), visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera="dated"), tmp_path, facts=facts)
    assert check_package(str(package)) == []
    monkeypatch.setattr(Translator, "today", date(year, 12, 31))
    with imported(package) as instrument:
        numbers = [instrument.exposure_number(row) for path in paths for row in rows_of(instrument, path)]
        assert len(set(numbers)) == len(begins)
        assert max(numbers) <= largest_exposure_id(instrument.exposure_id_bits)


def test_sections_that_cover_a_quarter_of_the_image_are_a_guess(tmp_path):
    found = look(tmp_path, DATASEC="[1:62,1:32]", TRIMSEC="[1:62,1:32]", BIASSEC=None)
    assert amplifier(found).findings["data"].confidence == "guess"
    assert any("covers only 25% of the image" in text for text in found.warnings)


def test_sections_in_binned_pixels_are_not_divided(tmp_path):
    camera = changed(GOOD, "binned", CCDSUM="2 2", DATASEC=None, TRIMSEC=None, DETSIZE="[1:200,1:128]")
    camera = replace(camera, cards=[*camera.cards, ("DATASEC", "[9:104,1:64]", "[binned pixel]")])
    (amp,) = inspect_files([write_camera(camera, tmp_path)]).detectors[0].facts.amplifiers
    assert amp.data.to_section() == "[9:104,1:64]"


@pytest.mark.parametrize(("kinds", "is_off"), [(("bias", "flat", "object"), True), (("bias", "flat"), False)])
def test_darks_that_are_never_taken_are_not_asked_for(tmp_path, kinds, is_off):
    paths = [
        write_camera(
            changed(GOOD, f"frame{n}", IMAGETYP=kind, EXPNUM=n + 1, EXPTIME=0.0 if kind == "bias" else 9.0), tmp_path
        )
        for n, kind in enumerate(kinds)
    ]
    facts = template_facts(inspect_files(paths), visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera="nodark"), tmp_path, facts=facts)
    assert check_package(str(package)) == []
    text = (package / "obs_nodark" / "config" / "process.yaml").read_text()
    assert ("\n  do_dark: false" in text) == is_off
