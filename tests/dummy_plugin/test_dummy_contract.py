"""The dummy camera holds to the contract; it has no translator, so that nothing of it is simulated."""

from obs_dummy import instrument

from obs.testing import CameraContract


class TestDummy(CameraContract):
    camera = instrument
