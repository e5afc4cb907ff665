"""Arguments and repositories in the words of LSST's Butler."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from test_butler import DATA_ID, DUMMY, catalog, exposure, instrument, root  # noqa: F401 - fixtures

from obs.algorithms.detector.linearity import Linearity
from obs.compat.lsst.daf.persistence import Butler as StackButler
from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError
from obs.frame_calibrations import find_calibrations, read_calibration
from obs.geom import Box
from obs.repo.butler import Butler
from obs.repo.registry import Registry
from obs.tasks.isr_config import IsrConfig

__all__ = ["DUMMY"]


@pytest.fixture
def folder(root, tmp_path, instrument):  # noqa: F811 - the fixture
    """Return an output with one catalog and one exposure."""
    butler = Butler(root, output=tmp_path / "out", instrument=instrument)
    butler.put(catalog(), "src", DATA_ID)
    butler.put(exposure(), datasetType="calexp", dataId=DATA_ID)
    return butler.output


def test_words_of_lsst_for_every_method(folder, instrument):  # noqa: F811 - the fixture
    butler = Butler(folder, instrument=instrument)
    assert len(butler.get(datasetType="src", dataId=DATA_ID)) == 3
    assert len(butler.get("src", dataId=DATA_ID, flags=1, immediate=True)) == 3
    stack = StackButler(folder, instrument=instrument)
    assert len(stack.get("src", dataId=DATA_ID, flags=1, immediate=True)) == 3
    assert len(stack.get(datasetType="src", dataId=DATA_ID)) == 3
    assert butler.datasetExists(datasetType="src", dataId=DATA_ID)
    assert butler.getUri(datasetType="src", dataId=DATA_ID) == str(butler.path("src", DATA_ID))
    assert butler.queryMetadata("raw", format=["visit", "ccd"], dataId={"visit": 1}) == [(1, 1), (1, 2)]
    assert butler.queryMetadata(datasetType="raw", format="visit") == [1, 2]
    assert len(butler.subset(datasetType="raw", dataId={"visit": 1})) == 2
    assert butler.getKeys(datasetType="src")
    reference = butler.dataRef("raw", dataId={"visit": 1, "ccd": 1})
    assert len(reference.get(datasetType="src")) == 3
    assert reference.datasetExists(datasetType="src")


def test_a_data_id_alone_is_one_of_raw_data(folder, instrument):  # noqa: F811 - the fixture
    reference = Butler(folder, instrument=instrument).dataRef({"visit": 1, "ccd": 2})
    assert reference.dataset_type == "raw"
    assert reference.dataId["ccd"] == 2


@pytest.mark.parametrize("as_list", [True, False])
def test_inputs_and_outputs(root, tmp_path, instrument, as_list):  # noqa: F811 - the fixture
    inputs = [{"root": str(root)}] if as_list else str(root)
    butler = Butler(inputs=inputs, outputs={"root": str(tmp_path / "new"), "mode": "rw"}, instrument=instrument)
    butler.put(catalog(), "src", DATA_ID)
    assert butler.roots == [tmp_path / "new", root]
    again = Butler(outputs=str(tmp_path / "new"), instrument=instrument)
    assert again.output == tmp_path / "new"
    assert len(again.get("src", DATA_ID)) == 3


def test_several_inputs_are_read_in_their_order(root, folder, tmp_path, instrument):  # noqa: F811 - the fixture
    butler = Butler(inputs=[str(folder), str(root)], outputs=str(tmp_path / "new"), instrument=instrument)
    assert butler.roots == [tmp_path / "new", folder, root]
    assert len(butler.get("src", DATA_ID)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"name a repository: Butler\('DATA'\), or Butler\(inputs='DATA'\)"),
        ({"root": "a", "inputs": "b"}, "inputs= and outputs= replace the repository and its output"),
        ({"inputs": "a", "outputs": ["b", "c"]}, "one output is written at a time, got 2: name one"),
        ({"inputs": {"rot": "a"}}, "unknown key 'rot' of a repository; did you mean 'root'"),
        ({"inputs": {"mapper": "x"}}, "a repository needs the key 'root', its folder"),
        (
            {"inputs": "a", "outputs": {"root": "b", "mode": "r"}},
            "the output b has the mode 'r'; outputs are 'w' or 'rw'",
        ),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(RepositoryError, match=message):
        Butler(**arguments)


def test_an_output_without_inputs_needs_them(tmp_path, instrument):  # noqa: F811 - the fixture
    (tmp_path / "obs.yaml").write_text("layout: 1\ncamera: dummy\nparents: []\n")
    with pytest.raises(RepositoryError, match=r"has no inputs yet; name them with inputs="):
        Butler(outputs=str(tmp_path), instrument=instrument)


def test_levels_that_the_policy_does_not_have_leave_out_nothing(folder, instrument):  # noqa: F811 - the fixture
    butler = Butler(folder, instrument=instrument)
    assert len(butler.subset("raw", level="skyTile", visit=1)) == 2
    assert len(butler.subset("raw", level="VISIT", visit=1)) == len(butler.subset("raw", level="visit", visit=1))
    with pytest.raises(DataIdError, match="did you mean"):
        butler.subset("raw", level="sensr", visit=1)


def test_psf_and_wcs_of_a_calexp(folder, instrument):  # noqa: F811 - the fixture
    butler = Butler(folder, instrument=instrument)
    assert butler.exists("psf", DATA_ID)
    with pytest.raises(DatasetNotFoundError, match="has no component 'wcs'"):
        butler.get("wcs", DATA_ID)  # this calexp has none


def test_schema_without_a_data_id(folder, instrument):  # noqa: F811 - the fixture
    butler = Butler(folder, instrument=instrument)
    schema = butler.get("src_schema")
    assert list(schema.columns) == ["id", "x"]
    assert len(schema) == 0
    with pytest.raises(DatasetNotFoundError, match="no icSrc from which the columns could be read"):
        butler.get("icSrc_schema")


def test_settings_of_the_run_and_of_one_task(folder, instrument):  # noqa: F811 - the fixture
    (folder / "config").mkdir()
    settings = {"isr": {"do_bias": False}, "characterize": {"psf": {"stamp_size": None}}}
    (folder / "config" / "process.yaml").write_text(yaml.safe_dump(settings))
    butler = Butler(folder, instrument=instrument)
    assert butler.get("processCcd_config") == settings
    assert butler.get("isr_config") == {"do_bias": False}
    assert butler.get("characterizeImage_config") == settings["characterize"]
    with pytest.raises(DatasetNotFoundError, match="no calibrate_config"):
        butler.get("calibrate_config")


def _described(folder, parents, policy):
    folder.mkdir()
    text = yaml.safe_dump({"_parents": [str(parent) for parent in parents], "_policy": policy, "_root": str(folder)})
    (folder / "repositoryCfg.yaml").write_text("!RepositoryCfg_v1\n" + text)
    return folder


def test_the_policy_of_a_repository_holds_for_itself_only(root, tmp_path, instrument):  # noqa: F811 - the fixture
    places = {
        "datasets": {"src": {"template": "elsewhere/%(visit)d-%(ccd)d.fits"}, "extra": {"template": "x/%(visit)d.txt"}}
    }
    parent = _described(tmp_path / "parent", [root], places)
    plain = Butler(root, output=tmp_path / "plain", instrument=instrument)
    plain.put(catalog(), "src", DATA_ID)
    (parent / "elsewhere").mkdir()
    plain.path("src", DATA_ID).rename(parent / "elsewhere" / "1-1.fits")
    (parent / "x").mkdir()
    (parent / "x" / "1.txt").write_text("more\n")
    child = Butler(parent, output=tmp_path / "child", instrument=instrument)
    assert child.path("src", DATA_ID) == parent / "elsewhere" / "1-1.fits"
    assert child.get("extra", visit=1) == "more\n"
    child.put(catalog(), "src", DATA_ID)
    assert "elsewhere" not in str(child.path("src", DATA_ID))
    assert child.path("src", DATA_ID).is_relative_to(tmp_path / "child")
    grandchild = _described(tmp_path / "grandchild", [parent], {})
    assert Butler(grandchild, instrument=instrument).path("src", DATA_ID) == parent / "elsewhere" / "1-1.fits"


def test_a_linearizer_of_the_repository_is_used(root, instrument):  # noqa: F811 - the fixture
    policy = {"datasets": {"linearizer": {"template": "lin/%(ccd)d.yaml", "python": "lsst.ip.isr.Linearizer"}}}
    butler = Butler(inputs={"root": str(root), "policy": policy}, instrument=instrument)
    names = ("do_bias", "do_dark", "do_flat", "do_defect", "do_fringe", "do_brighter_fatter")
    off = IsrConfig.model_validate(dict.fromkeys(names, False))
    arguments = {"physical_filter": "D-R", "band": "r"}
    assert find_calibrations(butler, DATA_ID, off, **arguments)[0].linearizer == {}
    (root / "lin").mkdir()
    text = "amplifiers:\n  A: {linearityType: Squared, linearityCoeffs: [1.0e-6]}\n"
    (root / "lin/1.yaml").write_text(text)
    calibrations, _, used = find_calibrations(butler, DATA_ID, off, **arguments)
    assert calibrations.linearizer == {"A": Linearity("Squared", (1e-6,), None)}
    assert used == {"CALIB_LINEARIZER": "1.yaml"}


@pytest.mark.parametrize("place", ["absolute", "relative"])
def test_defects_by_the_path_that_the_registry_has(root, tmp_path, instrument, place):  # noqa: F811 - the fixture
    masks = tmp_path / "bpm"  # outside of the repository, as those of DECam
    masks.mkdir()
    bad = np.zeros((20, 30), np.uint16)
    bad[3:5, 10:17] = 4
    fits.PrimaryHDU(bad).writeto(masks / "c01.fits")
    (root / "CALIB").mkdir()
    registry = Registry(root / "CALIB/calibRegistry.sqlite3", read_only=False)
    columns = dict.fromkeys(("path", "validStart", "validEnd"), "text") | {"ccd": "int"}
    registry.create_table("defect", columns, ["path"])
    start = masks if place == "absolute" else Path("../../bpm")
    valid = {"validStart": "2020-01-01", "validEnd": "2020-12-31"}
    registry.insert("defect", [{"path": f"{start}/c{ccd:02d}.fits", "ccd": ccd, **valid} for ccd in (1, 2)])
    entry = {
        "template": "%(path)s",
        "tables": "defect",
        "columns": ["ccd", "taiObs"],
        "python": "lsst.afw.image.ImageU",
    }
    entry |= {"storage": "FitsStorage", "reference": "raw", "refCols": ["visit"], "validRange": True}
    inputs = {"root": str(root), "policy": {"calibrations": {"defects": entry}}}
    butler = Butler(inputs=inputs, outputs=str(tmp_path / "out"), instrument=instrument)
    np.testing.assert_array_equal(butler.get("defects", DATA_ID), bad)
    found = read_calibration(butler, "defects", DATA_ID, IsrConfig())
    assert found.value == [Box(10, 3, 7, 2)]
    forced = IsrConfig(defects_path=str(masks / "c01.fits"), check_forced_calibrations=False)
    assert read_calibration(butler, "defects", DATA_ID, forced).value == found.value
    missing = read_calibration(butler, "defects", {**DATA_ID, "ccd": 2}, IsrConfig())
    assert re.match(r"no defects for visit=1 ccd=2 .*: looked for \S+bpm/c02\.fits", missing.problem)
    # it is only read there
    mapper = butler._files._mapper_at(butler.calib_root)
    for written, write in ((DATA_ID, True), ({**DATA_ID, "path": str(masks / "c99.fits")}, False)):
        if place == "absolute" or write:
            with pytest.raises(DataIdError, match="would leave the repository"):
                mapper.path("defects", written, write=write)


def test_calibrations_that_need_no_registry(root, instrument):  # noqa: F811 - the fixture
    """As in obs_test, whose flats have a filter in their names, and no date."""
    flat = {"template": "flat/flat_f%(filter)s.fits", "columns": "filter", "reference": "raw"}
    butler = Butler(inputs={"root": str(root), "policy": {"calibrations": {"flat": flat}}}, instrument=instrument)
    with pytest.raises(DatasetNotFoundError, match=r"looked for .*/flat/flat_fD-G\.fits$"):
        butler.get("flat", visit=2, ccd=1)
    (root / "flat").mkdir()
    fits.PrimaryHDU(np.full((20, 30), 0.9)).writeto(root / "flat/flat_fD-G.fits")
    assert butler.get("flat", visit=2, ccd=1).shape == (20, 30)


def test_extensions_of_files_without_a_registry(root, instrument):  # noqa: F811 - the fixture
    """As in DECam and MegaCam, where all detectors of an exposure are in a file."""
    raw = {"template": "raw/%(filter)s/decam%(visit)07d.fits.fz[%(hdu)d]"}
    (root / "registry.sqlite3").unlink()
    path = root / "raw/D-R/decam0000007.fits.fz"
    path.parent.mkdir(parents=True)
    planes = [fits.ImageHDU(np.full((20, 30), number)) for number in (1, 2)]
    fits.HDUList([fits.PrimaryHDU(), *planes]).writeto(path)
    butler = Butler(inputs={"root": str(root), "policy": {"exposures": {"raw": raw}}}, instrument=instrument)
    assert butler.get("raw_md", visit=7, hdu=2)["NAXIS1"] == 30
    assert butler.getUri("raw", visit=7, hdu=2) == f"{path}[2]"
    with pytest.raises(DataIdError, match=r"from visit=7 in raw: 2 matches \(filter=D-R hdu=1, filter=D-R hdu=2\)"):
        butler.get("raw", visit=7)
