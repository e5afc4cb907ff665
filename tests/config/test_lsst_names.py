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


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("isr.readNoise=5", "isr.read_noise", 5.0),
        ("isr.overscan.numLeadingColumnsToSkip=2", "isr.overscan.leading_columns_to_skip", 2),
        ("isr.qa.flatness.clipSigma=4", "isr.sky.clip", 4.0),
        ("charImage.doMaskStreaks=False", "characterize.streaks.enabled", False),
        ('charImage.measurePsf.psfDeterminer[pca].spatialOrder=2', "characterize.psf.degree", 2),
        ("charImage.measurePsf.makePsfCandidates.kernelSize=21", "characterize.psf.stamp_size", 21),
        ('calibrate.measureApCorr.sourceSelector["science"].signalToNoise.minimum=99',
         "calibrate.aperture_correction.minimum_signal_to_noise", 99.0),
        ("calibrate.astrometry.matcher.minMatchedPairs=30", "calibrate.astrometry.minimum_stars", 30),
        ("calibrate.connections.photoRefCat=ps1", "calibrate.reference.name", "ps1"),
        ("calibrate.refObjLoader.ref_dataset_name=ps1", "calibrate.reference.name", "ps1"),
    ],
)  # fmt: skip
def test_names_with_a_counterpart(text, name, value):
    layers = ConfigLayers(ProcessConfig, PROCESS_NAMES)
    layers.set(text)
    layers.build()
    assert layers.get(name) == value


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("charImage.measurePsf.starSelector['objectSize'].fluxMin", "no counterpart, stars of the PSF are found by"),
        ("calibrate.measurement.plugins.names", "no counterpart, every measurement is always made"),
        ("isr.fwhm", "no counterpart, pixels are filled without a PSF"),
        ("isr.qa.flatness.niter", "no counterpart, the quality is in metrics"),
        ("calibrate.checkUnitsParseStrict", "no counterpart, units are always checked; leave it out"),
        ("charImage.measurePsf.psfDeterminer", "no counterpart, there is one kind of PSF"),
        ("isr.doAssembleIsrExposures", "no counterpart, calibrations are of whole detectors"),
        # slips of the pen are none of the stack
        ("charImage.detection.thresholdValu", "did you mean 'charImage.detection.thresholdValue'"),
        ("charImage.detection.thresold", "did you mean 'charImage.detection.thresholdValue'"),
        ("calibrate.background.binsize", "did you mean 'calibrate.background.bin_size'"),
    ],
)
def test_names_without_a_counterpart_say_what_is_so_instead(name, message):
    with pytest.raises(ConfigError, match=message):
        ConfigLayers(ProcessConfig, PROCESS_NAMES).set(f"{name}=1")
