"""The Butler: reading through parents, writing to the output only, suffixes, and LSST's spellings."""

import hashlib
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from obs.errors import (
    DataIdError,
    DatasetNotFoundError,
    OutputError,
    PluginError,
    PolicyError,
    RepositoryError,
)
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.repo.butler import Butler
from obs.repo.key_sources import registry_place
from obs.repo.registry import Registry

DUMMY = Path(__file__).parents[1] / "dummy_plugin"
DATA_ID = {"visit": 1, "ccd": 1, "filter": "D-R", "dateObs": "2020-01-05"}


@pytest.fixture
def instrument(monkeypatch):
    monkeypatch.syspath_prepend(DUMMY)
    sys.modules.pop("obs_dummy", None)
    from obs_dummy import instrument  # noqa: PLC0415 - importable from here on only

    return instrument


@pytest.fixture
def root(tmp_path):
    """Make a repository with a registry, a guider log and one processed frame."""
    root = tmp_path / "data"
    root.mkdir()
    (root / "obs.yaml").write_text("layout: 1\ncamera: dummy\nparents: []\n")
    registry = Registry(root / "registry.sqlite3", read_only=False)
    columns = {"visit": "int", "filter": "text", "dateObs": "text", "taiObs": "text"}
    registry.create_table("raw", {**columns, "ccd": "int"}, ["visit", "ccd"])
    registry.create_table("raw_visit", columns, ["visit"], numbered=False)
    for visit, name in ((1, "D-R"), (2, "D-G")):
        row = {"visit": visit, "filter": name, "dateObs": f"2020-01-0{4 + visit}", "taiObs": f"2020-01-0{4 + visit}"}
        registry.insert("raw_visit", [row])
        registry.insert("raw", [{**row, "ccd": ccd} for ccd in (1, 2)])
    log = root / "guide" / "2020-01-05" / "guide-00001.txt"
    log.parent.mkdir(parents=True)
    log.write_text("seeing 0.8\n")
    return root


@pytest.fixture
def butler(root, tmp_path, instrument):
    return Butler(root, output=tmp_path / "out", instrument=instrument)


def exposure(value=1.0):
    image = np.full((24, 32), value, np.float32)
    return Exposure(MaskedImage(image, variance=np.ones_like(image)), physical_filter="D-R", detector_name="one")


def catalog():
    made = Catalog()
    made.add("id", np.arange(3), "", "number")
    made.add("x", np.arange(3.0), "pix", "position")
    return made


def snapshot(folder):
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_put_and_get(butler, tmp_path):
    butler.put(exposure(3.0), "calexp", DATA_ID)
    assert (tmp_path / "out" / "calexp" / "D-R" / "calexp-00001-1.fits").is_file()
    assert butler.exists("calexp", DATA_ID)
    got = butler.get("calexp", DATA_ID)
    np.testing.assert_array_equal(got.masked_image.image, exposure(3.0).masked_image.image)


def test_missing_keys_are_looked_up(butler):
    butler.put(catalog(), "src", visit=2, ccd=1)
    assert butler.path("src", visit=2, ccd=1).name == "src-00002-1.fits"
    assert butler.path("src", visit=2, ccd=1).parent.name == "D-G"
    assert len(butler.get("src", visit="2", ccd="1")) == 3


def test_suffixes(butler):
    butler.put(exposure(), "calexp", DATA_ID)
    butler.put(catalog(), "src", DATA_ID)
    assert butler.get("calexp_filename", DATA_ID) == [str(butler.path("calexp", DATA_ID))]
    assert butler.get("calexp_bbox", DATA_ID) == Box(0, 0, 32, 24)
    assert butler.get("calexp_sub", DATA_ID, bbox=Box(2, 3, 5, 4)).masked_image.image.shape == (4, 5)
    assert butler.get("calexp_filter", DATA_ID) == "D-R"
    assert butler.get("calexp_detector", DATA_ID) == "one"
    assert isinstance(butler.get("calexp_md", DATA_ID), dict)
    assert butler.get("src_len", DATA_ID) == 3
    assert list(butler.get("src_schema", DATA_ID).columns) == ["id", "x"]
    assert len(butler.get("src_schema", DATA_ID)) == 0
    with pytest.raises(DatasetNotFoundError, match="has no component 'wcs'"):
        butler.get("calexp_wcs", DATA_ID)
    with pytest.raises(OutputError, match="'calexp_wcs' is a part of 'calexp' and cannot be written by itself"):
        butler.put(None, "calexp_wcs", DATA_ID)


