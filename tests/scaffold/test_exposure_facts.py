"""What single quantities are found in, and how sure it is."""

import pytest

from obs.inspection.cards import parse_cards
from obs.inspection.finding import Finding
from obs.inspection.header.bands import guess_bands
from obs.inspection.header.dates import find_date, find_night
from obs.inspection.header.exposure_time import find_exposure_time
from obs.inspection.header.filters import find_filter
from obs.inspection.header.gains import find_gain, find_read_noise, find_saturation
from obs.inspection.header.image_types import find_image_type, standard_type
from obs.inspection.header.pointing import find_object, find_pointing
from obs.inspection.header.site import find_site
from obs.inspection.header.sky_scale import find_pixel_size, find_sky_scale
from raw_frames import card_line


def cards_of(*cards):
    return parse_cards([card_line(*card) for card in cards])


@pytest.mark.parametrize(
    ("cards", "value", "source", "confidence"),
    [
        ([("DATE-OBS", "2024-03-01T05:06:07.5")], "2024-03-01T05:06:07.500", "DATE-OBS", "certain"),
        ([("DATE-OBS", "2024-03-01"), ("UT", "05:06:07")], "2024-03-01T05:06:07.000", "DATE-OBS + UT", "certain"),
        ([("DATE-OBS", "01/03/98"), ("UT", "5:06:07.25")], "1998-03-01T05:06:07.250", "DATE-OBS + UT", "likely"),
        ([("DATE-OBS", "2024/03/01"), ("UTC", "05:06:07")], "2024-03-01T05:06:07.000", "DATE-OBS + UTC", "likely"),
        ([("UTDATE", "20240301"), ("UT", "05:06:07")], "2024-03-01T05:06:07.000", "UTDATE + UT", "likely"),
        ([("DATE-OBS", "2024-03-01T06:07:06.1"), ("UTC", 22027.0)], "2024-03-01T06:07:06.100", "DATE-OBS", "certain"),
        ([("DATE-OBS", "2024-03-01")], "2024-03-01T00:00:00.000", "DATE-OBS", "likely"),
        ([("DATE-OBS", "03/04/2024"), ("UT", "05:06:07")], "2024-04-03T05:06:07.000", "DATE-OBS + UT", "guess"),
        (
            [("DATE-OBS", "15/02/1985", "dd/mm/yy"), ("UT", "11:23:13")],
            "1985-02-15T11:23:13.000",
            "DATE-OBS + UT",
            "likely",
        ),
        (
            [("DATE-OBS", "03/04/2024", "mm/dd/yyyy"), ("UT", "5:06:07")],
            "2024-03-04T05:06:07.000",
            "DATE-OBS + UT",
            "likely",
        ),
        ([("DATE-OBS", "12/23/97"), ("UT", "5:06:07")], "1997-12-23T05:06:07.000", "DATE-OBS + UT", "guess"),
        ([("DATE-OBS", "23-12-1997"), ("UT", "5:06:07")], "1997-12-23T05:06:07.000", "DATE-OBS + UT", "guess"),
        ([("UTSHUT", "2014-05-06T07:08:09.1")], "2014-05-06T07:08:09.100", "UTSHUT", "certain"),
        ([("MJD-OBS", 60370.5)], "2024-03-01T12:00:00.000", "MJD-OBS", "likely"),
        ([("MJD", 60370.5, "when the file was written")], "2024-03-01T12:00:00.000", "MJD", "guess"),
        ([("JD", 2460371.0)], "2024-03-01T12:00:00.000", "JD", "likely"),
        ([("DATE", "2024-03-01T05:06:07")], "2024-03-01T05:06:07.000", "DATE", "guess"),
        ([("DATE-OBS", "2024-03-01T05:06:07"), ("MJD-OBS", 51545.0)], "2024-03-01T05:06:07.000", "DATE-OBS", "guess"),
        ([("DATE-OBS", "1970-01-01T00:00:08"), ("MJD-OBS", 60370.5)], "2024-03-01T12:00:00.000", "MJD-OBS", "likely"),
        ([("DATE-OBS", "1970-01-01T00:00:08")], None, "", "not known"),
        (
            [("DATE-OBS", "2024-03-01T17:06:07"), ("EXPTIME", 60), ("DATE", "2024-03-01T21:07:20")],
            "2024-03-01T17:06:07.000",
            "DATE-OBS",
            "guess",
        ),
        (
            [("DATE-OBS", "2024-03-01T17:06:07"), ("EXPTIME", 60), ("DATE", "2024-03-01T17:07:20")],
            "2024-03-01T17:06:07.000",
            "DATE-OBS",
            "certain",
        ),
        (
            [("DATE-OBS", "2024-05-01T05:06:07"), ("DATE", "2024-01-05T05:08:00")],
            "2024-05-01T05:06:07.000",
            "DATE-OBS",
            "guess",
        ),
        (
            [("DATE-OBS", "2024-05-01T05:06:07"), ("DATE-LOC", "2024-01-05T07:06:07")],
            "2024-05-01T05:06:07.000",
            "DATE-OBS",
            "guess",
        ),
        ([("DATE-OBS", "2024-13-41")], None, "", "not known"),
        ([("DATE-OBS", "0024-03-01T05:06:07")], None, "", "not known"),
        ([], None, "", "not known"),
    ],
)
def test_dates(cards, value, source, confidence):
    found, _ = find_date(cards_of(*cards))
    assert (found.value, found.source, found.confidence) == (value, source, confidence)


