"""Packages that are broken in one way, and frames for them."""

import shutil
from pathlib import Path

from obs.cli.main import main

__all__ = ["ROW", "all_of", "break_package", "changed", "run_doctor"]

ROW = "ccd0,amp1,0,0,0,256,256,0,0,280,256,0,0,256,256,256,0,24,256,0,0,0,0,0,0,0,0,LL,0,0,1.5,4,60000"


def changed(**cells):
    """Return the row of the first amplifier with other cells, by their number in it."""
    parts = ROW.split(",")
    for number, value in cells.items():
        parts[int(number[1:])] = value
    return ",".join(parts)


def all_of(night):
    return [path for paths in night.values() for path in paths]


def break_package(package, folder, file="", old="", new=""):
    """Copy a package, and replace a text in one of its files; return the copy."""
    copy = Path(folder) / Path(package).name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if file:
        path = next(copy.rglob(file)) if not (copy / file).is_file() else copy / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    return copy


def run_doctor(capsys, package, files, *words):
    """Run obs doctor; return the exit status, what it printed, and the line with the next thing to fix."""
    status = main(["doctor", str(package), *map(str, files), *words])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    last = captured.out.splitlines()[-1] if captured.out else captured.err
    return status, captured.out, last
