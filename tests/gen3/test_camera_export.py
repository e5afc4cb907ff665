"""`obs export-lsst`: translator on real headers, instrument in a real Butler, camera.yaml against our geometry."""

import ast
import importlib
import json
import math
import sys
import unittest
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy import units as u
from astropy.time import Time
from stand_in import stack

from obs.camera.yaml_camera import load_yaml_camera
from obs.checks.open_package import OpenPackage, open_package
from obs.cli.main import main
from obs.errors import OutputError, PluginError
from obs.gen3.camera_yaml import camera_losses, dump_camera
from obs.gen3.description import describe_instrument, find_identity
from obs.gen3.export import export_package
from obs.gen3.known_cameras import find_clashes
from obs.instrument.discovery import load_instrument
from obs.simulator.headers import make_header
from obs.simulator.shots import IMAGE_TYPES
from obs.testing.simulated_header import first_filter, plan_shot
from raw_frames import COMMON, flat_frame, write_frame

pipe_base = pytest.importorskip("lsst.pipe.base", reason="the extra gen3 is not installed")
daf_butler = pytest.importorskip("lsst.daf.butler", reason="the extra gen3 is not installed")
translation = pytest.importorskip("astro_metadata_translator")

PLUGINS = Path(__file__).parents[1] / "plugins"
ODD = 'O\'Brien "{{ x }}" \\ $HOME'


@pytest.fixture(autouse=True)
def translators(monkeypatch):
    """Forget translators that a test registers."""
    monkeypatch.setattr(translation.MetadataTranslator, "translators", dict(translation.MetadataTranslator.translators))


def opened(name):
    """Return the package of a test camera, or an installed one."""
    folder = PLUGINS / name
    return open_package(str(folder / f"obs_{name}")) if (folder / f"obs_{name}").is_dir() else open_package(name)


def header_files(shared_data, name):
    return {
        "hsc": sorted((shared_data / "headers").glob("*hsc*.hdr")),
        "kast": sorted((shared_data / "kast").glob("*.fits.gz")),
        "sinistro": sorted((shared_data / "sinistro").glob("*.fits.gz")),
    }[name]


@pytest.mark.parametrize("name", ["hsc", "kast", "sinistro"])
def test_the_translator_reads_what_ours_reads(name, shared_data, tmp_path, monkeypatch):
    files = header_files(shared_data, name)
    assert files
    with opened(name) as package:
        instrument = package.instrument
        exported = export_package(package, tmp_path, raw_files=files)
        monkeypatch.setattr("obs.instrument.discovery.load_instrument", lambda _: instrument)
        stored = json.loads((exported.folder / "tests" / "headers.json").read_text())
        assert stored
        with stack(exported.folder):
            module = importlib.import_module(f"lsst.obs.{name}.translator")
            kind = getattr(module, f"{name.capitalize()}Translator")
            ours = instrument.make_translator()
            for header in stored:
                info = translation.ObservationInfo(header["cards"], translator_class=kind, pedantic=True)
                compare(info, ours.visit_info(header["cards"]), ours.registry_columns(header["cards"]), instrument)
                assert kind.can_translate(header["cards"]) is bool(module.IDENTITY)
            assert run_own_tests(exported.folder, "test_translator") > 0


def compare(info, facts, row, instrument):
    """Hold all properties against what our translator reads."""
    detector = instrument.find_detector(row)
    assert (info.detector_num, info.detector_name) == (detector.id, detector.name)
    assert info.detector_exposure_id == instrument.exposure_number(row)
    assert info.exposure_id == row["visit"]
    begin = Time(facts.date_begin, scale=facts.time_scale.lower())
    assert abs((info.datetime_begin - begin).to_value(u.s)) < 1e-3
    assert info.datetime_begin.scale == "tai"
    assert info.exposure_time.to_value(u.s) == facts.exposure_time
    assert info.observation_type == str(row.get("dataType") or "unknown").lower()
    if not math.isnan(facts.boresight_ra):
        assert info.tracking_radec.ra.deg == pytest.approx(facts.boresight_ra)
        assert info.tracking_radec.dec.deg == pytest.approx(facts.boresight_dec)
    assert info.boresight_airmass == (None if math.isnan(facts.airmass) else facts.airmass)
    if info.location is not None:
        assert info.location.lon.deg == pytest.approx(facts.longitude)
    if info.altaz_begin is not None and not math.isnan(facts.airmass) and info.observation_type == "science":
        assert 1 / math.sin(info.altaz_begin.alt.rad) == pytest.approx(facts.airmass, abs=0.05)


