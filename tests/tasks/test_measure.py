import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from obs.algorithms.measure.aperture_flux import aperture_name
from obs.algorithms.photometry.aperture_correction import ApertureCorrection
from obs.algorithms.photometry.surface import interpolate_surface
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.sky.noise import measure_smoothed_noise
from obs.algorithms.sources.detection import find_footprints
from obs.errors import MeasurementError
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.wcs import TanSipWcs
from obs.tasks.aperture_correction import (
    ApertureCorrectionConfig,
    apply_aperture_correction,
    fit_aperture_corrections,
)
from obs.tasks.measure import DeblendConfig, MeasurementConfig, measure_catalog, set_sky_coordinates
from obs.tasks.outer_light import check_outer_light
from star_field import Moffat, draw, observe, pixel_psf, scatter, stamp

SHAPE = (250, 260)
PROFILE = Moffat(3.2)
WCS = TanSipWcs(crval=(150.0, 2.0), crpix=(130.0, 125.0), cd=np.array([[-1e-4, 0], [0, 1e-4]]))


def exposure_of(x, y, flux, *, seed=0):
    image, variance = observe(draw(SHAPE, x, y, flux, PROFILE), seed=seed)
    return Exposure(MaskedImage((image - 100).astype(np.float32), Mask.zeros(SHAPE), variance), wcs=WCS)


def measure(exposure, *, exposure_id=5, bits=32, deblend=True, **settings):
    smoothed = smooth(np.nan_to_num(exposure.masked_image.image), 3.2 / 2.355)
    footprints = find_footprints(smoothed, threshold=5 * measure_smoothed_noise(smoothed), n_grow=3)
    config = MeasurementConfig(**settings)
    return measure_catalog(
        exposure,
        footprints,
        pixel_psf(PROFILE),
        config,
        DeblendConfig(enabled=deblend),
        fwhm=3.2,
        exposure_id=exposure_id,
        exposure_id_bits=bits,
    )


@pytest.fixture(scope="module")
def blended():
    """Two single stars and a pair."""
    return measure(exposure_of([60, 180, 120.3, 127.0], [60, 70, 180.2, 182.0], [5e4, 5e4, 5e4, 4e4]))


def test_parents_come_first_and_children_know_them(blended):
    assert blended["deblend_nChild"].tolist() == [0, 0, 2, 0, 0]
    first = 5 << 32
    assert blended["id"].tolist() == [first + k for k in range(1, 6)]
    assert blended["parent"].tolist() == [0, 0, 0, first + 3, first + 3]
    assert blended["detect_isPrimary"].tolist() == [True, True, False, True, True]
    assert blended["deblend_deblendedAsPsf"].tolist() == [False, False, False, True, True]


def test_ids_begin_with_the_exposure_and_never_collide():
    one, other = (measure(exposure_of([60], [60], [5e4]), exposure_id=number, bits=20) for number in (7, 8))
    assert one["id"][0] == (7 << 44) + 1
    assert other["id"][0] >> 44 == 8
    assert one["id"].dtype == np.int64


@pytest.mark.parametrize("number", [-1, 1 << 19, 1 << 20])
def test_an_exposure_id_that_leaves_no_room_is_refused(number):
    exposure = exposure_of([60], [60], [5e4])
    with pytest.raises(
        MeasurementError, match=rf"the exposure id {number} leaves .* must be below 2\^19; raise exposure_id"
    ):
        measure(exposure, exposure_id=number, bits=20)
    assert measure(exposure, exposure_id=(1 << 19) - 1, bits=20)["id"][0] > 0


def test_blends_stay_whole_when_asked_for():
    found = measure(exposure_of([120.3, 127.0], [180.2, 182.0], [5e4, 4e4]), deblend=False)
    assert len(found) == 1
    assert found["deblend_nChild"].tolist() == [0]


