"""What coadds and their catalogs were made from is recorded, and found out when it changes."""

import shutil

import pytest
from exposures import SCALE, data_id

import obs
from obs.cli.main import main
from obs.coadds.frames import find_frames
from obs.image.photo_calib import PhotoCalib
from obs.repo.made_with import find_record

PATCH = {"tract": 0, "patch": "0,0"}


@pytest.fixture(scope="module")
def cataloged(repository, tmp_path_factory):
    """The coadd of two exposures, and its catalog."""
    folder = tmp_path_factory.mktemp("records") / "all"
    shutil.copytree(repository.parent, folder, symlinks=True)
    out = folder / "out"
    for index in (1, 3):
        obs.Butler(outputs=str(out)).remove("calexp", data_id(index))
        obs.Butler(outputs=str(out)).remove("processCcd_metadata", data_id(index))
    settings = ("-c", "patch_width=400", "patch_height=400", f"pixel_scale={SCALE}")
    assert main(["skymap", "make", str(out), "--discrete", *settings]) == 0
    assert main(["coadd", str(out)]) == 0
    assert main(["coadd-catalog", str(out)]) == 0
    return out


@pytest.fixture
def own(cataloged, tmp_path):
    shutil.copytree(cataloged.parent, tmp_path / "own", symlinks=True)
    return tmp_path / "own" / "out"


def inputs(out, dataset_type, key):
    record, _ = find_record(obs.Butler(out), dataset_type, key)
    return [item.dataset_type for item in record.inputs]


def test_inputs_of_inputs(cataloged, capsys):
    assert inputs(cataloged, "deepCoadd_nImage", PATCH | {"filter": "R"}).count("calexp") == 2
    assert main(["provenance", str(cataloged), "objectTable", "tract=0"]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()[3:]]
    depths = {next(part for part in line if part): line.index(next(part for part in line if part)) for line in lines}
    assert depths["deepCoadd_forced_src"] < depths["deepCoadd"] < depths["calexp"]
    assert sum("calexp" in line for line in lines) == 2


def test_what_has_not_changed_stays(cataloged, capsys):
    assert main(["coadd", str(cataloged), "--skip-existing"]) == 0
    assert main(["coadd-catalog", str(cataloged), "--skip-existing"]) == 0
    said = capsys.readouterr().err
    assert "1 of 1 coadds were there and stay" in said
    assert "1 of 1 patches have catalogs that stay" in said


def test_a_new_calibration_makes_coadd_and_catalog_stale(own, capsys):
    calib = PhotoCalib.from_zero_point(26.1, 0.001)
    obs.Butler(outputs=str(own)).put(calib, "jointcal_photoCalib", data_id(0) | {"tract": 0})
    assert main(["coadd", str(own), "--skip-existing"]) == 0
    assert "stay" not in capsys.readouterr().err
    assert "jointcal_photoCalib" in inputs(own, "deepCoadd", PATCH | {"filter": "R"})
    assert main(["coadd-catalog", str(own), "--skip-existing"]) == 0
    assert "stay" not in capsys.readouterr().err


def test_verify_misses_a_coadd_and_a_changed_input(own, capsys):
    butler = obs.Butler(outputs=str(own))
    assert main(["verify", str(own)]) == 0
    coadd = butler.path("deepCoadd", PATCH | {"filter": "R"})
    coadd.unlink()
    butler.put({"seeing": 1.0}, "processCcd_metadata", data_id(0))
    assert main(["verify", str(own)]) == 1
    said = capsys.readouterr().err
    assert f"MISSING {coadd}: deepCoadd was made" in said
    metadata = butler.path("processCcd_metadata", data_id(0))
    assert f"CHANGED {metadata}: processCcd_metadata that deepCoadd/R/0/0,0.fits was made with" in said
    assert len(find_frames(butler)) == 2


def test_settings_that_differ_are_known(own, capsys):
    words = ["coadd-catalog", str(own), "--skip-existing", "--clobber-config", "-c", "merge.same_peak=0.5"]
    assert main(words) == 0
    assert "stay" not in capsys.readouterr().err


def test_damaged_records_are_named_and_count_as_stale(own, capsys):
    for record in (own / "made_with").rglob("*.yaml"):
        record.write_text("settings: [")
    assert main(["verify", str(own)]) == 1
    said = capsys.readouterr().err
    assert "the record of what deepCoadd/R/0/0,0.fits was made from; make that again" in said
    assert main(["provenance", str(own), "deepCoadd", "tract=0", "patch=0,0", "filter=R"]) == 1
    assert "make the result again without --skip-existing" in capsys.readouterr().err
    assert main(["coadd-catalog", str(own), "--skip-existing"]) == 0
    assert "stay" not in capsys.readouterr().err
    assert inputs(own, "deepCoadd_ref", PATCH).count("deepCoadd") == 1


def test_sources_of_an_exposure_that_cannot_be_read(own, capsys, caplog):
    """The catalog comes without the mark of that exposure's PSF stars, and says so."""
    butler = obs.Butler(outputs=str(own))
    path = butler.path("src", data_id(0), write=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no table")
    assert main(["coadd-catalog", str(own)]) == 0
    assert "PSF stars" in capsys.readouterr().err + caplog.text
    assert len(butler.get("deepCoadd_ref", **PATCH)) > 0


def test_a_table_of_exposures_without_its_header(own, capsys):
    butler = obs.Butler(outputs=str(own))
    table = butler.get("deepCoadd_inputs", **PATCH, filter="R")
    del table.metadata["PSF_SIZE"]
    butler.put(table, "deepCoadd_inputs", **PATCH, filter="R")
    assert main(["coadd-catalog", str(own)]) == 1
    assert "is not the table of the exposures of a coadd (KeyError: 'PSF_SIZE'); make the coadd again" in (
        capsys.readouterr().err
    )
