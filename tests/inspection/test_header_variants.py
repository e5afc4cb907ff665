"""What single cards mean in their many spellings: the finding, and the translator that is made of its rules, agree."""

import math

import pytest

from obs.ingest.headers import parse_header
from obs.inspection.cards import parse_cards
from obs.inspection.frame_facts import find_frame_facts
from obs.inspection.header.binning import find_binning
from obs.inspection.header.dates import find_time_scale
from obs.inspection.header.gains import find_gain
from obs.inspection.header.processed import find_processing
from obs.inspection.header.site import find_site
from obs.inspection.header.sky_scale import find_sky_scale
from obs.inspection.raw_file import RawFile, RawImage
from obs.instrument.header import merge_headers
from obs.instrument.rule_translator import RuleTranslator
from raw_frames import card_line

BEGIN = "2020-05-01T03:00:00.000"
COMMON = [("INSTRUME", "cam"), ("OBJECT", "M 1"), ("FILTER", "R"), ("IMAGETYP", "object"), ("EXPTIME", 60.0, "[s]")]
DATE = ("DATE-OBS", "2020-05-01T03:00:00")
RA, DEC = 83.6325, 22.0144


def cards_of(cards, without=()):
    names = {card[0] for card in cards} | set(without)
    return parse_cards([card_line(*card) for card in [*(c for c in COMMON if c[0] not in names), *cards]])


def facts_of(tmp_path, *headers):
    """Return what headers tell together."""
    files = []
    for number, cards in enumerate(headers):
        path = tmp_path / f"frame{number}.hdr"
        image = RawImage(path, 0, cards, cards, (64, 64), has_pixels=False)
        files.append(RawFile(path, cards, (image,)))
    return find_frame_facts(files)


def translator_of(frames):
    """Return a translator of the rules that headers give."""

    class Made(RuleTranslator):
        columns = {"filter": str, "dataType": str}
        dates = frames.dates
        pointings = frames.pointings
        filter_cards = frames.filter_cards
        image_type_cards = frames.image_types
        translation = {
            "exposure_time": [
                (
                    rule.keyword,
                    {"unit": rule.unit, "by_comment": rule.by_comment} | ({"times": rule.times} if rule.times else {}),
                )
                for rule in frames.exposures
            ],
            "airmass": list(frames.airmasses),
        }

        def translate_filter(self, md):
            return self.find_filter(md)

        def translate_dataType(self, md):
            return self.find_image_type(md)

    return Made()


def plain(cards):
    return {name: cards.all(name)[-1].value for name in cards}


def look(tmp_path, quantity, cards, without=()):
    """Return finding and translated value of a quantity."""
    found = cards_of(cards, without)
    frames = facts_of(tmp_path, found)
    translator = translator_of(frames)
    info = translator.visit_info(plain(found))
    row = translator.registry_columns(plain(found))
    finding = next(finding for finding in frames.findings if finding.quantity == quantity)
    names = {"filter": "filter", "image_type": "dataType"}
    return finding, row.get(names[quantity]) if quantity in names else getattr(info, quantity)


def is_sure(finding):
    return finding.confidence in ("certain", "likely")


