"""The Butler as scripts of the stack construct and ask it."""

import copy
from pathlib import Path

import numpy as np
import pytest
from hsc_repository import DATA_ID, catalog

import obs.compat.lsst.daf.persistence as dafPersist
from obs.compat.lsst.geom import Box2I, Extent2I, Point2I
from obs.compat.lsst.obs.base import ExposureIdInfo

MAPPER = "lsst.obs.hsc.HscMapper"


class HscMapper:
    """Stands for the class that a script imports."""


@pytest.fixture
def root(rerun):
    return str(rerun.parents[1])


@pytest.fixture
def butler(rerun):
    return dafPersist.Butler(str(rerun))


@pytest.mark.parametrize("mapper", [MAPPER, HscMapper, HscMapper(), None])
def test_repositories_are_named_in_every_way(root, mapper):
    for made in (
        dafPersist.Butler(root, mapper),
        dafPersist.Butler(root=root, mapper=mapper, calibRoot=f"{root}/CALIB"),
        dafPersist.Butler(inputs={"root": root, "mapper": mapper, "mapperArgs": {"calibRoot": "CALIB"}}),
        dafPersist.Butler(inputs=[dafPersist.RepositoryArgs(cfgRoot=root, mapper=mapper, mode="r")]),
    ):
        assert made.get("bias", DATA_ID).getDimensions() == Extent2I(150, 128)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"mapper": "lsst.obs.sdss.SdssMapper"},
            "is of the camera 'hsc', which is not that of the mapper 'lsst.obs.sd",
        ),
        ({"inputs": "other"}, "inputs= and outputs= replace the repository and its output"),
        ({"root": None, "inputs": {"root": "x", "mode": "w"}}, "the input x has the mode 'w'; inputs are 'r' or 'rw'"),
        ({"root": None, "inputs": "x", "outputs": {"root": "y", "mode": "r"}}, "the output y has the mode 'r'"),
        ({"root": None, "inputs": "x", "outputs": ["y", "z"]}, "one output is written at a time, got 2"),
    ],
)
def test_contradictions_are_runtime_errors(root, arguments, message):
    with pytest.raises(RuntimeError, match=message):
        dafPersist.Butler(**{"root": root, **arguments})


def test_an_output_is_made_at_once_and_names_its_inputs(root, tmp_path):
    dafPersist.Butler(inputs=root, outputs=str(tmp_path / "out"))
    again = dafPersist.Butler(outputs={"root": str(tmp_path / "out"), "mode": "rw"})
    again.put(catalog(), "src", DATA_ID)
    assert dafPersist.Butler(str(tmp_path / "out")).get("src_len", DATA_ID) == 4


def test_what_was_made_from_another_repository_is_written_to(root, tmp_path):
    dafPersist.Butler(root, outputRoot=str(tmp_path / "out"))
    butler = copy.copy(dafPersist.Butler(str(tmp_path / "out")))  # as another process gets it
    reference = butler.dataRef("src", dataId=DATA_ID)
    assert not reference.datasetExists(write=True)
    reference.put(butler.get("src_schema", dataId=DATA_ID) if butler.datasetExists("src", DATA_ID) else catalog())
    assert reference.datasetExists(write=True)
    butler.put(catalog(), datasetType="src", dataId=DATA_ID, doBackup=True)
    path = Path(butler.getUri("src", DATA_ID, write=True))
    assert path.is_relative_to(tmp_path)
    assert Path(f"{path}~1").is_file()
    with pytest.raises(OSError, match="is only read here"):
        dafPersist.Butler(root).put(catalog(), "src", DATA_ID)


def test_what_is_not_there_is_no_results(butler):
    for ask in (
        lambda: butler.get("icSrc", DATA_ID),
        lambda: butler.get("calexp", visit=1, ccd=56),
        lambda: butler.get("flat", DATA_ID),
        lambda: butler.get("forced_src", DATA_ID),
        lambda: butler.get("calexpp", DATA_ID),
        lambda: butler.getUri("icSrc", DATA_ID),
        lambda: butler.dataRef("calexp", visit=9, ccd=5),
        lambda: butler.queryMetadata("raw", "nothing"),
        lambda: butler.get("skypolicy"),
    ):
        with pytest.raises(dafPersist.NoResults) as caught:
            ask()
        assert isinstance(caught.value, RuntimeError)


