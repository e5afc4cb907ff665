"""obs doctor on a new camera, its simulated night, and packages that are broken in one way each."""

import re

import numpy as np
import pytest
from astropy.io import fits
from broken_package import ROW, all_of, break_package, changed, run_doctor


def test_nothing_is_left_to_fix_in_a_sound_package(made, night, tmp_path, capsys):
    status, out, last = run_doctor(capsys, made, all_of(night), "--output", str(tmp_path))
    assert (status, last[:19]) == (0, "nothing left to fix")
    assert "WRONG" not in out
    measured = [float(word) for word in re.findall(r"1\.5 e-/ADU; photon noise ([\d.]+)", out)]
    assert measured == pytest.approx([1.5, 1.5], rel=0.03)
    first_of_type = sorted(paths[0] for paths in night.values())
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"{path.stem}.png" for path in first_of_type]
    picture = (tmp_path / f"{night['science'][0].stem}.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("kinds", "file", "old", "new", "wanted"),
    [
        (
            ("science",),
            "amplifiers.csv",
            ROW,
            changed(_15="250"),
            "column raw_serial_overscan_bbox_x_min of amplifier 'amp1': x_min 256 in place of 250",
        ),
        (
            ("science",),
            "amplifiers.csv",
            ROW,
            changed(_11="6"),
            "column raw_data_bbox_x_min of amplifier 'amp1': x_min 0 in place of 6",
        ),
        (
            ("bias",),
            "amplifiers.csv",
            ROW,
            changed(_15="270"),
            "column raw_serial_overscan_bbox_* of amplifier 'amp1', or raw_data_bbox_* of 'amp2'",
        ),
        (
            ("bias",),
            "amplifiers.csv",
            ROW,
            changed(_15="540"),
            "line 4, column 'raw_serial_overscan_bbox_*': raw_serial_overscan_bbox Box(x_min=540",
        ),
        (
            ("science",),
            "detectors.csv",
            ",560,256,",
            ",576,256,",
            "column raw_width, raw_height of detector 'ccd0': raw_width 560, raw_height 256",
        ),
        (
            ("science",),
            "translator.py",
            'DateRule("DATE-OBS")',
            'DateRule("DATE-OBS", layout="%Y-%d-%mT%H:%M:%S.%f")',
            "dates: read DATE-OBS, which gives 2020-09-04T05:00:00.000; here is DATE-OBS = '2020-09-04T05",
        ),
        (
            ("science",),
            "translator.py",
            '(("FILTER",),)',
            '(("INSTFILT",),)',
            "filter_cards: read FILTER, which holds 'r', not INSTFILT",
        ),
        (
            ("science",),
            "translator.py",
            '"exposure_time": [\n            ("EXPTIME", {"unit": "s"})',
            '"exposure_time": [\n            ("EXPTIME", {"unit": "min"})',
            "translation['exposure_time']: EXPTIME holds 30 s; is it another card, or another unit?",
        ),
        (
            ("science",),
            "translator.py",
            "class Fixed",
            "clas Fixed",
            "invalid syntax: clas FixedTranslator(RuleTranslator):",
        ),
        (("science",), "__init__.py", "bits=35", "bits=99", "exposure_id_bits is 99; expected 1 to 48"),
        (
            ("science",),
            "translator.py",
            '"ccd": "CCDNUM"',
            '"ccd": "EXPNUM"',
            "translation['ccd']: name the card that holds",
        ),
    ],
)
def test_the_next_thing_to_fix_is_what_was_broken(made, night, tmp_path, capsys, kinds, file, old, new, wanted):
    package = break_package(made, tmp_path, file, old, new)
    files = [path for kind in kinds for path in night[kind]]
    status, _, last = run_doctor(capsys, package, files, "--no-picture")
    assert status == 1
    assert last.startswith("next: ")
    assert wanted in last
    if file != "__init__.py":
        assert f"{file}:" in last


