"""Small repositories as the LSST stack left them: chained reruns, and the names of its files."""

import sqlite3

import pytest
from lsst_archive import Objects, sky_text
from lsst_files import calexp

from obs.cli.main import main
from obs.errors import DatasetNotFoundError, FileFormatError, PluginError
from obs.exports.export import read_facts
from obs.repo.butler import Butler
from obs.runs.results import Result

DATA_ID = {"visit": 903334, "ccd": 16}
SETTINGS = """\
import lsst.pipe.tasks.processCcd
assert type(config)==lsst.pipe.tasks.processCcd.ProcessCcdConfig, 'config is of type %s.%s instead'
config.isr.doBias=True
config.charImage.repair.cosmicray.nCrPixelMax=1000000
"""
#: Descriptions of four reruns, each the parent of the next.
CHAIN = {
    "sfm": """\
!RepositoryCfg_v1
_mapper: &id001 !!python/name:lsst.obs.subaru.hscMapper.HscMapper ''
_mapperArgs: {{}}
_parents:
- !RepositoryCfg_v1
  _mapper: *id001
  _mapperArgs: {{}}
  _parents: []
  _policy: null
  _root: {root}
  dirty: true
_policy: null
_root: null
dirty: true
""",
    "jointcal": "!RepositoryCfg_v1\n_mapper: lsst.obs.hsc.HscMapper\n_mapperArgs: null\n_parents: ['../sfm']\n",
    "coadd": "!RepositoryCfg_v1\n_mapper: lsst.obs.hsc.HscMapper\n_parents: [{root}/rerun/jointcal]\n_root: null\n",
}


@pytest.fixture
def root(tmp_path):
    """Make a repository with a registry and four reruns in a row; the last has only a link."""
    root = tmp_path / "HSC"
    root.mkdir()
    (root / "_mapper").write_text("lsst.obs.hsc.HscMapper\n")
    with sqlite3.connect(root / "registry.sqlite3") as database:
        columns = "visit int, dateObs text, taiObs text, filter text, field text, pointing int"
        database.execute(f"create table raw (id integer primary key, {columns}, ccd int, expTime double)")
        database.execute(f"create table raw_visit ({columns}, unique(visit))")
        row = (903334, "2013-06-17", "2013-06-17", "HSC-R", "STRIPE82L", 533)
        database.execute("insert into raw_visit values (?, ?, ?, ?, ?, ?)", row)
        for ccd in (16, 22):
            database.execute("insert into raw values (?, ?, ?, ?, ?, ?, ?, ?, 30.0)", (ccd, *row, ccd))
    database.close()
    for name, text in CHAIN.items():
        (root / "rerun" / name).mkdir(parents=True)
        (root / "rerun" / name / "repositoryCfg.yaml").write_text(text.format(root=root))
    (root / "rerun/phot").mkdir()
    (root / "rerun/phot/_parent").symlink_to("../coadd")
    made = root / "rerun/sfm/00533/HSC-R"
    (made / "corr").mkdir(parents=True)
    objects = Objects()
    wcs = objects.sky_wcs(sky_text())
    calib = objects.photo_calib(2.0, objects.chebyshev([[2.0, 0.05], [-0.04, 0.0]], (0, 0), (49, 39)))
    cards = {"PSF_ID": 0, "SKYWCS_ID": wcs, "HIERARCH PHOTOCALIB_ID": calib}
    calexp(made / "corr/CORR-0903334-016.fits", objects.part, cards=cards, compressed=True)
    (root / "rerun/sfm/config").mkdir()
    (root / "rerun/sfm/config/processCcd.py").write_text(SETTINGS)
    return root


def test_a_chain_of_reruns_is_one_repository(root):
    butler = Butler(root / "rerun/phot")
    names = [folder.name for folder in butler.roots]
    assert names == ["phot", "coadd", "jointcal", "sfm", "HSC"]
    assert butler.queryMetadata("raw", ("ccd", "filter"), visit=903334) == [(16, "HSC-R"), (22, "HSC-R")]
    image = butler.get("calexp", DATA_ID)
    assert image.wcs is not None
    assert image.photo_calib.correction is not None
    assert not butler.datasetExists("calexp", visit=903334, ccd=22)


def test_an_error_names_few_of_the_places(root):
    with pytest.raises(DatasetNotFoundError, match=r"SRC-0903334-016\.fits and 2 more places$"):
        Butler(root / "rerun/phot").get("src", DATA_ID)


def test_settings_are_found_under_the_name_of_the_stack(root, capsys):
    found = Butler(root / "rerun/phot").get("processCcd_config", DATA_ID)
    assert "nCrPixelMax" in str(found)
    assert main(["ls", str(root / "rerun/sfm"), "processCcd_config"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("rerun/sfm/config/processCcd.py")


def test_metadata_of_before_2019_are_found_and_not_read(root, capsys):
    folder = root / "rerun/sfm/00533/HSC-R/processCcd_metadata"
    folder.mkdir()
    (folder / "0903334-016.boost").write_text('<?xml version="1.0"?>\n<!DOCTYPE boost_serialization>\n')
    with pytest.raises(FileFormatError, match=r"0903334-016\.boost.* is Boost XML, which is not read"):
        Butler(root / "rerun/sfm").get("processCcd_metadata", DATA_ID)
    assert main(["ls", str(root / "rerun/sfm"), "processCcd_metadata"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("processCcd_metadata/0903334-016.boost")


@pytest.mark.parametrize(
    ("mapper", "name"), [("lsst.obs.lbt.LbtMapper", "lbt"), ("lsst.obs.ctio0m9.Ctio0m9Mapper", "ctio0m9")]
)
def test_the_package_of_a_camera_that_is_missing_is_named(tmp_path, mapper, name):
    (tmp_path / "_mapper").write_text(mapper)
    with pytest.raises(PluginError, match=name) as caught:
        Butler(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_is_known_of_an_image_comes_from_what_is_attached(root):
    butler = Butler(root / "rerun/phot")
    image = butler.get("calexp", DATA_ID)
    path = butler.path("calexp", DATA_ID)
    facts = read_facts(butler, Result(DATA_ID, path, path.relative_to(root)))
    at = {"x": 10.0, "y": 30.0}
    assert facts.photo_calib.magnitude(100.0, **at) == image.photo_calib.magnitude(100.0, **at)
    assert facts.wcs.pixel_to_sky(**at) == image.wcs.pixel_to_sky(**at)


def test_the_commands_take_results_of_the_stack(root, capsys):
    run = str(root / "rerun/phot")
    one = ["get", run, "calexp", "--id", "visit=903334", "ccd=16"]
    for words in (["ls", run], ["ls", run, "calexp"], ["info", run], one):
        assert main(words) == 0, capsys.readouterr()
