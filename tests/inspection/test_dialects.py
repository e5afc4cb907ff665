"""Headers in the words of programs and languages that no list has in full."""

import numpy as np
import pytest
from astropy.io import fits

from obs.checks.open_package import open_package
from obs.checks.package import check_package
from obs.ingest.translation import read_frames
from obs.inspection.cards import parse_cards
from obs.inspection.files.several_files import files_of_detectors
from obs.inspection.frame_facts import collect_frame_facts
from obs.inspection.header.binning import find_binning
from obs.inspection.header.processed import find_corrected, find_processing
from obs.inspection.header.site import find_site
from obs.inspection.header.sky_scale import find_sky_scale
from obs.inspection.inspect import inspect_files
from obs.inspection.raw_file import read_raw_file
from obs.instrument.image_types import type_of_master
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.facts import template_facts

COMMON = {
    **{"DATE-OBS": "'2021-03-04T05:06:07'", "EXPTIME": "60.0", "FILTER": "'V'", "IMAGETYP": "'object'"},
    **{"SIMPLE": "T", "NAXIS": "2", "NAXIS1": "64", "NAXIS2": "64"},
}
BEGIN = "2021-03-04T05:06:07.000"


def cards_of(text, history=()):
    own = dict(line.split("=", 1) for line in text.split("; ") if line)
    lines = [f"{name:<8}= {value}" for name, value in {**COMMON, **own}.items()]
    return parse_cards([*lines, *(f"HISTORY {line}" for line in history)])


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("DATE-OBS='2021-03-04T05:06:37' / milieu de pose", "likely"),
        ("DATE-OBS='2021-03-04T05:06:37' / Mitte der Belichtung", "likely"),
        ("DATE-OBS='2021-03-04T05:07:07' / Ende der Belichtung", "likely"),
        ("DATE-OBS='2021-03-04T05:07:07' / fine esposizione", "likely"),
        ("DATE-OBS='2021-03-04T05:07:07' / fin de la exposicion", "likely"),
        ("DATE-OBS='2021-03-04T05:06:07' / inizio posa", "certain"),
        ("DATE-OBS='2021-03-04T05:06:07,000'", "certain"),
        ("DATE-OBS='2021/03/04 05:06:07'", "certain"),
        ("DATE-OBS='2021-3-4T5:6:7'", "certain"),
        ("DATE-OBS='04-MAR-2021 05:06:07.00'", "certain"),
        ("DATE-OBS='Thu, 04 Mar 2021 05:06:07 GMT'", "certain"),
        ("DATE-OBS='Thu Mar  4 05:06:07 2021'", "certain"),
        ("DATE-OBS='20210304050607.000'", "certain"),
        ("DATE-OBS='20210304_050607'", "likely"),
        ("DATE-OBS='2021:063:05:06:07.000'", "likely"),
        ("DATE-OBS='2021-063'; UT='05:06:07'", "likely"),
        ("DATE-OBS='2021-03-04'; UT='5:06:07 AM'", "certain"),
        ("DATE-OBS='2021-03-04'; TIME-OBS='5:06:07 AM'", "guess"),
        ("DATE-OBS='3/4/2021 5:06:07 AM'", "guess"),
        ("DATE-OBS='3/4/2021 5:06:07'; DATE='2021-03-04T05:08:01'", "likely"),
        ("DATE-OBS='2021-03-04'; UT=306.116667 / minutes", "likely"),
        ("DATE-OBS='2021-03-04'; UT=50607 / hhmmss", "likely"),
        ("DATE-OBS='2021-03-04'; UT-START=18367.0", "likely"),
        ("DATE-OBS='2021-03-04'; UT=50607; MJD-OBS=59277.212581", "likely"),
        ("DATE-OBS='20210304'; TIME-OBS='050607'", "guess"),
        ("DATE-OBS='04Mar2021'; UT='05:06:07'", "likely"),
        ("DATE-OBS='04Mar21'; UT='05:06:07'", "likely"),
        ("DATE-OBS='09/29/19'; TIME-OBS='05:06:07'; MJD-OBS=59277.21258102", "guess"),
        ("DATE-OBS='2021 03 04'; UT='05 06 07'", "likely"),
        ("DATE-OBS='21-03-04'; UT='05:06:07'", "guess"),
        ("DATE-OBS='2021-03-04'; TIME-OBS='15:59:07' / LST; UT='05:06:07'", "certain"),
        ("DATE-OBS='2021-03-04'; TIME-OBS='06:06:07' / local time; UT='05:06:07'", "certain"),
        ("DATE-OBS='2021-03-04'; TIME-OBS='05:06:07' / local time", "guess"),
        ("DATE-OBS=''; RJD=59277.71258102", "guess"),
        ("DATE-OBS=''; UNIXTIME=1614834367000", "likely"),
        ("DATE-OBS=''; UNIXTIME='1614834367.0'", "likely"),
    ],
)
def test_begin(text, confidence):
    finding = collect_frame_facts(cards_of(text)).date[0]
    assert (finding.value, finding.confidence) == (BEGIN, confidence)


