"""Pages of synthetic nights: what they say, and what cannot get out of them."""

import json
import re

import pytest

from obs.cli.main import main
from obs.repo.butler import Butler
from obs.repo.metric_table import MetricTable
from obs.repo.parquet_catalog import read_parquet
from obs.report.live_verdicts import LiveVerdicts
from obs.report.night import collect_night
from obs.report.payload import escape_json
from synthetic_night import mosaic, night

EVIL = "</script><script>alert(1)</script><!--"
TURNED = "M 31 \N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.fixture
def repository(tmp_path, obs):
    """An empty repository of the teaching camera, and a function that reports on rows in it."""
    root = tmp_path / "data"
    assert obs("init", root, "--camera", "necam")[0] == 0

    def report(rows, *words):
        if rows:
            MetricTable(root).write("detector", rows)
        status, out, err = obs("report", root, *words)
        assert status == 0, err
        return out.splitlines()[0], (root / "report.html").read_text(encoding="utf-8")

    report.root = root
    return report


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def test_a_night_in_a_sentence(repository):
    rows = night(30, change=lambda i: {"clear": 0.4} if i >= 20 else {})
    sentence, page = repository(rows)
    assert (
        re.fullmatch(
            r'2020-05-30: 20 of 30 frames good, \d+ bad; seeing 1.5" \(1.4 to 1.6\); last third cloudy.', sentence
        )
        or "last third cloudy" in sentence
    )
    assert sentence in page.replace("&#34;", '"')
    assert "60 % of the light lost" in page or "61 % of the light lost" in page or "59 % of the light lost" in page
    assert len((repository.root / "report.txt").read_bytes()) <= 1024
    twin = json.loads((repository.root / "report.json").read_text())
    assert twin["visits"]["good"] == 20


def test_a_night_has_its_place_among_the_others(repository):
    for number in range(5):
        change = {"seeing": 1.2 + 0.2 * number}
        rows = night(4, seed=number, first=1 + 4 * number, change=lambda i, change=change: dict(change))
        for row in rows:
            row["mjd"] += number
        MetricTable(repository.root).write("detector", rows)
    page = repository([], "--night", "2020-06-03")[1]
    assert "the latest 5 of at most 31" in page
    assert "wider than in 4 of 4 other nights" in page


def test_a_night_that_is_watched_names_what_later_frames_show(repository):
    rows = night(12, change=lambda i: {"seeing": 1.5 * 1.06 ** max(i - 3, 0), "clear": 0.95 ** max(i - 3, 0)})
    live, lines = LiveVerdicts(), []
    for row in rows:
        MetricTable(repository.root).write("detector", [row])
        lines += live.describe(collect_night(Butler(repository.root)), {row["data_id"]})[:-1]
    assert lines[0].startswith("LOOK visit=")
    assert "cloud: " in lines[0]
    frames = [line.split(": cloud: ")[0].removeprefix("LOOK ") for line in lines if ": cloud: " in line]
    assert frames
    for frame in frames:
        assert [line for line in lines if line.startswith(f"now LOOK {frame}, was look: dew, ")]


def test_half_of_a_night_failed(repository):
    error = {"status": "failed", "error": "DatasetNotFoundError: no flat"}
    sentence, page = repository(night(10, change=lambda i: error if i % 2 else {}))
    assert "5 of 10 frames good, 5 failed" in sentence
    assert "5 of 10: failed: DatasetNotFoundError: no flat" in page


def test_a_night_of_which_all_failed(repository):
    error = {"status": "failed", "error": "DatasetNotFoundError: no flat", "seeing": None, "sky": None}
    sentence, page = repository([row | error for row in night(4)])
    assert sentence == "2020-05-30: 0 of 4 frames good, 4 failed."
    assert page.count("every frame failed") == 2


def test_three_frames_do_not_show_what_time_is_useful(repository):
    _, page = repository(night(3))
    assert "0.05 h open" in page
    assert "useful part not known: too few frames to compare" in page
    assert "<td>not known</td>" in page


def test_a_night_without_zero_points_says_what_is_not_judged(repository):
    none = {"zero_point": None, "zero_point_rate": None, "details": {"reasons": {"zero_point_rate": "no catalog"}}}
    _, page = repository(night(6, change=lambda i: none))
    assert "No frame has a zero point (no catalog), so that transparency and depth are not judged." in page


def test_a_detector_that_failed_in_the_dark(repository):
    """A rule explains its failure, so that it has no cause of this name."""

    error = {"status": "failed", "error": "MeasurementError: no stars"}
    rows = mosaic(10, ["a", "b"])
    rows[9] |= error | {"sky_deficit": 8.0, "sky_rate": 1e-3, "n_stars": 0, "zero_point": None, "zero_point_rate": None}
    _, page = repository(rows)
    assert "1 of 2 detectors failed: no light: sky" in page


def test_a_page_without_anything(repository):
    sentence, page = repository([])
    assert sentence.startswith("Nothing to judge: no metrics in")
    assert "Nothing to judge" in page
    assert "Nothing processed · made" in page
    assert "State: nothing processed." in (repository.root / "report.txt").read_text(encoding="utf-8")


def test_the_raw_image_has_the_name_that_its_camera_gives_it(tmp_path, obs):
    root = tmp_path / "sdss"
    assert obs("init", root, "--camera", "sdss")[0] == 0
    assert obs("report", root)[0] == 0
    data = data_of((root / "report.html").read_text(encoding="utf-8"))
    assert data["raw"] == f"obs display {root} fpC --id "


def test_a_page_of_one_frame_and_of_a_running_night(repository):
    sentence, _ = repository(night(1))
    assert "1 of 1 frame good" in sentence
    waiting = {"data_id": "visit=2 filter=r ccd=1", "visit": 2, "ccd": 1, "filter": "r", "status": "waiting"}
    sentence, page = repository([waiting])
    assert "1 not processed yet" in sentence
    assert "Running: 1 of 2 processed" in page


