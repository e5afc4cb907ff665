import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.algorithms.detector.assemble import assemble, split_amplifiers
from obs.camera.amplifier import Amplifier
from obs.geom import Box


@st.composite
def detectors(draw):
    """Amplifiers of one size side by side, in one raw image or one each, with a prescan, an overscan and any flips."""
    n_x, n_y = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    width, height = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    before, after, several = draw(st.integers(0, 2)), draw(st.integers(0, 3)), draw(st.booleans())
    amplifiers = []
    for k in range(n_x * n_y):
        column, row = k % n_x, k // n_x
        x = 0 if several else column * (width + before + after)
        y = 0 if several else row * height
        amplifiers.append(
            Amplifier(
                name=str(k),
                bbox=Box(column * width, row * height, width, height),
                raw_bbox=Box(x, y, width + before + after, height),
                raw_data_bbox=Box(x + before, y, width, height),
                flip_x=draw(st.booleans()),
                flip_y=draw(st.booleans()),
                raw_hdu=k + 1 if several else 0,
            )
        )
    raw_shape = (height if several else n_y * height, (1 if several else n_x) * (width + before + after))
    return amplifiers, (n_y * height, n_x * width), raw_shape


@given(detectors())
def test_split_and_assemble_are_inverse(detector):
    amplifiers, shape, raw_shape = detector
    image = np.arange(shape[0] * shape[1], dtype=np.int32).reshape(shape)
    raw = {amp.raw_hdu: np.full(raw_shape, -1, np.int32) for amp in amplifiers}
    split_amplifiers(image, raw, amplifiers)
    assert np.array_equal(assemble(raw, amplifiers, shape, fill=0), image)
    assert sum((pixels >= 0).sum() for pixels in raw.values()) == image.size


def test_flips_reverse_within_the_amplifier():
    amp = Amplifier("a", Box(0, 0, 3, 2), Box(0, 0, 4, 2), Box(1, 0, 3, 2), flip_x=True, flip_y=True)
    raw = np.array([[9, 1, 2, 3], [9, 4, 5, 6]], np.float32)
    result = assemble({0: raw}, [amp], (2, 3), fill=np.nan)
    assert result.tolist() == [[6, 5, 4], [3, 2, 1]]
    assert result.dtype == np.float32


def test_pixels_of_no_amplifier_get_the_fill():
    amp = Amplifier("a", Box(1, 0, 2, 2), Box(0, 0, 2, 2), Box(0, 0, 2, 2))
    result = assemble({0: np.ones((2, 2), np.int32)}, [amp], (2, 4), fill=7)
    assert result.tolist() == [[7, 1, 1, 7], [7, 1, 1, 7]]


def test_a_negative_hdu_is_refused():
    with pytest.raises(ValueError, match="raw_hdu is the number of an HDU, from 0, got -1"):
        Amplifier("a", Box(0, 0, 1, 1), Box(0, 0, 1, 1), Box(0, 0, 1, 1), raw_hdu=-1)
