"""Fluxes at given positions, and light curves, against the truth."""

from pathlib import Path

import numpy as np
import pytest
from processed_visits import data_id
from star_frames import VARIABLE, Frames

from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.relative.polynomials import polynomial_terms
from obs.visits.forced import force_image
from obs.visits.light_curve import measure_light_curve

VISITS = range(1, 7)


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return Frames(tmp_path_factory.mktemp("forced") / "repository")


def targets(ra, dec):
    catalog = Catalog()
    catalog.add("objectId", np.arange(len(ra)))
    catalog.add("coord_ra", np.asarray(ra, float), "deg")
    catalog.add("coord_dec", np.asarray(dec, float), "deg")
    return catalog


@pytest.fixture(scope="module")
def fluxes(frames):
    found = [
        force_image(frames.butler, data_id(visit), targets(frames.ra, frames.dec), ForcedConfig()) for visit in VISITS
    ]
    return np.array([part.catalog["base_PsfFlux_instFlux"] for part in found]), np.array(
        [part.catalog["base_PsfFlux_instFluxErr"] for part in found]
    )


def test_pulls_have_unit_width_and_no_bias(frames, fluxes):
    flux, error = fluxes
    pull = (flux - np.array(frames.true)) / error
    n = pull.size
    assert abs(pull.std() - 1.0) < 4 / np.sqrt(2 * n)
    assert abs(pull.mean()) < 4 / np.sqrt(n)
    bright = np.array(frames.true) / error > 50
    bias = np.average(flux[bright] / np.array(frames.true)[bright] - 1.0, weights=1.0 / error[bright] ** 2)
    assert abs(bias) < 4 * np.sqrt(1.0 / np.sum((np.array(frames.true)[bright] / error[bright]) ** 2))


def test_proper_motion_is_followed(frames, fluxes):
    """A position of ten years before, and the motion since."""
    mjd = 60310.0 + 1.0 / 24
    catalog = targets(frames.ra, frames.dec - 0.2 * 10 / 3600)
    for name, rate in (("pm_ra", 0.0), ("pm_dec", 200.0)):
        catalog.add(name, np.full(len(frames.ra), rate), "mas/year")
    catalog.add("epoch", np.full(len(frames.ra), mjd - 3652.5), "d")
    moved = force_image(frames.butler, data_id(1), catalog, ForcedConfig()).catalog
    np.testing.assert_allclose(moved["base_PsfFlux_instFlux"], fluxes[0][0], rtol=1e-4, atol=1.0)
    np.testing.assert_allclose(moved["coord_dec"], frames.dec, atol=1e-8)


def test_nothing_is_there(frames):
    """Between the stars fluxes scatter about zero by their errors, and limits are a few errors above."""
    step = 16.5
    empty = frames.butler.get("calexp_wcs", data_id(1)).pixel_to_sky(x=frames.x[:40] + step, y=frames.y[:40] + step)
    catalog = force_image(frames.butler, data_id(1), targets(*empty), ForcedConfig()).catalog
    flux, error = catalog["base_PsfFlux_instFlux"], catalog["base_PsfFlux_instFluxErr"]
    assert abs((flux / error).std() - 1.0) < 4 / np.sqrt(80)
    assert abs((flux / error).mean()) < 4 / np.sqrt(40)
    limit = (
        10 ** (-0.4 * (catalog["base_PsfFlux_magLimit"]))
        * frames.butler.get("calexp", data_id(1)).photo_calib.flux_mag0
    )
    np.testing.assert_allclose(limit, np.maximum(flux, 0) + 3 * error, rtol=1e-6)
    assert np.isnan(catalog["base_PsfFlux_mag"][flux < 0]).all()


