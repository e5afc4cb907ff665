import dataclasses
import re

import numpy as np
import pytest

from obs.errors import MeasurementError
from obs.image.background import total_background
from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.tasks.background import BackgroundConfig
from obs.tasks.calibrate import CalibrateConfig, calibrate
from obs.tasks.characterize import CharacterizeConfig, characterize
from obs.tasks.filter_magnitudes import magnitudes_in_filter
from obs.tasks.measure import MeasurementConfig
from obs.tasks.photometry_config import PhotometryConfig
from obs.tasks.reference import ReferenceConfig
from star_field import Moffat, pixel_psf, star_field

SHAPE = (480, 500)
ZERO_POINT = 27.5
PIXEL = 0.4 / 3600
WCS = TanSipWcs(crval=(150.0, 2.0), crpix=(250.0, 240.0), cd=np.array([[-PIXEL, 0], [0, PIXEL]]))
BACKGROUND = BackgroundConfig(bin_size=100, order=2)


def characterized(field, **settings):
    exposure = field.exposure.copy()
    exposure.wcs, exposure.psf = WCS, pixel_psf(Moffat(3.2))
    exposure.physical_filter = "g.1"
    exposure.visit_info = VisitInfo(exposure_id=7, exposure_time=30.0)
    return characterize(exposure, CharacterizeConfig(measure_psf=False, background=BACKGROUND, **settings))


def reference_of(field, *, shift=(0.0, 0.0), scatter=0.01, seed=0, names=("g",)):
    """The stars as a reference catalog knows them, and others that were not seen."""
    rng = np.random.default_rng(seed)
    n = len(field.x)
    ra, dec = WCS.pixel_to_sky(
        x=np.r_[field.x + shift[0], rng.uniform(0, SHAPE[1], 5)],
        y=np.r_[field.y + shift[1], rng.uniform(0, SHAPE[0], 5)],
    )
    magnitude = ZERO_POINT - 2.5 * np.log10(np.r_[field.flux * Moffat(3.2).within(12), np.full(5, 50.0)])
    magnitude[:n] += rng.normal(0, scatter, n)
    flux = 10 ** (0.4 * (31.4 - magnitude))
    reference = Catalog()
    reference.add("id", np.arange(len(ra)) + 1000)
    reference.add("coord_ra", ra, "deg")
    reference.add("coord_dec", dec, "deg")
    for name in names:
        reference.add(f"{name}_flux", flux.copy(), "nJy")
        reference.add(f"{name}_fluxErr", np.full(len(flux), max(scatter, 1e-3)) * flux / 1.086, "nJy")
    return reference


@pytest.fixture(scope="module")
def field():
    return star_field(60, SHAPE, fluxes=(2e3, 2e5), profile=Moffat(3.2))


@pytest.fixture(scope="module")
def bright(field):
    return characterized(field)


def run(bright, reference, /, *, config=None, band="g", **settings):
    exposure = bright.exposure.copy()
    config = config or CalibrateConfig(background=BACKGROUND, **settings)
    return calibrate(
        exposure, bright.backgrounds, bright.catalog, bright.corrections, reference, band, config, exposure_id=7
    )


@pytest.fixture(scope="module")
def done(bright, field):
    return run(bright, reference_of(field))


def test_every_star_is_found_and_placed_on_the_sky(done, field):
    ra, dec = WCS.pixel_to_sky(x=field.x, y=field.y)
    catalog = done.catalog
    offset_ra = (catalog["coord_ra"][:, None] - ra) * np.cos(np.radians(dec)) * 3600
    distance = np.hypot(offset_ra, (catalog["coord_dec"][:, None] - dec) * 3600)
    assert (distance.min(0) < 0.2).all()
    assert np.median(distance.min(0)) < 0.02
    assert len(catalog) <= len(field.x) + 2


def test_the_zero_point_is_that_of_the_reference_catalog(done, field):
    fit = done.zero_point
    assert fit.n_star >= 40
    assert fit.zero_point == pytest.approx(ZERO_POINT, abs=0.003 + 4 * 0.01 / np.sqrt(fit.n_star))
    assert fit.rms < 0.05
    assert done.exposure.photo_calib.zero_point == pytest.approx(fit.zero_point)
    metadata = done.exposure.metadata
    assert metadata["MAGZERO"] == pytest.approx(fit.zero_point - 2.5 * np.log10(30.0))
    assert metadata["MAGZERO_NOBJ"] == fit.n_star == done.catalog["calib_photometry_used"].sum()
    assert metadata["MAGZERO_RMS"] == fit.rms
    # the part of the PSF in the reference aperture
    assert 0.97 < metadata["PSFLIGHT"] < 1.0
    assert done.warnings == []