def test_amplifiers_are_compared_with_their_own_medians(repository):
    noise = lambda i: 9.0 if i == 6 else 4.5  # noqa: E731
    overscan = lambda i: {"details": {"overscan": [["A", 1000.0 + (i == 3), 5.0], ["B", 900.0, noise(i)]]}}  # noqa: E731
    found = data_of(repository(night(8, change=overscan))[1])["amplifier_map"]
    assert found["names"] == [["n1", "A"], ["n1", "B"]]
    assert found["level"][0] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert found["noise"][1] == [0, 0, 0, 0, 0, 0, 100, 0]
    _, page = repository(night(8))
    assert data_of(page)["amplifier_map"] == {"reason": "no overscan was subtracted from any frame"}


def test_no_reference_catalog_is_a_reason(repository):
    names = ("zero_point", "zero_point_rate", "depth", "zp_scatter", "zp_n_stars", "sky", "stars_expected")
    reasons = {"reasons": dict.fromkeys(names, "no reference catalog covers the frame")}
    sentence, page = repository([row | dict.fromkeys(names) | {"details": reasons} for row in night(6)])
    assert "6 of 6 frames good" in sentence
    assert "sky: no reference catalog covers the frame" in page
    assert "not measured" in page


def test_text_of_headers_and_files_stays_text(repository):
    rows = night(4, change=lambda i: {"object": EVIL, "filter": EVIL, "details": {"warnings": [EVIL]}})
    rows[0] |= {"status": "failed", "error": EVIL}
    rows[1] |= {"object": TURNED}
    _, page = repository(rows)
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    assert data_of(page)["frames"]["object"][:2] == [EVIL, "M 31 [U+202E]"]
    assert TURNED[-1] not in page


def test_no_page_asks_for_anything(repository):
    _, page = repository(night(5))
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(?!#|data:)[^\"]", page)
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|https?://(?!www\.w3\.org/2000/svg)", page)


def test_query_prints_tables_and_counts(repository, obs):
    formulas = dict(zip(range(1, 5), ['=HYPERLINK("x")', "+30 3639", "-1+cmd|'/C calc'!A0", "@SUM(1)"], strict=True))
    rows = [row | {"object": formulas[row["visit"]]} for row in night(4)]
    rows.append({"data_id": "visit=9", "visit": 9, "status": "failed", "error": "x"})
    MetricTable(repository.root).write("detector", rows)
    status, out, _ = obs("query", repository.root, "seeing < 9 and filter = 'r'", "--columns", "visit,seeing")
    assert status == 0
    assert out.splitlines()[0].split() == ["visit", "seeing/arcsec"]
    assert out.splitlines()[-1] == "4 rows; 4 done of 5 expected, 1 failed"
    status, out, err = obs("query", repository.root, "visit = 2", "--format", "csv", "--columns", "visit,filter")
    assert out == "visit,filter\n2,r\n"
    assert "4 done of 5 expected" in err
    _, out, _ = obs("query", repository.root, "seeing < 9", "--format", "csv", "--columns", "object")
    assert [line.strip('"')[:3] for line in out.splitlines()] == ["object"[:3], "'=H", "+30", "'-1", "'@S"]
    _, out, _ = obs("query", repository.root, "verdict = 'failed'", "--columns", "visit,verdict,transparency")
    assert [line.split() for line in out.splitlines()[:2]] == [
        ["visit", "verdict", "transparency"],
        ["9", "failed", "-"],
    ]
    assert out.splitlines()[2:] == ["1 row; 4 done of 5 expected, 1 failed"]
    _, out, _ = obs("query", repository.root, "transparency > 0.9", "--format", "csv", "--columns", "visit,verdict")
    assert "1,good" in out.splitlines()
    _, out, _ = obs("query", repository.root, "--format", "json")
    assert json.loads(out)["expected"] == 5
    assert len(Butler(repository.root).query_metrics("seeing > 0")) == 4
    status, _, err = obs("query", repository.root, "seing < 1")
    assert status == 1
    assert "did you mean 'seeing'" in err


def test_query_tells_metrics_that_an_output_is_too_old_for(tmp_path, obs):
    rows = [{name: value for name, value in row.items() if name != "halo_error"} for row in night(2)]
    MetricTable(tmp_path).write("detector", rows)
    for words in (["halo_error < 1"], ["--columns", "visit,halo_error"], ["halo_error < 1 and verdict = 'good'"]):
        status, _, err = obs("query", tmp_path, *words)
        assert status == 1
        assert "this output was made before 'halo_error' was measured; process the frames again" in err


def test_query_writes_parquet_for_other_programs(tmp_path, capsysbinary, monkeypatch):
    MetricTable(tmp_path).write("detector", night(4))
    assert main(["query", str(tmp_path), "visit > 1", "--format", "parquet"]) == 0
    out, err = capsysbinary.readouterr()
    (tmp_path / "metrics.parquet").write_bytes(out)
    table = read_parquet(tmp_path / "metrics.parquet")
    assert set(MetricTable(tmp_path).columns()) - {"details"} == set(table.columns)
    assert table.columns["seeing"].unit == "arcsec"
    assert err == f"{len(table)} rows; 4 done of 4 expected\n".encode()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["query", str(tmp_path), "--format", "parquet"]) == 1
    assert b"Parquet is not text: end the command with '> metrics.parquet'" in capsysbinary.readouterr().err


def test_numbers_of_a_damaged_image_become_null():
    assert escape_json({"a": [1.5, float("nan"), (float("inf"), "<")]}) == '{"a":[1.5,null,[null,"\\u003c"]]}'
