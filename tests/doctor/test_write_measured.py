"""`obs doctor --write`: gains and read noises of pairs go into amplifiers.csv."""

import re
import shlex

import pytest

from noisy_frames import GAIN, READ_NOISE, frame


@pytest.fixture
def night(tmp_path, obs):
    """Return a package made from two biases without gain, and the files of a night with flats."""
    night = tmp_path / "night"
    night.mkdir()
    biases = [frame(night, "BIAS", n, overscan=24) for n in (1, 2)]
    flats = [frame(night, "FLAT", n, level=2e4, overscan=24) for n in (11, 12)]
    assert obs("new", "toycam", "--from", *biases, "--no-input", "--output", tmp_path)[0] == 0
    return tmp_path / "obs_toycam", [*biases, *flats]


def cells(package):
    lines = (package / "obs_toycam" / "camera" / "amplifiers.csv").read_text().splitlines()
    header, row = (line.split(",") for line in lines if not line.startswith("#"))
    found = dict(zip(header, row, strict=True))
    return found["gain"], found["read_noise"]


def test_the_command_that_is_printed_writes_what_was_measured(night, obs):
    package, files = night
    assert cells(package) == ("nan", "nan")
    status, out, _ = obs("doctor", package, *files, "--no-picture", "--no-trial")
    assert status == 1
    assert re.search(r"measured: .*gain of \w+ 1 = 1\.\d+.*; to write this into the camera:", out)
    (command,) = re.findall(r"^  obs (doctor .*)$", out, re.MULTILINE)
    assert {str(path) for path in files} < set(shlex.split(command))
    before = (package / "obs_toycam" / "camera" / "amplifiers.csv").read_text()
    status, out, _ = obs(*shlex.split(command), "--no-picture")
    assert status == 0, out
    assert re.search(r"amplifiers.csv: gain of \w+ 1 is 1\.\d+ now", out)
    gain, noise = map(float, cells(package))
    assert gain == pytest.approx(GAIN, rel=0.05)
    assert noise == pytest.approx(READ_NOISE, rel=0.05)
    after = (package / "obs_toycam" / "camera" / "amplifiers.csv").read_text()
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [after.splitlines()[-1]]
    status, out, _ = obs("doctor", package, *files, "--no-picture", "--no-trial")
    assert "measured:" not in out
    assert "nothing left to fix" in out


def test_overscan_shows_the_read_noise_without_biases(night, obs):
    package, files = night
    flats = files[2:]
    obs("doctor", package, *flats, "--no-picture", "--write")
    gain, noise = map(float, cells(package))
    assert gain == pytest.approx(GAIN, rel=0.05)
    assert noise == pytest.approx(READ_NOISE, rel=0.1)


def test_nothing_is_written_where_nothing_was_measured(night, obs):
    package, files = night
    _, out, _ = obs("doctor", package, files[0], "--no-picture", "--write")
    assert "no gain and no read noise was measured: nothing was written" in out
    assert cells(package) == ("nan", "nan")


def test_values_that_agree_are_left_alone(night, obs):
    package, files = night
    table = package / "obs_toycam" / "camera" / "amplifiers.csv"
    table.write_text(table.read_text().replace(",nan,nan,", f",{GAIN},{READ_NOISE},"))
    text = table.read_text()
    obs("doctor", package, *files, "--no-picture", "--write")
    assert table.read_text() == text


def test_biases_that_tell_no_filter_are_not_complained_of(tmp_path, obs):
    night = tmp_path / "night"
    night.mkdir()
    flats = [frame(night, "FLAT", n, level=2e4, overscan=24) for n in (11, 12)]
    biases = [frame(night, "BIAS", n, overscan=24, filter_name="") for n in (1, 2)]
    assert obs("new", "toycam", "--from", *flats, *biases, "--no-input", "--output", tmp_path)[0] == 0
    _, out, _ = obs("doctor", tmp_path / "obs_toycam", *flats, *biases, "--no-picture", "--no-trial")
    assert "has no filter" not in out
    assert "nothing left to fix" in out
