"""The report of real results: pictures, stars, residuals, logs, and what a rerun changed."""

import json
import re

import pytest

from obs import Butler
from obs.cli.main import main


@pytest.fixture(scope="module")
def page(processed):
    """The data in the page of rerun/a, which has one exposure without astrometric fit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(processed)
        assert main(["report", "DATA", "--rerun", "a", "--output", "page.html", "--compare", "a"]) == 0
        text = (processed / "page.html").read_text(encoding="utf-8")
    return text, json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])


def test_metrics_of_a_real_frame(processed):
    rows = Butler(processed / "DATA" / "rerun" / "a").query_metrics("visit = 21")
    assert rows.summary == "1 row; 1 done of 1 expected"
    row = rows[0]
    assert 1.0 < row["seeing"] < 2.0
    assert row["fwhm"] == pytest.approx(row["seeing"] / 0.5, rel=0.01)
    assert abs(row["noise_ratio"] - 1) < 0.1
    assert row["zp_n_stars"] == 0
    assert row["depth"] is None
    assert row["details"]["reasons"]["zero_point"] == "no match"
    assert row["star_e"] < 0.15
    assert row["amp_dead"] == 0
    assert [name for name, *_ in row["details"]["amplifiers"]] == ["A", "B"]
    assert row["details"]["reasons"]["pointing_error"] == "the WCS was not fitted"
    # what the metadata say, too
    metadata = Butler(processed / "DATA" / "rerun" / "a").get("processCcd_metadata", visit=21)
    assert row["n_sources"] == metadata["n_source"]


def test_the_page_shows_the_frame(page):
    _, data = page
    assert data["frames"]["n"] == 1
    name = data["frames"]["name"][0]
    picture, stars = data["pictures"][name], data["stars"][name]
    assert picture["image"].startswith("data:image/jpeg;base64,")
    assert 4_000 < len(picture["image"]) < 60_000
    assert len(stars["x"]) == len(stars["fwhm"]) > 50
    assert sum(stars["psf"]) > 10
    widths = [w for w, used in zip(stars["fwhm"], stars["psf"], strict=True) if used]
    assert max(widths) - min(widths) < 1.0  # the stellar locus
    profile = stars["profile"]
    assert profile["star"][0] == 1.0
    assert all(abs(a - b) < 0.05 for a, b in zip(profile["star"], profile["model"], strict=True))
    assert profile["growth"][-1] == 1.0
    assert "reference" not in stars
    assert stars["reason"] == "no source was matched to a reference catalog"
    assert data["frames"]["reasons"][0][0][0] == "zp_n_stars"


def test_a_rerun_compared_with_itself_has_not_moved(page):
    text, data = page
    assert "1 frame done in both, 0 only here; too few to tell changes from noise" in text
    name = data["frames"]["name"][0]
    assert data["pictures"][name]["other"] == data["pictures"][name]["image"]
    assert data["other"]["name"] == "a"
    assert data["other"]["values"][name]["seeing"] == data["frames"]["values"]["seeing"][0]


def test_the_run_has_a_log(processed, obs, monkeypatch):
    monkeypatch.chdir(processed)
    status, out, _ = obs("log", "DATA", "--rerun", "a", "--id", "visit=21")
    assert status == 0
    assert re.search(r"INFO .*visit=21.*: done in [\d.]+ s: seeing 1\.\d+", out)
