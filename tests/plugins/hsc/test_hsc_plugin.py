"""The plugin's data: policy, filters, settings, exposure ids; and that importing it reads no file."""

import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from obs.config.layers import ConfigLayers
from obs.errors import DataIdError
from obs.policy.policy import load_policy
from obs.tasks.filter_magnitudes import find_color_term
from obs.tasks.process_config import ProcessConfig
from obs.testing import CameraContract
from obs_hsc import instrument
from obs_hsc.exposure_id import exposure_id

DATA_ID = {"visit": 903334, "ccd": 23, "pointing": 533, "filter": "HSC-R", "field": "STRIPE82L"}


class TestHsc(CameraContract):
    camera = "hsc"
    headers = "headers.yaml"


def settings(*files):
    layers = ConfigLayers(ProcessConfig)
    for file in files:
        layers.load(instrument.config_folder / file)
    return layers.build()


def test_importing_reads_no_data_file():
    code = (
        "import sys; opened = []; sys.addaudithook(lambda e, a: e == 'open' and opened.append(str(a[0])));"
        "import obs_hsc; bad = [p for p in opened if p.endswith(('.yaml', '.csv'))]; sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_data_id_leads_to_its_detector():
    assert instrument.find_detector({"visit": 1, "ccd": 50}).name == "1_12"


@pytest.mark.parametrize(
    ("dataset_type", "path"),
    [
        ("raw", "STRIPE82L/2013-06-17/00533/HSC-R/HSC-0903334-023.fits"),
        ("postISRCCD", "postISRCCD/v0903334-fHSC-R/c023.fits"),
        ("calexp", "00533/HSC-R/corr/CORR-0903334-023.fits"),
        ("calexpBackground", "00533/HSC-R/corr/BKGD-0903334-023.fits"),
        ("src", "00533/HSC-R/output/SRC-0903334-023.fits"),
        ("icSrc", "00533/HSC-R/output/ICSRC-0903334-023.fits"),
        ("srcMatch", "00533/HSC-R/output/SRCMATCH-0903334-023.fits"),
        ("srcMatchFull", "00533/HSC-R/output/SRCMATCHFULL-0903334-023.fits"),
        ("bias", "BIAS/2013-06-17/NONE/BIAS-2013-06-17-023.fits"),
        ("flat", "FLAT/2013-06-17/HSC-R/FLAT-2013-06-17-HSC-R-023.fits"),
        ("processCcd_metadata", "00533/HSC-R/processCcd_metadata/0903334-023.yaml"),
    ],
)
def test_files_lie_where_the_stack_puts_them(dataset_type, path):
    kind = instrument.load_policy().dataset_types[dataset_type]
    assert kind.format(DATA_ID | {"dateObs": "2013-06-17", "calibDate": "2013-06-17"}) == path


def test_policy_agrees_with_the_published_one(shared_data):
    published, ours = load_policy(shared_data / "policies/HscMapper.yaml"), instrument.load_policy()
    theirs = yaml.safe_load((shared_data / "policies/HscMapper.yaml").read_text())
    mine = yaml.safe_load(instrument.policy_path.read_text())
    for group in ("exposures", "calibrations", "datasets"):
        for name, entry in mine[group].items():
            assert all(theirs[group][name][key] == value for key, value in entry.items() if key != "description")
    assert (ours.levels, ours.default_sub_levels, ours.default_level, ours.need_calib_registry) == (
        published.levels,
        published.default_sub_levels,
        published.default_level,
        published.need_calib_registry,
    )


def test_filters_are_the_published_ones(shared_data):
    published = yaml.safe_load((shared_data / "facts/hsc.yaml").read_text())["filters"]
    assert {(f["physical_filter"], f["band"], tuple(f["alias"])) for f in published} == {
        (f.physical_filter, f.band, f.aliases) for f in instrument.filters
    }


@pytest.mark.parametrize(("name", "physical_filter"), [("W-S-I+", "HSC-I"), ("y", "HSC-Y"), ("NONE", "empty")])
def test_filter_is_found_by_other_names(name, physical_filter):
    assert instrument.find_filter(name).physical_filter == physical_filter


def test_red_filters_must_be_told_apart():
    with pytest.raises(DataIdError, match=r"^several filters are of the band 'r'; filters: HSC-R, HSC-R2, ENG-R1$"):
        instrument.find_filter("r")


def test_settings_are_those_of_the_stack():
    config = settings("process.yaml")
    assert (config.isr.overscan.fit_type, config.isr.overscan.order) == ("AKIMA_SPLINE", 30)
    assert config.isr.do_suspect
    assert config.isr.do_crosstalk
    assert config.isr.crosstalk.background == "DETECTOR"
    assert (config.isr.vignette.x, config.isr.vignette.y, config.isr.vignette.radius) == (-1.5, 1.5, 262.5)
    assert config.isr.rough_flux_mag0["i"] == 275422870333.8
    assert config.isr.do_measure_background
    assert config.isr.keywords_to_remove == ["PC001001", "PC001002", "PC002001", "PC002002"]
    assert config.isr.fringe.filters == ["y", "NB0921", "NB0926", "NB0973", "NB1010"]
    assert config.isr.fringe.bad_planes == ["SAT", "NO_DATA", "SUSPECT", "BAD"]
    assert config.characterize.cosmic_rays.contrast_second == 0.4
    assert (config.characterize.cosmic_rays.max_pixels, config.characterize.stars.reserve_fraction) == (1000000, 0.2)
    assert (config.calibrate.astrometry.max_offset, config.calibrate.astrometry.order) == (250.0, 3)
    assert (config.calibrate.measurement.kron, config.calibrate.measurement.maximum_sinc_radius) == (True, 12.0)
    radii = [3.0, 4.5, 6.0, 9.0, 12.0, 17.0, 25.0, 35.0, 50.0, 70.0]
    assert config.calibrate.measurement.apertures == radii
    for step in (config.characterize, config.calibrate):
        assert step.measurement.extendedness_ratio == 0.95
        assert step.measurement.reference_aperture == 12.0
        assert step.aperture_correction.to_total


def test_crosstalk_is_the_published_matrix(shared_data):
    published = yaml.safe_load((shared_data / "facts/hsc.yaml").read_text())["crosstalk"]["values_1e6"]
    flat = [1e-6 * value for row in published for value in row]
    assert settings("process.yaml").isr.crosstalk.coefficients == pytest.approx(flat, abs=1e-12)


def test_color_terms_are_the_published_ones(shared_data):
    published = yaml.safe_load((shared_data / "facts/hsc.yaml").read_text())["colorterms"]
    del published["note"]
    terms = settings("process.yaml").calibrate.photometry.color_terms
    found = {name: {key: term.model_dump() for key, term in of.items()} for name, of in terms.items()}
    assert found == {f"{survey}*": of for survey, of in published.items()}
    assert all(of.keys() <= {known.physical_filter for known in instrument.filters} for of in terms.values())


@pytest.mark.parametrize(
    ("catalog", "c1"), [("ps1_pv3_3pi_20170110", 0.061749), ("sdss-dr9", -0.077235), ("hsc_s16a", 0.0), ("gaia", None)]
)
def test_color_term_is_chosen_by_name_of_the_reference_catalog(catalog, c1):
    term = find_color_term(settings("process.yaml").calibrate.photometry, catalog, "HSC-G")
    assert (term and term.c1) == c1


def test_distortion_is_the_published_one(shared_data):
    published = yaml.safe_load((shared_data / "facts/hsc.yaml").read_text())
    camera = instrument.load_camera()
    assert camera.plate_scale == published["plate_scale_arcsec_per_mm"]
    assert camera.distortion.unit == published["pixel_size_mm"]
    assert (list(camera.distortion.x), list(camera.distortion.y)) == (
        published["distortion"]["x"],
        published["distortion"]["y"],
    )


@given(visit=st.integers(0, 2**31 // 200 - 1), ccd=st.integers(0, 111))
def test_exposure_id_is_visit_and_detector(visit, ccd):
    number = instrument.exposure_number({"visit": visit, "ccd": ccd})
    assert divmod(number, 200) == (visit, ccd)
    assert number < 2**31


@pytest.mark.parametrize(
    ("data_id", "message"),
    [
        ({"ccd": 1}, r"^the number of an exposure needs the key 'visit'$"),
        ({"visit": 1}, r"^the number of an exposure needs the key 'ccd'$"),
        ({"visit": 1, "ccd": 200}, r"^ccd=200 is not from 0 to 199$"),
    ],
)
def test_exposure_without_number_is_told(data_id, message):
    with pytest.raises(DataIdError, match=message):
        exposure_id(data_id)