def test_every_column_has_its_meaning_and_its_unit(blended):
    for name, column in blended.columns.items():
        assert column.description, name
        assert len(column.data) == 5, name
        if name.endswith(("instFlux", "instFluxErr")):
            assert column.unit == "ct", name
        if "Shape" in name and "flag" not in name:
            assert column.unit == "pix2", name
        if "flag" in name:
            assert column.data.dtype == bool, name
    meanings = [column.description for name, column in blended.columns.items() if "CircularAperture" in name]
    assert len(set(meanings)) == len(meanings)


def test_the_reference_aperture_is_measured_even_if_it_is_not_listed():
    found = measure(exposure_of([60], [60], [5e4]), apertures=[3.0], reference_aperture=7.5, kron=False)
    fluxes = [name for name in found.columns if name.startswith("base_Circ") and name.endswith("instFlux")]
    assert fluxes == ["base_CircularApertureFlux_3_0_instFlux", "base_CircularApertureFlux_7_5_instFlux"]
    assert not any(name.startswith("ext_photometryKron") for name in found.columns)


def test_pixels_that_are_not_numbers_count_as_sky():
    exposure = exposure_of([60, 180], [60, 70], [5e4, 5e4])
    exposure.masked_image.image[60, 66] = np.nan
    found = measure(exposure)
    assert np.isfinite(found["base_PsfFlux_instFlux"]).all()
    assert found["base_PsfFlux_instFlux"][0] == pytest.approx(5e4, rel=0.02)


def test_flags_follow_the_mask():
    exposure = exposure_of([60, 180], [60, 70], [5e4, 5e4])
    where = np.zeros(SHAPE, bool)
    where[70, 180] = True
    exposure.masked_image.mask.set(where, "SAT")
    found = measure(exposure)
    assert found["base_PixelFlags_flag_saturatedCenter"].tolist() == [False, True]
    assert found["base_PixelFlags_flag_saturated"].tolist() == [False, True]
    assert not found["base_PixelFlags_flag_cr"].any()


def test_stars_are_point_sources_and_an_unknown_flux_is_no_class(blended):
    assert (blended["base_ClassificationExtendedness_value"] == 0).sum() >= 4
    assert not blended["base_ClassificationExtendedness_flag"].any()


def test_the_same_exposure_gives_the_same_catalog():
    def catalog(number):
        return measure(exposure_of([120.3, 130.0, 70], [180.2, 182.0, 60], [5e4, 4e4, 1e4]), exposure_id=number)

    one, again, other = catalog(3), catalog(3), catalog(4)
    for name in one.columns:
        np.testing.assert_array_equal(one[name], again[name], err_msg=name)
    # in place of a neighbor another exposure has other noise
    assert (one["base_CircularApertureFlux_12_0_instFlux"] != other["base_CircularApertureFlux_12_0_instFlux"]).any()
    assert (one["base_SdssCentroid_x"] == other["base_SdssCentroid_x"])[one["parent"] == 0].all()


def test_nothing_detected_is_a_catalog_with_every_column(blended):
    empty = measure(exposure_of([], [], []))
    if len(empty):  # a fluctuation of the noise
        empty = empty.select(np.zeros(len(empty), bool))
    assert len(empty) == 0
    assert list(empty.columns) == list(blended.columns)
    for name in blended.columns:
        assert empty[name].dtype == blended[name].dtype, name


def test_corrected_fluxes_have_the_scale_of_the_reference_aperture():
    x, y = scatter(16, SHAPE, seed=4, separation=40, border=20)
    catalog = measure(exposure_of(x, y, np.full(len(x), 1e5)))
    stars = catalog["base_PsfFlux_instFlux"] > 5e4
    config = MeasurementConfig()
    corrections = fit_aperture_corrections(
        catalog, stars, pixel_psf(PROFILE), SHAPE, config, ApertureCorrectionConfig(order=0)
    )
    before = {name: catalog[name].copy() for name in ("base_PsfFlux_instFlux", "base_PsfFlux_instFluxErr")}
    apply_aperture_correction(catalog, corrections, config)
    reference = catalog["base_CircularApertureFlux_12_0_instFlux"][stars]
    for name in ("base_PsfFlux", "base_GaussianFlux"):
        assert np.mean(catalog[f"{name}_instFlux"][stars] / reference) == pytest.approx(1.0, abs=2e-3)
        assert not catalog[f"{name}_flag_apCorr"].any()
    factor = catalog["base_PsfFlux_apCorr"]
    for name, old in before.items():
        np.testing.assert_allclose(catalog[name], old * factor)
    assert catalog.columns["base_PsfFlux_instFlux"].unit == "ct"


