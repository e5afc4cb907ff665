"""Metrics of an output, and conditions on them."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from obs.errors import DataIdError, OutputError, RepositoryError
from obs.repo.metric_rows import query_metric_table
from obs.repo.metric_table import MetricTable

ROWS = [
    {"data_id": "visit=1", "visit": 1, "filter": "HSC-I", "seeing": 0.8, "depth": 24.5, "status": "done"},
    {"data_id": "visit=2", "visit": 2, "filter": "HSC-R", "seeing": 1.2, "depth": 24.0, "status": "done"},
    {"data_id": "visit=3", "visit": 3, "filter": "HSC-I", "seeing": float("nan"), "depth": 23.0, "status": "done"},
    {
        "data_id": "visit=4",
        "visit": 4,
        "filter": 'o\'b "q"',
        "status": "failed",
        "details": {"reasons": {"seeing": "x"}},
    },
    {"data_id": "visit=5", "visit": 5, "filter": "HSC-I", "status": "waiting"},
]


@pytest.fixture
def table(tmp_path):
    made = MetricTable(tmp_path)
    made.write("detector", ROWS)
    return made


@pytest.mark.parametrize(
    ("condition", "visits"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("seeing < 0.9 and filter = 'HSC-I'", [1]),
        ('seeing<0.9 AND filter=="HSC-I"', [1]),
        ("seeing < 2 or depth < 23.5", [1, 2, 3]),
        ("not seeing < 0.9", [2]),  # what was not measured is neither
        ("not (seeing < 0.9 or visit > 3)", [2]),
        ("seeing is not measured", [3, 4, 5]),
        ("seeing is measured and depth >= 24.5", [1]),
        ("visit in (1, 3, 9)", [1, 3]),
        ("visit not in (1, 3)", [2, 4, 5]),
        ("0.5 < seeing <= 1.2", [1, 2]),
        ("seeing between 0.7 and 0.9", [1]),
        ("filter like 'HSC-%'", [1, 2, 3, 5]),
        ("filter = 'o''b \"q\"'", [4]),
        ("status != 'done'", [4, 5]),
        ("depth > seeing", [1, 2]),
        ("visit >= 2e0 and visit < +4", [2, 3]),
        ("not not visit between 2 and 3 or not (visit < 5 and 1 < 2)", [2, 3, 5]),
        ("not filter like '%-I' and filter is measured", [2, 4]),
        ("visit in (" + ", ".join(map(str, range(5, 700))) + ")", [5]),
        (" or ".join(["visit=2"] * 300), [2]),
        ("2 > visit or 'HSC-R' == filter", [1, 2]),
        ("visit in (1..4:2, 5) && !(visit == 3)", [1, 5]),
        ("seeing IS NULL || visit in [1]", [1, 3, 4, 5]),
    ],
)
def test_conditions_choose_rows(table, condition, visits):
    assert [row["visit"] for row in table.read("detector", condition)] == visits


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("seing < 1", r"there is no metric 'seing' in this output; did you mean 'seeing'\?; obs query REPO --list"),
        ("filter = HSC", "at character 10: there is no metric 'HSC' in this output; text needs quotes: 'HSC'"),
        ("seeing < 'a'", "at character 8: 'seeing' is a number and 'a' is text"),
        ("seeing <", "at character 9: expected a name or a value, got the end"),
        ("seeing", "at character 7: expected a comparison after 'seeing'"),
        ("seeing < 1 filter = 'r'", "at character 12: expected 'and', 'or' or the end, got 'filter'"),
        ("(seeing < 1", r"at character 12: expected '\)'"),
        ("seeing < 1; drop table detector", "cannot read '; drop table detecto'"),
        ("seeing < 1 -- x", "cannot read '-- x'"),
        ("seeing like '3'", "'like' compares text, and 'seeing' is a number"),
        ("details = 'x'", "there is no metric 'details'"),
        ("visit is 3", "expected 'measured'"),
        ("(" * 60 + "visit = 1" + ")" * 60, "more than 40 brackets"),
        ("visit = 1 or " * 400 + "visit = 2", "at most 4000 are read"),
    ],
)
def test_faults_of_conditions_say_where(table, condition, message):
    with pytest.raises(DataIdError, match=message):
        table.read("detector", condition)


def test_values_are_parameters_and_never_sql(table):
    assert table.read("detector", "filter = 'x'' or 1=1 --'") == []
    assert len(table.read()) == len(ROWS)


def test_rows_are_replaced_and_columns_added(table):
    table.write("detector", [{"data_id": "visit=1", "visit": 1, "seeing": 0.7, "new": 3.5, "status": "done"}])
    rows = {row["visit"]: row for row in table.read()}
    assert rows[1]["seeing"] == 0.7
    assert rows[1]["new"] == 3.5
    assert rows[1]["depth"] is None
    assert rows[2]["new"] is None
    assert rows[4]["details"] == {"reasons": {"seeing": "x"}}
    table.update("detector", "visit=5", {"status": "failed", "error": "killed"})
    assert table.count() == {"done": 3, "failed": 2}


def test_words_of_sql_may_be_names(table):
    table.write("detector", [{"data_id": "visit=1", "visit": 1, "order": 2, "group": "a"}])
    table.update("detector", "visit=1", {"order": 3})
    assert [row["visit"] for row in table.read("detector", "order > 2 and group like 'A'")] == [1]
    with pytest.raises(OutputError, match="'x\\\"y' cannot be the name of a column"):
        table.write("detector", [{"data_id": "visit=1", 'x"y': 1}])
    assert table.columns("nothing") == table.count("nothing") == {}
    assert table.read("nothing") == []


def test_metrics_need_no_sqlalchemy(table):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from obs.pipeline import process_detector\n"
        "from obs.repo.metric_table import MetricTable\n"
        "table = MetricTable(Path(sys.argv[1]))\n"
        "table.update('detector', 'visit=1', {'seeing': 0.5})\n"
        "print(len(table.read('detector', 'seeing < 0.6')), 'sqlalchemy' in sys.modules)\n"
    )
    command = [sys.executable, "-c", code, table.path.parent]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "1 False\n"


def test_a_writer_that_waits_too_long_says_so(table, monkeypatch):
    monkeypatch.setattr("obs.repo.sqlite_file.BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(table.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match=r"cannot write .*another process has been writing to it for more than"):
            table.update("detector", "visit=1", {"seeing": 1.0})
        assert len(table.read()) == len(ROWS)  # readers need not wait


def test_many_writers_lose_nothing(tmp_path):
    def write(number):
        MetricTable(tmp_path).write("detector", [{"data_id": f"v={number}", f"m{number % 3}": float(number)}])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(24)))
    assert len(MetricTable(tmp_path).read()) == 24


def test_answers_state_done_of_expected(tmp_path, table):
    found = query_metric_table(tmp_path, "seeing < 1")
    assert repr(found) == "<MetricRows: 1 row; 3 done of 5 expected, 1 failed>"
    assert found.to_table()["seeing"][0] == 0.8
    with pytest.raises(RepositoryError, match=r"does not exist; name the top folder"):
        query_metric_table(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no database" * 100, r"cannot read .*metrics\.sqlite3"),
        (b"", r"metrics\.sqlite3 is damaged: it has 0 bytes; take the file from a copy"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, message):
    (tmp_path / "metrics.sqlite3").write_bytes(content)
    with pytest.raises(RepositoryError, match=message):
        MetricTable(tmp_path).read()
    if not content:  # processing again writes it anew, as the message advises
        MetricTable(tmp_path).write("detector", ROWS)
        assert len(MetricTable(tmp_path).read()) == len(ROWS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seeing = 'abc'", "seeing of visit=1 is 'abc', expected a number"),
        ("depth = -9e999", "depth of visit=1 is -inf, expected a number"),
        ("details = '{'", "the details of visit=1 are not JSON"),
    ],
)
def test_values_that_are_never_written_are_named(table, change, message):
    table.check_numbers("detector", ["seeing", "depth", "not_measured_here"])
    with closing(sqlite3.connect(table.path)) as connection:
        connection.execute(f"UPDATE detector SET {change} WHERE visit = 1")  # noqa: S608 - ours
        connection.commit()
    read = table.read if change.startswith("details") else lambda: table.check_numbers("detector", ["seeing", "depth"])
    with pytest.raises(RepositoryError, match=rf"metrics.sqlite3 is damaged: {message}"):
        read()


def test_what_a_killed_process_had_begun_to_write_is_taken_back(tmp_path, table):
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "rows = [(f'x{n}', 900 * 'y') for n in range(500)]\n"
        "c.executemany('INSERT INTO detector (data_id, error) VALUES (?, ?)', rows)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, table.path], check=False)
    assert (tmp_path / "metrics.sqlite3-journal").exists()
    assert len(table.read()) == len(ROWS)
