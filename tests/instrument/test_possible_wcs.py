"""The WCS of a header, for the pixels of the detector."""

import numpy as np
import pytest

from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.geom import Box
from obs.image.wcs import TanSipWcs
from obs.instrument.possible_wcs import in_assembled


def amplifier(number, *, flips=(False, False), hdu=0):
    return Amplifier(
        str(number),
        Box(50 * number, 0, 50, 40),
        Box(70 * number, 0, 70, 43),
        Box(70 * number + 12, 3, 50, 40),
        flip_x=flips[0],
        flip_y=flips[1],
        raw_hdu=hdu,
    )


@pytest.mark.parametrize(
    ("amplifiers", "raw", "place"),
    [
        ([amplifier(0)], (20, 10), (8, 7)),
        ([amplifier(0, flips=(True, False))], (20, 10), (41, 7)),
        ([amplifier(0, flips=(True, True))], (20, 10), (41, 32)),
        ([amplifier(0), amplifier(1)], (32, 3), (10, 0)),  # in the middle of what holds for each
        ([amplifier(0), amplifier(1, flips=(True, False))], (20, 10), (8, 7)),
        ([amplifier(0, hdu=1), amplifier(1, hdu=2)], (20, 10), (20, 10)),
    ],
)
def test_overscan_is_no_part_of_the_detector(amplifiers, raw, place):
    detector = Detector(0, "c", Box(0, 0, 50 * len(amplifiers), 40), (43, 140), tuple(amplifiers))
    header = TanSipWcs(crpix=(25.0, 25.0), crval=(10.0, 20.0), cd=np.array([[-1e-4, 1e-5], [1e-5, 1e-4]]))
    found = in_assembled(header, detector)
    expected = np.array(header.pixel_to_sky(x=raw[0], y=raw[1]))
    assert np.array(found.pixel_to_sky(x=place[0], y=place[1])) == pytest.approx(expected, abs=1e-10)
