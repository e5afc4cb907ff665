"""How the suite reads in the terminal of a plugin's author."""

import subprocess
import sys

import pytest

import obs.testing  # noqa: F401 - pytester forgets what it imports, and numpy cannot be imported twice

pytest_plugins = ["pytester"]

HEADERS = """
- file: night.fits
  cards: {IMGTYPE: science, FILTER: Clear, DATE-OBS: "20200904", TIME-OBS: "21:30:00", RUN: 7, DETECTOR: 1,
          EXPTIME: 60, RA2000: 150.25, DEC2000: 97.0}
  expected: {visit: 8, expTime: 60, dateObs: 2020-09-04, band: clear, detector_id: 1, exposure_time: 60.00001}
- file: gone.fits
"""


@pytest.fixture
def suite(pytester):
    """Run the suite on a camera in a folder of its own."""

    def run(lines, *words):
        pytester.makeini("[pytest]\naddopts = -p no:cacheprovider")
        pytester.makepyfile(test_cam=f"from obs.testing import CameraContract\nclass TestCam(CameraContract):\n{lines}")
        return pytester.runpytest_inprocess("-rs", *words)

    return run


def test_a_sound_camera_passes(suite):
    result = suite("    camera = 'necam'")
    result.assert_outcomes(passed=14, skipped=2)
    result.stdout.fnmatch_lines(["*no real headers: name a file of them, headers = 'tests/headers.json'"])


def test_a_camera_that_is_not_installed_is_one_line(suite):
    result = suite("    camera = 'necan'")
    result.stdout.fnmatch_lines(["no camera 'necan' is installed; did you mean 'necam'?;*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*camera_contract.py:*: Failed*")


def test_a_translator_that_cannot_be_imported_is_one_line(suite):
    lines = (
        "    from dataclasses import replace\n    from obs_necam import instrument\n"
        "    camera = replace(instrument, translator='obs_necam.translator:Nothing')"
    )
    result = suite(lines, "-k", "simulated or translator")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["camera 'necam': cannot import 'obs_necam.translator:Nothing': AttributeError: *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_real_headers_are_told_name_by_name(suite, pytester):
    (pytester.path / "tests").mkdir()
    (pytester.path / "tests" / "headers.yaml").write_text(HEADERS)
    result = suite("    camera = 'necam'\n    headers = 'tests/headers.yaml'", "-k", "real_header")
    result.assert_outcomes(failed=2, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*test_real_header_gives_what_is_expected[[]night.fits[]]*",
            "night.fits: visit is 7, expected 8",
            "*test_real_header_is_possible[[]night.fits[]]*",
            "night.fits: boresight_dec is 97, not from -90 to 90 deg",
            "*SKIPPED*gone.fits is not here*",
        ]
    )
    result.stdout.no_fnmatch_line("night.fits: exposure_time is*")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "*headers = 'headers.yaml': there is no *"),
        ("visit: 7", "*headers.yaml: is not a list of headers, each with 'file', 'cards' and 'expected'*"),
        ("- {file: a.fits, expect: {}}", "*a.fits: no 'expect' but file, cards, expected, hdu, on_sky*"),
        ("- [", "*headers.yaml: cannot be read: *"),
    ],
)
def test_a_file_of_headers_that_cannot_be_used_is_told(suite, pytester, content, message):
    if content is not None:
        (pytester.path / "headers.yaml").write_text(content)
    result = suite("    camera = 'necam'\n    headers = 'headers.yaml'")
    result.stdout.fnmatch_lines([message])


def test_an_empty_list_of_headers_is_skipped(suite, pytester):
    (pytester.path / "headers.json").write_text("[]")
    suite("    camera = 'necam'\n    headers = 'headers.json'", "-k", "real_header").assert_outcomes(skipped=2)


def test_names_that_no_header_tells(suite, pytester):
    text = HEADERS.replace("visit: 8", "visitt: 8, latitude: 3, humidity: 30")
    (pytester.path / "headers.yaml").write_text(text)
    result = suite("    camera = 'necam'\n    headers = 'headers.yaml'", "-k", "expected")
    result.stdout.fnmatch_lines(
        [
            "night.fits: visitt: there is no such name; did you mean 'visit'?",
            "night.fits: humidity is nan, expected 30",
        ]
    )


def test_a_camera_that_is_not_simulated_is_skipped(suite):
    result = suite("    camera = 'necam'\n    simulated = False", "-k", "simulated")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*simulated = False: the camera is said not to be one that can be simulated"])


def test_without_pytest_it_says_what_to_install():
    code = "import sys; sys.modules['pytest'] = None; import obs.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: obs.testing needs pytest, which is not installed: pip install pytest"
    )
