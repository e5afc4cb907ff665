"""Small repositories as the LSST stack left them: chained reruns, and the names of its files."""

import sqlite3

import numpy as np
import pytest
from lsst_archive import Objects, sky_text, tan_sip
from lsst_files import calexp
from stack_packages import image_file, register

from obs.cli.main import main
from obs.compat.lsst.afw.coord import IcrsCoord
from obs.compat.lsst.afw.geom import Box2I, Extent2I, Point2D, Point2I, degrees
from obs.compat.lsst.afw.image import ExposureF, ImageF, MaskedImageF
from obs.compat.lsst.daf.persistence import Butler as StackButler
from obs.display.view import make_view
from obs.errors import DatasetNotFoundError, FileFormatError, PluginError
from obs.exports.export import read_facts
from obs.frame_calibrations import read_calibration
from obs.geom import Box
from obs.repo.butler import Butler
from obs.runs.results import Result
from obs.tasks.frame_seconds import dark_seconds, warn_of_no_time
from obs.tasks.isr_config import IsrConfig

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


#: First pixel of a patch in its tract, as the stack writes it.
ORIGIN = {"LTV1": -1000.0, "LTV2": -2000.0, "CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR", "CUNIT1A": "PIXEL"}
ORIGIN |= {"CRPIX1A": 1.0, "CRPIX2A": 1.0, "CRVAL1A": 1000.0, "CRVAL2A": 2000.0, "CUNIT2A": "PIXEL"}


def test_a_patch_counts_pixels_in_its_tract(root, tmp_path):
    data_id = {"tract": 0, "patch": "1,2", "filter": "HSC-I"}
    objects = Objects()
    field = objects.chebyshev([[2.0, 0.05], [-0.04, 0.0]], (1000, 2000), (1049, 2039))
    cards = {"SKYWCS_ID": objects.sky_wcs(sky_text()), "HIERARCH PHOTOCALIB_ID": objects.photo_calib(2.0, field)}
    psf = objects.kernel_psf([np.eye(3), np.ones((3, 3))], [[1.0, 0.0, 0.0], [0.0, 1.0e-3, 0.0]])
    patch = root / "rerun/coadd/deepCoadd-results/HSC-I/0/1,2/calexp-HSC-I-0-1,2.fits"
    patch.parent.mkdir(parents=True)
    calexp(patch, objects.part, cards=cards | ORIGIN | {"PSF_ID": psf})
    butler, sky = StackButler(root / "rerun/phot"), tan_sip()
    image = butler.get("deepCoadd_calexp", data_id)
    box = Box2I(Point2I(1000, 2000), Extent2I(50, 40))
    assert image.getXY0() == image.getMaskedImage().getMask().getXY0() == Point2I(1000, 2000)
    assert image.getBBox() == butler.get("deepCoadd_calexp_bbox", data_id) == box
    assert image.getBBox("LOCAL").getMin() == Point2I(0, 0)
    # what the stack says of a source is where the image has it
    ra, dec = (float(angle) for angle in sky.pixel_to_sky(x=1010.0, y=2030.0))
    for wcs in (image.getWcs(), butler.get("deepCoadd_calexp_wcs", data_id)):
        place = wcs.skyToPixel(IcrsCoord(ra * degrees, dec * degrees))
        assert list(place) == pytest.approx([1010.0, 2030.0], abs=1e-3)
        assert image.getBBox().contains(Point2I(round(place.x), round(place.y)))
    for calib in (image.getPhotoCalib(), butler.get("deepCoadd_calexp_photoCalib", data_id)):
        at = (
            calib.instFluxToNanojansky(1.0, Point2D(1049.5, 2019.5)),
            calib.instFluxToNanojansky(1.0, Point2D(1024.5, 2019.5)),
        )
        assert at[0] / at[1] == pytest.approx(2.05 / 2.0, rel=1e-4)
    kernel = image.getPsf().computeKernelImage(Point2D(1010.0, 2030.0)).getArray()
    np.testing.assert_allclose(kernel, (np.eye(3) + 1.01) / (np.eye(3) + 1.01).sum(), atol=1e-6)
    part = butler.get("deepCoadd_calexp_sub", data_id, bbox=Box2I(Point2I(1010, 2020), Extent2I(5, 4)))
    same = butler.get("deepCoadd_calexp_sub", data_id, bbox=Box2I(Point2I(10, 20), Extent2I(5, 4)), imageOrigin="LOCAL")
    assert part.getBBox() == same.getBBox() == Box2I(Point2I(1010, 2020), Extent2I(5, 4))
    # written and read again, and cut out, it stays there
    image.writeFits(tmp_path / "again.fits")
    assert ExposureF(str(tmp_path / "again.fits")).getBBox() == box
    assert ImageF(str(tmp_path / "again.fits")).getBBox() == MaskedImageF(str(tmp_path / "again.fits")).getBBox() == box
    own = Butler(root / "rerun/phot").get("deepCoadd_calexp", data_id)
    assert own.origin == (1000, 2000)
    assert make_view(own.cutout(Box(10, 20, 5, 4))).x_min == 1010  # as the catalog counts
    assert own.wcs.pixel_to_sky(x=10.0, y=30.0) == pytest.approx((ra, dec), abs=1e-7)


def test_the_commands_take_results_of_the_stack(root, capsys):
    run = str(root / "rerun/phot")
    one = ["get", run, "calexp", "--id", "visit=903334", "ccd=16"]
    for words in (["ls", run], ["ls", run, "calexp"], ["info", run], one):
        assert main(words) == 0, capsys.readouterr()


@pytest.mark.parametrize(("seconds", "warned"), [(1.0, 0), (300.0, 1), (None, 1)])
def test_a_dark_of_pixels_alone_is_one_of_a_second(tmp_path, seconds, warned):
    (tmp_path / "_mapper").write_text("lsst.obs.hsc.HscMapper\n")
    row = {"field": "F", "dateObs": "2020-09-04", "taiObs": "2020-09-04", "pointing": 1, "filter": "HSC-R", "visit": 2}
    register(tmp_path / "registry.sqlite3", raw=[{**row, "ccd": 50}], raw_visit=[row])
    made = {"calibDate": "2020-09-01", "validStart": "2020-08-01", "validEnd": "2020-10-01", "ccd": 50}
    register(tmp_path / "CALIB/calibRegistry.sqlite3", dark=[made])
    cards = {} if seconds is None else {"EXPTIME": seconds}
    place = tmp_path / "CALIB/DARK/2020-09-01/NONE/DARK-2020-09-01-050.fits"
    image_file(place, np.full((8, 9), 0.5, np.float32), **cards)
    dark = read_calibration(Butler(tmp_path), "dark", {"visit": 2, "ccd": 50}, IsrConfig()).value
    lines = []
    warn_of_no_time(dark, "dark", lines.append)
    assert (dark_seconds(dark), len(lines)) == (1.0, warned)
