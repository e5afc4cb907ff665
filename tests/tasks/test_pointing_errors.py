import pytest

from obs.algorithms.astrometry.compare import WcsChange
from obs.tasks.pointing_errors import describe_offset, describe_scale


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ((30.0, 150.0 - 90.0), None),
        ((30.0, 50.0), "right ascension and declination in each other's place"),
        ((50.0 / 15, 30.0), "hours where degrees belong"),
        ((750.0 % 360, 30.0), "degrees where hours belong"),
        ((50.0, -30.0), "sign of the header's declination"),
        ((230.1, 30.1), "right ascension of the header is opposite"),
        ((80.0, 10.0), None),
    ],
)
def test_mistakes_of_headers_are_named(told, cause):
    text = describe_offset((50.0, 30.0), told, 36000.0)
    assert text.startswith("10.00 degrees")
    assert (cause in text) if cause else text == "10.00 degrees"


def test_a_small_offset_is_no_mistake():
    assert describe_offset((50.0, 0.1), (50.0, -0.1), 720.0) == "12.00 arcmin"


@pytest.mark.parametrize(
    ("scale", "cause"),
    [(2.001, "frame were binned 2 x 2"), (0.3333, "header were that of a frame binned 3 x 3"), (1.01, None)],
)
def test_scales_of_another_binning_are_named(scale, cause):
    text = describe_scale(WcsChange(offset=0.0, rotation=0.0, scale=scale, mirrored=False))
    assert (cause in text) if cause else not text
