import numpy as np
import pytest

from obs.errors import MeasurementError
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.background import BackgroundConfig, subtract_background
from obs.tasks.detect import DetectionConfig, detect_sources
from star_field import Moffat, draw, observe, scatter, star_field

SHAPE = (300, 320)
SIGMA = 3.2 / 2.355
BACKGROUND = BackgroundConfig(bin_size=64, order=2)


def pixels(clean=None, *, seed=0, sky=100.0):
    clean = np.zeros(SHAPE) if clean is None else clean
    image, variance = observe(clean, seed=seed, sky=sky)
    return MaskedImage((image - sky).astype(np.float32), Mask.zeros(image.shape), variance)


def detect(masked_image, **settings):
    return detect_sources(masked_image, SIGMA, DetectionConfig(**settings), BACKGROUND)


def test_mask_planes_say_where_sources_are():
    x, y = scatter(20, SHAPE, seed=1)
    clean = draw(SHAPE, x, y, np.full(20, 3e4), Moffat(3.2))
    hole = (150, 160)
    clean[hole[0] - 3 : hole[0] + 4, hole[1] - 3 : hole[1] + 4] = -60
    masked = pixels(clean)
    found = detect(masked)
    at = np.rint(y).astype(int), np.rint(x).astype(int)
    assert masked.mask.any("DETECTED")[at].all()
    np.testing.assert_array_equal(masked.mask.any("DETECTED"), found.footprints.labels > 0)
    assert masked.mask.any("DETECTED_NEGATIVE")[hole]
    assert not masked.mask.any("DETECTED_NEGATIVE")[at].any()
    edge = masked.mask.any("EDGE")
    assert edge[:4].all()
    assert not edge[6:-6, 6:-6].any()


def test_planes_of_an_earlier_detection_are_forgotten():
    masked = pixels()
    masked.mask.set(np.ones(SHAPE, bool), "DETECTED", "DETECTED_NEGATIVE")
    detect(masked)
    assert masked.mask.any("DETECTED", "DETECTED_NEGATIVE").mean() < 0.01


def test_noise_alone_has_hardly_a_source():
    counts = [detect(pixels(seed=seed)).footprints.n for seed in range(5)]
    assert sum(counts) <= 2


def test_the_background_is_looked_at_again_beside_the_sources():
    x, y = scatter(30, SHAPE, seed=2, separation=20)
    masked = pixels(draw(SHAPE, x, y, np.full(30, 2e5), Moffat(5.0, 2.5)))
    first = subtract_background(masked, BACKGROUND)
    before = masked.image.copy()
    again = detect(masked).background
    np.testing.assert_allclose(before - masked.image, again.image(), atol=2e-3)
    # wings that the first look took for sky come back
    total = first.image() + again.image()
    assert abs(np.median(total)) < abs(np.median(first.image()))
    assert detect(masked, reestimate_background=False).background is None


def test_bright_sources_alone_are_kept_when_asked_for():
    field = star_field(30, SHAPE, fluxes=(1e3, 1e5))
    masked = field.exposure.masked_image
    subtract_background(masked, BACKGROUND)
    everything = detect(masked.copy()).footprints
    bright = detect(masked.copy(), include_threshold_factor=10.0).footprints
    assert 5 < bright.n < everything.n - 4
    assert bright.peaks.value[0] > 10 * bright.threshold


def test_sources_on_pixels_that_are_not_numbers_are_passed_over():
    masked = pixels(draw(SHAPE, [100.0, 200.0], [150.0, 150.0], [1e5, 1e5], Moffat(3.2)))
    masked.image[140:160, 90:110] = np.nan
    found = detect(masked).footprints
    assert found.n == 1
    assert abs(found.peaks.x[0] - 200) <= 1


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_image_without_numbers_has_no_noise(value, masked):
    image = pixels()
    image.image[...] = value
    if masked:
        image.mask.set(np.ones(SHAPE, bool), "UNMASKEDNAN")
    with pytest.raises(MeasurementError, match="no noise to measure sources against: 0 of 96000 pixels are good"):
        detect(image)


def test_a_saturated_image_has_no_noise():
    image = pixels()
    image.mask.set(np.ones(SHAPE, bool), "SAT")
    with pytest.raises(MeasurementError, match="no noise to measure sources against: 0 of 96000 pixels are good; look"):
        detect(image)


def test_an_image_that_is_all_alike_has_no_noise():
    image = pixels()
    image.image[...] = 7.0
    with pytest.raises(MeasurementError, match="no noise to measure sources against"):
        detect(image)


@pytest.mark.parametrize("shape", [(5, 5), (8, 300), (300, 8)])
def test_an_image_smaller_than_the_kernel_is_too_small(shape):
    image, variance = observe(np.zeros(shape), seed=0)
    with pytest.raises(
        MeasurementError, match=rf"image of {shape[1]} x {shape[0]} pixels is smaller than the smoothing kernel"
    ):
        detect(MaskedImage(image, None, variance))


