import numpy as np
import pytest

from obs.image.exposure import Exposure
from obs.image.gaussian_psf import gaussian_psf
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.visit_info import VisitInfo
from obs.repo.good_psfs import GOOD_PSF_FOLDER, read_nearest_psf, remove_good_psf, write_good_psf


def exposure(detector="1_03", band="HSC-R", shape=(40, 50), sigma=2.0, metadata=None, date="2014-03-28T08:17:01"):
    pixels = MaskedImage(np.zeros(shape, np.float32), Mask.zeros(shape), np.ones(shape, np.float32))
    psf = gaussian_psf(sigma**2, sigma**2, 0.0, 21)
    info = VisitInfo(date_avg=date)
    return Exposure(pixels, psf=psf, visit_info=info, detector_name=detector, physical_filter=band, metadata=metadata)


def test_the_psf_comes_back_with_its_exposure_and_date(tmp_path):
    write_good_psf(tmp_path, exposure(), "visit=12 ccd=3")
    found = read_nearest_psf([tmp_path / "empty", tmp_path], exposure(sigma=3.0))
    assert str(found) == "visit=12 ccd=3 of 2014-03-28T08:17:01"
    np.testing.assert_array_equal(found.psf.basis, exposure().psf.basis)


def test_names_of_any_length_come_back(tmp_path):
    name = "dateObs=2026-01-03 " + "field=far-away " * 12 + "visit=12"
    write_good_psf(tmp_path, exposure(), name)
    assert read_nearest_psf([tmp_path], exposure()).exposure == name


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
@pytest.mark.parametrize(
    ("hour", "nearest"), [("05", "visit=0"), ("08", "visit=1"), ("12", "visit=2"), ("", "visit=2")]
)
def test_the_nearest_in_time_is_taken_in_whatever_order_they_came(tmp_path, order, hour, nearest):
    dates = ["2014-03-28T06:00:00.5", "2014-03-28T07:30:00", "2014-03-28T11:00:00.123456"]
    for number in order:
        write_good_psf(tmp_path, exposure(date=dates[number]), f"visit={number}")
    wanted = exposure(date=f"2014-03-28T{hour}:10:00" if hour else "")
    assert read_nearest_psf([tmp_path], wanted).exposure == nearest


def test_an_exposure_that_is_not_good_any_more_has_none(tmp_path):
    write_good_psf(tmp_path, exposure(), "visit=12")
    write_good_psf(tmp_path, exposure(sigma=3.0), "visit=12")
    assert len(list((tmp_path / GOOD_PSF_FOLDER).rglob("*.fits"))) == 1
    remove_good_psf(tmp_path, exposure(), "visit=12")
    assert read_nearest_psf([tmp_path], exposure()) is None


@pytest.mark.parametrize(
    "other",
    [{"detector": "1_04"}, {"band": "HSC-I"}, {"shape": (20, 25)}, {"detector": "1/03"}, {"band": "H\u00e4"}],
    ids=["detector", "filter", "binning", "letters that no file name has", "letters that no card has"],
)
def test_only_the_same_detector_filter_and_shape_get_it(tmp_path, other):
    write_good_psf(tmp_path, exposure(), "visit=12")
    assert read_nearest_psf([tmp_path], exposure(**other)) is None
    write_good_psf(tmp_path, exposure(**other), "visit=13")
    assert read_nearest_psf([tmp_path], exposure(**other)).exposure == "visit=13"
    assert read_nearest_psf([tmp_path], exposure()).exposure == "visit=12"


def test_images_of_an_unknown_camera_share_nothing(tmp_path):
    write_good_psf(tmp_path, exposure(detector=""), "a.fits")
    assert read_nearest_psf([tmp_path], exposure(detector="")) is None
    named = {"INSTRUME": "SBIG STL-11000"}
    write_good_psf(tmp_path, exposure(detector="", metadata=named), "a.fits")
    assert read_nearest_psf([tmp_path], exposure(detector="", metadata=named)).exposure == "a.fits"


def test_a_damaged_file_counts_as_none(tmp_path):
    write_good_psf(tmp_path, exposure(), "visit=12")
    (path,) = (tmp_path / GOOD_PSF_FOLDER).rglob("*.fits")
    path.write_bytes(path.read_bytes()[:3000])
    assert read_nearest_psf([tmp_path], exposure()) is None
