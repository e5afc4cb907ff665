"""A camera that was just made by obs new, and a night of it."""

from datetime import datetime

import pytest

from obs.checks.open_package import open_package
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.simulator.config import SimulateConfig
from obs.simulator.files import FileOptions, simulate_file
from obs.simulator.shots import plan_shots

SHOTS = {"flat": (2, 1, 20.0), "bias": (2, 3, 0.0), "science": (1, 5, 30.0)}


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The package of a camera with two amplifiers side by side, each with its overscan behind it."""
    answers = Answers(
        camera="fixed",
        amplifiers="2",
        width="256",
        height="256",
        overscan="24",
        gain="1.5",
        read_noise="4",
        saturation="60000",
        filters="g r",
    )
    return create_package(answers, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def night(made, tmp_path_factory):
    """Two flats, two biases and a science frame of it, by their type."""
    folder = tmp_path_factory.mktemp("night")
    frames = {}
    with open_package(str(made)) as package:
        detector = package.instrument.load_camera().detectors[0]
        for image_type, (count, first, seconds) in SHOTS.items():
            shots = plan_shots(
                image_type=image_type,
                count=count,
                first_visit=first,
                date_begin=datetime(2020, 9, 4, 5),
                exposure_time=seconds,
                physical_filters=["r"],
                ra=150.0,
                dec=2.0,
                seed=1,
            )
            options = FileOptions(folder, file_format="fits", truth=False)
            frames[image_type] = [
                simulate_file(package.instrument, shot, [detector], SimulateConfig(), options, seed=1) for shot in shots
            ]
    return frames
