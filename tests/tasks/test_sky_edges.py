"""Edges of the sky that no background follows."""

import numpy as np
import pytest

from obs.algorithms.sources.detection import Peaks
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.sky_edges import mask_sky_edges

FWHM = 3.0


def found(dark):
    """An image with these dark pixels, two sources beside row 100 and one far away, and the warning."""
    mask = Mask.zeros(dark.shape)
    mask.set(dark, "DETECTED_NEGATIVE")
    image = MaskedImage(np.zeros(dark.shape, np.float32), mask, np.ones(dark.shape, np.float32))
    x, y = np.array([50, 150, 150]), np.array([116, 124, 20])
    peaks = Peaks(x, y, np.ones(3, np.float32), np.arange(1, 4))
    return image, mask_sky_edges(image, peaks, FWHM)


def test_sources_beside_a_dark_band_are_suspect():
    dark = np.zeros((200, 200), bool)
    dark[100:112] = True
    image, (warning,) = found(dark)
    suspect = image.mask.any("SUSPECT")
    assert suspect[116, 50]
    assert suspect[124, 150]
    assert not suspect[20, 150]
    assert "2 of 3 sources" in warning
    assert "x 0 to 199, y 100 to 111" in warning


@pytest.mark.parametrize("step", [10, 40])
def test_small_dark_regions_are_no_edges(step):
    dark = np.zeros((200, 200), bool)
    dark[::step, ::step] = True
    dark[50:90, 50:90] = True
    image, warnings = found(dark)
    assert warnings == []
    assert not image.mask.any("SUSPECT").any()
