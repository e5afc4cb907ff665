"""Exposures in memory."""

import numpy as np
import pytest

from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs


def make_exposure():
    wcs = TanSipWcs((10.0, 1.0), (5.0, 5.0), np.eye(2) * 1e-4)
    stamp = np.zeros((1, 3, 3), np.float32)
    stamp[0, 1, 1] = 1
    pixels = MaskedImage(np.arange(120, dtype=np.float32).reshape(10, 12))
    return Exposure(
        pixels,
        wcs=wcs,
        psf=PixelPsf(stamp, 0, x_zero=4.0, x_scale=2.0, y_zero=3.0, y_scale=2.0),
        metadata={"A": 1},
        other_wcs={"b": wcs},
    )


def test_copy_has_its_own_pixels_and_metadata():
    exposure = make_exposure()
    other = exposure.copy()
    other.masked_image.image[0, 0], other.metadata["A"] = -1, 2
    assert exposure.masked_image.image[0, 0] == 0
    assert exposure.metadata == {"A": 1}
    assert other.wcs is exposure.wcs


def test_ccddata_masks_what_is_bad_and_not_what_is_detected():
    exposure = make_exposure()
    exposure.masked_image.mask.array[1, 1] = exposure.masked_image.mask.bits("DETECTED", "EDGE")
    exposure.masked_image.mask.array[2, 3] = exposure.masked_image.mask.bits("DETECTED", "CR")
    exposure.metadata["BUNIT"] = "electron/s"
    data = exposure.to_ccddata()
    assert np.argwhere(data.mask).tolist() == [[2, 3]]
    assert (str(data.unit), data.meta["A"]) == ("electron / s", 1)
    assert np.shares_memory(data.data, exposure.masked_image.image)
    np.testing.assert_array_equal(data.uncertainty.array, exposure.masked_image.variance)
    np.testing.assert_allclose(data.wcs.pixel_to_world_values(2, 3), exposure.wcs.pixel_to_sky(x=2, y=3))


def test_cutout():
    part = make_exposure().cutout(Box(2, 3, 4, 5))
    assert part.shape == (5, 4)
    assert part.masked_image.image[0, 0] == 38
    assert part.wcs.crpix == (3.0, 2.0)
    assert (part.psf.x_zero, part.psf.y_zero) == (2.0, 0.0)
    assert part.other_wcs["b"].crpix == (3.0, 2.0)


def test_cutout_leaves_out_a_psf_that_it_cannot_move():
    exposure = make_exposure()
    exposure.psf = object()
    assert exposure.cutout(Box(0, 0, 2, 2)).psf is None


def test_cutout_beyond_the_image():
    with pytest.raises(ValueError, match="leaves the image of 12 x 10 pixels"):
        make_exposure().cutout(Box(2, 3, 40, 5))