def test_without_stars_the_correction_is_that_of_the_psf_model(blended):
    config = MeasurementConfig()
    nobody = np.zeros(len(blended), bool)
    catalog = blended.select(np.ones(len(blended), bool))
    psf = pixel_psf(PROFILE)
    corrections = fit_aperture_corrections(catalog, nobody, psf, SHAPE, config, ApertureCorrectionConfig())
    apply_aperture_correction(catalog, corrections, config)
    # the model adds up to one over its stamp, which does not hold all light
    within = PROFILE.within(config.reference_radius) / stamp(PROFILE, 0.0, 0.0, 20).sum()
    assert catalog["base_PsfFlux_apCorr"] == pytest.approx(within, abs=1e-3)
    assert np.isnan(catalog["base_PsfFlux_apCorrErr"]).all()
    assert not catalog["base_PsfFlux_flag_apCorr"].any()


def test_a_correction_that_is_not_known_is_one_and_flagged(blended):
    nan = interpolate_surface(np.full(4, np.nan), SHAPE)
    unknown = ApertureCorrection(nan, (), np.nan, np.zeros(len(blended), bool), 0)
    catalog = blended.select(np.ones(len(blended), bool))
    apply_aperture_correction(catalog, {"base_PsfFlux": unknown}, MeasurementConfig())
    np.testing.assert_array_equal(catalog["base_PsfFlux_instFlux"], blended["base_PsfFlux_instFlux"])
    assert catalog["base_PsfFlux_flag_apCorr"].all()
    assert np.isnan(catalog["base_PsfFlux_apCorr"]).all()


def test_sky_coordinates_follow_from_centroids(blended):
    catalog = blended.select(np.ones(len(blended), bool))
    assert np.isnan(catalog["coord_ra"]).all()
    set_sky_coordinates(catalog, None)
    assert np.isnan(catalog["coord_ra"]).all()
    set_sky_coordinates(catalog, WCS)
    ra, dec = WCS.pixel_to_sky(x=catalog["base_SdssCentroid_x"], y=catalog["base_SdssCentroid_y"])
    np.testing.assert_array_equal(catalog["coord_ra"], ra)
    np.testing.assert_array_equal(catalog["coord_dec"], dec)
    assert catalog.columns["coord_ra"].unit == "deg"


def test_apertures_are_named_as_in_the_stack():
    assert aperture_name(4.5) == "base_CircularApertureFlux_4_5"
    assert aperture_name(12) == "base_CircularApertureFlux_12_0"


def test_corrected_fluxes_can_have_the_scale_of_all_light():
    """What lies outside the reference aperture is added by the PSF model: a few per cent for six pixels."""
    x, y = scatter(16, SHAPE, seed=4, separation=40, border=20)
    catalog = measure(exposure_of(x, y, np.full(len(x), 1e5)), reference_aperture=6.0)
    stars = catalog["base_PsfFlux_instFlux"] > 5e4
    factors = {}
    no_rings = MeasurementConfig(reference_aperture=6.0, apertures=[3.0])
    for to_total, config in ((False, None), (True, None), (None, None), (None, no_rings)):
        settings = ApertureCorrectionConfig(order=0, to_total=to_total)
        config = config or MeasurementConfig(reference_aperture=6.0)
        fits = fit_aperture_corrections(catalog, stars, pixel_psf(PROFILE), SHAPE, config, settings)
        factors["blind" if config is no_rings else to_total] = float(fits["base_PsfFlux"].evaluate(x=100.0, y=100.0))
    # where nobody insists, rings about stars have to show the light
    assert factors[None] == factors[True]
    assert factors["blind"] == pytest.approx(factors[False], rel=1e-3)
    flux = np.mean(catalog["base_PsfFlux_instFlux"][stars]) * factors[True]
    assert factors[True] > 1.01 * factors[False]
    # 16 stars of S/N 300, and what the PSF's stamp does not hold
    assert flux == pytest.approx(1e5, rel=4e-3)


