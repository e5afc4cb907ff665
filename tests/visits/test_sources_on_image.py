"""Sources with positions that no source of the image has."""

import numpy as np

from obs.image.catalog import Catalog
from obs.visits.sources_on_image import keep_sources_on_image


def test_damaged_positions_are_left_out_with_a_warning(caplog):
    catalog = Catalog()
    x = np.array([-0.4, 99.7, np.nan, 1e300, -np.inf, 30.0])
    catalog.add("base_SdssCentroid_x", x)
    catalog.add("base_SdssCentroid_y", np.array([0.0, 60.2, np.nan, 3.0, 3.0, -5000.0]))
    kept = keep_sources_on_image(catalog, (60, 100), "visit=1")
    np.testing.assert_array_equal(kept["base_SdssCentroid_x"], x[:3])
    assert "visit=1: 3 sources of its src not used, with positions far off the image" in caplog.text
    assert keep_sources_on_image(kept, (60, 100), "visit=1") is kept
