"""Trails of satellites and aircraft, and lines that are none."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from obs.algorithms.sky.line_sums import sum_lines
from obs.algorithms.sky.streaks import find_streaks

SHAPE = (700, 1024)
SKY, GAIN = 100.0, 1.0
NOISE = np.sqrt(SKY / GAIN)
ACROSS = (-50, 50, 1080, 560)


def star_light(seed, n=150):
    rng = np.random.default_rng(seed)
    image = np.zeros(SHAPE)
    rows, columns = np.mgrid[-12:13, -12:13]
    for _ in range(n):
        y, x = (int(rng.integers(15, size - 15)) for size in SHAPE)
        flux = min(500 * 10 ** rng.exponential(0.45), 1e6)
        image[y - 12 : y + 13, x - 12 : x + 13] += flux * np.exp(-(rows**2 + columns**2) / 4.5) / 14.1
    return image


def along_and_across(ends):
    x0, y0, x1, y1 = ends
    y, x = np.indices(SHAPE, sparse=True)
    length = np.hypot(x1 - x0, y1 - y0)
    c, s = (x1 - x0) / length, (y1 - y0) / length
    u = (x - x0) * c + (y - y0) * s
    return u, -(x - x0) * s + (y - y0) * c, (u >= 0) & (u <= length)


def trail(ends, peak, *, sigma=1.5, flicker=None, box=None):
    u, t, inside = along_and_across(ends)
    profile = np.exp(-0.5 * (t / sigma) ** 2) if box is None else np.abs(t) < box
    return peak * profile * inside * (1 if flicker is None else flicker(u))


def observe(light, seed=1):
    rng = np.random.default_rng(seed)
    variance = (np.maximum(light, 0) + SKY) / GAIN
    image = light + rng.normal(0, 1, SHAPE) * np.sqrt(variance)
    return image.astype(np.float32), variance.astype(np.float32), np.zeros(SHAPE, bool)


def test_sums_along_lines_are_those_of_their_pixels():
    image = np.zeros((64, 64), np.float32)
    x = np.arange(64)
    image[np.rint(10 + 30 * x / 63).astype(int), x] = 1
    sums = sum_lines(image)
    rise, entry = np.unravel_index(sums.total.argmax(), sums.total.shape)
    assert (rise, entry + sums.first) == (30, 10)
    np.testing.assert_allclose(sums.total.sum(1), image.sum())


@pytest.mark.parametrize(
    ("peak", "settings"),
    [
        (1.0, {}),
        (3.0, {}),
        (30.0, {}),
        (300.0, {"sigma": 2.0}),
        (1.5, {"box": 20}),
        (8.0, {"flicker": lambda u: np.sin(u / 40) > 0.3}),
        (8.0, {"flicker": lambda u: np.abs(np.sin(u / 120)) ** 3}),
    ],
    ids=["1 sigma", "3 sigma", "bright", "very bright", "defocused", "dashed", "tumbling"],
)
def test_a_trail_is_found_and_its_light_is_known(peak, settings):
    own = trail(ACROSS, peak * NOISE, **settings)
    image, variance, bad = observe(star_light(2) + own)
    streaks, mask, light = find_streaks(image, variance, bad)
    assert len(streaks) == 1
    # its axis is found to a pixel at both ends
    slope = (ACROSS[3] - ACROSS[1]) / (ACROSS[2] - ACROSS[0])
    for x, y in zip(streaks[0].x, streaks[0].y, strict=True):
        assert y == pytest.approx(ACROSS[1] + slope * (x - ACROSS[0]), abs=1.5 if peak > 1 else 3)
    assert mask[own > 0.5 * NOISE].mean() > 0.97
    assert mask.mean() < 0.1
    # what is left beside the stars is noise
    left = ((image - light) / np.sqrt(variance))[mask & (star_light(2) < 1)]
    if "flicker" not in settings:
        assert left.std() == pytest.approx(1.0, abs=0.08)
    assert abs(np.median(left)) < 0.1


def test_several_trails_are_found():
    all_of_them = ((ACROSS, 20), ((300, -20, 500, 720), 4), ((-50, 640, 1080, 100), 2), ((-50, 600, 1080, 60), 5))
    light = star_light(3) + sum(trail(ends, peak * NOISE) for ends, peak in all_of_them)
    streaks, _, _ = find_streaks(*observe(light))
    assert len(streaks) == 4


def spikes():
    u, t, _ = along_and_across((200, 300, 800, 480))
    u = u - 313.0
    star = 3e5 * np.exp(-0.5 * (u**2 + t**2) / 2.25) / 14.1
    return star + sum(2000 * np.exp(-0.5 * (b / 1.5) ** 2) / (1 + (a / 12) ** 2) for a, b in ((u, t), (t, u)))


def edge_on_galaxy():
    u, t, _ = along_and_across((200, 300, 800, 480))
    return 400 * np.exp(-np.abs(u - 313) / 50 - np.abs(t) / 4)


def column():
    light = np.zeros(SHAPE)
    light[:, 500] = 60
    return light


def step():
    light = np.zeros(SHAPE)
    light[:, 512:] = 5
    return light


def row_of_stars():
    """Wide stars that happen to be in a row, each as long as a part of the line that is looked at."""
    light = np.zeros(SHAPE)
    for place in (80.0, 185.0, 260.0, 330.0, 365.0):
        u, t, _ = along_and_across((120, 225, 100, 620))
        light += 3000 * np.exp(-0.5 * ((u - place) ** 2 + t**2) / 4.5**2)
    return light


def rings():
    """Stars out of focus, many of which touch one another."""
    rng = np.random.default_rng(4)
    rows, columns = np.indices(SHAPE)
    light = np.zeros(SHAPE)
    for _ in range(80):
        y, x = (int(rng.integers(60, size - 60)) for size in SHAPE)
        near = slice(y - 50, y + 51), slice(x - 50, x + 51)
        r = np.hypot(rows[near] - y, columns[near] - x)
        light[near] += rng.uniform(30, 600) / (1 + np.exp(10 - r)) / (1 + np.exp(r - 22))
    return light


@pytest.mark.parametrize(
    "make", [spikes, edge_on_galaxy, column, step, row_of_stars, rings, lambda: 0.0], ids=lambda f: f.__name__
)
def test_other_lines_are_no_trails(make):
    streaks, mask, light = find_streaks(*observe(star_light(4) + make()))
    assert not streaks
    assert not mask.any()
    assert light is None


def test_crowded_fields_have_no_trails():
    assert not find_streaks(*observe(star_light(5, n=3000)))[0]


@pytest.mark.parametrize("ends", [(0, 300, 2000, 300), (500, 0, 500, 2000)], ids=["row", "column"])
def test_trails_along_rows_and_columns_are_found(ends):
    streaks, mask, light = find_streaks(*observe(star_light(4) + trail(ends, 40.0, sigma=1.7)))
    assert len(streaks) == 1
    assert mask.mean() < 0.05
    assert light.max() == pytest.approx(40.0, rel=0.25)


def test_bleed_trails_are_left_to_saturation():
    light = star_light(6)
    light[100:600, 300:304] = 60_000
    image, variance, bad = observe(light)
    bad |= light >= 60_000
    assert not find_streaks(image, variance, bad)[0]
    # unflagged too it is a line along a column
    image, variance, _ = observe(light)
    assert not find_streaks(image, variance, np.zeros(SHAPE, bool))[0]


@pytest.mark.parametrize("flux", [3e4, 3e5])
def test_the_light_of_a_star_on_a_trail_stays_with_the_star(flux):
    own = trail(ACROSS, 8 * NOISE)
    x = 520
    y = round(ACROSS[1] + (ACROSS[3] - ACROSS[1]) / (ACROSS[2] - ACROSS[0]) * (x - ACROSS[0]))
    rows, columns = np.indices(SHAPE)
    profile = (1 + ((rows - y) ** 2 + (columns - x) ** 2) / 3.9**2) ** -3.0  # four pixels wide
    star = flux * profile / profile.sum()
    image, variance, bad = observe(star_light(2) + own + star)
    streaks, _, light = find_streaks(image, variance, bad)
    assert len(streaks) == 1
    off = np.sum((light - own) * profile) / np.sum(profile**2) * profile.sum()
    # the noise of the star's flux is 2 % of the faint one; a tenth of the trail's light is what is aimed at
    assert abs(off) < 0.1 * np.sum(own * profile) / np.sum(profile**2) * profile.sum()


@pytest.mark.parametrize("middle", [5.0, 1016.0])
def test_a_border_that_is_brighter_is_no_trail(middle):
    x = np.arange(SHAPE[1])
    light = 10.0 * np.exp(-0.5 * ((x - middle) / 10.0) ** 2) * np.ones((SHAPE[0], 1))
    assert find_streaks(*observe(light))[0] == []


def bent(radius, peak, *, on=None):
    """Return an arc about a place above the image, dashed with so many pixels on and as many off."""
    y, x = np.indices(SHAPE, sparse=True)
    distance = np.hypot(x - 500, y + radius - 500) - radius
    angle = np.arctan2(y + radius - 500, x - 500) * radius
    return peak * NOISE * np.exp(-0.5 * (distance / 1.6) ** 2) * (1 if on is None else (angle // on) % 2)


def beside(distance, peak):
    return sum(trail(tuple(np.add(ACROSS, (0, k * distance, 0, k * distance))), peak * NOISE) for k in range(2))


@pytest.mark.parametrize(
    "own",
    [
        beside(13, 4),
        beside(9, 20),
        bent(3000, 8),
        bent(500, 8),
        bent(1000, 20, on=24),
        trail((300, 200, 410, 260), 15 * NOISE),
        beside(18, 8) * ((np.indices(SHAPE)[1] // 24) % 2),
    ],
    ids=["two", "two near", "bent", "strongly bent", "bent and dashed", "short", "two dashed"],
)
def test_trails_that_no_single_line_follows_are_found(own):
    stars = star_light(2)
    image, variance, bad = observe(stars + own)
    streaks, mask, light = find_streaks(image, variance, bad)
    assert streaks
    assert not any(streak.edge for streak in streaks)
    assert mask[own > NOISE].mean() > 0.65  # where stars are dense, parts stay
    assert mask.mean() < 0.06
    left = ((image - light) / np.sqrt(variance))[mask & (stars < 1)]
    assert abs(np.median(left)) < 0.2


def test_the_light_of_a_bright_star_on_a_bent_trail_stays_with_the_star():
    own = bent(1200, 8)
    rows, columns = np.indices(SHAPE)
    profile = (1 + ((rows - 500) ** 2 + (columns - 500) ** 2) / 3.9**2) ** -3.0  # four pixels wide
    image, variance, bad = observe(own + 3e5 * profile / profile.sum())
    _, _, light = find_streaks(image, variance, bad)
    off = np.sum((light - own) * profile) / np.sum(profile**2) * profile.sum()
    assert abs(off) < 0.02 * 3e5


def shadow():
    """Frost that dims a band of the sky, beside which the sky that was subtracted is too low."""
    _, t, _ = along_and_across(ACROSS)
    return 10 * (np.exp(-0.5 * (t / 40) ** 2) - 2.5 * np.exp(-0.5 * (t / 12) ** 2))


def edge():
    """The edge of an obstacle, which is sharper than the cells of the sky."""
    _, t, _ = along_and_across(ACROSS)
    return 30 * np.tanh(t / 3) * np.exp(-np.abs(t) / 60)


@pytest.mark.parametrize("make", [shadow, edge], ids=lambda f: f.__name__)
def test_shadows_and_edges_are_no_trails(make):
    assert not find_streaks(*observe(star_light(4) + make()))[0]


def test_a_bright_band_beside_a_dark_one_is_called_an_edge():
    bright, dark = bent(1000, 8), np.roll(bent(1000, -7), 12, axis=0)
    streaks, _, _ = find_streaks(*observe(star_light(4) + bright + dark))
    assert streaks
    assert all(streak.edge for streak in streaks)


@pytest.mark.parametrize(("size", "seed"), [(512, 11), (400, 36)])
def test_stars_in_a_row_of_a_crowded_small_image_are_no_trail(size, seed):
    """Both images have chains of stars that are as long as short trails: one and nine of them."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(0.0027 * size**2)
    flux = 18.0 * np.minimum(10 ** rng.exponential(1.4476, number), 3000)
    columns, rows = rng.integers(0, size, number), rng.integers(0, size, number)
    light = np.zeros((size, size))
    np.add.at(light, (rows, columns), flux)
    radius2 = (np.mgrid[-36:37, -36:37] ** 2).sum(axis=0)
    profile = (1 + radius2 * 4 * (2 ** (1 / 3) - 1) / 9) ** -3.0  # three pixels wide
    image = fftconvolve(light, profile / profile.sum(), mode="same")
    variance = 1 + image / 50
    image += rng.normal(size=image.shape) * np.sqrt(variance)
    image -= np.median(image)
    found = find_streaks(image.astype(np.float32), variance.astype(np.float32), np.zeros(image.shape, bool))
    assert found[0] == []


def drawn_out(seed, angle, n=300):
    """Trailed stars: axis ratio 0.2, long axis at an angle, degrees."""
    rng = np.random.default_rng(seed)
    image = np.zeros(SHAPE)
    rows, columns = np.mgrid[-25:26, -25:26]
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u, v = columns * cosine + rows * sine, rows * cosine - columns * sine
    star = np.exp(-0.5 * ((u / 7) ** 2 + (v / 1.4) ** 2)) / (2 * np.pi * 7 * 1.4)
    for y, x in rng.integers(26, np.array(SHAPE) - 26, (n, 2)):
        image[y - 25 : y + 26, x - 25 : x + 26] += 3000 * 10 ** rng.uniform(0, 2) * star
    return image


@pytest.mark.parametrize(("seed", "angle"), [(10, 75.0), (11, 20.0)])
def test_trailed_stars_in_a_row_are_no_trail(seed, angle):
    assert find_streaks(*observe(drawn_out(seed, angle)))[0] == []


@pytest.mark.parametrize("angle", [31.0, 120.0])
def test_a_trail_over_trailed_stars_is_found(angle):
    streaks, _, _ = find_streaks(*observe(drawn_out(1, angle) + trail(ACROSS, 60.0)))
    assert len(streaks) == 1
