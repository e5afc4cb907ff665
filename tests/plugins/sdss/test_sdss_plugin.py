"""The plugin's data: camera, policy, filters, and that importing it reads none of them."""

import csv
import subprocess
import sys

import pytest

from obs.config.layers import ConfigLayers
from obs.policy.policy import load_policy
from obs.tasks.process_config import ProcessConfig
from obs.testing import CameraContract
from obs_sdss import instrument

OURS = {"x_min": "min_x", "y_min": "min_y", "width": "extent_x", "height": "extent_y"}
BOXES = {
    "bbox": "bbox",
    "raw_bbox": "raw_bbox",
    "raw_data_bbox": "raw_databbox",
    "raw_serial_overscan_bbox": "raw_horizontaloverscanbbox",
    "raw_parallel_overscan_bbox": "raw_verticaloverscanbbox",
    "raw_prescan_bbox": "raw_prescanbbox",
}


class TestSdss(CameraContract):
    camera = "sdss"
    headers = "headers.yaml"


def test_importing_reads_no_data_file():
    code = (
        "import sys; opened = []; sys.addaudithook(lambda e, a: e == 'open' and opened.append(str(a[0])));"
        "import obs_sdss; bad = [p for p in opened if p.endswith(('.yaml', '.csv'))]; sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_camera_has_30_detectors_of_two_amplifiers():
    camera = instrument.load_camera()
    assert [d.id for d in camera] == list(range(30))
    assert [d.name for d in camera][:6] == ["g1", "z1", "u1", "i1", "r1", "g2"]
    assert all([amp.name for amp in d.amplifiers] == ["left", "right"] for d in camera)
    assert all(d.bbox.shape == (1361, 2048) for d in camera)
    assert camera.plate_scale * camera.detector("r3").pixel_size_x == pytest.approx(0.396)


def test_no_suspect_level_is_known():
    """The published tables say 0, which would make every pixel suspect."""
    levels = [amp.nominal.suspect for d in instrument.load_camera() for amp in d.amplifiers]
    assert all(level != level for level in levels)


def test_data_id_leads_to_its_detector():
    assert instrument.find_detector({"filter": "i", "camcol": 6, "run": 1, "field": 2}).id == 28


def test_filters_are_ordered_by_wavelength():
    assert [f.physical_filter for f in instrument.filters] == list("ugriz")
    wavelengths = [f.effective_wavelength for f in instrument.filters]
    assert wavelengths == sorted(wavelengths)


def test_results_lie_where_the_stack_puts_them():
    policy = instrument.load_policy()
    data_id = {"run": 4192, "rerun": 40, "camcol": 4, "field": 300, "filter": "r"}
    paths = {name: policy.dataset_types[name].format(data_id) for name in ("src", "calexp", "processCcd_metadata")}
    assert paths == {
        "src": "sci-results/4192/4/r/src/src-004192-r4-0300.fits",
        "calexp": "sci-results/4192/4/r/calexp/calexp-004192-r4-0300.fits",
        "processCcd_metadata": "processCcd_metadata/4192/4/r/calexp-004192-r4-0300.yaml",
    }


def test_settings_are_those_of_the_survey():
    """The survey's PSF and WCS, no cosmic-ray repair, wide background cells, fluxes scaled to 7 pixels."""
    layers = ConfigLayers(ProcessConfig)
    layers.load(instrument.config_folder / "process.yaml")
    config = layers.build()
    assert not config.characterize.measure_psf
    assert config.calibrate.astrometry.force_known_wcs
    for step in (config.characterize, config.calibrate):
        assert step.background.bin_size == 512
        assert step.measurement.reference_aperture == 7.0


def test_every_reader_is_of_a_dataset_type():
    types = instrument.load_policy().dataset_types
    assert set(instrument.readers) <= set(types)
    assert all(callable(instrument.reader(name)) for name in instrument.readers)
    assert instrument.raw_dataset_type in types


def test_policy_agrees_with_the_published_one(shared_data):
    published, ours = load_policy(shared_data / "policies/SdssMapper.yaml"), instrument.load_policy()
    # the Parquet copy of src is ours alone, and what the published policy has no place for
    for name in sorted(set(ours.dataset_types) - {"sourceTable"}):
        kind = ours.dataset_types[name]
        other = published.dataset_types[name]
        if other.template is None and kind.template is not None:
            continue
        assert (kind.template, kind.storage, kind.tables, kind.level) == (
            other.template,
            other.storage,
            other.tables,
            other.level,
        )
    assert (ours.levels, ours.default_sub_levels, ours.default_level) == (
        published.levels,
        published.default_sub_levels,
        published.default_level,
    )


def test_detectors_are_the_published_ones(shared_data):
    with (shared_data / "facts/sdss_detectors.csv").open() as rows:
        for row in csv.DictReader(rows):
            detector = instrument.load_camera().detector(int(row["id"]))
            assert (detector.name, detector.serial) == (row["name"], row["serial"])
            assert detector.bbox.shape == (int(row["bbox_y1"]) + 1, int(row["bbox_x1"]) + 1)
            published = [float(row[f"{name}_{axis}"]) for name in ("refpos", "offset", "pixelSize") for axis in "xy"]
            assert published == pytest.approx(
                [
                    detector.reference_x,
                    detector.reference_y,
                    detector.offset_x,
                    detector.offset_y,
                    detector.pixel_size_x,
                    detector.pixel_size_y,
                ]
            )


def test_amplifiers_are_the_published_ones(shared_data):
    camera = instrument.load_camera()
    with (shared_data / "facts/sdss_amplifiers.csv").open() as rows:
        for row in csv.DictReader(rows):
            amp = camera.detector(row["detector"]).amplifier(row["name"])
            for ours, theirs in BOXES.items():
                box = getattr(amp, ours)
                assert {part: getattr(box, part) for part in OURS} == {
                    part: int(row[f"{theirs}_{published}"]) for part, published in OURS.items()
                }
            assert amp.readout_corner == ("LL", "LR", "UR", "UL")[int(row["readoutcorner"])]
            assert (amp.nominal.gain, amp.nominal.read_noise, amp.nominal.saturation) == (
                float(row["gain"]),
                float(row["readnoise"]),
                float(row["saturation"]),
            )
