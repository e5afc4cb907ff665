"""Which calibration of an image is used."""

import numpy as np
import pytest

from obs.compat.lsst.meas.mosaic import FluxFitParams
from obs.errors import DatasetNotFoundError
from obs.image.exposure import Exposure
from obs.image.flux_correction import FluxCorrection
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler
from obs.repo.description import write_description
from obs.visits.calibration import best_calibration, calibrated_tracts

DATA_ID = {"dateObs": "2024-01-01", "dataType": "SCIENCE", "visit": 7, "filter": "g", "ccd": 1}
SHAPE = (40, 60)


def wcs(ra=150.0):
    return TanSipWcs((ra, 2.0), (29.5, 19.5), np.diag([-1e-4, 1e-4]))


def tilted(zero_point=27.0):
    x, y = (part.ravel().astype(float) for part in np.meshgrid(np.arange(60), np.arange(40)))
    magnitude = 0.01 * (x - 29.5) / 29.5 + 0.003 * ((y - 19.5) / 19.5) ** 2
    correction = FluxCorrection.fit(x=x, y=y, magnitude=magnitude, shape=SHAPE, order=3)
    constant = PhotoCalib.from_zero_point(zero_point, 0.001)
    return PhotoCalib(constant.flux_mag0, constant.flux_mag0_err, correction)


@pytest.fixture
def butler(tmp_path):
    (tmp_path / "in").mkdir()
    write_description(tmp_path / "in", camera="necam", parents=[])
    butler = Butler(tmp_path / "in", output=tmp_path / "out")
    pixels = MaskedImage(np.full(SHAPE, 100.0, np.float32), None, np.full(SHAPE, 4.0, np.float32))
    own = Exposure(pixels, wcs=wcs(149.9), photo_calib=PhotoCalib.from_zero_point(26.5), physical_filter="g")
    butler.put(own, "calexp", DATA_ID)
    return butler


def test_without_a_common_calibration_the_images_own_is_used(butler):
    found = best_calibration(butler, DATA_ID)
    assert str(found) == "calibration of each calexp alone"
    assert found.wcs.crval[0] == 149.9
    assert found.photo_calib.zero_point == pytest.approx(26.5)


def test_common_calibration_wins_and_says_so(butler):
    butler.put(wcs(), "jointcal_wcs", DATA_ID | {"tract": 3})
    butler.put(tilted(), "jointcal_photoCalib", DATA_ID | {"tract": 3})
    assert calibrated_tracts(butler, "jointcal_wcs", DATA_ID) == [3]
    found = best_calibration(butler, DATA_ID)
    assert str(found) == "jointcal_wcs, jointcal_photoCalib of tract 3"
    assert found.wcs.crval == (150.0, 2.0)
    assert best_calibration(butler, DATA_ID, tract=4).tract is None
    assert best_calibration(butler, DATA_ID, use_common=False).wcs.crval[0] == 149.9


def test_applied_calibration_leaves_one_zero_point(butler):
    butler.put(wcs(), "wcs", DATA_ID | {"tract": 0})
    butler.put(tilted(), "fcr", DATA_ID | {"tract": 0})
    exposure = butler.get("calexp", DATA_ID)
    found = best_calibration(butler, DATA_ID, exposure=exposure)
    assert (found.wcs_source, found.photo_source) == ("wcs", "fcr")
    applied = found.apply(exposure)
    left = applied.photo_calib.magnitude(applied.masked_image.image[20, [0, 59]])
    expected = tilted().magnitude([100.0, 100.0], x=[0, 59], y=[20, 20])
    np.testing.assert_allclose(left, expected, atol=2e-7 * 27)  # float32 pixels
    ratio = applied.masked_image.variance / applied.masked_image.image**2
    np.testing.assert_allclose(ratio, 4.0 / 100.0**2, rtol=1e-6)
    assert exposure.masked_image.image[0, 0] == 100.0


def test_files_are_those_of_mosaic(butler):
    """What the tutorial for HSC does with ``fcr_md``."""
    butler.put(tilted(), "fcr", DATA_ID | {"tract": 0})
    header = butler.get("fcr_md", DATA_ID, tract=0)
    magnitude = 2.5 * np.log10(header["FLUXMAG0"]) + FluxFitParams(header).eval(59.0, 19.5) - 2.5 * np.log10(100.0)
    assert magnitude == pytest.approx(27.0 + 0.01 - 5.0, abs=1e-6)
    assert butler.get("fcr", DATA_ID, tract=0).shape == (0, 0)


def test_varying_calibration_needs_positions():
    with pytest.raises(ValueError, match="give the positions x and y"):
        tilted().magnitude(100.0)


def test_image_that_is_missing(butler):
    with pytest.raises(DatasetNotFoundError, match="calexp"):
        best_calibration(butler, DATA_ID | {"visit": 8})