def run_own_tests(folder, name):
    """Run a test file of the new package; return how many tests ran."""
    spec = importlib.util.spec_from_file_location(f"exported_{name}", folder / "tests" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    assert result.failures + result.errors == []
    return result.testsRun


@pytest.mark.parametrize("image_type", IMAGE_TYPES)
def test_headers_of_simulated_frames(image_type, tmp_path):
    with opened("necam") as package:
        instrument = package.instrument
        exported = export_package(package, tmp_path)
    detector = instrument.load_camera().detectors[0]
    shot = plan_shot(image_type, first_filter(instrument), visit=7, seed=1)
    header = make_header(
        instrument, shot, detector, instrument.detector_keys(detector) | {"visit": 7, "filter": "Clear"}
    )
    cards = {key: value[0] if isinstance(value, tuple) else value for key, value in header.items()}
    with stack(exported.folder):
        kind = importlib.import_module("lsst.obs.necam.translator").NecamTranslator
        info = translation.ObservationInfo(cards, translator_class=kind, pedantic=True)
        ours = instrument.make_translator()
        compare(info, ours.visit_info(cards), ours.registry_columns(cards), instrument)
        assert info.observation_type == image_type


def test_the_instrument_registers_in_a_butler(tmp_path):
    with opened("sinistro") as package:
        exported = export_package(package, tmp_path)
        ours = package.instrument.load_camera()
    with stack(exported.folder):
        butler = daf_butler.Butler.from_config(daf_butler.Butler.makeRepo(str(tmp_path / "repo")), writeable=True)
        instrument = pipe_base.Instrument.from_string("lsst.obs.sinistro.Sinistro")
        instrument.register(butler.registry)
        instrument.register(butler.registry)  # a second time changes nothing
        assert isinstance(pipe_base.Instrument.fromName("sinistro", butler.registry), type(instrument))
        find = butler.registry.queryDimensionRecords
        (record,) = find("instrument")
        assert (record.class_name, record.detector_max) == ("lsst.obs.sinistro.Sinistro", len(ours))
        assert {one.id: one.full_name for one in find("detector", instrument="sinistro")} == {
            d.id: d.name for d in ours
        }
        filters = {one.name: one.band for one in find("physical_filter", instrument="sinistro")}
        assert filters["gp"] == "g"
        assert {"none", "unknown"} <= set(filters)
        assert Path(instrument.configPaths[0], "isr.py").is_file()
        formatter = instrument.getRawFormatter({})
        assert formatter.translatorClass.name == "sinistro"
        hdus = importlib.import_module("lsst.obs.sinistro.rawFormatter").AMPLIFIER_HDUS
        assert [hdu for _, hdu in hdus[ours.detectors[0].id]] == [1, 2, 3, 4]
        task = importlib.import_module("lsst.obs.sinistro.ingest").SinistroRawIngestTask
        assert hasattr(task, "extractMetadata")


@pytest.mark.parametrize("name", ["necam", "hsc", "kast", "sinistro"])
def test_camera_yaml_has_our_geometry(name, tmp_path):
    with opened(name) as package:
        ours = package.instrument.load_camera()
    path = tmp_path / "camera.yaml"
    path.write_text(dump_camera(ours))
    found = load_yaml_camera(path)
    assert (found.name, found.plate_scale) == (ours.name, ours.plate_scale)
    for detector, other in zip(ours, found, strict=True):
        x, y = np.array([0.0, detector.bbox.width]), np.array([0.0, detector.bbox.height])
        np.testing.assert_allclose(
            detector.pixel_to_focal_plane(x=x, y=y), other.pixel_to_focal_plane(x=x, y=y), rtol=1e-12, atol=1e-12
        )
        amplifiers = {amp.name: amp for amp in other.amplifiers}
        own_hdus = len({amp.raw_hdu for amp in detector.amplifiers}) > 1
        for amp in detector.amplifiers:
            same = amplifiers[amp.name]
            assert (same.bbox, same.readout_corner, same.flip_x, same.flip_y) == (
                amp.bbox,
                amp.readout_corner,
                amp.flip_x,
                amp.flip_y,
            )
            # amplifiers with HDUs of their own become tiles of one raw image
            shift = (same.raw_bbox.x_min - amp.raw_bbox.x_min, same.raw_bbox.y_min - amp.raw_bbox.y_min)
            assert own_hdus or shift == (0, 0)
            for box, moved in ((amp.raw_data_bbox, same.raw_data_bbox), (amp.raw_bbox, same.raw_bbox)):
                assert (moved.x_min - box.x_min, moved.y_min - box.y_min) == shift
                assert moved.shape == box.shape
        boxes = [same.raw_bbox for same in amplifiers.values()]
        assert all(
            one.intersection(two).is_empty for n, one in enumerate(boxes) for two in boxes[n + 1 :] if name != "kast"
        )


def test_what_cannot_be_held_is_said():
    losses = camera_losses(load_instrument("hsc").load_camera())
    assert losses[0].startswith("the distortion of the optics is a polynomial in x and y")


def test_pipelines_can_be_read(tmp_path, monkeypatch):
    with opened("necam") as package:
        exported = export_package(package, tmp_path)
    monkeypatch.setenv("OBS_NECAM_DIR", str(exported.folder))
    pipeline = pipe_base.Pipeline.fromFile(str(exported.folder / "pipelines" / "ProcessCcd.yaml"))
    assert set(pipeline.task_labels) == {"isr", "calibrateImage"}
    assert pipeline.getInstrument() == "lsst.obs.necam.Necam"
    for name in ("DRP", "cpBias", "cpDark", "cpFlat"):
        data = yaml.safe_load((exported.folder / "pipelines" / f"{name}.yaml").read_text())
        assert data["imports"][0]["location"].startswith(("$DRP_PIPE_DIR/pipelines/", "$CP_PIPE_DIR/pipelines/"))


def make_package(tmp_path, cards):
    raw = write_frame(tmp_path / "raw.fits", cards, flat_frame((40, 64)))
    assert main(["new", "toycam", "--from", str(raw), "--no-input", "--output", str(tmp_path)]) == 0
    return tmp_path / "obs_toycam", raw


def test_text_of_headers_never_becomes_code(tmp_path, capsys):
    cards = [card for card in COMMON if card[0] not in ("FILTER", "OBJECT", "INSTRUME")]
    odd = ODD.replace("'", "''")
    package, _ = make_package(tmp_path, [*cards, ("FILTER", odd), ("OBJECT", odd), ("INSTRUME", odd)])
    assert main(["export-lsst", str(package), "--output", str(tmp_path)]) == 0
    folder = tmp_path / "lsst_obs_toycam"
    for path in folder.rglob("*.py"):
        ast.parse(path.read_text())
    for path in folder.rglob("*.yaml"):
        yaml.safe_load(path.read_text())
    tree = ast.parse((folder / "python/lsst/obs/toycam/translator.py").read_text())
    (identity,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "IDENTITY"
    ]
    assert identity["INSTRUME"] == ODD
    assert repr(ODD) in (folder / "python/lsst/obs/toycam/filters.py").read_text()


def test_a_package_of_obs_new_with_its_own_tests(tmp_path, monkeypatch):
    package, raw = make_package(tmp_path, COMMON)
    with open_package(str(package)) as found:
        exported = export_package(found, tmp_path, raw_files=[raw])
        monkeypatch.setattr("obs.instrument.discovery.load_instrument", lambda _: found.instrument)
        with stack(exported.folder):
            assert run_own_tests(exported.folder, "test_translator") == 2
            assert run_own_tests(exported.folder, "test_camera") == 1
            kind = importlib.import_module("lsst.obs.toycam.translator").ToycamTranslator
            (header,) = kind.determine_translatable_headers(raw)
            assert kind.can_translate(header)
            assert translation.ObservationInfo(header).instrument == "toycam"  # found among all translators


def test_cameras_that_the_stack_cannot_describe(tmp_path):
    with opened("sdss") as package, pytest.raises(PluginError, match=r"starts from '.*', not from raw files"):
        export_package(package, tmp_path)
    broken = OpenPackage("broken", None, problems=("no file",))
    with pytest.raises(PluginError, match="camera 'broken' cannot be used: no file"):
        export_package(broken, tmp_path)


def test_a_disk_that_is_full_leaves_no_half_package(tmp_path, monkeypatch):
    written = []

    def fill(path, text, encoding):
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        path.write_bytes(text.encode(encoding))

    monkeypatch.setattr("pathlib.Path.write_text", fill)
    with (
        opened("necam") as package,
        pytest.raises(OutputError, match=r"lsst_obs_necam cannot be written: No space.*; "),
    ):
        export_package(package, tmp_path)
    assert len(written) == 3
    assert not list(tmp_path.iterdir())


def test_a_folder_that_exists_is_kept(tmp_path):
    (tmp_path / "lsst_obs_necam").mkdir()
    with opened("necam") as package, pytest.raises(OutputError, match="exists already; remove it"):
        export_package(package, tmp_path)


@pytest.mark.parametrize(
    ("headers", "identity"),
    [
        ([{"INSTRUME": "A "}, {"INSTRUME": "A", "TELESCOP": "T"}], {"INSTRUME": "A"}),
        ([{"INSTRUME": "A"}, {"INSTRUME": "B"}], {}),
        ([{"TELESCOP": "T"}], {}),
        ([{"CAMERA": "C", "TELESCOP": "T"}], {"CAMERA": "C", "TELESCOP": "T"}),
    ],
)
def test_cards_that_name_the_camera(headers, identity):
    assert find_identity(headers) == identity


def test_without_headers_the_identity_is_asked_for(tmp_path, capsys):
    assert main(["export-lsst", "necam", "--output", str(tmp_path)]) == 0
    assert "no real header is known: write the cards by which files are recognized" in capsys.readouterr().err
    assert "write the cards by which files are recognized" in (tmp_path / "lsst_obs_necam" / "README.md").read_text()
    assert describe_instrument(load_instrument("necam"), {}, [])["visit_key"] == "visit"
    assert "lsst.obs.necam" not in sys.modules


@pytest.mark.parametrize(
    ("package", "cards", "told"),
    [
        ("decam", {"INSTRUME": "DECam"}, ["lsst.obs.decam of its own", "DecamTranslator"]),
        ("mycam", {"INSTRUME": "mycam", "FILTER": "r DECam SDSS c0002"}, ["DecamTranslator"]),
        ("mycam", {"INSTRUME": "mycam", "FILTER": "r"}, []),
    ],
)
def test_cameras_that_the_stack_has_are_named(package, cards, told):
    found = find_clashes(package, [cards, cards])
    assert len(found) == len(told)
    assert all(word in text for word, text in zip(told, found, strict=True))
    library = pytest.importorskip("astro_metadata_translator").MetadataTranslator
    try:
        takes = library.determine_translator(cards).__name__
    except ValueError:
        takes = ""
    assert takes in "".join(found)


def test_overscan_of_another_hdu_is_named_as_lost():
    camera = load_instrument("necam").load_camera()
    detector = next(iter(camera))
    first, *others = detector.amplifiers
    apart = replace(detector, amplifiers=(replace(first, raw_hdu=1, overscan_hdu=5), *others))
    losses = camera_losses(replace(camera, detectors=(apart,)))
    assert any("is in an HDU of its own, which camera.yaml cannot name" in text for text in losses)