def test_what_the_camera_knows_is_always_there(butler):
    for name in ("camera", "ccdExposureId", "ccdExposureId_bits", "expIdInfo", "deepCoaddId_bits"):
        assert butler.datasetExists(name, DATA_ID)
    info = butler.get("expIdInfo", DATA_ID)
    assert (info.expId, info.expBits, info.maxBits, info.unusedBits) == (1234 * 200 + 56, 32, 64, 32)
    with pytest.raises(RuntimeError, match="expId=8 uses 4 bits, expBits=3 are too few"):
        ExposureIdInfo(8, 3)
    with pytest.raises(RuntimeError, match="expBits=65 are more than maxBits=64"):
        ExposureIdInfo(8, 65)


def test_numbers_of_coadds(butler, root):
    place = {"tract": 9813, "patch": "4,5", "filter": "HSC-R"}
    merged = (9813 * 32 + 4) * 32 + 5
    assert butler.get("deepMergedCoaddId", place) == merged
    assert butler.get("deepCoaddId", place) == merged * 64 + 1
    assert butler.get("deepCoaddId_bits") == butler.get("deepMergedCoaddId_bits") == 32
    for wrong, message in (
        ({"patch": "32,0"}, "patch=32,0 has no room in the 5 bits"),
        ({"tract": -1}, "tract=-1 has no room"),
        ({"patch": "4"}, "patch=4: a tract is a number, a patch is COLUMN,ROW"),
        ({"filter": "V"}, "hsc has no filter 'V'"),
    ):
        with pytest.raises(dafPersist.NoResults, match=message):
            butler.get("deepCoaddId", place, **wrong)
    with pytest.raises(dafPersist.NoResults, match="needs the key 'patch'"):
        butler.get("deepMergedCoaddId", tract=1)


def test_registries_are_asked_in_the_words_of_all_stacks(butler):
    rows = [(1234, 56)]
    for found in (
        butler.queryMetadata("raw", ["visit", "ccd"]),
        butler.queryMetadata("raw", ("visit", "ccd"), DATA_ID),
        butler.queryMetadata("raw", format=["visit", "ccd"], dataId={"field": "M31"}),
        butler.queryMetadata("raw", "visit", ["visit", "ccd"], {"visit": 1234}),
        butler.queryMetadata("raw", "visit", format=["visit", "ccd"], visit=1234),
    ):
        assert found == rows
    assert butler.queryMetadata("raw", "visit", filter="HSC-I") == butler.queryMetadata("raw", key="visit") == [1234]
    assert butler.queryMetadata("raw", ("visit",)) == [(1234,)]


def test_references_know_what_they_are_part_of(butler):
    subset = butler.subset("calexp", visit=1234)
    assert (len(subset), subset.datasetType, subset.cache[0]["ccd"]) == (1, "calexp", 56)
    (reference,) = subset
    assert reference.butlerSubset.butler is reference.getButler() is butler
    assert reference.get("calexp_md", immediate=True).getScalar("OBJECT") == "M31"
    assert [item.dataId["ccd"] for item in butler.dataRef("raw", level="visit", visit=1234).subItems()] == [56]
    assert len(butler.subset("calexp", "noSuchLevel")) == 1  # as in the stack: the lowest


def test_the_class_of_the_mapper_knows_the_camera(root):
    mapper = dafPersist.Butler.getMapperClass(root)
    assert (mapper.__name__, mapper.getCameraName(), mapper.getPackageName()) == ("HscMapper", "hsc", "obs_hsc")


def test_values_and_parts_in_the_words_of_the_stack(butler):
    assert butler.get("calexp_filterLabel", DATA_ID).getName() == "HSC-I"
    assert butler.get("calexp_calib", DATA_ID).getFluxMag0() == butler.get("calexp", DATA_ID).getCalib().getFluxMag0()
    assert butler.get("calexp", visit=np.int64(1234), ccd="56", tract=0).getBBox().getWidth() == 150
    box = Box2I(Point2I(10, 20), Extent2I(5, 6))
    for origin in ("PARENT", "LOCAL"):
        assert butler.get("calexp_sub", DATA_ID, bbox=box, imageOrigin=origin).getBBox() == box
    butler.defineAlias("@image", "calexp")
    assert butler.get("@image_bbox", DATA_ID) == butler.get("calexp", DATA_ID, immediate=False).getBBox()
