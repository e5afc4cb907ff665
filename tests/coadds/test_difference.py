"""Differences of an image and a coadd: what changed comes out, and nothing else."""

import io
import re
import shutil
from contextlib import redirect_stdout

import numpy as np
import pytest
from exposures import SCALE, gaussian_psf

import obs
from obs.cli.main import main
from obs.coadds.frames import Frame
from obs.coadds.inputs_table import inputs_table
from obs.coadds.select import Candidate
from obs.coadds.sky_maps import load_sky_map
from obs.coadds.warp import Warp
from obs.image.catalog import Catalog
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.visits.calibration import FrameCalibration

SHAPE = (400, 420)
CENTER = (150.0, 2.0)
N_STAR = 60
ZERO_POINT, COADD_ZERO_POINT = 26.0, 27.0
SKY_SIGMA, COADD_SIGMA = 3.0, 2.0
WIDE, NARROW = 3.8, 2.8
VARIABLE = 20
TRANSIENT = (30.0, -25.0, 1500.0)  # arcsec east and north, counts
MOVED = ((-35.0, 30.0), (-30.0, 33.0), 2000.0)
ASTEROID = ((-60.0, -50.0), (14.0, 5.0), 2500.0)  # place on the first image, motion from image to image, counts
APERTURE_CORRECTION = 1.05  # of the fluxes in the catalog of the image
DATES = {1: "2024-03-01T03:00:00", 2: "2024-03-01T03:20:00", 5: "2024-03-01T03:40:00"}


def asteroid(visit):
    """Place of the asteroid on an image."""
    return tuple(np.array(ASTEROID[0]) + list(DATES).index(visit) * np.array(ASTEROID[1]))


def sky(east, north):
    return CENTER[0] + np.asarray(east) / 3600 / np.cos(np.deg2rad(CENTER[1])), CENTER[1] + np.asarray(north) / 3600


def stars():
    """Places, arcsec, and counts at the zero point of the image, of stars at least 7 arcsec apart."""
    rng = np.random.default_rng(3)
    free = [TRANSIENT[:2], *MOVED[:2], *map(asteroid, DATES)]
    kept = list(free)
    while len(kept) < N_STAR + len(free):
        place = rng.uniform(-95, 95, 2)
        if min(np.hypot(*(place - np.array(kept)).T)) > 7:
            kept.append(tuple(place))
    return np.array(kept[len(free) :]), np.geomspace(30000, 1000, N_STAR)


def draw(shape, wcs, psf, lights, sigma, seed):
    """An image of point sources with noise."""
    rng = np.random.default_rng(seed)
    wide = np.zeros((shape[0] + 60, shape[1] + 60))
    for east, north, light in lights:
        ra, dec = sky(east, north)
        x, y = (float(value) for value in wcs.sky_to_pixel(ra=ra, dec=dec))
        left, low = round(x) + 18, round(y) + 18
        if 0 <= left <= shape[1] + 35 and 0 <= low <= shape[0] + 35:
            wide[low : low + 25, left : left + 25] += light * psf.render(x=[x], y=[y])[0]
    image = wide[30:-30, 30:-30]
    variance = sigma**2 + image / 5
    image += rng.normal(size=shape) * np.sqrt(variance)
    mask = obs.Mask.zeros(shape)
    return obs.MaskedImage(image.astype(np.float32), mask, variance.astype(np.float32))


def data_id(visit, band="R"):
    return {"dateObs": "2024-03-01", "dataType": "OBJECT", "visit": visit, "filter": band, "ccd": 0}


COADD = {"tract": 0, "patch": "0,0", "filter": "R"}


