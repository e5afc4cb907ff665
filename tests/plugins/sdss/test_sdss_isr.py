"""Putting a frame together."""

import numpy as np
import pytest
from sdss_files import image_of, real_id, write_fpc

from obs.algorithms.psf.width import half_maximum_width
from obs.errors import DatasetNotFoundError, FileFormatError
from obs_sdss import instrument
from obs_sdss.isr import assemble, pixel_variance


def reader_of(paths, data_id):
    """What the pipeline hands to the hook: dataset type to object."""

    def get(dataset_type):
        if dataset_type not in paths:
            raise DatasetNotFoundError(f"no {dataset_type} for this frame", dataset_type=dataset_type)
        return instrument.reader(dataset_type)(paths[dataset_type], data_id)

    return get


@pytest.fixture(scope="module")
def exposure(files, frame):
    return assemble(reader_of(files, frame.data_id), frame.data_id)


def test_overlap_is_dropped(exposure, frame):
    assert exposure.shape == (1361, 2048)
    np.testing.assert_array_equal(exposure.masked_image.image, image_of(frame)[:1361].astype(np.float32) - 1000)
    assert exposure.masked_image.image.max() == 5080


def test_mask_has_the_three_planes(exposure):
    mask = exposure.masked_image.mask
    assert mask.any("INTRP").sum() == 1361 + 15
    assert mask.any("SAT").sum() == 2
    assert not mask.any("CR", "BAD", "DETECTED", "NO_DATA").any()


def test_variance_is_the_shot_noise_and_never_less_than_without_light(exposure, frame):
    image, variance = exposure.masked_image.image, exposure.masked_image.variance
    lit = image > 10
    np.testing.assert_allclose(variance[lit], image[lit] / 4.0, rtol=1e-6)
    assert image[0, 0] < 0
    assert variance[0, 0] == 2.0


@pytest.mark.parametrize("dark_variance", [0.0, -9999.0])
def test_variance_is_positive_whatever_the_file_says(dark_variance):
    image = np.array([[-20.0, 0.0, 0.1, 100.0]], np.float32)
    variance = pixel_variance(image, gain=4.0, dark_variance=dark_variance)
    assert variance.tolist() == [[0.25, 0.25, 0.25, 25.0]]
    assert variance.dtype == np.float32
    assert image[0, 0] == -20.0


def test_calibrations_are_those_of_the_filter(exposure):
    assert exposure.photo_calib.flux_mag0 == pytest.approx(10 ** (0.4 * 24.4) * 53.907456, rel=1e-5)
    assert exposure.psf.fwhm == pytest.approx(half_maximum_width(exposure.psf, x=1024, y=744))
    assert exposure.wcs.pixel_scale == pytest.approx(0.396, abs=1e-3)
    assert (exposure.detector_name, exposure.physical_filter) == ("g2", "g")
    assert exposure.visit_info.exposure_id == 94120011
    assert exposure.visit_info.airmass == 1.18


def test_metadata_say_what_was_used_and_nothing_of_the_old_file(exposure):
    metadata = exposure.metadata
    assert (metadata["GAIN"], metadata["SATURATE"], metadata["FIELD"], metadata["RUN"]) == (4.0, 50065.0, 11, 94)
    assert not {"SOFTBIAS", "FLUX0", "CTYPE1", "RADECSYS", "BZERO", "NAXIS1", "EXPTIME"} & set(metadata)


@pytest.mark.parametrize("missing", ["fpC", "fpM", "psField", "asTrans", "tsField"])
def test_missing_file_is_told(files, frame, missing):
    rest = {kind: path for kind, path in files.items() if kind != missing}
    with pytest.raises(DatasetNotFoundError, match=f"no {missing} for this frame"):
        assemble(reader_of(rest, frame.data_id), frame.data_id)


def test_fault_in_the_header_names_the_file(files, frame, tmp_path):
    path = write_fpc(tmp_path / "fpC-odd.fit", frame, TAIHMS="noon")
    message = r"fpC-odd\.fit: date_begin: DATE-OBS .* and TAIHMS 'noon' are not date and time"
    with pytest.raises(FileFormatError, match=message):
        assemble(reader_of(files | {"fpC": path}, frame.data_id), frame.data_id)


@pytest.mark.parametrize("band", "gr")
def test_real_frame(stripe82, band):
    names = {
        "fpC": f"corr/4/fpC-004192-{band}4-0300.fit.gz",
        "fpM": f"objcs/4/fpM-004192-{band}4-0300.fit",
        "psField": "objcs/4/psField-004192-4-0300.fit",
        "asTrans": "astrom/asTrans-004192.fit.gz",
        "tsField": "calibChunks/4/tsField-004192-4-40-0300.fit",
    }
    paths = {kind: stripe82 / name for kind, name in names.items()}
    exposure = assemble(reader_of(paths, real_id(band)), real_id(band))
    gain = {"g": 3.995, "r": 4.76}[band]
    image, variance = exposure.masked_image.image, exposure.masked_image.variance
    np.testing.assert_allclose(variance, image / gain, rtol=1e-5)
    assert exposure.metadata["GAIN"] == pytest.approx(gain)


@pytest.mark.parametrize("band", "gr")
def test_stack_flags_are_any_mask_pixel_near_the_center(stripe82, stack_catalog, band):
    mask = instrument.reader("fpM")(stripe82 / f"objcs/4/fpM-004192-{band}4-0300.fit", real_id(band))
    flags = {"SAT": "base_PixelFlags_flag_saturatedCenter", "INTRP": "base_PixelFlags_flag_interpolatedCenter"}
    stack = stack_catalog(band, "base_SdssCentroid_x", "base_SdssCentroid_y", *flags.values())
    x, y = (np.rint(stack[f"base_SdssCentroid_{axis}"]).astype(int) for axis in "xy")
    inside = (x > 0) & (x < 2047) & (y > 0) & (y < 1360)
    for plane, name in flags.items():
        hit = mask.any(plane)
        near = np.zeros(len(x), bool)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                near |= hit[y + dy, np.clip(x + dx, 0, 2047)]
        np.testing.assert_array_equal(near[inside], stack[name][inside].astype(bool))
