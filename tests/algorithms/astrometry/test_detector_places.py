"""Detectors that lie elsewhere than the camera says are found by the WCSs of exposures that they share."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from obs import load_instrument
from obs.algorithms.astrometry.detector_places import measure_detector_places
from obs.camera.detector import Detector
from obs.image.wcs import TanSipWcs
from obs.instrument.boresight_wcs import fit_boresight_wcs

POINTINGS = {"a": (150.0, 2.0, 0.0), "b": (150.1, 2.05, 180.0), "c": (149.9, 1.95, 33.0)}


@dataclass
class Frame:
    visit: str
    detector: Detector
    shape: tuple[int, int]
    wcs: TanSipWcs


def frames_of(camera, ids, described):
    """Return frames of detectors that the camera has right, and that are said to be as described."""
    frames = []
    for visit, (ra, dec, rotation) in POINTINGS.items():
        for number in ids:
            true = camera.detector(number)
            wcs = fit_boresight_wcs(camera, true, boresight_ra=ra, boresight_dec=dec, rotation=rotation)
            frames.append(Frame(visit, described.get(number, true), true.bbox.shape, wcs))
    return frames


def test_distortion_of_a_wide_field_displaces_no_detector():
    camera = load_instrument("hsc").load_camera()
    ids = [0, 3, 24, 41, 49, 57, 76, 100, 103]
    places = measure_detector_places(frames_of(camera, ids, {}))
    assert len(places) == len(ids) - 1
    assert not [place.text for place in places if place.is_elsewhere]


@pytest.mark.parametrize(("turn", "moved"), [(180.0, 0.0), (90.0, 30.0), (-7.0, 0.0), (0.0, 60.0)])
def test_a_detector_elsewhere_is_put_where_exposures_show_it(turn, moved):
    camera = load_instrument("hsc").load_camera()
    true = camera.detector(50)
    wrong = replace(true, yaw=true.yaw + turn, offset_x=true.offset_x + moved)
    places = measure_detector_places(frames_of(camera, [41, 49, 50], {50: wrong}))
    (found,) = (place for place in places if place.is_elsewhere)
    assert found.id == 50
    assert (found.turned + turn + 180.0) % 360.0 == pytest.approx(180.0, abs=0.05)
    corners = {"x": [0.0, 2047.0, 0.0, 2047.0], "y": [0.0, 0.0, 4175.0, 4175.0]}
    ours, theirs = (np.stack(one.pixel_to_focal_plane(**corners)) for one in (found.detector, true))
    # beside the center, distortion is a thousandth of the distance
    np.testing.assert_allclose(ours, theirs, atol=0.002 * 70)


def test_a_central_detector_that_is_turned_does_not_turn_the_others():
    camera = load_instrument("hsc").load_camera()
    wrong = replace(camera.detector(49), yaw=camera.detector(49).yaw + 90.0)
    places = measure_detector_places(frames_of(camera, [41, 49, 50, 57], {49: wrong}))
    (found,) = (place for place in places if place.is_elsewhere)
    assert (found.id, found.turned) == (49, pytest.approx(-90.0, abs=0.05))


def test_what_cannot_be_said_is_left_out():
    camera = load_instrument("hsc").load_camera()
    frames = frames_of(camera, [49, 50], {})
    assert measure_detector_places(frames[:1]) == []
    alone = [frame for frame in frames if (frame.visit == "a") == (frame.detector.id == 49)]
    assert measure_detector_places(alone) == []