def test_neighbor_is_subtracted(frames):
    """A position 4 pixels from a bright star: three quarters of a per cent of its light is left with subtraction."""
    star = int(np.argmax(frames.flux0))
    sky = frames.butler.get("calexp_wcs", data_id(1)).pixel_to_sky(x=[frames.x[star] + 4.0], y=[frames.y[star]])
    plain = ForcedConfig(subtract_neighbors=False)
    with_it, without = (
        force_image(frames.butler, data_id(1), targets(*sky), config).catalog for config in (plain, ForcedConfig())
    )
    assert with_it["base_PsfFlux_instFlux"][0] > 20 * with_it["base_PsfFlux_instFluxErr"][0]
    assert abs(without["base_PsfFlux_instFlux"][0]) < 4.5 * without["base_PsfFlux_instFluxErr"][0]


def test_light_curve_of_a_variable(frames):
    target = targets(frames.ra[[VARIABLE]], frames.dec[[VARIABLE]])
    curve = measure_light_curve(frames.butler, [data_id(visit) for visit in VISITS], target, ForcedConfig())
    table = curve.table
    truth = np.array([27.0 - 2.5 * np.log10(frames.flux0[VARIABLE] * (1 + 0.4 * np.sin(visit))) for visit in VISITS])
    # zero points of the images are wrong by 30 mmag each; the ensemble makes them agree, but their mean stays
    off = table["magnitude"] - truth
    pull = (off - off.mean()) / table["magnitude_error"]
    assert 0.3 < np.sqrt((pull**2).sum() / 5) < 1.9
    assert np.ptp(table["zero_point_offset"]) > 0.03
    assert np.all(np.diff(table["mjd_mid"]) > 0)
    assert np.all(np.abs(table["bjd_tdb"] - table["mjd_mid"] - 2400000.5) < 0.007)
    assert curve.ensembles["Clear"].constant.sum() >= 25
    assert table.metadata["CALIB"] == "calibration of each calexp alone"


def test_light_curve_follows_proper_motion(frames):
    """A position of ten years before, 2 arcsec away; without its motion the star is not found there."""
    target = targets(frames.ra[[VARIABLE]], frames.dec[[VARIABLE]] - 0.2 * 10 / 3600)
    for name, value, unit in (("pm_ra", 0.0, "mas/yr"), ("pm_dec", 200.0, "mas/yr"), ("epoch", 60310.0 - 3652.5, "d")):
        target.add(name, np.array([value]), unit)
    here = targets(frames.ra[[VARIABLE]], frames.dec[[VARIABLE]])
    ids = [data_id(visit) for visit in VISITS]
    moved, still = (measure_light_curve(frames.butler, ids[:2], t, ForcedConfig()).table for t in (target, here))
    np.testing.assert_allclose(moved["magnitude"], still["magnitude"], atol=1e-3)


def test_star_that_some_images_do_not_show_may_have_moved(tmp_path):
    frames = Frames(tmp_path, visits=3)
    target = targets(frames.ra[[VARIABLE]], frames.dec[[VARIABLE]])
    ids = [data_id(visit) for visit in (1, 2, 3)]
    assert not measure_light_curve(frames.butler, ids, target, ForcedConfig()).warnings
    source = frames.butler.get("src", data_id(3))
    frames.butler.put(source.select(np.arange(len(source)) != VARIABLE), "src", data_id(3))
    warned = measure_light_curve(frames.butler, ids, target, ForcedConfig()).warnings
    assert "no star is found at the position on 1 of 3 images" in warned[0]
    # beside the edge of an image it is not missing there
    beside = frames.butler.get("calexp", data_id(3))
    wcs = beside.wcs
    beside.wcs = TanSipWcs(wcs.crval, (wcs.crpix[0] - frames.x[VARIABLE] - 10.0, wcs.crpix[1]), wcs.cd)
    frames.butler.put(beside, "calexp", data_id(3))
    assert not measure_light_curve(frames.butler, ids, target, ForcedConfig()).warnings


def test_object_that_is_on_no_image(frames):
    assert len(force_image(frames.butler, data_id(1), targets([50.0], [0.0]), ForcedConfig()).catalog) == 0
    assert polynomial_terms(np.empty(0), np.empty(0), 2).shape == (0, 6)
    with pytest.raises(MeasurementError, match="is on none of 6 images; obs where RA,DEC names the images"):
        measure_light_curve(frames.butler, [data_id(visit) for visit in VISITS], targets([50.0], [0.0]), ForcedConfig())


