import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from exposures import CENTER, FWHM, SCALE, SKY_SIGMA, ZERO_POINTS, data_id, make_exposure, star_field
from scipy.signal import fftconvolve
from scipy.spatial import cKDTree

import obs
from obs.coadds.frames import find_frames
from obs.coadds.inputs_table import read_coadd_psf
from obs.coadds.sky_maps import coadd_roots, load_sky_map
from obs.coadds.template import make_template
from obs.errors import MeasurementError

COADD = {"tract": 0, "patch": "0,0", "filter": "R"}


@pytest.fixture(scope="module")
def made(repository, tmp_path_factory):
    """A copy of the repository with the coadd of all four exposures."""
    folder = tmp_path_factory.mktemp("made") / "all"
    shutil.copytree(repository.parent, folder, symlinks=True)
    from obs.cli.main import main  # noqa: PLC0415

    out = folder / "out"
    assert main(["skymap", "make", str(out), "--discrete", "-c", "patch_width=400", "patch_height=400"]) == 0
    assert main(["coadd", str(out)]) == 0
    return out


def _stars(butler):
    """Fluxes on the coadd over true fluxes, and their signal-to-noise ratio, of stars away from others."""
    exposure = butler.get("deepCoadd", COADD)
    psf = read_coadd_psf(butler, **COADD)
    ra, dec, magnitude = star_field()
    x, y = exposure.wcs.sky_to_pixel(ra=ra, dec=dec)
    distance = np.hypot(x[:, None] - x, y[:, None] - y) + 100 * np.eye(len(x))
    alone = distance.min(axis=1) > 14
    pixels = exposure.masked_image
    sky = np.median(pixels.image[(butler.get("deepCoadd_nImage", COADD) > 2) & ~_near_stars(butler)])
    ratios, pulls = [], []
    for stamp, a, b, m in zip(psf.render(x=x[alone], y=y[alone]), x[alone], y[alone], magnitude[alone], strict=True):
        half = stamp.shape[0] // 2
        low, left = round(b) - half, round(a) - half
        place = np.s_[low : low + stamp.shape[0], left : left + stamp.shape[1]]
        norm = float(np.sum(stamp**2))
        flux = float(np.sum(stamp * (pixels.image[place] - sky))) / norm
        error = float(np.sqrt(np.sum(stamp**2 * pixels.variance[place]))) / norm
        truth = 10 ** (-0.4 * (m - 27))
        ratios.append(flux / truth)
        pulls.append((flux - truth) / error)
    return np.array(ratios), np.array(pulls)


def test_fluxes_of_stars_are_true(made):
    ratios, pulls = _stars(obs.Butler(made))
    assert len(ratios) > 15
    bright = np.arange(len(ratios)) < len(ratios) // 3
    assert np.abs(np.median(ratios[bright]) - 1) < 0.004
    assert np.abs(np.mean(pulls[~bright])) < 0.9
    assert 0.6 < np.std(pulls[~bright]) < 1.5


def test_the_trail_is_gone_and_stars_are_not(made):
    butler = obs.Butler(made)
    pixels = butler.get("deepCoadd", COADD).masked_image
    clipped = pixels.mask.any("CLIPPED")
    assert clipped.sum() > 300
    table = butler.get("deepCoadd_inputs", COADD)
    share = table["clipped_share"]
    assert share[1] > 0.01
    assert share[[0, 2, 3]].max() < 0.001
    count = butler.get("deepCoadd_nImage", COADD)
    lit = clipped & (count == 3)
    sigma = np.sqrt(np.median(pixels.variance[count == 4]))
    sky = np.median(pixels.image[(count == 4) & ~_near_stars(butler)])
    assert np.abs(np.median(pixels.image[lit]) - sky) < 0.25 * sigma


def test_noise_and_background(made):
    butler = obs.Butler(made)
    pixels = butler.get("deepCoadd", COADD).masked_image
    count = butler.get("deepCoadd_nImage", COADD)
    table = butler.get("deepCoadd_inputs", COADD)
    weights = table["weight"]
    expected = np.array(SKY_SIGMA) * 10 ** (0.4 * (27 - np.array(ZERO_POINTS)))
    np.testing.assert_allclose(table["sky_sigma"], expected, rtol=0.02)
    np.testing.assert_allclose(
        weights * expected**2 * np.sqrt(FWHM), np.full(4, np.mean(weights * expected**2 * np.sqrt(FWHM))), rtol=0.05
    )
    ideal = np.sqrt(np.sum(weights**2 * expected**2))
    np.testing.assert_allclose(np.sqrt(np.median(pixels.variance[count == 4])), ideal, rtol=0.02)
    # sums over blocks show the noise without the part that resampling moves between neighbors
    sky = (count == 4) & ~_near_stars(butler)
    blocks = [
        pixels.image[row : row + 6, column : column + 6].sum() / 6
        for row in range(0, 390, 6)
        for column in range(0, 390, 6)
        if sky[row : row + 6, column : column + 6].all()
    ]
    assert len(blocks) > 300
    assert np.std(blocks) == pytest.approx(ideal, rel=0.12)
    # the skies, which differ by 0.4 counts from one exposure to the next, agree at the edges of exposures
    edges = [np.median(pixels.image[(count == n) & ~_near_stars(butler)]) for n in (2, 3, 4)]
    assert np.ptp(edges) < 0.35 * ideal


