"""What can be asked of exposures that are to be combined."""

from types import SimpleNamespace

from obs.coadds.facts import frame_facts
from obs.errors import DatasetNotFoundError
from obs.metrics.own_verdicts import OwnVerdict, keep_verdicts
from obs.repo.metric_table import MetricTable
from synthetic_night import night


def missing(*arguments):
    raise DatasetNotFoundError("not here", dataset_type="calexp")


def test_verdicts_of_people_are_facts(tmp_path):
    butler = SimpleNamespace(roots=[tmp_path / "rerun", tmp_path], get=missing)
    frames = [SimpleNamespace(data_id={"ccd": 1, "visit": visit}) for visit in (1, 2)]
    assert [frame_facts(butler, frame)["own_verdict"] for frame in frames] == ["", ""]
    MetricTable(tmp_path).write("detector", night(3))
    keep_verdicts(tmp_path, {"visit=2 ccd=1": OwnVerdict("bad", "a meteor")})
    assert [frame_facts(butler, frame)["own_verdict"] for frame in frames] == ["", "bad"]
