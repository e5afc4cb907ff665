"""Packages of several files: each file is read as it is told alone, and what cannot be is said."""

import pytest
from made_package import imported

from obs.checks.package import check_package
from obs.ingest.translation import load_translator, read_frames
from obs.inspection.inspect import inspect_files
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.facts import template_facts
from obs.scaffold.verify import find_disagreements
from obs.testing.simulated_header import header_faults
from raw_frames import card_line

COMMON = [
    *[("SIMPLE", True), ("BITPIX", 16), ("NAXIS", 2), ("NAXIS1", 64), ("NAXIS2", 64), ("INSTRUME", "cam")],
    *[("EXPTIME", 60.0), ("FILTER", "V"), ("IMAGETYP", "object"), ("DATE-OBS", "2020-05-01T03:00:00")],
]
LATER = ("DATE-OBS", "2020-05-01T04:00:00")


def text_of(cards):
    names = {card[0] for card in cards}
    lines = [card_line(*card) for card in [*(c for c in COMMON if c[0] not in names), *cards] if card[1] is not None]
    return "\n".join([*lines, "END", ""])


@pytest.fixture
def make(tmp_path):
    """Make a package of headers by their file names; return findings, its translated rows, and what disagrees."""

    def run(headers):
        paths = [tmp_path / name for name in headers]
        for path, cards in zip(paths, headers.values(), strict=True):
            path.write_text(text_of(cards))
        found = inspect_files(paths)
        facts = template_facts(found, visit_key="visit", detector_key="ccd")
        package = create_package(Answers(camera="several"), tmp_path, facts=facts)
        assert check_package(str(package)) == []
        disagreements = find_disagreements(package, found)
        rows = []
        with imported(package) as instrument:
            assert list(header_faults(instrument)) == []
            translator = load_translator(instrument)
            for path in paths:
                try:
                    rows += [frame.row for frame in read_frames(path, translator, text=True)]
                except ValueError as error:
                    rows.append(str(error))
        return found, rows, disagreements

    return run


def test_exposure_time_of_another_card(make):
    bias = [("EXPTIME", None), ("EXPOSURE", 0.0), ("IMAGETYP", "bias")]
    _, rows, told = make({"bias.hdr": bias, "light.hdr": [LATER, ("EXPOSURE", 0.0), ("EXPTIME", 60.0)]})
    assert [row["expTime"] for row in rows] == [0.0, 60.0]
    assert told == []


def test_types_that_only_the_names_of_files_say(make):
    quiet = [("IMAGETYP", None)]
    names = ("bias-1.hdr", "flatR2.hdr", "M3-3.hdr")
    headers = {name: [*quiet, ("DATE-OBS", f"2020-05-01T0{n}:00:00")] for n, name in enumerate(names)}
    found, rows, told = make(headers)
    assert [row["dataType"] for row in rows] == ["bias", "flat", "science"]
    assert found["image_type"].confidence == "guess"
    assert told == []
    assert any("the names of files and folders do" in text for text in found.warnings)


def test_a_date_of_a_clock_that_was_not_set_is_said_and_not_ingested(make):
    _, rows, told = make({"good.hdr": [], "bad.hdr": [("DATE-OBS", "1970-01-01T00:00:08")]})
    assert "1970-01-01 00:00:08 cannot be when a frame was taken" in rows[1]
    assert told == [f"bad.hdr: the translator cannot read it: {rows[1]}"]


def test_detectors_that_two_cards_name_together(make):
    headers = {
        "one.hdr": [("RAFTBAY", "R10"), ("CCDSLOT", "S02"), ("EXPNUM", 3)],
        "two.hdr": [("RAFTBAY", "R22"), ("CCDSLOT", "S21"), ("EXPNUM", 3)],
    }
    found, rows, told = make(headers)
    assert [(row["visit"], row["ccd"]) for row in rows] == [(3, "R10_S02"), (3, "R22_S21")]
    assert [chip.name for chip in found.detectors] == ["R10_S02", "R22_S21"]
    assert told == []


