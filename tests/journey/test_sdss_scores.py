"""Two real SDSS frames, from the repository that the LSST stack used to a catalog scored against the stack's own."""

import importlib.util
import warnings

import pytest
from astropy.table import Table

from obs.config.layers import ConfigLayers
from obs.pipeline import process_detector
from obs.repo.butler import Butler
from obs.tasks.process_config import ProcessConfig

SMALLEST = {
    "completeness_sn7_10": 0.95,
    "completeness_sn10_20": 0.98,
    "completeness_sn20_up": 0.98,
    "purity_sn7_10": 0.97,
    "purity_sn10_20": 0.97,
    "purity_sn20_up": 0.97,
    "star_galaxy_agreement": 0.95,
}
NEAR_ONE = {
    "psf_star_ratio": 0.005,
    "ap6_star_ratio": 0.004,
    "psf_error_ratio": 0.05,
    "ap6_error_ratio": 0.05,
    "shape_trace_ratio": 0.01,
}
LARGEST = {
    "psf_star_mad": 0.007,
    "ap6_star_mad": 0.006,
    "centroid_star_median_px": 0.01,
    "centroid_star_mad_px": 0.01,
    "shape_trace_mad": 0.02,
    "sky_median_mas": 10.0,
    "sky_mad_mas": 10.0,
}
FITTED_FLUX = ("psf_star_ratio", "ap6_star_ratio")


@pytest.fixture(scope="session")
def score_sdss(shared_data):
    path = shared_data.parent / "tools" / "score_sdss.py"
    if not path.is_file():
        pytest.skip("the scoring program is not here: no tools/score_sdss.py beside the real data")
    spec = importlib.util.spec_from_file_location("score_sdss", path)
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module


def process_and_score(score_sdss, repository, output, band, settings=()):
    """Process one frame as ``obs process`` does; return its scores and its summary."""
    butler = Butler(repository, output=output)
    layers = ConfigLayers(ProcessConfig)
    layers.load(butler.instrument.config_folder / "process.yaml")
    for setting in settings:
        layers.set(setting)
    data_id = {"run": 4192, "camcol": 4, "field": 300, "filter": band}
    summary = process_detector(butler, data_id, layers.build())
    expected = repository / "expected" / score_sdss.DEFAULT.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        catalog = Table.read(butler.get_uri("src", data_id), hdu=1)
        return score_sdss.score(catalog, score_sdss.read_expected(expected, 4192, band)), summary


@pytest.fixture(scope="session", params=["g", "r"])
def given_psf(request, shared_data, score_sdss, tmp_path_factory):
    output = tmp_path_factory.mktemp("given")
    return process_and_score(score_sdss, shared_data / "sdss_stripe82", output, request.param)


@pytest.fixture(scope="session", params=["g", "r"])
def fitted_psf(request, shared_data, score_sdss, tmp_path_factory):
    output = tmp_path_factory.mktemp("fitted")
    repository = shared_data / "sdss_stripe82"
    return process_and_score(score_sdss, repository, output, request.param, ["characterize.measure_psf=true"])


@pytest.mark.parametrize("name", SMALLEST)
def test_scores_with_the_survey_psf_are_high_enough(given_psf, name):
    assert given_psf[0][name] >= SMALLEST[name]


@pytest.mark.parametrize("name", NEAR_ONE)
def test_ratios_to_the_stack_are_one(given_psf, name):
    assert given_psf[0][name] == pytest.approx(1.0, abs=NEAR_ONE[name])


@pytest.mark.parametrize("name", LARGEST)
def test_differences_from_the_stack_are_small(given_psf, name):
    assert given_psf[0][name] <= LARGEST[name]


def test_enough_stars_were_compared(given_psf):
    scores, _ = given_psf
    assert scores["n_star"] >= 30
    assert scores["n_ours"] == pytest.approx(scores["n_stack"], rel=0.1)


def test_zero_point_is_that_of_the_survey(given_psf):
    scores, summary = given_psf
    assert summary.n_zero_point >= 10
    assert summary.zero_point_rms < 0.1
    assert summary.n_psf_star == 0
    assert summary.n_source >= scores["n_ours"]


@pytest.mark.parametrize("name", FITTED_FLUX)
def test_fluxes_with_the_fitted_psf_are_those_of_the_stack(fitted_psf, name):
    scores, summary = fitted_psf
    assert scores[name] == pytest.approx(1.0, abs=0.01)
    assert summary.n_psf_star >= 10


@pytest.mark.parametrize("name", ["psf_star_mad", "ap6_star_mad"])
def test_fluxes_with_the_fitted_psf_scatter_little(fitted_psf, name):
    assert fitted_psf[0][name] <= 0.01