@pytest.mark.parametrize(
    "card",
    [
        *(("DATE-OBS", "2020-05-01T03:01:00", text) for text in ("UTC at end", "shutter closed", "UT stop")),
        *(("DATE-OBS", "2020-05-01T03:00:30", text) for text in ("midpoint", "UTC mid-exposure", "mean UT")),
        *(("DATE-OBS", BEGIN, text) for text in ("UTC start", "shutter opened", "Time start to exposure", "UTC date")),
        ("DATE-OBS", "2020-05-01T05:00:00+02:00"),
        ("DATE-OBS", "2020-05-01T08:30:00+0530"),
        ("DATE-OBS", "2020-05-01 03:00:00 UTC"),
        ("DATE-OBS", "2020-05-01T02:59:60.000"),
        ("DATE-OBS", "2020-04-30T24:00:00"),
        ("DATE-OBS", "20200501T030000"),
        ("DATE-AVG", "2020-05-01T03:00:30"),
        ("DATE-END", "2020-05-01T03:01:00"),
        ("MJD-END", 58970.12569444445),
        ("JD", 2458970.62534722222, "JD at mid-exposure"),
        ("CTIME", 1588302000, "unix time of exposure start"),
        ("TSTART", 1588302000.0, "Unix seconds at shutter open"),
    ],
)
def test_begin_of_the_exposure(tmp_path, card):
    finding, translated = look(tmp_path, "date_begin", [card])
    wanted = BEGIN if "24:00" not in str(card[1]) else "2020-05-01T00:00:00.000"
    assert is_sure(finding)
    assert finding.value == translated
    assert abs(float(finding.value[17:]) - float(wanted[17:])) < 2e-3 or finding.value == "2020-05-01T02:59:59.999"
    assert finding.value[:10] == wanted[:10]


@pytest.mark.parametrize(
    ("cards", "wanted"),
    [
        ([("DATE-OBS", "2020-05-01"), ("UT", 3.0, "UT hours at start")], BEGIN),
        ([("DATE-OBS", "2020-05-01"), ("UTC-OBS", 10800, "[s] since midnight")], BEGIN),
        ([("DATE-OBS", "2020-05-01"), ("UT", "24:00:00")], "2020-05-02T00:00:00.000"),
        ([("UTDATE", "2020:05:01"), ("UTSTART", "03:00:00")], BEGIN),
        ([("DATE-OBS", "2020-05-01"), ("DATE-END", "2020-05-01T03:01:00")], BEGIN),
        ([("DATE-OBS", "2020-05-01T03:01:00"), ("UT-STR", "03:00:00"), ("UT-END", "03:01:00")], BEGIN),
        ([("DATE-OBS", "2020-04-30T23:00:00"), ("UT", "03:00:00", "UT at start")], BEGIN),
        ([("DATE-OBS", "2020-04-30T20:00:00", "local time"), ("TIMEZONE", -7)], BEGIN),
        ([("DATE-OBS", BEGIN[:19]), ("TIMESYS", "GPS")], "2020-05-01T03:00:19.000"),
        ([("DATE", "2020-05-01T03:01:02", "file creation date"), ("FRAME", BEGIN, "Start of frame exposure")], BEGIN),
    ],
)
def test_begin_of_the_exposure_from_several_cards(tmp_path, cards, wanted):
    finding, translated = look(tmp_path, "date_begin", cards)
    assert (finding.value, translated) == (wanted, wanted)


@pytest.mark.parametrize(
    "cards",
    [
        [("DATE-OBS", BEGIN, "GPS time stamp")],
        [("DATE-OBS", BEGIN, "from GPS receiver")],
        [("GPSTIME", BEGIN, "GPS shutter open")],
        [("GPSSTART", BEGIN, "GPS shutter open")],
        [("DATE-OBS", "2020-05-01T03:00:18", "GPS time stamp"), ("UT", "03:00:00", "UT at start")],
    ],
)
def test_a_receiver_moves_no_time(tmp_path, cards):
    finding, translated = look(tmp_path, "date_begin", cards)
    assert (finding.value, translated) == (BEGIN, BEGIN)