def test_a_schema_with_a_file_of_its_own_is_preferred(butler):
    butler.put(catalog(), "src", DATA_ID)
    other = Catalog()
    other.add("other", np.zeros(0))
    butler.put(other, "src_schema")
    assert list(butler.get("src_schema", DATA_ID).columns) == ["other"]


def test_what_the_camera_itself_knows(butler):
    assert butler.get("ccdExposureId", DATA_ID) == 11
    assert butler.get("ccdExposureId_bits") == 32
    assert len(butler.get("camera")) == 1


def test_the_cameras_own_reader(butler):
    assert butler.get("guide", visit=1) == {"visit": 1, "seeing": "0.8"}
    with pytest.raises(DatasetNotFoundError, match="guide has no part 'wcs'"):
        butler.get("guide_wcs", visit=1)


def test_a_missing_dataset_says_where_it_was_looked_for(butler, root, tmp_path):
    name = "calexp/D-R/calexp-00001-1.fits"
    message = f"^no calexp for visit=1 ccd=1: looked for {tmp_path}/out/{name}, {root}/{name}$"
    with pytest.raises(DatasetNotFoundError, match=message):
        butler.get("calexp", visit=1, ccd=1)
    assert not butler.exists("calexp", visit=1, ccd=1)


def test_a_data_id_without_a_match(butler):
    assert not butler.exists("calexp", visit=9, ccd=1)
    with pytest.raises(DatasetNotFoundError, match=r"No unique lookup for filter from visit=9 in raw.*: 0 matches"):
        butler.get("calexp", visit=9, ccd=1)
    with pytest.raises(DataIdError, match=r"No unique lookup for ccd, filter|No unique lookup for filter, ccd"):
        butler.exists("src", {"dateObs": "2020-01-05", "visit": 1})


def test_a_value_that_would_leave_the_root(butler):
    with pytest.raises(DataIdError, match="would leave the repository"):
        butler.put(catalog(), "src", DATA_ID, filter="../../..")


def test_unknown_dataset_types_and_missing_templates(butler):
    with pytest.raises(DatasetNotFoundError, match=r"has no dataset type 'calxep'; did you mean 'calexp'\?"):
        butler.get("calxep", DATA_ID)
    with pytest.raises(
        PolicyError, match=r"there is no template for the dataset type 'dark'; set calibrations\.dark\."
    ):
        butler.get("dark", DATA_ID)


@pytest.mark.parametrize("ending", [".gz", ".fz"])
def test_compressed_files_are_found(butler, root, ending):
    path = root / "src" / "D-R" / f"src-00001-1.fits{ending}"
    path.parent.mkdir(parents=True)
    path.touch()
    assert butler.exists("src", DATA_ID)
    assert butler.get_uri("src", DATA_ID) == str(path)
    assert butler.path("src", DATA_ID, write=True).suffix == ".fits"


def test_the_input_is_never_written(butler, root):
    before = snapshot(root)
    butler.put(exposure(), "calexp", DATA_ID)
    butler.put({"seeing": 1.0}, "processCcd_metadata", DATA_ID)
    butler.query_metadata("raw", "visit")
    assert snapshot(root) == before


def test_without_an_output_nothing_can_be_written(root, instrument):
    butler = Butler(root, instrument=instrument)
    for write in (lambda: butler.put(catalog(), "src", DATA_ID), butler.prepare_output):
        with pytest.raises(OutputError, match=r"is only read here; name an output with --output or --rerun"):
            write()
    with pytest.raises(DatasetNotFoundError, match="no src for"):
        butler.path("src", DATA_ID)


