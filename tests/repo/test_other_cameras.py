"""Second-generation repositories as the packages of other cameras laid them out."""

import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from test_butler import DUMMY, instrument  # noqa: F401 - a fixture

from obs.cli.main import main
from obs.errors import DataIdError, DatasetNotFoundError
from obs.policy.policy import load_policy
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.runs.results import find_results

__all__ = ["DUMMY"]

#: MegaCam: all detectors of an exposure in one compressed file, and paths of calibrations in their registry.
MEGACAM = """\
needCalibRegistry: true
levels: {tract: patch, visit: [ccd, extension, state], sensor: none}
defaultLevel: Ccd
defaultSubLevels: {visit: Ccd, sensor: none}
exposures:
  raw:
    columns: [visit, state, ccd]
    python: lsst.afw.image.DecoratedImageF
    template: raw/%(runId)s/%(object)s/%(date)s/%(filter)s/%(visit)d%(state)1s.fits.fz[%(extension)d]
calibrations:
  bias:
    columns: [taiObs, extension]
    obsTimeName: taiObs
    python: lsst.afw.image.DecoratedImageF
    refCols: [visit, ccd, taiObs, extension]
    reference: raw
    storage: FitsStorage
    tables: bias
    template: '%(path)s[%(extension)d]'
    validRange: true
"""
#: DECam: two numbers of a detector, the time of observation under another name, defects as an image at a path.
DECAM = """\
needCalibRegistry: true
levels: {visit: [ccdnum, hdu, ccd], sensor: none}
defaultLevel: sensor
exposures:
  raw:
    python: lsst.afw.image.DecoratedImageF
    template: '%(date)s/%(filter)s/decam%(visit)07d.fits.fz[%(hdu)d]'
calibrations:
  cpBias: &calibration
    columns: date
    obsTimeName: date
    python: lsst.afw.image.DecoratedImageF
    refCols: visit
    reference: raw_visit
    storage: FitsStorage
    tables: bias
    template: cpBIAS/%(calibDate)s/BIAS-%(calibDate)s.fits[%(ccdnum)d]
    validRange: true
  defects:
    <<: *calibration
    columns: [date, ccdnum]
    python: lsst.afw.image.ImageU
    tables: defect
    template: '%(path)s'
"""
#: LSST's test stands: a raw frame is put together from its amplifiers, and the primary header.
LSSTCAM = """\
levels: {tract: patch}
defaultLevel: visit
exposures:
  raw:
    assembler: lsst.obs.lsst.lsstCamMapper.assemble_raw
    composite: {raw_amp: {datasetType: raw_amp, subset: true}, raw_hdu: {datasetType: raw_hdu}}
    inputOnly: true
  raw_amp:
    python: lsst.afw.image.DecoratedImageF
    storage: FitsStorage
    template: raw/%(visit)08d-%(detectorName)s-det%(detector)03d.fits[%(channel)d]
datasets:
  raw_hdu:
    python: lsst.daf.base.PropertyList
    storage: FitsStorage
    tables: raw
    template: raw/%(visit)08d-%(detectorName)s-det%(detector)03d.fits[0]
"""
TIME = {"date": "2008-11-01", "taiObs": "2008-11-01T10:20:30"}


def _camera(plugin, folder, name, policy, detector):
    folder.mkdir()
    (folder / f"{name}.yaml").write_text(policy)
    identity = {"exposure_id": lambda data_id: int(data_id["visit"]), "mapper_names": ()}
    return replace(plugin, name=name, folder=folder, policy=f"{name}.yaml", detector=detector, **identity)


_SQL_TYPES = {int: "int", float: "double", str: "text"}


def _register(path, **tables):
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        for table, rows in tables.items():
            columns = (f"{name} {_SQL_TYPES[type(value)]}" for name, value in rows[0].items())
            database.execute(f"create table {table} (id integer primary key, {', '.join(columns)})")
            for row in rows:
                marks = ", ".join("?" * len(row))
                insert = f"insert into {table} ({', '.join(row)}) values ({marks})"  # noqa: S608 - names of this file
                database.execute(insert, list(row.values()))


def _extensions(path, make=fits.ImageHDU):
    path.parent.mkdir(parents=True, exist_ok=True)
    hdus = [make(np.full((20, 30), 100 * number, np.int16)) for number in (1, 2, 3)]
    fits.HDUList([fits.PrimaryHDU(header=fits.Header({"MARK": 7})), *hdus]).writeto(path)


