"""obs doctor on real frames of Kast and Sinistro and on simulated ones of HSC, with packages broken in one way each."""

import re
from pathlib import Path

import pytest
from broken_package import break_package, run_doctor
from matplotlib import image

from obs.cli.main import main

TESTS = Path(__file__).parents[1]
KAST, SINISTRO = TESTS / "plugins" / "kast" / "obs_kast", TESTS / "plugins" / "sinistro" / "obs_sinistro"
HSC = TESTS.parent / "obs_plugins" / "obs_hsc"
LEFT = ",2048,0,32,350,LL"
Q1 = "Q1,1,0,512,512,512,0,0,544,522,0,0,512,512,519,0,21,512,"


@pytest.fixture(scope="module")
def hsc_frame(tmp_path_factory):
    """A frame of one detector of HSC."""
    folder = tmp_path_factory.mktemp("hsc")
    words = ["--filter", "HSC-R", "--detectors", "49", "--truth", "none", "-c", "sources.density=3000"]
    assert main(["simulate", "hsc", "--output", str(folder), *words]) == 0
    return next(folder.glob("hsc-*.fits.fz"))


#: Boxes and corners of a picture: their color, and how many pixels have it at least.
DRAWN = (((47, 126, 216), 5000), ((230, 126, 34), 1000), ((192, 57, 43), 5000))


