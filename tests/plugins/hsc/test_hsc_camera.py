"""The focal plane of HSC: against the published tables, and against the sky."""

import csv
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from obs.camera.fits_table import read_amplifiers, write_amplifiers
from obs.instrument.boresight_wcs import field_projection, fit_boresight_wcs, pixel_to_sky, sky_to_pixel
from obs_hsc import instrument

OURS = {"x_min": "min_x", "y_min": "min_y", "width": "extent_x", "height": "extent_y"}
BOXES = {
    "bbox": "bbox",
    "raw_bbox": "raw_bbox",
    "raw_data_bbox": "raw_databbox",
    "raw_serial_overscan_bbox": "raw_horizontaloverscanbbox",
    "raw_parallel_overscan_bbox": "raw_verticaloverscanbbox",
    "raw_prescan_bbox": "raw_prescanbbox",
}


@pytest.fixture(scope="module")
def camera():
    return instrument.load_camera()


def test_there_are_112_detectors_of_four_amplifiers(camera):
    assert camera.name == "HSC"
    assert [d.id for d in camera] == list(range(112))
    assert [d.type for d in camera] == ["SCIENCE"] * 104 + ["FOCUS"] * 8
    assert all([amp.name for amp in d.amplifiers] == list("0123") for d in camera)
    assert all((d.bbox.shape, d.raw_shape) == ((4176, 2048), (4241, 2144)) for d in camera)
    assert camera.plate_scale * camera.detector("0_03").pixel_size_x == pytest.approx(0.168)


def test_detectors_do_not_overlap_in_the_focal_plane(camera):
    """A detector's pixels, also those at its edges, lie on no other detector."""
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(0, 2047, 5), np.linspace(0, 4175, 9)))
    for detector in camera:
        there = detector.pixel_to_focal_plane(x=x, y=y)
        for other in camera:
            on_x, on_y = other.focal_plane_to_pixel(x=there[0], y=there[1])
            inside = (on_x > -0.5) & (on_x < 2047.5) & (on_y > -0.5) & (on_y < 4175.5)
            assert inside.any() == (other is detector)


@given(
    detector=st.integers(0, 111),
    x=st.floats(-0.5, 2047.5),
    y=st.floats(-0.5, 4175.5),
    ra=st.floats(0, 360),
    dec=st.floats(-89, 89),
    rotation=st.floats(0, 360),
)
def test_the_way_to_the_sky_and_back(detector, x, y, ra, dec, rotation):
    camera = instrument.load_camera()
    chosen, projection = camera.detector(detector), field_projection(camera, ra=ra, dec=dec, rotation=rotation)
    sky = pixel_to_sky(camera, chosen, projection, x=[x], y=[y])
    assert_allclose(sky_to_pixel(camera, chosen, projection, ra=sky[0], dec=sky[1]), [[x], [y]], rtol=0, atol=1e-6)


@pytest.mark.parametrize("detector", [0, 49, 50, 100, 103, 104])
def test_wcs_follows_the_distortion_to_a_thousandth_of_a_pixel(camera, detector):
    chosen = camera.detector(detector)
    wcs = fit_boresight_wcs(camera, chosen, boresight_ra=150.0, boresight_dec=2.0, rotation=270.0)
    projection = field_projection(camera, ra=150.0, dec=2.0, rotation=270.0)
    x, y = np.meshgrid(np.linspace(-0.5, 2047.5, 20), np.linspace(-0.5, 4175.5, 40))
    ra, dec = pixel_to_sky(camera, chosen, projection, x=x, y=y)
    assert_allclose(wcs.sky_to_pixel(ra=ra, dec=dec), [x, y], rtol=0, atol=1e-3)


def test_amplifier_tables_survive_the_way_through_fits(camera, tmp_path):
    for detector in camera.detectors[::37]:
        write_amplifiers(detector.amplifiers, tmp_path / "a.fits")
        assert repr(read_amplifiers(tmp_path / "a.fits")) == repr(detector.amplifiers)


def to_detector(detector, x, y):
    """Undo the turns by right angles that bring a detector's pixels into the orientation of the focal plane."""
    turns = round(detector.yaw / 90) % 4
    width, height = 2048, 4176
    return [
        (x, y),
        (y, height - 1 - x),
        (width - 1 - x, height - 1 - y),
        (width - 1 - y, x),
    ][turns]


