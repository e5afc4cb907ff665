"""Calibrations that the frames of a build share."""

import numpy as np
import pytest

from obs.calibration_frames.kept_calibrations import KeptCalibrations
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.repo.fits_exposure import write_exposure
from obs.tasks.isr_config import IsrConfig


@pytest.fixture
def settings(tmp_path):
    for visit in (1, 2):
        write_exposure(Exposure(MaskedImage(np.full((4, 5), visit, np.float32))), tmp_path / f"bias-{visit}.fits")
    return IsrConfig(bias_path=f"{tmp_path}/bias-%(visit)d.fits", check_forced_calibrations=False)


def test_a_file_is_read_once_and_cannot_be_changed(settings):
    kept = KeptCalibrations()
    first, again, other = (kept.read(None, "bias", {"visit": visit}, settings) for visit in (1, 1, 2))
    assert again.value is first.value
    assert other.value.masked_image.image[0, 0] == 2
    for plane in (first.value.masked_image.image, first.value.masked_image.mask.array):
        with pytest.raises(ValueError, match="read-only"):
            plane[0, 0] = 1
    kept.release()
    assert kept.read(None, "bias", {"visit": 2}, settings).value is not other.value


def test_a_missing_one_is_looked_for_again(settings):
    kept = KeptCalibrations()
    for _ in range(2):
        assert "bias-3.fits" in kept.read(None, "bias", {"visit": 3}, settings).problem
