import re

import numpy as np
import pytest

from obs.algorithms.sky.alternation import measure_alternation
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.background import BackgroundConfig, clip_few_counts, subtract_background
from obs.tasks.fine_structure import warn_of_fine_structure

SHAPE = (400, 400)


def photons(sky):
    image = np.random.default_rng(3).poisson(sky, SHAPE).astype(np.float32)
    return MaskedImage(image, Mask.zeros(SHAPE), np.full(SHAPE, sky, np.float32))


@pytest.mark.parametrize("sky", [0.3, 2.0])
def test_a_sky_of_few_photons_keeps_its_mean(sky):
    config = BackgroundConfig(bin_size=100, order=1)
    pixels = photons(sky)
    first = subtract_background(pixels, config)
    # clipping at three sigma takes the photons in the tail for sources
    assert np.median(first.level) < 0.995 * sky
    again = subtract_background(pixels, clip_few_counts(config, first, {"GAIN": 1.0, "RDNOISE": 0.01}))
    assert np.median(first.level) + np.median(again.level) == pytest.approx(sky, rel=0.01)


@pytest.mark.parametrize("facts", [{}, {"GAIN": 1.0}, {"GAIN": 1.0, "RDNOISE": 5.0}, {"GAIN": 500.0, "RDNOISE": 0.0}])
def test_other_skies_are_clipped_as_the_settings_say(facts):
    config = BackgroundConfig(bin_size=100, order=1)
    assert clip_few_counts(config, subtract_background(photons(0.3), config), facts).clip == config.clip


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda rows, columns: 7 * np.sin((columns + 0.3 * rows) / 6), r"finer than the cells .* scatter 1\.\d times"),
        (
            lambda rows, columns: 2.0 * (rows % 2) + 0 * columns,
            r"every second of the rows differs by [12][.\d]* counts",
        ),
        (lambda rows, columns: 2.0 * (columns % 2) + 0 * rows, r"every second of the columns differs by"),
        (lambda rows, columns: 0.02 * (rows + columns), None),
    ],
)
def test_waves_and_lines_of_the_sky_are_warned_of(add, message):
    pixels = photons(100.0)
    pixels.image += np.float32(add(*np.indices(SHAPE, sparse=True)) - 100.0)
    warnings = warn_of_fine_structure(pixels, BackgroundConfig())
    assert len(warnings) == (message is not None)
    assert all(re.search(message, warning) for warning in warnings)


def test_chance_makes_no_lines_in_small_images():
    pixels = photons(100.0)
    pixels.image -= 100.0
    corners = [(y, x) for y in range(0, SHAPE[0] - 64, 64) for x in range(0, SHAPE[1] - 64, 64)]
    found = [measure_alternation(pixels.image[y : y + 64, x : x + 64], np.ones((64, 64), bool)) for y, x in corners]
    assert len(found) > 20
    assert not np.any(found)