def _near_stars(butler):
    exposure = butler.get("deepCoadd", COADD)
    ra, dec, _ = star_field()
    x, y = exposure.wcs.sky_to_pixel(ra=ra, dec=dec)
    rows, columns = np.indices(exposure.shape)
    near = np.zeros(exposure.shape, bool)
    for a, b in zip(x, y, strict=True):
        near |= np.hypot(columns - a, rows - b) < 12
    return near


def test_the_psf_is_the_weighted_mean_of_those_of_the_exposures(made):
    butler = obs.Butler(made)
    inputs = butler.get("deepCoadd_inputs", COADD)
    psf = read_coadd_psf(butler, **COADD)
    x, y = butler.get("deepCoadd_wcs", COADD).sky_to_pixel(ra=CENTER[0], dec=CENTER[1])
    stamps = [one.psf.model(x=x, y=y)[0] for one in psf._inputs]
    size = max(len(stamp) for stamp in stamps)
    stamps = [np.pad(stamp, (size - len(stamp)) // 2) for stamp in stamps]
    mean = np.average(stamps, axis=0, weights=inputs["weight"])
    np.testing.assert_allclose(psf.model(x=x, y=y)[0], mean, atol=1e-6 * mean.max())


def test_the_files_of_a_coadd(made):
    butler = obs.Butler(made)
    exposure = butler.get("deepCoadd", COADD)
    assert exposure.photo_calib.zero_point == pytest.approx(27.0)
    assert exposure.wcs.pixel_scale == pytest.approx(SCALE, abs=1e-3)
    assert exposure.metadata["NINPUT"] == 4
    assert exposure.metadata["SKYMAP"] == load_sky_map(butler).sha1
    assert butler.get("deepCoadd_inputs", COADD)["visit"].tolist() == [11, 12, 13, 14]
    middle = {"x": [200.0], "y": [200.0]}
    model, mean = exposure.psf.evaluate(**middle)[0], read_coadd_psf(butler, **COADD).evaluate(**middle)[0]
    assert np.sum(model * mean) / np.sum(mean**2) == pytest.approx(1.0, abs=0.01)
    with pytest.raises(MeasurementError, match="no input images at that point"):
        read_coadd_psf(butler, **COADD).evaluate(x=[1.0], y=[1.0])
    assert not list(made.rglob(".warps-*"))


def test_other_programs_get_coadds_with_their_gain_and_depth(made, tmp_path, obs_command, capsys):
    assert obs_command("export", made, tmp_path, "--id", "tract=0", "--for", "swarp") == 0
    assert "SWarp coadd-R-0-0-0.fits" in capsys.readouterr().out  # a comma would end the name
    header, weight = (fits.getdata(tmp_path / f"coadd-R-0-0-0{end}", header=True) for end in (".fits", ".weight.fits"))
    pixels = obs.Butler(made).get("deepCoadd", COADD).masked_image
    whole = obs.Butler(made).get("deepCoadd_nImage", COADD) == 4
    sky = 1 / weight[0][whole & (weight[0] > 0)]
    assert np.std(sky) < 0.03 * np.mean(sky)  # of sources, too
    light = whole & (pixels.image > 20 * np.sqrt(np.mean(sky)))
    slope = np.sum(pixels.variance[light] - np.mean(sky)) / np.sum(pixels.image[light])
    np.testing.assert_allclose(header[1]["GAIN"] * slope, 1, atol=0.05)
    assert 1e4 < header[1]["SATURATE"] < 1e5
    assert weight[0][obs.Butler(made).get("deepCoadd_nImage", COADD) == 2].max() < 0.9 * np.median(1 / sky)
    for program, found in (("ds9", "ds9 -zscale coadd-R-0-0-0.fits\n"), ("scamp", "deepCoadd_meas")):
        obs_command("export", made, tmp_path / program, "--id", "tract=0", "--for", program)
        assert found in "".join(capsys.readouterr())


def test_existing_coadds_stay(made, obs_command, capsys):
    assert obs_command("coadd", made, "--skip-existing") == 0
    assert "1 of 1 coadds were there and stay" in capsys.readouterr().err


def test_another_sky_map_is_refused(made, tmp_path, obs_command, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(made.parent, folder, symlinks=True)
    out = folder / "out"
    settings = ("-c", "patch_width=300", "patch_height=300")
    assert obs_command("skymap", "make", out, "--discrete", *settings) == 1
    assert "has another sky map" in capsys.readouterr().err
    assert obs_command("skymap", "make", out, "--discrete", *settings, "--replace") == 0
    for command in ("coadd", "coadd-catalog", "difference"):
        assert obs_command(command, out) == 1
        said = capsys.readouterr().err
        assert "was made with another sky map" in said
    old = said.split("rm -r ")[1].split()
    assert old
    assert all(Path(name).is_dir() for name in old)
    # an output of its own is not held up by the coadds of its parent, and does not use them
    own = folder / "own"
    assert obs_command("skymap", "make", out, "--output", own, "--discrete", "-c", "patch_width=500", "--replace") == 0
    assert obs_command("coadd-catalog", own) == 1
    assert "has no coadd that fits" in capsys.readouterr().err
    assert obs_command("coadd", own, "--dry-run") == 0
    assert coadd_roots(obs.Butler(outputs=str(own))) == [own]
    assert obs_command("difference", own, "--id", "visit=11") == 1
    assert "to subtract" in capsys.readouterr().err


@pytest.fixture
def obs_command():
    """Run the command line; return its exit status."""
    from obs.cli.main import main  # noqa: PLC0415

    return lambda *words: main([str(word) for word in words])


@pytest.fixture
def own(repository, tmp_path):
    """A copy of the exposures, without sky map."""
    folder = tmp_path / "own"
    shutil.copytree(repository.parent, folder, symlinks=True)
    return folder / "out"


def test_one_exposure_cannot_be_compared(own, obs_command, capsys):
    assert obs_command("skymap", "make", own, "--discrete") == 0
    assert obs_command("coadd", own, "--select-id", "visit=11") == 0
    assert "only one exposure: there is nothing to compare it with" in capsys.readouterr().err


def test_exposures_are_kept_with_one_psf(own, obs_command, capsys):
    assert obs_command("skymap", "make", own, "--discrete", "-c", "patch_width=400", "patch_height=400") == 0
    settings = ("warps=[direct,psfMatched]", "matched_seeing=1.9", "psf_matched_coadd=true")
    assert obs_command("coadd", own, "-c", *settings) == 0
    text = capsys.readouterr().err
    assert re.search("visit=14 .*: no deepCoadd_psfMatchedWarp, because its seeing of 2.00 arcsec", text)
    assert re.search("visit=14 .*: not in deepCoaddPsfMatched, because its seeing of 2.00 arcsec", text)
    butler = obs.Butler(own)
    assert not butler.exists("deepCoadd_psfMatchedWarp", COADD, visit=14)
    assert butler.exists("deepCoadd_directWarp", COADD, visit=14)
    ra, dec, magnitude = star_field()
    shares = {}
    for kind in ("deepCoadd_directWarp", "deepCoadd_psfMatchedWarp"):
        for visit in (11, 13):  # the other has a trail
            exposure = butler.get(kind, COADD, visit=visit)
            pixels, (x, y) = exposure.masked_image, exposure.wcs.sky_to_pixel(ra=ra[:8], dec=dec[:8])
            apart = np.hypot(x[:, None] - x, y[:, None] - y)[~np.eye(8, dtype=bool)].reshape(8, 7).min(axis=1) > 16
            rows, columns = np.indices(pixels.shape)
            distance = np.hypot(rows - y[:, None, None], columns - x[:, None, None])
            empty = pixels.mask.any("NO_DATA")
            good = [star for star in np.flatnonzero(apart) if not empty[distance[star] < 12].any()]
            assert len(good) > 2
            around = (distance[good] > 10) & (distance[good] < 14)
            flat = [pixels.image - np.median(pixels.image[ring]) for ring in around]
            light = np.array(
                [[one[distance[star] < r].sum() for r in (2.5, 10.0)] for one, star in zip(flat, good, strict=True)]
            )
            truth = 10 ** (-0.4 * (magnitude[good] - 27))
            assert light[:, 1].sum() / truth.sum() == pytest.approx(1.0, abs=0.03)
            shares[kind, visit] = light[:, 0].sum() / light[:, 1].sum()
            assert np.isfinite(pixels.image).all()
            model = exposure.psf.evaluate(x=x[:1], y=y[:1])[0]
            middle = np.hypot(*(np.indices(model.shape) - model.shape[0] // 2))
            expected = model[middle < 2.5].sum() / model[middle < 10].sum()
            assert shares[kind, visit] == pytest.approx(expected, abs=0.03)
    coadd = butler.get("deepCoaddPsfMatched", COADD)
    assert coadd.metadata["SEEING"] == pytest.approx(1.9)
    assert coadd.metadata["NINPUT"] == 3
    # the variance holds for PSF fluxes; single pixels scatter by less
    x, y = coadd.wcs.sky_to_pixel(ra=ra, dec=dec)
    rows, columns = np.indices(coadd.masked_image.shape)
    near, _ = cKDTree(np.transpose([x, y])).query(np.transpose([columns.ravel(), rows.ravel()]))
    blank = (near.reshape(rows.shape) > 24) & ~coadd.masked_image.mask.any("NO_DATA")
    image = coadd.masked_image.image
    slope = np.stack([np.ones(image.shape), rows, columns], axis=-1)
    image = image - slope @ np.linalg.lstsq(slope[blank], image[blank], rcond=None)[0]
    ratio = np.where(blank, image / np.sqrt(coadd.masked_image.variance), 0)
    model = coadd.psf.evaluate(x=[0.0], y=[0.0])[0]
    assert ratio[blank].std() < 0.5
    whole = fftconvolve(blank, model**2 / np.sum(model**2), mode="same") > 0.99
    sums = fftconvolve(ratio, model / np.sqrt(np.sum(model**2)), mode="same")[whole]
    assert sums.std() == pytest.approx(1.0, abs=0.15)  # a few hundred independent sums
    direct, matched = ([shares[kind, v] for v in (11, 13)] for kind in dict.fromkeys(name for name, _ in shares))
    assert np.ptp(direct) > 0.04 > 0.015 > np.ptp(matched)


def test_selection_by_condition(own, obs_command, capsys):
    assert obs_command("skymap", "make", own, "--discrete") == 0
    assert obs_command("coadd", own, "--select", "seeing < 1.6 and visit != 13") == 0
    assert obs.Butler(own).get("deepCoadd_inputs", COADD)["visit"].tolist() == [11]
    assert "visit=14" in capsys.readouterr().err
    # a condition with a mistake is not that of the output
    assert obs_command("coadd", own, "--select", "sieing < 1") == 1
    assert "no 'sieing' to select by; did you mean 'seeing'?" in capsys.readouterr().err


def test_exposures_that_cannot_be_used(own, obs_command, capsys):
    butler = obs.Butler(outputs=str(own))
    for index, part in ((0, "photo_calib"), (1, "wcs")):
        exposure = make_exposure(index)
        setattr(exposure, part, None)
        butler.put(exposure, "calexp", data_id(index))
    invalid = butler.path("calexp", data_id(3))
    content = invalid.read_bytes()
    card = re.search(rb"CD1_1   = .{70}", content)
    invalid.write_bytes(content.replace(card[0], b"CD1_1   =                  NaN".ljust(80)))
    assert obs_command("skymap", "make", own, "--discrete") == 0
    assert obs_command("coadd", own) == 0
    text = capsys.readouterr().err
    assert f"{invalid}: its WCS is not used: WCS card CD1_1 is not finite" in text
    assert obs.read_exposure(invalid).psf is not None
    for part in ("zero point", "WCS"):
        assert f"left out, it has no {part}; process it with a reference catalog that covers it" in text
    assert butler.get("deepCoadd_inputs", COADD)["visit"].tolist() == [13]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--id", "tract=1"], "this sky map has the tracts 0 to 0"),
        (["--id", "patch=5,5"], "tract 0 has the patches 0,0 to"),
        (["--id", "patch=0,0", "filter=B"], "no exposure of the filters R reaches patch=0,0 filter=B"),
        (["--select-id", "visit=99"], "has no calibrated exposure that fits"),
        (["--select", "seeing <"], 'cannot read the condition "seeing <" at character 9'),
        (["--dry-run", "--select", "seeing <"], 'cannot read the condition "seeing <" at character 9'),
    ],
)
def test_what_cannot_be_made(own, obs_command, capsys, words, message):
    assert obs_command("skymap", "make", own, "--discrete") == 0
    assert obs_command("coadd", own, *words) == 1
    assert message in capsys.readouterr().err


def test_exposures_that_failed_are_named(own, obs_command, capsys):
    butler = obs.Butler(outputs=str(own))
    for index in (1, 3):
        butler.remove("calexp", data_id(index))
    assert obs_command("skymap", "make", own, "--discrete") == 0
    assert obs_command("coadd", own) == 0
    text = capsys.readouterr().err
    assert "2 exposures failed in obs process, or their calexp is gone" in text
    assert "visit=12" in text
    assert butler.get("deepCoadd_inputs", COADD)["visit"].tolist() == [11, 13]


def test_without_sky_map(own, obs_command, capsys):
    assert obs_command("coadd", own) == 1
    assert "has no sky map; make one: obs skymap make" in capsys.readouterr().err
    small = ("-c", "patch_width=500", "-c", "patch_height=500", "-c", "pixel_scale=0.5")
    assert obs_command("skymap", "make", own, "dodecahedron", *small) == 1
    assert "patches of 500 x 500 pixels, at most 1000000 are made" in capsys.readouterr().err
    assert not obs.Butler(own).exists("deepCoadd_skyMap")


def test_where_a_position_is(made, obs_command, capsys):
    assert obs_command("where", made, f"{CENTER[0]},{CENTER[1]}") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("tract=0 patch=0,0: x=")
    assert len(lines) == 5
    assert obs_command("where", made, "10.0,-80.0") == 1
    assert "neither a tract nor a calibrated exposure" in capsys.readouterr().err


def test_frames_hold_what_their_headers_say(repository):
    frames = find_frames(obs.Butler(repository))
    assert [frame.data_id["visit"] for frame in frames] == [11, 12, 13, 14]
    assert frames[0].holds(*CENTER)
    assert not frames[0].holds(CENTER[0] + 1, CENTER[1])


def test_a_damaged_and_a_strange_exposure_are_named(own, obs_command, capsys):
    """A flipped bit shows by DATASUM alone; noise that the variance does not tell of is rejected, with a line."""
    butler = obs.Butler(outputs=str(own))
    damaged = butler.path("calexp", data_id(1))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0x40
    damaged.write_bytes(content)
    strange = make_exposure(3)
    strange.masked_image.image[:] += 1000 * np.random.default_rng(1).normal(size=strange.shape)
    butler.put(strange, "calexp", data_id(3))
    assert obs_command("skymap", "make", own, "--discrete") == 0
    assert obs_command("coadd", own) == 0
    said = capsys.readouterr().err
    assert re.search(r"visit=12 filter=R ccd=0: left out, it cannot be read: .* do not agree with DATASUM", said)
    assert re.search(r"visit=14 filter=R ccd=0: \d+ % of its values were rejected as artifacts", said)
    assert obs.Butler(own).get("deepCoadd_inputs", COADD)["visit"].tolist() == [11, 13, 14]


def test_a_template_leaves_the_image_itself_out(made):
    butler = obs.Butler(outputs=str(made))
    frame = next(one for one in find_frames(butler) if one.data_id["visit"] == data_id(0)["visit"])
    mag0 = 10 ** (0.4 * ZERO_POINTS[0])
    image = butler.get("calexp", data_id(0)).masked_image
    scatter = []
    for share in (1.0, 0.2):
        template = make_template(butler, frame, "R", mag0, maximum_own_share=share)
        assert (template.own_share > 0.2) == (share == 1.0)
        pixels = template.pixels
        quiet = ~(image.mask.any("DETECTED") | pixels.mask.any_known(["NO_DATA", "CLIPPED"]))
        expected = np.sqrt(image.variance + pixels.variance)
        scatter.append(np.std(((image.image - pixels.image) / expected)[quiet]))
    # noise that both share is subtracted; without it the scatter is that of both, less what resampling smooths
    assert scatter[0] < 0.9 < scatter[1] < 1.03


def test_a_coadd_of_the_image_alone_is_no_template(made, tmp_path):
    out = tmp_path / "all" / "out"
    shutil.copytree(made.parent, tmp_path / "all", symlinks=True)
    from obs.cli.main import main  # noqa: PLC0415

    assert main(["coadd", str(out), "--select-id", f"visit={data_id(0)['visit']}"]) == 0
    butler = obs.Butler(outputs=str(out))
    frame = next(one for one in find_frames(butler) if one.data_id["visit"] == data_id(0)["visit"])
    with pytest.raises(MeasurementError, match="consist of this image alone: process another exposure of the field"):
        make_template(butler, frame, "R", 1e10, maximum_own_share=0.2)
