import numpy as np
import pytest

from obs.algorithms.measure.shape import psf_sigma
from obs.algorithms.psf.width import half_maximum_width
from obs.errors import MeasurementError
from obs.image.background import total_background
from obs.image.exposure import Exposure
from obs.image.known_psf import KnownPsf
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.background import BackgroundConfig
from obs.tasks.characterize import CharacterizeConfig, PsfConfig, characterize
from obs.tasks.measure import DeblendConfig
from star_field import Gaussian, Moffat, draw, observe, pixel_psf, scatter, star_field

SHAPE = (480, 500)
FWHM = 3.2


def config(**settings):
    return CharacterizeConfig(background=BackgroundConfig(bin_size=100, order=2), **settings)


def run(field, **settings):
    exposure = field.exposure.copy()
    return characterize(exposure, config(**settings), exposure_id=3)


@pytest.fixture(scope="module")
def field():
    return star_field(60, SHAPE, fluxes=(1e4, 2e5), profile=Moffat(FWHM))


@pytest.fixture(scope="module")
def found(field):
    return run(field)


def rows_of(catalog, field):
    distance = np.hypot(
        catalog["base_SdssCentroid_x"][:, None] - field.x, catalog["base_SdssCentroid_y"][:, None] - field.y
    )
    assert (distance.min(0) < 1).mean() > 0.9
    return distance.argmin(0), distance.min(0) < 1


def test_the_fitted_psf_has_the_size_of_the_stars(found):
    truth = psf_sigma(pixel_psf(Moffat(FWHM)), x=0, y=0)
    for x, y in ((250, 240), (50, 50), (450, 430)):
        assert psf_sigma(found.exposure.psf, x=x, y=y) == pytest.approx(truth, rel=0.01)
    assert found.sigma == pytest.approx(truth, rel=0.01)
    assert found.fwhm == pytest.approx(half_maximum_width(pixel_psf(Moffat(FWHM)), x=0, y=0), rel=0.01)
    assert abs(found.psf_size_residual) < 0.01
    assert 20 <= found.n_psf_star <= 60


def test_reserved_stars_are_no_part_of_the_fit(found):
    catalog = found.catalog
    candidate, used, reserved = (catalog[f"calib_psf_{name}"] for name in ("candidate", "used", "reserved"))
    assert not (used & reserved).any()
    np.testing.assert_array_equal(used | reserved, candidate)
    assert 0.05 < reserved.sum() / candidate.sum() < 0.4


def test_the_background_is_the_sky(found):
    assert len(found.backgrounds) > 1
    # a sky of 100 with a noise of some 7, on about 10^5 pixels beside stars
    np.testing.assert_allclose(total_background(found.backgrounds), 100.0, atol=0.5)
    sky = found.exposure.masked_image.image[~found.exposure.masked_image.mask.any("DETECTED")]
    assert np.median(sky) == pytest.approx(0.0, abs=0.2)


def test_fluxes_are_those_of_the_stars_in_the_reference_aperture(found, field):
    rows, known = rows_of(found.catalog, field)
    ratio = found.catalog["base_PsfFlux_instFlux"][rows[known]] / (field.flux[known] * Moffat(FWHM).within(12))
    assert np.median(ratio) == pytest.approx(1.0, abs=0.003)
    assert set(found.corrections) == {"base_PsfFlux", "base_GaussianFlux"}
    assert not found.catalog["base_PsfFlux_flag_apCorr"].any()


def test_the_same_exposure_gives_the_same_result(found, field):
    again = run(field)
    assert again.catalog.schema.names == found.catalog.schema.names
    for name in again.catalog.columns:
        np.testing.assert_array_equal(again.catalog[name], found.catalog[name], err_msg=name)
    np.testing.assert_array_equal(again.exposure.psf.basis, found.exposure.psf.basis)


@pytest.mark.parametrize("fwhm", [2.2, 5.5])
def test_the_first_guess_of_the_seeing_may_be_wrong(fwhm):
    found = run(star_field(60, SHAPE, fluxes=(2e4, 3e5), profile=Moffat(fwhm)))
    assert found.sigma == pytest.approx(psf_sigma(pixel_psf(Moffat(fwhm)), x=0, y=0), rel=0.015)


def test_galaxies_are_not_taken_for_stars():
    n = 50
    x, y = scatter(n, SHAPE, seed=8, separation=35)
    star = np.arange(n) % 2 == 0
    profiles = [Moffat(FWHM) if is_star else Gaussian(12, 7, 2) for is_star in star]
    image, variance = observe(draw(SHAPE, x, y, np.full(n, 1e5), profiles), seed=9)
    found = characterize(Exposure(MaskedImage(image, None, variance)), config())
    catalog = found.catalog
    nearest = np.hypot(catalog["base_SdssCentroid_x"][:, None] - x, catalog["base_SdssCentroid_y"][:, None] - y).argmin(
        1
    )
    candidates = nearest[catalog["calib_psf_candidate"]]
    assert star[candidates].all()
    assert len(candidates) >= 0.8 * star.sum()