def test_night_is_that_of_its_card_or_the_day_of_the_date():
    begin = Finding("date_begin", "2024-03-01T05:06:07.000", "DATE-OBS")
    assert find_night(cards_of(("DAY-OBS", "20240229")), begin).value == "2024-02-29"
    found = find_night(cards_of(), begin)
    assert (found.value, found.confidence) == ("2024-03-01", "likely")


@pytest.mark.parametrize(
    ("cards", "value", "confidence"),
    [
        ([("EXPTIME", 30.0)], 30.0, "certain"),
        ([("EXPTIME", "53.907456")], 53.907456, "certain"),
        ([("EXPTIME", 1500, "exposure [ms]")], 1.5, "certain"),
        ([("EXPTIME", -1.0), ("EXPOSURE", 5.0)], 5.0, "likely"),
        ([("DARKTIME", 31.0)], 31.0, "guess"),
        ([("EXPTIME", 90.0), ("DARKTIME", 0)], 90.0, "certain"),
        ([("EXPTIME", 2000.0), ("UT-TIME", "02:36:50"), ("UT-END", "02:36:52")], 2000.0, "guess"),
        ([("EXPTIME", 90.0), ("DARKTIME", 31.0)], 90.0, "guess"),
        ([("EXPTIME", 30000)], 30000.0, "guess"),
        ([("EXPTIME", "long")], None, "not known"),
    ],
)
def test_exposure_times(cards, value, confidence):
    found, _ = find_exposure_time(cards_of(*cards))
    assert (found.value, found.confidence) == (value, confidence)


@pytest.mark.parametrize(
    ("cards", "value", "confidence"),
    [
        ([("FILTER", "HSC-i")], "HSC-i", "certain"),
        ([("FILTER1", "air"), ("FILTER2", "w")], "w", "likely"),
        ([("FILTER1", "Open"), ("FILTER2", "Clear")], "open", "likely"),
        ([("FILTER1", "U"), ("FILTER2", "ND1")], "U+ND1", "guess"),
        ([("FILTER1", "F2 RG630"), ("FILTER2", "F0 Clear")], "F2 RG630", "likely"),
        ([("FILTER", 3.7), ("WFFBAND", "i")], "i", "likely"),
        ([("INSFLNAM", "free")], "free", "likely"),
        ([("ESO INS FILT1 NAME", "Free")], "open", "likely"),
        (
            [("CAMWH1", "CLEAR", "Name of filter in wheel 1"), ("CAMWH2", "R", "Name of filter in wheel 2")],
            "R",
            "guess",
        ),
        ([("GUIDWH", "R", "Name of filter of the guider")], None, "not known"),
        ([], None, "not known"),
    ],
)
def test_filters(cards, value, confidence):
    found, _ = find_filter(cards_of(*cards))
    assert (found.value, found.confidence) == (value, confidence)


@pytest.mark.parametrize(
    ("name", "band"), [("HSC-i", "i"), ("g DECam SDSS c0001", "g"), ("i.MP9702", "i"), ("V", "V"), ("Ha 656", "ha_656")]
)
def test_bands(name, band):
    assert guess_bands([name]) == {name: band}


