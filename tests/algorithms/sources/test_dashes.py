"""Lines of dashes are found; stars, spikes, and images in which all are drawn out, have none."""

import numpy as np
import pytest

from obs.algorithms.sources.dashes import find_dashes

FWHM = 3.4
SIGMA = FWHM / 2.3548


def scene(n_dash, *, drawn_out=0.0, seed=2):
    """Return an image of 80 stars and dashes of 12 pixels along a line, and the places of both, the dashes last."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(15, 485, (2, 80))
    angle = np.full(80, np.arctan(0.3))
    length = np.full(80, drawn_out)
    along = 30 + 38.0 * np.arange(n_dash)
    x, y = np.r_[x, along * np.cos(angle[0])], np.r_[y, 200 + along * np.sin(angle[0])]
    angle, length = np.r_[angle, angle[:n_dash]], np.r_[length, np.full(n_dash, 12.0)]
    rows, columns = np.indices((500, 500))
    image = rng.normal(0.0, 1.0, (500, 500))
    for x0, y0, t, full in zip(x, y, angle, length, strict=True):
        u = (columns - x0) * np.cos(t) + (rows - y0) * np.sin(t)
        v = (rows - y0) * np.cos(t) - (columns - x0) * np.sin(t)
        beyond = np.maximum(np.abs(u) - 0.5 * full, 0.0)
        image += 40.0 * np.exp(-0.5 * (beyond**2 + v**2) / SIGMA**2)
    return image.astype(np.float32), y.round().astype(np.int64), x.round().astype(np.int64)


def test_dashes_on_a_line_are_found():
    image, row, column = scene(11)
    found = find_dashes(image, row, column, FWHM)
    assert found[-11:].all()
    assert np.count_nonzero(found[:-11]) <= 3


@pytest.mark.parametrize(("n_dash", "drawn_out"), [(0, 0.0), (3, 0.0), (0, 12.0)])
def test_stars_few_dashes_and_trailed_stars_are_none(n_dash, drawn_out):
    assert not find_dashes(*scene(n_dash, drawn_out=drawn_out), FWHM).any()


def test_spikes_of_two_stars_on_one_line_are_none():
    image, row, column = scene(11)
    # they leave the middle of the line empty, and point at stars that are much brighter
    kept = np.r_[np.arange(80), 80 + np.array([0, 1, 2, 3, 7, 8, 9, 10])]
    assert find_dashes(image, row[kept], column[kept], FWHM)[-8:].all()
    for star in 82, 89:
        image[row[star] - 2 : row[star] + 3, column[star] - 2 : column[star] + 3] = 9000.0
    assert not find_dashes(image, row[kept], column[kept], FWHM).any()