def test_detectors_that_a_card_names_that_differs_within_an_exposure(make):
    headers = {
        f"f{number}{chip}.hdr": [date, ("SENSORID", chip), ("CCDTEMP", float(number))]
        for number, date in enumerate([COMMON[-1], LATER])
        for chip in ("alpha", "beta")
    }
    _, rows, told = make(headers)
    assert [row["ccd"] for row in rows] == ["alpha", "beta"] * 2
    assert told == []


def test_detectors_that_only_the_name_of_the_file_tells(make):
    headers = {f"im_000{n}_c{chip}.hdr": [date] for n, date in enumerate([COMMON[-1], LATER]) for chip in (1, 2)}
    found, rows, told = make(headers)
    assert [row["ccd"] for row in rows] == ["c1", "c2"] * 2
    assert len({row["visit"] for row in rows}) == 2
    assert (found["detector"].confidence, told) == ("guess", [])


def test_exposures_of_one_second_that_only_the_name_of_the_file_tells(make):
    _, rows, told = make({"bias_0001.hdr": [], "bias_0002.hdr": [], "bias_0003.hdr": [LATER]})
    assert len({row["visit"] for row in rows}) == 3
    assert told == []


def test_files_that_nothing_tells_apart_are_said(make):
    found, _, told = make({"a.hdr": [], "a-b.hdr": []})
    assert found["detector"].confidence == "guess"
    assert any("a.hdr, a-b.hdr begin at the same time, and no card gives" in text for text in found.warnings)
    assert any("as a.hdr: only one of them can be ingested" in text for text in told)


def test_a_filter_without_a_name_is_unknown_where_others_have_one(make):
    _, rows, _ = make({"good.hdr": [], "bad.hdr": [LATER, ("FILTER", "N/A")]})
    assert [row["filter"] for row in rows] == ["V", "unknown"]


def test_a_camera_whose_filter_card_is_always_empty_has_no_filter(make):
    _, rows, _ = make({"one.hdr": [("FILTER", " ")]})
    assert rows[0]["filter"] == "none"


def test_a_type_that_is_not_understood_is_no_type(make):
    _, rows, _ = make({"good.hdr": [], "bad.hdr": [LATER, ("IMAGETYP", "BIAS/DARK")]})
    assert [row.get("dataType") for row in rows] == ["science", None]


def test_scale_and_pointing_of_the_file_that_has_them(make):
    wcs = [("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CD1_1", -3.5e-4), ("CD2_2", 3.5e-4)]
    light = [LATER, *wcs, ("RA", "05:34:31.8"), ("DEC", "+22:00:52")]
    found, _, told = make({"flat.hdr": [("IMAGETYP", "flat")], "light.hdr": light})
    assert found["pixel_scale"].value == pytest.approx(1.26)
    assert found["boresight_ra"].value == pytest.approx(83.6325)
    assert told == []


def test_what_is_out_already_is_not_corrected_again(tmp_path):
    path = tmp_path / "light.hdr"
    path.write_text(text_of([("CALSTAT", "BD"), ("BUNIT", "electrons"), ("GAIN", 1.5, "e-/ADU")]))
    found = inspect_files([path])
    facts = template_facts(found, visit_key="visit", detector_key="ccd")
    assert facts["corrected"] == ["bias", "dark"]
    package = create_package(Answers(camera="reduced"), tmp_path, facts=facts)
    assert check_package(str(package)) == []
    settings = (package / "obs_reduced" / "config" / "process.yaml").read_text()
    assert "\n  do_bias: false" in settings
    assert "\n  do_dark: false" in settings
    assert "do_flat" not in settings
    assert found["gain of amplifier 1"].value == 1.0