def test_matches_are_pairs_of_the_same_star(done):
    matches = done.matches
    assert len(matches) >= 50
    ra, dec = (done.catalog[f"coord_{c}"][matches.first] for c in ("ra", "dec"))
    ref_ra, ref_dec = (done.reference[f"coord_{c}"][matches.second] for c in ("ra", "dec"))
    separation = 3600 * np.hypot((ra - ref_ra) * np.cos(np.radians(dec)), dec - ref_dec)
    np.testing.assert_allclose(separation, matches.separation, atol=1e-4)
    assert done.astrometric_scatter < 0.05
    assert done.catalog["calib_astrometry_used"].sum() >= 20


def test_flags_of_psf_stars_are_carried_over(done, bright):
    for name in ("calib_psf_candidate", "calib_psf_used", "calib_psf_reserved"):
        assert done.catalog[name].sum() == bright.catalog[name].sum()
    at = np.flatnonzero(done.catalog["calib_psf_candidate"])
    old = np.flatnonzero(bright.catalog["calib_psf_candidate"])
    x, old_x = (
        np.sort(table["base_SdssCentroid_x"][rows]) for table, rows in ((done.catalog, at), (bright.catalog, old))
    )
    np.testing.assert_allclose(x, old_x, atol=0.1)


def test_backgrounds_add_up_to_the_sky(done, bright):
    assert len(done.backgrounds) == len(bright.backgrounds) + 1
    np.testing.assert_allclose(total_background(done.backgrounds), 100.0, atol=0.5)


def test_the_same_exposure_gives_the_same_catalog(done, bright, field):
    again = run(bright, reference_of(field))
    for name in done.catalog.columns:
        np.testing.assert_array_equal(again.catalog[name], done.catalog[name], err_msg=name)


@pytest.mark.parametrize("shift", [(40.0, -25.0), (-110.0, 60.0)])
def test_a_wrong_wcs_is_fixed(bright, field, shift):
    found = run(bright, reference_of(field, shift=shift))
    ra, dec = found.exposure.wcs.pixel_to_sky(x=field.x, y=field.y)
    true_ra, true_dec = WCS.pixel_to_sky(x=field.x + shift[0], y=field.y + shift[1])
    np.testing.assert_allclose(3600 * (dec - true_dec), 0, atol=0.05)
    np.testing.assert_allclose(3600 * (ra - true_ra), 0, atol=0.05)
    assert found.zero_point.n_star >= 40


def turned(bright, **others):
    """The exposure with a WCS from its pointing that is a quarter turn off, and others that it may have."""
    found = dataclasses.replace(bright, exposure=bright.exposure.copy())
    found.exposure.wcs = TanSipWcs(WCS.crval, WCS.crpix, WCS.cd[::-1])
    found.exposure.other_wcs = others
    return found


ROUGH = WCS.shifted(x=40, y=-10)


@pytest.mark.parametrize(
    ("header", "warning"),
    [
        (ROUGH, "the WCS that the exposure came with does not match; that of header does"),
        (
            ROUGH.mirrored(axis=0, size=SHAPE[1]),
            "the WCS of header is mirrored; it matched after turning it over",
        ),
    ],
)
def test_another_wcs_is_tried_where_that_of_the_pointing_does_not_match(bright, field, header, warning):
    found = run(turned(bright, other=ROUGH.shifted(x=9000, y=0), header=header), reference_of(field))
    assert found.warnings[0] == warning
    assert "the stars show the frame turned by" in found.warnings[1]
    ra, dec = found.exposure.wcs.pixel_to_sky(x=field.x, y=field.y)
    true_ra, true_dec = WCS.pixel_to_sky(x=field.x, y=field.y)
    np.testing.assert_allclose(3600 * np.array([ra - true_ra, dec - true_dec]), 0, atol=0.05)


