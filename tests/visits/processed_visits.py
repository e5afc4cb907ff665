"""A rerun with catalogs and images of several visits, as `obs process` leaves it, without pixels being processed."""

import numpy as np

from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler
from obs.repo.description import write_description

SHAPE = (200, 300)
CENTER = (150.0, 2.0)
PIXEL = 0.3 / 3600.0


def data_id(visit, ccd=1):
    return {"dateObs": "2024-01-01", "dataType": "SCIENCE", "visit": visit, "filter": "Clear", "ccd": ccd}


def make_rerun(folder, *, visits=4, seed=3, n_star=120):
    """Write visits of one detector, whose WCSs differ by 50 mas and whose zero points by 20 mmag."""
    data = folder.parent / "data"
    data.mkdir(exist_ok=True)
    write_description(data, camera="necam", parents=[])
    butler = Butler(data, output=folder)
    random = np.random.default_rng(seed)
    east, north = random.uniform(-0.014, 0.014, (2, n_star))
    magnitude = random.uniform(15.0, 18.0, n_star)
    for visit in range(1, visits + 1):
        off, zero = random.normal(0.0, 0.05 / 3600.0, 2), 27.0 - random.uniform(0.0, 0.3)
        true = TanSipWcs(CENTER, (149.5 + 3 * visit, 99.5 - 2 * visit), np.diag([-PIXEL, PIXEL]))
        wrong = TanSipWcs((CENTER[0] + off[0], CENTER[1] + off[1]), true.crpix, true.cd)
        ra, dec = CENTER[0] + east / np.cos(np.radians(CENTER[1])), CENTER[1] + north
        x, y = true.sky_to_pixel(ra=ra, dec=dec)
        inside = (x > 2) & (x < SHAPE[1] - 3) & (y > 2) & (y < SHAPE[0] - 3)
        x, y = (part[inside] + random.normal(0.0, 0.01, int(inside.sum())) for part in (x, y))
        flux = 10.0 ** (-0.4 * (magnitude[inside] - zero)) * (1.0 + random.normal(0.0, 0.004, len(x)))
        info = VisitInfo(date_avg=f"2024-01-01T0{visit}:00:00", exposure_time=60.0, time_scale="UTC")
        pixels = MaskedImage(np.zeros(SHAPE, np.float32), None, np.ones(SHAPE, np.float32))
        calib = PhotoCalib.from_zero_point(zero + random.normal(0.0, 0.02))
        exposure = Exposure(pixels, wcs=wrong, photo_calib=calib, visit_info=info, physical_filter="Clear")
        butler.put(exposure, "calexp", data_id(visit))
        butler.put(catalog_of(x, y, flux), "src", data_id(visit))
    return butler


def catalog_of(x, y, flux):
    """Return a catalog src of stars, as far as calibrations look at it."""
    n, catalog = len(x), Catalog()
    catalog.add("id", np.arange(1, n + 1))
    for name, values in (
        ("base_SdssCentroid_x", x),
        ("base_SdssCentroid_y", y),
        ("base_SdssCentroid_xErr", np.full(n, 0.01)),
        ("base_SdssCentroid_yErr", np.full(n, 0.01)),
        ("base_PsfFlux_instFlux", flux),
        ("base_PsfFlux_instFluxErr", 0.004 * flux),
        ("base_ClassificationExtendedness_value", np.zeros(n)),
    ):
        catalog.add(name, values)
    catalog.add("detect_isPrimary", np.ones(n, bool))
    for name in ("base_SdssCentroid_flag", "base_PsfFlux_flag"):
        catalog.add(name, np.zeros(n, bool))
    for name in ("edge", "saturated", "interpolatedCenter", "crCenter", "bad"):
        catalog.add(f"base_PixelFlags_flag_{name}", np.zeros(n, bool))
    return catalog