@pytest.mark.parametrize("text", ["1980-01-06T00:00:13", "2000-01-01T00:00:05", "1899-12-30T00:00:00"])
def test_clocks_that_nobody_set(text):
    assert not collect_frame_facts(cards_of(f"DATE-OBS='{text}'")).date[0].is_known


@pytest.mark.parametrize(
    ("text", "value", "confidence"),
    [
        ("ITIME=10.0; EXPTIME=; COADDONE=6", 60.0, "likely"),
        ("EXPTIME=60.0; ITIME=10.0; COADDS=6", 60.0, "certain"),
        ("EXPTIME=60.0 / total exposure; COADDS=6", 60.0, "likely"),
        ("EXPTIME=6000 / in 10 ms ticks", 6.0, "guess"),
        ("EXPTIME=1.0; DATE-END='2021-03-04T05:07:07'", 1.0, "guess"),
        ("EXPTIME=58.0; DATE-END='2021-03-04T05:07:07'", 58.0, "certain"),
        ("EXPTIME=60.0 / commanded; ACTEXP=58.3 / actual exposure (s)", 58.3, "likely"),
    ],
)
def test_exposure_time(text, value, confidence):
    finding = collect_frame_facts(cards_of(text)).exposure[0]
    assert (finding.value, finding.confidence) == (value, confidence)


@pytest.mark.parametrize("comment", ["Filter colour", "filter", "Filter name"])
def test_a_comment_names_the_card_of_the_filter(comment):
    finding = collect_frame_facts(cards_of(f"FILTER=''; BLEND='g2' / {comment}")).glass[0]
    assert (finding.value, finding.source, finding.confidence) == ("g2", "BLEND", "guess")


@pytest.mark.parametrize("text", ["FILTER='???'", "FILTER='-'", "FILTER='*'"])
def test_a_filter_without_letters_is_not_known(text):
    assert not collect_frame_facts(cards_of(text)).glass[0].is_known


@pytest.mark.parametrize("kind", ["Master Flat", "master dark", "Light stacked"])
def test_frames_made_of_several_have_no_type_of_a_raw_frame(kind):
    cards = cards_of(f"IMAGETYP='{kind}'")
    assert not collect_frame_facts(cards).image_type[0].is_known


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((f"{before}{what}", kind) for before in ("Master ", "MASTER", "master_", "Stacked ", "Combined ")
          for what, kind in (("Bias", "bias"), ("Dark Frame", "dark"), ("FLAT", "flat"), ("zero", "bias"))),
        ("Superbias", "bias"), ("superflat", "flat"), ("Flat Master", "flat"), ("Dark, stacked", ""),
        ("Master Light", ""), ("bias", ""), ("Bias Frame", ""), ("mastermind", ""), ("Supernova", ""), ("combined", ""),
    ],
)  # fmt: skip
def test_image_types_of_masters(text, kind):
    found, card = type_of_master({"IMAGETYP": f" {text} ", "OBSTYPE": 3})
    assert found == kind
    assert card == (f"IMAGETYP = '{text}'" if kind else "")


def test_coordinates_of_2000_come_before_those_of_an_equinox_that_no_card_gives():
    text = "RA='05:36:20.0'; DEC='-05:22:40'; RA2000='05:35:17.3'; DEC2000='-05:23:28'"
    assert collect_frame_facts(cards_of(text)).pointing[0].source == "RA2000"
    assert collect_frame_facts(cards_of(f"{text}; EQUINOX=2021.2")).pointing[0].source == "RA"


@pytest.mark.parametrize(("value", "ra"), [("12.5 / 00 50 00.0", 12.5), ("12.5 / 12 30 00.0", 187.5)])
def test_the_text_in_a_comment_tells_the_unit_of_a_right_ascension(value, ra):
    finding = collect_frame_facts(cards_of(f"MEANRA={value}; MEANDEC=-20.25 / -20 15 00.0")).pointing[0]
    assert (finding.value, finding.confidence) == (pytest.approx(ra), "certain")


