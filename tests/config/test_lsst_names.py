"""LSST's names of settings."""

import pytest

from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_FILE_NAMES, PROCESS_NAMES
from obs.errors import ConfigError
from obs.tasks.process_config import ProcessConfig, ProcessFileConfig


def test_lsst_names_set_ours(tmp_path):
    path = tmp_path / "processCcd.py"
    path.write_text(
        "config.charImage.doMeasurePsf = False\n"
        'config.charImage.measurement.plugins["base_CircularApertureFlux"].radii = [3.0, 6.0]\n'
    )
    layers = ConfigLayers(ProcessConfig, PROCESS_NAMES)
    layers.load(path)
    layers.set("charImage.background.binSize=256")
    layers.set("calibrate.doPhotoCal=False")
    config = layers.build()
    assert not config.characterize.measure_psf
    assert config.characterize.measurement.apertures == [3.0, 6.0]
    assert config.characterize.background.bin_size == 256
    assert not config.calibrate.photometry.enabled
    assert f"{path}:1 (written charImage.doMeasurePsf)" in layers.history("*doMeasurePsf")


def test_names_of_process_file():
    layers = ConfigLayers(ProcessFileConfig, PROCESS_FILE_NAMES)
    for text in ("doCalibrate=False", "gain=2", "doVariance=True", "isBackgroundSubtracted=True", "noise=5"):
        layers.set(text)
    config = layers.build()
    assert (config.do_calibrate, config.gain, config.read_noise, config.background_subtracted) == (
        False,
        2.0,
        5.0,
        True,
    )


def test_names_of_cosmic_rays_as_the_necam_tutorial_writes_them(tmp_path):
    path = tmp_path / "processCcd.py"
    path.write_text("config.charImage.repair.cosmicray.nCrPixelMax = 1000000\n")
    layers = ConfigLayers(ProcessConfig, PROCESS_NAMES)
    layers.load(path)
    assert layers.build().characterize.cosmic_rays.max_pixels == 1000000


def test_patterns_may_insist_on_capitals():
    layers = ConfigLayers(ProcessConfig, PROCESS_NAMES)
    assert "isr.do_bias=true" in layers.show("*DOBIAS")
    assert "isr.do_bias=true" in layers.show("*.doBias:NOIGNORECASE")
    with pytest.raises(ConfigError, match="no setting matches"):
        layers.show("*DOBIAS:NOIGNORECASE")
