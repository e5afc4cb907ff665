"""A pixel scale that no file of a camera tells is not held against its frames."""

import math
from types import SimpleNamespace

import pytest

from obs.metrics.measured import Measured
from obs.metrics.sources import measure_sources
from obs.process_summary import ProcessSummary


@pytest.mark.parametrize("is_scale_known", [True, False])
def test_the_scale_is_compared_only_if_it_is_known(is_scale_known):
    summary = ProcessSummary()
    summary.wcs_scale = 4.2
    trends = SimpleNamespace(
        **dict.fromkeys(("over_frame", "bright", "of_psf", "over_frame_error", "of_psf_error"), math.nan),
        **{"color": math.nan, "color_error": math.nan, "color_name": ""},
    )
    done = SimpleNamespace(
        reference=[1],
        exposure=SimpleNamespace(visit_info=None, wcs=None),
        zero_point=SimpleNamespace(error=math.nan, trends=trends),
    )
    out = Measured()
    measure_sources(out, done, summary, is_scale_known=is_scale_known)
    assert out.values.get("scale_ratio") == (4.2 if is_scale_known else None)
    if not is_scale_known:
        assert out.reasons["scale_ratio"] == "the pixel scale of the camera is not known"
