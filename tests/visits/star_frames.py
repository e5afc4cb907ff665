"""Small images of one field at several times, with catalogs, as `obs process` leaves them."""

import numpy as np
from processed_visits import catalog_of, data_id

from obs.image.exposure import Exposure
from obs.image.gaussian_psf import gaussian_psf
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler
from obs.repo.description import write_description

SHAPE = (260, 260)
NOISE, SIGMA = 5.0, 1.7
PIXEL = 0.4 / 3600.0
CENTER = (10.0, 41.0)
APERTURE_CORRECTION = 1.02
VARIABLE = 24  # number of the star that varies


class Frames:
    """The repository, and the truth.

    ``sigmas`` are the widths of the PSF of each visit; ``companion`` is a star that no catalog of an image has: x and y
    (pixels) from the variable star, and its share of that star's mean light.
    """

    def __init__(self, folder, *, visits=6, seed=2, sigmas=(SIGMA,), companion=None):
        random = np.random.default_rng(seed)
        data = folder / "data"
        data.mkdir(parents=True)
        write_description(data, camera="necam", parents=[])
        self.butler = Butler(data, output=folder / "out")
        x, y = (part.ravel() for part in np.meshgrid(np.arange(30.3, 240, 33), np.arange(30.6, 240, 33)))
        self.x, self.y = x + random.uniform(-1, 1, len(x)), y + random.uniform(-1, 1, len(x))
        self.flux0 = 10.0 ** random.uniform(3.2, 4.5, len(x))
        self.flux0[VARIABLE] = 2200.0  # signal-to-noise ratio of some 70
        wcs = TanSipWcs(CENTER, (129.5, 129.5), np.diag([-PIXEL, PIXEL]))
        self.ra, self.dec = wcs.pixel_to_sky(x=self.x, y=self.y)
        self.zero_points, self.true = [], []
        self.wcs = wcs
        for visit in range(1, visits + 1):
            sigma = sigmas[visit % len(sigmas)]
            psf = gaussian_psf(sigma**2, sigma**2, 0.0, 25)
            zero = 27.0 - 0.1 * visit
            brightness = np.ones(len(x))
            brightness[VARIABLE] = 1.0 + 0.4 * np.sin(visit)
            flux = self.flux0 * brightness * 10.0 ** (0.4 * (zero - 27.0))
            image = np.zeros(SHAPE)
            xs, ys, light = self.x, self.y, flux
            if companion is not None:
                xs, ys = np.append(xs, xs[VARIABLE] + companion[0]), np.append(ys, ys[VARIABLE] + companion[1])
                light = np.append(flux, companion[2] * self.flux0[VARIABLE] * 10.0 ** (0.4 * (zero - 27.0)))
            for stamp, xi, yi, value in zip(psf.render(x=xs, y=ys), xs, ys, light, strict=True):
                row, column = round(yi) - 12, round(xi) - 12
                image[row : row + 25, column : column + 25] += value / APERTURE_CORRECTION * stamp
            variance = np.full(SHAPE, NOISE**2, np.float32) + image.astype(np.float32)
            image = image + random.normal(0.0, np.sqrt(variance))
            mask = Mask(np.zeros(SHAPE, np.int32))
            info = VisitInfo(date_avg=f"2024-01-01T0{visit}:00:00", exposure_time=60.0, time_scale="UTC", airmass=1.2)
            exposure = Exposure(
                MaskedImage(image.astype(np.float32), mask, variance), wcs=wcs, psf=psf, visit_info=info,
                photo_calib=PhotoCalib.from_zero_point(zero + random.normal(0.0, 0.03)), physical_filter="Clear",
                metadata={"SEEING": 2.355 * sigma * 0.4},
            )  # fmt: skip
            self.butler.put(exposure, "calexp", data_id(visit))
            self.butler.put(self._catalog(flux, random, sigma), "src", data_id(visit))
            self.zero_points.append(zero)
            self.true.append(flux)

    def _catalog(self, flux, random, sigma):
        n = len(flux)
        # photons count 4/3, because all pixels have the same weight
        error = np.sqrt(flux / APERTURE_CORRECTION * 4 / 3 + NOISE**2 * 4 * np.pi * sigma**2) * APERTURE_CORRECTION
        catalog = catalog_of(self.x, self.y, flux + random.normal(0.0, error))
        catalog.add("base_PsfFlux_instFluxErr", error)
        catalog.add("base_PsfFlux_apCorr", np.full(n, APERTURE_CORRECTION))
        return catalog
