"""`obs where`, `obs provenance` and `obs diff-config` on real results."""

import re
from pathlib import Path

import pytest
import yaml

import obs
from obs.cli.main import main

RERUN = "DATA/rerun/a"


@pytest.fixture
def run(copied, capsys):
    """Run a command in a copy of the folder, and return status, stdout and stderr."""

    def call(*words):
        capsys.readouterr()
        return main(list(words)), *capsys.readouterr()

    return call


def test_files_are_named_one_a_line(run, copied):
    assert run("where", RERUN, "src", "--id", "visit=21") == (0, f"{copied}/DATA/rerun/a/src/visit-21.fits\n", "")
    status, out, _ = run("where", RERUN, "raw", "--id", "visit=21^22")
    assert (status, len(out.splitlines())) == (0, 2)
    status, out, err = run("where", RERUN, "src", "--id", "visit=22")
    assert (status, out) == (1, "")
    assert "obs ls DATA/rerun/a src lists what there is" in err
    assert "no dataset type" in run("where", RERUN, "scr")[2]


def test_a_result_leads_back_to_its_raw_file(run):
    status, out, err = run("provenance", RERUN, "calexp", "visit=21")
    assert status == 0, out + err
    assert re.search(r"^raw +same +[0-9a-f]{12} +\S+/00021\.fits$", out, re.MULTILINE)
    assert re.search(r"^bias +same +[0-9a-f]{12} +\S+/bias\.fits$", out, re.MULTILINE)
    assert out.count("ref_cat") >= 1


def test_an_input_that_is_gone_or_changed_is_told(run):
    metadata_file = obs.Butler(RERUN).path("processCcd_metadata", visit=21)
    metadata = yaml.safe_load(metadata_file.read_text())
    metadata["made_with"]["inputs"][0]["path"] = "/nowhere/raw.fits"
    metadata["made_with"]["inputs"][1]["sha256"] = "0" * 64
    metadata_file.write_text(yaml.safe_dump(metadata))
    status, out, _ = run("provenance", RERUN, "src", "--id", "visit=21")
    assert status == 1
    assert [line.split()[1] for line in out.splitlines()[3:5]] == ["gone", "changed"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("calexp", "visit=22"), "no result of visit=22; name one data ID of obs ls"),
        (("calexp", "vist=21"), "visit"),
        (("icExp", "visit=21"), "visit=21 has no icExp from obs process; it has "),
        (("calxep", "visit=21"), "calexp"),
    ],
)
def test_what_has_no_provenance_is_one_line(run, words, message):
    status, _, err = run("provenance", RERUN, *words)
    assert status == 1
    assert message in err
    assert len(err.splitlines()) == 1


def test_settings_of_two_runs(run):
    assert run("diff-config", RERUN, RERUN) == (0, "", "")
    other = Path("other/config")
    other.mkdir(parents=True)
    text = Path(RERUN, "config/process.yaml").read_text()
    settings = yaml.safe_load(text)
    settings["isr"]["do_bias"] = False
    (other / "process.yaml").write_text(yaml.safe_dump(settings))
    status, out, _ = run("diff-config", RERUN, "other")
    assert status == 1
    assert out.splitlines() == ["process: isr.do_bias: was True, now False", "packages: only in DATA/rerun/a"]
    files = (f"{RERUN}/config/process.yaml", "other/config/process.yaml")
    assert run("diff-config", *files) == (1, "isr.do_bias: was True, now False\n", "")


def test_what_has_no_settings_is_one_line(run):
    assert "DATA holds no settings" in run("diff-config", RERUN, "DATA")[2]
    assert "there is no nothing" in run("diff-config", RERUN, "nothing")[2]
    assert "name outputs of the same task" in run("diff-config", RERUN, f"{RERUN}/config/process.yaml")[2]
