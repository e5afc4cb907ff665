"""A header that promises an impossible image costs neither time nor memory."""

import numpy as np
import pytest
from astropy.io import fits

from obs.inspection.raw_file import read_raw_file


@pytest.mark.parametrize(("keyword", "value"), [("NAXIS", str(2**63)), ("NAXIS1", "99999999999"), ("BITPIX", "3")])
def test_impossible_sizes(tmp_path, keyword, value):
    path = tmp_path / "x.fits"
    fits.PrimaryHDU(np.ones((40, 50), np.int16)).writeto(path)
    content = path.read_bytes()
    at = content.index(f"{keyword:8}=".encode())
    path.write_bytes(content[:at] + f"{keyword:8}= {value:>20}".ljust(80).encode() + content[at + 80 :])
    assert all(image.pixels is None for image in read_raw_file(path).images)