@pytest.mark.parametrize(
    "cards",
    [
        *([("DATE-OBS", BEGIN, text)] for text in ("file created", "frame grabbed", "UTC time image was saved")),
        [("DATE-OBS", BEGIN, "start of readout")],
        [("DATE-OBS", "2020-04-30", "date at start of night"), ("UT", "03:00:00")],
        [("DATE-OBS", "2020-05-01"), ("TIME-OBS", "03:00:00 PM")],
        [("DATE-OBS", "2020-04-30T20:00:00", "local time")],
        [("DATE-OBS", "2020-04-30T20:00:00", "LOCAL TIME")],
        [("DATE-OBS", "2020-04-30T20:00:00"), ("TIMEZONE", -7)],
        [("DATE-OBS", BEGIN), ("UT", "03:17:00")],
        [("CTIME", 1588302000, "file creation, unix time")],
        *([("DATE-OBS", f"{year}-01-01T00:00:08")] for year in (1858, 1970, 2099)),
        [("DATE-BEG", "1970-01-01T00:00:08"), ("MJD", 58970.125), ("DATE", "2020-05-01T03:00:00")],
    ],
)
def test_dates_that_are_not_sure(tmp_path, cards):
    finding, _ = look(tmp_path, "date_begin", cards)
    assert not is_sure(finding)


@pytest.mark.parametrize("date", ["1858-11-17T00:00:00", "1970-01-01T00:00:08", "2099-01-01T00:00:00"])
def test_a_translator_takes_no_date_of_a_clock_that_was_not_set(tmp_path, date):
    translator = translator_of(facts_of(tmp_path, cards_of([DATE])))
    assert translator.visit_info({"DATE-OBS": date, "EXPTIME": 1.0}).date_begin == ""


@pytest.mark.parametrize(
    ("cards", "scale", "sure"),
    [
        ([("DATE-OBS", BEGIN, "[TAI] start of exposure")], "TAI", True),
        ([("DATE-OBS", BEGIN, "UTC start (also TAI)")], "UTC", False),
        ([("DATE-OBS", BEGIN), ("TIMESYS", "GPS")], "TAI", True),
        ([("DATE-OBS", BEGIN, "GPS:Frame Start")], "UTC", True),
        *(
            ([("DATE-OBS", BEGIN, text)], "UTC", True)
            for text in ("from GPS receiver", "GPS UTC", "UTC from GPS time", "GPS receiver time stamp")
        ),
        *(
            ([("DATE-OBS", BEGIN, text)], "UTC", False)
            for text in ("GPS", "GPS time stamp", "GPS shutter open", "GPSTIME", "not in GPS time", "in GPS time, UTC")
        ),
        ([("DATE-OBS", BEGIN, "GPS time stamp"), ("TIMESYS", "UTC")], "UTC", True),
        *(
            ([("DATE-OBS", BEGIN, text)], "TAI", True)
            for text in ("GPS time scale", "time scale: GPS", "start, in GPS time", "GPS time (not UTC)")
        ),
        ([("DATE-OBS", BEGIN, "UTC"), ("TIMESYS", "TAI")], "TAI", False),
        ([("DATE-OBS", BEGIN)], "UTC", True),
    ],
)
def test_time_scales(tmp_path, cards, scale, sure):
    found = cards_of(cards)
    finding = find_time_scale(found, facts_of(tmp_path, found).dates[0])
    assert (finding.value, is_sure(finding)) == (scale, sure)


@pytest.mark.parametrize("other", ["TAI", "GPS"])
def test_time_scales_of_other_files(tmp_path, other):
    headers = [cards_of([DATE, ("TIMESYS", scale)]) for scale in ("UTC", "UTC", other)]
    finding = next(f for f in facts_of(tmp_path, *headers).findings if f.quantity == "time_scale")
    assert (finding.value, finding.confidence, finding.note) == ("UTC", "guess", "other files have TAI")


def test_the_comment_of_each_file_tells_the_unit(tmp_path):
    headers = [cards_of([("EXPTIME", value, unit), DATE]) for value, unit in ((60.0, "[s]"), (1.0, "minutes"))]
    frames = facts_of(tmp_path, *headers)
    finding = next(f for f in frames.findings if f.quantity == "exposure_time")
    assert (finding.value, finding.confidence) == (60.0, "certain")
    translator = translator_of(frames)
    lines = (b"SIMPLE  = T", b"EXPTIME = 1.0 / minutes", b"EXPTIME = 60.0 / [s]", b"EXPTIME = 60.0")
    for number, cards in ((1, 1), (2, 2), (3, 3)):
        text = b"".join(line.ljust(80) for line in (lines[0], lines[cards])).decode()
        assert translator.visit_info(parse_header(text)).exposure_time == 60.0, number