def test_real_stars_fall_where_the_camera_says(camera, shared_data):
    """11,784 stars of a real exposure, and one six-parameter affine between field angles and the sky.

    The sky is projected from a tangent point in which the affine's constant vanishes. Stars further than five times the
    rms of one coordinate are left out, once, of the rms; nothing is left out of the fit.
    """
    with gzip.open(shared_data / "hsc/matched_stars_0902030.dat.gz", "rt") as lines:
        _, ccd, x, y, ra, dec = np.loadtxt(lines).T
    u, v = np.empty_like(x), np.empty_like(y)
    for number in np.unique(ccd.astype(int)):
        chosen = ccd == number
        detector = camera.detector(int(number))
        px, py = to_detector(detector, x[chosen], y[chosen])
        u[chosen], v[chosen] = camera.pixel_to_field(detector, x=px, y=py)
    assert len(np.unique(ccd)) == 104
    assert len(ccd) == 11784

    design = np.stack([np.ones_like(u), u, v], axis=1)
    tangent = float(ra.mean()), float(dec.mean())
    for _ in range(3):
        sky = np.stack(plane(tangent, ra, dec), axis=1)
        affine = np.linalg.lstsq(design, sky, rcond=None)[0]
        tangent = (
            tangent[0] + affine[0, 0] / 3600 / np.cos(np.deg2rad(tangent[1])),
            tangent[1] + affine[0, 1] / 3600,
        )
    residual = sky - design @ affine
    sigma = np.sqrt(np.mean(residual**2))
    near = np.abs(residual).max(axis=1) < 5 * sigma
    assert near.mean() >= 0.995
    assert np.sqrt(np.mean(residual[near] ** 2)) < 0.14
    # no detector as a whole is off
    offsets = [np.hypot(*np.median(residual[ccd == number], axis=0)) for number in np.unique(ccd)]
    assert np.median(offsets) < 0.01
    assert max(offsets) < 0.03
    # the scale is the plate's to half a percent, y points west and x south, as at position angle 0
    assert_allclose(affine[1:], [[0, -1], [-1, 0]], atol=0.006)


def plane(tangent, ra, dec):
    """Project onto the plane that touches the sky at ``tangent``, arcsec."""
    a, d, d0 = np.deg2rad(ra - tangent[0]), np.deg2rad(dec), np.deg2rad(tangent[1])
    depth = np.sin(d) * np.sin(d0) + np.cos(d) * np.cos(d0) * np.cos(a)
    xi = np.cos(d) * np.sin(a) / depth
    eta = (np.sin(d) * np.cos(d0) - np.cos(d) * np.sin(d0) * np.cos(a)) / depth
    return np.rad2deg(xi) * 3600, np.rad2deg(eta) * 3600


def test_detectors_are_the_published_ones(camera, shared_data):
    types = ["SCIENCE", "FOCUS"]
    with (instrument.folder / "camera/detectors.csv").open() as rows:
        table = list(csv.DictReader(line for line in rows if not line.startswith("#")))
    correction = {int(row["id"]): [float(row[f"correction_{axis}"] or 0) for axis in "xy"] for row in table}
    with (shared_data / "facts/hsc_detectors.csv").open() as rows:
        for row in csv.DictReader(rows):
            detector = camera.detector(int(row["id"]))
            assert (detector.name, detector.serial) == (row["name"], row["serial"])
            assert detector.type == types[int(row["detectorType"])]
            assert detector.bbox.shape == (int(row["bbox_y1"]) + 1, int(row["bbox_x1"]) + 1)
            names = ("refpos_x", "refpos_y", "offset_x", "offset_y", "pixelSize_x", "pixelSize_y", "yawDeg")
            assert [float(row[name]) for name in names] == pytest.approx(
                [
                    *(detector.reference_x, detector.reference_y),
                    *np.subtract([detector.offset_x, detector.offset_y], correction[detector.id]),
                    *(detector.pixel_size_x, detector.pixel_size_y, detector.yaw),
                ],
                abs=1e-9,
            )


def test_amplifiers_are_the_published_ones(camera, shared_data):
    with (shared_data / "facts/hsc_amplifiers.csv").open() as rows:
        for row in csv.DictReader(rows):
            detector = camera.detector(row["detector"])
            amp = detector.amplifier(row["name"])
            for ours, theirs in BOXES.items():
                box = getattr(amp, ours)
                assert {part: getattr(box, part) for part in OURS} == {
                    part: int(row[f"{theirs}_{published}"]) for part, published in OURS.items()
                }
            assert amp.readout_corner == ("LL", "LR", "UR", "UL")[int(row["readoutcorner"])]
            nominal = amp.nominal
            assert (nominal.gain, nominal.read_noise, nominal.saturation) == (
                float(row["gain"]),
                float(row["readnoise"]),
                float(row["saturation"]),
            )
            assert nominal.linearity_type == row["linearity_type"]
            if detector.type == "SCIENCE":
                assert nominal.suspect == float(row["suspectlevel"])
                assert nominal.linearity_coefficients == (float(row["linearity_c0"]), float(row["linearity_c1"]))
            else:  # the published 0 would make every pixel suspect
                assert np.isnan(nominal.suspect)
