"""Stars that all flats have at the same place."""

import numpy as np
import pytest

from obs.calibration_frames.flat_spots import warn_of_spots
from obs.image.mask import Mask

SHAPE = 200, 240
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]
PLACES = np.random.default_rng(4).uniform(30, 170, (25, 2))


def flat(height, sigma, *, ring=0.0):
    """Return a flat with spots, whose pixels differ from one another by 1 %."""
    image = 1.0 + np.random.default_rng(5).normal(0, 0.01, SHAPE) - 0.05 * (X / SHAPE[1] - 0.5) ** 2
    for y, x in PLACES:
        image += height * np.exp(-0.5 * ((np.hypot(X - x, Y - y) - ring) / sigma) ** 2)
    return image.astype(np.float32)


@pytest.mark.parametrize(("height", "sigma"), [(0.05, 1.2), (0.4, 1.2), (0.03, 3.5)])
def test_stars_are_named(height, sigma):
    (line,) = warn_of_spots(flat(height, sigma), Mask(np.zeros(SHAPE, np.int32)))
    assert "bright spots of the shape of stars" in line


@pytest.mark.parametrize(
    ("height", "settings"),
    [(0.0, {"sigma": 1.0}), (-0.05, {"sigma": 2.0}), (-0.05, {"sigma": 2.0, "ring": 8.0}), (0.4, {"sigma": 0.1})],
    ids=["nothing", "dead spots", "dust", "single pixels"],
)
def test_dust_and_pixels_are_not(height, settings):
    assert warn_of_spots(flat(height, **settings), Mask(np.zeros(SHAPE, np.int32))) == []


@pytest.mark.parametrize("value", [0.0, 0.5, 1.5])
def test_steps_of_amplifiers_and_columns_are_no_stars(value):
    """Both are maxima of the smoothed flat, one beside the other, however the noise has it."""
    image = flat(0.0, 1.0)
    image[:, SHAPE[1] // 2 :] *= 0.95
    for column, rows in ((40, slice(None)), (90, slice(100, 180)), (130, slice(60, 220))):
        image[rows, column] *= value
    assert warn_of_spots(image, Mask(np.zeros(SHAPE, np.int32))) == []
