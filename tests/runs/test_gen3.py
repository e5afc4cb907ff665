"""Repositories of the third-generation LSST stack, by the real library."""

import errno
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from lsst.daf.butler import Butler as Gen3Butler
from lsst.sphgeom import LonLat, UnitVector3d
from sqlalchemy.exc import OperationalError

import obs as public
from obs.cli.main import main
from obs.errors import OutputError
from obs.gen3_repository.export_raws import raw_note
from obs.gen3_repository.exposures import exposure_number
from obs.gen3_repository.places import find_place
from obs.gen3_repository.target import Target, write_faults
from obs.instrument.discovery import load_instrument
from obs.repo.find_datasets import find_datasets
from obs.repo.metric_table import KINDS, MetricTable
from obs.skymap.types import make_sky_map

RUN = "u/obs/a"


@pytest.fixture(scope="module")
def exported(processed, tmp_path_factory):
    """A folder with results of visit 21 and of a patch, raw frames with dates, and the repository gen3 of all that."""
    folder = tmp_path_factory.mktemp("gen3") / "here"
    shutil.copytree(processed, folder, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        give_dates(patch)
        here = public.Butler("DATA")
        for count, known in enumerate(here.subset("raw")):
            path = here.path("raw", known.data_id)
            content = path.read_bytes()
            path.unlink()  # a link to the file that other tests share
            path.write_bytes(content)
            fits.setval(path, "DATE-OBS", value=f"2024-03-01T22:00:{count:02d}")
        add_coadds()
        assert main(["export-gen3", "DATA/rerun/a", "gen3", "--transfer", "symlink"]) == 0
    return folder


@pytest.fixture
def gen3(exported, tmp_path, monkeypatch):
    """A copy of that folder, in which the test runs."""
    shutil.copytree(exported, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    give_dates(monkeypatch)
    return tmp_path / "copy"


def test_a_disk_that_is_full(gen3, monkeypatch, capsys):
    def fill(root):
        Path(root).mkdir()
        (Path(root) / "butler.yaml").write_text("")
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    before = {path.name for path in gen3.iterdir()}
    monkeypatch.setattr(Gen3Butler, "makeRepo", fill)
    assert main(["export-gen3", "DATA/rerun/a", "new"]) == 1
    line = "obs: error: cannot write new: database or disk is full; the same command adds later what is missing\n"
    assert capsys.readouterr().err == line
    assert {path.name for path in gen3.iterdir()} == before


def give_dates(patch):
    """Let the camera read the date of an exposure."""
    translator = type(load_instrument("night").translator)
    patch.setitem(translator.translation, "date_begin", "DATE-OBS")


def add_coadds():
    """Put a sky map of six patches into the output, and what is on one of them; calexp and src stand for all images."""
    out = public.Butler("DATA", output="DATA/rerun/a")
    calexp, src = out.get("calexp", visit=21), out.get("src", visit=21)
    (ra,), (dec,) = calexp.wcs.pixel_to_sky(x=[511.5], y=[511.5])
    settings = {"ra": [float(ra)], "dec": [float(dec)], "radius": [0.2], "pixel_scale": 1.0}
    out.put(make_sky_map("discrete", settings | {"patch_width": 400, "patch_height": 700}), "deepCoadd_skyMap")
    visit, patch = {"tract": 0, "visit": 21}, {"tract": 0, "patch": "1,0"}
    for name in ("deepCoadd", "deepCoadd_calexp"):
        out.put(calexp, name, patch, filter="r")
    out.put(np.full((4, 5), 2, np.uint16), "deepCoadd_nImage", patch, filter="r")
    for name in ("deepCoadd_det", "deepCoadd_meas", "deepCoadd_forced_src"):
        out.put(src, name, patch, filter="r")
    out.put(src, "deepCoadd_ref", patch)
    out.put(src, "objectTable", tract=0)
    out.put(src, "forced_src", visit)
    out.put(calexp.wcs, "jointcal_wcs", visit)
    out.put(public.PhotoCalib.from_zero_point(27.0), "jointcal_photoCalib", visit)
    out.put({"n_star": 3}, "calibrateVisits_metadata", tract=0)


def test_a_disk_that_is_full_is_one_line_for_all_datasets(tmp_path):
    target = Target(None, "small", "copy")
    with (
        pytest.raises(
            OutputError, match=r"cannot write \S*gen3: No space left on device; free .*; the same command adds"
        ),
        write_faults(tmp_path / "gen3"),
        target.attempt("flat ccd=0"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "from.fits", None, "to.fits")
    with write_faults(tmp_path / "gen3"), target.attempt("flat ccd=1"):
        raise FileNotFoundError(errno.ENOENT, "gone", "from.fits")
    assert [line.partition(":")[0] for line in target.report.failures] == ["flat ccd=1"]


def test_the_real_library_finds_what_was_exported(gen3):
    there = Gen3Butler.from_config("gen3")
    (ref,) = there.query_datasets("calexp", collections=RUN)
    assert (ref.dataId["instrument"], ref.dataId["visit"]) == ("night", 21)
    here = public.Butler("DATA/rerun/a").get("calexp", visit=21)
    ra, dec = (float(value) for value in here.wcs.pixel_to_sky(x=511.5, y=511.5))
    where = f"visit_detector_region.region OVERLAPS POINT({ra}, {dec})"
    assert there.query_datasets("calexp", collections=RUN, where=where, find_first=False) == [ref]
    away = f"visit_detector_region.region OVERLAPS POINT({(ra + 180) % 360}, {-dec})"
    assert there.query_datasets("calexp", collections=RUN, where=away, find_first=False, explain=False) == []
    (visit,) = there.query_dimension_records("visit", instrument="night")
    assert visit.region.contains(UnitVector3d(LonLat.fromDegrees(ra, dec)))
    assert visit.timespan.begin.utc.isot == "2024-03-01T22:00:06.000000"
    assert (visit.timespan.end - visit.timespan.begin).to_value("s") == pytest.approx(visit.exposure_time)
    assert visit.exposure_time == here.visit_info.exposure_time
    raws = there.query_datasets("raw", collections="night/raw/all")
    assert len(raws) == len(list(public.Butler("DATA").subset("raw")))
    assert all(there.stored_many([*raws, ref]).values())


#: Storage classes whose default formatters are in compiled packages of the stack, which no test has.
_OF_THE_STACK = ("Exposure", "ExposureF", "Background", "ImageU", "SkyMap", "PhotoCalib", "Wcs")


def test_the_real_library_finds_its_configuration_valid(gen3):
    there = Gen3Butler.from_config("gen3")
    kinds = list(there.registry.queryDatasetTypes())
    compiled = [kind.name for kind in kinds if kind.storageClass_name in _OF_THE_STACK]
    assert 1 < len(compiled) < len(kinds)
    there.validateConfiguration(ignore=compiled)


def test_tables_and_metadata_are_read_by_the_real_library(gen3):
    there = Gen3Butler.from_config("gen3")
    (ref,) = there.query_datasets("src", collections=RUN)
    table = there.get(ref)
    here = public.Butler("DATA/rerun/a").get("src", visit=21)
    assert table.colnames == list(here.columns)
    np.testing.assert_array_equal(table["base_PsfFlux_instFlux"], here["base_PsfFlux_instFlux"])
    assert str(table["coord_ra"].unit) == here.columns["coord_ra"].unit
    (ref,) = there.query_datasets("processCcd_metadata", collections=RUN)
    assert there.get(ref)["n_source"] == len(here)


def test_another_export_adds_nothing_but_metrics_that_changed(gen3, capsys):
    capsys.readouterr()
    assert main(["export-gen3", "DATA/rerun/a", "gen3"]) == 0
    assert capsys.readouterr().out.split() == ["dataset", "type", "exported"]
    MetricTable(Path("DATA/rerun/a")).update("detector", "visit=21", {"seeing": 9.5})
    assert main(["export-gen3", "DATA/rerun/a", "gen3"]) == 0
    assert capsys.readouterr().out.split()[3:] == ["obs_metrics_detector", "1"]
    there = Gen3Butler.from_config("gen3")
    assert there.get("obs_metrics_detector", collections=RUN)["seeing"].to_pylist() == [9.5]


def test_it_comes_back_unchanged(gen3, capsys):
    assert main(["init", "BACK", "--camera", "night"]) == 0
    assert main(["ingest", "BACK", "--from-butler", "gen3"]) == 0
    before, after = public.Butler("DATA/rerun/a"), public.Butler("BACK/rerun/a")
    frames = [[known.data_id for known in public.Butler(name).subset("raw")] for name in ("DATA", "BACK")]
    assert frames[0] == frames[1]
    old, new = before.get("calexp", visit=21), after.get("calexp", visit=21)
    np.testing.assert_array_equal(old.masked_image.image, new.masked_image.image)
    np.testing.assert_array_equal(old.masked_image.mask.array, new.masked_image.mask.array)
    corners = {"x": [0.0, 1023.0], "y": [0.0, 1023.0]}
    np.testing.assert_allclose(old.wcs.pixel_to_sky(**corners), new.wcs.pixel_to_sky(**corners), rtol=0, atol=1e-12)
    assert old.photo_calib == new.photo_calib
    old, new = before.get("src", visit=21), after.get("src", visit=21)
    assert list(old.columns) == list(new.columns)
    assert old.metadata
    assert (old.metadata, old.aliases) == (new.metadata, new.aliases)
    for name in old.columns:
        np.testing.assert_array_equal(old[name], new[name])
        assert old.columns[name].unit == new.columns[name].unit
        assert old.columns[name].description == new.columns[name].description
    assert before.get("processCcd_metadata", visit=21) == after.get("processCcd_metadata", visit=21)
    for kind in KINDS:
        old, new = (MetricTable(butler.root).read(kind) for butler in (before, after))
        assert old == new
    assert before.query_metrics("seeing > 0").column("seeing").size == 1


def test_every_file_comes_back_as_it_was(gen3):
    assert main(["init", "BACK", "--camera", "night"]) == 0
    assert main(["ingest", "BACK", "--from-butler", "gen3"]) == 0
    before, after = (public.Butler(f"{name}/rerun/a") for name in ("DATA", "BACK"))
    types = list(before.policy.dataset_types.values())
    files = [find_datasets([butler.root], types) for butler in (before, after)]
    old, new = ({(name, key): path for name in some for key, path in some[name].items()} for some in files)
    assert len(old) > 20
    assert set(old) == set(new)
    assert [key for key, path in old.items() if path.read_bytes() != new[key].read_bytes()] == []


@pytest.mark.parametrize(
    ("camera", "name", "dimensions", "storage"),
    [
        ("hsc", "src", "instrument visit detector", "ArrowAstropy"),
        ("hsc", "postISRCCD", "instrument exposure detector", "ExposureF"),
        ("hsc", "deepCoadd_directWarp", "skymap tract patch instrument visit", "ExposureF"),
        ("hsc", "deepCoadd_nImage", "skymap tract patch band", "ImageU"),
        ("hsc", "jointcal_wcs", "skymap tract instrument visit detector", "Wcs"),
        ("sdss", "calexp", "instrument visit detector", "ExposureF"),
        ("sdss", "deepCoadd_ref", "skymap tract patch", "ArrowAstropy"),
        ("sdss", "src_schema", "", "ArrowAstropy"),
    ],
)
def test_dimensions_follow_from_the_keys_of_a_policy(camera, name, dimensions, storage):
    instrument = load_instrument(camera)
    place = find_place(instrument.load_policy().dataset_types[name], instrument)
    assert (" ".join(place.dimensions), place.storage) == (dimensions, storage)


def test_coadds_are_found_by_tract_patch_and_place(gen3):
    there = Gen3Butler.from_config("gen3")
    (sky_map,) = there.query_dimension_records("skymap")
    assert sky_map.hash.hex() == public.Butler("DATA/rerun/a").get("deepCoadd_skyMap").sha1
    (ref,) = there.query_datasets("deepCoadd_meas", collections=RUN)
    assert {key: ref.dataId[key] for key in ("skymap", "tract", "patch", "band")} == {
        "skymap": sky_map.name, "tract": 0, "patch": 1, "band": "r",
    }  # fmt: skip
    (patch,) = there.query_dimension_records("patch", skymap=sky_map.name, tract=0, patch=1)
    assert (patch.cell_x, patch.cell_y) == (1, 0)
    middle = LonLat(patch.region.getCentroid())
    ra, dec = middle.getLon().asDegrees(), middle.getLat().asDegrees()
    where = "patch.region OVERLAPS POINT({}, {})"
    kind = {"collections": RUN, "find_first": False, "explain": False}
    assert len(there.query_datasets("deepCoadd_calexp", where=where.format(ra, dec), **kind)) == 1
    assert there.query_datasets("deepCoadd_calexp", where=where.format(ra, dec + 1), **kind) == []
    # images on a patch, by the sky; and those of a time
    here = f"instrument='night' AND skymap='{sky_map.name}' AND patch=1"
    (found,) = there.query_data_ids(["visit", "detector", "patch"], where=here)
    assert found["visit"] == 21
    time = "visit.timespan OVERLAPS (T'2024-03-01T22:00:0{}', T'2024-03-01T22:00:0{}')"
    assert len(there.query_datasets("forced_src", where=time.format("6.5", "7.5"), **kind)) == 1
    assert there.query_datasets("forced_src", where=time.format(3, 5), **kind) == []
    assert there.get("deepCoadd_ref", skymap=sky_map.name, tract=0, patch=1, collections=RUN).colnames[0] == "id"
    assert there.get("processCcd_config", collections=RUN)["isr"]["do_bias"] is True
    assert len(there.get("objectTable", skymap=sky_map.name, tract=0, collections=RUN)) > 10


def test_what_is_not_exported_is_said(gen3, capsys):
    Path("DATA/rerun/a/config/isr.py").write_text("config.doBias = True\n")
    for name in ("coadd.yaml", "forced.yaml~1"):
        Path("DATA/rerun/a/config", name).write_text("kernel: lanczos3\n")
    capsys.readouterr()
    assert main(["export-gen3", "DATA/rerun/a", "gen3"]) == 0
    err = capsys.readouterr().err
    left = "config/coadd.yaml (1), config/forced.yaml~1 (1), good_psf (1), isr_config (1), logs (2), ref_cat (2)"
    assert f"not exported, because they have no place there: {left}" in err
    assert "NOTE" not in err


def test_raw_files_whose_headers_do_not_give_the_data_id(shared_data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export-gen3", str(shared_data / "sdss_stripe82"), "gen3"]) == 0
    assert main(["init", "BACK", "--camera", "sdss"]) == 0
    assert main(["ingest", "BACK", "--from-butler", "gen3"]) == 0
    assert "4 files: 4 ingested, 0 skipped, 0 failed" in capsys.readouterr().out
    data_id = {"run": 4192, "rerun": 40, "camcol": 4, "filter": "r", "field": 300}
    before, after = (public.Butler(root) for root in (shared_data / "sdss_stripe82", "BACK"))
    np.testing.assert_array_equal(*(butler.get("fpC", data_id).image for butler in (before, after)))
    # the registry has no table raw_skyTile, which the policy names, too
    assert after.query_metadata("fpC", "rerun", run=4192) == [40]


def test_several_hdus_of_raw_files_are_a_note():
    camera = load_instrument("hsc").load_camera()
    first = camera.detectors[0]
    apart = replace(first, amplifiers=tuple(replace(amp, overscan_hdu=2) for amp in first.amplifiers))
    stand_in = SimpleNamespace(load_camera=lambda: [apart])
    assert "takes one image, and they have overscan in HDUs of its own" in raw_note(stand_in)
    assert raw_note(load_instrument("hsc")) == ""


def test_ls_says_what_it_is(gen3, capsys):
    assert main(["ls", "gen3"]) == 0
    out = capsys.readouterr().out
    assert "gen3 is a repository of the third-generation LSST stack; cameras: night" in out
    assert ["calexp", "1"] in [line.split() for line in out.splitlines()]
    assert main(["process", "gen3", "--id", "--output", "x"]) == 1
    assert "obs ingest REPO --from-butler gen3 takes what this one holds" in capsys.readouterr().err


def test_mistakes(gen3, capsys):
    assert main(["ingest", "DATA"]) == 2
    assert "give FILES or --from-butler DIR, one of them" in capsys.readouterr().err
    assert main(["ingest", "DATA", "--from-butler", "night1"]) == 1
    assert "night1 cannot be opened as a third-generation repository" in capsys.readouterr().err
    assert main(["init", "SKY", "--camera", "hsc"]) == 0
    assert main(["ingest", "SKY", "--from-butler", "gen3"]) == 1
    assert "gen3 has nothing of the camera hsc; it has: night" in capsys.readouterr().err
    assert main(["export-gen3", "DATA", "night1"]) == 1
    assert "night1 is not a third-generation repository and not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("camera", "first", "second"),
    [
        ("hsc", {"visit": 903334, "ccd": 23}, {"visit": 903334, "ccd": 49}),
        ("necam", {"visit": 7, "ccd": 1, "filter": "Clear"}, {"visit": 7, "ccd": 2, "filter": "Clear"}),
        (
            "sdss",
            {"run": 4192, "rerun": 40, "camcol": 4, "field": 300, "filter": "r"},
            {"run": 4192, "rerun": 40, "camcol": 1, "field": 300, "filter": "r"},
        ),
    ],
)
def test_detectors_of_an_exposure_have_one_number(camera, first, second):
    instrument = load_instrument(camera)
    number = exposure_number(instrument, first)
    assert number == exposure_number(instrument, second)
    if "visit" in first:
        assert number == first["visit"]
    else:
        assert number != exposure_number(instrument, first | {"field": 301})
        assert number != exposure_number(instrument, first | {"filter": "g"})
