"""How a camera is mounted, from the WCS of its exposures, and back into camera.yaml."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from obs.algorithms.astrometry.compare import compare_wcs
from obs.algorithms.astrometry.detector_places import DetectorPlace
from obs.cli.main import main
from obs.doctor.detector_places import write_places
from obs.doctor.orientation import find_mount, write_mount
from obs.errors import FileFormatError, MeasurementError
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.visit_info import VisitInfo
from obs.ingest.repository import make_repository
from obs.instrument.boresight_wcs import fit_boresight_wcs
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.registry import Registry

NECAM = load_instrument("necam")


@pytest.fixture
def output(tmp_path):
    make_repository(tmp_path / "data", NECAM)
    made = Butler(tmp_path / "data", rerun="a")
    made.prepare_output()
    return made


def put(output, rows):
    for visit, (rotation, scale, mirrored) in enumerate(rows):
        facts = {"status": "done", "wcs_rotation": rotation, "wcs_scale": scale, "wcs_mirrored": mirrored}
        data_id = {"visit": visit, "ccd": 1, "filter": "Clear", "dateObs": "2020-01-01"}
        output.put(facts, "processCcd_metadata", data_id)


def wcs(camera):
    return fit_boresight_wcs(camera, camera.detectors[0], boresight_ra=30.0, boresight_dec=20.0)


@pytest.mark.parametrize("flip_x", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 37.5, -120.0, 180.0])
def test_what_is_written_gives_the_wcs_that_the_stars_show(output, rotation, flip_x):
    """The description, corrected by what the fit found, is the camera that made the frames."""
    described = NECAM.load_camera()
    truth = replace(described, rotation=rotation, flip_x=flip_x, plate_scale=described.plate_scale * 1.013)
    shape = (described.detectors[0].bbox.height, described.detectors[0].bbox.width)
    change = compare_wcs(wcs(truth), wcs(described), shape)
    rng = np.random.default_rng(1)
    put(output, [(change.rotation + noise, change.scale, change.mirrored) for noise in rng.normal(0.0, 0.02, 9)])
    mount = find_mount(output)
    assert (mount.rotation - rotation + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.03)
    assert mount.flip_x == flip_x
    assert mount.plate_scale == pytest.approx(truth.plate_scale, rel=1e-5)
    assert (mount.n_exposure, mount.n_flipped) == (9, 0)


def test_a_mount_that_flips(output):
    put(output, [(3.0, 1.0, False)] * 5 + [(-177.0, 1.0, False)] * 3)
    mount = find_mount(output)
    assert mount.rotation == pytest.approx(3.0)
    assert (mount.n_exposure, mount.n_flipped) == (8, 3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no exposure whose WCS was fitted"),
        ([(float("nan"), 1.0, False)], "has no exposure whose WCS was fitted"),
        ([(0.0, 1.0, False), (20.0, 1.0, False), (50.0, 1.0, False)], "disagree: they are turned by 0.00 to 50"),
        ([(0.0, 1.0, False), (0.0, 1.1, False), (0.0, 1.3, False)], r"scaled by 1\.0000 to 1\.3000"),
        ([(0.0, 1.0, False), (0.0, 1.0, True)], "1 of 2 exposures are mirrored, the others are not"),
    ],
)  # fmt: skip
def test_exposures_that_do_not_tell(output, rows, message):
    put(output, rows)
    with pytest.raises(MeasurementError, match=message):
        find_mount(output)


@pytest.mark.parametrize("most", [False, True])
def test_a_mirrored_chip_is_named(tmp_path, most):
    hsc = load_instrument("hsc")
    make_repository(tmp_path / "data", hsc)
    output = Butler(tmp_path / "data", rerun="a")
    output.prepare_output()
    for ccd in (49, 50, 57):
        facts = {"status": "done", "wcs_rotation": 0.0, "wcs_scale": 1.0, "wcs_mirrored": most != (ccd == 50)}
        where = {"visit": 1, "ccd": ccd, "filter": "HSC-G", "dateObs": "2020-01-01", "pointing": 1, "field": "A"}
        output.put(facts, "processCcd_metadata", where)
    name = hsc.load_camera().detector(50).name
    with pytest.raises(MeasurementError, match=rf"against the others, in all exposures: {name}; change flip_x"):
        find_mount(output)


def test_small_displacements_are_moved_where_that_is_asked_for(output, capsys, monkeypatch):
    put(output, [(0.0, 1.0, False)] * 2)
    (detector,) = NECAM.load_camera().detectors
    place = DetectorPlace(replace(detector, offset_x=detector.offset_x + 1.5), 0.0, 100.0)
    monkeypatch.setattr("obs.cli.camera.find_places", lambda butler: ([place], []))
    assert main(["camera", "adjust", str(output.output)]) == 0
    out = capsys.readouterr().out
    assert "so they stay there; to move them, too, where the gaps were a guess: --all" in out
    assert f"{detector.name} offset_x" not in out
    assert main(["camera", "adjust", str(output.output), "--all"]) == 0
    out = capsys.readouterr().out
    assert f"{detector.offset_x + 1.5:.4f}" in next(line for line in out.splitlines() if "offset_x" in line)
    assert out.endswith("--all --write\n")
    assert "so they stay there" not in out


def test_other_lines_of_the_file_stay(output, tmp_path, capsys):
    put(output, [(12.25, 1.02, True)] * 4)
    assert main(["camera", "adjust", str(output.output)]) == 0
    out = capsys.readouterr().out
    assert "obs camera adjust" in out
    assert ["orientation.rotation", "0.000", "12.250", "degrees,", "north", "through", "east"] in [
        line.split() for line in out.splitlines()
    ]
    folder = tmp_path / "camera"
    folder.mkdir()
    for name in ("camera.yaml", "detectors.csv", "amplifiers.csv"):
        (folder / name).write_bytes((NECAM.camera_folder / name).read_bytes())
    before = (folder / "camera.yaml").read_text().splitlines()
    moved = replace(NECAM, folder=tmp_path, camera="camera")
    write_mount(moved, find_mount(output))
    after = (folder / "camera.yaml").read_text().splitlines()
    assert [line.strip() for line, old in zip(after, before, strict=True) if line != old] == [
        "plate_scale: 510",
        "rotation: 12.250",
        "flip_x: true",
    ]
    assert replace(moved).load_camera().flip_x
    (folder / "camera.yaml").write_text("name: x\n")
    with pytest.raises(FileFormatError, match="has no line 'plate_scale:'; write plate_scale: 510 there"):
        write_mount(moved, find_mount(output))


def test_what_was_written_is_not_added_again(output, tmp_path):
    """The exposure's metadata are of the camera before, its WCS is held against the camera as it is now."""
    where = {"visit": 0, "ccd": 1, "filter": "Clear", "dateObs": "2020-01-01", "dataType": "science"}
    registry = Registry(tmp_path / "data" / "registry.sqlite3", read_only=False)
    registry.insert("raw", [where])
    turned = replace(NECAM.load_camera(), rotation=12.25)
    planes = MaskedImage(np.ones((64, 64), np.float32), Mask.zeros((64, 64)), np.ones((64, 64), np.float32))
    found = Exposure(planes, wcs=wcs(turned), visit_info=VisitInfo(boresight_ra=30.0, boresight_dec=20.0))
    output.put(found, "calexp", where)
    metadata = {"status": "done", "wcs_rotation": 12.25, "wcs_scale": 1.0, "astrometric_scatter": 0.01}
    output.put(metadata, "processCcd_metadata", where)
    assert find_mount(output).rotation == pytest.approx(12.25, abs=0.05)
    moved = replace(NECAM, folder=shutil.copytree(NECAM.folder, tmp_path / "necam"))
    write_mount(moved, find_mount(output))
    assert moved.load_camera().rotation == pytest.approx(12.25, abs=0.05)
    again = find_mount(Butler(tmp_path / "data", rerun="a", instrument=moved))
    assert again.rotation == pytest.approx(12.25, abs=0.05)


