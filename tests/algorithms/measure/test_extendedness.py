import numpy as np

from obs.algorithms.measure.extendedness import classify_extendedness


def test_a_source_is_extended_where_its_model_holds_more_light():
    psf = np.full(4, 1000.0)
    model = np.array([1000.0, 1080.0, 1082.0, 2000.0])
    np.testing.assert_array_equal(classify_extendedness(psf, model), [0, 0, 1, 1])
    np.testing.assert_array_equal(classify_extendedness(psf, model, ratio=1.0), [1, 1, 1, 1])
    np.testing.assert_array_equal(classify_extendedness(psf, model, ratio=0.5), [0, 0, 0, 1])


def test_without_a_flux_there_is_no_class():
    nan, inf = np.nan, np.inf
    found = classify_extendedness(np.array([nan, 1.0, inf, 1.0]), np.array([1.0, nan, 1.0, inf]))
    assert np.isnan(found).all()
    assert classify_extendedness(np.zeros(0), np.zeros(0)).shape == (0,)
