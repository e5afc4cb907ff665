import numpy as np
import pytest

from obs.algorithms.detector.linearity import Linearity, linearize
from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

COUNTS = np.linspace(-20, 60000, 300 * 400, dtype=np.float32).reshape(300, 400)
ALL = Box(0, 0, 400, 300)


def pixels(image=COUNTS):
    return MaskedImage(image.copy(), Mask.zeros(image.shape), np.full(image.shape, 10.0, np.float32))


def corrected(linearity, image=COUNTS, gain=2.0):
    result = pixels(image)
    linearize(result, Box(0, 0, image.shape[1], image.shape[0]), linearity, gain=gain)
    return result


def test_squared_undoes_a_quadratic_response():
    light, c = COUNTS.clip(0), 1.6e-7
    response = ((np.sqrt(1 + 4 * c * light.astype(float)) - 1) / (2 * c)).astype(np.float32)
    assert np.abs(light - response).max() > 500
    assert corrected(Linearity("Squared", (c, 0.0)), response).image == pytest.approx(light, rel=1e-6, abs=0.01)


def test_polynomial_begins_with_the_square():
    x = COUNTS.astype(float)
    expected = x + 1e-7 * x**2 - 2e-13 * x**3
    assert corrected(Linearity("Polynomial", (1e-7, -2e-13))).image == pytest.approx(expected, rel=1e-6, abs=0.01)


def test_spline_is_subtracted_and_level_outside():
    points, values = (0.0, 10000.0, 30000.0, 50000.0), (0.0, 10.0, 50.0, 200.0)
    result = corrected(
        Linearity("Spline", points + values), np.array([[-9.0, 0.0, 10000.0, 30000.0, 60000.0]], np.float32)
    )
    assert result.image[0] == pytest.approx([-9.0, 0.0, 9990.0, 29950.0, 59800.0])


def test_lookup_table_is_indexed_by_whole_counts():
    table = np.array([[0, 0, 0, 0], [5, 6, 7, 8]], np.float32)
    image = np.array([[-3.0, 0.9, 1.0, 2.5, 99.0, np.nan]], np.float32)
    result = corrected(Linearity("LookupTable", (1, 1), table), image)
    assert result.image[0, :5] == pytest.approx([2.0, 6.9, 8.0, 10.5, 107.0])
    assert np.isnan(result.image[0, 5])


@pytest.mark.parametrize("kind", ["None", "Proportional"])
def test_linear_counts_stay(kind):
    result = corrected(Linearity(kind))
    assert np.array_equal(result.image, COUNTS)
    assert np.all(result.variance == 10.0)


def test_variance_is_that_of_simulated_counts():
    rng = np.random.default_rng(3)
    light, gain, c = 100_000.0, 2.0, 1.6e-6
    electrons = rng.poisson(light, COUNTS.shape) / gain
    response = ((np.sqrt(1 + 4 * c * electrons) - 1) / (2 * c)).astype(np.float32)
    result = pixels(response)
    result.variance[:] = response / gain
    assert np.mean(result.variance) < 0.95 * light / gain**2
    linearize(result, ALL, Linearity("Squared", (c,)), gain=gain)
    assert np.mean(result.variance) == pytest.approx(np.var(result.image), rel=0.02)


@pytest.mark.parametrize(
    ("linearity", "message"),
    [
        (Linearity("Cubic", (1.0,)), "linearity type 'Cubic' is none of None, Proportional, Squared"),
        (Linearity("Squared"), "linearity type 'Squared' needs 1 finite coefficients or more, got"),
        (Linearity("Squared", (float("nan"),)), "needs 1 finite coefficients"),
        (Linearity("Spline", (2.0, 1.0, 0.0, 0.0)), "needs as many increasing counts as values"),
        (Linearity("LookupTable", (0, 0)), "'LookupTable' needs a table; switch off with -c isr.do_linearize=false"),
        (Linearity("LookupTable", (3, 0), np.zeros((2, 5), np.float32)), "table has 2 rows, row 3 is asked for"),
    ],
)
def test_what_cannot_be_done_is_told(linearity, message):
    with pytest.raises(FileFormatError, match=message):
        corrected(linearity)
