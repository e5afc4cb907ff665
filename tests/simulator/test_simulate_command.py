from datetime import datetime

import pytest

from obs.cli import simulate as command
from obs.cli.main import main
from obs.runs import simulate as runs


@pytest.fixture
def run(toy, monkeypatch, tmp_path, capfd):
    """Run obs simulate for the toy camera; gives the exit status and what was printed."""
    for module in (command, runs):
        monkeypatch.setattr(module, "load_instrument", lambda name: toy)

    def call(*words, output=tmp_path / "raw"):
        status = main(["simulate", "toy", "--output", str(output), "-c", "sources.density=5e4", *words])
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return call


def _names(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_writes_a_file_for_each_detector_of_each_visit(run, tmp_path):
    status, out, _ = run("--visits", "2", "--format", "fits")
    assert status == 0
    assert "4 raw files in" in out
    raw = [f"toy-{visit:07d}-{detector:03d}.fits" for visit in (1, 2) for detector in (1, 2)]
    assert _names(tmp_path / "raw") == ["reference.fits", *raw]
    assert len(list((tmp_path / "raw" / "truth").iterdir())) == 4


def test_a_date_is_that_of_the_first_visit(toy, tmp_path):
    date = datetime(2021, 3, 1, 4)
    begins = [
        runs.Observation(date=given, first_visit=first, exposure_time=30.0).plan(toy, tmp_path)[0].date_begin
        for given, first in ((date, 11), (date, None), (None, None), (None, 11))
    ]
    assert begins[:2] == [date, date]
    assert begins[2] == datetime(2020, 9, 4) < begins[3] < datetime(2020, 9, 4, 1)


def test_visits_are_numbered_on(run, tmp_path):
    for kind in ("bias", "dark", "flat"):
        assert run("--type", kind, "--visits", "2", "--detectors", "west")[0] == 0
    assert _names(tmp_path / "raw") == [f"toy-{visit:07d}-001.fits.fz" for visit in range(1, 7)]


@pytest.mark.parametrize(("words", "ids"), [("1", [1]), ("1..2", [1, 2]), ("east,west", [2, 1]), ("2,1..2", [2, 1])])
def test_detectors_are_chosen_by_number_range_or_name(toy, words, ids):
    assert [detector.id for detector in runs.choose_detectors(toy.load_camera(), words)] == ids


def test_one_file_an_exposure_on_request(run, tmp_path):
    assert run("--multi-extension", "--truth", "none")[0] == 0
    assert _names(tmp_path / "raw") == ["reference.fits", "toy-0000001.fits.fz"]


def test_several_filters(run, tmp_path):
    assert run("--filter", "r", "--filter", "T-NB", "--detectors", "1", "--truth", "none")[0] == 0
    assert _names(tmp_path / "raw") == ["reference.fits", "toy-0000001-001.fits.fz", "toy-0000002-001.fits.fz"]


def test_settings_can_be_shown(run, tmp_path):
    status, out, _ = run("--show", "config=sky.*")
    assert status == 0
    assert "zero_point" in out
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--detectors", "9"), "camera 'toy' has no detector 9; it has 2 detectors, ids 1 to 2"),
        (("--detectors", "wset"), "camera 'toy' has no detector 'wset'; it has 2 detectors, ids 1 to 2; did you mean"),
        (("--filter", "T-Z"), "toy has no filter 'T-Z'; did you mean 'T-R'?; filters: T-R, T-NB"),
        (("--dec", "100"), "a declination is from -90 to 90 degrees, got 100"),
        (("-c", "sky.levle=3"), "sky.levle: there is no such setting; did you mean"),
        (("-c", "optics.beta=1"), "optics.beta: expected a number > 1.5, got 1"),
    ],
)
def test_mistakes_are_told_in_a_line(run, words, message):
    status, _, err = run(*words)
    assert status in (1, 2)
    assert message in err
    assert "Traceback" not in err


def test_a_folder_that_cannot_be_written_is_told(run, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = run("--detectors", "1", output=tmp_path / "file" / "raw")
    assert status == 1
    assert "1 of 1 failed" in err
    assert "cannot write" in err


def test_settings_of_the_camera_come_first(run, toy, tmp_path):
    (toy.folder / "config").mkdir()
    (toy.folder / "config" / "simulate.yaml").write_text("sky:\n  level: 55.0\n")
    _, out, _ = run("--show", "config=sky.level")
    assert "55.0" in out