def test_image_without_zero_point_gives_fluxes_only(frames):
    exposure = frames.butler.get("calexp", data_id(1))
    exposure.photo_calib = None
    frames.butler.put(exposure, "calexp", data_id(9))
    try:
        found = force_image(frames.butler, data_id(9), targets(frames.ra, frames.dec), ForcedConfig())
    finally:
        frames.butler.remove("calexp", data_id(9))
    assert np.isnan(found.catalog["base_PsfFlux_mag"]).all()
    assert found.catalog["base_PsfFlux_flag_apCorr"].all()
    assert np.isfinite(found.catalog["base_PsfFlux_instFlux"]).all()


def test_command_writes_tables_and_says_which_calibration(frames, tmp_path, obs):
    table = tmp_path / "stars.csv"
    rows = [f"star {n},{ra:.7f},{dec:.7f}" for n, (ra, dec) in enumerate(zip(frames.ra, frames.dec, strict=True))]
    table.write_text("\n".join(["name,RA,Dec", *rows, ""]))
    status, out, err = obs("forced", frames.butler.output, "--table", table, "--name", "Star7", "--name", "star 8")
    assert status == 0, err
    assert "12 fluxes of 2 positions on 6 images" in out
    assert "calibration: calibration of each calexp alone" in out
    found = frames.butler.get("forced_src", data_id(2), tract=0)
    assert found["objectId"].tolist() == [8, 9]
    assert obs("forced", frames.butler.output, "--table", table, "--name", "Vega")[2].startswith("obs: error: ")


def test_a_dry_run_prints_images_and_measures_none(frames, tmp_path, obs):
    table = tmp_path / "stars.csv"
    table.write_text(f"name,RA,Dec\na,{frames.ra[0]:.7f},{frames.dec[0]:.7f}\n")
    before = sorted(Path(frames.butler.output).rglob("*"))
    words = ("forced", frames.butler.output, "--table", table, "--dry-run")
    status, out, err = obs(*words, "--id", "visit=2^3")
    assert (status, err) == (0, "2 images\n")
    assert [f"visit={n}" in line.split() for n, line in zip((2, 3), out.splitlines(), strict=True)] == [True, True]
    assert sorted(Path(frames.butler.output).rglob("*")) == before


def test_lightcurve_command_formats(frames, tmp_path, obs):
    place = f"{frames.ra[VARIABLE]},{frames.dec[VARIABLE]}"
    common = ("lightcurve", frames.butler.output, "--object", place)
    status, out, err = obs(*common, "--plot", tmp_path / "curve.png")
    assert status == 0, err
    assert len(out.splitlines()) == 7
    assert "comparison stars, which repeat to" in err
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    send = ("--output", tmp_path / "a.txt", "--format", "aavso", "--observer", "XYZ")
    assert "give it with --star NAME" in obs(*common, *send)[2]  # a position is no name
    assert "files that end in .txt" in obs(*common, *send, "--star", "V Tst", "--output", tmp_path / "a.dat")[2]
    status, _, err = obs(*common, *send, "--star", "V Tst")
    assert status == 0, err
    lines = (tmp_path / "a.txt").read_text().splitlines()
    assert lines[:2] == ["#TYPE=EXTENDED", "#OBSCODE=XYZ"]
    assert lines[-1].startswith("V Tst,")
    fields = lines[-1].split(",")
    assert len(fields) == 15
    assert f"Clear: check star {fields[9]}, which is not among the comparison stars" in err
    assert 13 < float(fields[10]) < 25
    obs(*common, "--output", tmp_path / "e.txt", "--format", "etd")
    assert float((tmp_path / "e.txt").read_text().split()[0]) == pytest.approx(2460310.5 + 1 / 24, abs=1e-5)
    status, _, err = obs(*common, "--output", tmp_path / "e.txt", "--format", "etd")
    assert status == 1
    assert "exists already; --clobber replaces it" in err
    assert obs(*common[:-1], "somewhere")[0] == 1
