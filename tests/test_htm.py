"""The triangular mesh."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.htm import cover_circle, htm_index
from obs.sky_vectors import sky_positions, sky_vectors

ra = st.floats(0, 360)
dec = st.floats(-90, 90)


@pytest.mark.parametrize("depth", [0, 1, 7])
def test_numbers_of_a_depth(depth):
    rng = np.random.default_rng(1)
    numbers = htm_index(ra=rng.uniform(0, 360, 5000), dec=np.degrees(np.arcsin(rng.uniform(-1, 1, 5000))), depth=depth)
    assert numbers.min() >= 8 * 4**depth
    assert numbers.max() < 16 * 4**depth
    assert depth > 1 or len(np.unique(numbers)) == 8 * 4**depth


@pytest.mark.parametrize(
    ("longitude", "latitude", "number"),
    [
        (45, -45, 8),
        (135, -45, 9),
        (225, -45, 10),
        (315, -45, 11),
        (315, 45, 12),
        (225, 45, 13),
        (135, 45, 14),
        (45, 45, 15),
    ],
)
def test_the_eight_first_triangles(longitude, latitude, number):
    assert htm_index(ra=longitude, dec=latitude, depth=0) == [number]
    # The child in the middle is the one that is called 3.
    assert htm_index(ra=longitude, dec=latitude / 1.3, depth=1) == [number * 4 + 3]


def test_a_triangle_holds_its_children():
    rng = np.random.default_rng(2)
    place = {"ra": rng.uniform(0, 360, 1000), "dec": rng.uniform(-90, 90, 1000)}
    np.testing.assert_array_equal(htm_index(**place, depth=9) >> 4, htm_index(**place, depth=7))


@given(ra, dec, st.floats(1e-4, 170), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_a_cover_misses_nothing(ra, dec, radius, depth, seed):
    rng = np.random.default_rng(seed)
    center = sky_vectors(ra, dec)[0]
    aside = np.cross(center, [0.36, 0.48, 0.8])
    aside /= np.linalg.norm(aside)
    angle, distance = rng.uniform(0, 2 * np.pi, 300), np.radians(radius) * rng.uniform(0, 1, 300) ** 0.25
    offset = np.cos(angle)[:, None] * aside + np.sin(angle)[:, None] * np.cross(center, aside)
    points = np.cos(distance)[:, None] * center + np.sin(distance)[:, None] * offset
    longitude, latitude = (
        np.degrees(np.arctan2(points[:, 1], points[:, 0])),
        np.degrees(np.arcsin(points[:, 2].clip(-1, 1))),
    )
    numbers = htm_index(ra=longitude, dec=latitude, depth=depth)
    assert set(numbers) <= set(cover_circle(ra=ra, dec=dec, radius=radius, depth=depth))


def test_a_cover_is_tight():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(100_000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    longitude, latitude = np.degrees(np.arctan2(points[:, 1], points[:, 0])), np.degrees(np.arcsin(points[:, 2]))
    numbers = htm_index(ra=longitude, dec=latitude, depth=3)
    for center_ra, center_dec, radius in ((10, 20, 5), (200, -80, 20), (0, 90, 1), (123, 45, 60)):
        inside = points @ sky_vectors(center_ra, center_dec)[0] > np.cos(np.radians(radius))
        cover = cover_circle(ra=center_ra, dec=center_dec, radius=radius, depth=3)
        seen = np.unique(numbers[inside])
        assert np.isin(seen, cover).all()
        # What random points do not hit are corners that the circle only grazes.
        assert len(cover) <= 1.05 * len(seen) + 3


def test_the_whole_sky_and_a_point():
    assert len(cover_circle(ra=1, dec=2, radius=180, depth=3)) == 8 * 4**3
    assert len(cover_circle(ra=1, dec=2, radius=500, depth=0)) == 8
    assert list(cover_circle(ra=0, dec=90, radius=0, depth=0)) == [12, 13, 14, 15]
    assert list(cover_circle(ra=45, dec=45, radius=0, depth=0)) == [15]


@given(ra, dec)
def test_positions_of_vectors(longitude, latitude):
    found = sky_vectors(*sky_positions(3.0 * sky_vectors(longitude, latitude)))
    np.testing.assert_allclose(found, sky_vectors(longitude, latitude), atol=1e-14)
