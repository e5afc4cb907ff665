"""Zero points in the stack's words."""

import numpy as np
import pytest

from obs.compat.lsst.afw.geom import Point2D
from obs.compat.lsst.afw.image import MaskedImageF, PhotoCalib
from obs.compat.lsst.afw.table import SourceCatalog
from obs.image.catalog import Catalog
from obs.image.flux_correction import FluxCorrection
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib as OwnPhotoCalib

#: Brighter by 0.1 mag at x = 100 than in the middle.
TILT = FluxCorrection(np.array([[0.0, 0.0], [-0.1, 0.0]]), x_zero=-50, y_zero=-50, x_scale=50, y_scale=50)
CALIB = PhotoCalib(OwnPhotoCalib(10 ** (0.4 * 27.0), 1.0, TILT))
PLAIN = PhotoCalib(OwnPhotoCalib.from_zero_point(27.0))


def test_a_point_counts_where_the_zero_point_varies():
    assert CALIB.instFluxToMagnitude(100.0) == pytest.approx(22.0)
    assert CALIB.instFluxToMagnitude(100.0, Point2D(100.0, 3.0)) == pytest.approx(21.9)
    value, error = CALIB.instFluxToMagnitude(100.0, 2.0, Point2D(100.0, 3.0))
    assert (value, error) == pytest.approx((21.9, 1.0857 * 0.02), rel=1e-4)
    assert CALIB.instFluxToNanojansky(1.0, Point2D(100.0, 3.0)) == pytest.approx(10 ** (0.4 * 4.5))
    assert PLAIN.instFluxToMagnitude(100.0, Point2D(100.0, 3.0)) == pytest.approx(22.0)


def test_sources_have_their_own_points():
    own = Catalog()
    own.add("base_SdssCentroid_x", [50.0, 100.0])
    own.add("base_SdssCentroid_y", [0.0, 0.0])
    own.add("base_PsfFlux_instFlux", [100.0, 100.0])
    own.add("base_PsfFlux_instFluxErr", [1.0, 2.0])
    sources = SourceCatalog(own)
    found = CALIB.instFluxToMagnitude(sources, "slot_PsfFlux")
    np.testing.assert_allclose(found, [[22.0, 0.010857], [21.9, 0.021715]], rtol=1e-4)
    assert CALIB.instFluxToMagnitude(sources[1], "base_PsfFlux").value == pytest.approx(21.9)
    assert CALIB.instFluxToNanojansky(sources[0], "slot_PsfFlux").error == pytest.approx(10 ** (0.4 * 4.4))


def test_an_image_becomes_nanojansky():
    image = MaskedImageF(MaskedImage(np.ones((4, 101), np.float32), variance=np.full((4, 101), 4.0, np.float32)))
    flux = CALIB.calibrateImage(image)
    row = flux.getImage().getArray()[0]
    np.testing.assert_allclose(row[[50, 100]], 10 ** (0.4 * np.array([4.4, 4.5])), rtol=1e-5)
    np.testing.assert_allclose(flux.getVariance().getArray()[0], 4.0 * row**2, rtol=1e-5)
