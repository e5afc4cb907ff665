"""The dialog of `obs new`, by typed lines and at a pseudo-terminal."""

import fcntl
import math
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

import pytest
import yaml
from click.testing import CliRunner

from obs.cli import new as action
from obs.cli.commands.new import new
from obs.cli.main import main
from obs.errors import ConfigError
from obs.scaffold.answers import Answers
from obs.scaffold.questions import QUESTIONS

DEFAULTS = "\n" * 40


@pytest.fixture
def dialog(tmp_path, monkeypatch):
    """Return a function that types lines to `obs new` and returns the result of click's runner."""
    monkeypatch.setattr(action, "is_terminal", lambda: True)

    def type_lines(*lines, words=(), rest=DEFAULTS):
        typed = "".join(f"{line}\n" for line in lines) + rest
        return CliRunner().invoke(new, ["toycam", "--output", str(tmp_path), *words], input=typed)

    return type_lines


def kept(folder):
    return yaml.safe_load((folder / "obs_toycam.answers.yaml").read_text())


def table(folder, name):
    lines = (folder / "obs_toycam" / "obs_toycam" / "camera" / name).read_text().splitlines()
    return [line.split(",") for line in lines if not line.startswith("#")][1:]


def test_each_question_has_a_line_and_more():
    assert {question.name for question in QUESTIONS} <= set(Answers.__dataclass_fields__)
    for question in QUESTIONS:
        assert question.line.endswith(".")
        assert len(question.line) <= 105
        assert len(question.more) > len(question.line)


def test_defaults_make_a_package(dialog, tmp_path):
    result = dialog()
    assert result.exit_code == 0, result.output
    assert f"Each answer is kept in {tmp_path}/obs_toycam.answers.yaml." in result.output
    assert "Gap between" not in result.output  # one detector has no neighbor
    assert len(table(tmp_path, "detectors.csv")) == 1


def test_the_place_is_asked_for_unless_files_tell_it(dialog, tmp_path):
    cards = ["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 64", "NAXIS2  = 64", "EXPTIME = 60.0"]
    cards += ["DATE-OBS= '2024-05-01T03:00:00'", "OBSERVAT= 'Nearby'", "END"]
    header = tmp_path / "light.hdr"
    header.write_text("\n".join(cards) + "\n")
    result = dialog("", "", "", "", "here", "-70.81, -30.17 2200", words=["--from", str(header)])
    assert result.exit_code == 0, result.output
    assert "site = 'here' is not a place: give longitude" in result.output
    assert kept(tmp_path)["site"] == "-70.81, -30.17 2200"
    translator = (tmp_path / "obs_toycam" / "obs_toycam" / "translator.py").read_text()
    assert '"longitude": -70.81,' in translator
    assert '"elevation": 2200,' in translator


def test_wrong_answers_are_asked_again(dialog, tmp_path):
    result = dialog("", "", "filter", "visit", "visit", "chip", "none", "0", "2 x 2", "wide", "80")
    assert result.exit_code == 0, result.output
    for message in (
        "visit_key = 'filter' cannot be a key of data IDs",
        "visit_key and detector_key are both 'visit'",
        "detectors = 'none' is not an integer from 1 to 8192, nor rows x columns such as 2 x 4",
        "gap_x = 'wide' is not a number of pixels",
    ):
        assert message in result.output
    assert len(table(tmp_path, "detectors.csv")) == 4
    assert (kept(tmp_path)["detector_key"], kept(tmp_path)["gap_x"]) == ("chip", "80")


def test_a_question_mark_explains(dialog):
    result = dialog("?")
    assert "Name the camera, the telescope and the observatory" in result.output
    assert result.output.count("Description of the camera, one line") == 2


def test_one_can_go_back(dialog, tmp_path):
    result = dialog("<", "Mine", "<", "Ours", "", "", "", "2", "<", "4", "50")
    assert result.exit_code == 0, result.output
    assert "[Mine]" in result.output
    assert kept(tmp_path)["title"] == "Ours"
    assert len(table(tmp_path, "detectors.csv")) == 4


