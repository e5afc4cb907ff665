"""Defects in a folder that an older policy of the stack names, with and without a registry."""

import logging

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from stack_packages import ctio_package, image_file, register, subaru_package

from obs.cli.main import main
from obs.errors import DatasetNotFoundError, FileFormatError, RepositoryError
from obs.frame_calibrations import read_calibration
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.tasks.isr_config import IsrConfig

LAST = "2037-12-31"
OTHERS = {"field": "F", "dateObs": "2008-07-29", "pointing": 1}


def table(first_column, **cards):
    """Return an HDU with one box, as the stack writes it."""
    columns = [("x0", first_column), ("y0", 2), ("width", 3), ("height", 4)]
    hdu = fits.BinTableHDU.from_columns([fits.Column(name, "J", array=np.array([value])) for name, value in columns])
    hdu.header.update(cards)
    return hdu


def write_tables(path, *hdus):
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)


@pytest.fixture
def suprimecam(tmp_path, monkeypatch):
    """Return the repository and the folder of defects of a camera whose policy names one."""
    (detector,) = load_instrument(str(ctio_package(tmp_path / "obs_one", size=(20, 20)))).load_camera().detectors
    package = subaru_package(tmp_path / "obs_subaru", detector)
    monkeypatch.setenv("OBS_SUBARU_DIR", str(package))
    root = tmp_path / "SUPA"
    visits = [(104, "2008-07-29"), (105, "2009-08-01T03:00:00")]
    rows = [
        {"visit": visit, "filter": "R", "field": "F", "dateObs": day[:10], "taiObs": day, "pointing": 1, "expTime": 6.0}
        for visit, day in visits
    ]
    register(root / "registry.sqlite3", raw=[{**row, "ccd": ccd} for row in rows for ccd in (0, 1, 2)], raw_visit=rows)
    (root / "_mapper").write_text("lsst.obs.suprimecam.SuprimecamMapper\n")
    return root, package / "suprimecam/defects"


def columns_of(root, **data_id):
    return Butler(root).get("defects", data_id)["x0"].tolist()


@pytest.mark.parametrize(
    ("column", "value", "dates"),
    [
        ("ccd", 1, ("2000-01-01", "2009-07-31T23:59:59", "2009-08-01")),
        ("ccd", "Kiki", ("2000-01-01", "2009-08-01", "2009-08-01")),
        ("ccdSerial", "1", ("20000101", "20090731", "20090801")),
    ],
)
def test_a_registry_says_which_table_counts(suprimecam, capsys, caplog, column, value, dates):
    root, folder = suprimecam
    first, last, second = dates
    row = {"version": 1, column: value}
    early = {**row, "path": "rev_1/defects1.fits", "validStart": first, "validEnd": last}
    late = {**row, "path": "rev_2/defects1.fits", "validStart": second, "validEnd": LAST}
    strange = {**early, column: type(value)(77)}
    register(folder / "defectRegistry.sqlite3", defect=[early, late, strange])
    write_tables(folder / "rev_1/defects1.fits", table(5))
    write_tables(folder / "rev_2/defects1.fits", table(7, NAME="Nausicaa"), table(9, NAME="Kiki"))
    assert columns_of(root, visit=104, ccd=1) == [5]
    assert columns_of(root, visit=105, ccd=1) == [9]
    assert "defects of 77 are not used: suprimecam has no such detector" in caplog.text
    butler = Butler(root)
    with pytest.raises(DatasetNotFoundError, match=r"no defects for ccd=2"):
        butler.get("defects", visit=104, ccd=2)
    read = read_calibration(butler, "defects", butler.complete_raw({"visit": 105, "ccd": 1}), IsrConfig())
    assert [(box.x_min, box.y_min, box.width, box.height) for box in read.value] == [(9, 2, 3, 4)]
    assert main(["ls", str(root), "defects"]) == 0
    assert capsys.readouterr().out.count("/suprimecam/defects/rev_") == 2
    assert main(["get", str(root), "defects", "--id", "visit=104", "ccd=1"]) == 0
    assert capsys.readouterr().out.startswith("1 row\n")


def test_names_of_files_say_which_counts(suprimecam):
    root, folder = suprimecam
    with pytest.raises(RepositoryError, match=r"as the folder of defects, and it is not there; .* isr.do_defect=false"):
        columns_of(root, visit=104, ccd=1)
    folder.mkdir(parents=True)
    with pytest.raises(RepositoryError, match=r"expected defectRegistry.sqlite3, or files such as 2013-01-31/defects_"):
        columns_of(root, visit=104, ccd=1)
    write_tables(folder / "2008-01-31/defects_001.fits", table(1))
    write_tables(folder / "2009-01-31/defects_001.fits", table(2))
    write_tables(folder / "2009-01-31/defects_002.fits", table(3, NAME="Kiki"))
    (folder / "fio").mkdir()
    boxes = Table(rows=[(8, 1, 1, 1)], names=("x0", "y0", "width", "height"))
    boxes.write(folder / "fio/20080101T000000.ecsv")
    (folder / "README.md").write_text("2009-02-01 ccd1")
    assert columns_of(root, visit=104, ccd=1) == [1]
    assert columns_of(root, visit=105, ccd=1) == [2]
    assert columns_of(root, visit=104, ccd=2) == [8]
    with pytest.raises(FileFormatError, match=r"has no defects of detector 'Fio' \(number 2\): those of kiki"):
        columns_of(root, visit=105, ccd=2)
    image_file(folder / "2009-03-01/ccd00.fits", np.eye(20, dtype=np.int16))
    assert int(Butler(root).get("defects", visit=105, ccd=0).sum()) == 20


def test_the_registry_of_exposures_names_the_table(suprimecam, caplog):
    root, folder = suprimecam
    (root / "registry.sqlite3").unlink()
    rows = [
        {"visit": 104, "ccd": ccd, "filter": "R", "taiObs": "2008-07-29", "defects": name, **OTHERS}
        for ccd, name in enumerate(("2003A.mask/chips.fits", "2003A.mask/chips.fits", ""))
    ]
    register(root / "registry.sqlite3", raw=rows, raw_visit=[{"visit": 104, "filter": "R", "taiObs": "2008-07-29"}])
    write_tables(folder / "2003A.mask/chips.fits", table(4, SERIAL="0"), table(6, SERIAL="1"))
    with caplog.at_level(logging.WARNING):
        assert columns_of(root, visit=104, ccd=0) == [4]
        assert columns_of(root, visit=104, ccd=1) == [6]
        assert [path.name for path in [Butler(root).path("defects", visit=104, ccd=1)]] == ["chips.fits"]
    assert not caplog.text
    assert not Butler(root).exists("defects", visit=104, ccd=2)
    assert main(["get", str(root), "defects", "--id", "visit=104", "ccd=1"]) == 0