@pytest.mark.parametrize(
    ("kinds", "cell", "value", "column", "truth", "tolerance"),
    [
        (("flat",), "_30", "1.2", "gain", 1.5, 0.03),
        (("flat",), "_30", "", "gain", 1.5, 0.03),
        (("science",), "_30", "15", "gain", 1.5, 0.3),
        (("flat", "bias"), "_31", "9", "read_noise", 4.0, 0.05),
    ],
)
def test_wrong_numbers_are_told_with_the_right_ones(
    made, night, tmp_path, capsys, kinds, cell, value, column, truth, tolerance
):
    package = break_package(made, tmp_path, "amplifiers.csv", ROW, changed(**{cell: value}))
    _, _, last = run_doctor(capsys, package, [path for kind in kinds for path in night[kind]], "--no-picture")
    told = re.search(rf"amplifiers\.csv:4, column {column} of amplifier 'amp1': (?:about )?([\d.]+)", last)
    assert told is not None, last
    assert float(told[1]) == pytest.approx(truth, rel=tolerance)


def test_the_line_is_that_of_the_broken_row(made, night, tmp_path, capsys):
    package = break_package(made, tmp_path, "amplifiers.csv", ROW, changed(_30="1.2"))
    table = next(package.rglob("amplifiers.csv"))
    line = 1 + table.read_text().splitlines().index(changed(_30="1.2"))
    assert f"amplifiers.csv:{line}, column gain" in run_doctor(capsys, package, night["flat"], "--no-picture")[2]


def test_both_shapes_and_the_extension_are_told(made, night, tmp_path, capsys):
    package = break_package(made, tmp_path, "detectors.csv", ",560,256,", ",576,250,")
    _, out, last = run_doctor(capsys, package, night["bias"][:1], "--no-picture")
    assert "line 4, column 'raw_bbox_*'" in last  # the boxes leave what the table has as the image
    package = break_package(made, tmp_path / "wide", "detectors.csv", ",560,256,", ",576,256,")
    _, out, last = run_doctor(capsys, package, night["bias"][:1], "--no-picture")
    name = night["bias"][0].name
    assert f"(HDU 0 = 560 x 256 pixels: {name} has 560 x 256 pixels there, the camera 576 x 256 for detector" in last
    assert "HDU 0" in out


def test_visits_that_do_not_tell_frames_apart_are_told(made, night, tmp_path, capsys):
    package = break_package(made, tmp_path, "translator.py", '"visit": "EXPNUM"', '"visit": "CCDNUM"')
    _, _, last = run_doctor(capsys, package, night["bias"], "--no-picture")
    assert "translation['visit']: read what numbers exposures, not only nights or files" in last
    assert f"(visit ccd = visit=0 ccd=0: {night['bias'][0].name} has the same visit=0 ccd=0, so" in last


@pytest.mark.parametrize(
    ("file", "old", "new", "note"),
    [
        (
            "exposure_id.py",
            "exposure_id = ",
            "def exposure_id(data_id):\n    return [][1]\n\n\n_numbers = ",
            "IndexError: list index out of range",
        ),
        (
            "translator.py",
            "return format_date(self.begin(md",
            "return odd_date(self.begin(md",
            "NameError: name 'odd_date' is not defined",
        ),
        (
            "process.yaml",
            "# isr:",
            "isr: {do_camera_specific_masking: true, camera_masking: 'os:sep'}\n# isr:",
            "process.yaml",
        ),
    ],
)
def test_functions_that_fail_are_told_without_a_traceback(made, night, tmp_path, capsys, file, old, new, note):
    package = break_package(made, tmp_path, file, old, new)
    status, out, last = run_doctor(capsys, package, night["science"], "--no-picture")
    assert status == 1
    assert note in out + last
    assert last.startswith("next: ")


