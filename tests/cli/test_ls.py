"""`obs ls` and `obs cameras` and `obs process-file`."""

import pytest

from obs.camera.camera import Camera
from obs.instrument.discovery import Broken, Discovery, Found
from obs.policy.dataset_type import DatasetType
from obs.repo.butler import Butler
from obs.repo.find_datasets import name_filter
from obs.repo.registry import Registry


def test_ls_counts_dataset_types_with_those_of_parents(obs, repository, tmp_path):
    out = tmp_path / "out"
    (out / "src").mkdir(parents=True)
    (out / "obs.yaml").write_text(f"camera: toy\nparents: [{repository}]\n")
    (out / "src/v001-g-c0.fits.gz").touch()
    (out / "src/.v001-g-c1.fits.tmp").touch()
    assert obs("ls", out) == (0, "dataset type  number\nraw                6\nsrc                1\n", "")
    assert obs("ls", out, "src") == (
        0,
        f"data ID                 file\nvisit=1 filter=g ccd=0  {out}/src/v001-g-c0.fits.gz\n",
        "",
    )


def test_ls_with_ids(obs, repository):
    status, out, _ = obs("ls", repository, "raw", "--id", "visit=1^2", "ccd=1")
    assert status == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["visit=1", "filter=g", "ccd=1"],
        ["visit=2", "filter=r", "ccd=1"],
    ]


def test_names_are_tested_before_they_are_read():
    """The quick test lets all files of the data IDs pass, and no others but those that the stack names otherwise."""
    kind = DatasetType("raw", "exposures", "raw/%(filter)s/v%(visit)03d-%(ccd)d.fits[%(hdu)d]")
    fits = name_filter([kind], {"raw": [{"visit": 7}, {"visit": 8, "filter": "a/b", "other": 1}]})
    names = ["raw/g/v007-1.fits", "raw/a/b/v008-2.fits.fz", "raw/g/v008-1.fits", "raw/g/v070-1.fits", "src/v007-1.fits"]
    assert [bool(fits(name)) for name in names] == [True, True, False, False, False]
    assert fits("config/processCcd.py")
    assert fits("metadata/7.boost")
    assert name_filter([kind], {}) is None
    assert name_filter([kind], {"raw": [{"visit": "seven"}]}) is None
    assert name_filter([kind], {"raw": [{"visit": number} for number in range(100)]}) is None


def test_ls_shows_the_files_that_links_stand_for(obs, repository, tmp_path):
    (tmp_path / "night").mkdir()
    (tmp_path / "night/a.fits").touch()
    (repository / "raw/v001-g-c0.fits").unlink()
    (repository / "raw/v001-g-c0.fits").symlink_to(tmp_path / "night/a.fits")
    lines = obs("ls", repository, "raw", "--id", "visit=1")[1].splitlines()
    assert lines[0].split()[-2:] == ["ingested", "from"]
    assert lines[1].split()[-1] == str(tmp_path / "night/a.fits")
    assert lines[2].split()[-1] == f"{repository}/raw/v001-g-c1.fits"


def test_ls_shows_where_copies_came_from(obs, repository):
    registry = Registry(repository / "registry.sqlite3", read_only=False)
    with registry.transaction() as changes:
        changes.keep_origins([("raw/v001-g-c0.fits", "/night/a.fits", "copy")])
    lines = obs("ls", repository, "raw", "--id", "visit=1")[1].splitlines()
    assert lines[0].split()[-3:] == ["ingested", "from", "by"]
    assert lines[1].split()[-2:] == ["/night/a.fits", "copy"]
    assert lines[2].split()[-1] == f"{repository}/raw/v001-g-c1.fits"


def test_ls_of_nothing(obs, repository):
    assert obs("ls", repository, "calexp") == (0, "", f"nothing found in {repository}\n")


def test_ls_leaves_out_repositories_inside(obs, repository):
    inner = repository / "rerun/one"
    (inner / "raw").mkdir(parents=True)
    (inner / "obs.yaml").write_text("camera: toy\nparents: [../..]\n")
    (inner / "raw/v009-g-c0.fits").touch()
    assert "visit=9" not in obs("ls", repository, "raw")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sorce"], "has no dataset type 'sorce'"),
        (["raw", "--id", "vist=1"], "unknown key 'vist' in --id; did you mean 'visit'?"),
        (["raw", "--id", "filter=q"], "toy has no filter 'q'; filters: g, r"),
    ],
)
def test_ls_mistakes(obs, repository, words, message):
    status, out, err = obs("ls", repository, *words)
    assert (status, out) == (1, "")
    assert message in err
    assert err.startswith("obs: error: ")


def test_cameras(obs, monkeypatch, repository):
    instrument = Butler(repository).instrument
    monkeypatch.setattr(type(instrument), "load_camera", lambda self: Camera("toy", 10.0, ()))
    found = Discovery(
        {"toy": Found("toy", "obs-toy", "1.2", instrument)}, [Broken("bad", "obs-bad", "0.1", "ImportError: no")]
    )
    monkeypatch.setattr("obs.cli.cameras.discover", lambda: found)
    status, out, _ = obs("cameras")
    assert status == 0
    assert out == (
        "name  package  version  detectors  filters\n"
        "toy   obs-toy  1.2              0  g r\n"
        "BROKEN bad (obs-bad==0.1): ImportError: no\n"
    )


def test_process_file(obs, pipeline, tmp_path):
    status, out, _ = obs("process-file", tmp_path / "a.fits", "--output", tmp_path / "out", "-c", "gain=2")
    assert status == 0
    path, output, config = pipeline.calls[0]
    assert (path, output, config.gain) == (tmp_path / "a.fits", tmp_path / "out", 2.0)
    assert f"file={tmp_path}/a.fits" in out
    assert "gain=null" in obs("process-file", "a.fits", "--output", "out", "--show", "config=gain")[1]
