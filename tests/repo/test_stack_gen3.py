"""Repositories of cameras known by a package folder alone, to the third generation and back."""

import sqlite3

import numpy as np
import pytest
from astropy.io import fits
from stack_packages import CTIO_INGEST, MEGACAM_INGEST, lsst_package, megacam_package, register

from obs.cli.main import main
from obs.image.catalog import Catalog
from obs.repo.butler import Butler

_EXPOSURE = {"filter": "r", "date": "2006-06-02", "taiObs": "2006-06-02T01:02:03", "expTime": 30.0, "state": "p"}


def _write_raw(path, header, n_images):
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [fits.ImageHDU(np.full((20, 60), n, np.int32)) for n in range(n_images)]
    fits.HDUList([fits.PrimaryHDU(header=fits.Header(header)), *images]).writeto(path)


def _megacam(folder, monkeypatch, ingest):
    """Three detectors in a file; the registry has what no header has, and another name of the filter."""
    monkeypatch.setenv("OBS_CFHT_DIR", str(megacam_package(folder / "obs_cfht", **ingest)))
    visit = {"runId": "08BL05", "visit": 850587, **_EXPOSURE}
    rows = [{**visit, "ccd": n, "extension": n + 1, "defects": f"defects/{n}.fits"} for n in range(3)]
    register(folder / "data/registry.sqlite3", raw=rows, raw_visit=[visit])
    (folder / "data/_mapper").write_text("lsst.obs.cfht.MegacamMapper\n")
    header = {"EXPTIME": 31.0, "FILTER": "r.MP9601", "DATE-OBS": "2006-06-02T01:02:03"}
    _write_raw(folder / "data/raw/08BL05/2006-06-02/r/850587p.fits", header, 3)
    return {}


def _imsim(folder, monkeypatch, unique):
    """Amplifiers in HDUs, numbered by expId; the translator names a column that the registry does not have."""
    package = lsst_package(folder / "obs_lsst")
    kept = CTIO_INGEST.partition("config.register.unique")[0]
    columns = f"config.register.columns = {{'{unique}': 'int', 'detector': 'int', 'filter': 'text'}}\n"
    (package / "config/ingest.py").write_text(f"{kept}config.register.unique = ['{unique}', 'detector']\n{columns}")
    monkeypatch.setenv("OBS_LSST_DIR", str(package))
    visit = {"expId": 204595, "filter": "i_sim_1.4", "dateObs": "2022-10-05"}
    row = {**visit, "raftName": "R11", "detectorName": "S20", "detector": 42}
    register(folder / "data/registry.sqlite3", raw=[row], raw_visit=[visit])
    (folder / "data/_mapper").write_text("lsst.obs.lsst.imsim.ImsimMapper\n")
    header = {"EXPTIME": 30.0, "DATE-OBS": "2022-10-05T06:53:26"}
    _write_raw(folder / "data/raw/R11/00204595-S20-det042.fits", header, 2)
    return {"visit": 204595}


def _rows(root):
    with sqlite3.connect(root / "registry.sqlite3") as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("select * from raw order by id")]
    return [{key: value for key, value in row.items() if key != "id" and value is not None} for row in rows]


@pytest.mark.parametrize(
    ("make", "argument", "camera"),
    [
        (_megacam, {}, "megacam"),
        (_megacam, {"ingest": ""}, "megacam"),  # a package that names no column
        (_imsim, "visit", "imsim"),
        (_imsim, "expId", "imsim"),
    ],
)
def test_there_and_back(make, argument, camera, tmp_path, monkeypatch, capsys):
    added = make(tmp_path, monkeypatch, argument)
    monkeypatch.chdir(tmp_path)
    output = Butler("data", output="data/rerun/a")
    output.prepare_output()
    catalog = Catalog()
    catalog.add("id", np.arange(2), "", "number")
    for known in output.subset("raw"):
        output.put(catalog, "src", {**output.complete_raw(known.data_id), **added})
    assert main(["export-gen3", "data/rerun/a", "gen3"]) == 0
    assert main(["init", "back", "--camera", camera]) == 0
    assert main(["ingest", "back", "--from-butler", "gen3"]) == 0, capsys.readouterr().err
    assert _rows(tmp_path / "back") == _rows(tmp_path / "data")
    before, after = (Butler(root) for root in ("data", "back"))
    ids = [before.complete_raw(known.data_id) for known in before.subset("raw")]
    assert [before.get("ccdExposureId", one) for one in ids] == [after.get("ccdExposureId", one) for one in ids]
    for place in ("raw", "rerun/a/src"):
        files = [
            sorted(p.relative_to(root) for p in (root / place).rglob("*.fits"))
            for root in map(tmp_path.joinpath, ("data", "back"))
        ]
        assert files[0] == files[1] != []
        assert all((tmp_path / "data" / one).read_bytes() == (tmp_path / "back" / one).read_bytes() for one in files[0])
    capsys.readouterr()
    assert main(["ingest", "back", "--from-butler", "gen3"]) == 0
    assert "0 ingested" in capsys.readouterr().out


def test_a_registry_that_has_other_columns(tmp_path, monkeypatch, capsys):
    _megacam(tmp_path, monkeypatch, {})
    monkeypatch.chdir(tmp_path)
    assert main(["export-gen3", "data", "gen3"]) == 0
    assert main(["init", "back", "--camera", "megacam"]) == 0
    rows = [
        {"visit": 1, "ccd": 0, "extension": 1, "filter": "r", "expTime": 1.0, "runId": "x", "date": "y", "state": "p"}
    ]
    (tmp_path / "back/registry.sqlite3").unlink()
    register(tmp_path / "back/registry.sqlite3", raw=rows, raw_visit=rows)
    assert main(["ingest", "back", "--from-butler", "gen3"]) == 0
    error = capsys.readouterr().err
    assert "the registry has no column for its taiObs, defects, which are left out; to keep them" in error
    assert [row["ccd"] for row in _rows(tmp_path / "back")] == [0, 0, 1, 2]
    columns = MEGACAM_INGEST.replace("'expTime': 'double'", "'expTime': 'double', 'taiObs': 'text', 'defects': 'text'")
    (tmp_path / "obs_cfht/config/ingest.py").write_text(columns)
    assert main(["ingest", "back", "--from-butler", "gen3", "--create"]) == 0
    assert "no column" not in capsys.readouterr().err
    assert all(row["taiObs"] for row in _rows(tmp_path / "back"))