def test_the_reference_aperture_gets_a_factor_to_all_light_but_stays_as_it_is():
    x, y = scatter(14, SHAPE, seed=3, separation=35, border=30)
    catalog = measure(exposure_of(x, y, np.full(len(x), 3e5)), apertures=[6.0])
    before = catalog["base_CircularApertureFlux_12_0_instFlux"].copy()
    config = MeasurementConfig(apertures=[6.0])
    corrections = fit_aperture_corrections(
        catalog, np.ones(len(catalog), bool), pixel_psf(PROFILE), SHAPE, config, ApertureCorrectionConfig(to_total=True)
    )
    apply_aperture_correction(catalog, corrections, config)
    np.testing.assert_array_equal(catalog["base_CircularApertureFlux_12_0_instFlux"], before)
    factor = catalog["base_CircularApertureFlux_12_0_apCorr"]
    # the profile's own light within the circle; a stamp alone tells what lies beyond it to a seventh
    assert factor == pytest.approx(1 / PROFILE.within(12), abs=0.15 * (1 - PROFILE.within(12)))
    assert np.median(catalog["base_PsfFlux_instFlux"]) == pytest.approx(3e5, rel=0.004)


def test_stars_that_cosmic_rays_have_touched_do_not_scale_fluxes():
    x, y = scatter(22, SHAPE, seed=3, separation=35, border=15)
    catalog = measure(exposure_of(x, y, np.full(len(x), 3e5)), apertures=[6.0])
    touched = np.arange(len(catalog)) % 3 == 0
    assert np.count_nonzero(~touched) >= 12
    config, settings = MeasurementConfig(apertures=[6.0]), ApertureCorrectionConfig(order=0)
    factors = []
    for stars in (~touched, np.ones(len(catalog), bool)):
        fits = fit_aperture_corrections(catalog, stars, pixel_psf(PROFILE), SHAPE, config, settings)
        factors.append(float(fits["base_PsfFlux"].evaluate(x=100.0, y=100.0)))
        # what is left about the hits, too little for the fit to call it an outlier
        name, flag = "base_CircularApertureFlux_12_0_instFlux", "base_PixelFlags_flag_cr"
        light = catalog.columns[name]
        catalog.add(name, np.where(touched, 1.005, 1.0) * light.data, light.unit, light.description)
        catalog.add(flag, touched, "", catalog.columns[flag].description)
    assert factors[0] == factors[1]


@pytest.mark.parametrize("to_total", [False, True])
def test_a_halo_is_counted_where_fluxes_are_to_have_all_light(to_total):
    x, y = np.array([65.2, 190.0, 65.7, 190.4]), np.array([63.0, 63.3, 187.8, 187.1])
    exposure = exposure_of(x, y, np.full(4, 3e5))
    clean = measure(exposure)
    # no wings of seeing are a ring
    rows, columns = np.indices(SHAPE, dtype=np.float64, sparse=True)
    for at_x, at_y in zip(x, y, strict=True):
        distance = np.hypot(columns - at_x, rows - at_y)
        ring = (distance > 18) & (distance < 30)
        exposure.masked_image.image += (0.08 * 3e5 / ring.sum() * ring).astype(np.float32)
    config = MeasurementConfig()
    stars, labels = np.ones(len(clean), bool), np.zeros(SHAPE, np.int32)
    settings = ApertureCorrectionConfig(to_total=to_total)
    fits = fit_aperture_corrections(clean, stars, pixel_psf(PROFILE), SHAPE, config, settings)
    found = check_outer_light(exposure.masked_image, labels, clean, stars, 12.0, 3.2, fits)
    factor, before = (float(each["base_PsfFlux"].evaluate(x=100.0, y=100.0)) for each in (found.corrections, fits))
    assert found.part > 0.05
    assert len(found.warnings) == 1
    assert ("PSF and Kron fluxes count it" in found.warnings[0]) == to_total
    assert factor / before == pytest.approx(1.0 + found.part if to_total else 1.0, rel=2e-3)


