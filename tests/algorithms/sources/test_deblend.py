import numpy as np
import pytest

from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.sky.noise import measure_smoothed_noise
from obs.algorithms.sources import points, templates
from obs.algorithms.sources.deblend import Children, deblend
from obs.algorithms.sources.detection import Footprints, Peaks, find_footprints
from obs.image.psf import PixelPsf
from star_field import Gaussian, Moffat, draw, pixel_psf

SHAPE = (101, 121)
FWHM = 3.2
PROFILE = Moffat(FWHM)
SKY = 5.0


def blend(places, fluxes, profiles=PROFILE, *, seed=0, sky=SKY, shape=SHAPE):
    x, y = np.transpose(places)
    clean = draw(shape, x, y, fluxes, profiles)
    noise = np.random.default_rng(seed).normal(size=shape) * np.sqrt(sky**2 + clean / 2)
    return (clean + noise).astype(np.float32), (sky**2 + clean / 2).astype(np.float32)


def detect(image, sigma=FWHM / 2.355):
    smoothed = smooth(image, sigma)
    return find_footprints(smoothed, threshold=5 * measure_smoothed_noise(smoothed), n_grow=3)


def split(image, variance, footprints=None, **keywords):
    footprints = detect(image) if footprints is None else footprints
    return footprints, deblend(image, variance, footprints, pixel_psf(PROFILE), fwhm=FWHM, **keywords)


def flux_of(children):
    return np.bincount(children.owner, children.flux, minlength=len(children))


def at(children, place):
    """The child whose peak is nearest to a place."""
    return int(np.argmin(np.hypot(children.peaks.x - place[0], children.peaks.y - place[1])))


CASES = {
    "two stars": ([(50, 50), (56, 52)], [3e4, 1e4], PROFILE),
    "star and galaxy": ([(50, 50), (62, 55)], [3e4, 2e5], [PROFILE, Gaussian(30, 15, 8)]),
    "two galaxies": ([(50, 50), (68, 45)], [2e5, 2e5], [Gaussian(30, 15, 8), Gaussian(20, 25, -5)]),
    "a crowd": ([(50, 50), (56, 50), (53, 56), (60, 58), (47, 57), (66, 52)], [3e4] * 6, PROFILE),
    "at the corner": ([(7, 7), (12, 8)], [3e4, 3e4], PROFILE),
}


@pytest.mark.parametrize("case", CASES)
def test_children_add_up_to_their_parent(case):
    image, variance = blend(*CASES[case])
    footprints, children = split(image, variance)
    assert len(children) >= 2
    total = np.zeros(image.size)
    np.add.at(total, children.pixel, children.flux)
    blended = np.isin(footprints.labels, children.peaks.footprint)
    np.testing.assert_allclose(total.reshape(SHAPE)[blended], image[blended], rtol=1e-5, atol=1e-3)
    assert not total.reshape(SHAPE)[~blended].any()


@pytest.mark.parametrize("case", CASES)
def test_children_stay_in_their_footprint_and_hold_each_pixel_once(case):
    image, variance = blend(*CASES[case])
    footprints, children = split(image, variance)
    np.testing.assert_array_equal(footprints.labels.ravel()[children.pixel], children.peaks.footprint[children.owner])
    assert len(np.unique(children.owner * image.size + children.pixel)) == len(children.pixel)
    np.testing.assert_array_equal(np.diff(children.start), np.bincount(children.owner, minlength=len(children)))
    assert children.start[0] == 0
    assert children.start[-1] == len(children.pixel)


def test_equal_stars_get_equal_light():
    distance, flux, n = 1.5 * FWHM, 2e4, 40
    differences, sums = [], []
    for seed in range(n):
        angle = np.random.default_rng(seed).uniform(0, np.pi)
        shift = 0.5 * distance * np.array([np.cos(angle), np.sin(angle)])
        places = list(np.add([60.3, 50.2], [shift, -shift]))
        image, variance = blend(places, [flux, flux], seed=seed)
        _, children = split(image, variance)
        assert len(children) == 2
        a, b = flux_of(children)[[at(children, place) for place in places]]
        differences.append((a - b) / (a + b))
        sums.append(a + b)
    differences = np.array(differences)
    # alone, each star's flux is known to less than a per cent; few pairs are not recognized as points
    assert 1.4826 * np.median(np.abs(differences)) < 0.01
    assert np.mean(np.abs(differences) < 0.03) >= 0.9
    assert np.median(differences) == pytest.approx(0.0, abs=4 * 0.01 / np.sqrt(n))
    assert np.mean(sums) == pytest.approx(2 * flux * PROFILE.within(9), rel=0.02)


@pytest.mark.parametrize("ratio", [2, 5, 10])
def test_a_faint_neighbor_gets_its_light(ratio):
    places = [(50.2, 50.4), (58.1, 52.3)]
    found = []
    for seed in range(10):
        image, variance = blend(places, [5e4, 5e4 / ratio], seed=seed)
        _, children = split(image, variance)
        assert len(children) == 2
        found.append(flux_of(children)[[at(children, place) for place in places]])
    bright, faint = np.mean(found, axis=0)
    assert bright == pytest.approx(5e4, rel=0.04)
    assert faint == pytest.approx(5e4 / ratio, rel=0.1)


def test_stars_are_known_as_point_sources_and_galaxies_are_not():
    image, variance = blend([(50, 50), (62, 55)], [3e3, 3e4], [PROFILE, Gaussian(30, 15, 8)])
    _, children = split(image, variance)
    assert children.is_psf[at(children, (50, 50))]
    assert not children.is_psf[at(children, (62, 55))]
    _, none = split(image, variance, psf_chi2_cut=1e-6)
    assert not none.is_psf.any()


