"""A raw frame of each of many cameras, from its headers and pixels to a calibrated image without an edit."""

import numpy as np
import pytest
from camera_conventions import CAMERAS
from camera_frames import SKY, box_of, write_camera
from made_package import imported, processed, rows_of

from obs.checks.package import check_package
from obs.geom import Box
from obs.inspection.inspect import inspect_files
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.facts import template_facts

EMPTY = Box(0, 0, 0, 0)


def truth(camera):
    """Return the amplifiers of each detector, in the order of the file."""
    chips = {}
    for image in camera.images:
        if image.detector is not None:
            chips.setdefault(image.detector, []).extend(image.amps)
    return list(chips.values())


@pytest.fixture(params=CAMERAS, ids=[camera.name for camera in CAMERAS])
def camera(request):
    return request.param


def test_quantities(camera, tmp_path):
    found = inspect_files([write_camera(camera, tmp_path)])
    for quantity, wanted in camera.expected.items():
        value, allowed = wanted if isinstance(wanted, tuple) and wanted[-1] in ("likely", "guess") else (wanted, None)
        finding = found[quantity]
        assert finding.value == (pytest.approx(value, rel=1e-4) if isinstance(value, float) else value), quantity
        if value is None:
            assert finding.confidence == "not known"
        elif allowed is not None:
            assert finding.confidence == allowed, quantity
    for text in camera.warnings:
        assert any(text in warning for warning in found.warnings), found.warnings
    if not camera.warnings:
        assert found.warnings == ()


def test_amplifiers(camera, tmp_path):
    found = inspect_files([write_camera(camera, tmp_path)])
    chips = truth(camera)
    assert len(found.detectors) == len(chips)
    for chip, wanted in zip(found.detectors, chips, strict=True):
        amps = chip.facts.amplifiers
        assert [amp.data for amp in amps] == [box_of(amp.data) for amp in wanted]
        overscans = [amp.overscan or amp.apart for amp in wanted]
        assert [amp.overscan for amp in amps] == [box_of(section) if section else EMPTY for section in overscans]
        assert [amp.bbox for amp in amps] == [box_of(amp.put) for amp in wanted]
        assert [(amp.flip_x, amp.flip_y) for amp in amps] == [("x" in amp.flip, "y" in amp.flip) for amp in wanted]
        for amp, real in zip(amps, wanted, strict=True):
            gain = amp.findings["gain"]
            if real.gain_is_told:
                assert gain.value == pytest.approx(real.gain) or gain.confidence == "guess"
            else:
                assert gain.confidence in ("not known", "guess")


def test_package_processes_the_frame(camera, tmp_path):
    path = write_camera(camera, tmp_path)
    found = inspect_files([path])
    facts = template_facts(found, visit_key="visit", detector_key="ccd")
    package = create_package(Answers(camera=f"made{camera.name}"), tmp_path, facts=facts)
    assert check_package(str(package)) == []
    with imported(package) as instrument:
        rows = rows_of(instrument, path)
        check_row(rows[0], found)
        assert len({row["ccd"] for row in rows}) == len(found.detectors)
        for row, wanted in zip(rows, truth(camera), strict=True):
            image = processed(path, instrument, row)
            sky = [
                float(np.median(image[box_of(amp.put).slices])) * amp.gain
                for amp in wanted
                if amp.overscan or amp.apart
            ]
            assert sky == pytest.approx([SKY] * len(sky), rel=0.01)


def check_row(row, found):
    for column, quantity in (("expTime", "exposure_time"), ("filter", "filter"), ("field", "object")):
        if found[quantity].is_known:
            assert row[column] == found[quantity].value
    if found["image_type"].is_known:
        assert row["dataType"] == found["image_type"].value
    assert row["taiObs"] == found["date_begin"].value
