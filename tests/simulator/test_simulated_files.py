from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from obs.errors import PluginError
from obs.repo.fits_catalog import read_catalog
from obs.simulator.config import SimulateConfig
from obs.simulator.files import FILE_FORMATS, FileOptions, RawFrame, simulate_file, write_raw, write_reference


@pytest.fixture
def config():
    config = SimulateConfig()
    config.sources.density = 2e5
    return config


@pytest.mark.parametrize("file_format", FILE_FORMATS)
def test_formats_hold_the_same_frame(toy, make_shot, config, tmp_path, file_format):
    detector = toy.load_camera().detector(1)
    plain = simulate_file(toy, make_shot(), [detector], config, FileOptions(tmp_path, "fits"), seed=2)
    path = simulate_file(toy, make_shot(), [detector], config, FileOptions(tmp_path / "b", file_format), seed=2)
    assert path.name == f"toy-0000007-001.{file_format}"
    hdu = 1 if file_format == "fits.fz" else 0
    np.testing.assert_array_equal(fits.getdata(path, hdu), fits.getdata(plain, 0))
    header = fits.getheader(path, hdu)
    assert header["VISIT"] == 7
    assert header["SIMSEED"] == 2
    assert header["EXPTIME"] == 30.0
    first = path.read_bytes()
    assert simulate_file(toy, make_shot(), [detector], config, FileOptions(tmp_path / "b", file_format), seed=2) == path
    assert path.read_bytes() == first


def test_rice_compression_is_what_the_file_says(toy, make_shot, config, tmp_path):
    path = simulate_file(toy, make_shot(), [toy.load_camera().detector(1)], config, FileOptions(tmp_path), seed=2)
    with fits.open(path, disable_image_compression=True) as hdus:
        assert hdus[1].header["ZCMPTYPE"] == "RICE_1"


@pytest.mark.parametrize("file_format", FILE_FORMATS)
def test_one_file_may_hold_all_detectors(toy, make_shot, config, tmp_path, file_format):
    options = FileOptions(tmp_path, file_format, multi_extension=True)
    camera = toy.load_camera()
    path = simulate_file(toy, make_shot(), list(camera), config, options, seed=2)
    assert path.name == f"toy-0000007.{file_format}"
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["west", "east"]
        assert [hdu.header["CCD"] for hdu in hdus[1:]] == [1, 2]
        assert hdus[0].header["VISIT"] == 7
        assert "CCD" not in hdus[0].header
        singly = simulate_file(
            toy, make_shot(), [camera.detector("east")], config, FileOptions(tmp_path, "fits"), seed=2
        )
        np.testing.assert_array_equal(hdus["EAST"].data, fits.getdata(singly))


def test_amplifiers_may_have_hdus_of_their_own(toy, tmp_path):
    images = {1: np.full((4, 5), 7, np.uint16), 3: np.full((4, 5), 9, np.uint16)}
    frame = RawFrame(images, {"VISIT": 5}, toy.load_camera().detector(1))
    for name in ("a.fits", "a.fits.fz"):
        write_raw(tmp_path / name, [frame])
        with fits.open(tmp_path / name) as hdus:
            assert hdus[0].header["VISIT"] == 5
            assert [None if hdu.data is None else int(hdu.data[0, 0]) for hdu in hdus] == [None, 7, None, 9]
    with pytest.raises(
        PluginError, match=r"detector 'west' has 2 raw images in HDUs that other .* leave out --multi-extension"
    ):
        write_raw(tmp_path / "b.fits", [frame, frame], multi_extension=True)


def test_a_camera_with_an_hdu_for_each_amplifier_is_simulated(toy, make_shot, config, tmp_path):
    detector = toy.load_camera().detector(1)
    split = replace(detector, amplifiers=tuple(replace(a, raw_hdu=n) for n, a in enumerate(detector.amplifiers, 1)))
    path = simulate_file(toy, make_shot(), [split], config, FileOptions(tmp_path, "fits"), seed=2)
    whole = simulate_file(toy, make_shot(), [detector], config, FileOptions(tmp_path / "b", "fits"), seed=2)
    left, right = detector.amplifiers
    np.testing.assert_array_equal(
        fits.getdata(path, 1)[left.raw_bbox.slices], fits.getdata(whole)[left.raw_bbox.slices]
    )
    np.testing.assert_array_equal(
        fits.getdata(path, 2)[right.raw_bbox.slices], fits.getdata(whole)[right.raw_bbox.slices]
    )


def test_truth_is_written_beside_the_frames(toy, make_shot, config, tmp_path):
    options = FileOptions(tmp_path, truth_images=True)
    simulate_file(toy, make_shot(), [toy.load_camera().detector(1)], config, options, seed=2)
    catalog = read_catalog(tmp_path / "truth" / "toy-0000007-001-truth.fits")
    assert {"coord_ra", "coord_dec", "x", "y", "magnitude", "electrons", "counts", "psf_fwhm"} <= set(catalog.columns)
    assert np.isfinite(catalog.metadata["ZEROPT"])
    with fits.open(tmp_path / "truth" / "toy-0000007-001-truth-images.fits.gz") as hdus:
        names = [hdu.name for hdu in hdus[1:]]
        assert names == ["ELECTRONS", "COSMIC_RAYS", "MASK", "RESPONSE", "DARK", "BIAS"]
        assert all(hdu.data.shape == (320, 256) for hdu in hdus[1:])
        assert hdus[0].header["SEEING"] == catalog.metadata["SEEING"]
    assert not list(tmp_path.rglob("*.tmp"))


def test_no_truth_on_request(toy, make_shot, config, tmp_path):
    options = FileOptions(tmp_path, truth=False)
    simulate_file(toy, make_shot(), [toy.load_camera().detector(1)], config, options, seed=2)
    assert [path.name for path in tmp_path.glob("*-*")] == ["toy-0000007-001.fits.fz"]


def test_reference_catalog_holds_the_stars_of_all_frames(toy, make_shot, config, tmp_path):
    shots = [make_shot(), make_shot(first_visit=8, ra=150.01)]
    detectors = list(toy.load_camera())
    path = write_reference(toy, shots, detectors, config, tmp_path, seed=2)
    reference = read_catalog(path)
    for shot in shots:
        for detector in detectors:
            options = FileOptions(tmp_path)
            simulate_file(toy, shot, [detector], config, options, seed=2)
            truth = read_catalog(tmp_path / "truth" / f"toy-{shot.visit:07d}-{detector.id:03d}-truth.fits")
            bright = truth.select(truth["is_star"] & (truth["mag_r"] < config.reference.faint))
            assert set(bright["id"]) <= set(reference["id"])


def test_sources_may_come_from_a_catalog(toy, make_shot, config, tmp_path):
    detector = toy.load_camera().detector(1)
    options = FileOptions(tmp_path, "fits")
    own = simulate_file(toy, make_shot(), [detector], config, options, seed=2)
    catalog = read_catalog(tmp_path / "truth" / "toy-0000007-001-truth.fits")
    other = FileOptions(tmp_path / "b", "fits")
    again = simulate_file(toy, make_shot(), [detector], config, other, seed=2, sources=catalog)
    np.testing.assert_array_equal(fits.getdata(own), fits.getdata(again))