def test_a_given_psf_is_kept(field):
    exposure = field.exposure.copy()
    exposure.psf = pixel_psf(Moffat(FWHM))
    found = characterize(exposure, config(measure_psf=False))
    assert found.exposure.psf is exposure.psf
    assert found.n_psf_star == 0
    assert np.isnan(found.psf_size_residual)
    assert found.catalog["calib_psf_candidate"].sum() > 20
    assert not found.catalog["calib_psf_used"].any()
    assert not found.catalog["calib_psf_reserved"].any()
    assert not found.catalog["base_PsfFlux_flag_apCorr"].any()


def test_a_psf_that_is_not_there_cannot_be_kept(field):
    with pytest.raises(MeasurementError, match=r"comes without a PSF; switch characterize\.measure_psf on"):
        run(field, measure_psf=False)


def test_blends_can_be_divided_before_stars_are_chosen():
    x, y = scatter(30, SHAPE, seed=3, separation=60)
    # every third star gets a neighbor
    x, y = np.r_[x, x[::3] + 6], np.r_[y, y[::3] + 3]
    flux = np.r_[np.full(30, 1e5), np.full(10, 5e4)]
    image, variance = observe(draw(SHAPE, x, y, flux, Moffat(FWHM)), seed=4)
    found = characterize(Exposure(MaskedImage(image, None, variance)), config(deblend=DeblendConfig(enabled=True)))
    assert (found.catalog["parent"] > 0).sum() >= 16
    candidates = found.catalog["calib_psf_candidate"]
    assert 15 <= candidates.sum() <= 20
    assert (found.catalog["parent"][candidates] == 0).all()


def sky_alone(seed=0, shape=SHAPE, psf=None):
    image, variance = observe(np.zeros(shape), seed=seed)
    return Exposure(MaskedImage(image, Mask.zeros(shape), variance), psf=psf)


def test_without_sources_the_psf_is_assumed_and_the_warning_says_so():
    found = characterize(sky_alone(), config())
    assert found.psf_origin == "assumed"
    assert len(found.catalog) <= 2
    assert found.fwhm == pytest.approx(3.5, abs=0.1)
    assert any("assumed to be a Gaussian of 3.5 pixels. No source stands out" in text for text in found.warnings)


def test_the_width_of_the_assumed_psf_is_a_setting():
    found = characterize(sky_alone(), config(initial_psf_fwhm=5.0))
    assert found.fwhm == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_stars_are_enough_for_a_psf(n):
    x, y = scatter(n, SHAPE, seed=3, separation=60)
    image, variance = observe(draw(SHAPE, x, y, np.full(n, 1e5), Moffat(FWHM)), seed=4)
    found = characterize(Exposure(MaskedImage(image, None, variance)), config())
    assert found.psf_origin == "few stars"
    assert found.n_psf_star == n
    # a star of 1e5 counts has a size to 1 in 300
    assert found.sigma == pytest.approx(psf_sigma(pixel_psf(Moffat(FWHM)), x=0, y=0), rel=0.02)
    assert any(f"the PSF rests on {n} star" in text for text in found.warnings)


@pytest.mark.parametrize("fwhm", [1.3, 1.7, 8.0, 15.0])
def test_the_psf_is_found_whatever_its_width(fwhm):
    wide = max(1.0, fwhm / 4)
    shape, n = ((480, 500), 30) if fwhm < 5 else ((900, 920), 25)
    x, y = scatter(n, shape, seed=3, separation=max(40, 9 * fwhm))
    flux = np.geomspace(3e4, 3e5, n) * wide
    image, variance = observe(draw(shape, x, y, flux, Moffat(fwhm)), seed=4)
    found = characterize(Exposure(MaskedImage(image, None, variance)), config())
    assert found.psf_origin == "stars"
    assert found.sigma == pytest.approx(psf_sigma(found.exposure.psf, x=450, y=400), rel=0.1)
    assert found.fwhm == pytest.approx(half_maximum_width(pixel_psf(Moffat(fwhm)), x=0, y=0), rel=0.06)
    assert found.n_cosmic_ray_pixel < 10


def test_a_sky_without_sources_is_characterized_with_a_given_psf():
    found = characterize(sky_alone(psf=pixel_psf(Moffat(FWHM))), config(measure_psf=False))
    assert len(found.catalog) == 0
    assert "base_PsfFlux_apCorr" in found.catalog
    correction = found.corrections["base_PsfFlux"]
    # the PSF model's own growth, of unknown error
    assert 0.99 < correction.evaluate(x=1.0, y=1.0) < 1.0
    assert np.isnan(correction.evaluate_error(x=1.0, y=1.0))