@pytest.mark.parametrize(
    ("names", "bands"),
    [
        (["B", "V", "R", "I"], ["B", "V", "R", "I"]),
        (["g", "r", "i", "z"], ["g", "r", "i", "z"]),
        (["G", "R", "I", "Z"], ["g", "r", "i", "z"]),
        (["L", "R", "G", "B", "Ha"], ["G", "R", "V", "B", "ha"]),
        (["Lum", "Red", "Green", "Blue"], ["G", "R", "V", "B"]),
        (["Clear", "V"], ["G", "V"]),
        (["R"], ["R"]),
        (["SDSS-R", "r'", "Sloan g"], ["r", "r", "g"]),
        (["none"], ["G"]),
        (["v_HIGH", "b_HIGH", "u_HIGH", "R_SPECIAL", "I_BESS"], ["V", "B", "u", "R", "I"]),
        (["R Harris k1004", "Cousins R", "Bessell I", "I Nearly-Mould"], ["R", "R", "I", "I"]),
        (["Rc", "Ic", "Vj", "JC_Rc", "W-J-V", "W-C-RC"], ["R", "I", "V", "R", "V", "R"]),
        (["gp", "rp", "zs", "W-S-Z+", "HSC-R2", "r_G0303", "SDSSr-S1"], ["g", "r", "z", "z", "r", "r", "r"]),
        (["3: V", "B3: R"], ["V", "R"]),
        (["v", "b", "y"], ["v", "b", "y"]),
        (["Stromgren y", "y"], ["stromgren_y", "y"]),
    ],
)
def test_bands_follow_from_all_filters_of_a_camera(names, bands):
    assert list(guess_bands(names).values()) == bands


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("zero", "bias"),
        ("BIAS", "bias"),
        ("Dome Flat", "flat"),
        ("LAMP,FLAT", "flat"),
        ("SKYFLAT", "flat"),
        ("object", "science"),
        ("EXPOSE", "science"),
        ("EXT", "science"),
        ("Light Frame", "science"),
        ("COMP", "arc"),
        ("DARK", "dark"),
        ("focus", "focus"),
        ("M 31", None),
        ("bias or dark", None),
    ],
)
def test_words_for_image_types(word, kind):
    assert standard_type(word) == kind


def test_image_type_that_is_there_twice_is_at_best_a_guess():
    cards = cards_of(("OBSTYPE", "OBJECT"), ("OBSTYPE", 1), ("OBJECT", "Dome Flat"))
    found = find_image_type(cards, Finding("exposure_time", 15.0, "EXPTIME"))
    assert (found.value, found.source, found.confidence) == ("flat", "OBJECT", "guess")
    assert "'OBJECT' and 1" in found.note


def test_image_type_without_a_word_for_it_is_not_known():
    found = find_image_type(cards_of(("OBSTYPE", "XYZ")), Finding("exposure_time", 15.0, "EXPTIME"))
    assert found.confidence == "not known"
    assert "OBSTYPE = 'XYZ' is not a word for a type" in found.note


@pytest.mark.parametrize(
    ("cards", "value", "confidence"),
    [
        ([("GAIN", 1.5, "gain (e-/ADU)")], 1.5, "certain"),
        ([("GAIN", 0.5, "ADU/e-")], 2.0, "certain"),
        ([("GAIN", 6.42, "Pixel gain")], 6.42, "likely"),
        ([("GAIN", 1, "DCS GAIN INDEX")], None, "not known"),
        ([("GAIN", 4, "")], 4.0, "guess"),
        ([("GAIN", 0.0, "[electrons/count]")], None, "not known"),
        ([("GAIN", 139, "camera gain")], None, "not known"),
        ([("GAIN", 1), ("EGAIN", 0.25, "Electronic gain in e-/ADU")], 0.25, "certain"),
        ([("GAIN", 1.024, "Gain, in e/cnt(ADU)")], 1.024, "certain"),
        ([("GAIN", 300), ("EGAIN", 0.12, "Electrons per ADU at true ADC bit depth")], 0.12, "guess"),
        (
            [("EGAIN", 0.12, "e per ADU at true ADC bit depth"), ("EGAINSAV", 0.0075, "Electrons per ADU as saved")],
            0.0075,
            "certain",
        ),
        ([("ESO DET OUT1 CONAD", 1.1), ("ESO DET OUT1 GAIN", 0.91)], 1.1, "certain"),
        ([("ESO DET OUT1 CONAD", 1.1)], 1.1, "likely"),
        ([("CVF", 5.0, "Conversion factor (e-/adu)")], 5.0, "certain"),
        ([("DARKCUR", 5.0, "dark current (e-/adu/s)")], None, "not known"),
    ],
)
def test_gains(cards, value, confidence):
    found = find_gain(cards_of(*cards))
    assert (found.value, found.confidence) == (value, confidence)


