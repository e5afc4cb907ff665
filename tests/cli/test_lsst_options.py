"""Options of the LSST stack's command line that every long-running command takes."""

import logging
import pstats
import re

import pytest

pytestmark = pytest.mark.usefixtures("pipeline")


def test_options_may_be_abbreviated(obs, repository, pipeline, tmp_path):
    assert (
        obs("process", repository, "--id", "visit=1", "ccd=0", "--outp", tmp_path / "out", "--config=isr.gain=2")[0]
        == 0
    )
    ((_, config),) = pipeline.calls
    assert config.isr.gain == 2.0


def test_an_abbreviation_of_several_is_refused(obs, repository, tmp_path):
    status, _, err = obs("process", repository, "--clobber", "--output", tmp_path / "out")
    assert status == 2
    assert "No such option" in err
    assert "--clobber-output" in err


def test_logs_go_to_a_file_too(obs, repository, tmp_path, request):
    request.addfinalizer(lambda: logging.getLogger("obs.executor.outcome").setLevel(logging.NOTSET))
    words = ("process", repository, "--id", "visit=3", "ccd=0", "--output", tmp_path / "out")
    log = tmp_path / "log.txt"
    assert obs(*words, "--logdest", log, "--longlog", "--debug")[0] == 1
    pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 \S+ obs\.executor\.outcome DEBUG visit=3 filter=g ccd=0: "
    assert re.search(pattern, log.read_text())
    log.unlink()
    assert obs(*words, "--logdest", log)[0] == 1
    assert log.read_text() == ""
    assert obs(*words, "--logdest", log, "-T", "5", "obs.executor.outcome")[0] == 1
    assert log.read_text().startswith("DEBUG visit=3 filter=g ccd=0: ")
    status, _, err = obs(*words, "--logdest", tmp_path / "no/log.txt")
    assert status == 1
    assert f"cannot write the log {tmp_path}/no/log.txt: No such file or directory" in err


def test_profile(obs, repository, tmp_path):
    words = ("process", repository, "--id", "visit=2", "ccd=0", "--output", tmp_path / "out")
    assert obs(*words, "--profile", tmp_path / "profile")[0] == 0
    names = {name for _, _, name in pstats.Stats(str(tmp_path / "profile")).stats}
    assert {"compute_detector", "complete"} <= names
    status, _, err = obs(*words, "--profile", tmp_path / "profile", "-j", "2")
    assert status == 2
    assert "--profile sees one process only; leave out -j" in err


@pytest.mark.parametrize("command", ["process", "process-file"])
def test_settings_and_versions_of_an_earlier_run(obs, repository, tmp_path, command):
    out = tmp_path / "out"
    first = (repository, "--id", "visit=1", "ccd=0") if command == "process" else (tmp_path / "image.fits",)
    words = (command, *first, "--output", out)
    record = out / "config" / f"{command.replace('-', '_')}.yaml"
    assert obs(*words, "--no-versions")[0] == 0
    assert not (out / "config/packages.yaml").exists()
    assert obs(*words)[0] == 0
    versions = out / "config/packages.yaml"
    versions.write_text(re.sub("numpy: .*", "numpy: '0.1'", versions.read_text()))
    old = versions.read_text()
    assert "was begun with other software" not in obs(*words, "--no-versions")[2]
    assert versions.read_text() == old
    assert "was begun with other software" not in obs(*words, "--clobber-versions")[2]
    assert "0.1" not in versions.read_text()
    gain = "isr.gain" if command == "process" else "gain"
    assert obs(*words, "-c", f"{gain}=2")[0] == 1
    assert obs(*words, "-c", f"{gain}=2", "--clobber-config", "--no-backup-config")[0] == 0
    assert not record.with_name(record.name + "~1").exists()
    assert obs(*words, "-c", f"{gain}=3", "--clobber-config")[0] == 0
    assert "gain: 2.0" in record.with_name(record.name + "~1").read_text()
