"""Red, green and blue that a program computed from a color mosaic."""

import numpy as np
import pytest
from astropy.io import fits

from obs.errors import FileFormatError
from obs.inspection.whole_files import find_planes
from obs.repo.color_cubes import holds_colors
from obs.repo.cube_planes import write_planes

SHAPE = (64, 80)
_AROUND = np.array([1.0, 2.0, 1.0])


def spread(plane, kernel):
    """Return a plane convolved with a kernel of 3 x 3, the edges wrapped."""
    steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return sum(kernel[y + 1, x + 1] * np.roll(plane, (y, x), (0, 1)) for y, x in steps)


def debayer(mosaic, pattern):
    """Return the cube of colors, those not seen interpolated between neighbors."""
    cube = []
    for color in "RGB":
        seen = np.zeros_like(mosaic)
        for number in (n for n, letter in enumerate(pattern) if letter == color):
            seen[number // 2 :: 2, number % 2 :: 2] = mosaic[number // 2 :: 2, number % 2 :: 2]
        cross = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4.0
        cube.append(spread(seen, cross if color == "G" else np.outer(_AROUND, _AROUND) / 4.0))
    return np.array(cube, np.float32)


def debayer_along_edges(mosaic, pattern):
    """Return the cube of colors that a program computes which follows edges, and so keeps most of the noise."""
    rolled = {(y, x): np.roll(mosaic, (y, x), (0, 1)) for y in range(-2, 3) for x in range(-2, 3)}
    green, steps = [], []
    for one, two in (((0, 1), (0, 2)), ((1, 0), (2, 0))):
        near, far = ((rolled[a], rolled[-a[0], -a[1]]) for a in (one, two))
        bend = 2 * mosaic - far[0] - far[1]
        green.append((near[0] + near[1]) / 2 + bend / 4)
        steps.append(np.abs(near[0] - near[1]) + np.abs(bend))
    cell = np.tile(np.array(list(pattern)).reshape(2, 2), np.array(mosaic.shape) // 2)
    full = np.where(cell == "G", mosaic, np.where(steps[0] < steps[1], *green))
    cube = []
    for color in "RB":
        differences = np.where(cell == color, mosaic - full, 0.0)
        cube.append(np.where(cell == color, mosaic, full + spread(differences, np.outer(_AROUND, _AROUND) / 4.0)))
    return np.array([cube[0], full, cube[1]], np.float32)


def write(path, cube, **cards):
    header = fits.Header({"DATE-OBS": "2026-11-20T21:00:00", "ROWORDER": "BOTTOM-UP"} | cards)
    fits.PrimaryHDU(cube, header).writeto(path)
    return path


@pytest.mark.parametrize("method", [debayer, debayer_along_edges])
@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_the_mosaic_is_put_together_again(tmp_path, pattern, method):
    mosaic = np.random.default_rng(4).normal(0.2, 0.01, (3 * SHAPE[0], 3 * SHAPE[1])).astype(np.float32)
    path = write(tmp_path / "light.fit", method(mosaic, pattern))
    assert find_planes([path])[0] == "colors"
    (file,) = write_planes(path, tmp_path / "out", "colors")
    pixels, header = fits.getdata(file, header=True)
    assert header["BAYERPAT"] == pattern
    assert "ROWORDER" not in header
    np.testing.assert_allclose(pixels, mosaic, rtol=1e-6)


def test_whole_counts_show_the_mosaic_where_the_noise_does_not(tmp_path):
    levels = np.tile([[900.0, 180.0], [2700.0, 900.0]], (96, 120))  # green is noisier than the blue that was seen
    mosaic = np.random.default_rng(7).poisson(levels)
    mosaic[40:44, 40:44] = 60_000
    path = write(tmp_path / "light.fit", debayer_along_edges(mosaic / 65535, "GRBG"), PROGRAM="Siril 1.4")
    (file,) = write_planes(path, tmp_path / "out", "colors")
    assert fits.getheader(file)["BAYERPAT"] == "GRBG"
    np.testing.assert_allclose(65535 * fits.getdata(file), mosaic, atol=0.01)


def test_cells_of_equal_pixels_are_a_mosaic_too(tmp_path):
    cells = np.random.default_rng(5).integers(300, 400, (3, 32, 40)).astype(np.float32) / 65535
    path = write(tmp_path / "light.fit", np.kron(cells, np.ones((1, 2, 2), np.float32)))
    (file,) = write_planes(path, tmp_path / "out", "colors")
    np.testing.assert_array_equal(fits.getdata(file)[::2, ::2], cells[0])


def test_planes_without_a_mosaic_are_refused(tmp_path):
    cube = np.random.default_rng(6).normal(0.2, 0.01, (3, *SHAPE)).astype(np.float32)
    with pytest.raises(FileFormatError, match=r"does not show the color mosaic .*save the frames without debayering"):
        write_planes(write(tmp_path / "stack.fit", cube), tmp_path / "out", "colors")
    with pytest.raises(FileFormatError, match="a cube of 2 planes, not of red, green and blue"):
        write_planes(write(tmp_path / "two.fit", cube[:2]), tmp_path / "out", "colors")


@pytest.mark.parametrize(
    ("scale", "cards", "wanted"),
    [(1, {}, False), (1, {"PROGRAM": "Siril 1.2.3"}, True), (1, {"CTYPE3": "RGB"}, True), (1e-4, {}, True)],
)
def test_what_says_that_planes_are_colors(tmp_path, scale, cards, wanted):
    cube = np.full((3, *SHAPE), 1000.0 * scale, np.float32)
    assert holds_colors(write(tmp_path / "cube.fit", cube, **cards)) == wanted
