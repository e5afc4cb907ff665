"""`obs process-file`: settings of the run, environment variables, and what is refused."""

import pytest


def test_settings_are_recorded_and_guarded(obs, pipeline, tmp_path):
    words = ["process-file", tmp_path / "a.fits", "--output", tmp_path / "out"]
    status, _, err = obs(*words, "-c", "gain=2")
    assert status == 0
    assert f"settings: {tmp_path}/out/config/process_file.yaml; columns of the catalogs: {tmp_path}/out/schema" in err
    settings = tmp_path / "out/config/process_file.yaml"
    before = settings.read_text()
    assert "gain: 2.0" in before
    assert (tmp_path / "out/config/packages.yaml").is_file()
    status, _, err = obs(*words, "-c", "gain=3")
    assert status == 1
    assert "made with other settings of process_file: gain: was 2.0, now 3.0" in err
    assert len(pipeline.calls) == 1
    for gain in (3, 4):
        assert obs(*words, "-c", f"gain={gain}", "--clobber-config")[0] == 0
    assert "gain: 4.0" in settings.read_text()
    assert settings.with_name("process_file.yaml~2").read_text() == before
    assert obs(*words, "-C", settings)[0] == 0, "the recorded settings can be used again"


def test_clobber_output(obs, pipeline, tmp_path):
    words = ["process-file", tmp_path / "a.fits", "--output", tmp_path / "out"]
    assert obs(*words)[0] == 0
    (tmp_path / "out/a.fits").touch()
    assert obs(*words, "-c", "nothing=1", "--clobber-output")[0] != 0
    assert (tmp_path / "out/a.fits").exists(), "a mistake must not cost the output"
    assert obs(*words, "-c", "gain=5", "--clobber-output")[0] == 0
    assert not (tmp_path / "out/a.fits").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [("", "--clobber-output would remove the input"), ("photos", "photos is not an output of obs; --clobber-output")],
)
def test_clobber_output_removes_nothing_else(obs, pipeline, tmp_path, output, message):
    (tmp_path / "photos").mkdir()
    words = ["process-file", tmp_path / "a.fits", "--output", tmp_path / output, "--clobber-output"]
    status, _, err = obs(*words)
    assert status == 1
    assert message in err
    assert (tmp_path / "photos").is_dir()


def test_environment_variables_of_lsst(obs, pipeline, tmp_path, monkeypatch):
    monkeypatch.setenv("PIPE_INPUT_ROOT", str(tmp_path / "in"))
    monkeypatch.setenv("PIPE_OUTPUT_ROOT", str(tmp_path / "results"))
    assert obs("process-file", "a.fits", "/elsewhere/b.fits", "--output", "out")[0] == 0
    assert [call[:2] for call in pipeline.calls] == [
        (tmp_path / "in/a.fits", tmp_path / "results/out"),
        (tmp_path.__class__("/elsewhere/b.fits"), tmp_path / "results/out"),
    ]


def test_environment_variables_of_a_repository(obs, pipeline, repository, tmp_path, monkeypatch):
    monkeypatch.setenv("PIPE_INPUT_ROOT", str(tmp_path))
    monkeypatch.setenv("PIPE_CALIB_ROOT", str(tmp_path / "CALIB"))
    monkeypatch.setenv("PIPE_OUTPUT_ROOT", str(tmp_path / "results"))
    (tmp_path / "CALIB").mkdir()
    assert obs("process", "data", "--id", "visit=1", "--output", "out")[0] == 0
    assert (tmp_path / "results/out/done-1-0").is_file()
    assert obs("process", repository, "--id", "visit=1", "--output", tmp_path / "other")[0] == 0
    assert (tmp_path / "other/done-1-0").is_file()
