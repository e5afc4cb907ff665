"""`obs ls` and `obs cameras` and `obs process-file`."""

import pytest

from obs.camera.camera import Camera
from obs.instrument.discovery import Broken, Discovery, Found
from obs.policy.dataset_type import DatasetType
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
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


@pytest.mark.parametrize("words", [(), ("raw",)])
def test_a_registry_that_is_no_database_is_an_error(obs, repository, words):
    (repository / "registry.sqlite3").write_bytes(b"not a database, but as long as one" * 200)
    status, _, err = obs("ls", repository, *words)
    assert status == 1
    assert f"cannot read the registry {repository / 'registry.sqlite3'}: file is not a database" in err


def test_ls_with_ids(obs, repository):
    status, out, _ = obs("ls", repository, "raw", "--id", "visit=1^2", "ccd=1")
    assert status == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["visit=1", "filter=g", "ccd=1"],
        ["visit=2", "filter=r", "ccd=1"],
    ]


def test_only_files_of_the_data_ids_are_sought(tmp_path, monkeypatch):
    """They are those that a walk over everything finds; folders whose names are known are not listed."""
    kind = DatasetType("raw", "exposures", "raw/%(filter)s/v%(visit)03d-%(ccd)d.fits[%(hdu)d]")
    metadata = DatasetType("isr_metadata", "datasets", "metadata/v%(visit)03d.yaml")
    names = [
        "g/v007-1.fits",
        "g/v070-1.fits",
        "r/v007-2.fits.fz",
        "a/b/v008-2.fits",
        "a/b/v007-3.fits",
        ".x/v007-1.fits",
    ]
    for name in [*(f"raw/{name}" for name in names), "raw/v007-1.fits", "metadata/v007.boost", "metadata/v008.yaml.gz"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "raw/z").symlink_to(tmp_path)
    for wanted in ({"visit": 7}, {"visit": 8}, {"visit": 7, "ccd": 2}, {"filter": "a/b"}, {"ccd": 1, "filter": "g"}):
        found = find_datasets([tmp_path], [kind, metadata], [wanted])
        everything = find_datasets([tmp_path], [kind, metadata])
        fitting = {
            name: {
                text: path
                for text, path in paths.items()
                if all(f"{key}={value}" in text.split() for key, value in wanted.items())
            }
            for name, paths in everything.items()
        }
        if wanted == {"visit": 7}:  # a name with more folders counts where no other is there
            del fitting["raw"]["filter=a/b visit=7 ccd=3"]
        assert found == {name: paths for name, paths in fitting.items() if paths}, wanted
    listed = []
    monkeypatch.setattr("os.listdir", lambda folder: listed.append(folder) or [])
    assert len(find_datasets([tmp_path], [kind], [{"visit": 7, "ccd": 1, "filter": "g"}])["raw"]) == 1
    assert listed == []


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
