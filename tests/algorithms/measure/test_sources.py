import numpy as np
import pytest

from obs.algorithms.measure import sources as module
from obs.algorithms.measure.sources import APERTURES, measure_sources
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.sky.noise import measure_smoothed_noise
from obs.algorithms.sources.deblend import Children, deblend
from obs.algorithms.sources.detection import find_footprints
from obs.algorithms.sources.stamps import StampCutter, list_sources
from star_field import Gaussian, Moffat, draw, pixel_psf, scatter

PROFILE = Moffat(3.2)
SIGMA = 3.2 / 2.355
SKY = 5.0


def detect(image, *, threshold=5.0):
    smoothed = smooth(image, SIGMA)
    return find_footprints(smoothed, threshold=threshold * measure_smoothed_noise(smoothed), n_grow=4)


def field(shape, x, y, flux, profiles=PROFILE, *, seed=0, sky=SKY):
    clean = draw(shape, x, y, flux, profiles)
    variance = sky**2 + clean / 2
    image = clean + np.random.default_rng(seed).normal(size=shape) * np.sqrt(variance)
    return image.astype(np.float32), variance.astype(np.float32)


def measure(image, variance, *, footprints=None, psf=None, blends=True, **keywords):
    psf = psf or pixel_psf(PROFILE)
    footprints = footprints or detect(image)
    children = deblend(image, variance, footprints, psf, fwhm=3.2) if blends else Children.none()
    sources = list_sources(footprints, children)
    cutter = StampCutter(image, variance, footprints, children, sources, noise=SKY, seed=1)
    return sources, measure_sources(cutter, sources, footprints.labels, psf, **keywords)


def order(found, x, y):
    """Rows of the sources that were put at (x, y)."""
    distance = np.hypot(found["base_SdssCentroid_x"][:, None] - x, found["base_SdssCentroid_y"][:, None] - y)
    assert (distance.min(0) < 1.5).all()
    return distance.argmin(0)


@pytest.fixture(scope="module")
def crowd():
    """Stars of all brightness, some of them blended, and galaxies, up to the border."""
    rng = np.random.default_rng(3)
    shape, n = (300, 320), 120
    x, y = rng.uniform(0, shape[1], n), rng.uniform(0, shape[0], n)
    profiles = [PROFILE if k % 4 else Gaussian(12, 7, 3) for k in range(n)]
    return field(shape, x, y, np.exp(rng.uniform(np.log(1e3), np.log(1e5), n)), profiles)


def test_positions_and_fluxes_of_stars_are_within_their_errors():
    shape, n = (700, 700), 120
    x, y = scatter(n, shape, seed=11, separation=45, border=45)
    flux = np.geomspace(3e3, 5e4, n)
    image, variance = field(shape, x, y, flux)
    _, found = measure(image, variance)
    rows = order(found, x, y)
    assert len(found["base_SdssCentroid_x"]) == n

    def pull(name, truth):
        return (found[name][rows] - truth) / found[name.replace("instFlux", "instFluxErr")][rows]

    wide = 4 / np.sqrt(2 * n)
    for axis, truth in (("x", x), ("y", y)):
        shift = found[f"base_SdssCentroid_{axis}"][rows] - truth
        assert (shift / found[f"base_SdssCentroid_{axis}Err"][rows]).std() == pytest.approx(1.0, abs=0.1 + wide)
        assert abs(np.median(shift)) < 0.01
    in_psf = 1 / pixel_psf(PROFILE).basis.sum()
    # the PSF was normalized within its stamp
    assert pull("base_PsfFlux_instFlux", flux / in_psf).std() == pytest.approx(1.0, abs=wide)
    assert pull("base_PsfFlux_instFlux", flux / in_psf).mean() == pytest.approx(0.0, abs=0.1 + 4 / np.sqrt(n))
    for radius in (9.0, 12.0):
        aperture = f"base_CircularApertureFlux_{radius:.0f}_0_instFlux"
        assert pull(aperture, flux * PROFILE.within(radius)).std() == pytest.approx(1.0, abs=0.05 + wide)
        assert np.median(found[aperture][rows] / flux) == pytest.approx(PROFILE.within(radius), rel=3e-3)
    assert np.median(found["base_GaussianFlux_instFlux"][rows] / flux) == pytest.approx(0.88, abs=0.02)
    assert not found["base_SdssCentroid_flag"].any()
    assert not found["base_PsfFlux_flag"].any()


