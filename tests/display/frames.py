"""Small images to draw."""

import numpy as np

from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.gaussian_psf import gaussian_psf
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs

SCALE = 0.2 / 3600.0
SHAPE = (60, 80)
X, Y = np.array([20.0, 55.0, 70.0]), np.array([30.0, 12.0, 50.0])


def wcs(*, shift=0.0):
    return TanSipWcs(crval=(150.0, 2.0), crpix=(40.0 + shift, 30.0), cd=np.diag([-SCALE, SCALE]))


def exposure(*, seed=1, zero_point=27.0, shift=0.0):
    """Return three stars, a trail of a cosmic ray, and a bad column."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0.0, 1.0, SHAPE).astype(np.float32)
    mask = Mask.zeros(SHAPE)
    psf = gaussian_psf(3.0, 3.0, 0.0, 21)
    for x, y in zip(X + shift, Y, strict=True):
        rows, columns = slice(int(y) - 10, int(y) + 11), slice(int(x) - 10, int(x) + 10)
        height, width = image[rows, columns].shape
        image[rows, columns] += 3000.0 * psf.evaluate(x=[x], y=[y])[0][:height, :width]
        mask.array[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4] |= mask.bits("DETECTED")
    mask.array[40, 5:15] |= mask.bits("CR")
    mask.array[:, 3] |= mask.bits("BAD")
    return Exposure(
        MaskedImage(image, mask, np.ones(SHAPE, np.float32)),
        wcs=wcs(shift=shift),
        psf=psf,
        photo_calib=PhotoCalib.from_zero_point(zero_point),
        detector_name="det <b>1</b>",
        physical_filter="r",
        metadata={"BUNIT": "adu"},
    )


def catalog():
    result = Catalog()
    result.add("id", np.array([11, 12, 13]), description="Number")
    ra, dec = wcs().pixel_to_sky(x=X, y=Y)
    result.add("coord_ra", ra, "deg", "Right ascension")
    result.add("coord_dec", dec, "deg", "Declination")
    result.add("base_SdssCentroid_x", X, "pixel", "Column")
    result.add("base_SdssCentroid_y", Y, "pixel", "Row")
    for name, values in (("xx", [4.0, 9.0, np.nan]), ("yy", [4.0, 4.0, 4.0]), ("xy", [0.0, 0.0, 0.0])):
        result.add(f"base_SdssShape_{name}", values, "pixel2", f"Moment {name}")
    result.add("base_PsfFlux_instFlux", [3000.0, 2000.0, 1000.0], "adu", "Flux")
    return result
