from dataclasses import replace
from itertools import pairwise

import galsim
import numpy as np
import pytest
from overscan_camera import GAINS

from obs.errors import DataIdError, PluginError
from obs.simulator.config import SimulateConfig
from obs.simulator.exposure import simulate_exposure
from obs.simulator.light import true_pointing
from obs.simulator.shots import plan_shots


@pytest.fixture
def config():
    config = SimulateConfig()
    config.sources.density = 3e5
    config.sky.zero_point = 27.0
    return config


def _west(toy):
    return toy.load_camera().detector("west")


def test_the_same_seed_gives_the_same_frame_whatever_else_is_simulated(toy, make_shot, config):
    camera = toy.load_camera()
    first = simulate_exposure(toy, make_shot(), camera.detector("east"), config, seed=4)
    simulate_exposure(toy, make_shot(first_visit=9), _west(toy), config, seed=4)
    again = simulate_exposure(toy, make_shot(), camera.detector("east"), config, seed=4)
    np.testing.assert_array_equal(first.raw, again.raw)
    assert first.header == again.header
    for other in (
        simulate_exposure(toy, make_shot(), camera.detector("east"), config, seed=5),
        simulate_exposure(toy, make_shot(first_visit=8), camera.detector("east"), config, seed=4),
        simulate_exposure(toy, make_shot(), _west(toy), config, seed=4),
    ):
        assert (first.raw != other.raw).mean() > 0.5


def test_sources_have_the_brightness_of_their_magnitude(toy, make_shot, config):
    frame = simulate_exposure(toy, make_shot(), _west(toy), config, seed=4)
    catalog, truth = frame.truth.catalog, frame.truth
    assert len(catalog) > 20
    np.testing.assert_allclose(catalog["magnitude"] + 2.5 * np.log10(catalog["electrons"]), truth.zero_point)
    assert truth.zero_point == pytest.approx(27.0 + 2.5 * np.log10(30.0), abs=0.1)
    light = truth.electrons.sum(dtype=np.float64) - truth.sky * truth.electrons.size
    inside = (catalog["x"] > -0.5) & (catalog["x"] < 255.5) & (catalog["y"] > -0.5) & (catalog["y"] < 319.5)
    assert light == pytest.approx(catalog["electrons"][inside].sum(), rel=0.1)  # some is across the border
    gain = np.where(catalog["x"] < 127.5, GAINS[0], GAINS[1])
    np.testing.assert_allclose(catalog["counts"][inside], (catalog["electrons"] / gain)[inside])
    assert np.isnan(catalog["counts"][~inside]).all()


def test_sources_are_at_their_pixels(toy, make_shot, config):
    """The brightest lone star's light has its center where the truth says, and that is where the sky is."""
    config.sources.galaxy_fraction = 0.0
    frame = simulate_exposure(toy, make_shot(), _west(toy), config, seed=4)
    catalog = frame.truth.catalog
    x, y = catalog["x"], catalog["y"]
    inside = (x > 20) & (x < 236) & (y > 20) & (y < 300)
    lone = np.hypot(x[:, None] - x, y[:, None] - y) + 1e3 * np.eye(len(x))
    star = np.flatnonzero(inside & (lone.min(axis=1) > 12))
    star = star[np.argmax(catalog["electrons"][star])]
    column, row = round(float(x[star])), round(float(y[star]))
    stamp = frame.truth.electrons[row - 8 : row + 9, column - 8 : column + 9] - frame.truth.sky
    center = galsim.hsm.FindAdaptiveMom(galsim.Image(np.ascontiguousarray(stamp), xmin=-8, ymin=-8)).moments_centroid
    assert center.x + column == pytest.approx(x[star], abs=0.02)
    assert center.y + row == pytest.approx(y[star], abs=0.02)
    pointing = true_pointing(toy, make_shot(), config.pointing, seed=4)
    ra, dec = pointing.pixel_to_sky(_west(toy), x=x, y=y)
    np.testing.assert_allclose(ra, catalog["coord_ra"], atol=1e-9)
    np.testing.assert_allclose(dec, catalog["coord_dec"], atol=1e-9)


