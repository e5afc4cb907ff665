import numpy as np
import pytest

from obs.algorithms.detector.fringe import fit_fringe
from obs.errors import MeasurementError

SHAPE = (500, 600)


def pattern():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (np.sin(0.12 * x + 0.05 * y + 2 * np.sin(y / 80)) + 0.3).astype(np.float32)


def scene(amplitude, *, seed=1, stars=60):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = 1000 + 0.1 * x + amplitude * pattern() + rng.normal(0, 10, SHAPE)
    for _ in range(stars):
        at_x, at_y = rng.uniform(0, SHAPE[1]), rng.uniform(0, SHAPE[0])
        image += 5000 * np.exp(-0.5 * ((x - at_x) ** 2 + (y - at_y) ** 2) / 4)
    return image.astype(np.float32)


@pytest.mark.parametrize("amplitude", [0.0, 20.0, 55.0])
def test_amplitude_among_stars_and_on_a_slope(amplitude):
    fit = fit_fringe(scene(amplitude), pattern(), np.zeros(SHAPE, bool), number=8000)
    assert fit.amplitude == pytest.approx(amplitude, abs=max(5 * fit.error, 0.3))
    assert fit.error < 0.2
    assert 4000 < fit.n_box <= 8000


def test_bad_pixels_do_not_count():
    image, bad = scene(30.0, stars=0), np.zeros(SHAPE, bool)
    image[:, 200:260] = 1e6
    image[0] = np.nan
    bad[:, 200:260] = bad[0] = True
    fit = fit_fringe(image, pattern(), bad, number=5000)
    assert fit.amplitude == pytest.approx(30.0, abs=0.5)


def test_same_seed_same_result():
    image, bad = scene(30.0), np.zeros(SHAPE, bool)
    assert fit_fringe(image, pattern(), bad, number=500, seed=4) == fit_fringe(
        image, pattern(), bad, number=500, seed=4
    )
    assert fit_fringe(image, pattern(), bad, number=500, seed=4) != fit_fringe(
        image, pattern(), bad, number=500, seed=5
    )


@pytest.mark.parametrize(("fringe", "bad"), [(np.ones, np.zeros), (np.zeros, np.zeros), (np.ones, np.ones)])
def test_without_structure_or_pixels_there_is_no_amplitude(fringe, bad):
    with pytest.raises(MeasurementError, match="boxes can be used to measure the fringes, too few"):
        fit_fringe(scene(1.0), fringe(SHAPE, np.float32), bad(SHAPE, bool), number=200)