def test_an_extension_does_not_take_the_unit_of_the_primary_header():
    primary = parse_header("EXPTIME = 1.0 / minutes".ljust(80))
    assert merge_headers(primary, {"EXPTIME": 60.0}) == {"EXPTIME": 60.0}
    assert merge_headers(primary, {}) == primary


@pytest.mark.parametrize(
    ("cards", "seconds"),
    [
        ([("EXPTIME", "00:05:00")], 300.0),
        ([("EXPTIME", 0.5, "[h]")], 1800.0),
        ([("EXPTIME", 5000000000, "[ns]")], 5.0),
        ([("EXPTIME", "30 s")], 30.0),
        ([("EXPTIME", "2 min")], 120.0),
        ([("EXPTIME", "30,5")], 30.5),
        ([("EXPTIME", "1/125")], 0.008),
        ([("EXPTIME", 300.0, "requested exposure time"), ("EXPOSED", 212.3, "actual exposure time")], 212.3),
        ([("EXPTIME", 300.0), ("ACTTIME", 212.3, "actual exposure (shutter open)")], 212.3),
        ([("ITIME", 2.0), ("COADDS", 10)], 20.0),
        ([("EXPTIME", 2.0, "per coadd"), ("COADDS", 10)], 20.0),
        ([("EXPTIME", 2.0), ("COADDS", 1)], 2.0),
        ([("EXPOSURE", 0.0), ("EXPTIME", 60.0)], 60.0),
        ([("EXPMSEC", 90000, "exposure in ms")], 90.0),
        ([("EXP_SEC", 90.0)], 90.0),
        ([("INTTMS", 2500)], 2.5),
    ],
)
def test_exposure_times(tmp_path, cards, seconds):
    finding, translated = look(tmp_path, "exposure_time", [DATE, *cards], ("EXPTIME",))
    assert is_sure(finding)
    assert (finding.value, translated) == (pytest.approx(seconds), pytest.approx(seconds))


def test_an_exposure_far_shorter_than_from_begin_to_end_is_a_guess(tmp_path):
    cards = [DATE, ("DATE-END", "2020-05-01T03:10:00"), ("EXPTIME", 10.0)]
    finding, _ = look(tmp_path, "exposure_time", cards, ("EXPTIME",))
    assert (finding.confidence, finding.note) == ("guess", "600 s lie between DATE-OBS and DATE-END")


@pytest.mark.parametrize("value", [-1.0, 1e10, "N/A", "nan"])
def test_exposure_times_that_cannot_be(tmp_path, value):
    translator = translator_of(facts_of(tmp_path, cards_of([DATE])))
    assert math.isnan(translator.visit_info({"DATE-OBS": BEGIN, "EXPTIME": value}).exposure_time)
    assert not is_sure(look(tmp_path, "exposure_time", [DATE, ("EXPTIME", value)])[0])


