"""Files for SExtractor, SWarp, SCAMP and others, read by these programs where they are installed."""

import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from obs.exports.for_programs import export_for
from obs.exports.ldac import reference_columns, source_columns, write_ldac
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.flux_correction import FluxCorrection
from obs.image.gaussian_psf import gaussian_psf
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler
from obs.repo.description import write_description

DATA_ID = {"dateObs": "2024-01-01", "dataType": "SCIENCE", "visit": 1, "filter": "Clear", "ccd": 1}
SHAPE = (240, 300)
GAIN, SATURATION = 2.5, 40000.0
SIGMA, NOISE = 1.6, 4.0


def distorted_wcs():
    a, b = np.zeros((2, 4, 4))
    a[2, 0], a[1, 1], b[0, 2], b[2, 1] = 4e-5, -2e-5, 5e-5, 1e-7
    return TanSipWcs((150.0, 2.0), (149.5, 119.5), np.array([[-8e-5, 1e-6], [1e-6, 8e-5]]), a, b)


@pytest.fixture(scope="module")
def places():
    x, y = (part.ravel() + 0.3 for part in np.meshgrid(np.arange(25, 290, 40.0), np.arange(25, 230, 40.0)))
    return x, y


@pytest.fixture(scope="module")
def butler(tmp_path_factory, places):
    """One calexp with 42 stars, a distorted WCS, a hole and a saturated pixel, and its catalog."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "in").mkdir()
    write_description(folder / "in", camera="necam", parents=[])
    butler = Butler(folder / "in", output=folder / "out")
    random = np.random.default_rng(1)
    image = random.normal(0.0, NOISE, SHAPE)
    rows, columns = np.indices(SHAPE)
    for x, y in zip(*places, strict=True):
        image += 20000.0 / (2 * np.pi * SIGMA**2) * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SIGMA**2))
    mask = Mask(np.zeros(SHAPE, np.int32))
    mask.array[100:104, 45:49] |= mask.bits("BAD")
    variance = np.full(SHAPE, NOISE**2, np.float32) + np.maximum(image, 0).astype(np.float32) / GAIN
    exposure = Exposure(
        MaskedImage(image.astype(np.float32), mask, variance),
        wcs=distorted_wcs(),
        psf=gaussian_psf(SIGMA**2, SIGMA**2, 0.0, 31),
        photo_calib=PhotoCalib.from_zero_point(27.5),
        physical_filter="Clear",
        metadata={"GAIN": GAIN, "SATURATE": SATURATION, "OBJECT": "TEST"},
    )
    butler.put(exposure, "calexp", DATA_ID)
    butler.put(sources(*places), "src", DATA_ID)
    return butler


def sources(x, y):
    n, catalog = len(x), Catalog()
    catalog.add("id", np.arange(1, n + 1))
    for name, value in (
        ("base_SdssCentroid_xErr", 0.01), ("base_SdssCentroid_yErr", 0.01), ("base_SdssShape_xx", SIGMA**2),
        ("base_SdssShape_yy", SIGMA**2), ("base_SdssShape_xy", 0.0), ("base_PsfFlux_instFlux", 20000.0),
        ("base_PsfFlux_instFluxErr", 100.0), ("base_ClassificationExtendedness_value", 0.0), ("parent", 0),
    ):  # fmt: skip
        catalog.add(name, np.full(n, value))
    catalog.add("base_SdssCentroid_x", x)
    catalog.add("base_SdssCentroid_y", y)
    catalog.add("detect_isPrimary", np.ones(n, bool))
    for name in ("SdssCentroid_flag", "PixelFlags_flag_saturated", "PixelFlags_flag_edge"):
        catalog.add(f"base_{name}", np.zeros(n, bool))
    return catalog


def run(folder, command, *more):
    words = [*command.split(), *more, "-VERBOSE_TYPE", "QUIET"]
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace", check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def only(folder, pattern):
    return next(path for path in folder.glob(pattern) if path.suffixes == [f".{pattern.rpartition('.')[2]}"])


def test_source_extractor_finds_the_same_positions(butler, tmp_path, places):
    done = export_for("sextractor", butler, tmp_path)
    run(tmp_path, done.commands[0])
    table = Table.read(next(tmp_path.glob("*.cat")), hdu=2)
    assert len(table) == len(places[0])
    x, y = np.asarray(table["XWIN_IMAGE"]) - 1.0, np.asarray(table["YWIN_IMAGE"]) - 1.0
    ra, dec = distorted_wcs().pixel_to_sky(x=x, y=y)
    assert 3.6e6 * np.abs(np.asarray(table["ALPHAWIN_J2000"]) - ra).max() < 1e-3  # mas; columns are double
    assert 3.6e6 * np.abs(np.asarray(table["DELTAWIN_J2000"]) - dec).max() < 1e-3
    header = fits.getheader(only(tmp_path, "*.fits"))
    assert (header["GAIN"], header["SATURATE"]) == (GAIN, SATURATION)


def test_source_extractor_reads_the_psf(butler, tmp_path):
    done = export_for("sextractor", butler, tmp_path)
    (tmp_path / "obs.param").write_text("X_IMAGE\nY_IMAGE\nFLUX_PSF(1)\n")
    psf = next(tmp_path.glob("*.psf")).name
    run(tmp_path, done.commands[0], "-PSF_NAME", psf)
    flux = np.ravel(Table.read(next(tmp_path.glob("*.cat")), hdu=2)["FLUX_PSF"])
    assert np.median(flux) == pytest.approx(20000.0, rel=0.01)


def test_psfex_runs_on_the_catalogs(butler, tmp_path):
    done = export_for("psfex", butler, tmp_path)
    ours = next(tmp_path.glob("*.psf"))
    exported = ours.read_bytes()
    run(tmp_path, done.commands[0])
    run(tmp_path, done.commands[1])
    assert ours.with_suffix(".psfex.psf").stat().st_size > 0
    assert ours.read_bytes() == exported


def test_swarp_keeps_fluxes_and_ignores_bad_pixels(butler, tmp_path, places):
    done = export_for("swarp", butler, tmp_path)
    run(tmp_path, done.commands[0], "-SUBTRACT_BACK", "N", "-COMBINE_TYPE", "WEIGHTED")
    image, weight = (fits.getdata(tmp_path / f"coadd{end}.fits") for end in ("", ".weight"))
    flux = 20000.0 * len(places[0]) * 10 ** (0.4 * (27.0 - 27.5))
    assert image[weight > 0].sum() == pytest.approx(flux, rel=0.05)  # the hole takes a part of one star
    assert (weight == 0).any()


def test_scamp_reads_catalogs_and_reference(butler, tmp_path, places):
    done = export_for("scamp", butler, tmp_path)
    reference = Catalog()
    ra, dec = distorted_wcs().pixel_to_sky(x=places[0], y=places[1])
    reference.add("coord_ra", ra, "deg")
    reference.add("coord_dec", dec, "deg")
    reference.add("r_flux", np.full(len(ra), 1e5), "nJy")
    write_ldac(tmp_path / "reference.cat", reference_columns(reference, "r_flux"), {"NAXIS": 0})
    run(tmp_path, done.commands[0], "-WRITE_XML", "N")
    head = next(tmp_path.glob("*.head")).read_text(errors="replace")
    assert "RA---TPV" in head


def test_ldac_positions_are_one_based(places):
    columns = source_columns(sources(*places))
    np.testing.assert_allclose(columns["XWIN_IMAGE"][0], places[0] + 1.0)


@pytest.mark.parametrize("program", ["ds9", "siril"])
def test_viewers_get_sip(butler, tmp_path, program):
    export_for(program, butler, tmp_path)
    path = next(path for path in tmp_path.iterdir() if path.suffix in (".fit", ".fits") and ".mask" not in path.name)
    header = fits.getheader(path)
    assert header["CTYPE1"] == "RA---TAN-SIP"
    assert header.get("ROWORDER", "BOTTOM-UP") == "BOTTOM-UP"


def test_common_calibration_is_used_and_named(butler, tmp_path):
    terms = np.array([[0.1, 0.0], [0.0, 0.0]])
    flat = FluxCorrection(terms, x_zero=0.0, y_zero=0.0, x_scale=1.0, y_scale=1.0)
    calib = PhotoCalib(1e11, 1e8, flat)
    butler.put(calib, "jointcal_photoCalib", DATA_ID | {"tract": 0})
    butler.put(distorted_wcs(), "jointcal_wcs", DATA_ID | {"tract": 0})
    try:
        done = export_for("swarp", butler, tmp_path)
    finally:
        butler.remove("jointcal_photoCalib", DATA_ID | {"tract": 0})
        butler.remove("jointcal_wcs", DATA_ID | {"tract": 0})
    assert done.calibrations == ["jointcal_wcs, jointcal_photoCalib of tract 0"]
    image = fits.getdata(only(tmp_path, "*.fits"))
    own = butler.get("calexp", DATA_ID).masked_image.image
    assert np.median(image / own) == pytest.approx(10**-0.04, rel=1e-5)


def test_image_without_wcs_is_named(butler, tmp_path, obs):
    exposure = butler.get("calexp", DATA_ID)
    exposure.wcs = None
    butler.put(exposure, "calexp", DATA_ID | {"visit": 2})
    try:
        status, out, err = obs("export", butler.output, tmp_path, "--for", "swarp")
    finally:
        butler.remove("calexp", DATA_ID | {"visit": 2})
    assert status == 1
    assert "has no WCS; process it with a reference catalog" in err
    assert "SWarp" in out
