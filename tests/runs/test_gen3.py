"""Repositories of the third-generation LSST stack, by the real library."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from lsst.daf.butler import Butler as Gen3Butler
from lsst.sphgeom import LonLat, UnitVector3d

import obs as public
from obs.cli.main import main
from obs.gen3_repository.export import _raw_note
from obs.gen3_repository.exposures import exposure_number
from obs.instrument.discovery import load_instrument

RUN = "u/obs/a"


@pytest.fixture
def gen3(copied, monkeypatch):
    """The folder with the results of visit 21, raw frames with dates, and the repository gen3 with what is in it."""
    here = public.Butler("DATA")
    for count, known in enumerate(here.subset("raw")):
        path = here.path("raw", known.data_id)
        content = path.read_bytes()
        path.unlink()  # a link to the file that other tests share
        path.write_bytes(content)
        fits.setval(path, "DATE-OBS", value=f"2024-03-01T22:00:{count:02d}")
    translator = type(load_instrument("night").translator)
    monkeypatch.setitem(translator.translation, "date_begin", "DATE-OBS")
    assert main(["export-gen3", "DATA/rerun/a", "gen3", "--transfer", "symlink"]) == 0
    return copied


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


def test_another_export_adds_nothing(gen3, capsys):
    capsys.readouterr()
    assert main(["export-gen3", "DATA/rerun/a", "gen3"]) == 0
    assert capsys.readouterr().out.split() == ["dataset", "type", "exported"]


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


def test_what_is_not_exported_is_said(gen3, capsys):
    capsys.readouterr()
    assert main(["export-gen3", "DATA/rerun/a", "again"]) == 0
    err = capsys.readouterr().err
    assert "not exported, because they have no place there: icExpBackground (1), icSrc (1), packages (1)" in err
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
    assert "takes one image, and they have overscan in HDUs of its own" in _raw_note(stand_in)
    assert _raw_note(load_instrument("hsc")) == ""


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