def test_a_galaxy_beside_a_star_keeps_its_light():
    places = [(50, 50), (64, 56)]
    image, variance = blend(places, [3e4, 2e5], [PROFILE, Gaussian(30, 15, 8)])
    _, children = split(image, variance)
    flux = flux_of(children)
    assert flux[at(children, places[0])] == pytest.approx(3e4, rel=0.15)
    assert flux.sum() - flux[at(children, places[0])] == pytest.approx(2e5, rel=0.05)


def test_single_sources_have_no_children():
    image, variance = blend([(30, 30), (80, 60)], [3e4, 3e4])
    footprints, children = split(image, variance)
    assert footprints.n == 2
    assert len(children) == 0
    assert children.pixel.shape == children.flux.shape == children.owner.shape == (0,)


def test_nothing_is_divided_where_nothing_was_found():
    flat = np.zeros(SHAPE, np.float32)
    footprints = find_footprints(smooth(flat, 1.4), threshold=1.0)
    assert len(deblend(flat, flat + 1, footprints, pixel_psf(PROFILE), fwhm=FWHM)) == 0


def test_no_children_are_no_children():
    none = Children.none()
    assert len(none) == 0
    assert none.start.tolist() == [0]
    assert none.owner.shape == (0,)


@pytest.mark.parametrize("variance", [np.nan, 0.0, np.inf])
def test_without_a_variance_no_peak_is_a_point_but_light_is_divided(variance):
    image, _ = blend(*CASES["two stars"])
    _, children = split(image, np.full(SHAPE, variance, np.float32))
    assert len(children) == 2
    assert not children.is_psf.any()
    assert flux_of(children).sum() == pytest.approx(4e4, rel=0.05)


def test_one_dead_pixel_without_variance_does_not_matter():
    image, variance = blend(*CASES["two stars"])
    variance[51, 51] = np.nan
    _, children = split(image, variance)
    assert children.is_psf.all()


def test_footprints_do_not_know_of_each_other():
    near, far = CASES["two stars"][:2]
    image, variance = blend(near, far)
    _, alone = split(image, variance)
    other = image.copy()
    other[:40, 80:] += draw(SHAPE, [100, 106], [20, 20], [5e4, 5e4], PROFILE)[:40, 80:].astype(np.float32)
    _, both = split(other, variance)
    assert len(both) == 4
    for place in near:
        assert flux_of(both)[at(both, place)] == pytest.approx(flux_of(alone)[at(alone, place)], rel=0.01)


def test_a_psf_smaller_than_the_blend_will_do():
    image, variance = blend(*CASES["star and galaxy"])
    tiny = PixelPsf(pixel_psf(PROFILE, 3).basis, 0)
    children = deblend(image, variance, detect(image), tiny, fwhm=FWHM)
    assert len(children) >= 2


def test_an_image_smaller_than_the_psf_is_divided():
    image, variance = blend([(9, 10), (15, 10)], [3e4, 3e4], shape=(21, 25))
    footprints = find_footprints(smooth(image, FWHM / 2.355), threshold=50, n_grow=3)
    children = deblend(image, variance, footprints, pixel_psf(PROFILE, 25), fwhm=FWHM)
    assert len(children) == 2
    assert children.pixel.max() < image.size


def test_the_inputs_are_not_changed():
    image, variance = blend(*CASES["star and galaxy"])
    footprints = detect(image)
    before = image.copy(), variance.copy(), footprints.labels.copy()
    split(image, variance, footprints)
    for value, old in zip((image, variance, footprints.labels), before, strict=True):
        np.testing.assert_array_equal(value, old)


def test_the_result_does_not_depend_on_what_is_worked_on_together(monkeypatch):
    image, variance = blend([(20 + 9 * k, 20 + 5 * (k % 9)) for k in range(11)], [2e4] * 11)
    image += draw(SHAPE, [60], [70], [2e5], Gaussian(30, 15, 8)).astype(np.float32)
    footprints, together = split(image, variance)
    monkeypatch.setattr(points, "VALUES_AT_ONCE", 1)
    monkeypatch.setattr(templates, "PIXELS_AT_ONCE", 1)
    _, apart = split(image, variance, footprints)
    np.testing.assert_array_equal(apart.start, together.start)
    np.testing.assert_allclose(flux_of(apart), flux_of(together), rtol=1e-4)


def test_noise_in_a_wide_footprint_gets_small_templates():
    """Templates end where their light does, however wide the footprint: it bounds the windows of noise peaks."""
    random = np.random.default_rng(3)
    shape = (300, 300)
    image = random.normal(0.0, 1.0, shape).astype(np.float32)
    y, x = (axis.ravel() for axis in np.meshgrid(np.arange(10, 300, 20), np.arange(10, 300, 20)))
    image[y, x] = 8.0
    peaks = Peaks(x, y, np.full(len(x), 8.0, np.float32), np.ones(len(x), np.int64))
    footprints = Footprints(np.ones(shape, np.int32), 1, peaks, 5.0)
    sizes = []
    cut = templates._cut
    monkeypatched = lambda *a: sizes.append(a[3]) or cut(*a)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templates, "_cut", monkeypatched)
        children = deblend(image, np.ones(shape, np.float32), footprints, pixel_psf(PROFILE), fwhm=FWHM)
    assert len(children) == len(x)
    assert max(sizes) <= 24
