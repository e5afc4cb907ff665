"""A camera that `obs new` makes, and a night of it with calibrations, dates and results, for trials of commands."""

import importlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from obs.repo.atomic import temporary_path

#: Words for `obs new`: one detector of 512 x 512 pixels.
_ANSWERS = (
    *("--detectors", 1, "--amplifiers", 2, "--width", 256, "--height", 512, "--gain", 2, "--read-noise", 5),
    *("--saturation", 60000, "--filters", "r", "--pixel-scale", 0.4),
)
_METADATA = "Metadata-Version: 2.1\nName: obs-tiny\nVersion: 1.0\n"

Run = Callable[[Sequence[object]], float]


def install(site: Path, patch: pytest.MonkeyPatch, must: Run) -> None:
    """Put the camera "tiny" on the path, with an entry point, as an installed package is."""
    package = site / "obs_tiny"
    if not package.is_dir():
        site.mkdir(parents=True, exist_ok=True)
        must(["new", "tiny", "--no-input", *_ANSWERS, "--output", site])
        distribution = site / "obs_tiny-1.0.dist-info"
        distribution.mkdir()
        (distribution / "METADATA").write_text(_METADATA)
        (distribution / "entry_points.txt").write_text("[obs.cameras]\ntiny = obs_tiny:instrument\n")
    for place in (site, package):
        patch.syspath_prepend(place)
    importlib.invalidate_caches()


def prepare(top: Path, must: Run) -> None:
    """Make states of the folder "work": "night" (two exposures), "damaged" (a raw is gone), "cut" (a result is)."""
    work = top / "work"
    must(["demo", "tiny", "--visits", 2, "-j", 1, "--output", work / "night"])
    for picture in (work / "night").glob("*.png"):
        picture.unlink()
    shutil.copytree(work / "night" / "data" / "CALIB" / "bias", work / "frames")
    must(["init", work / "other", "--camera", "tiny"])
    shutil.copytree(top / "tiny" / "obs_tiny", work / "obs_tiny")
    make_older(work / "obs_tiny")
    shutil.copytree(work, top / "night", symlinks=True)
    frame = next((work / "night" / "data" / "raw").rglob("*0000001*.fits*"))
    target = frame.readlink()
    frame.unlink()
    shutil.copytree(work, top / "damaged", symlinks=True)
    frame.symlink_to(target)
    cut_result(work / "night")
    shutil.copytree(work, top / "cut", symlinks=True)
    shutil.rmtree(work)
    tables = top / "tiny" / "obs_tiny" / "obs_tiny" / "camera"  # is written where the disk is full
    shutil.rmtree(tables)
    tables.symlink_to(work / "obs_tiny" / "obs_tiny" / "camera")


def make_older(package: Path) -> None:
    """Let two files of a package be those of an older template, and one be missing there."""
    place = package / ".obs-template.json"
    record = json.loads(place.read_text())
    record["template_version"] = str(int(record["template_version"]) - 1)
    for name in ("README.md", "pyproject.toml"):
        record["originals"][name] = "\n" + record["originals"][name]
        (package / name).write_text(record["originals"][name])
    (package / "LICENSE").unlink()
    del record["originals"]["LICENSE"]
    place.write_text(json.dumps(record, indent=1))


def cut_result(night: Path) -> None:
    """Cut a result, and leave what a killed run leaves."""
    image = next((night / "processed" / "calexp").rglob("*.fits"))
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2 + 1])
    left = re.sub(r"-\d+-(\w+\.tmp)$", r"-99999999-\1", temporary_path(image).name)
    image.with_name(left).write_bytes(b"SIMPLE")
