"""Rows of visits and of calibration frames, and rows as a catalog."""

from types import SimpleNamespace

import numpy as np
import pytest

from obs.metrics.as_catalog import as_catalog
from obs.metrics.gather import gather_metrics, visit_rows
from obs.metrics.master import record_masters
from obs.metrics.nights import compute_night, visit_name
from obs.repo.metric_rows import query_metric_table
from obs.repo.metric_table import MetricTable
from synthetic_night import mosaic, night


def test_a_visit_says_of_how_many_detectors_it_speaks():
    rows = mosaic(3, [f"d{number}" for number in range(8)])
    rows[2] |= {"status": "failed", "seeing": None}
    rows[3] |= {"status": "waiting", "seeing": None}
    first, second, _ = visit_rows(rows)
    assert (first["n_expected"], first["n_done"], first["n_failed"], first["status"]) == (8, 6, 1, "failed")
    assert first["details"]["spreads"]["seeing"][0] == 6
    assert second["n_stars"] == pytest.approx(8 * rows[8]["n_stars"])
    assert second["details"]["spreads"]["seeing"][1] < second["seeing"] < second["details"]["spreads"]["seeing"][2]


def test_visits_are_gathered_without_another_file(tmp_path):
    MetricTable(tmp_path).write("detector", night(3))
    gather_metrics(tmp_path)
    assert len(query_metric_table(tmp_path, kind="visit")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.sqlite3"]


def test_a_catalog_of_metrics_has_units_and_the_columns_that_were_asked_for():
    rows = [{"seeing": 0.9, "filter": "r", "x": 1}, {"seeing": None, "filter": None}]
    catalog = as_catalog(rows, {"seeing": float, "filter": str, "visit": int})
    assert (catalog.columns["seeing"].unit, len(catalog)) == ("arcsec", 2)
    assert catalog.columns["seeing"].description
    assert np.isnan(catalog["seeing"]).tolist() == [False, True]
    assert np.isnan(catalog["visit"]).all()
    assert catalog["filter"].tolist() == ["r", ""]
    assert list(as_catalog([], {"filter": str, "visit": int}).columns) == ["filter", "visit"]


def test_calibration_frames_have_rows(tmp_path):
    facts = SimpleNamespace(
        levels={"visit=1": 20000.0, "visit=2": 21000.0},
        dropped={"visit=3": "saturated"},
        n_clipped=7,
        noise_factors=[1.0, 1.3],
        peak_memory=300.0,
        warnings=["one is odd"],
    )
    record_masters(tmp_path, "flat", [({"ccd": 1, "filter": "r"}, facts)], [({"ccd": 2, "filter": "r"}, "no input")])
    done, failed = query_metric_table(tmp_path, kind="master")
    assert done["data_id"] == "flat ccd=1 filter=r"
    assert (done["n_used"], done["n_dropped"], done["level"], done["noise_expected"]) == (2, 1, 20500.0, 1.3)
    assert failed["error"] == "no input"


def test_nights_go_from_noon_to_noon_and_visits_have_names():
    assert compute_night({"mjd": 60000.1}) == "2023-02-24"
    assert compute_night({"mjd": 60000.4, "longitude": -155.0}) == "2023-02-24"
    assert compute_night({"mjd": None}) == ""
    assert visit_name({"data_id": "visit=3 ccd=2", "visit": 3, "ccd": 2}) == "visit=3"
    assert visit_name({"data_id": "visit=3 ccd=G", "visit": 3, "ccd": "G"}) == "visit=3 ccd=G"  # a color of a mosaic
    assert visit_name({"data_id": "run=1 camcol=4 filter=r field=300"}) == "run=1 filter=r field=300"