@pytest.mark.parametrize("word", ["obj", "IMAGE", "observation"])
def test_words_that_alone_mean_a_target(word):
    assert collect_frame_facts(cards_of(f"IMAGETYP='{word}'")).image_type[0].value == "science"
    assert collect_frame_facts(cards_of(f"IMAGETYP='bias {word}'")).image_type[0].value == "bias"


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("SECPPIX=0.333 / Arcseconds per pixel", 0.333),
        ("IMSCALE='0.36x0.36' / image scale", 0.36),
        ("PXSC=0.21 / [arcsec/pixel] on the sky", 0.21),
        ("GPXSC=2.1 / arcsec per pixel of the guider", None),
        ("SEEING=2.1 / FWHM, 0.3 arcsec per pixel", None),
    ],
)
def test_pixel_scale(text, scale):
    assert find_sky_scale(cards_of(text)).scale.value == scale


def test_more_than_60_minutes_are_not_an_angle():
    assert not collect_frame_facts(cards_of("RA='10:72:00'; DEC='+10:00:00'")).pointing[0].is_known


@pytest.mark.parametrize(
    ("text", "longitude"),
    [
        ("LONGITUD=-8.5 / Longitude (positive west)", 8.5),
        ("GEO-LONG=-8.5 / degrees, + is west", 8.5),
        ("OBS-LONG='-006 40 00' / longitude (- if east)", 6.66667),
        ("TELGLONG=110.8748 / LONGITUDE, DEGREES WEST OF ZERO", -110.8748),
        ("OBS-LONG='07:23:30' / hours west", -110.875),
        ("SITELONG='210:56:00.00' / degrees W", 149.06667),
    ],
)
def test_longitude(text, longitude):
    cards = cards_of(text)
    found = find_site(cards, collect_frame_facts(cards).date[0])[0]
    assert found.value == pytest.approx(longitude)
    assert found.confidence == "likely"


def test_a_name_of_a_place_is_no_place():
    cards = cards_of("OBSERVAT='KPNO'")
    found = find_site(cards, collect_frame_facts(cards).date[0])[0]
    assert (found.is_known, found.note) == (
        False,
        "OBSERVAT = 'KPNO' is only a name: write the place into translator.py",
    )


def test_a_place_in_kilometers_from_the_middle_of_the_earth():
    in_km = find_site(cards_of("OBSGEO-X=1818.938; OBSGEO-Y=-5208.471; OBSGEO-Z=-3194.849"), None)
    in_m = find_site(cards_of("OBSGEO-X=1818938.0; OBSGEO-Y=-5208471.0; OBSGEO-Z=-3194849.0"), None)
    assert [finding.value for finding in in_km] == pytest.approx([finding.value for finding in in_m])
    assert in_km[0].value == pytest.approx(-70.7494, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("SITEELEV=7218 / feet", 2200.0),
        ("TELELEV=9500 / meters", None),
        ("ALTITUDE='960'", 960.0),
        ("ALTITUDE='63.2'", None),
        ("TEL-ELEV=65.77 / telescope elevation", None),
        ("TELALT=2215.0 / Altitude [ meters ]", 2215.0),
        ("TELALT=64.2 / Altitude", None),
        ("ALTITUDE=2713.0 / of the telescope, degrees", None),
    ],
)
def test_elevation(text, value):
    cards = cards_of(text)
    found = find_site(cards, collect_frame_facts(cards).date[0])[2]
    assert found.value == (value if value is None else pytest.approx(value, abs=0.1))


@pytest.mark.parametrize(
    ("text", "value", "confidence"),
    [
        ("CAMBINH=2 / binning factor, columns; CAMBINV=3 / binning factor, rows", (2, 3), "certain"),
        ("XBINNING=0; YBINNING=0", (1, 1), "guess"),
    ],
)
def test_binning(text, value, confidence):
    found = find_binning(cards_of(text))
    assert (found.value, found.confidence) == (value, confidence)


@pytest.mark.parametrize("text", ["FOCALLEN=300 / in cm; XPIXSZ=9.0 / um", "FOCALLEN=3.0 / [m]; XPIXSZ=9.0 / um"])
def test_focal_lengths_have_units(text):
    assert find_sky_scale(cards_of(text)).scale.value == pytest.approx(0.61879, abs=1e-4)


@pytest.mark.parametrize(
    ("history", "what"),
    [
        (["Dark Subtraction (Dark 10, 4864 x 3232, Bin1 x 1, Temp -35C,"], {"dark"}),
        (["Bias subtracted with masterbias.fits", "Flat divided with flat.fits"], {"bias", "flat"}),
        (["Image calibrated with master dark"], {"dark"}),
        (["flat fielded"], {"flat"}),
        (["no dark subtraction", "flat field lamp on"], set()),
    ],
)
def test_history_says_what_is_out_already(history, what):
    cards = cards_of("", history)
    assert find_corrected(cards) == what
    assert len(list(find_processing(cards))) == len(what)


