"""`obs calibrate-visits` on catalogs of a repository."""

import os

import numpy as np
import pytest
from astropy.io import fits
from processed_visits import CENTER, data_id, make_rerun

import obs
from obs.compat.lsst.meas.mosaic import FluxFitParams
from obs.errors import DataIdError
from obs.image.wcs import TanSipWcs
from obs.policy.data_id import format_data_id
from obs.repo.atomic import remove_leftovers
from obs.repo.butler import Butler
from obs.runs.calibrate_visits import calibrate_visits
from obs.tasks.relative.frames import FrameStars
from obs.visits.calibration import best_calibration
from obs.visits.changed_images import warn_of_changed_images
from obs.visits.common_frames import place_detectors


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("visits") / "out"
    butler = make_rerun(folder)
    return butler, calibrate_visits(butler, [["visit=1..4"]])


def test_all_visits_get_calibrations_that_agree(done):
    butler, result = done
    assert result.skipped == []
    fit = result.fits[0]
    assert fit.n_visit == 4
    assert fit.astrometry.internal.after < 0.2 * fit.astrometry.internal.before
    assert fit.photometry.internal.after < 1.2 * 4.0 * 1.0857 < fit.photometry.internal.before
    calibrations = [best_calibration(butler, data_id(visit)) for visit in range(1, 5)]
    assert {str(found) for found in calibrations} == {"jointcal_wcs, jointcal_photoCalib of tract 0"}
    sky = [found.wcs.pixel_to_sky(x=149.5 + 3 * v, y=99.5 - 2 * v) for v, found in enumerate(calibrations, start=1)]
    # one star's noise is 3 mas; a visit has some 70
    assert np.ptp(sky, axis=0).max() * 3.6e6 < 5.0


def test_seed_users_read_what_they_know(done):
    butler, _ = done
    header = butler.get("fcr_md", data_id(2), tract=0)
    same = butler.get("jointcal_photoCalib", data_id(2), tract=0)
    theirs = 2.5 * np.log10(header["FLUXMAG0"]) + FluxFitParams(header).eval(10.0, 20.0)
    assert theirs == pytest.approx(float(same.magnitude(1.0, x=10.0, y=20.0)), abs=1e-9)
    assert butler.get("wcs_md", data_id(2), tract=0)["CTYPE1"].startswith("RA---TAN")
    report = butler.get("calibrateVisits_metadata", tract=0)
    assert report["filters"]["Clear"]["visits"] == 4


def test_images_that_were_processed_again_are_named(done, caplog):
    butler, _ = done
    images = [data_id(visit) for visit in range(1, 5)]
    path = butler.path("src", data_id(3))
    before = path.read_bytes()
    warn_of_changed_images(butler, images)
    assert not caplog.records
    butler.put(butler.get("src", data_id(3)).select(np.arange(50)), "src", data_id(3))
    warn_of_changed_images(butler, images, use_common=False)
    assert not caplog.records
    warn_of_changed_images(butler, images)
    assert "1 of 4 images were processed again after obs calibrate-visits" in caplog.text
    assert f"({format_data_id(data_id(3))}); run it again: obs calibrate-visits {butler.output}" in caplog.text
    path.write_bytes(before)


def test_command_names_what_is_left_out_and_why(tmp_path, obs):
    butler = make_rerun(tmp_path / "out")
    exposure = butler.get("calexp", data_id(3))
    exposure.wcs = None
    butler.put(exposure, "calexp", data_id(3))
    stars = butler.get("src", data_id(4))
    stars.add("base_PsfFlux_flag", np.full(len(stars), "text"))
    butler.put(stars, "src", data_id(4))
    failed = butler.output / butler.mapper.path("processCcd_metadata", data_id(9))
    failed.parent.mkdir(parents=True, exist_ok=True)
    failed.touch()
    status, out, err = obs("calibrate-visits", tmp_path / "out")
    assert status == 1
    assert "2 images of 2 visits" in out
    assert "its src cannot be used: TypeError" in err
    assert "its calexp has no WCS; process it with a reference catalog that covers it" in err
    assert "visit=4" in err
    assert "1 exposure failed in obs process, or its calexp is gone: dateObs=2024-01-01 visit=9" in err
    assert "positions repeat" in out


def test_visits_without_common_stars_or_with_other_pixels(tmp_path, obs):
    butler = make_rerun(tmp_path / "out", visits=4)
    exposure = butler.get("calexp", data_id(4))
    exposure.wcs = type(exposure.wcs)(CENTER, exposure.wcs.crpix, 2 * exposure.wcs.cd)
    butler.put(exposure, "calexp", data_id(4))
    exposure = butler.get("calexp", data_id(3))
    exposure.wcs = type(exposure.wcs)((150.5, 2.0), exposure.wcs.crpix, exposure.wcs.cd)
    butler.put(exposure, "calexp", data_id(3))
    status, out, err = obs("calibrate-visits", tmp_path / "out")
    assert status == 1
    assert "visit=3" in err
    assert "visit=4 filter=Clear ccd=1: its pixels are 0.600 arcsec, those of most images 0.300" in err
    assert "it shares 0 stars with other visits or the reference catalog" in err
    assert "2 images of 2 visits" in out


