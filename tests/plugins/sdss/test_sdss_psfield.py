"""Point-spread functions."""

import numpy as np
import pytest
from astropy.io import fits
from sdss_files import components, real_id

from obs.errors import FileFormatError
from obs_sdss.psfield import read_psfield

POSITIONS = [(0.0, 0.0), (2047.0, 1360.0), (2047.0, 0.0), (1000.3, 700.8)]


def direct_sum(weights, images, x, y):
    """The PSF from its definition, normalized on the inner 31 x 31 pixels."""
    total = np.zeros((51, 51))
    for c, image in zip(np.asarray(weights, float), np.asarray(images, float), strict=True):
        total += sum(c[i, j] * (y / 1000) ** i * (x / 1000) ** j for i in range(3) for j in range(3)) * image
    inner = total[10:41, 10:41]
    return inner / inner.sum()


@pytest.mark.parametrize(("x", "y"), POSITIONS)
@pytest.mark.parametrize("band", "uz")
def test_psf_is_the_sum_of_its_components(files, frame, band, x, y):
    psf = read_psfield(files["psField"], frame.data_id | {"filter": band})
    stamp = psf.evaluate(x=x, y=y)[0]
    assert stamp.shape == (31, 31)
    np.testing.assert_allclose(stamp, direct_sum(*components(band), x, y), atol=2e-7)


def test_psf_knows_its_width_and_stars(files, frame):
    psf = read_psfield(files["psField"], frame.data_id | {"filter": "r"})
    middle = direct_sum(*components("r"), 1024, 744)
    area = np.count_nonzero(middle > 0.5 * middle.max())
    assert psf.fwhm == pytest.approx(2 * np.sqrt(area / np.pi), rel=0.15)
    assert psf.n_star == 47


def test_light_of_the_basis_is_near_one(files, frame):
    """So that readers of PSFEx files that do not normalize draw about one count."""
    assert read_psfield(files["psField"], frame.data_id).basis[0].sum() == pytest.approx(1.0)


def test_unknown_filter_is_told(files, frame):
    with pytest.raises(FileFormatError, match=r"psField.*: holds nothing for 'y': FILTERS is 'u g r i z'"):
        read_psfield(files["psField"], frame.data_id | {"filter": "y"})


def test_truncated_file_is_told(files, frame, tmp_path):
    path = tmp_path / "psField.fit"
    path.write_bytes(files["psField"].read_bytes()[:20000])
    with pytest.raises(FileFormatError, match=r"psField\.fit: "):
        read_psfield(path, frame.data_id | {"filter": "z"})


@pytest.mark.parametrize("band", "gr")
def test_real_psf_is_the_sum_of_its_components(stripe82, band):
    path = stripe82 / "objcs/4/psField-004192-4-0300.fit"
    psf = read_psfield(path, real_id(band))
    table = fits.getdata(path, 1 + "ugriz".index(band))
    images = [rows.reshape(51, 51) for rows in table["RROWS"]]
    for x, y in POSITIONS:
        stamp = psf.evaluate(x=x, y=y)[0]
        np.testing.assert_allclose(stamp, direct_sum(table["c"], images, x, y), atol=1e-7)