@pytest.mark.parametrize(
    "cards",
    [
        [("RA", "+05:34:31.8"), ("DEC", "+22:00:52")],
        [("RA", "05h34m31.8s"), ("DEC", "+22d00m52s")],
        [("RA", "05:31:31.4"), ("DEC", "+21:58:54"), ("EPOCH", 1950.0)],
        [("RA", "05:31:31.4"), ("DEC", "+21:58:54"), ("RADECSYS", "FK4")],
        [("RA", "05:35:45.2", "of date"), ("DEC", "+22:01:40")],
        [("RA", "05:35:45.2", "JNOW"), ("DEC", "+22:01:40"), ("EQUINOX", 2000.0)],
        [("RA", "05:34:31.8", "J2000"), ("DEC", "+22:00:52"), ("EQUINOX", 2020.33)],
        [("RA", 1.459662, "[rad]"), ("DEC", 0.384225, "[rad]")],
        [("RA", 5.5755), ("DEC", DEC), ("LST", "06:34:31.8"), ("HA", "+01:00:00")],
        [("RA", 0.0), ("DEC", 0.0), ("OBJCTRA", "05 34 31.8"), ("OBJCTDEC", "+22 00 52")],
        [("RA-MNT", RA), ("DEC-MNT", DEC)],
    ],
)
def test_pointings(tmp_path, cards):
    finding, translated = look(tmp_path, "boresight_ra", [DATE, *cards])
    assert is_sure(finding)
    assert (finding.value, translated) == (pytest.approx(RA, abs=3e-3), pytest.approx(finding.value))
    finding, translated = look(tmp_path, "boresight_dec", [DATE, *cards])
    assert (finding.value, translated) == (pytest.approx(DEC, abs=3e-3), pytest.approx(finding.value))


@pytest.mark.parametrize(
    "cards",
    [
        [("RA", "00:00:00"), ("DEC", "+90:00:00")],
        [("RA", "00:00:00"), ("DEC", "+90:00:00"), ("OBJCTRA", "05 34 31.8"), ("OBJCTDEC", "+22 00 52")],
        [("RA", 0.0), ("DEC", 0.0)],
        [("RA", 184.6, "galactic longitude"), ("DEC", -5.8, "galactic latitude")],
        [("RA", 1.0, "deg"), ("DEC", 95.0)],
        [("RA", 25.0, "hours"), ("DEC", 22.0)],
        [("RA", "05:34:31.8"), ("DEC", "+22:00:52"), ("OBJCTRA", "10 00 00"), ("OBJCTDEC", "+02 00 00")],
        [
            ("RA", 83.64, "JNow"),
            ("DEC", 22.01),
            ("OBJCTRA", "05 34 31.8"),
            ("OBJCTDEC", "+22 00 52"),
            ("EQUINOX", 2000),
        ],
        [("RA", 83.94, "deg"), ("DEC", 22.02), ("OBJCTRA", "05 34 31.8"), ("OBJCTDEC", "+22 00 52")],
    ],
)
def test_pointings_that_are_not_sure(tmp_path, cards):
    assert not is_sure(look(tmp_path, "boresight_ra", [DATE, *cards])[0])


@pytest.mark.parametrize(
    ("cards", "name", "sure"),
    [
        ([("FILTER", "N/A")], None, False),
        ([("FILTER", "UNKNOWN")], None, False),
        ([("FILTER", "RGGB")], "RGGB", False),
        ([("FILTER", "MOVING")], None, False),
        ([("FILTER", "ERROR -1")], None, False),
        ([("FILTER", "wheel not connected")], None, False),
        ([("FILTER", "Filter 3")], "Filter 3", False),
        ([("EMFILTER", "red", "exposure meter filter"), ("OSFILTER", "Empty", "order sorting filter")], "open", True),
        ([("FILTER1", "open"), ("FILTER2", "V")], "V", True),
        ([("FILTER1", "s0003 i SDSS"), ("FILTER2", "s0000 Open")], "s0003 i SDSS", True),
        ([("FILTER", "V"), ("GFILTER", "R", "filter of the guider")], "V", True),
    ],
)
def test_filters(tmp_path, cards, name, sure):
    finding, translated = look(tmp_path, "filter", [DATE, *cards], ("FILTER",))
    assert (finding.value, translated, is_sure(finding)) == (name, name or "none", sure)


