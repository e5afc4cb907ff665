"""Cameras whose package of the LSST stack is a folder that nobody installed, and the repositories of them."""

import json
import pickle

import numpy as np
import pytest
from astropy.io import fits
from lsst_archive import Objects, sky_text
from lsst_files import calexp
from stack_packages import ctio_package, image_file, lsst_package, megacam_package, register, subaru_package, write

from obs.camera.yaml_camera import load_yaml_camera
from obs.cli.main import main
from obs.errors import DataIdError, FileFormatError, PluginError
from obs.frame_calibrations import read_calibration
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.instrument.discovery import instrument_for_mapper, load_instrument
from obs.instrument.stack_package import open_stack_package
from obs.raw_exposure import remove_raw_signature
from obs.repo.butler import Butler
from obs.repo.fits_catalog import write_catalog
from obs.tasks.isr_config import IsrConfig

VISIT = {"visit": 201, "filter": "R", "date": "2017-03-01T03:04:05", "expTime": 30.0, "object": "NGC1"}
VALID = {"calibDate": "2017-03-01", "validStart": "2017-02-20", "validEnd": "2017-03-20"}
CARDS = {"EXPTIME": 30.0, "DATE-OBS": "2017-03-01T03:04:05", "RA": "10:20:30", "DEC": "-20:10:00"}


@pytest.fixture
def ctio(tmp_path, monkeypatch):
    """Make a repository of a camera whose package an environment variable points to, as EUPS sets it."""
    package = ctio_package(tmp_path / "obs_ctio0m9", size=(30, 20))
    monkeypatch.setenv("OBS_CTIO0M9_DIR", str(package))
    root = tmp_path / "data"
    register(root / "registry.sqlite3", raw=[VISIT], raw_visit=[VISIT])
    register(root / "calibRegistry.sqlite3", bias=[VALID], flat=[{**VALID, "filter": "R"}])
    (root / "_mapper").write_text("lsst.obs.ctio0m9.Ctio0m9Mapper\n")
    image_file(root / "raw/raw-000201.fits", np.full((40, 120), 1000, np.uint16), **CARDS)
    image_file(root / "bias/2017-03-01/bias-2017-03-01.fits.gz", np.zeros((40, 60), np.float32))
    image_file(root / "flat/R/2017-03-01/flat_R_2017-03-01.fits.gz", np.ones((40, 60), np.float32))
    return root