def other_sky(field):
    """As many reference sources as in `reference_of`, of another part of the sky."""
    reference = reference_of(field)
    rng = np.random.default_rng(5)
    ra, dec = WCS.pixel_to_sky(x=rng.uniform(0, SHAPE[1], len(reference)), y=rng.uniform(0, SHAPE[0], len(reference)))
    reference.columns["coord_ra"].data[...], reference.columns["coord_dec"].data[...] = ra, dec
    return reference


NO_SEARCH = {"search": {"enabled": False}}


@pytest.mark.parametrize(
    ("others", "settings"),
    [({"header": ROUGH}, {"try_others": False}), ({"header": ROUGH.shifted(x=9000, y=0)}, {}), ({}, {})],
)
def test_a_wcs_that_nothing_mends_fails_honestly(bright, field, others, settings):
    message = r"no astrometry: no pattern of the .* stands out .*; search the sky by -c .*, or keep the WCS"
    with pytest.raises(MeasurementError, match=message):
        run(turned(bright, **others), reference_of(field), astrometry={**settings, **NO_SEARCH})
    message = (
        r"the .* sources match nothing among .* reference sources within .* deg of .*; .* another catalog, or keep"
    )
    with pytest.raises(MeasurementError, match=message):
        run(turned(bright, **others), other_sky(field), astrometry=settings)


def test_a_mirrored_frame_is_turned_over(bright, field):
    mirrored = dataclasses.replace(bright, exposure=bright.exposure.copy())
    mirrored.exposure.wcs = WCS.mirrored(axis=0, size=SHAPE[1])
    for settings in ({}, NO_SEARCH):
        found = run(mirrored, reference_of(field), astrometry=settings)
        assert found.warnings[0] == "the WCS that the exposure came with is mirrored; it matched after turning it over"
        assert "camera.yaml: change orientation.flip_x to its opposite; or let obs camera adjust" in found.warnings[1]
        assert len(found.warnings) == 2