def write_src(butler, exposure, key):
    """The catalog of all stars, as obs process would have measured them."""
    places, light = stars()
    ra, dec = sky(*places.T)
    x, y = exposure.wcs.sky_to_pixel(ra=ra, dec=dec)
    catalog = Catalog()
    catalog.add("base_SdssCentroid_x", x)
    catalog.add("base_SdssCentroid_y", y)
    catalog.add("base_PsfFlux_instFlux", light * APERTURE_CORRECTION)
    catalog.add("base_PsfFlux_instFluxErr", np.sqrt(light / 5 + 300))
    butler.put(catalog, "src", key)


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """Images sharper and less sharp than a coadd of the field; a variable, a transient, a moved object, an asteroid."""
    folder = tmp_path_factory.mktemp("difference")
    obs.make_repository(folder / "DATA", obs.load_instrument("necam"))
    butler = obs.Butler(folder / "DATA", output=folder / "out")
    places, light = stars()
    then = [(*place, value) for place, value in zip(places, light, strict=True)]
    now = list(then)
    now[VARIABLE] = (*places[VARIABLE], light[VARIABLE] * 1.3)
    angle = np.deg2rad(2.0)
    turn = np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs = TanSipWcs(CENTER, (SHAPE[1] / 2 + 3.4, SHAPE[0] / 2 - 2.2), turn * SCALE / 3600)
    for visit, fwhm in ((1, WIDE), (2, NARROW), (5, WIDE)):
        psf = gaussian_psf(fwhm)
        changed = [*now, TRANSIENT, (*MOVED[1], MOVED[2]), (*asteroid(visit), ASTEROID[2])]
        pixels = draw(SHAPE, wcs, psf, changed, SKY_SIGMA, visit)
        calib = obs.PhotoCalib.from_zero_point(ZERO_POINT, 0.001)
        info = VisitInfo(date_avg=DATES[visit], exposure_time=30.0, time_scale="UTC")
        exposure = obs.Exposure(pixels, wcs=wcs, psf=psf, photo_calib=calib, physical_filter="R", visit_info=info)
        butler.put(exposure, "calexp", data_id(visit))
        write_src(butler, exposure, data_id(visit))
    out = str(folder / "out")
    assert main(["skymap", "make", out, "--discrete", "-c", "patch_width=800", "patch_height=800"]) == 0
    butler = obs.Butler(outputs=out)
    tract = load_sky_map(butler).tract(0)
    box = tract.patch("0,0").outer_box
    grid, psf = tract.wcs.to_tan_sip(box), gaussian_psf(3.2)
    scale = 10 ** (0.4 * (COADD_ZERO_POINT - ZERO_POINT))
    old = [(a, b, c * scale) for a, b, c in [*then, (*MOVED[0], MOVED[2])]]
    pixels = draw((box.height, box.width), grid, psf, old, COADD_SIGMA, 3)
    calib = obs.PhotoCalib.from_zero_point(COADD_ZERO_POINT, 0.001)
    butler.put(obs.Exposure(pixels, wcs=grid, psf=psf, photo_calib=calib), "deepCoadd", COADD)
    frame = Frame(data_id(9), grid, (box.height, box.width))
    warp = Warp(
        Candidate(frame, {}), 0, FrameCalibration(grid, calib), 1.0, COADD_SIGMA, 1.6, np.zeros((1, 1)), psf,
        dict(pixels.mask.planes), grid, (box.height, box.width),
    )  # fmt: skip
    butler.put(inputs_table([warp], [0.0]), "deepCoadd_inputs", COADD)
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main(["difference", out, "--id", "visit=1..2^5"]) == 0
    (folder / "printed").write_text(printed.getvalue())
    return folder / "out"


def test_an_asteroid_is_listed_with_its_motion(field):
    """The variable, the transient and the object that moved once are at rest on all images, and are not listed."""
    lines = (field.parent / "printed").read_text().partition("moving object ")[2].splitlines()
    rate = 3 * np.hypot(*ASTEROID[1])  # arcsec an hour
    head = re.fullmatch(
        r"1: 3 detections, (\S+) arcsec an hour toward (\d+) degrees .*, (\S+) arcsec from a line", lines[0]
    )
    assert float(head[1]) == pytest.approx(rate, abs=0.5)
    assert float(head[2]) == pytest.approx(np.degrees(np.arctan2(*ASTEROID[1])), abs=1.0)
    assert float(head[3]) < 0.1
    assert len(lines) == 4
    for line, visit in zip(lines[1:], DATES, strict=True):
        _, mjd, ra, dec, magnitude, _, name = line.replace(",", "").split(maxsplit=6)
        assert float(mjd) == pytest.approx(60370.125 + list(DATES).index(visit) / 72, abs=1e-5)
        assert (float(ra), float(dec)) == pytest.approx(sky(*asteroid(visit)), abs=0.15 / 3600)
        assert float(magnitude) == pytest.approx(ZERO_POINT - 2.5 * np.log10(ASTEROID[2]), abs=0.15)
        assert f"visit={visit} " in name