@pytest.mark.parametrize(
    ("card", "places", "filters"),
    [
        ("FILTPOS", [(1, ""), (2, ""), (3, "")], ["1", "2", "3"]),
        ("WPOS", [(4, "Filter wheel position"), (5, "Filter wheel position")], ["4", "5"]),
        ("FILTER", [(3, ""), (4, "")], ["3", "4"]),
        ("FILTER", [(3, ""), (3, "")], ["none", "none"]),
        ("FOCPOS", [(3, "position of the focus"), (4, "position of the focus")], ["none", "none"]),
        ("GFILT", [(3, "guider filter position"), (4, "guider filter position")], ["none", "none"]),
    ],
)
def test_filters_that_only_have_numbers(tmp_path, card, places, filters):
    headers = [cards_of([DATE, (card, *place)], ("FILTER",)) for place in places]
    frames = facts_of(tmp_path, *headers)
    translator = translator_of(frames)
    names = [translator.registry_columns(plain(cards))["filter"] for cards in headers]
    assert [name.replace("unknown", "none") for name in names] == filters
    assert not any(is_sure(finding) for finding in frames.findings if finding.quantity == "filter")


@pytest.mark.parametrize(
    ("cards", "kind"),
    [
        ([("IMAGETYP", "object"), ("OBJECT", "bias")], None),
        ([("IMAGETYP", "object"), ("OBJECT", "dome flat 3")], None),
        ([("IMAGETYP", "object"), ("FIELD", "dark")], None),
        ([("IMAGETYP", "object"), ("EXPTIME", 0.0)], None),
        ([("IMAGETYP", "expose"), ("OBJECT", "HgArNe")], None),
        ([("OBSTYPE", "OBJECT"), ("OBJECT", "focus run 12")], None),
        ([("IMAGETYP", "object"), ("OBJECT", "He-Ne-Ar")], None),
        ([("IMAGETYP", "object"), ("OBJECT", "NEAR")], "science"),
        ([("IMAGETYP", "flat"), ("OBJECT", "dome flat off")], None),
        ([("IMAGETYP", "BIAS/DARK")], None),
        ([("IMAGETYP", "object, no dark")], None),
        ([("IMAGETYP", "object"), ("OBJECT", "dark nebula LDN 1622")], "science"),
        ([("IMAGETYP", "flat"), ("OBJECT", "skyflat V")], "flat"),
        ([("IMAGETYP", "Dark Frame"), ("OBJECT", "M 31")], "dark"),
        ([("OBJECT", "M 31"), ("EXPTIME", 0.0)], None),
    ],
)
def test_image_types(tmp_path, cards, kind):
    finding, translated = look(tmp_path, "image_type", [DATE, *cards], ("IMAGETYP", "OBJECT"))
    assert (finding.value, translated) == (kind, kind or "unknown")


@pytest.mark.parametrize(
    ("quantity", "cards", "value"),
    [
        ("longitude", [("SITELONG", "079:30:23W")], -79.5064),
        ("longitude", [("SITELONG", "W 79 30 23")], -79.5064),
        ("latitude", [("SITELAT", "30.24S")], -30.24),
        ("latitude", [("LAT-OBS", 19.54)], 19.54),
        ("latitude", [("LATOBS", -30.2)], -30.2),
        ("longitude", [("LONOBS", 70.8), ("DATE-LOC", "2020-04-30T23:00:00-04:00")], -70.8),
        ("longitude", [("LONG", 70.4048), ("LST", 46584.608, "12:56:24.608 LST")], -70.4048),
        ("longitude", [("LONG", 70.4048), ("LST", 46584.6, "[s]")], -70.4048),
        ("elevation", [("ALTOBS", 2200.0)], 2200.0),
        ("elevation", [("ELEV-OBS", 3400.0)], 3400.0),
        ("elevation", [("OBSALT", 2150.0, "[m]")], 2150.0),
        ("elevation", [("ALT-OBS", 2.4, "km above sea level")], 2400.0),
        ("elevation", [("SITEELEV", 1000.0, "feet")], 304.8),
        ("elevation", [("ALT-OBS", 57.3, "altitude of telescope [deg]")], None),
        ("elevation", [("OBSALT", 57.3)], None),
        ("elevation", [("HEIGHT", 1024, "image height")], None),
    ],
)
def test_sites(tmp_path, quantity, cards, value):
    found = cards_of([DATE, *cards])
    sites = {finding.quantity: finding for finding in find_site(found, facts_of(tmp_path, found).findings[1])}
    assert sites[quantity].value == (value if value is None else pytest.approx(value, abs=1e-4))


