"""The commands of "Coming from the LSST stack" are run in a repository without frames: nothing but frames is missed."""

import re

import pytest
from pages import GUIDE, quoted_commands

from obs.cli.main import main

COMMANDS = quoted_commands(GUIDE / "from_lsst.md")
WANT = re.compile(
    r"no file matches|no raw frame|No data found"
    r"|(ps1\.csv|IMAGE\.fits|a0021\.fits|DATA/rerun/\w+|gen3)\S* does not exist"
    r"|gen3 cannot be opened as a third-generation|IMAGE\.fits: .*No such file|no camera 'mycam' is installed"
    r"|obs_mycam_data/mycam/defects: is not a folder"
    r"|no image of \S+ matches|there is no coadd catalog|stars\.csv: there is no such file"
)
"""How a command says that it misses frames, or the camera that the page makes of them."""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "DATA", "--camera", "hsc"]) == 0
    (tmp_path / "CALIB").mkdir()
    (tmp_path / "overrides.py").write_text("config.isr.doBias = False\n")
    (tmp_path / "words.txt").write_text("--id visit=1\n")


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_but_frames_is_missed(words, capsys):
    status = main(words[1:])
    told = capsys.readouterr()
    assert status == 0 or WANT.search(" ".join(told.err.split())), told.err


def test_the_page_names_what_users_of_the_stack_type():
    text = (GUIDE / "from_lsst.md").read_text(encoding="utf-8")
    left = {word for row in re.findall(r"^\| (.*?) \| ", text, re.MULTILINE) for word in re.findall(r"[\w.]+", row)}
    assert {"ingestImages.py", "ingestCalibs.py", "constructBias.py", "processCcd.py", "pipetask", "butler.get"} <= left
    assert {"_extractDetectorName", "translatorClass", "std_raw", "packageName"} <= left
