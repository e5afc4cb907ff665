"""Astrometry."""

import gzip

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord, SkyOffsetFrame
from hypothesis import given
from hypothesis import strategies as st
from sdss_files import astrans_row, real_id

from obs.errors import FileFormatError
from obs_sdss.astrans import FieldTransform, read_astrans, read_transform

MAS = 1 / 3.6e6


def grid():
    x, y = np.meshgrid(np.linspace(-0.5, 2047.5, 41), np.linspace(-0.5, 1360.5, 37))
    return x.ravel(), y.ravel()


def separation(ra_1, dec_1, ra_2, dec_2):
    """Angle in mas."""
    d_ra = (np.asarray(ra_1) - ra_2 + 180) % 360 - 180
    return np.hypot(d_ra * np.cos(np.deg2rad(dec_2)), np.asarray(dec_1) - dec_2) / MAS


@pytest.mark.parametrize(("camcol", "band"), [(1, "r"), (2, "g"), (6, "g"), (4, "u"), (5, "z"), (3, "i")])
def test_rows_are_those_of_the_ccd_and_field(files, frame, camcol, band):
    data_id = frame.data_id | {"camcol": camcol, "filter": band}
    transform = read_transform(files["asTrans"], data_id)
    row = astrans_row(frame, camcol, band, frame.field)
    assert transform.mu_terms.tolist() == [row["a"], row["b"], row["c"]]
    assert transform.nu_terms.tolist() == [row["d"], row["e"], row["f"]]
    assert transform.column_terms[3] == row["dCol3"]


@given(
    node=st.floats(0, 359),
    inclination=st.floats(-80, 80),
    mu=st.floats(0, 359),
    nu=st.floats(-5, 5),
)
def test_great_circle_agrees_with_astropy(node, inclination, mu, nu):
    """The great circle's coordinates are those of a frame centered on its ascending node and turned by its tilt."""
    none = np.zeros(4)
    transform = FieldTransform(node, inclination, none, none, np.array([mu, 0, 0]), np.array([nu, 0, 0]))
    ra, dec = transform.pixel_to_sky(x=0.0, y=0.0)
    circle = SkyOffsetFrame(origin=SkyCoord(node * units.deg, 0 * units.deg), rotation=(-inclination) * units.deg)
    sky = SkyCoord((mu - node) * units.deg, nu * units.deg, frame=circle).icrs
    assert separation(ra, dec, sky.ra.deg, sky.dec.deg) < 1e-3


def test_wcs_follows_the_transformation(files, frame):
    x, y = grid()
    wcs = read_astrans(files["asTrans"], frame.data_id)
    exact = read_transform(files["asTrans"], frame.data_id).pixel_to_sky(x=x, y=y)
    assert separation(*wcs.pixel_to_sky(x=x, y=y), *exact).max() < 0.01
    back = wcs.sky_to_pixel(ra=exact[0], dec=exact[1])
    np.testing.assert_allclose(back, (x, y), atol=1e-5)


def test_gzipped_file_reads_the_same(files, frame, tmp_path):
    path = tmp_path / "asTrans.fit.gz"
    path.write_bytes(gzip.compress(files["asTrans"].read_bytes(), 1))
    plain, packed = (read_transform(p, frame.data_id) for p in (files["asTrans"], path))
    assert plain.mu_terms.tolist() == packed.mu_terms.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field": 99}, "holds no field 99; it has fields 10 to 12"),
        ({"camcol": 7}, "holds nothing for '7': CAMCOLS is '1 2 3 4 5 6'"),
        ({"filter": "y"}, "holds nothing for 'y': FILTERS is 'r i u z g'"),
    ],
)
def test_what_is_not_there_is_told(files, frame, change, message):
    with pytest.raises(FileFormatError, match=rf"asTrans.*\.fit: {message}"):
        read_transform(files["asTrans"], frame.data_id | change)


def test_truncated_file_is_told(files, frame, tmp_path):
    path = tmp_path / "asTrans.fit.gz"
    path.write_bytes(gzip.compress(files["asTrans"].read_bytes())[:-100])
    with pytest.raises(FileFormatError, match=r"asTrans\.fit\.gz: cannot be read as asTrans file .*; get it again"):
        read_transform(path, frame.data_id | {"camcol": 6, "filter": "g"})


@pytest.mark.parametrize("band", "gr")
def test_real_wcs_gives_the_coordinates_of_the_stack(stripe82, stack_catalog, band):
    """The stack's own approximation is 0.42 mas off the exact transformation."""
    wcs = read_astrans(stripe82 / "astrom/asTrans-004192.fit.gz", real_id(band))
    stack = stack_catalog(band, "base_SdssCentroid_x", "base_SdssCentroid_y", "coord_ra", "coord_dec")
    ra, dec = wcs.pixel_to_sky(x=stack["base_SdssCentroid_x"], y=stack["base_SdssCentroid_y"])
    assert np.nanmax(separation(ra, dec, stack["coord_ra"], stack["coord_dec"])) < 0.5
    x, y = grid()
    exact = read_transform(stripe82 / "astrom/asTrans-004192.fit.gz", real_id(band)).pixel_to_sky(x=x, y=y)
    assert separation(*wcs.pixel_to_sky(x=x, y=y), *exact).max() < 0.01