def test_the_output_hides_the_input(root, tmp_path, instrument):
    Butler(root, output=tmp_path / "a", instrument=instrument).put(exposure(1.0), "calexp", DATA_ID)
    butler = Butler(tmp_path / "a", output=tmp_path / "b", instrument=instrument)
    assert butler.get("calexp", DATA_ID).masked_image.image[0, 0] == 1.0
    assert not butler.exists("calexp", DATA_ID, write=True)
    butler.put(exposure(2.0), "calexp", DATA_ID)
    assert butler.exists("calexp", DATA_ID, write=True)
    assert butler.get("calexp", DATA_ID).masked_image.image[0, 0] == 2.0
    assert Butler(tmp_path / "a", instrument=instrument).get("calexp", DATA_ID).masked_image.image[0, 0] == 1.0


def test_an_output_opens_by_itself_and_reads_through_its_parents(butler, root, tmp_path, instrument):
    butler.put(catalog(), "src", DATA_ID)
    alone = Butler(tmp_path / "out", instrument=instrument)
    assert alone.roots == [tmp_path / "out", root]
    assert alone.get("guide", visit=1)["visit"] == 1
    assert len(alone.get("src", visit=1, ccd=1)) == 3


def test_put_replaces_whole_or_keeps_a_backup(butler):
    for value in (1.0, 2.0, 3.0):
        butler.put({"value": value}, "processCcd_metadata", DATA_ID, doBackup=value > 1)
    path = butler.path("processCcd_metadata", DATA_ID)
    values = [yaml.safe_load(path.with_name(f"{path.name}{end}").read_text())["value"] for end in ("", "~1", "~2")]
    assert values == [3.0, 2.0, 1.0]
    assert len(list(path.parent.iterdir())) == 3


def test_a_failed_put_leaves_what_was_there(butler):
    butler.put({"value": 1}, "processCcd_metadata", DATA_ID)
    with pytest.raises(OutputError, match="no file format for an object of type object"):
        butler.put(object(), "processCcd_metadata", DATA_ID)
    assert butler.get("processCcd_metadata", DATA_ID) == {"value": 1}


def test_remove_takes_from_the_output_only(root, tmp_path, instrument):
    Butler(root, output=tmp_path / "a", instrument=instrument).put(exposure(1.0), "calexp", DATA_ID)
    butler = Butler(tmp_path / "a", output=tmp_path / "b", instrument=instrument)
    assert not butler.remove("calexp", DATA_ID)
    butler.put(exposure(2.0), "calexp", DATA_ID)
    assert butler.remove("calexp", DATA_ID)
    assert butler.get("calexp", DATA_ID).masked_image.image[0, 0] == 1.0
    butler.put({"frame": {"a": 1}, "guide": None}, "observation", DATA_ID)
    assert butler.remove("observation", DATA_ID)
    with pytest.raises(OutputError, match="is only read here"):
        Butler(tmp_path / "a", instrument=instrument).remove("calexp", DATA_ID)


def test_composites(butler):
    assert not butler.exists("observation", DATA_ID)
    butler.put({"frame": {"a": 1}, "guide": None}, "observation", DATA_ID)
    assert butler.exists("observation", DATA_ID)
    assert butler.get("observation", DATA_ID) == {"frame": {"a": 1}, "guide": {"visit": 1, "seeing": "0.8"}}
    assert butler.get("observation.frame", DATA_ID) == {"a": 1}
    with pytest.raises(DatasetNotFoundError, match=r"has no dataset type 'observation\.fram'"):
        butler.get("observation.fram", DATA_ID)


def test_query_metadata(butler):
    assert butler.query_metadata("raw", "filter") == ["D-G", "D-R"]
    assert butler.query_metadata("raw", ["visit", "ccd"], {"filter": "D-R"}) == [(1, 1), (1, 2)]
    assert butler.query_metadata("raw", ("visit",), ccd=2) == [(1,), (2,)]
    with pytest.raises(DataIdError, match=r"raw: unknown key 'filt'; did you mean 'filter'\?"):
        butler.query_metadata("raw", "filt")


