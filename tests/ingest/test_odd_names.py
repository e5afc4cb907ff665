"""Repositories and raw files of any name that a file system takes, in any locale."""

import os
import subprocess
import sys

import pytest
from test_poisoned_night import ISR_ONLY, observe

from obs.cli.main import main
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.repository import make_repository
from obs.repo.butler import Butler
from obs.runs.process import process

NAMES = (
    "two words",
    "täst-日本",
    "quote'\"",
    "per%cent%20",
    "new\nline",
    "-dash",
    "br[ack]et*?",
    "{jinja} {{7*7}}",
    "#hash;semi&",
    "n" * 240,
    os.fsdecode(b"latin-1 \xe4\xff"),
)
#: What the process with another locale does, up to the first command that fails.
THREE_COMMANDS = """\
import sys
from obs.cli.main import main
root = sys.argv[1]
sys.exit(any(map(main, (["init", root, "--camera", "hsc"], ["info", root], ["verify", root]))))
"""
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("name", NAMES)
def test_a_repository_of_any_name(tmp_path, instrument, name, capfd):
    folder = tmp_path / name
    folder.mkdir()
    raw = observe(folder / "in", 1)
    raw = raw.rename(raw.with_name(f"{name}.fits"))
    root = folder / "data"
    make_repository(root, instrument)
    assert ingest_raws(Butler(root), [raw], IngestOptions()).ok
    [outcome] = process(root, rerun="p", config=ISR_ONLY)
    assert outcome.ok, outcome.error
    assert Butler(root / "rerun" / "p").exists("postISRCCD", outcome.data_id)
    for words in (["verify", root], ["verify", root / "rerun" / "p"], ["info", root], ["ls", root, "raw"]):
        assert main([str(word) for word in words]) == 0, words
    assert main(["process", str(root), "--id", "--rerun", "p", "--skip-existing", "--dry-run"]) == 1  # other settings
    assert "unexpected" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["täst-日本", os.fsdecode(b"latin-1 \xe4\xff"), "o" * 300])
def test_paths_in_a_c_locale(tmp_path, name):
    """The command prints what it can, and ends with a line where a name is too long."""
    environment = {key: value for key, value in os.environ.items() if key not in ("LANG", "HOME")} | C_LOCALE
    root = tmp_path / name / "data"
    command = [sys.executable, "-c", THREE_COMMANDS, str(root)]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120)
    if len(name) < 256:
        assert (done.returncode, done.stderr) == (0, b"")
        return
    assert done.returncode == 1
    [line] = done.stderr.decode("utf-8", "replace").strip().splitlines()
    assert line.startswith("obs: error: ")
    assert "File name too long" in line or "is missing" in line or "does not exist" in line