def _level(exposure):
    return float(exposure.masked_image.image.mean())


@pytest.fixture
def butler(request, tmp_path, instrument):  # noqa: F811 - the fixture
    """Open a repository of the camera that is asked for."""
    root = tmp_path / "data"
    name, detector = request.param
    policy = {"megacam": MEGACAM, "decam": DECAM, "lsstcam": LSSTCAM}[name]
    camera = _camera(instrument, tmp_path / "plugin", name, policy, detector)
    valid = {"validStart": "2008-10-01", "validEnd": "2008-12-01"}
    if name == "megacam":
        raw = {"visit": 85, "state": "p", "runId": "08B", "object": "D3", "filter": "r", **TIME, "expTime": 360.0}
        numbers = [{"ccd": ccd, "extension": ccd - 10} for ccd in (11, 12, 13)]
        _register(root / "registry.sqlite3", raw=[{**raw, **one} for one in numbers], raw_visit=[raw])
        _register(root / "calibRegistry.sqlite3", bias=[{**valid, **one, "path": "calib/bias.fits"} for one in numbers])
        _extensions(root / "raw/08B/D3/2008-11-01/r/85p.fits.fz", fits.CompImageHDU)
        _extensions(root / "calib/bias.fits")
    elif name == "decam":
        raw = {"visit": 19, "filter": "r", **TIME, "expTime": 60.0}
        numbers = [{"ccdnum": hdu, "ccd": hdu, "hdu": hdu} for hdu in (1, 2, 3)]
        _register(root / "registry.sqlite3", raw=[{**raw, **one} for one in numbers], raw_visit=[raw])
        made = {**valid, "ccdnum": 2, "calibDate": "2008-10-30"}
        tables = {"bias": [made], "defect": [{**made, "path": "bad/2.fits"}]}
        _register(root / "CALIB/calibRegistry.sqlite3", **tables)
        _extensions(root / "2008-11-01/r/decam0000019.fits.fz", fits.CompImageHDU)
        _extensions(root / "CALIB/cpBIAS/2008-10-30/BIAS-2008-10-30.fits")
        (root / "CALIB/bad").mkdir()
        fits.PrimaryHDU(np.eye(20, 30, dtype=np.uint16)).writeto(root / "CALIB/bad/2.fits")
    else:
        raw = {"visit": 20, "detectorName": "S11", "detector": 94, "filter": "r", **TIME, "expTime": 30.0}
        _register(root / "registry.sqlite3", raw=[{**raw, "channel": one} for one in (1, 2, 3)], raw_visit=[raw])
        _extensions(root / "raw/00000020-S11-det094.fits")
    (root / "_mapper").write_text(f"lsst.obs.{name}.Mapper\n")
    return Butler(root, instrument=camera, calib="CALIB" if name == "decam" else None)


@pytest.mark.parametrize("butler", [("megacam", "%(ccd)d")], indirect=True)
def test_detectors_of_one_compressed_file_and_calibrations_by_their_path(butler):
    for data_id in ({"visit": 85, "ccd": 12}, {"visit": 85, "extension": 2}):
        assert _level(butler.get("raw", data_id)) == _level(butler.get("bias", data_id)) == 200.0
    assert butler.get_uri("bias", visit=85, ccd=12).endswith("calib/bias.fits[2]")
    assert len(butler.subset("raw", "visit")) == 1
    assert find_datasets(butler.roots, [butler.policy.dataset_types["bias"]]) == {}, "any file has such a name"
    items = butler.data_ref("raw", "visit", visit=85).sub_items()
    assert [item.data_id["extension"] for item in items] == [1, 2, 3]


