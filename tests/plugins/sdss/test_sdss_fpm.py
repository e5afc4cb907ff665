"""Masks."""

import numpy as np
import pytest
from sdss_files import SHAPE, Frame, real_id, write_fpm

from obs.errors import FileFormatError
from obs_sdss.fpm import paint, read_fpm, read_spans


def expected(frame, plane):
    where = np.zeros(SHAPE, bool)
    for region in frame.spans.get(plane, []):
        for y, first, last in region:
            where[y, first : last + 1] = True
    return where


def test_planes_are_where_the_spans_are(files, frame):
    mask = read_fpm(files["fpM"], frame.data_id)
    assert mask.shape == SHAPE
    np.testing.assert_array_equal(mask.any("INTRP"), expected(frame, "INTERP"))
    np.testing.assert_array_equal(mask.any("SAT"), expected(frame, "SATUR"))
    assert mask.any("SAT", "INTRP").sum() == SHAPE[0] + 15  # a pixel may be in both


def test_empty_plane_and_other_planes_set_nothing(files, frame):
    mask = read_fpm(files["fpM"], frame.data_id)
    assert not mask.any("CR").any()
    assert not mask.array[7, 200:].any()  # OBJECT


def test_overlapping_spans_count_once():
    array = np.zeros((3, 10), np.int32)
    paint(array, np.array([[1, 2, 6], [1, 4, 8], [2, 9, 10]]), 4)
    assert array.tolist()[1:] == [[0, 0, 4, 4, 4, 4, 4, 4, 0, 0], [0] * 9 + [4]]


def test_plane_that_is_not_there(files):
    with pytest.raises(FileFormatError, match=r"fpM.*: has no mask plane 'GHOST' among its 5"):
        read_spans(files["fpM"], ["GHOST"])


def test_span_outside_the_frame_is_refused(tmp_path):
    path = write_fpm(tmp_path / "fpM.fit", Frame(spans={"CR": [[(3, 2040, 2048)]]}))
    with pytest.raises(FileFormatError, match=r"fpM\.fit: mask plane 'CR' leaves the frame of 2048 x 1489"):
        read_fpm(path, {})


def test_other_shape_is_refused(tmp_path):
    path = write_fpm(tmp_path / "fpM.fit", Frame(spans={}), shape=(100, 2048))
    with pytest.raises(FileFormatError, match=r"fpM\.fit: the mask has shape \(100, 2048\), expected \(1489, 2048\)"):
        read_fpm(path, {})


def test_truncated_file_is_told(files, tmp_path):
    path = tmp_path / "fpM.fit"
    path.write_bytes(files["fpM"].read_bytes()[:9000])
    with pytest.raises(FileFormatError, match=r"fpM\.fit: "):
        read_fpm(path, {})


def test_real_mask_has_the_known_numbers_of_pixels(stripe82):
    path = stripe82 / "objcs/4/fpM-004192-r4-0300.fit"
    mask = read_fpm(path, real_id("r"))
    assert {name: int(mask.any(name).sum()) for name in ("INTRP", "SAT", "CR")} == {
        "INTRP": 20452,
        "SAT": 575,
        "CR": 557,
    }
    shape, spans = read_spans(path, ["NOTCHECKED"])
    array = np.zeros(shape, np.int32)
    paint(array, spans["NOTCHECKED"], 1)
    assert array.sum() == 31701