def corrected_stars(**settings):
    """Isolated stars of one flux, with aperture-corrected fluxes."""
    x, y = scatter(16, SHAPE, seed=4, separation=40, border=20)
    catalog = measure(exposure_of(x, y, np.full(len(x), 1e5)), **settings)
    stars = catalog["base_PsfFlux_instFlux"] > 5e4
    config = MeasurementConfig(**settings)
    fits = fit_aperture_corrections(catalog, stars, pixel_psf(PROFILE), SHAPE, config, ApertureCorrectionConfig())
    apply_aperture_correction(catalog, fits, config)
    return catalog.select(stars)


def test_kron_fluxes_of_stars_are_those_of_the_psf():
    """A Kron ellipse holds 95 % of a star; the rest is added as the PSF has it."""
    stars = corrected_stars()
    kron, point = stars["ext_photometryKron_KronFlux_instFlux"], stars["base_PsfFlux_instFlux"]
    assert np.median(stars["ext_photometryKron_KronFlux_psfFraction"]) < 0.98
    # 16 stars of S/N 300
    assert np.median(kron / point) == pytest.approx(1.0, abs=3e-3)
    assert not stars["ext_photometryKron_KronFlux_flag_apCorr"].any()


def test_errors_grow_where_pixels_share_noise():
    x, y = scatter(12, SHAPE, seed=6, separation=45, border=25)
    exposure = exposure_of(x, y, np.full(len(x), 3e3))
    noise = exposure.masked_image.image - draw(SHAPE, x, y, np.full(len(x), 3e3), PROFILE)
    exposure.masked_image.image[...] += (gaussian_filter(noise, 1.0) * 2 - noise).astype(np.float32)
    columns = {
        choice: measure(exposure, correlated_noise=choice, deblend=False) for choice in ("none", "positions", "all")
    }
    names = ("base_SdssCentroid_xErr", "base_PsfFlux_instFluxErr")
    growth = {
        choice: [float(np.nanmedian(catalog[name] / columns["none"][name])) for name in names]
        for choice, catalog in columns.items()
    }
    assert growth["positions"][1] == 1.0
    assert growth["all"][0] == growth["positions"][0] > 1.1
    assert growth["all"][1] > 1.2


def test_the_local_sky_takes_away_what_the_background_left():
    x, y = scatter(12, SHAPE, seed=3, separation=50)
    exposure, plain = exposure_of(x, y, np.full(len(x), 2e4)), {}
    left = 0.5
    raised = exposure.copy()
    raised.masked_image.image += np.float32(left)
    for name, frame, local in (("even", exposure, True), ("raised", raised, True), ("not asked for", raised, False)):
        plain[name] = measure(frame, local_sky=local)
    assert len({len(catalog) for catalog in plain.values()}) == 1
    for flux in ("base_PsfFlux", "base_GaussianFlux", "base_CircularApertureFlux_12_0"):
        even, same, other = (plain[name][f"{flux}_instFlux"] for name in plain)
        # footprints grow a little with the sky, so that the annulus has other pixels
        assert abs(np.median(same - even)) < 0.2 * np.median(other - even)
    assert "base_LocalBackground_instFlux" not in plain["not asked for"]
    known = ~plain["raised"]["base_LocalBackground_flag"]
    assert np.median(plain["raised"]["base_LocalBackground_instFlux"][known]) == pytest.approx(left, abs=0.3)
    # the error of the sky is part of that of the flux
    wide = "base_CircularApertureFlux_25_0_instFluxErr"
    assert np.median(plain["raised"][wide] / plain["not asked for"][wide]) > 1.1
