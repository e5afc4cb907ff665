"""Verdicts that people give: read from the file of a page, kept, heeded and queried."""

import json
import sqlite3

import pytest

from obs.errors import ConfigError, DataIdError
from obs.metrics.gates import load_gates
from obs.metrics.own_verdicts import OwnVerdict, keep_verdicts, read_verdicts
from obs.metrics.verdict import judge
from obs.repo.metric_table import MetricTable
from synthetic_night import night


@pytest.fixture
def table(tmp_path):
    table = MetricTable(tmp_path)
    table.write("detector", night(6))
    return table


def test_a_verdict_counts_instead_of_that_of_the_gates(table, tmp_path):
    path = tmp_path / "verdicts.json"
    path.write_text(
        json.dumps({"visit=2 ccd=1": {"level": "bad", "comment": "a\nmeteor"}, "visit=3": {"level": "look"}})
    )
    assert keep_verdicts(tmp_path, read_verdicts(path)) == []
    verdicts = judge(table.read("detector"), load_gates())
    assert [verdict.level for verdict in verdicts] == ["good", "bad", "look", "good", "good", "good"]
    assert verdicts[1].text == "your verdict is bad: a meteor (gates: good)"
    assert [row["visit"] for row in table.read("detector", "own_verdict != 'bad'")] == [1, 3, 4, 5, 6]


def test_a_frame_that_is_processed_again_keeps_it(table, tmp_path):
    keep_verdicts(tmp_path, {"visit=2 ccd=1": OwnVerdict("bad", "meteor")})
    table.write("detector", night(6))
    assert [row["own_verdict"] for row in table.read("detector")] == ["", "bad", "", "", "", ""]
    keep_verdicts(tmp_path, {"visit=2 ccd=1": OwnVerdict("")})
    assert table.read("detector", "own_verdict = 'bad'") == []


def test_faults_are_named(table, tmp_path):
    path = tmp_path / "verdicts.json"
    path.write_text('{"visit=2": {"level": "awful"}}')
    with pytest.raises(ConfigError, match="'visit=2': the level is one of good, look, bad, not 'awful'"):
        read_verdicts(path)
    path.write_text("[1]")
    with pytest.raises(ConfigError, match="expected"):
        read_verdicts(path)
    path.write_text("[" * 100_000)
    with pytest.raises(ConfigError, match="cannot read verdicts"):
        read_verdicts(path)
    with pytest.raises(ConfigError, match=r"missing\.json: cannot read this file: No such file"):
        read_verdicts(tmp_path / "missing.json")
    assert keep_verdicts(tmp_path, {"visit=2": OwnVerdict("look"), "visit=77": OwnVerdict("bad")}) == ["visit=77"]
    with pytest.raises(DataIdError, match=r"none of the frames with a verdict is in .*: visit=77"):
        keep_verdicts(tmp_path, {"visit=77": OwnVerdict("bad")})


def test_rows_of_older_versions_have_no_verdict(table, tmp_path):
    with sqlite3.connect(table.path) as connection:
        for name in ("own_verdict", "own_comment"):
            connection.execute(f"ALTER TABLE detector DROP COLUMN {name}")
    keep_verdicts(tmp_path, {"visit=2 ccd=1": OwnVerdict("bad")})
    assert [row["visit"] for row in table.read("detector", "own_verdict != 'bad'")] == [1, 3, 4, 5, 6]