def test_a_repository_opens_by_the_folder_of_its_package(ctio, capsys, monkeypatch, tmp_path):
    assert main(["ls", str(ctio)]) == 0
    assert capsys.readouterr().out.split()[3:] == ["bias", "1", "flat", "1", "raw", "1"]
    for dataset_type in ("bias", "flat"):
        assert main(["ls", str(ctio), dataset_type, "--id", "visit=201"]) == 0
        assert capsys.readouterr().out.endswith("2017-03-01.fits.gz\n")
    assert main(["get", str(ctio), "raw", "--id", "object=NGC1"]) == 0
    assert "taken       2017-03-01T03:04:05.000, 30 s" in capsys.readouterr().out
    assert main(["calibs", "build", "bias", str(ctio), "--calib", str(ctio)]) == 1
    assert "make a folder outside of it for calibrations, and name it with --calib" in capsys.readouterr().err
    butler = Butler(ctio)
    raw = butler.get("raw", visit=201)
    assert butler.get("raw_detector", visit=201) == "SITE2K"
    assert raw.visit_info.boresight_ra == pytest.approx(155.125)
    assert float(butler.get("flat", visit=201).masked_image.image.mean()) == 1.0
    assert butler.get("ccdExposureId", visit=201) == 201000
    monkeypatch.delenv("OBS_CTIO0M9_DIR")
    assert main(["ls", str(ctio)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--camera FOLDER, or OBS_CTIO0M9_DIR=FOLDER" in error
    assert main(["ls", str(ctio), "--camera", str(tmp_path / "obs_ctio0m9")]) == 0


def test_nothing_of_the_package_is_run(ctio, tmp_path, capsys):
    camera = load_instrument("ctio0m9")
    assert capsys.readouterr().out == ""
    names = [(known.physical_filter, known.aliases, known.effective_wavelength) for known in camera.filters]
    assert names[1] == ("R", ("NONE+R",), 640.0)
    assert names[0][:2] == ("NONE", ("OPEN", "no_filter"))
    again = pickle.loads(pickle.dumps(camera))  # noqa: S301 - for worker processes
    assert (again.name, again.folder) == ("ctio0m9", tmp_path / "obs_ctio0m9")
    translator = camera.make_translator()
    assert translator.registry_columns(CARDS) == {"expTime": 30.0, "object": "UNKNOWN"}
    # a box given by its size instead of its last pixel, and the cubic term of older descriptions
    described = load_yaml_camera(tmp_path / "obs_ctio0m9/policy/camera.yaml")
    (detector,) = described.detectors
    assert (detector.bbox.width, detector.bbox.height) == (60, 40)
    assert described.distortion.coefficients == pytest.approx([-((16.0 / 206264.806) ** 2)])


def test_calibrations_that_are_images_alone(ctio, tmp_path):
    policy = tmp_path / "obs_ctio0m9/policy/ctio0m9Mapper.yaml"
    policy.write_text(policy.read_text().replace("DecoratedImageF", "ImageF"))  # as DECam's
    flat = read_calibration(Butler(ctio), "flat", {"visit": 201}, IsrConfig()).value
    assert isinstance(flat, Exposure)
    assert flat.masked_image.image.mean() == 1.0
    assert not flat.masked_image.mask.array.any()
    assert not flat.masked_image.variance.any()


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(PluginError, match=r"it has no policy/\*Mapper.yaml and no policy/\*Mapper.paf"):
        open_stack_package(tmp_path)
    package = ctio_package(tmp_path / "obs_ctio0m9")
    (package / "policy/camera.yaml").unlink()
    camera = load_instrument(str(package))
    with pytest.raises(FileFormatError, match=r"no camera.py or camera.yaml in .*policy.* obs new NAME --from FILE"):
        camera.load_camera()
    with pytest.raises(DataIdError, match="needs the key 'visit'"):
        camera.exposure_number({})


def test_exposures_without_visits_have_numbers_of_their_own(tmp_path):
    package = ctio_package(tmp_path / "obs_survey")
    policy = package / "policy/ctio0m9Mapper.yaml"
    template = "%(run)06d/%(rerun)d/%(filter)s%(camcol)d-%(field)04d.fits"
    policy.write_text(policy.read_text().replace("raw/raw-%(visit)06d.fits", template))
    camera = load_instrument(str(package))
    first = {"run": 4192, "rerun": 40, "camcol": 4, "field": 300, "filter": "R"}
    others = [{**first, key: value} for key, value in (("run", 4193), ("camcol", 3), ("field", 1), ("filter", "OPEN"))]
    others.append({**first, "camcol": 0, "field": 0, "run": 0})
    numbers = [camera.exposure_number(data_id) for data_id in (first, *others)]
    assert len(set(numbers)) == len(numbers)
    assert camera.exposure_number({**first, "rerun": 41}) == numbers[0]
    for wrong, message in (
        ({"field": 40_000}, "field=40000 of ctio0m9 has no room in its exposure id: expected 0 to 32767"),
        ({"run": 30_000, "field": 30_000, "camcol": 6000}, "have no room in the 46 bits of its exposure id"),
        ({"filter": "Z"}, "needs the number of the filter 'Z', which the package does not define"),
    ):
        with pytest.raises(DataIdError, match=message) as caught:
            camera.exposure_number({**first, **wrong})
        assert "write a camera package with an exposure_id of its own (obs new NAME)" in str(caught.value)
    with pytest.raises(DataIdError, match="needs the key 'field'"):
        camera.exposure_number({"run": 1, "camcol": 1})


@pytest.mark.parametrize(("name", "template"), [("R:2,2 S:0,1", "R:%(raft)s S:%(sensor)s"), ("R22_S01", None)])
def test_a_sensor_is_that_of_its_raft(tmp_path, name, template):
    package = ctio_package(tmp_path / "obs_lsstSim")
    policy, camera = package / "policy/ctio0m9Mapper.yaml", package / "policy/camera.yaml"
    path = "raw/v%(visit)d/R%(raft)s/S%(sensor)s.fits"
    policy.write_text(policy.read_text().replace("raw/raw-%(visit)06d.fits", path))
    camera.write_text(camera.read_text().replace("SITE2K", f'"{name}"').replace("id: 0", "id: 7"))
    instrument = load_instrument(str(package))
    assert instrument.detector == (template or "R%(raft)s_S%(sensor)s")
    for raft, sensor in (("2,2", "0,1"), ("22", "01"), ("R22", "S01")):
        data_id = {"visit": 840, "raft": raft, "sensor": sensor}
        assert instrument.find_detector(data_id).name == name
        assert instrument.exposure_number(data_id) == 840007
    for raft, sensor in (("1,0", "0,1"), ("10", "07")):  # 07 is no number of a detector
        with pytest.raises(DataIdError, match=f"no detector of raft={raft} sensor={sensor}; its first one is called"):
            instrument.find_detector({"visit": 840, "raft": raft, "sensor": sensor})


@pytest.fixture
def suprimecam(tmp_path, monkeypatch):
    """Make a repository and a chain of two reruns with results of the stack; its package describes two cameras."""
    (detector,) = load_instrument(str(ctio_package(tmp_path / "obs_one", size=(20, 20)))).load_camera().detectors
    monkeypatch.setenv("OBS_SUBARU_DIR", str(subaru_package(tmp_path / "obs_subaru", detector)))
    root = tmp_path / "SUPA"
    row = {"visit": 104, "filter": "W-S-R+", "field": "F1", "dateObs": "2008-07-29", "taiObs": "2008-07-29"}
    row |= {"pointing": 1670, "expTime": 60.0}
    register(root / "registry.sqlite3", raw=[{**row, "ccd": ccd} for ccd in (0, 1, 2)], raw_visit=[row])
    valid = {"validStart": "2008-07-01", "validEnd": "2008-08-20"}
    days = [("2008-07-28", valid), ("2009-07-28", {"validStart": "2009-07-01", "validEnd": "2009-08-20"})]
    made = [{"ccd": ccd, "calibDate": day, **validity} for ccd in (0, 1) for day, validity in days]
    register(root / "CALIB/calibRegistry.sqlite3", bias=made)
    for one in made:
        path = f"BIAS/{one['calibDate']}/NONE/BIAS-{one['calibDate']}-{one['ccd']}.fits"
        image_file(root / "CALIB" / path, np.full((40, 40), one["ccd"], np.float32))
    mapper = "lsst.obs.suprimecam.SuprimecamMapper"
    (root / "_mapper").write_text(f"{mapper}\n")
    policy = {"datasets": {"calexpBackground": {"template": "own/%(visit)d-%(ccd)d.fits"}}}
    for name, parent, own in (("one", "../..", None), ("two", "../one", policy)):
        folder = root / "rerun" / name
        folder.mkdir(parents=True)
        text = f"!RepositoryCfg_v1\n_mapper: {mapper}\n_parents: ['{parent}']\n_policy: {json.dumps(own)}\n"
        (folder / "repositoryCfg.yaml").write_text(text)
    corr, output = (root / "rerun/one/01670/W-S-R+" / name for name in ("corr", "output"))
    corr.mkdir(parents=True)
    output.mkdir()
    objects = Objects()
    wcs = objects.sky_wcs(sky_text())
    calib = objects.photo_calib(2.0, objects.chebyshev([[2.0, 0.05], [-0.04, 0.0]], (0, 0), (49, 39)))
    cards = {"PSF_ID": objects.gaussian_psf(2.0), "SKYWCS_ID": wcs, "HIERARCH PHOTOCALIB_ID": calib}
    calexp(corr / "CORR00001041.fits", objects.part, cards={**cards, "FILTER": "W-S-R+"}, compressed=True)
    catalog = Catalog()
    catalog.add("id", np.arange(2), "", "number")
    catalog.add("base_PsfFlux_instFlux", np.array([10.0, 20.0]), "adu", "flux")
    write_catalog(catalog, output / "SRC00001041.fits")
    return root


def test_results_of_a_chain_of_reruns(suprimecam, capsys, tmp_path):
    run = str(suprimecam / "rerun/two")
    assert main(["ls", run]) == 0
    assert capsys.readouterr().out.split()[3:] == ["bias", "4", "calexp", "1", "src", "1"]
    for words in (["field=F1"], ["filter=W-S-R+", "expTime=60"]):  # the first is in no name of a file
        assert main(["ls", run, "calexp", "--id", *words]) == 0
        assert capsys.readouterr().out.endswith("corr/CORR00001041.fits\n")
    assert main(["get", run, "calexp", "--id", "visit=104", "ccd=1"]) == 0
    out = capsys.readouterr().out
    assert "WCS         middle at ra 150.00" in out
    assert "zero point  30.647 mag" in out
    assert main(["get", run, "src", "--id", "visit=104"]) == 0
    assert capsys.readouterr().out.startswith("2 rows")
    assert main(["get", run, "bias", "--id", "visit=104", "ccd=1"]) == 0  # that of the day
    assert main(["export", run, str(tmp_path / "out")]) == 0
    assert "2 sources of 1 image exported" in capsys.readouterr().out
    butler = Butler(run)
    assert butler.instrument.find_filter("r").physical_filter == "W-S-R+"
    assert butler.get("camera").detector(1).name == "Kiki"
    assert butler.path("bias", visit=104, ccd=1).name == "BIAS-2008-07-28-1.fits"
    assert not butler.exists("calexpBackground", visit=104, ccd=1)
    (suprimecam / "rerun/two/own").mkdir()
    calexp(suprimecam / "rerun/two/own/104-1.fits")  # where the policy of this rerun has it
    assert butler.exists("calexpBackground", visit=104, ccd=1)
    butler = Butler(suprimecam, output=tmp_path / "processed")
    assert butler.instrument.name == "suprimecam"


def test_without_a_registry(suprimecam, capsys):
    for path in (suprimecam / "registry.sqlite3", suprimecam / "CALIB/calibRegistry.sqlite3"):
        path.unlink()
    raw = "F1/2008-07-29/01670/W-S-R+/SUPA00001042.fits"
    image_file(suprimecam / raw, np.full((40, 100), 1000, np.uint16), **CARDS)
    assert main(["ls", str(suprimecam), "raw", "--id", "visit=104"]) == 0
    assert capsys.readouterr().out.endswith(f"{raw}\n")
    assert main(["get", str(suprimecam), "raw", "--id", "ccd=2"]) == 0
    assert "detector    Fio" in capsys.readouterr().out


def test_one_of_several_cameras_is_named(suprimecam, tmp_path):
    package = tmp_path / "obs_subaru"
    with pytest.raises(PluginError, match=r"describes 2 cameras; name the policy of one: .*SuprimecamMapper\.yaml"):
        load_instrument(str(package))
    assert load_instrument(str(package / "policy/SuprimecamMapper.yaml")).name == "suprimecam"
    assert instrument_for_mapper("lsst.obs.suprimecam.SuprimecamMapper").name == "suprimecam"
    policy = package / "policy/SuprimecamMapper.yaml"
    by_hdu = policy.read_text().replace("SUPA%(visit)07d%(ccd)1d.fits", "SUPA%(visit)07d.fits[%(hdu)d]")
    policy.write_text(by_hdu.replace("CORR%(visit)07d%(ccd)1d", "CORR%(visit)07d_%(ccdnum)02d"))  # as DECam's
    assert load_instrument(str(policy)).detector == "%(ccdnum)d"
    policy.write_text(
        by_hdu.replace("SUPA%(visit)07d.fits[%(hdu)d]", "%(camcol)d.fits").replace("%(ccd)1d", "%(side)s")
    )
    with pytest.raises(
        DataIdError, match=r"no key of raw files in .*yaml names the detector .*; write a camera package"
    ):
        load_instrument(str(policy)).find_detector({"camcol": 1})
    assert instrument_for_mapper("lsst.obs.hsc.HscMapper").folder.name == "obs_hsc", "one that is installed comes first"


@pytest.fixture
def imsim(tmp_path, monkeypatch):
    """Make a repository of a camera of LSST, whose package has policies in folders that complete each other."""
    monkeypatch.setenv("OBS_LSST_DIR", str(lsst_package(tmp_path / "obs_lsst")))
    root = tmp_path / "data"
    row = {"visit": 204595, "expId": 204595, "filter": "i_sim_1.4", "dateObs": "2022-10-05", "expTime": 30.0}
    register(root / "registry.sqlite3", raw=[{**row, **IMSIM_DETECTOR}], raw_visit=[row])
    (root / "_mapper").write_text("lsst.obs.lsst.imsim.ImsimMapper\n")
    path = root / "raw/R11/00204595-S20-det042.fits"
    path.parent.mkdir(parents=True)
    amplifiers = [fits.ImageHDU(np.full((20, 60), 1000 * (n + 1), np.int32)) for n in (0, 1)]
    for hdu in amplifiers:
        hdu.data[:, 40:] = 500  # overscan
        hdu.data += np.arange(60) * np.arange(20)[:, None] % 7  # one value everywhere would be a dead amplifier
    conditions = fits.BinTableHDU.from_columns([fits.Column("T", "E", array=np.array([173.0]))], name="TEST_COND")
    header = fits.Header({"EXPTIME": 30.0, "CHIPID": "R11_S20", "DATE-OBS": "2022-10-05T06:53:26"})
    fits.HDUList([fits.PrimaryHDU(header=header), *amplifiers, conditions]).writeto(path)
    return root


IMSIM_DETECTOR = {"raftName": "R11", "detectorName": "S20", "detector": 42}


def test_policies_of_one_package_complete_each_other(imsim, tmp_path, capsys):
    assert main(["ls", str(imsim), "raw"]) == 0
    assert capsys.readouterr().out.endswith("raw/R11/00204595-S20-det042.fits\n")
    butler = Butler(imsim)
    raw = butler.get("raw", visit=204595, detector=42)
    assert [float(one.masked_image.image[0, 0]) for one in raw["raw_amp"]] == [1000.0, 2000.0]
    assert butler.exists("raw", detector=42)
    assert butler.get("raw_md", detector=42)["CHIPID"] == "R11_S20"
    assert butler.get("raw_filter", detector=42) == "i_sim_1.4"
    assert butler.get("raw_visitInfo", detector=42).exposure_time == 30.0
    for data_id in ({"detector": 42}, {"visit": 204595, "detector": 42}):
        assert butler.get("ccdExposureId", data_id) == 204595042
    config = IsrConfig(**dict.fromkeys(("do_bias", "do_dark", "do_flat", "do_defect", "expect_wcs"), False))
    exposure = remove_raw_signature(butler, {"detector": 42}, config)
    assert exposure.masked_image.shape == (20, 60)
    assert pickle.loads(pickle.dumps(butler.instrument)).above == butler.instrument.above  # noqa: S301 - for workers
    (tmp_path / "obs_lsst/policy/imsim.yaml").unlink()
    (tmp_path / "obs_lsst/policy/SConscript").touch()
    with pytest.raises(FileFormatError, match=r"no .*policy/imsim.yaml, which the package makes when it is built: run"):
        load_instrument("imsim").load_camera()


def test_a_mapper_without_a_policy_of_its_own_has_that_of_another(imsim, tmp_path):
    assert instrument_for_mapper("lsst.obs.lsst.phosim.PhosimMapper").policy == "policy/lsstCamMapper.yaml"
    assert instrument_for_mapper("lsst.obs.lsst.phosim.PhosimMapper").name == "phosim"
    assert load_instrument("imsim").exposure_id_bits == 52
    (tmp_path / "obs_lsst/python/lsst/obs/lsst/mappers.py").unlink()
    camera = load_instrument(str(tmp_path / "obs_lsst/policy/imsim/imsimMapper.yaml"))
    assert camera.load_policy().default_level == "visit"
    with pytest.raises(PluginError, match="no installed camera reads repositories of"):
        instrument_for_mapper("lsst.obs.lsst.phosim.PhosimMapper")


def test_detectors_of_a_file_are_told_apart_without_a_registry(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OBS_CFHT_DIR", str(megacam_package(tmp_path / "obs_cfht")))
    root = tmp_path / "data"
    write(root / "_mapper", "lsst.obs.cfht.MegacamMapper\n")
    planes = [fits.ImageHDU(np.full((20, 120), number, np.int16)) for number in range(3)]
    place = root / "raw/09AL1/2009-01-01/r/1038843p.fits"
    place.parent.mkdir(parents=True)
    fits.HDUList([fits.PrimaryHDU(), *planes, fits.BinTableHDU()]).writeto(place)
    butler = Butler(root)
    assert butler.query_metadata("raw", ["visit", "extension"]) == [(1038843, 1), (1038843, 2), (1038843, 3)]
    assert butler.query_metadata("raw", ["visit"]) == [(1038843,)]
    assert float(butler.get("raw", visit=1038843, extension=2).masked_image.image.mean()) == 1.0
    assert main(["ls", str(root), "raw", "--id", "extension=3"]) == 0
    assert capsys.readouterr().out.count("1038843p.fits") == 1
    (root / "raw/09AL1/2009-01-01/r/1038844p.fits").write_text("no image")
    assert butler.query_metadata("raw", ["extension"], visit=1038844) == []