@pytest.mark.parametrize("measure_psf", [True, False])
@pytest.mark.parametrize("damage", ["saturated", "nan", "alike", "bad"])
def test_an_image_without_good_pixels_is_refused(damage, measure_psf):
    exposure = sky_alone(psf=pixel_psf(Moffat(FWHM)))
    image, mask = exposure.masked_image.image, exposure.masked_image.mask
    everywhere = np.ones(SHAPE, bool)
    if damage == "saturated":
        image[...] = 65535
        mask.set(everywhere, "SAT")
    elif damage == "nan":
        image[...] = np.nan
        mask.set(everywhere, "UNMASKEDNAN", "NO_DATA")
    elif damage == "alike":
        image[...] = 100
    else:
        mask.set(everywhere, "BAD")
    with pytest.raises(
        MeasurementError, match=r"no noise to measure sources against: .* pixels are good; look at the mask"
    ):
        characterize(exposure, config(measure_psf=measure_psf))


def test_a_damaged_half_does_not_spoil_the_other(field):
    exposure = field.exposure.copy()
    exposure.masked_image.image[:, :200] = np.nan
    exposure.masked_image.variance[:, :200] = np.nan
    left = np.zeros(SHAPE, bool)
    left[:, :200] = True
    exposure.masked_image.mask.set(left, "NO_DATA", "UNMASKEDNAN")
    found = characterize(exposure, config())
    assert found.sigma == pytest.approx(psf_sigma(pixel_psf(Moffat(FWHM)), x=0, y=0), rel=0.015)
    assert (found.catalog["base_SdssCentroid_x"] > 190).all()


def test_saturated_stars_are_no_psf_stars(field):
    exposure = field.exposure.copy()
    masked_image = exposure.masked_image
    saturated = masked_image.image > 8000
    assert 3 < saturated.sum() < 500
    masked_image.image[saturated] = 8000
    masked_image.mask.set(saturated, "SAT")
    found = characterize(exposure, config())
    marked = found.catalog["base_PixelFlags_flag_saturated"]
    assert marked.any()
    assert not found.catalog["calib_psf_candidate"][marked].any()
    assert found.sigma == pytest.approx(psf_sigma(pixel_psf(Moffat(FWHM)), x=0, y=0), rel=0.01)


def test_without_sources_the_psf_of_the_last_good_exposure_is_taken():
    known = KnownPsf(pixel_psf(Moffat(5.0)), "visit=12", "2026-01-03T02:04:00")
    found = characterize(sky_alone(), config(), find_psf=lambda: known)
    assert (found.psf_origin, found.psf_exposure) == ("nearest good exposure", "visit=12 of 2026-01-03T02:04:00")
    assert not found.psf_trusted
    assert found.fwhm == pytest.approx(half_maximum_width(known.psf, x=0, y=0), rel=0.01)
    assert found.catalog.metadata["PSFORIG"] == "nearest good exposure"
    assert any("the PSF of visit=12 of 2026-01-03T02:04:00 is used. No source stands out" in t for t in found.warnings)


@pytest.mark.parametrize(("fwhm", "origin"), [(FWHM, "nearest good exposure"), (2 * FWHM, "gaussian")])
def test_the_psf_of_another_exposure_must_be_as_wide_as_the_sources(fwhm, origin):
    x, y = scatter(5, SHAPE, seed=3, separation=60)
    image, variance = observe(draw(SHAPE, x, y, np.full(5, 1e5), Moffat(FWHM)), seed=4)
    known = KnownPsf(pixel_psf(Moffat(fwhm)), "visit=12")
    settings = config(psf=PsfConfig(minimum_stars=10))
    found = characterize(Exposure(MaskedImage(image, None, variance)), settings, find_psf=lambda: known)
    assert found.psf_origin == origin
    assert (found.catalog["psf_rung"] == {"nearest good exposure": 3, "gaussian": 4}[origin]).all()
    assert any("visit=12 is not used: the sources have another width" in t for t in found.warnings) == (fwhm != FWHM)


def test_enough_stars_need_no_other_exposure(field):
    found = characterize(field.exposure.copy(), config(), find_psf=lambda: pytest.fail("was asked"))
    assert found.psf_origin == "stars"
    assert found.psf_trusted
    assert (found.catalog["psf_rung"] == 1).all()


def test_the_psf_of_a_crowd_is_that_of_its_stars():
    """Three beams of the PSF for each star: no star is isolated, and most are not resolved."""
    shape, profile = (200, 200), Gaussian(2.3, 2.3)
    random = np.random.default_rng(10)
    x, y = random.uniform(8, 192, (2, 900))
    clean = draw(shape, x, y, np.exp(random.uniform(np.log(300), np.log(1e5), 900)), profile)
    image, variance = observe(clean, seed=1, sky=200.0)
    crowd = Exposure(MaskedImage(image, Mask.zeros(shape), variance))
    found = characterize(crowd, config(), exposure_id=3)
    assert found.psf_origin == "stars"
    assert found.sigma == pytest.approx(psf_sigma(pixel_psf(profile), x=0, y=0), rel=0.03)
    assert any("The field is crowded" in warning for warning in found.warnings)
