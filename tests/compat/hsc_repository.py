"""A repository of HSC with the results of one detector, small enough to be made for tests."""

import numpy as np

from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.psf import PixelPsf
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.fits_exposure import write_exposure
from obs.repo.registry import Registry

DATA_ID = {"visit": 1234, "ccd": 56}
ZERO_POINT = 31.0
#: Columns, rows, PSF fluxes and moments xx, yy, xy of the sources.
X, Y = np.array([20.0, 60.5, 100.25, 40.0]), np.array([30.0, 80.0, 50.5, 100.0])
FLUX = np.array([1.0e5, 4.0e4, 2.0e3, 5.0e2])
MOMENTS = np.array([[4.0, 4.0, 0.0], [9.0, 4.0, 1.0], [4.5, 4.0, -0.5], [4.0, 6.0, 0.3]])
SCALE = 0.168 / 3600.0
SHAPE = (128, 150)


def make(folder):
    """Make the repository and its rerun, and return the folder of the rerun."""
    root = folder / "HSC"
    make_repository(root, load_instrument("hsc"))
    _register(root)
    _calibration(root)
    butler = Butler(root, output=root / "rerun" / "mine")
    butler.put(exposure(), "calexp", DATA_ID)
    butler.put([background()], "calexpBackground", DATA_ID)
    butler.put(catalog(), "src", DATA_ID)
    return butler.output


def _register(root):
    registry = Registry(root / "registry.sqlite3", read_only=False)
    known = {"field": "text", "filter": "text", "dateObs": "text", "taiObs": "text", "pointing": "int"}
    columns = {"visit": "int", **known, "expTime": "double", "dataType": "text"}
    if not registry.has_table("raw"):
        registry.create_table("raw", {**columns, "ccd": "int"}, ["visit", "ccd"])
        registry.create_table("raw_visit", columns, ["visit"], numbered=False)
    visit = {"visit": 1234, "field": "M31", "filter": "HSC-I", "dateObs": "2020-01-05", "taiObs": "2020-01-05"}
    row = {**visit, "pointing": 2926, "expTime": 30.0, "dataType": "OBJECT"}
    names = registry.columns(["raw_visit"])
    registry.insert("raw_visit", [{key: value for key, value in row.items() if key in names}])
    names = registry.columns(["raw"])
    registry.insert("raw", [{key: value for key, value in {**row, "ccd": 56}.items() if key in names}])


def _calibration(root):
    folder = root / "CALIB"
    path = folder / "BIAS/2020-01-01/NONE/BIAS-2020-01-01-056.fits"
    path.parent.mkdir(parents=True)
    write_exposure(Exposure(MaskedImage(np.full(SHAPE, 3.0, np.float32))), path)
    registry = Registry(folder / "calibRegistry.sqlite3", read_only=False)
    days = {"calibDate": "text", "validStart": "text", "validEnd": "text"}
    registry.create_table("bias", {"filter": "text", "ccd": "int", **days}, ["ccd", "calibDate"])
    valid = {"validStart": "2019-12-01", "validEnd": "2020-02-01"}
    registry.insert("bias", [{"filter": "NONE", "ccd": 56, "calibDate": "2020-01-01", **valid}])


def wcs():
    return TanSipWcs((150.0, 2.0), (70.0, 60.0), np.array([[-SCALE, 0.0], [0.0, SCALE]]))


def exposure():
    mask = Mask.zeros(SHAPE)
    mask.set(np.arange(SHAPE[0])[:, None] + np.zeros(SHAPE) == 5, "CR")
    mask.set(np.arange(SHAPE[1])[None, :] + np.zeros(SHAPE) == 7, "SAT", "INTRP")
    image = np.random.default_rng(1).normal(0, 5, SHAPE).astype(np.float32)
    profile = np.exp(-0.5 * (np.arange(-10, 11) / 2.0) ** 2)
    return Exposure(
        MaskedImage(image, mask, np.full(SHAPE, 25.0, np.float32)),
        wcs=wcs(),
        psf=PixelPsf(np.outer(profile, profile)[None].astype(np.float32), 0),
        photo_calib=PhotoCalib.from_zero_point(ZERO_POINT, 0.01),
        visit_info=VisitInfo(exposure_time=30.0, boresight_ra=150.0, boresight_dec=2.0),
        detector_name="0_05",
        physical_filter="HSC-I",
        metadata={"OBJECT": "M31"},
    )


def background():
    x, y = np.linspace(10, 140, 4), np.linspace(10, 118, 3)
    level = np.full((3, 4), 250.0, np.float32)
    return Background(level, np.ones_like(level), x, y, shape=SHAPE)


def catalog():
    made = Catalog()
    ra, dec = wcs().pixel_to_sky(x=X, y=Y)
    made.add("id", np.arange(4) + 101, "", "number")
    made.add("coord_ra", ra, "deg", "right ascension")
    made.add("coord_dec", dec, "deg", "declination")
    made.add("parent", np.zeros(4, np.int64), "", "blend")
    made.add("deblend_nChild", np.zeros(4, np.int32), "", "children")
    for axis, values in (("x", X), ("y", Y)):
        made.add(f"base_SdssCentroid_{axis}", values, "pix", f"{axis} of the centroid")
    for name, values in zip(("xx", "yy", "xy"), MOMENTS.T, strict=True):
        made.add(f"base_SdssShape_{name}", values, "pix^2", "moment")
    factors = {"base_PsfFlux": 1.0, "base_GaussianFlux": 1.02, "ext_photometryKron_KronFlux": 1.05}
    apertures = {f"base_CircularApertureFlux_{r}_0": 1 - 0.3 / r for r in (3, 6, 12)}
    for name, factor in {**factors, **apertures}.items():
        made.add(f"{name}_instFlux", factor * FLUX, "adu", "flux")
        made.add(f"{name}_instFluxErr", np.full(4, 50.0), "adu", "error")
        made.add(f"{name}_flag", np.zeros(4, bool), "", "failed")
    for name in ("edge", "saturated", "saturatedCenter", "interpolated", "cr"):
        made.add(f"base_PixelFlags_flag_{name}", np.array([False, True, False, False]), "", "flag")
    made.add("base_ClassificationExtendedness_value", np.array([0.0, 1.0, 0.0, 1.0]), "", "1 for a galaxy")
    made.add("calib_psf_used", np.array([True, False, True, False]), "", "star of the PSF")
    return made