@pytest.mark.parametrize("butler", [("megacam", "%(ccd)d")], indirect=True)
def test_each_detector_of_a_file_and_each_registered_path_is_listed(butler, monkeypatch, capsys):
    monkeypatch.setattr("obs.repo.find_instrument.instrument_for_mapper", lambda mapper: butler.instrument)
    root, calib = str(butler.root), str(butler.root / "calib/bias.fits")
    assert main(["ls", root]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [["bias", "3"], ["raw", "3"]]
    assert main(["ls", root, "raw", "--id", "ccd=11^13"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[5:7] for line in lines] == [["state=p", "extension=1"], ["state=p", "extension=3"]]
    for words in ([], ["--id", "visit=85", "ccd=12"]):
        assert main(["ls", root, "bias", *words]) == 0
        lines = capsys.readouterr().out.splitlines()[1:]
        assert [line.split()[1] for line in lines] == (
            ["extension=2"] if words else [f"extension={n}" for n in (1, 2, 3)]
        )
        assert all(line.endswith(calib) for line in lines)
    assert main(["get", root, "bias", "--id", "visit=85", "ccd=12"]) == 0
    assert main(["get", root, "raw", "--id", "visit=85", "ccd=12"]) == 0
    assert "30 x 20 pixels" in capsys.readouterr().out
    assert main(["where", root, "bias"]) == 0
    assert capsys.readouterr().out == f"{calib}\n"


@pytest.mark.parametrize("butler", [("decam", "%(ccdnum)d")], indirect=True)
def test_times_of_another_name_and_defects_as_an_image(butler):
    for data_id in ({"visit": 19, "ccdnum": 2}, {"visit": 19, "hdu": 2}):
        assert _level(butler.get("raw", data_id)) == 200.0
    data_id = {"visit": 19, "ccdnum": 2}
    assert _level(butler.get("cpBias", data_id)) == 200.0
    assert butler.get("defects", data_id).sum() == 20
    assert _level(butler.get("cpBias", visit=19, ccdnum=3)) == 300.0  # as in the stack, only ``columns`` are compared


@pytest.mark.parametrize("butler", [("decam", "%(ccdnum)d")], indirect=True)
def test_a_number_that_only_a_registry_knows(butler, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("obs.repo.find_instrument.instrument_for_mapper", lambda mapper: butler.instrument)
    (butler.root / "registry.sqlite3").unlink()
    words = [str(butler.root), "--id", "visit=19", "hdu=2", "--output", str(tmp_path / "out")]
    assert main(["process", *words]) == 1
    err = capsys.readouterr().err
    assert "raw: no column 'ccdnum' in raw; only a registry gives it, and this repository has none" in err


@pytest.mark.parametrize("butler", [("lsstcam", "%(detector)d")], indirect=True)
def test_raw_frames_that_are_put_together_from_amplifiers(butler, monkeypatch, capsys):
    data_id = {"visit": 20, "detector": 94}
    assert list(butler.get_keys("raw")) == ["visit", "detectorName", "detector"]
    assert [reference.data_id for reference in butler.subset("raw")] == [{**data_id, "detectorName": "S11"}]
    assert butler.exists("raw", data_id)
    (listed,) = find_results(butler, "raw", [["visit=20"]])
    assert (listed.data_id, listed.path.name) == ({**data_id, "detectorName": "S11"}, "00000020-S11-det094.fits")
    monkeypatch.setattr("obs.repo.find_instrument.instrument_for_mapper", lambda mapper: butler.instrument)
    assert main(["ls", str(butler.root), "raw"]) == main(["where", str(butler.root), "raw", "--id", "visit=20"]) == 0
    assert capsys.readouterr().out.count("00000020-S11-det094.fits\n") == 2
    assert main(["get", str(butler.root), "raw", "--id", "visit=20", "filter=r"]) == 0  # only the registry has it
    out = capsys.readouterr().out
    assert out.startswith("raw_amp:\n  Exposure of 30 x 20 pixels\n")
    assert out.count("  Exposure of") == 3
    raw = butler.get("raw", data_id)
    assert [_level(amplifier) for amplifier in raw["raw_amp"]] == [100.0, 200.0, 300.0]
    assert raw["raw_hdu"]["MARK"] == butler.get("raw_hdu", data_id)["MARK"] == 7
    assert _level(butler.get("raw_amp", data_id, channel=3)) == 300.0
    with pytest.raises(DatasetNotFoundError, match=r"raw has no part 'md' of its own; .*: raw_amp, raw_hdu"):
        butler.get("raw_md", data_id)
    with pytest.raises(DataIdError, match="raw_amp: No unique lookup for detectorName, channel"):
        butler.get("raw_amp", data_id)


def test_keys_that_a_file_of_the_older_format_repeats_are_lists(tmp_path):
    path = tmp_path / "policy.yaml"
    body = LSSTCAM.replace("    tables: raw\n", "    tables: raw\n    tables: raw_visit\n")
    path.write_text(f"#<?cfg paf policy ?>\n\n{body}")
    assert load_policy(path).dataset_types["raw_hdu"].tables == ("raw", "raw_visit")
    path.write_text(body)
    with pytest.raises(ValueError, match="the key 'tables' is already on line 16"):
        load_policy(path)