def test_pixels_that_pile_up_below_the_saturation_are_told(made, night, tmp_path, capsys):
    path = tmp_path / "full.fits"
    with fits.open(night["science"][0]) as hdus:
        data = hdus[0].data
        data[100:110, 100:110] = 30000
        fits.PrimaryHDU(data, hdus[0].header).writeto(path)
    _, _, last = run_doctor(capsys, made, [path], "--no-picture")
    assert "column saturation of amplifier 'amp1': not above 30000" in last
    assert "100 pixels pile up at 30000 ADU" in last


def test_files_that_cannot_be_read_stop_nothing(made, night, tmp_path, capsys):
    (tmp_path / "no.fits").write_text("hello")
    whole = night["science"][0]
    (tmp_path / "cut.fits").write_bytes(whole.read_bytes()[:9000])
    files = [tmp_path / "no.fits", tmp_path / "cut.fits", tmp_path / "nothing.fits", whole]
    status, out, last = run_doctor(capsys, made, files, "--no-picture")
    assert status == 1
    assert "is neither a FITS file nor the text of a header" in out
    assert "is cut short: it has 9000 bytes" in out
    assert "does not exist" in out
    assert re.search(rf"^{whole.name} .* ok$", out, re.MULTILINE)
    assert last == (
        f"next: {tmp_path / 'no.fits'}: is neither a FITS file nor the text of a header; leave the file out, or get it "
        "again"
    )


def test_without_a_translator_the_files_are_described(made, night, tmp_path, capsys):
    package = break_package(made, tmp_path, "translator.py", "class Fixed", "clas Fixed")
    _, out, _ = run_doctor(capsys, package, night["bias"][:1], "--no-picture")
    assert "HDU 0  560 x 256 pixels" in out


def test_text_of_a_header_has_no_pixels(made, night, tmp_path, capsys):
    path = tmp_path / "frame.hdr"
    path.write_text(fits.getheader(night["science"][0]).tostring(sep="\n", padding=False))
    status, out, last = run_doctor(capsys, made, [path], "--no-picture")
    assert (status, last) == (0, "nothing left to fix")
    assert "the text of a header has no pixels" in out


def test_files_of_one_name_have_pictures_of_their_own(made, night, tmp_path, capsys):
    first = night["bias"][0]
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "night.1.fits").write_bytes(first.read_bytes())
    files = [tmp_path / "one" / "night.1.fits", tmp_path / "two" / "night.1.fits"]
    run_doctor(capsys, made, files, "--output", str(tmp_path / "pictures"), "--all")
    assert sorted(path.name for path in (tmp_path / "pictures").glob("*")) == ["night.1-2.png", "night.1.png"]


def test_quiet_prints_what_is_wrong_only(made, night, tmp_path, capsys):
    package = break_package(made, tmp_path, "amplifiers.csv", ROW, changed(_30="1.2"))
    _, out, _ = run_doctor(capsys, package, night["flat"], "--no-picture", "--quiet")
    assert "WRONG" in out
    assert "exposure_time" not in out


def test_a_frame_of_light_that_is_not_even_gives_the_same_gain(made, night, tmp_path, capsys):
    """The lamp may be a fifth brighter in the second flat, and brighter at one side."""
    paths = []
    for number, path in enumerate(night["flat"]):
        with fits.open(path) as hdus:
            cards, shape = hdus[0].header, hdus[0].data.shape
        random = np.random.default_rng(number)
        level = 9000.0 * (1.0 + 0.2 * number) * (1.0 + 0.3 * np.arange(shape[1]) / shape[1])
        data = np.where(np.arange(shape[1]) % 280 < 256, random.poisson(level * 1.5, shape) / 1.5, 0.0)
        data = data + 1000.0 + random.normal(0.0, 4.0 / 1.5, shape)
        paths.append(tmp_path / f"flat{number}.fits")
        fits.PrimaryHDU(np.round(data).astype(np.uint16), cards).writeto(paths[-1])
    status, out, _ = run_doctor(capsys, made, paths, "--no-picture")
    assert status == 0
    measured = [float(word) for word in re.findall(r"photon noise ([\d.]+)", out)]
    assert measured == pytest.approx([1.5, 1.5], rel=0.03)