def test_the_number_of_amplifiers_may_change_on_the_way_back(dialog, tmp_path):
    amplifiers = ["2 x 2", "own", "", "<", "<", "<", "1 x 2", "", "", "LL LR"]
    result = dialog("", "", "", "", "", *amplifiers)
    assert result.exit_code == 0, result.output
    assert "readout has 4 corners and a detector 2 amplifiers" in result.output
    assert [row[27] for row in table(tmp_path, "amplifiers.csv")] == ["LL", "LR"]


def test_unknown_is_an_answer_where_a_number_may_be_missing(dialog, tmp_path):
    gain = [question.name for question in QUESTIONS if question.is_due({})].index("gain")
    result = dialog(*[""] * gain, "2.5", "<", "unknown")
    assert result.exit_code == 0, result.output
    assert kept(tmp_path)["gain"] == ""


def test_answers_that_were_given_are_not_asked(dialog, tmp_path):
    (tmp_path / "some.yaml").write_text("detectors: 2 x 2\nwidth: 64\n")
    result = dialog(words=["--answers", str(tmp_path / "some.yaml"), "--height", "48"])
    assert result.exit_code == 0, result.output
    assert "Detectors of the mosaic" not in result.output
    assert "Gap between detectors" in result.output
    assert table(tmp_path, "detectors.csv")[3][3:5] == ["64", "48"]


def test_wrong_answers_that_were_given_are_refused_before_anything_is_asked(dialog, tmp_path):
    result = dialog(words=["--width", "wide"])
    assert isinstance(result.exception, ConfigError)
    assert "width = 'wide' is not an integer" in str(result.exception)
    assert result.output == ""
    assert list(tmp_path.iterdir()) == []


def test_what_was_typed_is_kept_and_offered_again(dialog, tmp_path):
    stopped = dialog("My camera", "Me", rest="")  # the input ends, as with Ctrl-D
    assert stopped.exit_code == 1
    path = tmp_path / "obs_toycam.answers.yaml"
    assert kept(tmp_path) == {"camera": "toycam", "title": "My camera", "author": "Me"}
    assert f"Your answers are kept in {path}. Continue with:" in stopped.output
    assert f"obs new toycam --answers {path} --output {tmp_path}" in stopped.output
    again = dialog()
    assert "which has those of an earlier run" in again.output
    assert again.exit_code == 0, again.output
    assert "My camera" in (tmp_path / "obs_toycam" / "README.md").read_text()


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_asked(dialog, tmp_path):
    (tmp_path / "file").write_text("")
    result = dialog(words=["--output", str(tmp_path / "file")])
    assert result.exit_code == 1
    assert "Description of the camera" not in result.output
    assert "file cannot be made: File exists" in str(result.exception)


CTRL_C = b"\x03"


def _answer(terminal, process, keys):
    """Type each line when a prompt waits for it; return all that was printed."""
    printed, waiting, lines = b"", b"", list(keys)
    end, pressed = time.monotonic() + 60, math.inf
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                text = os.read(terminal, 4096)
            except OSError:  # the other side is closed
                break
            printed, waiting = printed + text, waiting + text
        elif process.poll() is not None:
            break
        if waiting.endswith(b": ") and lines:
            waiting, last = b"", lines.pop(0)
            os.write(terminal, last)
            pressed = time.monotonic() if last == CTRL_C else math.inf
        elif time.monotonic() > pressed + 1:
            # Python loses a signal that comes after the prompt is printed and before it reads; a person presses again.
            os.write(terminal, CTRL_C)
            pressed = time.monotonic()
    return printed.decode()


def _take_terminal():
    """Make the terminal that of the process, which heeds Ctrl-C also where the tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_ctrl_c_at_a_terminal_loses_nothing(tmp_path):
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from obs.cli.main import main; sys.exit(main())", "new", "toycam"],
        cwd=tmp_path,
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(other)
    try:
        printed = _answer(terminal, process, [b"A \xe2\x98\x85 camera\n", b"Me\n", b"\n", CTRL_C])
        assert process.wait(timeout=30) == 130
    finally:
        process.kill()
        os.close(terminal)
    assert "continue with:" in printed.lower()
    assert "obs new toycam --answers obs_toycam.answers.yaml" in printed
    assert kept(tmp_path) == {"camera": "toycam", "title": "A ★ camera", "author": "Me", "visit_key": "visit"}
    words = ["new", "toycam", "--no-input", "--output", str(tmp_path)]
    assert main([*words, "--answers", str(tmp_path / "obs_toycam.answers.yaml")]) == 0