def test_a_star_is_on_both_detectors_where_the_camera_says(toy, make_shot, config):
    """East of the field is on one side only: the same star is never on two detectors, and none is lost between."""
    config.pointing.error = 0.0
    config.pointing.rotation_error = 0.0
    frames = [simulate_exposure(toy, make_shot(), d, config, seed=4).truth.catalog for d in toy.load_camera()]
    for west, east in [frames]:
        common = set(west["id"]) & set(east["id"])
        for number in common:
            x = [float(c["x"][c["id"] == number][0]) for c in (west, east)]
            assert not all(-0.5 < value < 255.5 for value in x)


def test_dark_frames_hold_dark_current_and_cosmic_rays_only(toy, make_shot, config):
    config.detector.dark_current = 2.0
    config.cosmic_rays.count = 3
    frame = simulate_exposure(toy, make_shot(image_type="dark", exposure_time=100.0), _west(toy), config, seed=4)
    assert not frame.truth.electrons.any()
    assert frame.truth.cosmic_rays.any()
    amp = frame.detector.amplifiers[0]
    data = np.median(frame.raw[amp.raw_data_bbox.slices]) - frame.truth.pattern.levels[0]
    assert data == pytest.approx(200.0 / GAINS[0], abs=6)


def test_bias_frames_hold_nothing_but_bias(toy, make_shot, config):
    config.cosmic_rays.count = 100
    shot = make_shot(image_type="bias", exposure_time=100.0)
    assert shot.exposure_time == 0.0
    frame = simulate_exposure(toy, shot, _west(toy), config, seed=4)
    assert not frame.truth.cosmic_rays.any()
    amp = frame.detector.amplifiers[0]
    assert np.median(frame.raw[amp.raw_data_bbox.slices]) == pytest.approx(frame.truth.pattern.levels[0], abs=6)


def test_flats_show_the_response(toy, make_shot, config):
    config.detector.flat_level = 40000.0
    config.detector.pixel_response = 0.02
    config.detector.drift = 0.0
    frames = [
        simulate_exposure(toy, make_shot(image_type="flat", first_visit=n), _west(toy), config, seed=4) for n in (1, 2)
    ]
    truth = frames[0].truth
    amp = frames[0].detector.amplifiers[0]
    seen = np.mean([f.raw[amp.raw_data_bbox.slices] / f.truth.sky for f in frames], axis=0)
    level = truth.pattern.levels[0] / np.mean([f.truth.sky for f in frames])
    ratio = (seen - level) * GAINS[0] / np.maximum(truth.pattern.response[amp.bbox.slices], 0.01)
    good = ~truth.pattern.defects[amp.bbox.slices] & (truth.pattern.response[amp.bbox.slices] > 0.5)
    assert np.median(ratio[good]) == pytest.approx(1.0, abs=2e-3)
    assert ratio[good].std() < 0.01


def test_saturated_stars_bleed_and_are_told(toy, make_shot, config):
    config.sources.bright = 12.0
    config.sources.faint = 14.0
    config.sources.density = 2e4
    frame = simulate_exposure(toy, make_shot(), _west(toy), config, seed=4)
    assert frame.truth.saturated.sum() > 50
    for amp in frame.detector.amplifiers:
        raw = frame.raw[amp.raw_data_bbox.slices][amp.flip]
        saturated = frame.truth.saturated[amp.bbox.slices]
        assert (raw[saturated] > 49900).all()
        assert (raw[~saturated] < 50100).all()


def test_sky_level_can_be_given(toy, make_shot, config):
    config.sky.level = 321.0
    config.sources.density = 0.0
    frame = simulate_exposure(toy, make_shot(), _west(toy), config, seed=4)
    np.testing.assert_allclose(frame.truth.electrons, 321.0)
    assert len(frame.truth.catalog) == 0


