"""`obs process`: what it selects, runs, shows and says."""

import pytest

from obs.errors import DatasetNotFoundError
from obs.repo.registry import Registry

pytestmark = pytest.mark.usefixtures("pipeline")


def ids(pipeline):
    return [" ".join(f"{data_id[key]}" for key in ("visit", "filter", "ccd")) for data_id, *_ in pipeline.calls]


def test_selected_frames_are_processed(obs, repository, pipeline, tmp_path):
    status, out, err = obs("process", repository, "--id", "visit=1..2", "ccd=0", "--output", tmp_path / "out")
    assert status == 0
    assert ids(pipeline) == ["1 g 0", "2 r 0"]
    assert out.splitlines()[0].split() == [
        "data", "ID", "seeing/arcsec", "zero", "point/mag", "scatter/mag", "matched", "sources", "seconds",
    ]  # fmt: skip
    assert out.splitlines()[1].split()[:8] == ["visit=1", "filter=g", "ccd=0", "1.23", "-", "0.013", "12", "321"]
    assert "[2/2] visit=2 filter=r ccd=0: 0.0 s" in err
    assert "WARNING visit=2 filter=r ccd=0: few stars" in err
    assert (tmp_path / "out/config/process.yaml").is_file()
    assert (tmp_path / "out/config/packages.yaml").is_file()


def test_a_warning_of_several_data_ids_is_printed_once(obs, repository, pipeline, tmp_path):
    _, _, err = obs("process", repository, "--id", "visit=1..2", "--output", tmp_path / "out")
    assert "WARNING few stars (2 of 4 data IDs: visit=2 filter=r ccd=0; visit=2 filter=r ccd=1)" in err
    assert err.count("WARNING few stars") == 1
    assert "4 done, 0 failed; 2 warnings, commonest: 2 x few stars" in err


def test_several_ids_and_everything(obs, repository, pipeline, tmp_path):
    obs("process", repository, "--id", "visit=2", "--id", "visit=1^2", "ccd=1", "--output", tmp_path / "out")
    assert ids(pipeline) == ["2 r 0", "2 r 1", "1 g 1"]
    pipeline.calls.clear()
    status, _, err = obs("process", repository, "--rerun", "all", "--id")
    assert len(ids(pipeline)) == 6
    assert status == 1
    assert "obs: error: 2 of 6 failed:" in err


def test_failures_are_grouped_and_counted(obs, repository, tmp_path):
    status, _, err = obs("process", repository, "--id", "--output", tmp_path / "out")
    assert status == 1
    assert (
        "obs: error: 2 of 6 failed:\n"
        f"  DatasetNotFoundError (2): no bias for visit=3 ccd=0: looked for {repository}/bias\n"
        "    visit=3 filter=g ccd=0\n    visit=3 filter=g ccd=1\n"
    ) in err
    assert "Traceback" not in err
    assert (tmp_path / "out/done-2-1").exists()


def test_doraise_lets_the_exception_through(obs, repository, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="no bias for visit=3 ccd=0"):
        obs("process", repository, "--id", "visit=3", "--output", tmp_path / "out", "--doraise")


def test_missing_frames_are_named_and_the_others_processed(obs, repository, pipeline, tmp_path):
    status, _, err = obs("process", repository, "--id", "visit=1", "ccd=0^5", "--output", tmp_path / "out")
    assert status == 0
    assert ids(pipeline) == ["1 g 0"]
    assert "WARNING No data found for visit=1 ccd=5\n" in err


def test_no_data_at_all(obs, repository, tmp_path):
    status, out, err = obs("process", repository, "--id", "visit=1", "filter=r", "--output", tmp_path / "out")
    assert (status, out) == (1, "")
    assert "No data found for visit=1 filter=r" in err
    assert "Not running the task because there is no data to process; you may preview data using --show data" in err
    assert not (tmp_path / "out").exists()
    assert "no --id was given" in obs("process", repository, "--output", tmp_path / "out")[2]


def test_one_of_several_ids_that_matches_nothing(obs, repository, pipeline, tmp_path):
    status, _, err = obs("process", repository, "--id", "visit=1", "--id", "visit=99", "--output", tmp_path / "out")
    assert status == 1
    assert ids(pipeline) == ["1 g 0", "1 g 1"]
    assert "WARNING No data found for visit=99\n" in err
    assert obs("process", repository, "--id", "visit=99", "--show", "data")[0] == 1
    assert obs("ls", repository, "raw", "--id", "visit=99")[0] == 1