@pytest.mark.parametrize(
    ("stated", "airmasses", "longitude", "sure"),
    [
        (-70.8, (1.242, 1.559), -70.8, True),
        (70.8, (1.242, 1.559), -70.8, True),
        (70.8, (1.2,), -70.8, True),
        (70.8, (1.242, 1.8), 70.8, False),
        (70.8, (1.0,), 70.8, False),
    ],
)
def test_the_airmass_tells_the_side_of_greenwich(tmp_path, stated, airmasses, longitude, sure):
    begins = ("2021-03-04T05:06:07", "2021-03-04T06:36:07")  # airmasses there by astropy
    pointing = [("RA", 150.1, "deg"), ("DEC", 2.2, "deg"), ("LATITUDE", -30.17), ("OBSLONG", stated)]
    headers = [
        cards_of([("DATE-OBS", begin), *pointing, ("AIRMASS", airmass)])
        for begin, airmass in zip(begins, airmasses, strict=False)
    ]
    found = next(f for f in facts_of(tmp_path, *headers).findings if f.quantity == "longitude")
    assert (found.value, is_sure(found)) == (pytest.approx(longitude), sure)


def test_site_from_geocentric_coordinates(tmp_path):
    found = cards_of([DATE, ("OBSGEO-X", 1814304.0), ("OBSGEO-Y", -5214366.0), ("OBSGEO-Z", -3187341.0)])
    longitude, latitude, elevation = find_site(found, facts_of(tmp_path, found).findings[1])
    assert (longitude.value, latitude.value) == (pytest.approx(-70.815, abs=2e-3), pytest.approx(-30.165, abs=3e-3))
    assert elevation.value == pytest.approx(2200, abs=600)


@pytest.mark.parametrize(
    ("value", "binning"),
    [
        ("2*2", (2, 2)),
        (2, (2, 2)),
        ("2", (2, 2)),
        ("2x2", (2, 2)),
        ("1 2", (1, 2)),
        ("bin4", (4, 4)),
        ("(2,2)", (2, 2)),
    ],
)
def test_binnings(value, binning):
    assert find_binning(cards_of([("BINNING", value)])).value == binning


@pytest.mark.parametrize(
    ("cards", "gain", "sure"),
    [
        ([("EGAIN", 1.0, "e-/ADU")], 1.0, False),
        ([("CVF", 0.25, "[e-/ADU]"), ("GAIN", 120, "Sensor gain")], 0.25, True),
        ([("GAIN", 2.5, "EM gain")], None, False),
        ([("GAIN", 4.7, "preamp gain")], None, False),
    ],
)
def test_gains(cards, gain, sure):
    finding = find_gain(cards_of(cards))
    assert (finding.value, is_sure(finding)) == (gain, sure)


