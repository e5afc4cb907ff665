import shutil

import numpy as np
import pytest
from exposures import FWHM, SCALE, ZERO_POINTS, data_id, make_exposure, star_field
from scipy.spatial import cKDTree

import obs
from obs.cli.main import main
from obs.compat.lsst.afw.coord import IcrsCoord
from obs.compat.lsst.afw.geom import degrees
from obs.compat.lsst.daf.persistence import Butler as StackButler


@pytest.fixture(scope="module")
def cataloged(repository, tmp_path_factory):
    """Catalogs of four patches in two filters; the second filter has two exposures, without the trail.

    The zero point of one of them belongs to an aperture that holds nine tenths of the light.
    """
    folder = tmp_path_factory.mktemp("cataloged") / "all"
    shutil.copytree(repository.parent, folder, symlinks=True)
    out = folder / "out"
    butler = obs.Butler(outputs=str(out))
    for index in (0, 2):
        key = data_id(index) | {"filter": "B", "visit": 31 + index}
        exposure, part = make_exposure(index), 0.9 if index == 2 else 1.0
        exposure.photo_calib = obs.PhotoCalib.from_zero_point(ZERO_POINTS[index] + 2.5 * np.log10(part), 0.001)
        exposure.metadata["PSFLIGHT"] = part
        butler.put(exposure, "calexp", key)
        butler.put({"seeing": FWHM[index] * SCALE}, "processCcd_metadata", key)
    settings = ("-c", "patch_width=210", "patch_height=210", "patch_border=40", f"pixel_scale={SCALE}")
    assert main(["skymap", "make", str(out), "--discrete", *settings]) == 0
    assert main(["coadd", str(out), "-c", "point_source_image=true"]) == 0
    assert main(["coadd-catalog", str(out), "-c", "merge.priority=[R,B]"]) == 0
    return out


def _positions(table):
    return np.c_[table["coord_ra"] * np.cos(np.deg2rad(2.0)), table["coord_dec"]] * 3600


def test_every_star_is_there_once_with_its_flux(cataloged):
    butler = obs.Butler(cataloged)
    table = butler.get("objectTable", tract=0)
    assert len(np.unique(table["id"])) == len(table)
    assert set(table["patch"]) == {"0,0", "1,0", "0,1", "1,1"}
    ra, dec, magnitude = star_field()
    truth = np.c_[ra * np.cos(np.deg2rad(2.0)), dec] * 3600
    alone = cKDTree(truth).query(truth, 2)[0][:, 1] > 6
    distance, nearest = cKDTree(_positions(table)).query(truth)
    bright = alone & (magnitude < 20.5)
    assert bright.sum() > 10
    assert distance[bright].max() < 0.1
    found = cKDTree(_positions(table)).query_ball_point(truth[bright], 1.0, return_length=True)
    assert (found == 1).all()
    for name in ("R", "B"):
        error = table[f"{name}_base_PsfFlux_magErr"][nearest[bright]]
        pulls = (table[f"{name}_base_PsfFlux_mag"][nearest[bright]] - magnitude[bright]) / np.hypot(error, 0.006)
        assert np.abs(np.median(pulls)) < 1.5
        assert np.std(pulls) < 2.0


def test_the_fits_table_is_the_same(cataloged):
    butler = obs.Butler(cataloged)
    parquet, fits = butler.get("objectTable", tract=0), butler.get("objectCatalog", tract=0)
    assert list(parquet.columns) == list(fits.columns)
    np.testing.assert_array_equal(parquet["id"], fits["id"])


def test_patches_share_their_borders_and_one_of_them_owns_each_object(cataloged):
    butler = obs.Butler(cataloged)
    left, right = (butler.get("deepCoadd_ref", tract=0, patch=patch) for patch in ("0,0", "1,0"))
    pairs = cKDTree(_positions(left)).query(_positions(right), distance_upper_bound=0.3)
    both = np.isfinite(pairs[0]) & (right["parent"] == 0) & (right["deblend_nChild"] == 0)
    assert both.sum() >= 1
    primary = right["detect_isPrimary"][both].astype(int) + left["detect_isPrimary"][pairs[1][both]]
    assert primary.max() == 1


