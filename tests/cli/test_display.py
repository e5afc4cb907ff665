"""`obs display`."""

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.fits_catalog import write_catalog
from obs.repo.fits_exposure import write_exposure
from obs.repo.registry import Registry

SCALE = 0.17 / 3600.0
FILTERS = {1: "HSC-G", 2: "HSC-R", 3: "HSC-I"}


def make_exposure(seed, physical_filter="HSC-I"):
    image = np.random.default_rng(seed).normal(0.0, 1.0, (40, 50)).astype(np.float32)
    wcs = TanSipWcs(crval=(150.0, 2.0), crpix=(25.0, 20.0), cd=np.diag([-SCALE, SCALE]))
    calib = PhotoCalib.from_zero_point(27.0)
    return Exposure(MaskedImage(image), wcs=wcs, photo_calib=calib, physical_filter=physical_filter)


def make_catalog():
    catalog = Catalog()
    for name, values in (("id", [7, 8]), ("base_SdssCentroid_x", [10.0, 30.0]), ("base_SdssCentroid_y", [20.0, 25.0])):
        catalog.add(name, values)
    return catalog


@pytest.fixture(scope="module")
def rerun(tmp_path_factory):
    """Three visits of one detector, in three filters."""
    root = tmp_path_factory.mktemp("display") / "HSC"
    make_repository(root, load_instrument("hsc"))
    registry = Registry(root / "registry.sqlite3", read_only=False)
    columns = {
        "visit": "int",
        "filter": "text",
        "dateObs": "text",
        "taiObs": "text",
        "pointing": "int",
        "field": "text",
    }
    if not registry.has_table("raw"):
        registry.create_table("raw", {**columns, "ccd": "int"}, ["visit", "ccd"])
        registry.create_table("raw_visit", columns, ["visit"], numbered=False)
    for visit, name in FILTERS.items():
        row = {"visit": visit, "filter": name, "dateObs": "2020-01-05", "taiObs": "2020-01-05", "pointing": 1}
        row |= {"field": "A", "ccd": 56}
        for table in ("raw", "raw_visit"):
            known = registry.columns([table])
            registry.insert(table, [{key: value for key, value in row.items() if key in known}])
    butler = Butler(root, output=root / "rerun" / "mine")
    for visit, name in FILTERS.items():
        butler.put(make_exposure(visit, name), "calexp", {"visit": visit, "ccd": 56})
        butler.put(make_catalog(), "src", {"visit": visit, "ccd": 56})
    return butler.output


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def test_a_calibrated_image(obs, rerun, tmp_path):
    path = tmp_path / "a.png"
    words = ["display", rerun, "calexp", "--id", "visit=1", "ccd=56", "-o", path]
    assert obs(*words, "--sources", "symbols", "--regions", tmp_path / "a.reg")[0] == 0
    with Image.open(path) as image:
        assert image.size[0] > 500
    assert (tmp_path / "a.reg").read_text().count("circle(") == 2
    status, _, error = obs(*words)
    assert (status, error) == (1, f"obs: error: {path} is there already; --clobber replaces it\n")
    assert obs(*words, "--clobber")[0] == 0
    (tmp_path / "file").touch()  # where no picture can be written, no regions are left that the next run would refuse
    words = [*words[:-1], tmp_path / "file" / "a.png", "--sources", "symbols", "--regions", tmp_path / "b.reg"]
    assert obs(*words)[0] == 1
    assert not (tmp_path / "b.reg").exists()