def test_subset_and_levels(butler):
    assert [str(ref) for ref in butler.subset("calexp", visit=1)] == [
        "visit=1 filter=D-R ccd=1",
        "visit=1 filter=D-R ccd=2",
    ]
    visits = butler.subset("calexp", "visit")
    assert [ref.data_id for ref in visits] == [{"filter": "D-G", "visit": 2}, {"filter": "D-R", "visit": 1}]
    assert visits[0].sub_levels() == ["sensor"]
    assert [ref.data_id["ccd"] for ref in visits[0].sub_items()] == [1, 2]
    assert visits[0].sub_items()[0].sub_items() == []
    assert butler.subset("calexp", visit=9) == []
    assert len(butler.subset("calexp", "")) == 4


def test_a_complete_data_id_is_not_asked_for(butler):
    (ref,) = butler.subset("calexp", None, DATA_ID | {"visit": 77})
    assert ref.data_id["visit"] == 77


def test_data_ref(butler):
    ref = butler.data_ref("calexp", visit=1, ccd=2)
    ref.put(exposure(), "calexp")
    assert ref.exists()
    assert ref.get("calexp_bbox").width == 32
    assert ref.get_uri() == str(butler.path("calexp", visit=1, ccd=2))
    assert ref.sub_levels() == []
    assert ref.sub_items() == []
    with pytest.raises(
        DataIdError, match=r"2 data IDs of calexp for visit=1, expected one: visit=1 filter=D-R ccd=1; "
    ):
        butler.data_ref("calexp", visit=1)
    with pytest.raises(DatasetNotFoundError, match="no calexp for visit=9 in the registry"):
        butler.data_ref("calexp", visit=9)


def test_lsst_spellings(butler):
    ref = butler.dataRef("calexp", dataId={"visit": 1, "ccd": 1})
    ref.put(exposure(), doBackup=True)
    assert ref.datasetExists()
    assert ref.getUri() == butler.getUri("calexp", ref.dataId)
    assert ref.getButler() is butler
    assert ref.subItems() == []
    assert ref.subLevels() == []
    assert butler.datasetExists("calexp", dataId=ref.dataId)
    assert butler.get("calexp_bbox", dataId=ref.dataId, immediate=True).height == 24
    assert butler.get("calexp_sub", ref.dataId, bbox=Box(0, 0, 1, 1), imageOrigin="LOCAL") is not None
    assert butler.queryMetadata("raw", "visit", dataId={"ccd": 1}) == [1, 2]
    assert butler.getKeys("calexp", level="visit") == {"filter": str, "visit": int}
    assert "calexp" in butler.getDatasetTypes()
    butler.defineAlias("@out", "calexp")
    assert butler.datasetExists("@out", ref.dataId)


def test_keys(butler):
    assert butler.get_keys("calexp") == {"filter": str, "visit": int, "ccd": int}
    assert butler.id_keys("calexp").keys() == {"filter", "visit", "ccd", "dateObs", "taiObs"}
    assert "tract" in butler.get_keys()


def test_values_that_occur_nowhere(butler):
    butler.check_data_id("raw", {"filter": "D-R", "visit": 2})
    with pytest.raises(DataIdError, match="no filter=D-X in the registry; it has D-G, D-R"):
        butler.check_data_id("raw", {"filter": "D-X"})


def test_a_butler_goes_to_another_process(butler):
    butler.put(catalog(), "src", DATA_ID)
    again = pickle.loads(pickle.dumps(butler))  # noqa: S301 - our own
    assert again.roots == butler.roots
    assert len(again.get("src", visit=1, ccd=1)) == 3


def test_calibrations(root, instrument):
    folder = root / "CALIB"
    folder.mkdir()
    registry = Registry(folder / "calibRegistry.sqlite3", read_only=False)
    columns = dict.fromkeys(["filter", "calibDate", "validStart", "validEnd"], "text") | {"ccd": "int"}
    registry.create_table("flat", columns, ["calibDate", "filter", "ccd"])
    valid = {"calibDate": "2020-01-04", "validStart": "2020-01-01", "validEnd": "2020-01-09"}
    registry.insert("flat", [{**valid, "ccd": 1, "filter": name} for name in ("D-R", "D-G")])
    butler = Butler(root, instrument=instrument)
    assert butler.calib_root == folder
    with pytest.raises(
        DatasetNotFoundError, match=f"looked for {folder}/FLAT/2020-01-04/D-G/flat-2020-01-04-D-G-1.fits"
    ):
        butler.get("flat", visit=2, ccd=1)
    with pytest.raises(RepositoryError, match="has no table 'bias'; tables: flat"):
        butler.get("bias", visit=2, ccd=1)