def test_seeing_grows_with_airmass_and_may_be_given(toy, make_shot, config):
    config.optics.seeing_scatter = 0.0
    config.sources.density = 1e4
    seeing = [
        simulate_exposure(toy, make_shot(airmass=airmass), _west(toy), config, seed=4).truth.seeing
        for airmass in (1.0, 2.0)
    ]
    assert seeing[0] == pytest.approx(0.8 * (620 / 500) ** -0.2)
    assert seeing[1] == pytest.approx(seeing[0] * 2**0.6, rel=1e-3)
    config.optics.fixed_seeing = 0.7
    assert simulate_exposure(toy, make_shot(), _west(toy), config, seed=4).truth.seeing == 0.7


def test_data_id_names_visit_detector_and_filter(toy, make_shot, config):
    frame = simulate_exposure(toy, make_shot(), _west(toy), config, seed=4)
    assert {"visit": 7, "ccd": 1, "filter": "T-R", "dateObs": "2020-09-04"}.items() <= frame.data_id.items()
    assert frame.header["VISIT"] == 7
    assert frame.header["SIMSEED"] == (4, "seed of the simulation")


def test_detectors_are_named_as_the_camera_names_them(toy):
    assert replace(toy, detector="%(chip)s").detector_keys(_west(toy)) == {"chip": "west"}
    assert replace(toy, detector="%(side)4s").detector_keys(_west(toy)) == {"side": "west"}
    with pytest.raises(PluginError, match="gives neither the number 1 nor the name 'west'"):
        replace(toy, detector="raft%(raft)d").detector_keys(_west(toy))


def test_a_camera_without_translator_is_refused(toy, make_shot, config):
    with pytest.raises(PluginError, match="camera 'toy' has no translator, whose make_header writes the headers"):
        simulate_exposure(replace(toy, translator=None), make_shot(), _west(toy), config, seed=1)


def test_a_translator_that_cannot_write_is_refused(toy, make_shot, config):
    with pytest.raises(PluginError, match="cannot write headers: it needs a method make_header"):
        simulate_exposure(
            replace(toy, translator="overscan_camera:exposure_id"), make_shot(), _west(toy), config, seed=1
        )


def test_shots_follow_each_other_and_are_dithered(make_shot):
    plan = {
        "image_type": "science",
        "first_visit": 10,
        "date_begin": make_shot().date_begin,
        "exposure_time": 30.0,
        "physical_filters": ["T-R", "T-NB"],
        "ra": 0.0,
        "dec": 60.0,
        "dither": 100.0,
        "seed": 1,
    }
    shots = plan_shots(count=4, **plan)
    assert [shot.visit for shot in shots] == list(range(10, 18))
    assert [shot.physical_filter for shot in shots] == ["T-R"] * 4 + ["T-NB"] * 4
    starts = [shot.date_begin for shot in shots]
    assert all((after - before).total_seconds() >= 30 for before, after in pairwise(starts))
    assert all(0 <= shot.ra < 360 for shot in shots)
    offsets = [np.hypot(((s.ra + 180) % 360 - 180) * np.cos(np.radians(s.dec)), s.dec - 60) * 3600 for s in shots]
    assert max(offsets) == pytest.approx(100, rel=0.01)
    assert len({round(offset) for offset in offsets}) == 4
    info = shots[0].visit_info
    assert info.date_begin < info.date_avg < info.date_end
    assert 1 / np.sin(np.radians(info.boresight_altitude)) == pytest.approx(info.airmass)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dec": 91.0}, "a declination is from -90 to 90 degrees, got 91"),
        ({"airmass": 0.5}, "an airmass is at least 1"),
        ({"exposure_time": 0.0}, "a science frame has to be exposed; give a time above 0 s"),
    ],
)
def test_impossible_plans_are_refused(make_shot, change, message):
    with pytest.raises(DataIdError, match=message):
        make_shot(**change)