def test_a_field_full_of_sources_still_has_a_noise():
    rng = np.random.default_rng(5)
    n, shape = 600, (100, 110)
    x, y = rng.uniform(0, shape[1], n), rng.uniform(0, shape[0], n)
    masked = pixels(draw(shape, x, y, np.exp(rng.uniform(6, 11, n)), Moffat(3.2)))
    found = detect(masked, threshold=0.01, prominence=0).footprints
    assert np.isfinite(found.threshold)
    assert len(found.peaks) > 10


def test_sources_at_the_border_are_found_where_they_are_unless_the_kernel_must_see_all():
    x, y = np.array([2.0, 160.0, 317.5, 100.0]), np.array([150.0, 2.2, 120.0, 297.0])
    clean = draw(SHAPE, x, y, np.full(4, 2e4), Moffat(3.2))

    def distance(**settings):
        peaks = detect(pixels(clean), **settings).footprints.peaks
        return np.hypot(peaks.x[:, None] - x, peaks.y[:, None] - y).min(0)

    assert (distance() < 1.5).all()
    assert (distance(to_border=False) > 1.5).all()


def test_what_lies_beyond_the_border_is_no_source():
    clean = draw(SHAPE, np.array([-2.0]), np.array([150.0]), np.array([4e4]), Moffat(3.2))
    masked = pixels(clean)
    assert len(detect(masked).footprints.peaks) == 0
    assert masked.mask.any("DETECTED")[150, 0]


def test_remains_of_a_cosmic_ray_are_no_source():
    masked = pixels()
    masked.image[100:130, 200] = 60.0
    track = np.zeros(SHAPE, bool)
    track[98:132, 199:202] = True
    assert len(detect(masked).footprints.peaks) > 0
    masked.mask.set(track, "CR")
    assert len(detect(masked).footprints.peaks) == 0
    assert len(detect(masked, filled_planes=[]).footprints.peaks) > 0


def test_noise_in_the_halo_of_a_large_galaxy_is_no_source():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    radius = np.hypot(x - 160, y - 150)
    halo = 25 * np.exp(-radius / 35) + 500 * np.exp(-radius / 8)
    found = {limit: len(detect(pixels(halo), prominence=limit).footprints.peaks) for limit in (0.0, 2.5)}
    assert found[0.0] > 5 * found[2.5]
    assert 1 <= found[2.5] <= 8


@pytest.mark.parametrize("noise", ["smoothed", "everywhere", "pixels"])
def test_faint_sources_raise_the_threshold_unless_pixels_tell_the_noise(noise):
    rng = np.random.default_rng(8)
    x, y = rng.uniform(0, SHAPE[1], 500), rng.uniform(0, SHAPE[0], 500)
    crowded = draw(SHAPE, x, y, rng.exponential(250.0, 500), Moffat(3.2))
    ratio = (
        detect(pixels(crowded), noise=noise).footprints.threshold / detect(pixels(), noise=noise).footprints.threshold
    )
    assert ratio < 1.03 if noise == "pixels" else ratio > 1.06


@pytest.mark.parametrize(("noise", "most"), [("pixels", 1.2), ("smoothed", 4.0)])
def test_light_of_a_crowd_does_not_count_as_noise(noise, most):
    """Seven beams of the PSF for each star: a first threshold leaves 25 times the noise beside the sources.

    Wings of bright stars, which the smoothed image shows, stay.
    """
    x, y = scatter(1500, SHAPE, seed=3, separation=0)
    clean = draw(SHAPE, x, y, np.exp(np.random.default_rng(4).uniform(np.log(300), np.log(1e5), len(x))), Moffat(3.2))
    crowd, empty = pixels(clean), pixels()
    subtract_background(crowd, BACKGROUND)
    settings = DetectionConfig(noise=noise, reestimate_background=False)
    found, quiet = (detect_sources(field, SIGMA, settings, BACKGROUND).footprints for field in (crowd, empty))
    assert found.threshold < most * quiet.threshold


def test_shoulders_of_bright_sources_are_found_on_request():
    """A star beside one ten times as bright, at 2.3 widths, is no maximum after smoothing with the PSF."""
    x, y = np.array([40.0, 47.4, 120.0, 60.0]), np.array([60.0, 60.0, 40.0, 20.0])
    clean = draw(SHAPE, x, y, np.array([2e4, 2e3, 4e4, 6e3]), Moffat(3.2))
    found = {
        part: detect(pixels(clean), shoulders=part, reestimate_background=False).footprints.peaks for part in (0.0, 0.5)
    }
    assert len(found[0.0]) == 3
    assert len(found[0.5]) == 4
    assert np.hypot(found[0.5].x - x[1], found[0.5].y - y[1]).min() < 1.5
    assert found[0.5].footprint.tolist() == sorted(found[0.5].footprint)
