"""Packages that were just made: installed, checked, tested by their own tests, and a night of each simulated."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from obs.cli.main import main

CHECKOUT = Path(__file__).parents[2]
SMALL = ("--width", "512", "--height", "512")
ANSWERED = {
    "madeone": SMALL,
    "madetwo": ("--amplifiers", "2", "--width", "128", "--height", "256", "--gain", "1.4", "--saturation", "60000"),
    "mademosaic": ("--detectors", "4", "--amplifiers", "2", "--width", "256", "--height", "512"),
    "madekeys": (*SMALL, "--visit-key", "run", "--detector-key", "chip"),
}
FROM_FILES = {"madekast": "kast/*.fits.gz", "madesinistro": "sinistro/*.fits.gz", "madehsc": "headers/hsc*.hdr"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("generated")


def make_and_install(place, name, words):
    """Make a package in a folder of its own and install it into another; return the environment that sees it."""
    made, site = place / "made", place / f"site-{name}"
    assert main(["new", name, "--no-input", "--output", str(made), *words]) == 0
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    installed = subprocess.run(
        [*pip, "--target", str(site), str(made / f"obs_{name}")], capture_output=True, text=True, check=False
    )
    if installed.returncode and "hatchling" in installed.stderr:
        pytest.skip("hatchling, which builds packages, is not installed")
    assert installed.returncode == 0, installed.stderr
    paths = [str(site), str(CHECKOUT / "core"), str(CHECKOUT / "obs_plugins")]
    return made / f"obs_{name}", os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def run(environment, *words, folder):
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def obs(environment, *words, folder):
    command = "import sys; from obs.cli.main import main; sys.exit(main())"
    return run(environment, "-c", command, *words, folder=folder)


def check_all(place, name, words, *, raw=(), demo=True):
    package, environment = make_and_install(place, name, words)
    assert name in obs(environment, "cameras", folder=place)
    assert "0 problems" in obs(environment, "check", name, folder=place)
    assert "passed" in run(environment, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=package)
    if demo:
        night = obs(environment, "demo", name, "--output", f"night-{name}", "--visits", "1", "-j", "1", folder=place)
        assert "picture: " in night
    if raw:
        obs(environment, "init", f"data-{name}", "--camera", name, folder=place)
        report = obs(environment, "ingest", f"data-{name}", *map(str, raw), folder=place)
        assert f"{len(raw)} ingested, 0 skipped, 0 failed" in report


@pytest.mark.parametrize("name", ANSWERED)
def test_packages_from_answers(place, name):
    check_all(place, name, ANSWERED[name], demo=name != "madetwo")  # too small for the stars that a PSF needs


@pytest.mark.parametrize("name", FROM_FILES)
def test_packages_from_real_files(place, shared_data, name):
    files = sorted(shared_data.glob(FROM_FILES[name]))
    raw = [path for path in files if path.suffix == ".gz"]
    check_all(place, name, ["--from", *map(str, files)], raw=raw, demo=name != "madehsc")


def test_the_cookiecutter_command_takes_the_same_template(place):
    cookiecutter = pytest.importorskip("cookiecutter.main").cookiecutter
    config = place / "config.yaml"
    config.write_text(f"replay_dir: {place / 'replay'}\ncookiecutters_dir: {place / 'templates'}\n")
    made = cookiecutter(
        str(CHECKOUT / "cookiecutter"),
        no_input=True,
        extra_context={"camera": "plain"},
        output_dir=str(place / "plain"),
        config_file=str(config),
    )
    assert main(["check", made]) == 0
