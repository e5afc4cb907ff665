"""Frames whose counts a program has divided by the largest of sixteen bits."""

import numpy as np
import pytest
from astropy.io import fits

from obs.inspection.raw_file import read_raw_file
from obs.repo.fits_raw import read_raw

COUNTS = np.random.default_rng(1).integers(290, 40000, (12, 16))


@pytest.mark.parametrize(
    ("pixels", "factor"),
    [
        ((COUNTS / 65535).astype(np.float32), 65535.0),
        (COUNTS.astype(np.float32), 1.0),
        (COUNTS.astype(np.uint16), 1.0),
        ((COUNTS > 20000).astype(np.uint8), 1.0),
        (np.zeros((12, 16), np.float32), 1.0),
        ((COUNTS / 65535 - 0.1).astype(np.float32), 1.0),
        (np.full((12, 16), np.nan, np.float32), 1.0),
    ],
)
def test_parts_of_full_scale_become_counts(tmp_path, pixels, factor):
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(pixels).writeto(path)
    raw = read_raw(path).images[0]
    assert np.allclose(raw, pixels * factor, rtol=1e-6, equal_nan=True)
    image = read_raw_file(path).images[0]
    assert np.allclose(image.pixels, pixels * factor, rtol=1e-6, equal_nan=True)
    assert image.is_normalized == (factor > 1)