def test_killed_between_two_files_that_it_replaces(tmp_path, obs):
    """Verify says so, also after it has removed what can be removed; the same command again makes what it should."""
    output = tmp_path / "out"
    make_rerun(output, visits=3)
    assert obs("calibrate-visits", output, "--id", "visit=1^2")[0] == 0
    before = calibrations(output)
    words = ("calibrate-visits", output)
    pid = os.fork()
    if pid == 0:
        replaced = []

        def replace(source, target, rename=os.replace):
            if str(source).endswith(".together"):
                replaced.append(target)
            if len(replaced) == 4:
                os._exit(9)
            rename(source, target)

        os.replace = replace
        obs(*words)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    half = calibrations(output)
    assert 0 < sum(half.get(name) != content for name, content in before.items()) < len(before)
    for option in ((), ("--fix", "--yes"), ("--remove-leftovers",)):
        status, _, err = obs("verify", output, *option)
        assert status == 1
        assert "obs calibrate-visits was killed, so that some images may have its calibration" in err
        assert "run obs calibrate-visits again" in err
    remove_leftovers.cache_clear()
    assert obs(*words)[0] == 0
    again = calibrations(output)
    assert obs("verify", output)[0] == 0
    assert obs(*words)[0] == 0
    assert calibrations(output) == again != half


def calibrations(output):
    """Return what the calibrations of a rerun hold, by their names."""
    found = {}
    for path in sorted(output.rglob("*.fits")):
        if not path.name.startswith(".") and ("jointcal" in str(path) or "fcr" in str(path) or "wcs" in str(path)):
            with fits.open(path) as hdus:
                found[str(path)] = repr(
                    [(hdu.header, None if hdu.data is None else hdu.data.tobytes()) for hdu in hdus]
                )
    return found


def test_nothing_was_processed(tmp_path):
    make_rerun(tmp_path / "out", visits=1)
    with pytest.raises(DataIdError, match=r"no image of .* matches visit=9"):
        calibrate_visits(Butler(outputs=str(tmp_path / "out")), [["visit=9"]])


def test_a_dry_run_prints_images_and_calibrates_none(tmp_path, obs):
    make_rerun(tmp_path / "out", visits=2)
    status, out, err = obs("calibrate-visits", tmp_path / "out", "--dry-run")
    assert (status, len(out.splitlines()), err) == (0, 2, "2 images\n")
    assert not Butler(tmp_path / "out").exists("jointcal_wcs", data_id(1) | {"tract": 0})


def test_tract_in_the_data_id_as_in_the_stack(tmp_path, obs):
    make_rerun(tmp_path / "out", visits=2)
    status, _, err = obs("calibrate-visits", tmp_path / "out", "--id", "tract=3", "visit=1^2")
    assert status == 0, err
    assert Butler(tmp_path / "out").exists("jointcal_wcs", data_id(1) | {"tract": 3})
    status, _, err = obs("calibrate-visits", tmp_path / "out", "--id", "tract=3", "--tract", "4")
    assert status == 1
    assert "one tract is calibrated at a time, got tract=3; give --tract N" in err


def test_a_repository_that_nothing_was_processed_in(tmp_path, obs):
    make_rerun(tmp_path / "out", visits=1)
    status, _, err = obs("calibrate-visits", tmp_path / "data", "--rerun", "none")
    assert status == 1
    assert "matches anything; name the rerun of obs process" in err
    status, _, err = obs("calibrate-visits", tmp_path / "data")
    assert status == 1
    assert "holds raw data and is only read; name where to write" in err


def test_detectors_of_other_filters_are_not_beside_each_other():
    """A scan shows the same sky on one detector after the other; in one filter it would be a wrong camera."""
    camera = obs.load_instrument("sdss").load_camera()
    wcs, nothing = TanSipWcs((10.0, 0.0), (1024.0, 745.0), np.eye(2) * 1.1e-4), np.empty(0)
    frames = {
        name: ({}, FrameStars(name, "run=1", camera.detector(name), (1489, 2048), wcs, None, np.nan, *[nothing] * 5))
        for name in ("g4", "r4")
    }
    assert place_detectors({"g": [frames["g4"]], "r": [frames["r4"]]})[1] == []
    assert "displaced by" in place_detectors({"g": list(frames.values())})[1][0]