def test_without_a_name_the_picture_says_where_it_is(obs, rerun, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert obs("display", rerun, "calexp", "--id", "visit=1", "ccd=56") == (
        0,
        "picture: calexp_visit=1_ccd=56.png\n",
        "",
    )
    assert (tmp_path / "calexp_visit=1_ccd=56.png").is_file()


def test_one_source(obs, rerun, tmp_path):
    words = ["display", rerun, "calexp", "--id", "visit=1", "ccd=56", "-o", tmp_path / "a.png"]
    regions = ["--regions", tmp_path / "a.reg", "--clobber"]
    for others, number in (((), 1), (("--sources", "symbols"), 2)):
        assert obs(*words, "--source", "8", *others, *regions)[0] == 0
        assert (tmp_path / "a.reg").read_text().count("circle(") == number
    assert "the catalog has no source 9; its 2 ids begin with 7, 8" in obs(*words, "--source", "9", "--clobber")[2]


def test_a_camera_without_raw_frames(obs, tmp_path):
    make_repository(tmp_path / "sdss", load_instrument("sdss"))
    message = "obs: error: camera 'sdss' has no raw frames; its frames are fpC\n"
    assert obs("display", tmp_path / "sdss", "raw", "--id", "run=1") == (1, "", message)


def test_several_images(obs, rerun, tmp_path):
    words = ["display", rerun, "calexp", "-o", tmp_path / "a.png"]
    status, _, error = obs(*words)
    assert status == 1
    assert "3 images match (calexp " in error
    assert "name one, or ask for --rgb or --compare" in error
    assert obs(*words, "--rgb")[0] == 0


@pytest.mark.parametrize("pair", [("visit=1", "visit=2"), ("visit=2", "{rerun}"), ("calexp", "visit=3")])
def test_compared_images(obs, rerun, tmp_path, pair):
    names = [name.format(rerun=rerun) for name in pair]
    words = ["display", rerun, "calexp", "--id", "visit=1", "ccd=56", "--compare", *names]
    assert obs(*words, "-o", tmp_path / "a.gif") == (0, "", "")
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 2
    assert obs(*words, "--how", "difference", "-o", tmp_path / "a.png") == (0, "", "")


def test_a_part_of_compared_images(obs, rerun, tmp_path):
    words = ["display", rerun, "calexp", "--id", "ccd=56", "--zoom", "20,20,11px"]
    pair = [*words, "--id", "visit=1", "--compare", "visit=1", "visit=2", "-o", tmp_path / "a.gif"]
    assert obs(*words, "--rgb", "-o", tmp_path / "a.png") == (0, "", "")
    assert obs(*pair[:3], "--id", "visit=1", "ccd=56", *pair[5:7], *pair[9:]) == (0, "", "")
    for name in ("one", "two"):
        fits.writeto(tmp_path / f"{name}.fits", np.zeros((30, 40), np.float32))
    files = [tmp_path / "one.fits", tmp_path / "two.fits"]
    assert obs("display", "--compare", *files, "--zoom", "20,20,11px", "-o", tmp_path / "b.gif") == (0, "", "")


def test_a_rerun_by_its_name(obs, rerun, tmp_path):
    words = ["display", rerun.parents[1], "calexp", "--id", "visit=1", "ccd=56", "--compare", "mine", "mine"]
    assert obs(*words, "--how", "difference", "-o", tmp_path / "a.png") == (0, "", "")


def test_files(obs, tmp_path):
    path = tmp_path / "<script>.fits"
    write_exposure(make_exposure(1), path)
    (tmp_path / "<script>").mkdir()
    write_catalog(make_catalog(), tmp_path / "<script>" / "src.fits")
    assert obs("display", path, "--sources", "symbols", "-o", tmp_path / "a.png") == (0, "", "")
    plain = tmp_path / "plain.fits"
    fits.writeto(plain, np.ones((8, 9), np.int16))
    status, _, error = obs("display", plain, "--sources", "ellipses", "-o", tmp_path / "b.png")
    assert (status, error) == (1, f"obs: error: no catalog {tmp_path}/plain/src.fits: name one with --catalog FILE\n")
    assert obs("display", f"{plain}[0]", "-o", tmp_path / "b.png")[0] == 0
    assert obs("display", "--compare", path, path, "--how", "difference", "-o", tmp_path / "c.png")[0] == 0
    status, _, error = obs("display", path, path, path, "--rgb", "-o", tmp_path / "d.png")
    assert status == 0
    assert "red, green, blue are in the order given" in error
    bands = [tmp_path / f"{name}.fits" for name in "gir"]
    for band in bands:
        exposure = make_exposure(1)
        exposure.physical_filter = band.stem
        write_exposure(exposure, band)
    assert obs("display", *bands, "--rgb", "-o", tmp_path / "e.svg") == (0, "", "")
    assert "red i.fits, green r.fits, blue g.fits" in (tmp_path / "e.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a repository and a dataset type, such as DATA/rerun/first calexp, or a FITS file"),
        (["{rerun}"], "is a folder: name a dataset type after it, such as calexp; obs ls"),
        (["{rerun}", "calexp", "--id", "visit=9"], "no calexp matches visit=9; obs ls"),
        (["{rerun}", "deepCoadd_calexp", "--id", "tract=0"], "matches tract=0; obs coadd-catalog writes it"),
        (["{rerun}", "src", "--id", "visit=1", "ccd=56"], "src visit=1 ccd=56 is not an image but a Catalog"),
        (["absent.fits"], "absent.fits does not exist"),
        (["absent.fits", "--id", "visit=1"], "--id names data of a repository, and absent.fits is not one"),
        (["--compare", "a.fits", "b.fits"], "--compare: a.fits is not a file"),
        (["{rerun}", "calexp", "--compare", "visit=1", "visit=1^2"], "--compare: visit=1^2 names 2 images"),
        (["{rerun}", "calexp", "--limits", "3"], "limits: expected LOW,HIGH such as -10,100, got '3'"),
        (["{rerun}", "calexp", "--zoom", "3"], "zoom: expected RA,DEC,SIZE such as"),
    ],
)
def test_words_that_mean_nothing(obs, rerun, words, message):
    status, _, error = obs("display", *(word.format(rerun=rerun) for word in words))
    assert status == 1
    assert message in error