@pytest.mark.parametrize("columns", ["", ",correction_x,correction_y"])
def test_places_of_detectors_are_written_and_read_again(tmp_path, columns):
    folder = tmp_path / "camera"
    folder.mkdir()
    for name in ("camera.yaml", "detectors.csv", "amplifiers.csv"):
        (folder / name).write_bytes((NECAM.camera_folder / name).read_bytes())
    moved = replace(NECAM, folder=tmp_path, camera="camera")
    table = folder / "detectors.csv"
    lines = table.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    lines[first] += columns
    lines[first + 1 :] = [line + ",0.5,-0.25" * bool(columns) for line in lines[first + 1 :]]
    table.write_text("\n".join(lines) + "\n")
    now = moved.load_camera().detectors[0]
    there = replace(now, yaw=now.yaw + 180.0, offset_x=now.offset_x + 1.25, offset_y=now.offset_y - 2.5)
    write_places(moved, [DetectorPlace(there, 180.0, 99.0)])
    found = replace(moved).load_camera().detectors[0]
    assert (found.yaw, found.offset_x, found.offset_y) == pytest.approx((there.yaw, there.offset_x, there.offset_y))
    header, row = table.read_text().splitlines()[first : first + 2]
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    if columns:
        assert cells["offset_x"] == dict(zip(header.split(","), lines[first + 1].split(","), strict=True))["offset_x"]
