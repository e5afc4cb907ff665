"""Which reader and writer a dataset gets."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.errors import DatasetNotFoundError, FileFormatError, OutputError
from obs.geom import Box
from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.psf import PixelPsf
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.repo.formatters import COMPONENTS, read_dataset, split_hdu, write_dataset


def make_exposure():
    stamp = np.zeros((1, 5, 5), np.float32)
    stamp[0, 2, 2] = 1
    return Exposure(
        MaskedImage(np.arange(120, dtype=np.float32).reshape(10, 12)),
        wcs=TanSipWcs((10.0, 1.0), (5.0, 5.0), np.eye(2) * 1e-4),
        psf=PixelPsf(stamp, 0),
        photo_calib=PhotoCalib(1e10),
        visit_info=VisitInfo(exposure_time=30.0),
        detector_name="r4",
        physical_filter="r",
        metadata={"BGMEAN": 3.5},
    )


def make_catalog():
    catalog = Catalog(metadata={"FILTER": "r"})
    catalog.add("id", [1, 2, 3], "", "number")
    return catalog


def make_background():
    level = np.ones((2, 3), np.float32)
    return Background(level, level, np.array([1.0, 4.0, 7.0]), np.array([1.0, 4.0]), shape=(6, 9), style="constant")


@pytest.fixture
def calexp(tmp_path):
    path = tmp_path / "calexp.fits"
    write_dataset("FitsStorage", make_exposure(), path)
    return path


@pytest.mark.parametrize(
    ("python", "kind"),
    [
        ("lsst.afw.image.ExposureF", Exposure),
        ("lsst.afw.image.ExposureU", Exposure),
        ("lsst.afw.image.DecoratedImageU", Exposure),
        ("lsst.afw.image.MaskedImageF", MaskedImage),
        ("lsst.afw.image.ImageF", np.ndarray),
        ("numpy.ndarray", np.ndarray),
        ("lsst.afw.detection.Psf", PixelPsf),
        ("lsst.afw.geom.skyWcs.SkyWcs", TanSipWcs),
        ("lsst.afw.image.PhotoCalib", PhotoCalib),
        ("", Exposure),
    ],
)
def test_class_of_an_image_file(calexp, python, kind):
    assert isinstance(read_dataset("FitsStorage", python, calexp), kind)


def test_components_of_an_exposure(calexp):
    def get(component, box=None):
        return read_dataset("FitsStorage", "lsst.afw.image.ExposureF", calexp, component, box)

    assert get("md")["BGMEAN"] == 3.5
    assert get("wcs").crpix == (5.0, 5.0)
    assert get("bbox") == Box(0, 0, 12, 10)
    assert get("sub", Box(1, 2, 3, 4)).masked_image.image[0, 0] == 25
    assert get("visitInfo").exposure_time == 30
    assert get("photoCalib").zero_point == 25
    assert isinstance(get("psf"), PixelPsf)
    assert (get("filter"), get("detector")) == ("r", "r4")
    with pytest.raises(DatasetNotFoundError, match=r"calexp.fits has no component 'schema'"):
        get("schema")
    with pytest.raises(ValueError, match="the component 'sub' needs the box"):
        get("sub")


@pytest.mark.parametrize("component", ["wcs", "photoCalib", "visitInfo", "filter", "detector"])
def test_components_that_are_not_there(tmp_path, component):
    write_dataset("FitsStorage", np.zeros((2, 2)), tmp_path / "bias.fits")
    with pytest.raises(DatasetNotFoundError, match=f"bias.fits has no component '{component}'"):
        read_dataset("FitsStorage", "ExposureF", tmp_path / "bias.fits", component)


@pytest.mark.parametrize(
    ("storage", "python", "name"),
    [
        ("FitsCatalogStorage", "lsst.afw.table.SourceCatalog", "src.fits"),
        ("FitsStorage", "lsst.afw.table.BaseCatalog", "src.fits"),
        ("ParquetStorage", "lsst.pipe.tasks.parquetTable.ParquetTable", "src"),
        ("ParquetStorage", "", "src.parq"),
    ],
)
def test_catalogs(tmp_path, storage, python, name):
    write_dataset(storage, make_catalog(), tmp_path / name)
    assert read_dataset(storage, python, tmp_path / name)["id"].tolist() == [1, 2, 3]
    assert read_dataset(storage, python, tmp_path / name, "len") == 3
    assert list(read_dataset(storage, python, tmp_path / name, "schema").columns) == ["id"]
    assert read_dataset(storage, python, tmp_path / name, "md") == {"FILTER": "r"}
    with pytest.raises(DatasetNotFoundError, match="has no component 'wcs'"):
        read_dataset(storage, python, tmp_path / name, "wcs")


@pytest.mark.parametrize("storage", ["FitsStorage", "FitsCatalogStorage"])
@pytest.mark.parametrize("several", [True, False])
def test_backgrounds(tmp_path, storage, several):
    obj = [make_background(), make_background()] if several else make_background()
    write_dataset(storage, obj, tmp_path / "bkgd.fits")
    again = read_dataset(storage, "lsst.afw.math.BackgroundList", tmp_path / "bkgd.fits")
    assert [background.image()[0, 0] for background in again] == [1.0] * (1 + several)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(value=st.dictionaries(st.text(max_size=5), PLAIN, max_size=4))
def test_yaml_round_trips(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("yaml") / "metadata.yaml"
    write_dataset("YamlStorage", value, path)
    assert read_dataset("YamlStorage", "lsst.daf.base.PropertySet", path) == value


@pytest.mark.parametrize(("storage", "name"), [("YamlStorage", "m.yaml"), ("BoostStorage", "m.boost"), ("", "m.yaml")])
def test_metadata_of_numpy_types(tmp_path, storage, name):
    value = {"seeing": np.float32(1.5), "n": np.int64(3), "list": (1, np.nan), "path": Path("a"), "array": np.eye(2)}
    write_dataset(storage, value, tmp_path / name)
    again = read_dataset(storage, "", tmp_path / name)
    assert math.isnan(again["list"].pop())
    assert again == {"seeing": 1.5, "n": 3, "list": [1], "path": "a", "array": [[1, 0], [0, 1]]}
    assert list(yaml.safe_load((tmp_path / name).read_text())) == list(value)


@pytest.mark.parametrize(
    ("storage", "name"), [("TextStorage", "a"), ("ConfigStorage", "a.py"), ("None", "a.txt"), ("ignored:x", "a.py")]
)
def test_text_is_never_run(tmp_path, storage, name):
    text = "raise SystemExit  # \u00b5\n"
    write_dataset(storage, text, tmp_path / name)
    assert read_dataset(storage, "builtins.str", tmp_path / name) == text


def test_figures_are_written(tmp_path):
    class Figure:
        def savefig(self, file, format):
            file.write(format.encode())

    write_dataset("MatplotlibStorage", Figure(), tmp_path / "plot.pdf")
    assert (tmp_path / "plot.pdf").read_bytes() == b"pdf"
    with pytest.raises(FileFormatError, match=r"plot.pdf: is a figure: open it with an image viewer"):
        read_dataset("MatplotlibStorage", "", tmp_path / "plot.pdf")


def test_pickles_are_refused(tmp_path):
    (tmp_path / "bf.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(FileFormatError, match=r"bf.pkl: is a pickle: loading one runs the code in it"):
        read_dataset("PickleStorage", "numpy.ndarray", tmp_path / "bf.pkl")
    with pytest.raises(OutputError, match=r"cannot write .*bf.pkl: pickles are never written"):
        write_dataset("PickleStorage", {}, tmp_path / "bf.pkl")


def test_hdu_in_brackets(tmp_path):
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(np.full((2, 2), i, np.int16)) for i in (1, 2, 3))]
    fits.HDUList(hdus).writeto(tmp_path / "raw.fits")
    assert split_hdu("a/raw.fits[2]") == (Path("a/raw.fits"), 2)
    assert split_hdu("a/raw.fits") == (Path("a/raw.fits"), None)
    raw = read_dataset("FitsStorage", "lsst.afw.image.DecoratedImageU", f"{tmp_path / 'raw.fits'}[2]")
    assert raw.masked_image.image[0, 0] == 2


def test_tile_compressed_image(tmp_path):
    image = np.arange(600, dtype=np.int16).reshape(20, 30)
    fits.CompImageHDU(image, fits.Header([("OBJECT", "sky")])).writeto(tmp_path / "raw.fits.fz")
    raw = read_dataset("FitsStorage", "lsst.afw.image.ExposureI", tmp_path / "raw.fits.fz")
    np.testing.assert_array_equal(raw.masked_image.image, image)
    assert raw.metadata == {"OBJECT": "sky"}
    assert read_dataset("FitsStorage", "ExposureI", tmp_path / "raw.fits.fz", "bbox") == Box(0, 0, 30, 20)


@pytest.mark.parametrize(
    ("storage", "python", "name", "content", "message"),
    [
        ("FitsStorage", "lsst.meas.Kernel", "x.fits", "", "x.fits: no reader for a dataset of class Kernel"),
        ("BoostStorage", "PropertySet", "x.boost", "<?xml version='1.0'?>", "x.boost: is Boost XML, which is not read"),
        ("YamlStorage", "PropertySet", "x.yaml", "a: [1\nb: 2", r"x.yaml: line 2: invalid YAML: "),
        ("TextStorage", "str", "x.txt", b"\xff\xfe", "x.txt: cannot be read as text: it is not UTF-8"),
    ],
)
def test_wrong_content(tmp_path, storage, python, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileFormatError, match=message):
        read_dataset(storage, python, tmp_path / name)


@pytest.mark.parametrize("storage", ["TextStorage", "YamlStorage", "FitsStorage", "FitsCatalogStorage"])
def test_no_such_file(tmp_path, storage):
    with pytest.raises(DatasetNotFoundError, match="nowhere does not exist"):
        read_dataset(storage, "", tmp_path / "nowhere")


def test_text_has_no_components(tmp_path):
    write_dataset("TextStorage", "text", tmp_path / "x.txt")
    with pytest.raises(DatasetNotFoundError, match=r"x.txt has no component 'md'"):
        read_dataset("TextStorage", "str", tmp_path / "x.txt", "md")


def test_an_object_without_a_format(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write .*x: no file format for an object of type complex"):
        write_dataset("", 1j, tmp_path / "x")


def test_fits_imports_nothing_slow(calexp, tmp_path):
    write_dataset("FitsCatalogStorage", make_catalog(), tmp_path / "src.fits")
    code = """if True:
        import sys
        from obs.repo.formatters import read_dataset, write_dataset
        for python, path in (("ExposureF", sys.argv[1]), ("SourceCatalog", sys.argv[2])):
            write_dataset("FitsStorage", read_dataset("FitsStorage", python, path), path)
        print([name for name in ("pyarrow", "astropy.table", "astropy.wcs", "matplotlib") if name in sys.modules])
    """
    command = [sys.executable, "-c", code, calexp, tmp_path / "src.fits"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_components_are_known():
    assert len(set(COMPONENTS)) == len(COMPONENTS)