@pytest.mark.parametrize(("package", "pattern", "drawn"), [(KAST, "kast/*.gz", ()), (SINISTRO, "sinistro/*.gz", DRAWN)])
def test_nothing_is_left_to_fix(shared_data, tmp_path, capsys, package, pattern, drawn):
    files = sorted(shared_data.glob(pattern))
    status, out, last = run_doctor(capsys, package, files, "--output", str(tmp_path))
    assert (status, last[:19]) == (0, "nothing left to fix")
    assert "WRONG" not in out
    pictures = list(tmp_path.glob("*.png"))
    assert len(pictures) == len({path.name[:2] for path in files})  # one of each type
    picture = image.imread(pictures[0])[..., :3]
    for color, least in drawn:
        near = abs(picture * 255 - color).max(axis=2) < 40
        assert near.sum() > least


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        (
            "amplifiers.csv",
            "UL,0,1,6.42",
            "UL,0,1,0.642",
            "amplifiers.csv:4, column gain of amplifier 'Q1': 6.42 in place of 0.642, if the header is right",
        ),
        (
            "amplifiers.csv",
            Q1,
            Q1.replace("519,0,21", "500,0,21"),
            "amplifiers.csv:4, column raw_serial_overscan_bbox_* of amplifier 'Q1': x_min 519",
        ),
        (
            "amplifiers.csv",
            Q1,
            Q1.replace("522,0,0,512", "522,8,0,512").replace("519,0,21", "520,0,20"),
            "amplifiers.csv:4, column raw_data_bbox_* of amplifier 'Q1': x_min 0",
        ),
        (
            "amplifiers.csv",
            Q1,
            Q1.replace("519,0,21", "540,0,21"),
            "amplifiers.csv: line 4, column 'raw_serial_overscan_bbox_*': raw_serial_overscan_bbox Box(x_min=540",
        ),
        (
            "amplifiers.csv",
            "Q1,1,",
            "Q1,5,",
            "amplifiers.csv:4, column raw_hdu of amplifier 'Q1': the number of its HDU",
        ),
        ("camera.yaml", "25.933", "12.96", "camera.yaml:3, plate_scale: 25.932 arcsec/mm in place of 12.96"),
        (
            "detectors.csv",
            "0.030,0.030",
            "0.015,0.015",
            "column pixel_size_x, pixel_size_y of detector 'fa05': 0.03 mm (CCDXPIXE) in place of 0.015",
        ),
        (
            "translator.py",
            '"filter": "FILTER"',
            '"filter": "FILTER1"',
            "translator.py:36, translation['filter']: read FILTER, which holds 'w', not FILTER1",
        ),
        (
            "translator.py",
            'parse_date(md["DATE-OBS"]).date',
            'parse_date(md["DATE-OBS"][:10], "%Y-%d-%m").date',
            "translate_day: read DATE-OBS, which gives 2021-10-08T01:55:17.144; here is DATE-OBS = '2021-10-08T01:",
        ),
        (
            "translator.py",
            '"hourangle"',
            '"deg"',
            "translator.py:43, translation['boresight_ra']: the unit: it fits if the card is in hours",
        ),
        (
            "translator.py",
            '"airmass": "AIRMASS"',
            '"airmass": "ALTITUDE"',
            "translator.py:47, translation['airmass']: name the card that holds it",
        ),
        (
            "translator.py",
            '"airmass": "AIRMASS"',
            '"airmass": "MOONFRAC"',
            "translator.py:47, translation['airmass']: name the card that holds it",
        ),
        (
            "translator.py",
            '("LATITUDE", {"unit": "deg"})',
            '("HEIGHT", {"unit": "deg"})',
            "translation['latitude']: is it another card, or another unit?",
        ),
        (
            "translator.py",
            '"date_begin": "DATE-OBS"',
            '"date_begin": "DATE_OBS"',
            "translation['date_begin']: name DATE-OBS, which holds 2021-10-08T01:55:17.144",
        ),
    ],
)
def test_what_is_broken_in_sinistro_is_named(shared_data, tmp_path, capsys, file, old, new, wanted):
    package = break_package(SINISTRO, tmp_path, file, old, new)
    status, _, last = run_doctor(capsys, package, sorted(shared_data.glob("sinistro/*.gz")), "--no-picture")
    assert status == 1
    assert wanted in last


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        ("amplifiers.csv", LEFT, LEFT.replace("2048,0,32", "2080,0,32"), "of amplifier 'left': x_min 2048, y_min 0"),
        ("amplifiers.csv", LEFT, LEFT.replace("2048,0,32", "2028,0,32"), "of amplifier 'left': x_min 2048, y_min 0"),
        (
            "translator.py",
            '"BLFILT_N"',
            '"GRISM_N"',
            "read BLFILT_N, which holds 'Open', not GRISM_N",
        ),
        ("translator.py", '+ int(md["OBSNUM"])', "", "translate_visit: read what numbers exposures"),
    ],
)
def test_what_is_broken_in_kast_is_named(shared_data, tmp_path, capsys, file, old, new, wanted):
    package = break_package(KAST, tmp_path, file, old, new)
    status, _, last = run_doctor(capsys, package, sorted(shared_data.glob("kast/*.gz")), "--no-picture")
    assert status == 1
    assert wanted in last


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        ("", "", "", "nothing left to fix"),
        ("amplifiers.csv", "LL,3.6664", "LL,0.36664", "column gain of amplifier '0': about 3."),
        ("amplifiers.csv", "8,49,512,4176,520,49", "8,49,512,4176,512,49", "amplifier '0': x_min 520 in place of 512"),
        ("amplifiers.csv", "8,49,512,4176,520,49", "2,49,512,4176,520,49", "amplifier '0': x_min 8 in place of 2"),
        (
            "translator.py",
            '"FILTER01"',
            '"FILTER02"',
            "read FILTER01, which holds 'HSC-R', not FILTER02",
        ),
    ],
)
def test_what_is_broken_in_hsc_is_named(hsc_frame, tmp_path, capsys, file, old, new, wanted):
    package = break_package(HSC, tmp_path)
    if file:
        path = next(package.rglob(file))
        lines = path.read_text().splitlines(keepends=True)
        # of the detector at hand; a translator has the text once
        number = next(
            n for n, line in enumerate(lines) if old in line and (line.startswith("0_12,0,") or ".py" in file)
        )
        lines[number] = lines[number].replace(old, new, 1)
        path.write_text("".join(lines))
    status, _, last = run_doctor(capsys, package, [hsc_frame], "--no-picture")
    assert status == (1 if file else 0)
    assert wanted in last


def test_sdss_frames_are_read_as_far_as_they_go(shared_data, capsys):
    frame = next((shared_data / "sdss_stripe82").rglob("fpC-*-g4-*"))
    status, out, last = run_doctor(capsys, "sdss", [frame], "--no-picture")
    assert (status, last) == (0, "nothing left to fix")
    assert "the camera's frames are put together by a function of its own" in out


def test_a_camera_that_is_not_there_is_told(capsys):
    _, _, last = run_doctor(capsys, "nekam", ["a.fits"])
    told = re.search(r"no camera 'nekam' is installed; did you mean 'necam'\?; installed: ([^;]+);", last)
    assert {"hsc", "necam", "sdss"} <= set(told[1].split(", "))
