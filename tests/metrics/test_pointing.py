"""A pointing error is judged by the field."""

import pytest

from obs.metrics.pointing import share_of_field


@pytest.mark.parametrize(
    ("error", "shape", "scale", "share"),
    [
        (54.0, (1000, 1504), 1.46, 54.0 / 1460.0),  # a wide field loses a twenty-fifth
        (54.0, (1000, 1504), 0.5, 0.09),  # less than 10 arcmin counts as 10 arcmin
        (float("nan"), (1000, 1000), 1.0, float("nan")),
    ],
)
def test_share_of_the_field(error, shape, scale, share):
    assert share_of_field(error, shape=shape, pixel_scale=scale) == pytest.approx(share, nan_ok=True)