@pytest.mark.parametrize(
    ("cards", "scale", "sure"),
    [
        ([("SECPIX", 0.4, "unbinned"), ("XBINNING", 2), ("YBINNING", 2)], 0.8, True),
        ([("SECPIX", 0.4), ("XBINNING", 2), ("YBINNING", 2)], 0.4, False),
        ([("PIXSIZE", 15.0, "microns"), ("PLTSCALE", 161.0, "microns/arcsec")], 15.0 / 161.0, True),
        ([("CTYPE1", "RA---TAN"), ("CD1_1", -0.105), ("CD2_2", 0.105)], 378.0, False),
    ],
)
def test_scales(cards, scale, sure):
    found = cards_of(cards)
    sky = find_sky_scale(found, find_binning(found).value)
    assert (sky.scale.value, is_sure(sky.scale)) == (pytest.approx(scale), sure)
    assert sure or not is_sure(sky.rotation)


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (("CALSTAT", "BDF"), ["CALSTAT = 'BDF': bias, dark, flat are out already"]),
        (("STACKCNT", 187), ["STACKCNT = 187: a stack of 187 frames, no raw frame"]),
        (("ZEROCOR", "Zero level correction image is Zero.fits"), ["ZEROCOR = 'Zero level"]),
        (("BUNIT", "electrons"), ["BUNIT = 'electrons': the pixels are in electrons"]),
        (("BUNIT", "electron/s"), ["BUNIT = 'electron/s': the pixels are in electrons"]),
        (("PEDESTAL", -100), ["PEDESTAL = -100: a constant was added"]),
        (("ROWORDER", "TOP-DOWN"), ["ROWORDER = 'TOP-DOWN': the rows are stored from the top"]),
        (("OVERSCAN", 32), []),
        (("TRIM", "[1:100,1:100]"), []),
        (("CALSTAT", ""), []),
        (("BUNIT", "ADU"), []),
    ],
)
def test_frames_that_are_not_raw(card, told):
    found = list(find_processing(cards_of([card])))
    assert len(found) == len(told)
    assert all(text.startswith(start) for text, start in zip(found, told, strict=True))


def test_a_stack_is_dated_and_exposed_by_guess(tmp_path):
    cards = [("DATE-OBS", BEGIN, "Image created time"), ("STACKCNT", 187)]
    assert look(tmp_path, "exposure_time", cards)[0].confidence == "guess"
    assert look(tmp_path, "date_begin", cards)[0].confidence == "guess"


@pytest.mark.parametrize(
    ("headers", "quantity", "values"),
    [
        (
            [[("EXPOSURE", 0.0), ("IMAGETYP", "bias")], [("EXPOSURE", 0.0), ("EXPTIME", 60.0)]],
            "exposure_time",
            [0.0, 60.0],
        ),
        (
            [[("RA", "05:34:31.8"), ("DEC", "+22:00:52")], [("RA", 10.5, "deg"), ("DEC", -3.0)]],
            "boresight_ra",
            [RA, 10.5],
        ),
        ([[("DATE-OBS", "2020-05-01"), ("UT", "03:00:00")], [("DATE-OBS", "2020-05-01T04:00:00")]], "date_begin", None),
        ([[("DATE-OBS", "01/05/20"), ("UT", "03:00:00")], [("MJD-OBS", 58970.25)]], "date_begin", None),
        ([[("FILTER", "open"), ("FILTER2", "open")], [("FILTER", "open"), ("FILTER2", "V")]], "filter", ["open", "V"]),
        ([[("FILTER", "Clear")], [("FILTER", "open"), ("FILTER2", "V")]], "filter", ["Clear", "V"]),
        ([[("EXPTIME", 1500, "[ms]")], [("EXPTIME", 1500, "[ms]"), ("EXPOSURE", 1.5)]], "exposure_time", [1.5, 1.5]),
    ],
)
def test_each_file_is_read_as_it_is_told_alone(tmp_path, headers, quantity, values):
    names = {card[0] for cards in headers for card in cards}
    common = [] if names & {"DATE-OBS", "MJD-OBS"} else [DATE]
    without = ("EXPTIME",) if "EXPOSURE" in names else ()
    found = [cards_of([*common, *cards], without) for cards in headers]
    frames = facts_of(tmp_path, *found)
    translator = translator_of(frames)
    alone = [facts_of(tmp_path, cards) for cards in found]
    for number, cards in enumerate(found):
        told = next(finding for finding in alone[number].findings if finding.quantity == quantity)
        row, info = translator.registry_columns(plain(cards)), translator.visit_info(plain(cards))
        value = row.get(quantity) if quantity == "filter" else getattr(info, quantity)
        assert value == told.value if isinstance(value, str) else value == pytest.approx(told.value)
        if values is not None:
            assert value == (values[number] if isinstance(value, str) else pytest.approx(values[number], abs=1e-4))
