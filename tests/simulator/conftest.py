from datetime import datetime

import pytest
from overscan_camera import write_toy_camera

from obs.simulator.shots import plan_shots


@pytest.fixture
def toy(tmp_path):
    """The toy camera."""
    return write_toy_camera(tmp_path / "toy")


@pytest.fixture
def make_shot():
    """Make one exposure; keywords change its plan."""

    def make(**changes):
        plan = {
            "image_type": "science",
            "count": 1,
            "first_visit": 7,
            "date_begin": datetime(2020, 9, 4, 5),
            "exposure_time": 30.0,
            "physical_filters": ["T-R"],
            "ra": 150.0,
            "dec": 2.0,
            "seed": 1,
        }
        return plan_shots(**(plan | changes))[0]

    return make