@pytest.mark.parametrize(
    ("seconds", "line", "is_dark_off"),
    [
        (
            60.0,
            "build bias DATA --id dataType=dark expTime=60 --validity 30  # darks of 60 s instead of biases and d",
            True,
        ),
        (2.0, "build bias DATA --id dataType=dark expTime=2 --validity 30  # darks of 2 s instead of biases\n", False),
        (None, "# no bias was among the files: take some, or add --allow-missing to the commands below\n", True),
    ],
)
def test_what_stands_in_for_biases_of_a_night_without(tmp_path, seconds, line, is_dark_off):
    frames = {"light": [], "flat": [("IMAGETYP", "flat"), ("EXPTIME", 3.0), LATER]}
    if seconds is not None:
        frames["dark"] = [("IMAGETYP", "dark"), ("EXPTIME", seconds), ("DATE-OBS", "2020-05-01T05:00:00")]
    for name, cards in frames.items():
        (tmp_path / f"{name}.hdr").write_text(text_of(cards))
    found = inspect_files([tmp_path / f"{name}.hdr" for name in frames])
    facts = template_facts(found, visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera="nobias"), tmp_path, facts=facts)
    assert line in (package / "README.md").read_text()
    settings = (package / "obs_nobias" / "config" / "process.yaml").read_text()
    assert ("\n  do_dark: false" in settings) == is_dark_off
    assert "do_bias" not in settings


@pytest.mark.parametrize(("maker", "is_off"), [("Seestar S50", True), ("DWARFIII", True), ("ASI 294", False)])
def test_a_telescope_that_keeps_its_calibration_frames(tmp_path, maker, is_off):
    (tmp_path / "light.hdr").write_text(text_of([("INSTRUME", maker)]))
    facts = template_facts(inspect_files([tmp_path / "light.hdr"]), visit_key="visit", detector_key="ccd")
    assert facts["absent"] == (["bias", "dark", "flat"] if is_off else [])
    package = create_package(Answers(camera="smart"), tmp_path, facts=facts)
    assert ("calibs build" in (package / "README.md").read_text()) != is_off
    assert ("  do_flat: false" in (package / "obs_smart" / "config" / "process.yaml").read_text()) == is_off


def test_binnings_and_windows_of_one_camera(tmp_path):
    def write(name, *cards, kind="object"):
        (tmp_path / name).write_text(text_of([*cards, ("IMAGETYP", kind)]))
        return tmp_path / name

    def binned(number):
        return ("XBINNING", number), ("YBINNING", number)

    times = [("DATE-OBS", f"2020-05-01T03:00:0{n}") for n in range(5)]
    window = [("XORGSUBF", 10), ("YORGSUBF", 20), ("NAXIS1", 30), ("NAXIS2", 16)]
    files = [
        write("w.hdr", *binned(1), *window, times[0]),
        write("a.hdr", *binned(1), times[1]),
        write("b.hdr", *binned(1), times[2]),
        write("c.hdr", *binned(2), ("NAXIS1", 32), ("NAXIS2", 32), times[3]),
        write("d.hdr", *binned(2), ("NAXIS1", 32), ("NAXIS2", 32), times[4], kind="flat"),
    ]
    found = inspect_files(files)
    assert found.detectors[0].facts.raw_shape == (64, 64)
    assert found.warnings == (
        "2 of 5 files have a binning of 2 x 2 and are left out: c.hdr and 1 more; obs new NAME --from FILES --only "
        "'2 x 2' makes a package for them",
        "no flat has the binning 1 x 1 of the science exposures (d.hdr: another one): they need a flat with that "
        "binning; without one, process them with -c isr.do_flat=false",
        "w.hdr: a window of 30 x 16 pixels, placed on the detector by XORGSUBF, YORGSUBF",
    )
    facts = template_facts(found, visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera="modes"), tmp_path, facts=facts)
    with imported(package) as instrument:
        translator = load_translator(instrument)
        assert translator.known_by == {"INSTRUME": ("cam",), "XBINNING": ("1",), "YBINNING": ("1",)}
        assert translator.find_other_camera({"XBINNING": 2}) == "XBINNING = 2"
        assert translator.find_other_camera({"XBINNING": "1.0", "INSTRUME": "Cam "}) == ""
    assert inspect_files(files, only="2 x 2").detectors[0].facts.raw_shape == (32, 32)
    with pytest.raises(ValueError, match="no file has the binning 3 x 3; there is 1 x 1 and 2 x 2"):
        inspect_files(files, only="3 x 3")
