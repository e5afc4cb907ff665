"""Logs of runs beside their results."""

import json
import logging
from types import SimpleNamespace

import pytest

from obs.executor.outcome import Outcome
from obs.repo.description import write_description
from obs.runs.run_log import open_run_log, read_run_logs


@pytest.fixture
def logged(tmp_path):
    write_description(tmp_path, camera="necam", parents=())
    result = SimpleNamespace(warnings=["few stars"], seeing=1.25, seconds={"isr": 0.5})
    outcomes = [
        Outcome({"visit": 1, "ccd": 0}, result, seconds=2.0),
        Outcome({"visit": 2, "ccd": 0}, None, "no flat", "DatasetNotFoundError", "Traceback: x", 0.1),
    ]
    with open_run_log(tmp_path, "process", [{}, {}, {}]) as note:
        for outcome in outcomes:
            note(outcome)
        logging.getLogger("obs.test").warning("odd <b>name")
    return tmp_path


def test_both_forms_say_the_same(logged):
    text = next((logged / "logs").glob("*.log")).read_text()
    events = [json.loads(line) for line in next((logged / "logs").glob("*.jsonl")).read_text().splitlines()]
    assert [event["kind"] for event in events] == ["start", "warning", "done", "failed", "log", "end"]
    assert events[2]["seeing"] == 1.25
    assert events[-1]["message"] == "stopped: 1 done, 1 failed of 3"
    for event in events:
        assert event["message"] in text
    assert "Traceback: x" in text


def test_the_log_of_one_data_id(logged, obs):
    status, out, _ = obs("log", logged, "--id", "visit=1")
    assert status == 0
    assert [line.split(" ", 2)[2] for line in out.splitlines()] == [
        "WARNING visit=1 ccd=0: few stars",
        "INFO visit=1 ccd=0: done in 2.0 s: seeing 1.25",
    ]
    _, out, _ = obs("log", logged, "--id", "visit=1..3", "ccd=0^4", "--failed")
    assert "ERROR visit=2 ccd=0: DatasetNotFoundError: no flat" in out
    status, _, err = obs("log", logged, "--id", "visit=9")
    assert status == 1
    assert "have no entry of visit=9; obs log " in err
    status, out, err = obs("log", logged, "--id", "visit=1", "--failed")
    assert (status, out, err) == (0, "", "no failure is logged\n")
    assert obs("log", logged, "--id", "visit")[2].startswith("obs: error: expected KEY=VALUE, got 'visit'")


def test_an_unfinished_line_and_a_folder_without_logs(logged, obs, tmp_path_factory):
    with next((logged / "logs").glob("*.jsonl")).open("a") as file:
        file.write('{"kind": "do')
    assert len(list(read_run_logs(logged))) == 6
    empty = tmp_path_factory.mktemp("empty")
    assert "is not a data repository" in obs("log", empty)[2]
    write_description(empty, camera="necam", parents=())
    assert "no logs in" in obs("log", empty)[2]
