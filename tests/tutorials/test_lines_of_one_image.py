"""Processing a single image, and the same image from a repository, by the lines of the tutorial, on real data."""

import gzip
import shutil
import sqlite3

import pytest
from astropy.io import fits
from lines import lines

from obs.repo.butler import Butler
from obs.repo.fits_catalog import read_catalog

NAME = "fpC-004192-r4-0300"
#: Sources that the tutorials count in its two results.
OF_FILE, OF_REPOSITORY = 640, 648


@lines("1.2")
def test_help(lsst):
    status, out, err = lsst("processFile.py", "-h")
    assert status == 0
    assert "Usage" in out + err


@lines("1.3")
def test_several_images(lsst):
    _, _, err = lsst("--dry-run", "processFile.py", "a.fits", "b.fits", "--output", "out")
    assert "$ obs process-file a.fits b.fits --output out" in err


def test_the_line_of_the_tutorial(shared_data, lsst, tmp_path, monkeypatch):
    packed = shared_data / "sdss_stripe82/4192/40/corr/4" / f"{NAME}.fit.gz"
    (tmp_path / f"{NAME}.fits").write_bytes(gzip.decompress(packed.read_bytes()))
    monkeypatch.chdir(tmp_path)
    line = f"processFile.py {NAME}.fits --output output --clobber-config -c gain=2 doVariance=True"
    status, _, err = lsst(*line.split())
    output, folder = tmp_path / "output", tmp_path / "output" / NAME
    sources = read_catalog(folder / "src.fits")
    with fits.open(folder / "src.fits") as hdus:
        meanings = [hdus[1].header[f"TCOMM{i + 1}"] for i in range(hdus[1].header["TFIELDS"])]
    with fits.open(output / f"{NAME}.fits") as hdus:
        planes = [hdu.name for hdu in hdus]
    files = ("icSrc.fits", "calexpBackground.fits", "icExpBackground.fits")
    seen = {
        "1.14": status == 0 and abs(len(sources) / OF_FILE - 1) < 0.05,
        "1.16": {"IMAGE", "MASK", "VARIANCE"} <= set(planes) and all((folder / name).is_file() for name in files),
        "1.17": any((output / "config").iterdir()) and any((output / "schema").iterdir()),
        "1.18": all(meanings) and sources.columns["base_PsfFlux_instFlux"].unit in ("adu", "ct"),
    }
    assert {number: bool(value) for number, value in seen.items()} == dict.fromkeys(seen, True), (len(sources), err)


MAPPERS = ["lsst.obs.sdss.sdssMapper.SdssMapper", "lsst.obs.sdss.SdssMapper"]


@pytest.mark.parametrize("mapper", MAPPERS)
@lines("1.19", "3.5")
def test_mappers_by_their_old_names(tmp_path, mapper):
    (tmp_path / "_mapper").write_text(f"{mapper}\n")
    assert Butler(tmp_path).instrument.name == "sdss"


def test_the_same_image_from_a_repository(shared_data, lsst, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rawInput.txt").write_text("--id run=4192 rerun=40 camcol=4 field=300 filter=r\n")
    line = f"processCcdSdss.py {shared_data}/sdss_stripe82 --output ./calexp_dir @rawInput.txt"
    status, _, err = lsst(*line.split())
    butler = Butler("calexp_dir")
    data_id = {"run": 4192, "camcol": 4, "field": 300, "filter": "r"}
    sources = butler.get("src", data_id)
    place = butler.path("calexp", data_id).relative_to(butler.root).as_posix()
    seen = {
        "1.20": status == 0,
        "1.23": butler.get("processCcd_metadata", data_id)["n_zero_point"] > 10,
        "1.24": abs(len(sources) / OF_REPOSITORY - 1) < 0.05,
        "1.25": place == "sci-results/4192/4/r/calexp/calexp-004192-r4-0300.fits",
    }
    assert {number: bool(value) for number, value in seen.items()} == dict.fromkeys(seen, True), (place, err)


@lines("1.22")
def test_a_repository_without_a_registry(shared_data, tmp_path):
    for name in ("_mapper", "4192"):
        (tmp_path / name).symlink_to(shared_data / "sdss_stripe82" / name)
    found = Butler(tmp_path).query_metadata("fpC", ["run", "camcol", "field", "filter"])
    assert found == [(4192, 4, 300, "g"), (4192, 4, 300, "r")]
    shutil.copy(shared_data / "sdss_stripe82" / "registry.sqlite3", tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy") as registry:
        assert len(registry.execute("select * from raw").fetchall()) >= len(found)
    registry.close()


@lines("3.4")
def test_a_command_without_arguments_prints_its_usage(lsst):
    status, out, err = lsst("processCcd.py")
    assert status == 2
    assert "Usage: obs process" in out + err


@lines("4.11")
def test_targets_of_mosaic_say_what_they_need(hsc):
    butler = Butler(hsc)
    data_id = {"visit": 903334, "ccd": 16, "tract": 0}
    assert not butler.exists("fcr", data_id)
    assert not butler.exists("wcs", data_id)
    with pytest.raises(LookupError, match=r"no fcr for .*looked for .*/jointcal-results/0000/fcr-0903334-016.fits"):
        butler.get("fcr_md", data_id)


@lines("4.16")
def test_planes_of_the_table_of_masks():
    from obs.image.mask import Mask  # noqa: PLC0415 - of this test alone

    mask = Mask.zeros((2, 2))
    names = ["BAD", "CR", "CROSSTALK", "EDGE", "INTERPOLATED", "INTRP", "SATURATED", "SAT", "SUSPECT", "UNMASKEDNAN"]
    assert all(mask.bits(name) for name in [*names, "DETECTED", "DETECTED_NEGATIVE", "CLIPPED", "NO_DATA"])
    assert mask.bits("SATURATED") == mask.bits("SAT")
    assert mask.bits("INTERPOLATED") == mask.bits("INTRP")
