"""Packages as their owners meet them, in a fresh virtual environment.

Engine and packages are really installed there, from a wheel and from the folders of the packages. Of the environment in
which the tests run, only the libraries are seen, by a ``.pth`` file, so that they need not be installed over and over.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from obs.cli.main import main

CHECKOUT = Path(__file__).parents[2]
SMALL = ("--width", "512", "--height", "512")
ANSWERED = {
    "madeone": (*SMALL, "--gain", "1.4", "--saturation", "60000"),
    # a mosaic, whose data IDs have keys of its own
    "mademosaic": (
        *("--detectors", "4", "--amplifiers", "2", "--width", "256", "--height", "512"),
        *("--visit-key", "run", "--detector-key", "chip"),
    ),
}
FROM_FILES = {"madekast": "kast/*.fits.gz", "madesinistro": "sinistro/*.fits.gz", "madehsc": "headers/hsc*.hdr"}
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
LOCAL = ("--no-index", "--no-build-isolation")


def run(*words, folder):
    done = subprocess.run(
        [*map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("generated")


@pytest.fixture(scope="module")
def wheel(place):
    """Build the engine as it would be published."""
    pytest.importorskip("hatchling", reason="hatchling, which builds packages, is not installed")
    run(*PIP, "wheel", "--no-deps", *LOCAL, "--wheel-dir", place / "wheel", CHECKOUT, folder=place)
    (built,) = (place / "wheel").glob("obs_toolkit-*.whl")
    return built


class Environment:
    """A fresh virtual environment with the engine in it."""

    def __init__(self, folder, wheel):
        self.folder, self.bin = folder, folder / "bin"
        run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder.parent)
        (site,) = folder.glob("lib/python*/site-packages")
        libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (site / "libraries.pth").write_text("\n".join(libraries) + "\n")
        self.install("--no-deps", "--ignore-installed", wheel)
        assert str(site) in self.run("python", "-c", "import obs; print(obs.__file__)", folder=folder)

    def install(self, *what):
        run(*PIP, "--python", self.bin / "python", "install", "--no-compile", *LOCAL, *what, folder=self.folder)

    def run(self, program, *words, folder):
        return run(self.bin / program, *words, folder=folder)

    def obs(self, *commands, folder):
        """Run commands one after the other, in one process: half a second of each is spent on imports."""
        code = "import json, sys\nfrom obs.cli.main import main\nsys.exit(any(map(main, json.loads(sys.argv[1]))))"
        words = json.dumps([[str(word) for word in words] for words in commands])
        return self.run("python", "-c", code, words, folder=folder)


@pytest.fixture(scope="module")
def environment(place, wheel):
    """The environment of all packages, as that of somebody with several cameras: its modules are compiled once."""
    return Environment(place / "venv", wheel)


def readme_commands(package):
    """Return the commands of obs that a package's README gives."""
    lines = (package / "README.md").read_text().splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("    obs ")]


def check_all(environment, folder, name, words, *, raw=(), demo=True, readme=False):
    environment.run("obs", "new", name, "--no-input", *words, folder=folder)
    package = folder / f"obs_{name}"
    environment.install(f"{package}[test]")
    assert name in environment.run("obs", "cameras", folder=folder)
    commands = readme_commands(package) if readme else [["check", name]]
    if demo and not readme:
        commands.append(["demo", name, "--visits", "1", "--detectors", "1", "-j", "1"])
    if raw:
        commands += [["init", "data", "--camera", name], ["ingest", "data", *raw]]
    told = environment.obs(*commands, folder=folder)
    assert f"{name}: 0 problems" in told
    assert not demo or "picture: " in told
    assert not raw or f"{len(raw)} ingested, 0 skipped, 0 failed" in told
    tested = environment.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=package)
    assert re.search(r"^\d+ passed", tested.splitlines()[-1])


@pytest.mark.parametrize("name", ANSWERED)
def test_packages_from_answers(environment, tmp_path, name):
    check_all(environment, tmp_path, name, ANSWERED[name], readme=name == "madeone")


@pytest.mark.parametrize("name", FROM_FILES)
def test_packages_from_real_files(environment, tmp_path, shared_data, name):
    files = sorted(shared_data.glob(FROM_FILES[name]))
    raw = [path for path in files if path.suffix == ".gz"]
    check_all(environment, tmp_path, name, ["--from", *files], raw=raw, demo=False)


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
    assert main(["update", made]) == 0