def test_forced_and_free_measurement(cataloged):
    butler = obs.Butler(cataloged)
    key = {"tract": 0, "patch": "0,0"}
    reference = butler.get("deepCoadd_ref", key)
    forced = butler.get("deepCoadd_forced_src", key, filter="B")
    free = butler.get("deepCoadd_src", key, filter="B")
    assert len(reference) == len(forced) == len(free)
    for axis in "xy":
        np.testing.assert_array_equal(forced[f"base_SdssCentroid_{axis}"], reference[f"base_SdssCentroid_{axis}"])
    assert (free["base_SdssCentroid_x"] != reference["base_SdssCentroid_x"]).any()
    assert (reference["merge_measurement_R"] ^ reference["merge_measurement_B"]).all()
    assert reference["merge_peak_R"].any()
    assert (reference["merge_peak_R"] | reference["merge_peak_B"] | reference["merge_peak_sky"]).all()
    np.testing.assert_array_equal(reference["id"], forced["id"])


def test_point_sources_are_measured_at_each_pixel(cataloged):
    butler = obs.Butler(cataloged)
    data_id = {"tract": 0, "patch": "0,0", "filter": "R"}
    score, count = butler.get("deepCoadd_score", data_id), butler.get("deepCoadd_nImage", data_id)
    flux, variance = score.masked_image.image, score.masked_image.variance
    strength = flux / np.sqrt(variance)
    blank = (count == count.max()) & ~butler.get("deepCoadd_calexp", data_id).masked_image.mask.any("DETECTED")
    # sources too faint to be detected widen the noise, and pixels that share it are few
    assert np.std(strength[blank]) == pytest.approx(1.0, abs=0.15)
    ra, dec, magnitude = star_field()
    x, y = score.wcs.sky_to_pixel(ra=ra, dec=dec)
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + 100 * np.eye(len(x))
    good = (x > 20) & (y > 20) & (x < flux.shape[1] - 20) & (y < flux.shape[0] - 20) & (apart.min(axis=1) > 14)
    good &= magnitude < np.median(magnitude)
    assert good.sum() > 3
    place = np.rint(y[good]).astype(int), np.rint(x[good]).astype(int)
    # off the middle of a pixel the filter loses up to some percent
    assert flux[place] / 10 ** (-0.4 * (magnitude[good] - 27)) == pytest.approx(0.97, abs=0.05)


def test_detections_of_each_filter_and_of_all(cataloged):
    butler = obs.Butler(cataloged)
    key = {"tract": 0, "patch": "0,0"}
    single = butler.get("deepCoadd_det", key, filter="R")
    merged = butler.get("deepCoadd_mergeDet", key)
    assert (single["peak_value"] > 1).all()
    assert (single["footprint_area"] > 0).all()
    assert len(np.unique(merged["id"])) == len(merged)
    reference = butler.get("deepCoadd_ref", key)
    whole = reference["parent"] == 0
    assert merged["footprint"].max() == whole.sum()
    places = {tuple(place) for place in zip(merged["peak_x"], merged["peak_y"], strict=True)}
    mine = merged["merge_peak_R"] & ~merged["merge_peak_B"]
    assert {(x, y) for x, y in zip(single["peak_x"], single["peak_y"], strict=True)} <= places
    assert mine.any()
    for name in ("R", "B"):
        assert (merged[f"merge_footprint_{name}"] | ~merged[f"merge_peak_{name}"]).all()
        assert not (merged["merge_peak_sky"] & merged[f"merge_footprint_{name}"]).any()


