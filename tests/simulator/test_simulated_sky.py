import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from overscan_camera import FILTERS

from obs.errors import FileFormatError
from obs.image.catalog import Catalog
from obs.simulator.config import ReferenceConfig, SourceConfig
from obs.simulator.sky import magnitudes, make_sky, reference_catalog, select_circle

_CONFIG = SourceConfig(density=3000)


@given(
    ra=st.floats(0, 360),
    dec=st.floats(-90, 90),
    radius=st.floats(0.02, 0.25),
    shift=st.floats(-0.1, 0.1),
    seed=st.integers(0, 99),
)
def test_two_looks_at_the_same_sky_show_the_same_sources(ra, dec, radius, shift, seed):
    first = make_sky(_CONFIG, ra=ra, dec=dec, radius=radius, seed=seed)
    other_dec = float(np.clip(dec + shift, -90, 90))
    second = make_sky(_CONFIG, ra=ra, dec=other_dec, radius=radius + 0.1, seed=seed)
    common = select_circle(second, ra=ra, dec=dec, radius=min(radius, radius + 0.1 - abs(other_dec - dec)))
    assert len(set(first["id"])) == len(first)
    assert set(common["id"]) <= set(first["id"])
    if len(common):
        at = {number: row for row, number in enumerate(first["id"])}
        rows = [at[number] for number in common["id"]]
        np.testing.assert_array_equal(first["coord_ra"][rows], common["coord_ra"])
        np.testing.assert_array_equal(first["mag_z"][rows], common["mag_z"])


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.99, 45.0), (10.0, 89.95), (200.0, -90.0)])
def test_sources_are_as_dense_everywhere(ra, dec):
    radius = 0.7
    found = make_sky(_CONFIG, ra=ra, dec=dec, radius=radius, seed=1)
    expected = 3000 * np.pi * radius**2
    assert len(found) == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_counts_rise_with_magnitude_between_the_limits():
    sky = make_sky(SourceConfig(density=1e5, slope=0.3), ra=10, dec=10, radius=0.5, seed=2)
    stars = sky.select(sky["is_star"])
    assert stars["mag_r"].min() >= 14.0
    assert stars["mag_r"].max() <= 24.0
    counts = np.histogram(stars["mag_r"], np.arange(20, 24.1, 1))[0]
    np.testing.assert_allclose(np.diff(np.log10(counts)), 0.3, atol=0.03)
    galaxies = sky.select(~sky["is_star"])
    assert len(galaxies) / len(sky) == pytest.approx(0.4, abs=0.02)
    assert galaxies["half_light_radius"].min() > 0
    assert (stars["half_light_radius"] == 0).all()


def test_magnitudes_in_other_bands_are_interpolated_in_wavelength():
    sky = make_sky(_CONFIG, ra=10, dec=10, radius=0.2, seed=2)
    np.testing.assert_array_equal(magnitudes(sky, FILTERS[0]), sky["mag_r"])
    np.testing.assert_allclose(magnitudes(sky, FILTERS[1]), (sky["mag_r"] + sky["mag_i"]) / 2)


def test_reference_catalog_lists_stars_with_fluxes_and_errors():
    sky = make_sky(SourceConfig(density=1e5), ra=10, dec=10, radius=0.3, seed=2)
    reference = reference_catalog(sky, FILTERS, ReferenceConfig(faint=21.0, error=0.01), seed=2)
    rows = {number: row for row, number in enumerate(sky["id"])}
    same = sky.select([rows[number] for number in reference["id"]])
    assert same["is_star"].all()
    assert same["mag_r"].max() < 21.0
    np.testing.assert_array_equal(reference["coord_ra"], same["coord_ra"])
    for name, known in (("r", FILTERS[0]), ("n700", FILTERS[1])):
        flux, error = reference[f"{name}_flux"], reference[f"{name}_fluxErr"]
        offset = -2.5 * np.log10(flux / 3631e9) - magnitudes(same, known)
        assert offset.std() == pytest.approx(0.01, rel=0.1)
        assert abs(offset.mean()) < 0.002
        np.testing.assert_allclose(error / flux, 0.01 * np.log(10) / 2.5)


def test_catalog_that_lacks_columns_is_refused():
    bare = Catalog()
    bare.add("coord_ra", np.zeros(2))
    with pytest.raises(FileFormatError, match="the catalog of sources has no column id, coord_dec, is_star"):
        select_circle(bare, ra=0, dec=0, radius=1)
