"""Images whose bytes are in inverted order, and images that look a little like it."""

import numpy as np
import pytest

from obs.algorithms.detector.byte_order import find_inverted_bytes


def sky(kind, level=1500.0, noise=20.0):
    return np.random.default_rng(1).normal(level, noise, (80, 90)).astype(kind)


def inverted(pixels):
    """Return what a reader makes of numbers that were written little-endian, with the offset of unsigned ones."""
    half = 1 << 8 * pixels.dtype.itemsize - 1
    if pixels.dtype.kind == "i":
        return pixels.byteswap()
    return (pixels ^ pixels.dtype.type(half)).byteswap() ^ pixels.dtype.type(half)


@pytest.mark.parametrize("kind", ["i2", "u2", "i4", "u4", ">i2", ">u2"])
@pytest.mark.parametrize("level", [300.0, 1500.0, 30000.0])
def test_inverted_bytes(kind, level):
    pixels = sky(kind, level)
    assert find_inverted_bytes(pixels) is None
    found, swapped = find_inverted_bytes(inverted(pixels))
    assert found > 20 * swapped
    assert swapped == pytest.approx(19, abs=2)


def test_images_that_are_right():
    assert find_inverted_bytes(sky("i2", 10.0, 3.0) * 256) is None  # 8 bits, in the high byte
    assert find_inverted_bytes(sky("u2", 1000.0, 9.0) * 16) is None  # 12 bits
    assert find_inverted_bytes(sky("u2", 100.0, 9.0) * 257) is None
    assert find_inverted_bytes(sky("i2", 10.0, 3.0) * 256 + 255) is None
    assert find_inverted_bytes(np.full((70, 70), 7, np.int16)) is None
    assert find_inverted_bytes(np.random.default_rng(1).integers(-32768, 32767, (80, 80), np.int16)) is None
    assert find_inverted_bytes(sky("f4")) is None
    assert find_inverted_bytes(np.zeros((0, 80), np.int16)) is None
