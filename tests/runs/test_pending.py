"""Which results can stay: everything that a result depends on is changed in turn, and named."""

import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits

import obs
from obs.cli.main import main
from obs.errors import FileFormatError
from obs.repo.input_files import InputFile
from obs.repo.metric_table import MetricTable


def write_bias(path, level):
    fits.PrimaryHDU(np.full((1024, 1024), level, np.float32)).writeto(path, overwrite=True)


@pytest.fixture
def run(copied, settings, capsys):
    """Run obs process on a copy of the folder, and return status, stdout and stderr."""

    def call(*words, ids="visit=21^22"):
        capsys.readouterr()
        status = main(["process", "DATA", "--rerun", "a", "--id", ids, "-c", *settings, *words])
        return status, *capsys.readouterr()

    return call


def test_a_run_that_was_stopped_goes_on(run):
    result = Path("DATA/rerun/a/calexp/visit-21.fits")
    before = result.stat().st_mtime_ns
    status, out, _ = run("--dry-run")
    assert status == 0
    assert out.splitlines()[:2] == ["NEW visit=22", "CURRENT visit=21"]
    assert not Path("DATA/rerun/a/calexp/visit-22.fits").exists()
    status, out, err = run("--skip-existing")
    assert status == 0
    assert "1 of 2 have results that stay" in err
    assert "visit=22" in out
    assert "visit=21" not in out
    assert result.stat().st_mtime_ns == before
    assert run("--dry-run")[1].splitlines()[:2] == ["CURRENT visit=21", "CURRENT visit=22"]


def change_raw():
    path = Path("DATA/raw/00021.fits").resolve()
    data = path.read_bytes()
    Path("DATA/raw/00021.fits").unlink()
    Path("DATA/raw/00021.fits").write_bytes(data[:-3000] + b"\0\1" + data[-2998:])


def change_reference():
    for path in Path("DATA/ref_cats/simulated").glob("[0-9]*.fits"):
        path.write_bytes(path.read_bytes() + bytes(2880))


def forge(**facts):
    path = obs.Butler("DATA/rerun/a").path("processCcd_metadata", visit=21)
    metadata = yaml.safe_load(path.read_text())
    metadata["made_with"] |= facts
    path.write_text(yaml.safe_dump(metadata))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_raw, "raw is another: 00021.fits"),
        (lambda: write_bias("bias.fits", 1.0), "bias is another: bias.fits"),
        (lambda: Path("bias.fits").unlink(), "bias is another: bias.fits"),
        (change_reference, "the reference catalog simulated has changed: "),
        (lambda: Path("DATA/ref_cats/more").mkdir(), "there are other reference catalogs"),
        (lambda: Path("DATA/rerun/a/src/visit-21.fits").unlink(), "lost: src"),
        (lambda: forge(version="0.0.1"), "made by obs 0.0.1, this is "),
        (lambda: forge(inputs=[{"path": 3}]), "its metadata cannot be read: is not a record of an input file"),
        (lambda: forge(inputs=None), "its metadata cannot be read: the record 'made_with'"),
    ],
)
def test_what_has_changed_is_named(run, change, reason):
    change()
    status, out, _ = run("--dry-run", ids="visit=21")
    assert status == 0
    assert out.startswith("STALE visit=21: ")
    assert reason in out


def test_other_settings_are_refused_or_stale(run):
    status, _, err = run("--dry-run", "-c", "characterize.write_exposure=true")
    assert status == 1
    assert "was made with other settings of process: characterize.write_exposure" in err
    status, out, _ = run("--dry-run", "--clobber-config", "-c", "characterize.write_exposure=true")
    assert status == 0
    assert "STALE visit=21: made with other settings\n" in out


def test_a_stale_result_is_made_again_and_then_current(run):
    write_bias("bias.fits", 1.0)
    status, _, err = run("--skip-existing", ids="visit=21")
    assert status == 0
    assert "STALE visit=21: bias is another: bias.fits" in err
    assert run("--skip-existing", ids="visit=21")[2].endswith("1 of 1 have results that stay\n")
    # a run that was killed after its last data ID has neither gathered metrics nor written the report
    with sqlite3.connect("DATA/rerun/a/metrics.sqlite3") as connection:
        connection.execute("DELETE FROM visit")
    connection.close()
    assert run("--skip-existing", "--report", ids="visit=21")[0] == 0
    assert [row["data_id"] for row in MetricTable(Path("DATA/rerun/a")).read("visit")] == ["visit=21"]
    assert Path("DATA/rerun/a/report.html").exists()


def test_a_file_that_is_only_touched_or_moved_with_its_repository_is_the_same(run):
    os.utime("bias.fits", (1, 1))
    for path in Path("DATA/ref_cats/simulated").glob("[0-9]*.fits"):
        os.utime(path, (2, 2))
    assert "CURRENT visit=21\n" in run("--dry-run")[1]


def test_skipping_and_clobbering_exclude_each_other(run):
    status, _, err = run("--skip-existing", "--clobber-output")
    assert status == 2
    assert "give one of them" in err


def test_bits_that_flip_without_a_trace_are_found_by_reading_all(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(b"0123")
    item = InputFile.describe(path, "raw")
    assert item.is_intact()
    time.sleep(0.05)  # clocks of file systems tick every few milliseconds
    path.write_bytes(b"0133")
    os.utime(path, ns=(item.mtime_ns, item.mtime_ns))
    assert not item.is_intact()
    assert not item.has_content_of(path)
    path.unlink()
    assert not item.is_intact()
    assert not item.has_content_of(path)


def test_records_of_before_are_read():
    facts = {"dataset_type": "raw", "path": "/a.fits", "size": 4, "mtime_ns": 5, "sha256": "abc"}
    assert InputFile.from_plain(facts) == InputFile("raw", "/a.fits", 4, 5, "abc")
    with pytest.raises(FileFormatError, match="is not a record of an input file"):
        InputFile.from_plain({**facts, "ctime_ns": "x"})