def test_registered_frames_whose_files_are_gone(obs, repository, pipeline, tmp_path):
    registry = Registry(repository / "registry.sqlite3", read_only=False)
    registry.create_table("raw", {"visit": "int", "filter": "text", "ccd": "int"}, ["visit", "ccd"])
    registry.insert("raw", [{"visit": v, "filter": "g", "ccd": c} for v in (1, 5) for c in (0, 1)])
    status, _, err = obs("process", repository, "--id", "--output", tmp_path / "out")
    assert status == 1
    assert ids(pipeline) == ["1 g 0", "1 g 1"]
    message = "registered raw files are gone: visit=5 filter=g ccd=0, visit=5 filter=g ccd=1; if they are in another"
    assert message in err
    assert f"obs verify {repository} --relink FOLDER" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--id", "vist=1"], "unknown key 'vist' in --id; did you mean 'visit'?; keys: visit, filter, ccd"),
        (["--id", "filter=q"], "toy has no filter 'q'; filters: g, r"),
        (["--id", "visit=x"], "visit=x: visit must be an integer"),
        (["--id", "visit"], "--id takes KEY=VALUE, got 'visit'"),
        (["-c", "isr.do_bais=0"], "isr.do_bais: there is no such setting; did you mean 'isr.do_bias'?"),
        (["-c", "isr.edge_suspect_width=-1"], "isr.edge_suspect_width: expected a whole number >= 0, got -1 (set by"),
        (["-C", "none.yaml"], "none.yaml: cannot read this file: No such file or directory"),
    ],
)
def test_mistakes_are_one_line(obs, repository, tmp_path, words, message):
    status, out, err = obs("process", repository, "--output", tmp_path / "out", *words)
    assert (status, out) == (1, "")
    assert err.startswith("obs: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is nowhere to write; give --output DIR or --rerun NAME"),
        (["--output", "a", "--rerun", "b"], "--output and --rerun exclude each other"),
        (["--show", "dat"], "--show cannot show 'dat'; did you mean 'data'?"),
        (["--show", "history"], "--show history needs a pattern"),
        (["--show"], "Option '--show' requires an argument"),
        (["-L", "loud"], "'loud' is not a log level"),
        (["--otput", "a"], "No such option"),
    ],
)
def test_usage_mistakes(obs, repository, words, message):
    status, _, err = obs("process", repository, *words)
    assert status == 2
    assert message in err


def test_no_repository(obs, tmp_path):
    status, _, err = obs("process", tmp_path, "--id", "--output", tmp_path / "out")
    assert status == 1
    assert "is not a data repository" in err


@pytest.mark.parametrize("words", [("process",), ("process", "--rerun", "x"), ("query",), ("log", "--rerun", "x")])
def test_missing_input_comes_first(obs, tmp_path, words):
    status, _, err = obs(words[0], tmp_path / "nowhere", *words[1:])
    assert status == 1
    assert f"the folder {tmp_path / 'nowhere'} does not exist; name the top folder" in err


def test_settings_are_applied_left_to_right(obs, repository, pipeline, tmp_path):
    (tmp_path / "plugin/config").mkdir()
    (tmp_path / "plugin/config/process.yaml").write_text("isr: {edge_suspect_width: 4, do_bias: false, gain: 2}\n")
    (tmp_path / "mine.py").write_text("config.isr.edge_suspect_width = 6\n")
    overrides = ["-c", "isr.edge_suspect_width=5", "isr.doBias=True", "-C", tmp_path / "mine.py"]
    obs("process", repository, "--id", "visit=1", "ccd=0", "--output", tmp_path / "out", *overrides)
    config = pipeline.calls[0][1]
    assert (config.isr.edge_suspect_width, config.isr.do_bias, config.isr.gain) == (6, True, 2)
    _, out, _ = obs("process", repository, "--show", "history=*suspect_width", *overrides)
    assert out == (
        "isr.edge_suspect_width\n"
        "  0  default\n"
        f"  4  {tmp_path}/plugin/config/process.yaml:1\n"
        "  5  -c isr.edge_suspect_width=5\n"
        f"  6  {tmp_path}/mine.py:1\n"
    )


def test_show(obs, repository, pipeline):
    status, out, err = obs("process", repository, "--id", "ccd=1", "--show", "data", "config=*SUSPECT_WIDTH", "tasks")
    assert "Matching '*SUSPECT_WIDTH' without regard to case (append :NOIGNORECASE to prevent this)" in err
    assert status == 0
    setting, tasks, data = out.partition("isr: ")[0], out.partition("isr: ")[2], out.splitlines()[-3:]
    assert setting.startswith("# Width of the edge")
    assert setting.endswith("[pixel] (a whole number >= 0)\nisr.edge_suspect_width=0\n")
    assert "\n  overscan: " in tasks
    assert data == ["visit=1 filter=g ccd=1", "visit=2 filter=r ccd=1", "visit=3 filter=g ccd=1"]