def test_no_calibrations(root, instrument):
    with pytest.raises(
        RepositoryError, match=r"there is no registry of calibrations .*; name their folder with --calib"
    ):
        Butler(root, instrument=instrument).get("bias", visit=2, ccd=1)
    assert Butler(root, calib="other", instrument=instrument).calib_root == root / "other"


def test_without_a_registry_the_files_tell(root, instrument):
    (root / "registry.sqlite3").unlink()
    for visit, ending in ((5, ""), (6, ".gz")):
        path = root / "raw" / "2020-02-01" / "D-R" / f"raw-0000{visit}-1.fits{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    butler = Butler(root, instrument=instrument)
    assert butler.query_metadata("raw", ["visit", "filter"]) == [(5, "D-R"), (6, "D-R")]
    assert butler.path("raw", visit=6, ccd=1).name == "raw-00006-1.fits.gz"
    assert butler.query_metadata("calexp", "visit", filter="D-R") == [5, 6]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.symlink_to("gone.sqlite3"), "is a link to gone.sqlite3, which is not there; mount its disk"),
        (os.mkfifo, "is a folder, a pipe or a device; move it away"),
    ],
)
@pytest.mark.parametrize("name", ["registry.sqlite3", "registry.pgsql"])
def test_what_is_no_registry_is_not_passed_over(root, instrument, make, said, name):
    (root / "registry.sqlite3").unlink()
    make(root / name)
    with pytest.raises(RepositoryError, match=f"the registry .*{name} {said}"):
        Butler(root, instrument=instrument).query_metadata("raw", "visit", {})
    with pytest.raises(RepositoryError, match=said):
        registry_place(root, Butler(root, instrument=instrument).policy)


def test_a_registry_that_the_user_names(root, tmp_path, instrument):
    (root / "registry.sqlite3").rename(tmp_path / "other.sqlite3")
    butler = Butler(root, registry=tmp_path / "other.sqlite3", instrument=instrument)
    assert butler.query_metadata("raw", "visit") == [1, 2]


def test_another_camera_in_the_output(butler, root, tmp_path, instrument):
    butler.prepare_output()
    (tmp_path / "out" / "obs.yaml").write_text("layout: 1\ncamera: hsc\nparents: [../data]\n")
    with pytest.raises(OutputError, match=r"out is of the camera 'hsc', the input of 'dummy'; name another output"):
        Butler(root, output=tmp_path / "out", instrument=instrument)


def test_a_camera_that_is_not_installed(root):
    (root / "obs.yaml").write_text("camera: no_such_camera\n")
    with pytest.raises(PluginError, match="no camera 'no_such_camera' is installed"):
        Butler(root)


@pytest.fixture
def sdss(shared_data):
    return shared_data / "sdss_stripe82"


def test_a_real_lsst_repository(sdss, tmp_path):
    camera = pytest.importorskip("obs_sdss", reason="the SDSS camera is not installed").instrument
    before = snapshot(sdss)
    butler = Butler(sdss, output=tmp_path / "out", instrument=camera)
    data_id = {"run": 4192, "camcol": 4, "field": 300, "filter": "r"}
    assert butler.exists("fpC", data_id)
    assert butler.get_uri("asTrans", data_id).endswith("asTrans-004192.fit.gz")
    assert not butler.exists("fpC", data_id, filter="i")
    refs = butler.subset("fpC", None, run=4192)
    assert [ref.data_id["filter"] for ref in refs] == ["g", "i", "r", "u", "z"]
    assert {ref.data_id["rerun"] for ref in refs} == {40}
    assert [ref.data_id["filter"] for ref in refs if ref.exists()] == ["g", "r"]
    assert butler.get("ccdExposureId", data_id) == 4192240300
    assert butler.path("src", data_id).relative_to(tmp_path) == Path(
        "out/sci-results/4192/4/r/src/src-004192-r4-0300.fits"
    )
    butler.put({"seeing": 1.0}, "processCcd_metadata", data_id)
    assert snapshot(sdss) == before