@pytest.mark.parametrize("text", ["L1IDFLAT='flat_V.fits'", "FLATFLD='done'", "PROCSTAT='calibrated'"])
def test_cards_of_a_reduction(text):
    assert len(list(find_processing(cards_of(text)))) == 1


@pytest.mark.parametrize("text", ["PROCSTAT='uncalibrated'", "PROCTYPE='RAW'", "DARKNAME='none'", "IMAGETYP='flat'"])
def test_cards_of_raw_frames(text):
    assert not list(find_processing(cards_of(text)))


def test_detectors_that_two_unlisted_cards_name_together(tmp_path):
    files = []
    for row, column in ((1, 1), (1, 2), (2, 1), (2, 2)):
        path = tmp_path / f"{row}{column}.hdr"
        lines = [f"{name:<8}= {value}" for name, value in {**COMMON, "CHIPROW": row, "CHIPCOL": column}.items()]
        path.write_text("\n".join([*lines, "END", ""]))
        files.append(read_raw_file(path))
    chips, card = files_of_detectors(files, ["one"] * 4)
    assert (len(chips), card) == (4, "CHIPROW+CHIPCOL")


def write_mosaic(path, places):
    """Write a file of several images, with the cards of each."""
    hdus = [fits.PrimaryHDU(header=fits.Header([("INSTRUME", "cam"), ("DATE-OBS", "2021-03-04T05:06:07")]))]
    random = np.random.default_rng(3)
    for number, cards in enumerate(places, 1):
        pixels = random.normal(1000, 5, (30, 20)).round().astype(np.uint16)
        hdus.append(fits.ImageHDU(pixels, fits.Header(list(({"EXTNAME": f"im{number}"} | cards).items()))))
    fits.HDUList(hdus).writeto(path)
    return inspect_files([path])


def test_gaps_between_sections_tell_detectors_apart(tmp_path):
    sections = [f"[{x + 1}:{x + 20},1:30]" for x in (0, 20, 60, 80)]
    found = write_mosaic(tmp_path / "a.fits", [{"DETSEC": section} for section in sections])
    assert [(chip.key, len(chip.images)) for chip in found.detectors] == [(0, 2), (1, 2)]
    assert (found["layout"].confidence, found["detector"].note) == ("guess", "2 numbers a detector, from 1")
    facts = template_facts(found, visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera="gaps"), tmp_path, facts=facts)
    assert check_package(str(package)) == []
    with open_package(str(package)) as opened:
        rows = [frame.row for frame in read_frames(tmp_path / "a.fits", opened.instrument.make_translator())]
    assert [row["ccd"] for row in rows] == [0, 1]


def test_extensions_that_are_called_chips_are_detectors_although_their_sections_touch(tmp_path):
    chips = [{"EXTNAME": f"LBCCHIP{n + 1}", "DETSEC": f"[{20 * n + 1}:{20 * n + 20},1:30]"} for n in range(2)]
    assert len(write_mosaic(tmp_path / "a.fits", chips).detectors) == 2


def test_places_of_detectors_by_the_wcs_of_each(tmp_path):
    step, middle = 0.5 / 3600, np.array([45.5, 50.5])
    wcs = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 83.8, "CRVAL2": -5.4, "CD1_2": 0.0, "CD2_1": 0.0}
    places = []
    for number, corner in enumerate([(0, 0), (50, 0), (0, 60), (50, 60)]):
        x, y = middle - corner
        turned = number == 2  # by half a turn
        x, y = (21 - x, 31 - y) if turned else (x, y)
        sign = -1 if turned else 1
        more = {"CRPIX1": x, "CRPIX2": y, "CD1_1": -sign * step, "CD2_2": sign * step, "CCDNUM": number + 1}
        places.append(wcs | more)
    found = write_mosaic(tmp_path / "b.fits", places)
    rows = template_facts(found, visit_key="visit", detector_key="ccd")["detectors"]
    offsets = np.array([(float(row["offset_x"]), float(row["offset_y"])) for row in rows]) / 0.015
    assert np.allclose(offsets - offsets[0], [(0, 0), (50, 0), (0, 60), (50, 60)], atol=1e-3)
    assert [row["yaw"] for row in rows] == [0.0, 0.0, 180.0, 0.0]
    assert found["detector_places"].confidence == "likely"


def test_pictures_of_three_colors_are_not_raw_frames(tmp_path):
    path = tmp_path / "c.fits"
    fits.PrimaryHDU(np.ones((3, 20, 30), np.uint16)).writeto(path)
    assert any("Save the frames without debayering" in text for text in inspect_files([path]).warnings)