def turn(wcs, degrees, scale=1.0):
    """The WCS of a camera whose y axis is turned from north through east."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return dataclasses.replace(wcs, cd=scale * np.array([[cosine, sine], [-sine, cosine]]) @ wcs.cd)


@pytest.mark.parametrize(
    ("wrong", "rotation", "scale"),
    [
        (turn(WCS, 90), -90.0, 1.0),
        (turn(WCS, 180), 180.0, 1.0),
        (turn(WCS, -33, 1.1), 33.0, 1 / 1.1),
        (turn(WCS, 2).shifted(x=1400, y=-900), -2.0, 1.0),
        (dataclasses.replace(WCS, cd=WCS.cd * 1.03), 0.0, 1 / 1.03),
    ],
    ids=["quarter", "half", "turned and scaled", "elsewhere", "scaled"],
)
def test_a_turned_camera_is_found_and_told_where_to_write_it(bright, field, wrong, rotation, scale):
    exposure = dataclasses.replace(bright, exposure=bright.exposure.copy())
    exposure.exposure.wcs = wrong
    found = run(exposure, reference_of(field))
    ra, dec = found.exposure.wcs.pixel_to_sky(x=field.x, y=field.y)
    true_ra, true_dec = WCS.pixel_to_sky(x=field.x, y=field.y)
    np.testing.assert_allclose(3600 * np.array([ra - true_ra, dec - true_dec]), 0, atol=0.05)
    change = found.astrometry.change
    assert (change.rotation - rotation + 180) % 360 - 180 == pytest.approx(0, abs=0.05)
    assert change.scale == pytest.approx(scale, abs=1e-3)
    assert not change.mirrored
    if rotation == 180.0:
        assert found.warnings[0].startswith(
            "the frame is turned by 180 degrees, as after a meridian flip; nothing needs"
        )
        return
    if abs(rotation) <= 1 and scale == 1.0:
        assert found.warnings[0].startswith("the WCS that the exposure came with does not match; the frame was found")
    if abs(rotation) > 1:
        assert f"add {change.rotation:.2f} degrees to orientation.rotation" in found.warnings[-1]
    if scale != 1.0:
        assert f"multiply plate_scale by {change.scale:.4f}" in found.warnings[-1]


def test_reference_sources_elsewhere_are_asked_for(bright, field):
    """The pointing is three frames off, and the reference sources about it are not those of the frame."""
    exposure = dataclasses.replace(bright, exposure=bright.exposure.copy())
    exposure.exposure.wcs = WCS.shifted(x=1500, y=0)
    whole, asked = reference_of(field), []

    def find(ra, dec, radius):
        asked.append((ra, dec, radius))
        return (
            whole if radius > 0.1 else whole.select(np.hypot(whole["coord_ra"] - ra, whole["coord_dec"] - dec) < 0.06)
        )

    nothing = whole.select(np.zeros(len(whole), bool))
    config = CalibrateConfig(background=BACKGROUND)
    parts = exposure.exposure, exposure.backgrounds, exposure.catalog, exposure.corrections
    found = calibrate(*parts, nothing, "g", config, find_reference=find)
    assert len(found.matches) > 50
    assert len(found.reference) == len(whole)
    assert asked[-1][:2] == pytest.approx((150.0, 2.0), abs=1e-3)
    assert found.zero_point.n_star >= 40


def test_a_known_wcs_is_kept_when_asked_for(bright, field):
    found = run(bright, reference_of(field), astrometry={"force_known_wcs": True})
    assert found.exposure.wcs is WCS
    assert "calib_astrometry_used" not in found.catalog
    assert found.zero_point.n_star >= 40


def test_another_name_of_the_flux(bright, field):
    reference = reference_of(field, names=("ps1_g",))
    reference.metadata["MAGSYS"] = "g=Vega ps1_g=AB"
    found = run(bright, reference, reference={"flux_names": {"g": "ps1_g"}})
    assert found.zero_point.n_star >= 40
    assert found.zero_point.zero_point == pytest.approx(ZERO_POINT, abs=0.01)
    assert found.exposure.photo_calib.system == "AB"


def test_a_zero_point_that_changes_over_the_frame_is_told(bright, field):
    reference = reference_of(field, names=("g",))
    x, _ = WCS.sky_to_pixel(ra=reference["coord_ra"], dec=reference["coord_dec"])
    reference.columns["g_flux"].data[...] *= 10 ** (0.4 * 0.2 * x / field.exposure.shape[1])
    found = run(bright, reference)
    told = [warning for warning in found.warnings if "the zero point changes by" in warning]
    assert float(told[0].split()[5]) == pytest.approx(0.2, abs=0.05)


def test_bright_stars_that_are_too_faint_are_reported(bright, field):
    reference = reference_of(field, names=("g",))
    flux = reference.columns["g_flux"].data
    flux[flux > np.quantile(flux, 0.9)] *= 10 ** (0.4 * 0.3)
    found = run(bright, reference)
    assert [text for text in found.warnings if "the brightest stars are" in text and "too faint" in text]


def test_a_flux_that_the_reference_lacks_is_named(bright, field):
    reference = reference_of(field, names=("r", "i"))
    found = run(bright, reference)
    assert found.warnings == [
        "no zero point: the reference catalog has no flux 'g_flux' (it has r_flux, i_flux); add that "
        "band to the catalog, or use another one, for example -c calibrate.reference.flux_names.g=r"
    ]
    assert found.exposure.photo_calib is None
    assert np.isnan(found.exposure.metadata["MAGZERO"])
    with pytest.raises(MeasurementError, match="no zero point: the reference catalog has no flux 'g_flux'"):
        run(bright, reference, photometry={"required": True})


def test_the_remedy_names_the_band_that_is_nearest_and_the_setting_of_the_task(field):
    reference = reference_of(field, names=("G", "BP", "RP", "ha"))
    with pytest.raises(MeasurementError, match=r"for example -c reference\.flux_names\.V=BP$"):
        magnitudes_in_filter(reference, "V", "V", PhotometryConfig(), ReferenceConfig(), section="reference")
    with pytest.raises(MeasurementError, match=r"for example -c reference\.flux_names\.i=RP$"):
        magnitudes_in_filter(reference, "i", "i", PhotometryConfig(), ReferenceConfig(), section="reference")
    for name, wanted in (("Rc", "G"), ("Sloan i'", "RP"), ("Blue", "BP"), ("Halpha", "BAND")):
        with pytest.raises(MeasurementError, match=rf"{wanted}'?$"):
            magnitudes_in_filter(reference, name, name, PhotometryConfig(), ReferenceConfig(), section="reference")


def colored(field, name="survey_dr1"):
    """A reference catalog of stars with a color g - r of 0.5 mag."""
    reference = reference_of(field, names=("g", "r"))
    reference.columns["r_flux"].data[...] *= 10 ** (0.4 * 0.5)
    reference.metadata["REFERENCE_NAME"] = name
    return reference


TERM = {"primary": "g", "secondary": "r", "c0": 0.02, "c1": 0.1, "c2": -0.04}


def test_color_terms_shift_the_zero_point(bright, field):
    found = run(bright, colored(field), photometry={"color_terms": {"survey*": {"g.1": TERM}}})
    assert found.zero_point.zero_point == pytest.approx(ZERO_POINT + 0.02 + 0.05 - 0.01, abs=0.01)
    assert [found.exposure.metadata[f"COLORTERM{k}"] for k in (1, 2, 3)] == [0.02, 0.1, -0.04]


@pytest.mark.parametrize(
    "settings",
    [
        {"color_terms": {"other*": {"g.1": TERM}}},
        {"color_terms": {"survey*": {"r": TERM}}},
        {"color_terms": {"survey*": {"g.1": TERM}}, "apply_color_terms": False},
    ],
    ids=["another catalog", "another filter", "switched off"],
)
def test_without_a_color_term_the_zero_point_is_that_of_the_band(bright, field, settings):
    found = run(bright, colored(field), photometry=settings)
    assert found.zero_point.zero_point == pytest.approx(ZERO_POINT, abs=0.01)
    assert found.exposure.metadata["COLORTERM2"] == 0.0
    assert not found.warnings


def test_the_very_name_of_a_catalog_goes_before_patterns(bright, field):
    plain = {"primary": "g", "secondary": "g"}
    terms = {"survey*": {"g.1": TERM}, "survey_dr1": {"g.1": plain}}
    found = run(bright, colored(field), photometry={"color_terms": terms})
    assert found.zero_point.zero_point == pytest.approx(ZERO_POINT, abs=0.01)
    found = run(bright, colored(field, "survey_dr2"), photometry={"color_terms": {**terms, "*dr2": {"g.1": plain}}})
    assert found.warnings == [
        "no zero point: the name of the reference catalog 'survey_dr2' matches several patterns of color terms: "
        "survey*, *dr2; give the catalog an entry of its own in calibrate.photometry.color_terms"
    ]


def test_a_band_that_a_color_term_needs_and_the_catalog_lacks_is_named(bright, field):
    term = {"primary": "g", "secondary": "z", "c1": 0.3}
    found = run(bright, colored(field), photometry={"color_terms": {"survey*": {"g.1": term}}})
    assert found.warnings == [
        "the zero point does not use the color term of g.1, since the reference catalog survey_dr1 has no flux "
        "'z_flux'; add that band to the catalog"
    ]
    assert found.zero_point.zero_point == pytest.approx(ZERO_POINT, abs=0.01)
    assert found.exposure.metadata["COLORTERM2"] == 0.0
    term = {"primary": "z", "secondary": "g"}
    found = run(bright, colored(field), photometry={"color_terms": {"survey*": {"g.1": term}}})
    assert found.warnings[0].startswith("no zero point: the reference catalog has no flux 'z_flux' (it has g_flux")


@pytest.mark.parametrize("reference", [None, Catalog()])
def test_without_a_reference_catalog_astrometry_fails_or_is_left_out(bright, reference):
    with pytest.raises(MeasurementError, match=r"no astrometry: there is no reference catalog .*; add one with"):
        run(bright, reference)
    found = run(bright, reference, astrometry={"required": False})
    assert [warning.split(":")[0] for warning in found.warnings] == [
        "no astrometry, the WCS that the exposure came with is kept",
        "no zero point",
    ]
    assert len(found.catalog) > 50
    assert len(found.matches) == 0
    assert np.isnan(found.astrometric_scatter)
    assert found.exposure.metadata["MAGZERO_NOBJ"] == 0
    assert np.isnan(found.exposure.metadata["MAGZERO"])


def test_what_the_exposure_came_with_is_no_zero_point(bright, field):
    bright.exposure.photo_calib = PhotoCalib.from_zero_point(30.0)
    try:
        found = run(bright, None, astrometry={"required": False})
        assert found.exposure.photo_calib is None
        kept = run(bright, None, astrometry={"required": False}, photometry={"enabled": False})
        assert kept.exposure.metadata["MAGZERO"] == pytest.approx(30.0 - 2.5 * np.log10(30.0))
    finally:
        bright.exposure.photo_calib = None


def test_a_reference_catalog_of_elsewhere_matches_nothing(bright, field):
    reference = other_sky(field)
    reference.columns["coord_dec"].data[...] += 1.0
    with pytest.raises(MeasurementError, match=r"^no astrometry: (?!.*no astrometry)"):
        run(bright, reference)
    found = run(bright, reference, astrometry={"force_known_wcs": True})
    assert found.warnings == ["no zero point: none of the 65 reference sources matches a source"]
    assert found.zero_point.n_star == 0


def test_an_exposure_without_wcs_is_measured_all_the_same(bright):
    exposure = bright.exposure.copy()
    exposure.wcs = None
    config = CalibrateConfig(background=BACKGROUND, astrometry={"required": False})
    found = calibrate(exposure, bright.backgrounds, bright.catalog, bright.corrections, None, "g", config)
    assert np.isnan(found.catalog["coord_ra"]).all()
    assert "there is no reference catalog of this part of the sky" in found.warnings[0]
    assert np.isnan(found.zero_point.zero_point)


@pytest.mark.parametrize("camera", [{}, {"the camera": turn(WCS, 70).shifted(x=0, y=90000)}], ids=["nothing", "scale"])
def test_an_exposure_without_wcs_is_found_blind(bright, field, camera):
    exposure = bright.exposure.copy()
    exposure.wcs, exposure.other_wcs = None, camera
    config = CalibrateConfig(background=BACKGROUND)
    reference = reference_of(field)
    parts = exposure, bright.backgrounds, bright.catalog, bright.corrections, reference, "g"
    found = calibrate(*parts, config)
    assert found.warnings == ["the exposure came without a WCS; it was found by the pattern of its stars"]
    assert len(found.matches) > 50
    ra, dec = found.exposure.wcs.pixel_to_sky(x=field.x, y=field.y)
    true_ra, true_dec = WCS.pixel_to_sky(x=field.x, y=field.y)
    np.testing.assert_allclose(3600 * np.array([ra - true_ra, dec - true_dec]), 0, atol=0.05)


@pytest.mark.parametrize("factor", [2.0, 0.5, 3.0, 1 / 3, 0.25])
def test_a_header_of_another_binning_is_seen_through(bright, field, factor):
    other = turned(bright)
    other.exposure.wcs = dataclasses.replace(WCS, cd=factor * WCS.cd)
    found = run(other, reference_of(field))
    assert f"its pixel scale {1 / factor:.2f}" in found.warnings[0]
    assert "binned" in found.warnings[0]
    assert found.exposure.wcs.pixel_scale == pytest.approx(WCS.pixel_scale, rel=1e-3)


def test_a_distortion_that_is_left_over_from_another_frame_is_dropped(bright, field):
    other = turned(bright)
    bent = np.zeros((4, 4))
    bent[3, 0] = bent[0, 3] = 3e-6
    other.exposure.wcs = dataclasses.replace(WCS, a=bent, b=bent)
    found = run(other, reference_of(field))
    assert found.warnings[0].startswith("the distortion of the WCS that the exposure came with does not match")
    assert len(found.matches) > 50


def test_a_catalog_that_ends_on_the_frame_gives_a_warning(bright, field):
    reference = reference_of(field)
    half = reference.select(reference["coord_ra"] < np.median(reference["coord_ra"]))
    found = run(bright, half)
    assert "of the sources are where the reference catalog has no stars" in found.warnings[0]


def test_an_exposure_without_psf_is_refused(bright):
    exposure = bright.exposure.copy()
    exposure.psf = None
    with pytest.raises(MeasurementError, match="the exposure has no PSF to measure with; characterize it first"):
        calibrate(exposure, [], Catalog(), {}, None, "g", CalibrateConfig())


@pytest.mark.parametrize("n", [0, 1])
def test_a_field_with_hardly_a_star_is_calibrated_as_far_as_it_goes(n):
    few = star_field(n, SHAPE, seed=20, fluxes=(1e5, 2e5))
    bright = characterized(few)
    assert len(bright.catalog) == n
    config = CalibrateConfig(background=BACKGROUND, astrometry={"required": False})
    found = run(bright, reference_of(few), config=config)
    assert n <= len(found.catalog) <= n + 1
    assert found.warnings[0].startswith("no astrometry, the WCS that the exposure came with is kept: ")
    assert found.warnings[0].count("no astrometry") == 1
    assert found.zero_point.n_star == n
    for name in ("coord_ra", "base_PsfFlux_instFlux", "base_PsfFlux_apCorr", "calib_photometry_used"):
        assert len(found.catalog[name]) == len(found.catalog)


def test_faint_stars_of_the_characterization_keep_their_correction(bright, field):
    """Where no star of the characterization is found again its aperture corrections stand."""
    empty = bright.catalog.select(np.zeros(len(bright.catalog), bool))
    exposure = bright.exposure.copy()
    config = CalibrateConfig(background=BACKGROUND)
    found = calibrate(exposure, bright.backgrounds, empty, bright.corrections, reference_of(field), "g", config)
    assert not found.catalog["base_PsfFlux_flag_apCorr"].any()
    x, y = (found.catalog[f"base_SdssCentroid_{c}"] for c in "xy")
    np.testing.assert_allclose(
        found.catalog["base_PsfFlux_apCorr"], bright.corrections["base_PsfFlux"].evaluate(x=x, y=y)
    )


def disturbed(field, magnitudes):
    """Return the reference catalog with magnitudes off by what a function says of their number."""
    reference = reference_of(field)
    flux = reference["g_flux"] * 10 ** (-0.4 * magnitudes(len(reference)))
    reference.add("g_flux", flux, "nJy", "")
    return reference


def test_a_zero_point_of_the_few_that_agree_is_refused(bright, field):
    """Stars of other magnitudes than the reference says, as wrong matches give, are not zero point."""

    def off(n):
        return np.where(np.arange(n) % 4 == 0, 0.0, np.random.default_rng(4).normal(0.0, 1.5, n))

    found = run(bright, disturbed(field, off))
    assert np.isnan(found.zero_point.zero_point)
    assert found.exposure.photo_calib is None
    assert re.search(
        r"no zero point: the \d+ matched stars scatter by \d\.\d\d mag about it, "
        r"calibrate.photometry.maximum_scatter allows 0.4: check that the WCS is right",
        found.warnings[-1],
    )


def test_a_doubtful_zero_point_is_given_with_a_warning(bright, field):
    found = run(bright, disturbed(field, lambda n: np.where(np.arange(n) % 5 < 2, 0.8, 0.0)))
    assert found.zero_point.zero_point == pytest.approx(ZERO_POINT, abs=0.02)
    assert re.search(r"the zero point rests on \d+ of \d+ matched stars, the others disagree", found.warnings[-1])


def test_stars_of_another_filter_scatter(bright, field):
    found = run(bright, disturbed(field, lambda n: np.random.default_rng(4).normal(0.0, 0.2, n)))
    assert found.zero_point.zero_point == pytest.approx(ZERO_POINT, abs=0.15)
    assert any(re.search(r"matched stars scatter by 0\.\d\d mag", text) for text in found.warnings)


def test_an_ordinary_exposure_is_not_doubted(done):
    assert done.warnings == []


def test_an_aperture_correction_without_stars_is_doubted(bright, field):
    nobody = dataclasses.replace(bright, catalog=bright.catalog.select(np.zeros(len(bright.catalog), bool)))
    nobody.corrections = {}
    found = run(nobody, reference_of(field))
    assert found.warnings[-1] == (
        "the aperture correction is that of the PSF model alone: 0 of its stars can be used, 2 are needed to scale it"
    )


def test_light_beyond_the_reference_aperture_is_warned_of_unless_somebody_chose_it(bright, field, done):
    assert not any("beyond the reference aperture" in warning for warning in done.warnings)
    haloed = dataclasses.replace(bright, exposure=bright.exposure.copy())
    rows, columns = np.indices(SHAPE, dtype=np.float32, sparse=True)
    for x, y, flux in zip(field.x, field.y, field.flux, strict=True):
        halo = np.exp(-np.hypot(columns - np.float32(x), rows - np.float32(y)) / 8)
        haloed.exposure.masked_image.image += np.float32(0.09 * flux) * halo / halo.sum()
    reference = reference_of(field)
    warnings = run(haloed, reference).warnings
    message = r"stars have [3-5]\.\d \+- 0\.\d % of their light beyond the reference aperture of 12 pixels"
    assert any(re.match(message, warning) for warning in warnings), warnings
    chosen = run(haloed, reference, measurement=MeasurementConfig(reference_aperture=12.0)).warnings
    assert not any("beyond the reference aperture" in warning for warning in chosen)