def test_values_of_an_amplifier_win_over_those_of_all():
    cards = cards_of(
        ("GAIN", 1.62, "e-/ADU"), ("GAINB", 1.67, "e-/ADU"), ("RDNOISEB", 5, "electrons"), ("SATURATB", 44935.0)
    )
    assert find_gain(cards, "B").value == 1.67
    assert find_gain(cards, "A").confidence == "likely"
    assert find_read_noise(cards, "B").value == 5.0
    assert find_saturation(cards, "B").source == "SATURATB"


def test_noise_and_saturation_in_other_units():
    cards = cards_of(("GAIN", 2.0, "e-/ADU"), ("RDNOISE", 3.0, "[ADU]"), ("SATURATE", 120000, "electrons"))
    assert find_read_noise(cards).value == 6.0
    assert find_saturation(cards).value == 60000.0


def test_scale_and_orientation_from_the_wcs():
    cd = (("CD1_1", 0.0), ("CD1_2", 1e-4), ("CD2_1", 1e-4), ("CD2_2", 0.0))
    sky = find_sky_scale(cards_of(("CTYPE1", "RA---TAN"), *cd, ("PIXSCALE", 0.36)))
    assert sky.scale.value == pytest.approx(0.36)
    assert (sky.scale.confidence, sky.rotation.value, sky.flip_x) == ("certain", 90.0, False)
    doubtful = find_sky_scale(cards_of(("CTYPE1", "RA---TAN"), *cd, ("PIXSCALE", 0.5)))
    assert (doubtful.scale.confidence, doubtful.scale.note) == ("guess", "PIXSCALE says 0.5")
    assert find_sky_scale(cards_of()).scale.confidence == "not known"


@pytest.mark.parametrize(
    ("card", "size"),
    [
        (("PIXSIZE1", 13.5, "(microns)"), 0.0135),
        (("CCDXPIXE", 1.5e-5, "[m] Size"), 0.015),
        (("XPIXSZ", 9.0), 0.009),
        (("PIXSIZE", 0.024, "mm"), 0.024),
    ],
)
def test_pixel_sizes(card, size):
    assert find_pixel_size(cards_of(card)).value == pytest.approx(size)


@pytest.mark.parametrize(
    ("cards", "ra", "confidence"),
    [
        ([("RA", "10:00:00"), ("DEC", "-05:00:00")], 150.0, "certain"),
        ([("RA", 150.0, "degrees"), ("DEC", -5.0)], 150.0, "certain"),
        ([("RA", 10.0), ("DEC", -5.0), ("CTYPE1", "RA---TAN"), ("CRVAL1", 150.1)], 150.0, "likely"),
        ([("RA", 10.0), ("DEC", -5.0)], 10.0, "guess"),
        ([("RA", 10.0), ("DEC", -5.0), ("OBJCTRA", "10 00 12"), ("OBJCTDEC", "-05 00 00")], 150.0, "likely"),
        ([("RA", "none"), ("DEC", -5.0)], None, "not known"),
        ([("RA", "00:00:00"), ("DEC", "+00:00:00")], None, "not known"),
        ([("RA", 0.0), ("DEC", 0.0), ("TELRA", "10:00:00"), ("TELDEC", "-05:00:00")], 150.0, "certain"),
        ([("RA", "10:00:00"), ("DEC", "-05:00:00"), ("EQUINOX", "B1950.0")], 150.62825, "likely"),
        ([("RA", "10:00:00"), ("DEC", "-05:00:00"), ("EQUINOX", 2015.3)], 149.80767, "likely"),
    ],
)
def test_pointings(cards, ra, confidence):
    (found, _), _ = find_pointing(cards_of(*cards))
    assert found.confidence == confidence
    assert found.value == (ra if ra is None else pytest.approx(ra, abs=1e-4))


BEGIN = Finding("date_begin", "2013-09-01T06:02:55.754", "DATE-OBS")
LST = ("LST-OBS", "00:01:15.4")


