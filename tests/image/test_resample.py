import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from obs.image.resample import REACH, shift_matrices, shift_slopes
from star_field import Gaussian, Moffat, stamp

SIZE = 61

offsets = st.floats(-3, 3, allow_nan=False)


def shift(image, dx, dy, size=None, sampling=1.0):
    size = size or len(image)
    rows = shift_matrices(np.array([dy]), size, image.shape[0], sampling)[0]
    columns = shift_matrices(np.array([dx]), size, image.shape[1], sampling)[0]
    return rows @ image @ columns.T


@given(offsets, offsets)
def test_shifting_there_and_back_changes_nothing(dx, dy):
    image = stamp(Gaussian(4.0, 6.0, 1.0), 0.2, -0.3, SIZE // 2).astype(np.float32)
    assert np.abs(shift(shift(image, dx, dy), -dx, -dy) - image).max() < 2e-3 * image.max()


@given(offsets, offsets)
def test_a_shifted_star_is_the_star_drawn_there(dx, dy):
    profile = Gaussian(3.0, 3.0)
    found = shift(stamp(profile, 0.0, 0.0, SIZE // 2), dx, dy)
    assert np.abs(found - stamp(profile, dx, dy, SIZE // 2)).max() < 1e-3 * found.max()
    assert found.sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("fwhm", [2.0, 2.5, 4.0])
@pytest.mark.parametrize("phase", [0.1, 0.25, 0.5])
def test_even_narrow_stars_keep_their_flux(fwhm, phase):
    image = stamp(Moffat(fwhm), 0.0, 0.0, SIZE // 2)
    assert shift(image, phase, phase).sum() == pytest.approx(image.sum(), rel=2e-4)


@pytest.mark.parametrize("profile", [Moffat(2.6), Moffat(3.5), Moffat(5.0), Gaussian(1.5, 1.5)], ids=str)
@pytest.mark.parametrize("phase", [0.1, 0.25, 0.5])
def test_shifted_stars_fit_stars_drawn_there_in_flux_and_place(profile, phase):
    half = SIZE // 2
    drawn = stamp(profile, phase, -phase, half)
    slope = (stamp(profile, phase + 0.01, -phase, half) - stamp(profile, phase - 0.01, -phase, half)) / 0.02
    found = shift(stamp(profile, 0.0, 0.0, half), phase, -phase)
    assert np.sum(found * drawn) / np.sum(found**2) == pytest.approx(1.0, abs=2e-4)
    assert np.sum((found - drawn) * slope) / np.sum(slope**2) == pytest.approx(0.0, abs=5e-4)


def test_models_of_other_programs_are_moved_as_lanczos_does():
    matrix = shift_matrices(np.array([0.3]), 21, 21, 1.0, "lanczos")[0]
    distance = np.arange(21) - 10.0 + 0.3
    weight = np.where(np.abs(distance) < 5, np.sinc(distance) * np.sinc(distance / 5), 0.0)
    np.testing.assert_allclose(matrix[10], weight / weight.sum(), atol=1e-6)


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_whole_pixels_are_moved_exactly(dx, dy):
    image = np.random.default_rng(0).normal(size=(21, 21)).astype(np.float32)
    expected = np.zeros_like(image)
    expected[max(dy, 0) : 21 + min(dy, 0), max(dx, 0) : 21 + min(dx, 0)] = image[
        max(-dy, 0) : 21 + min(-dy, 0), max(-dx, 0) : 21 + min(-dx, 0)
    ]
    np.testing.assert_allclose(shift(image, dx, dy), expected, atol=1e-6)


@given(offsets)
def test_a_constant_stays_a_constant(offset):
    matrix = shift_matrices(np.array([offset]), SIZE, SIZE)[0]
    middle = slice(REACH + 4, -REACH - 4)
    np.testing.assert_allclose(matrix.sum(1)[middle], 1.0, atol=1e-6)


@given(offsets, st.sampled_from([21, 31, 41]))
def test_any_sampling_is_the_same_calculation(offset, model_size):
    # half-way between two samples either may be the nearest
    assume(abs(offset % 1.0 - 0.5) > 1e-6)
    unit = shift_matrices(np.array([offset]), 31, model_size)
    nearly = shift_matrices(np.array([offset]), 31, model_size, 1.0 + 1e-9)
    np.testing.assert_allclose(unit, nearly, atol=1e-5)


def test_a_finer_model_gives_the_pixels_of_the_detector():
    fine = Gaussian(4.0, 4.0)
    step = 0.5
    place = (np.arange(81) - 40) * step
    model = fine(place[None, :], place[:, None])
    expected = fine(np.arange(-10, 11)[None, :] - 0.3, np.arange(-10, 11)[:, None] + 0.4)
    np.testing.assert_allclose(shift(model, 0.3, -0.4, 21, step), expected, atol=4e-4 * expected.max())


def test_every_row_of_a_batch_is_shifted_by_its_own_offset():
    batch = np.array([-0.4, 0.0, 0.3, 2.7])
    together = shift_matrices(batch, 25, 31)
    for k, offset in enumerate(batch):
        np.testing.assert_allclose(together[k], shift_matrices(np.array([offset]), 25, 31)[0], atol=1e-7)


def test_no_offset_is_no_matrix():
    assert shift_matrices(np.zeros(0), 9, 11).shape == (0, 9, 11)
    assert shift_matrices(np.zeros(0), 9, 11, 0.7).shape == (0, 9, 11)


def test_models_far_from_the_row_leave_it_empty():
    assert not shift_matrices(np.array([40.0, -40.0]), 9, 9).any()


@pytest.mark.parametrize("interpolation", ["star", "lanczos"])
@pytest.mark.parametrize("sampling", [1.0, 0.4])
@pytest.mark.parametrize("offset", [-0.3, 0.03, 0.21, 1.87])
def test_slopes_are_the_derivatives_of_the_matrices(offset, sampling, interpolation):
    step, size = 1e-3 * sampling, (21, 31, sampling, interpolation)
    ahead, behind = (shift_matrices(np.array([offset + sign * step]), *size) for sign in (1, -1))
    difference = (ahead.astype(float) - behind) / (2 * step)
    # float32 matrices, and the third derivative of the weights
    np.testing.assert_allclose(shift_slopes(np.array([offset]), *size), difference, atol=2e-3)
