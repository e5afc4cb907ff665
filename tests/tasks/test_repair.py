import numpy as np
import pytest

from obs.image.gaussian_psf import gaussian_psf
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.repair import CosmicRayConfig, repair_cosmic_rays
from star_field import Gaussian, draw

SHAPE = (80, 80)
NARROW = 0.49


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5])
def test_the_rim_of_a_saturated_star_is_no_cosmic_ray(phase):
    """What the core was filled with is fainter than it was, which makes the pixels beside it look sharp."""
    light = draw(SHAPE, [30 + phase, 60.0], [30 + phase, 60.0], [1e6, 4e4], Gaussian(NARROW, NARROW))
    light[20, 50:56] += 500.0
    light[38:41, 30] += 900.0
    pixels = (light + np.random.default_rng(1).normal(0, 5.0, SHAPE)).astype(np.float32)
    saturated = pixels > 60000
    pixels[saturated] = 3000.0
    masked_image = MaskedImage(pixels, Mask.zeros(SHAPE), np.maximum(pixels, 0) + np.float32(25.0))
    masked_image.mask.set(saturated, "SAT")
    repair_cosmic_rays(masked_image, gaussian_psf(NARROW, NARROW, 0.0, 31), CosmicRayConfig())
    rays = masked_image.mask.any("CR")
    assert not rays[24:36, 24:36].any()
    assert rays[20, 50:56].all()
    assert rays[38:41, 30].all()