@pytest.mark.parametrize(
    ("cards", "value", "confidence", "note"),
    [
        ([("OBS-LONG", -70.81), LST], -70.81, "certain", "LST-OBS agrees"),
        ([("OBS-LONG", 70.81, "[deg] Observatory east longitude"), LST], -70.81, "certain", "counts to the west"),
        ([("LONGITUD", "289:11:24"), LST], -70.81, "certain", "LST-OBS agrees"),
        ([("OBS-LONG", 20.81), LST], 20.81, "guess", "LST-OBS and the date give -71.0"),
        ([("OBS-LONG", -70.81), ("TELRA", "02:51:16.8"), ("HA", "-02:50:01.3")], -70.81, "certain", "TELRA + HA"),
        ([("OBS-LONG", -70.81, "degrees east")], -70.81, "guess", "no sidereal time, so that east and west"),
        (
            [
                ("SITELONG", "81 50 00"),
                ("DATE-OBS", "2009-03-12T03:22:11.000"),
                ("LOCALTIM", "3/11/2009 10:22:11.000 PM STD"),
            ],
            -81.8333,
            "likely",
            "LOCALTIM agrees, if the card counts to the west",
        ),
        ([("OBS-LONG", 70.81, "degrees West")], -70.81, "likely", "its comment counts to the west"),
        ([("OBS-LONG", 70.81, "deg, west negative")], 70.81, "guess", "no sidereal time, so that east and west"),
        ([("SITELONG", 70.81), ("SWCREATE", "N.I.N.A. 3.1")], 70.81, "likely", "the program counts to the east"),
        ([("OBS-LONG", 0.0), LST], None, "not known", ""),
    ],
)
def test_longitudes_are_held_against_the_sidereal_time(cards, value, confidence, note):
    found, _, _ = find_site(cards_of(*cards), BEGIN)
    assert found.value == (None if value is None else pytest.approx(value, abs=1e-3))
    assert found.confidence == confidence
    assert note in found.note


def test_latitude_and_elevation():
    _, latitude, elevation = find_site(cards_of(("SITELAT", "-30:10:10"), ("OBS-ELEV", 2215.0)), BEGIN)
    assert (latitude.value, elevation.value) == (pytest.approx(-30.1694, abs=1e-3), 2215.0)
    assert {latitude.confidence, elevation.confidence} == {"likely"}


@pytest.mark.parametrize(
    ("line", "find"),
    [
        ("FILTER  = 'HSC-r", lambda cards: find_filter(cards)[0]),
        ("FILTER  = V", lambda cards: find_filter(cards)[0]),
        ("OBJECT  = 'M\xe9'", find_object),
        ("IMAGETYP= 'OBJECT", lambda cards: find_image_type(cards, Finding.unknown("exposure_time"))),
        ("EXPTIME = '30.0", lambda cards: find_exposure_time(cards)[0]),
        ("DATE-OBS= '2024-03-01T05:06:07", lambda cards: find_date(cards)[0]),
    ],
)
def test_a_malformed_card_is_at_best_a_guess(line, find):
    found = find(parse_cards([line]))
    assert found.value is not None
    assert found.confidence == "guess"
    assert "is malformed" in found.note


def test_a_time_that_may_be_of_the_middle_is_likely():
    found, _ = find_date(cards_of(("DATE-OBS", "2024-03-01"), ("UT", "05:06:07", "typical UTC at the exposure")))
    assert (found.confidence, found.note) == ("likely", "UT may not be the begin")


def test_a_matrix_that_cannot_be_read_leaves_the_scale_a_guess():
    cards = cards_of(("CTYPE1", "RA---TAN"), ("CD1_1", "x"), ("CD1_2", 1e-4), ("CD2_1", 1e-4), ("CD2_2", 1e-9))
    scale = find_sky_scale(cards).scale
    assert (scale.confidence, scale.note) == ("guess", "CD1_1 cannot be read")


def test_scale_from_pixels_and_focal_length():
    cards = cards_of(("XPIXSZ", 9.0, "microns after binning"), ("FOCALLEN", 2000.0), ("XBINNING", 2), ("YBINNING", 2))
    size, scale = find_pixel_size(cards, (2, 2)), find_sky_scale(cards, (2, 2)).scale
    assert (size.value, size.confidence) == (0.0045, "certain")
    assert (scale.value, scale.confidence) == (pytest.approx(0.9282, rel=1e-3), "guess")
    assert find_sky_scale(cards_of(("PLTSCALE", 20.0, "arcsec/mm"), ("PIXSIZE1", 15.0))).scale.value == pytest.approx(
        0.3
    )


def test_a_saturation_beyond_what_pixels_hold_is_a_guess():
    found = find_saturation(cards_of(("BITPIX", 16), ("SATLEVEL", 65536, "ADU")))
    assert (found.value, found.confidence) == (65536.0, "guess")