def test_results_do_not_depend_on_what_is_measured_together(crowd, monkeypatch):
    sources, together = measure(*crowd)
    assert len(sources) > 60
    assert (sources.child >= 0).sum() > 10
    monkeypatch.setattr(module, "BATCH", 7)
    _, apart = measure(*crowd)
    _, twice = measure(*crowd, which=np.arange(len(sources))[::-1])
    for name, values in together.columns.items():
        np.testing.assert_allclose(apart[name], values, rtol=2e-5, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(twice[name][::-1], values, rtol=2e-5, atol=1e-5, err_msg=name)


def test_measuring_again_gives_the_same(crowd):
    first, again = (measure(*crowd)[1] for _ in range(2))
    for name, values in first.columns.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_flags_say_where_values_are_not_known(crowd):
    _, found = measure(*crowd)
    for flag, values in (
        ("base_SdssCentroid_flag", ("base_SdssCentroid_x", "base_SdssCentroid_y")),
        ("base_SdssShape_flag", ("base_SdssShape_xx", "base_SdssShape_yy", "base_SdssShape_xy")),
        ("base_GaussianFlux_flag", ("base_GaussianFlux_instFlux", "base_GaussianFlux_instFluxErr")),
        ("base_PsfFlux_flag", ("base_PsfFlux_instFlux", "base_PsfFlux_instFluxErr")),
        ("ext_photometryKron_KronFlux_flag", ("ext_photometryKron_KronFlux_instFlux",)),
    ):
        for name in values:
            assert np.isfinite(found[name][~found[flag]]).all(), name
    edge = found["base_SdssCentroid_flag_edge"]
    assert edge.any()
    assert np.isnan(found["base_SdssCentroid_xErr"][edge]).all()
    for radius in APERTURES:
        name = f"base_CircularApertureFlux_{radius:.1f}".replace(".", "_")
        x, y = found["base_SdssCentroid_x"], found["base_SdssCentroid_y"]
        leaves = (np.minimum(x, 319 - x) < radius - 1.5) | (np.minimum(y, 299 - y) < radius - 1.5)
        assert found[f"{name}_flag_apertureTruncated"][leaves].all()
        stays = (np.minimum(x, 319 - x) > radius + 1.5) & (np.minimum(y, 299 - y) > radius + 1.5)
        assert not found[f"{name}_flag_apertureTruncated"][stays].any()


def test_a_galaxy_far_larger_than_the_psf_is_measured_whole():
    shape, moments, flux = (401, 401), (200.0, 120.0, 40.0), 4e6
    image, variance = field(shape, [200.3], [199.6], [flux], Gaussian(*moments), sky=1.0)
    # its noisy top has many maxima; the one that is listed lies off the center
    footprints = detect(image)
    _, found = measure(image, variance, footprints=footprints, blends=False)
    k = int(np.argmax(found["base_SdssShape_xx"]))
    assert found["base_SdssCentroid_x"][k] == pytest.approx(200.3, abs=0.5)
    assert found["base_SdssCentroid_y"][k] == pytest.approx(199.6, abs=0.5)
    for name, truth in zip(("xx", "yy", "xy"), moments, strict=True):
        assert found[f"base_SdssShape_{name}"][k] == pytest.approx(truth, rel=0.03)
    assert found["base_GaussianFlux_instFlux"][k] == pytest.approx(flux, rel=0.02)
    kron = "ext_photometryKron_KronFlux"
    size = (moments[0] * moments[1] - moments[2] ** 2) ** 0.25
    assert found[f"{kron}_radius"][k] == pytest.approx(np.sqrt(np.pi / 2) * size, rel=0.03)
    assert found[f"{kron}_instFlux"][k] == pytest.approx(flux, rel=0.02)
    inside = 1 - np.exp(-(12.0**2) / 2 / size**2)
    assert found["base_CircularApertureFlux_12_0_instFlux"][k] == pytest.approx(flux * inside, rel=0.05)


def test_a_centroid_far_from_its_peak_is_measured_as_one_on_it():
    """The peak pixel of a flat source is anywhere on it: what is measured about the centroid does not follow it."""
    shape = (201, 201)
    image, variance = field(shape, [100.2], [100.1], [2e6], Gaussian(60, 60), sky=1.0)
    footprints = detect(image)
    results = []
    for dx, dy in ((0, 0), (3, 0), (0, -4), (-3, 4)):
        footprints.peaks.x[0], footprints.peaks.y[0] = 100 + dx, 100 + dy
        _, found = measure(image, variance, footprints=footprints, blends=False)
        results.append({name: values[0] for name, values in found.columns.items() if "flag" not in name})
    for other in results[1:]:
        assert other["base_SdssCentroid_x"] == pytest.approx(100.2, abs=1)
        assert other["base_SdssCentroid_y"] == pytest.approx(100.1, abs=1)
        for name in ("base_PsfFlux_instFlux", "base_CircularApertureFlux_25_0_instFlux", "base_SdssShape_xx"):
            assert other[name] == pytest.approx(results[0][name], rel=0.015), name


def test_stars_across_the_border_are_marked_and_measured():
    shape = (120, 120)
    x, y = np.array([1.0, 60.0, 118.4, 60.0]), np.array([60.0, 1.5, 60.0, 60.0])
    image, variance = field(shape, x, y, np.full(4, 1e5))
    # the smoothed image ends half a kernel before the border: detect as if it did not
    footprints = find_footprints(_unmargined(image), threshold=30, n_grow=3)
    _, found = measure(image, variance, footprints=footprints)
    rows = order(found, x, y)
    assert found["base_SdssCentroid_flag_edge"][rows].tolist() == [True, True, True, False]
    assert found["base_PsfFlux_flag_edge"][rows].tolist() == [True, True, True, False]
    np.testing.assert_allclose(found["base_PsfFlux_instFlux"][rows], 1e5, rtol=0.12)


def _unmargined(image):
    padded = smooth(np.pad(image, 20), SIGMA)
    return type(padded)(padded.image[20:-20, 20:-20].copy(), 0)


@pytest.mark.parametrize("kron", [True, False])
def test_no_source_is_an_empty_table_with_every_column(kron):
    flat = np.zeros((60, 70), np.float32)
    footprints = find_footprints(smooth(flat, SIGMA), threshold=1.0)
    _, none = measure(flat, flat + 1, footprints=footprints, kron=kron)
    image, variance = field((60, 70), [30.0], [30.0], [1e5])
    _, one = measure(image, variance, kron=kron)
    assert list(none.columns) == list(one.columns)
    for name, values in none.columns.items():
        assert values.shape == (0,), name
        assert values.dtype == one[name].dtype, name
        assert one[name].shape == (1,), name


def test_an_image_smaller_than_every_stamp_is_measured():
    image, variance = field((25, 27), [13.0], [12.2], [1e5])
    footprints = find_footprints(smooth(image, SIGMA), threshold=50, n_grow=2)
    _, found = measure(image, variance, footprints=footprints)
    k = int(np.argmax(found["base_PsfFlux_instFlux"]))
    assert found["base_SdssCentroid_x"][k] == pytest.approx(13.0, abs=0.05)
    assert found["base_PsfFlux_instFlux"][k] == pytest.approx(1e5, rel=0.02)
    assert found["base_PsfFlux_flag"][k]
    assert found["base_CircularApertureFlux_25_0_flag"][k]
    assert not found["base_CircularApertureFlux_6_0_flag"][k]


def test_unknown_variance_gives_unknown_errors_and_flags():
    image, variance = field((100, 100), [30.0, 70.0], [30.0, 70.0], [1e5, 1e5])
    variance[:, :50] = np.nan
    _, found = measure(image, variance)
    rows = order(found, np.array([30.0, 70.0]), np.array([30.0, 70.0]))
    for name in ("base_PsfFlux", "base_GaussianFlux", "base_CircularApertureFlux_6_0", "ext_photometryKron_KronFlux"):
        assert np.isnan(found[f"{name}_instFluxErr"][rows]).tolist() == [True, False], name
        assert found[f"{name}_flag"][rows].tolist() == [True, False], name
        assert found[f"{name}_instFlux"][rows[0]] == pytest.approx(found[f"{name}_instFlux"][rows[1]], rel=0.05)


@pytest.mark.parametrize("apertures", [(3.0,), (6.0, 40.0)])
def test_an_aperture_is_what_it_is_whatever_others_are_measured(apertures):
    image, variance = field((150, 150), [75.0], [75.0], [1e5])
    _, usual = measure(image, variance)
    _, found = measure(image, variance, apertures=apertures)
    name = f"base_CircularApertureFlux_{apertures[0]:.0f}_0_instFlux"
    np.testing.assert_allclose(found[name], usual[name], rtol=1e-4)