def test_show_data_with_all_keys_and_as_the_stack(obs, repository, pipeline):
    registry = Registry(repository / "registry.sqlite3", read_only=False)
    columns = {"visit": "int", "filter": "text", "ccd": "int", "taiObs": "text", "expTime": "double", "pa": "double"}
    registry.create_table("raw", columns, ["visit", "ccd"])
    row = {"visit": 1, "filter": "g", "ccd": 0, "taiObs": "2020-09-04", "expTime": 30.0, "pa": 12.5}
    registry.insert("raw", [row, {**row, "ccd": 1, "pa": None}])
    assert obs("process", repository, "--id", "--show", "data")[1] == (
        "visit=1 filter=g ccd=0 taiObs=2020-09-04 expTime=30.0 pa=12.5\n"
        "visit=1 filter=g ccd=1 taiObs=2020-09-04 expTime=30.0\n"
    )
    assert obs("process", repository, "--id", "ccd=0", "--show", "data=lsst")[1] == (
        "id dataRef.dataId = {'visit': 1, 'filter': 'g', 'ccd': 0, 'taiObs': '2020-09-04', 'expTime': 30.0}\n"
    )
    status, _, err = obs("process", repository, "--id", "--show", "data=stack")
    assert status == 2
    assert "--show data=stack is not known; --show data=lsst prints the stack's lines" in err


def test_show_and_run(obs, repository, pipeline, tmp_path):
    obs("process", repository, "--id", "visit=1", "--show", "data", "run", "--output", tmp_path / "out")
    assert len(pipeline.calls) == 2


def test_another_configuration_is_refused(obs, repository, pipeline, tmp_path):
    words = ["process", repository, "--id", "visit=1", "ccd=0", "--output", tmp_path / "out"]
    assert obs(*words)[0] == 0
    assert obs(*words)[0] == 0
    pipeline.calls.clear()
    status, _, err = obs(*words, "-c", "isr.gain=3")
    assert status == 1
    assert "isr.gain: was " in err
    assert "--clobber-config" in err
    assert pipeline.calls == []
    assert obs(*words, "-c", "isr.gain=3", "--clobber-config")[0] == 0
    assert (tmp_path / "out/config/process.yaml~1").exists()


def test_a_run_that_lacked_a_calibration_is_repeated_without_it(obs, repository, pipeline, tmp_path):
    words = ["process", repository, "--id", "visit=1", "ccd=0", "--output", tmp_path / "out"]
    assert obs(*words)[0] == 0
    assert obs(*words, "--allow-missing")[0] == 0
    assert obs(*words)[0] == 0
    assert len(pipeline.calls) == 3


def test_clobber_output(obs, repository, tmp_path):
    words = ["process", repository, "--id", "visit=1", "--output", tmp_path / "out"]
    obs(*words)
    obs(*words, "-c", "nothing=1", "--clobber-output")
    assert (tmp_path / "out/done-1-1").exists(), "a mistake must not cost the output"
    assert obs("process", repository, "--id", "visit=2", "--output", tmp_path / "out", "--clobber-output")[0] == 0
    assert not (tmp_path / "out/done-1-1").exists()
    status, _, err = obs("process", repository, "--id", "visit=2", "--output", tmp_path, "--clobber-output")
    assert status == 1
    assert "--clobber-output would remove the input" in err
    (tmp_path / "photos").mkdir()
    _, _, err = obs("process", repository, "--id", "visit=2", "--output", tmp_path / "photos", "--clobber-output")
    assert "photos is not an output of obs; --clobber-output does not remove it" in err


def test_arguments_from_a_file(obs, repository, pipeline, tmp_path):
    (tmp_path / "arguments").write_text(f"--id visit=1 # the first\n  ccd=0 --output '{tmp_path}/my out'\n")
    assert obs("process", repository, f"@{tmp_path}/arguments")[0] == 0
    assert ids(pipeline) == ["1 g 0"]
    assert (tmp_path / "my out/done-1-0").exists()


def test_an_output_that_cannot_be_written(obs, repository, tmp_path):
    (tmp_path / "out").write_text("a file in the way")
    status, _, err = obs("process", repository, "--id", "visit=1", "--output", tmp_path / "out")
    assert status == 1
    assert err.startswith("obs: error: ")
    assert err.count("\n") == 1


def test_a_report_is_written_at_the_end_also_after_failures(obs, repository, pipeline, tmp_path):
    status, out, _ = obs("process", repository, "--id", "visit=1..3", "--output", tmp_path / "out", "--report")
    assert status == 1
    assert "Date not known: 0 of 3 visits good, 1 failed, 2 not processed yet" in out
    assert out.splitlines()[-1] == f"report: {tmp_path}/out/report.html"
    page = (tmp_path / "out" / "report.html").read_text()
    assert "2 of 6: failed: DatasetNotFoundError: no bias for visit=3" in page
    log = obs("log", tmp_path / "out", "--id", "visit=3", "--failed")[1]
    assert log.count("DatasetNotFoundError: no bias") == 4  # message and traceback of both
