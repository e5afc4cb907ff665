"""Stars show charge that the read-out left behind, and cores that bright stars lose."""

import numpy as np
import pytest

from obs.algorithms.photometry.star_tails import measure_tails
from obs.image.catalog import Catalog
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.star_trends import measure_star_trends

SHAPE, FWHM, NOISE, NUMBER = (600, 640), 3.5, 5.0, 64


def sky_of_stars(tail=0.0, drift=0.0, coma=0.0):
    """Stars on a grid, with tails along y that grow from the lower border, are the same, or grow from the middle."""
    rng = np.random.default_rng(2)
    x = (np.arange(NUMBER) % 8 + 0.5) * 80 + rng.uniform(-10, 10, NUMBER)
    y = (np.arange(NUMBER) // 8 + 0.5) * 75 + rng.uniform(-10, 10, NUMBER)
    flux = np.exp(rng.uniform(np.log(2e4), np.log(4e5), NUMBER))
    image = rng.normal(0, NOISE, SHAPE)
    offset = np.arange(-12, 13)
    for a, b, f in zip(x, y, flux, strict=True):
        row, column = round(b), round(a)
        square = (offset[:, None] + row - b) ** 2 + (offset + column - a) ** 2
        profile = np.exp(-2.7726 * square / FWHM**2)
        star = f * profile / profile.sum()
        part = tail * b / SHAPE[0] + drift + coma * (2 * b / SHAPE[0] - 1)
        core = star[:, 10:15].sum(0)
        image[row - 12 : row + 13, column - 12 : column + 13] += star
        image[row + 6 : row + 14, column - 2 : column + 3] += abs(part) / 8 * core if part > 0 else 0.0
        image[row - 13 : row - 5, column - 2 : column + 3] += abs(part) / 8 * core if part < 0 else 0.0
    return image.astype(np.float32), x, y, flux


def tails(image, x, y, flux):
    bad = np.zeros(image.shape, bool)
    return measure_tails(image, bad, x=x, y=y, flux=flux, fwhm=FWHM, noise=NOISE)


@pytest.mark.parametrize("turn", range(4))
def test_tails_that_grow_from_a_border_are_measured_in_all_directions(turn):
    image, x, y, flux = sky_of_stars(tail=0.03)
    for _ in range(turn):
        image, (x, y) = np.rot90(image), (y, image.shape[1] - 1 - x)
    found = tails(np.ascontiguousarray(image), x, y, flux)
    assert found.part == pytest.approx(0.026, abs=0.004)  # a ninth of the light lies outside of the strip
    assert (found.axis, found.upward) == [("y", True), ("x", True), ("y", False), ("x", False)][turn]


@pytest.mark.parametrize("kind", [{}, {"drift": 0.03}, {"coma": 0.03}])
def test_other_tails_are_not_those_of_the_read_out(kind):
    assert tails(*sky_of_stars(**kind)).part == 0.0


def catalog_of(x, y, flux, growth):
    size = 2.0 * (1.0 + growth * flux / flux.max())
    catalog = Catalog()
    columns = {
        "base_SdssCentroid_x": x,
        "base_SdssCentroid_y": y,
        "base_PsfFlux_instFlux": flux,
        "base_PsfFlux_instFluxErr": np.full(len(x), 60.0),
        "parent": np.zeros(len(x), np.int64),
    }
    for axis in ("xx", "yy"):
        columns[f"base_SdssShape_{axis}"] = size**2 * (1 + np.random.default_rng(4).normal(0, 60.0 / flux))
        columns[f"base_SdssShape_psf_{axis}"] = np.full(len(x), 4.0)
    for name, values in columns.items():
        catalog.add(name, values, "", "")
    return catalog


@pytest.mark.parametrize(("growth", "told"), [(0.03, "larger"), (-0.03, "smaller"), (0.0, "")])
def test_bright_stars_of_another_size_are_told(growth, told):
    image, x, y, flux = sky_of_stars(tail=0.03 if told == "larger" else 0.0)
    pixels = MaskedImage(image, Mask.zeros(SHAPE), np.full(SHAPE, NOISE**2, np.float32))
    found = measure_star_trends(pixels, catalog_of(x, y, flux, growth), np.ones(NUMBER, bool), FWHM)
    assert found.growth == pytest.approx(growth, abs=0.006)
    texts = [text for text in found.warnings if "the brightest stars are" in text]
    assert len(texts) == bool(told)
    assert all(told in text for text in texts)
    assert any("grow toward the upper border" in text for text in found.warnings) == (told == "larger")
    few = measure_star_trends(pixels, catalog_of(x, y, flux, growth), np.arange(NUMBER) < 5, FWHM)
    assert np.isnan(few.tail)
    assert not few.warnings