def test_fluxes_without_aperture_correction_count_what_the_exposures_count(cataloged, tmp_path):
    """One exposure counts nine tenths of the light, which PSF fluxes of the coadd must not exceed by that."""
    shutil.copytree(cataloged.parent, tmp_path / "all", symlinks=True)
    out = tmp_path / "all" / cataloged.name
    off = ("-c", "calibrate.aperture_correction.enabled=false", "merge.priority=[R,B]")
    assert main(["coadd-catalog", str(out), "--id", "patch=0,0", "--clobber-config", *off]) == 0
    key = {"tract": 0, "patch": "0,0", "filter": "B"}
    plain, corrected = (obs.Butler(path).get("deepCoadd_meas", key) for path in (out, cataloged))
    assert "base_PsfFlux_apCorr" not in plain
    bright = corrected["base_PsfFlux_instFlux"] > 50 * corrected["base_PsfFlux_instFluxErr"]
    ratio = (plain["base_PsfFlux_instFlux"] / corrected["base_PsfFlux_instFlux"])[bright]
    assert len(ratio) > 5
    assert abs(np.median(ratio) - 1) < 0.006


def test_blank_sky_has_no_flux_and_is_no_object(cataloged):
    butler = obs.Butler(cataloged)
    pulls = []
    for patch in ("0,0", "1,0", "0,1", "1,1"):
        for name in ("R", "B"):
            forced = butler.get("deepCoadd_forced_src", tract=0, patch=patch, filter=name)
            sky = forced["merge_peak_sky"]
            assert sky.sum() > 3
            assert not forced["detect_isPrimary"][sky].any()
            free = butler.get("deepCoadd_meas", tract=0, patch=patch, filter=name)
            np.testing.assert_array_equal(free["base_SdssCentroid_x"][sky], forced["base_SdssCentroid_x"][sky])
            assert (free["base_SdssCentroid_x"][sky] % 1 == 0).all()
            pulls.append((forced["base_PsfFlux_instFlux"] / forced["base_PsfFlux_instFluxErr"])[sky])
    pulls = np.concatenate(pulls)
    assert abs(np.mean(pulls)) < 5 / np.sqrt(len(pulls))
    assert 0.7 < np.std(pulls) < 1.3
    assert not np.isin(butler.get("objectTable", tract=0)["id"], forced["id"][sky]).any()


def test_other_names_of_datasets(cataloged):
    butler = obs.Butler(cataloged)
    key = {"tract": 0, "patch": "0,0", "filter": "R"}
    assert butler.get("deepCoadd_psf", key).evaluate(x=[100.0], y=[100.0]).sum() == pytest.approx(1, abs=0.02)
    calexp = butler.get("deepCoadd_calexp", key)
    assert calexp.masked_image.mask.any("DETECTED").any()
    assert calexp.photo_calib.zero_point == pytest.approx(27.0)
    table = butler.get("deepCoadd_inputs", key)
    inputs = StackButler(cataloged).get("deepCoadd_calexp", key).getInfo().getCoaddInputs()
    assert [ccd.get("visit") for ccd in inputs.ccds] == list(table["visit"])
    assert sorted(visit.getId() for visit in inputs.visits) == sorted(set(table["visit"]))
    assert float(np.sum(inputs.visits["weight"])) == pytest.approx(1.0)
    assert inputs.ccds[0].getBBox().getWidth() == table["nx"][0]
    middle = inputs.ccds[0].getWcs().pixelToSky(0.5 * table["nx"][0], 0.5 * table["ny"][0])
    ra, dec = calexp.wcs.pixel_to_sky(x=100.0, y=100.0)
    assert middle.angularSeparation(IcrsCoord(float(ra) * degrees, float(dec) * degrees)).asDegrees() < 0.5


def test_catalogs_that_are_newer_stay(cataloged, capsys):
    assert main(["coadd-catalog", str(cataloged), "-c", "merge.priority=[R,B]", "--skip-existing"]) == 0
    assert "4 of 4 patches have catalogs that stay" in capsys.readouterr().err


def test_a_dry_run_prints_patches(cataloged, capsys):
    assert main(["coadd-catalog", str(cataloged), "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 4
    assert printed.err.endswith("4 catalogs\n")


def test_without_coadds(repository, tmp_path, capsys):
    folder = tmp_path / "none"
    shutil.copytree(repository.parent, folder, symlinks=True)
    assert main(["coadd-catalog", str(folder / "out")]) == 1
    assert "has no coadd that fits; make them: obs coadd" in capsys.readouterr().err
