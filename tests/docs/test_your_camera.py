"""The page "Your camera in an evening": every command on it is run, and prints what the page says."""

import shutil

from night_camera import write_night
from pages import GUIDE, Shell, missing_lines, read_blocks

PAGE = GUIDE / "your_camera.md"


def follow(page, shell, *, stars=True):
    """Do what the blocks of a page say, one after the other; outputs are compared where the frames are the page's."""
    printed = ""
    for block in read_blocks(page):
        if block.note.startswith("not run:") or (block.note == "star fields only" and not stars):
            printed = None
            continue
        if block.note.startswith("file: "):
            (shell.folder / block.note.removeprefix("file: ")).write_text(block.text)
        elif block.kind == "sh":
            printed = ""
            for line in block.text.splitlines():
                done = shell.sh(line)
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                printed += done.stdout
        elif block.kind == "python":
            done = shell.python(block.text)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"
        elif block.kind == "text" and stars and printed is not None:
            assert missing_lines(block.text, printed) == [], printed


def test_the_evening_of_a_camera_of_which_nobody_knows(tmp_path):
    night = tmp_path / "night1"
    night.mkdir()
    assert write_night(night, tmp_path / "tables") == tmp_path / "stars.csv"
    follow(PAGE, Shell(tmp_path))
    assert len(list((tmp_path / "DATA" / "rerun" / "first" / "src").rglob("*.fits"))) == 2


def test_the_evening_of_kast_until_the_signature_is_removed(tmp_path, shared_data):
    night = tmp_path / "night1"
    night.mkdir()
    for path in (shared_data / "kast").glob("*.fits.gz"):
        shutil.copy(path, night)
    follow(PAGE, Shell(tmp_path), stars=False)
    assert len(list((tmp_path / "DATA" / "rerun" / "isr" / "postISRCCD").rglob("*.fits"))) == 3