def test_a_dry_run_prints_images(field, capsys):
    assert main(["difference", str(field), "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert printed.err.endswith(f"{len(printed.out.splitlines())} images\n")
    assert "visit=1" in printed.out


def near(catalog, wcs, place):
    """The row nearest to a place, and its distance, pixels."""
    ra, dec = sky(*place)
    x, y = wcs.sky_to_pixel(ra=ra, dec=dec)
    distance = np.hypot(catalog["base_SdssCentroid_x"] - x, catalog["base_SdssCentroid_y"] - y)
    return int(np.argmin(distance)), float(distance.min())


@pytest.mark.parametrize(("visit", "convolved"), [(1, "coadd"), (2, "image")])
def test_what_changed_comes_out_and_nothing_else(field, visit, convolved):
    butler = obs.Butler(outputs=str(field))
    catalog = butler.get("deepDiff_diaSrc", data_id(visit))
    exposure = butler.get("deepDiff_differenceExp", data_id(visit))
    assert exposure.metadata["CONVOLVE"] == convolved
    places, light = stars()
    expected = [
        (places[VARIABLE], 0.3 * light[VARIABLE]),
        (TRANSIENT[:2], TRANSIENT[2]),
        (MOVED[1], MOVED[2]),
        (MOVED[0], -MOVED[2]),
        (asteroid(visit), ASTEROID[2]),
    ]
    found = set()
    for place, own_flux in expected:
        flux = own_flux * APERTURE_CORRECTION
        row, distance = near(catalog, exposure.wcs, place)
        assert distance < 0.3
        error = catalog["base_PsfFlux_instFluxErr"][row]
        assert abs(catalog["base_PsfFlux_instFlux"][row] - flux) < 4 * error + 0.01 * abs(flux)
        assert bool(catalog["flags_negative"][row]) == (flux < 0)
        assert np.isfinite(catalog["base_SdssShape_xx"][row])
        found.add(row)
    assert len(found) == len(catalog) == 5
    assert not catalog["ip_diffim_ClassificationDipole_value"].any()
    assert len(set(catalog["id"].tolist())) == 5
    ra, dec = sky(*TRANSIENT[:2])
    row = near(catalog, exposure.wcs, TRANSIENT[:2])[0]
    assert catalog["coord_ra"][row] == pytest.approx(ra, abs=0.2 / 3600)
    assert catalog["coord_dec"][row] == pytest.approx(dec, abs=0.2 / 3600)


@pytest.mark.parametrize("visit", [1, 2])
def test_constant_stars_leave_noise(field, visit):
    butler = obs.Butler(outputs=str(field))
    exposure = butler.get("deepDiff_differenceExp", data_id(visit))
    pixels = exposure.masked_image
    places, light = stars()
    x, y = exposure.wcs.sky_to_pixel(**dict(zip(("ra", "dec"), sky(*places.T), strict=True)))
    pulls = []
    for number, (a, b) in enumerate(zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True)):
        box = np.s_[b - 4 : b + 5, a - 4 : a + 5]
        if number != VARIABLE and 5 <= a < SHAPE[1] - 5 and 5 <= b < SHAPE[0] - 5:
            assert abs(pixels.image[box].sum()) < 0.02 * light[number] + 5 * np.sqrt(pixels.variance[box].sum())
            pulls.append(pixels.image[box] / np.sqrt(pixels.variance[box]))
    assert len(pulls) > 40
    assert (0.7 if visit == 1 else 0.4) < np.std(pulls) < 1.3
    # the variance is that of sums of pixels, which share noise where the image was convolved
    assert (0.9 if visit == 1 else 0.4) < exposure.metadata["NOISERAT"] < 1.05
    assert exposure.metadata["FLUXRAT"] == pytest.approx(1, abs=0.01)


def test_differences_that_are_current_stay(field, tmp_path, capsys):
    out = copy(field, tmp_path)
    words = ["difference", str(out), "--id", "visit=1..2", "--skip-existing"]
    assert main(words) == 0
    assert "2 of 2 differences are current and stay" in capsys.readouterr().err
    butler = obs.Butler(outputs=str(out))
    butler.path("deepCoadd", {"tract": 0, "patch": "0,0", "filter": "R"}).touch()
    assert main(words) == 0
    assert "2 of 2 differences are current and stay" in capsys.readouterr().err
    changed = butler.get("calexp", data_id(1))
    changed.masked_image.image[0, 0] += 1
    butler.put(changed, "calexp", data_id(1))
    assert main(words) == 0
    assert "1 of 2 differences are current and stay" in capsys.readouterr().err
    calibrated = butler.get("calexp", data_id(2))
    butler.put(calibrated.wcs, "jointcal_wcs", data_id(2) | {"tract": 0})
    butler.put(calibrated.photo_calib, "jointcal_photoCalib", data_id(2) | {"tract": 0})
    assert main(words) == 0
    assert "1 of 2 differences are current and stay" in capsys.readouterr().err
    assert main([*words, "-c", "detection.threshold=6"]) == 0
    assert "stay" not in capsys.readouterr().err


def test_without_stars_the_psf_models_match(field, tmp_path):
    out = copy(field, tmp_path)
    for path in (out / "src").rglob("*.fits"):
        path.unlink()
    assert main(["difference", str(out), "--id", "visit=1"]) == 0
    butler = obs.Butler(outputs=str(out))
    assert butler.get("deepDiff_differenceExp", data_id(1)).metadata["NSTAR"] == 0
    assert len(butler.get("deepDiff_diaSrc", data_id(1))) == 5


def test_a_misplaced_object_is_a_dipole_and_a_hole_of_the_coadd_no_change(field, tmp_path, capsys):
    out = copy(field, tmp_path)
    butler = obs.Butler(outputs=str(out))
    coadd, hole = butler.get("deepCoadd", COADD), sky(*stars()[0][1])
    x, y = (round(float(value)) for value in coadd.wcs.sky_to_pixel(ra=hole[0], dec=hole[1]))
    core = np.s_[y - 2 : y + 3, x - 2 : x + 3]  # the core of a star, which no exposure of the coadd measured
    coadd.masked_image.image[core] *= 0.3
    coadd.masked_image.mask.add_plane("INTRP")
    coadd.masked_image.mask.array[core] |= coadd.masked_image.mask.bits("INTRP")
    butler.put(coadd, "deepCoadd", COADD)
    exposure = butler.get("calexp", data_id(1))
    psf = exposure.psf
    for x, sign in ((200.0, 1), (203.0, -1)):
        exposure.masked_image.image[150 - 12 : 150 + 13, int(x) - 12 : int(x) + 13] += (
            sign * 3000 * psf.render(x=[x], y=[150.0])[0]
        )
    butler.put(exposure, "calexp", data_id(1))
    capsys.readouterr()
    assert main(["difference", str(out), "--id", "visit=1"]) == 0
    headers, row = (line.split() for line in capsys.readouterr().out.splitlines()[:2])
    catalog = butler.get("deepDiff_diaSrc", data_id(1))
    suspect, negative = catalog["base_PixelFlags_flag_suspect"], catalog["flags_negative"]
    assert suspect.any()
    assert headers[2:6] == ["brighter", "fainter", "dipoles", "suspect"]
    dipole = catalog["ip_diffim_ClassificationDipole_value"]
    assert dipole.sum() == 2
    # the data ID may have several words; nine columns follow it
    counts = [np.count_nonzero(which) for which in (~negative & ~suspect, negative & ~suspect, dipole, suspect)]
    assert list(map(int, row[-9:-5])) == counts
    assert sorted(catalog["flags_negative"][dipole]) == [False, True]
    x, y = exposure.wcs.sky_to_pixel(ra=hole[0], dec=hole[1])
    beside = np.hypot(catalog["base_SdssCentroid_x"] - x, catalog["base_SdssCentroid_y"] - y) < 8
    assert catalog["base_PixelFlags_flag_suspect"][beside].all()
    assert not catalog["base_PixelFlags_flag_suspect"][dipole].any()


def test_inputs_that_cannot_be_subtracted(field, tmp_path, capsys):
    out = copy(field, tmp_path)
    butler = obs.Butler(outputs=str(out))
    exposure = butler.get("calexp", data_id(1))
    butler.put(exposure, "calexp", data_id(4, "B"))
    wcs, exposure.wcs = exposure.wcs, None
    butler.put(exposure, "calexp", data_id(3))
    exposure.wcs, exposure.photo_calib = wcs, None
    butler.put(exposure, "calexp", data_id(2))
    capsys.readouterr()
    assert main(["difference", str(out), "--id", "visit=2"]) == 1
    text = capsys.readouterr().err
    assert "no zero point; process it with a reference catalog that covers it and has the band of its filter" in text
    assert main(["difference", str(out), "--id", "visit=3"]) == 1
    assert "its calexp has no WCS; process it with a reference catalog that covers it" in capsys.readouterr().err
    assert main(["difference", str(out), "--id", "visit=4"]) == 1
    text = capsys.readouterr().err
    assert "no coadd of the filter B to subtract" in text
    assert "there are coadds of the filter R" in text
    (out / "deepCoadd" / "skyMap.yaml").unlink()
    assert main(["difference", str(out), "--id", "visit=1"]) == 1
    assert "has no sky map; make one: obs skymap make" in capsys.readouterr().err


def copy(field, folder):
    shutil.copytree(field.parent, folder / "all", symlinks=True)
    return folder / "all" / "out"
