import numpy as np
import pytest

from obs.algorithms.measure.correlated_errors import ErrorFactors
from obs.algorithms.sky.correlation import LARGEST_LAG, NoiseCorrelation
from star_field import Gaussian, stamp

PSF = stamp(Gaussian(2.0, 2.0), 0.0, 0.0, 12).astype(np.float32)
PSF_AREA = 4 * np.pi * 2.0


def noise(neighbor, excess=1.0):
    coefficient = np.zeros((2 * LARGEST_LAG + 1, 2 * LARGEST_LAG + 1))
    middle = LARGEST_LAG
    coefficient[middle, middle] = 1.0
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        coefficient[middle + dy, middle + dx] = neighbor
    return NoiseCorrelation(coefficient, 4.0, excess)


def columns(source_variance):
    """One source with a PSF flux error of the sky and of its own light."""
    point = np.sqrt(np.array([4.0 * PSF_AREA + source_variance]))
    names = [f"base_SdssShape_{name}Err" for name in ("xx", "yy", "xy")]
    return {
        "base_PsfFlux_instFluxErr": point,
        "base_GaussianFlux_instFluxErr": point.copy(),
        "base_CircularApertureFlux_6_0_instFluxErr": np.sqrt(np.array([4.0 * np.pi * 36 + source_variance])),
        "base_SdssCentroid_xErr": np.array([0.1], np.float32),
        "base_SdssCentroid_yErr": np.array([0.1], np.float32),
        "base_ClassificationSpread_valueErr": np.array([0.01]),
        "base_SdssShape_xx": np.array([2.0]),
        "base_SdssShape_yy": np.array([2.0]),
        "base_SdssShape_xy": np.array([0.0]),
        **{name: np.array([0.2], np.float32) for name in names},
    }


def widen(correlation, source_variance=0.0, *, fluxes=True):
    before = columns(source_variance)
    after = ErrorFactors(correlation, PSF).widen(before, {"base_CircularApertureFlux_6_0": 6.0}, fluxes=fluxes)
    return {name: float((after[name] / before[name])[0] ** 2) for name in after}


def test_independent_noise_changes_nothing():
    assert widen(noise(0.0)) == pytest.approx(dict.fromkeys(widen(noise(0.0)), 1.0), abs=1e-5)


def test_neighbors_add_their_covariance():
    """Four neighbors of a Gaussian of variance two have exp(-1/8) of its autocorrelation, wider sums almost all."""
    factors = widen(noise(0.05))
    assert factors["base_PsfFlux_instFluxErr"] == pytest.approx(1 + 4 * 0.05 * np.exp(-1 / 8), rel=0.01)
    assert factors["base_CircularApertureFlux_6_0_instFluxErr"] == pytest.approx(1.18, abs=0.01)
    # a slope is less alike at its neighbors
    assert 1.05 < factors["base_SdssCentroid_xErr"] < factors["base_PsfFlux_instFluxErr"]
    assert factors["base_SdssCentroid_xErr"] == pytest.approx(factors["base_SdssCentroid_yErr"])


def test_light_of_the_source_is_correlated_only_if_it_was_resampled():
    half = 4.0 * PSF_AREA
    alone, shared = widen(noise(0.05), half), widen(noise(0.05))
    name = "base_PsfFlux_instFluxErr"
    assert alone[name] - 1 == pytest.approx(0.5 * (shared[name] - 1), rel=0.06)
    assert widen(noise(0.2), half)[name] == pytest.approx(widen(noise(0.2))[name])


def test_noise_that_the_variance_plane_lacks_counts():
    assert widen(noise(0.0, excess=1.44))["base_PsfFlux_instFluxErr"] == pytest.approx(1.44, rel=1e-3)


@pytest.mark.parametrize("correlation", [0.05, -0.05])
def test_an_error_that_is_not_known_stays_so(correlation):
    unknown = columns(0.0) | {"base_SdssCentroid_xErr": np.array([np.inf]), "base_SdssShape_xxErr": np.array([np.nan])}
    after = ErrorFactors(noise(correlation), PSF).widen(unknown, {}, fluxes=False)
    assert np.isinf(after["base_SdssCentroid_xErr"][0])
    assert np.isnan(after["base_SdssShape_xxErr"][0])


def test_errors_of_fluxes_stay_as_they_are_if_asked_to():
    factors = widen(noise(0.05), fluxes=False)
    assert "base_SdssCentroid_xErr" in factors
    assert not any("Flux" in name for name in factors)
