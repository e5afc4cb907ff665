import numpy as np
import pytest

from obs.algorithms.detector.vignette import mask_vignetted
from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.geom import Box
from obs.image.mask import Mask


def detector(yaw=0.0):
    box = Box(0, 0, 200, 300)
    return Detector(
        0, "a", box, (300, 200), (Amplifier("0", box, box, box),), offset_x=250.0, offset_y=10.0,
        pixel_size_x=0.15, pixel_size_y=0.15, reference_x=99.5, reference_y=149.5, yaw=yaw,
    )  # fmt: skip


@pytest.mark.parametrize("yaw", [0.0, 90.0, 181.3])
def test_pixels_outside_of_the_circle(yaw):
    mask, where = Mask.zeros((300, 200)), detector(yaw)
    part = mask_vignetted(mask, where, x=-1.5, y=1.5, radius=255.0)
    row, column = np.mgrid[:300, :200]
    x, y = where.pixel_to_focal_plane(x=column, y=row)
    outside = np.hypot(x + 1.5, y - 1.5) > 255.0
    assert 0.1 < outside.mean() < 0.9
    assert part == outside.mean()
    assert np.array_equal(mask.any("NO_DATA"), outside)


def test_a_detector_inside_is_not_touched():
    mask = Mask.zeros((300, 200))
    assert mask_vignetted(mask, detector(), x=0.0, y=0.0, radius=400.0) == 0.0
    assert not mask.array.any()
