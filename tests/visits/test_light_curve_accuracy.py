"""Light curves while the seeing changes: apertures, an unresolved star beside the object, a position a bit off."""

import numpy as np
import pytest
from processed_visits import data_id
from star_frames import VARIABLE, Frames

from obs.cli.main import main
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.policy.data_id import format_data_id
from obs.sky_vectors import sky_vectors
from obs.tasks.forced.config import ForcedConfig
from obs.visits.comparison_stars import Detections
from obs.visits.constant_neighbors import Neighbors, settle_fluxes
from obs.visits.forced import force_image
from obs.visits.light_curve import measure_light_curve
from obs.visits.neighbors_of_table import find_neighbors_of_table
from obs.visits.recentering import recenter

VISITS = range(1, 9)
SIGMAS = (1.4, 1.7, 2.0, 2.3, 2.6)
COMPANION = (4.0, 1.5, 1.0)


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blend")
    frames = Frames(folder, visits=8, sigmas=SIGMAS, companion=COMPANION)
    ra, dec = frames.wcs.pixel_to_sky(x=frames.x[VARIABLE] + COMPANION[0], y=frames.y[VARIABLE] + COMPANION[1])
    magnitude = 27.0 - 2.5 * np.log10(frames.flux0[VARIABLE] * COMPANION[2]) + 0.1  # catalogs are not exact
    rows = [f"{float(ra):.8f},{float(dec):.8f},{magnitude:.3f}"]
    rows += [
        f"{a:.8f},{d:.8f},{27 - 2.5 * np.log10(f):.3f}"
        for a, d, f in zip(frames.ra, frames.dec, frames.flux0, strict=True)
    ]
    (folder / "stars.csv").write_text("\n".join(["ra,dec,r", *rows, ""]))
    assert main(["ingest-refcat", str(folder / "data"), "stars", str(folder / "stars.csv")]) == 0
    return frames


def target_of(frames, star, shift=0.0):
    target = Catalog()
    target.add("objectId", np.array([1]))
    target.add("coord_ra", frames.ra[[star]] + shift / np.cos(np.radians(frames.dec[star])), "deg")
    target.add("coord_dec", frames.dec[[star]], "deg")
    return target


def curve_of(frames, star, flux=None, shift=0.0, check=None, **settings):
    target, images = target_of(frames, star, shift), [data_id(visit) for visit in VISITS]
    return measure_light_curve(frames.butler, images, target, ForcedConfig(**settings), flux=flux, check=check)


def pulls(frames, curve, star):
    zero = np.array(frames.zero_points)
    off = curve.table["magnitude"] - (zero - 2.5 * np.log10(np.array(frames.true)[:, star]))
    return (off - off.mean()) / curve.table["magnitude_error"]


@pytest.mark.parametrize(
    "flux", [None, "base_PsfFlux", "base_CircularApertureFlux_3_0", "base_SeeingApertureFlux_0_75"]
)
def test_seeing_does_not_change_a_star(frames, flux):
    """The zero point of an aperture flux is that of the same aperture on the comparison stars."""
    star = int(np.argsort(frames.flux0)[-5])
    curve = curve_of(frames, star, flux)
    assert not curve.warnings
    assert 0.3 < np.sqrt((pulls(frames, curve, star) ** 2).sum() / (len(VISITS) - 1)) < 1.9
    ensemble = curve.ensembles["Clear"]
    bright = ensemble.star_error < 0.03
    ratio = ensemble.star_scatter[bright] / ensemble.star_error[bright]
    assert abs(np.median(ratio) - 1.0) < 4 / np.sqrt(2 * len(VISITS) * bright.sum()) + 0.05


def test_the_check_star_that_the_user_chooses(frames):
    star, check = np.argsort(frames.flux0)[[-5, -9]].tolist()
    curve = curve_of(frames, star, "base_PsfFlux", check=target_of(frames, check))
    ra, dec = curve.check["Clear"]
    assert np.hypot(ra - frames.ra[check], dec - frames.dec[check]) < 1e-4
    assert np.hypot(*(curve.comparison["Clear"][f"coord_{k}"] - v for k, v in (("ra", ra), ("dec", dec)))).min() > 1e-4
    truth = np.array(frames.zero_points) - 2.5 * np.log10(np.array(frames.true)[:, check])
    assert np.ptp(curve.table["check_magnitude"]) < 0.1
    np.testing.assert_allclose(curve.table["check_magnitude"], truth, atol=0.1)
    with pytest.raises(MeasurementError, match="the check star is the object itself"):
        curve_of(frames, star, "base_PsfFlux", check=target_of(frames, star))


def test_star_that_only_the_reference_catalog_shows(frames):
    """A star at 0.7 to 1.3 FWHM as bright as it: what it adds to the flux changes with the seeing."""
    alone = curve_of(frames, VARIABLE, "base_PsfFlux", reference_neighbors=False)
    together = curve_of(frames, VARIABLE, "base_PsfFlux")
    chosen = curve_of(frames, VARIABLE, reference_neighbors=False, seeing_apertures=[1.5])
    assert chosen.fluxes["Clear"] == "base_PsfFlux"
    for curve in (alone, chosen):
        assert "mag more light of the object than base_PsfFlux: a star that no image separates" in curve.warnings[0]
    width = np.sqrt(len(VISITS) - 1)
    assert np.sqrt((pulls(frames, alone, VARIABLE) ** 2).sum()) / width > 3.0
    assert np.sqrt((pulls(frames, together, VARIABLE) ** 2).sum()) / width < 1.9


def test_star_that_the_sharp_images_show(tmp_path):
    """Where the seeing is poor, a star beside the object is not seen; sharp images tell its constant light.

    The object is found on the way to that star in poor seeing, and is measured at the position given all the same.
    """
    away, share = (3.0, 1.0), 0.5
    frames = Frames(tmp_path, visits=8, sigmas=SIGMAS, companion=(*away, share))
    for visit in VISITS:
        source, sigma = frames.butler.get("src", data_id(visit)), SIGMAS[visit % len(SIGMAS)]
        if sigma >= 2.0:
            for axis, step in zip("xy", away, strict=True):
                source[f"base_SdssCentroid_{axis}"][VARIABLE] += step * share / (1.0 + share)
            frames.butler.put(source, "src", data_id(visit))
        if sigma < 2.1:
            noise = np.random.default_rng(visit).normal(0, 0.03, 3)
            flux = share * frames.flux0[VARIABLE] * 10 ** (0.4 * (frames.zero_points[visit - 1] - 27)) * (1 + noise[2])
            changed = {
                "base_SdssCentroid_x": frames.x[VARIABLE] + away[0] + noise[0],
                "base_SdssCentroid_y": frames.y[VARIABLE] + away[1] + noise[1],
                "base_PsfFlux_instFlux": flux,
            }
            more = Catalog()
            for name, column in source.columns.items():
                value = changed.get(name, column.data[VARIABLE])
                more.add(name, np.append(column.data, np.asarray([value], column.data.dtype)), column.unit)
            frames.butler.put(more, "src", data_id(visit))
    anew, held = (curve_of(frames, VARIABLE, "base_PsfFlux", hold_neighbors=hold) for hold in (False, True))
    width = np.sqrt(len(VISITS) - 1)
    assert np.sqrt((pulls(frames, anew, VARIABLE) ** 2).sum()) / width > 2.5
    assert np.sqrt((pulls(frames, held, VARIABLE) ** 2).sum()) / width < 1.5
    for curve in (anew, held):
        assert curve.notes[0].startswith(
            "measured at the position given: none of 8 images separates the object from a star 1.3 arcsec away"
        )
    assert held.notes[1].startswith("Clear: 1 star beside the object with one flux for all images")
    check_the_same_star_in_a_table(frames)


def check_the_same_star_in_a_table(frames):
    """What sharp images show of a star beside a position holds on all; without it, poor ones are flagged."""
    target, images = target_of(frames, VARIABLE), [data_id(visit) for visit in VISITS]
    beside = find_neighbors_of_table(frames.butler, images, target, ForcedConfig())
    assert len(beside["Clear"]) == 1
    truth = np.array(frames.true)[:, VARIABLE]
    blended, off = [], []
    for neighbors in (None, beside["Clear"]):
        found = [force_image(frames.butler, one, target, ForcedConfig(), neighbors=neighbors).catalog for one in images]
        flux, error, flag = (np.array([part[f"base_PsfFlux_{name}"][0] for part in found])
                             for name in ("instFlux", "instFluxErr", "flag_blended"))  # fmt: skip
        blended.append(flag.tolist())
        off.append(np.sqrt(np.mean(((flux - truth) / np.hypot(error, 0.03 * flux)) ** 2)))
    assert off[0] > 3.0
    assert off[1] < 1.9
    assert blended == [[SIGMAS[visit % len(SIGMAS)] >= 2.0 for visit in VISITS], [False] * len(VISITS)]


@pytest.mark.parametrize(
    ("light", "seeing", "found"),
    [
        (0.01, [3.0] * 6, 0.6),  # too faint to pull the place of the object
        (0.8, [3.0, 2.9, 6.0, 6.5, 7.0, 7.0], 0.6),  # two images show the object alone
        (0.8, [5.0, 5.5, 6.0, 6.5, 7.0, 7.0], 0.0),
        (0.0, [5.0, 5.5, 6.0, 6.5, 7.0, 7.0], 0.6),
    ],
)
def test_images_that_show_the_object_with_a_star_beside_it_do_not_move_it(light, seeing, found):
    """The position given is off by 0.6 arcsec; a star of some share of the light is 6 arcsec from the object."""

    def place(offset):
        return sky_vectors(np.array([20.0 + offset / 3600.0]), np.zeros(1))

    def image(fwhm):
        seen = 0.6 if 1.5 * fwhm < 6.0 else 0.6 + 6.0 * light / (1.0 + light)
        flux, bright = np.array([1.0 + light * (seen > 0.6)]), np.ones(1, bool)
        return Detections(
            place(seen), flux, 0.01 * flux, bright, np.radians(fwhm / 3600.0), place(0.0)[0], 0.01, 60000.0
        )

    target = Catalog()
    target.add("coord_ra", np.array([20.0]), "deg")
    target.add("coord_dec", np.array([0.0]), "deg")
    beside = Neighbors(place(6.6)[: light > 0], np.array([light])[: light > 0], np.zeros(1)[: light > 0])
    moved, note = recenter(target, [(image(fwhm), beside) for fwhm in seeing], ForcedConfig())
    assert abs(3600.0 * (moved["coord_ra"][0] - 20.0) - found) < 1e-6
    if found:
        assert f"{found:.2f} arcsec from the position given" in note
        assert ("on the 2 of 6 images that separate it from a star 6.6 arcsec away" in note) == (
            seeing[0] == 3.0 and light == 0.8
        )
    else:
        assert "none of 6 images separates the object from a star 6.6 arcsec away" in note


def test_neighbors_that_vary_are_told_from_those_that_do_not():
    random = np.random.default_rng(1)
    true, error = np.array([1.0, 1.0, 0.2, 0.5]), np.full((12, 4), 0.05)
    flux = true + random.normal(0.0, 0.05, (12, 4))
    flux[:, 1] += 0.4 * np.sin(np.arange(12))
    flux[3, 0] = np.nan  # off the image
    flux[:, 3] = np.nan  # off all images
    places = np.tile([1.0, 0.0, 0.0], (4, 1))
    before = Neighbors(places, np.array([9.0, 9.0, 0.21, 0.5]), np.array([900.0, 900.0, 0.01, 0.1]))
    settled, varies = settle_fluxes(before, flux, error)
    assert varies.tolist() == [False, True, False, False]
    assert abs(settled.flux[0] - 1.0) < 4 * settled.error[0]
    np.testing.assert_allclose(settled.error[[0, 2, 3]], [0.05 / np.sqrt(11), (12 / 0.05**2 + 1e4) ** -0.5, 0.1])
    assert settled.error[1] > 10 * settled.flux[1]


def test_position_that_is_a_bit_off(frames):
    star = int(np.argmax(frames.flux0))
    shift = 0.2 / 3600.0  # half a pixel
    moved, kept = (
        curve_of(frames, star, "base_PsfFlux", shift),
        curve_of(frames, star, "base_PsfFlux", shift, recenter=0),
    )
    assert "measured at" in moved.notes[0]
    assert "0.20 arcsec from the position given" in moved.notes[0]
    assert not any("measured at" in note for note in kept.notes)
    here = curve_of(frames, star, "base_PsfFlux")
    np.testing.assert_allclose(moved.table["magnitude"], here.table["magnitude"], atol=0.002)
    # half a pixel costs 2 % of the light at the best seeing, and less at the worst
    assert np.ptp(kept.table["magnitude"] - here.table["magnitude"]) > 0.01


def test_images_without_a_zero_point_are_named(frames, monkeypatch):
    read = frames.butler.get

    def get(name, *args, **keys):
        found = read(name, *args, **keys)
        if name == "calexp" and args[0] == data_id(2):
            found.photo_calib = None
        return found

    monkeypatch.setattr(frames.butler, "get", get)
    curve = measure_light_curve(
        frames.butler, [data_id(1), data_id(2)], target_of(frames, VARIABLE), ForcedConfig(), flux="base_PsfFlux"
    )
    assert np.isfinite(curve.table["magnitude"]).tolist() == [True, False]
    assert f"1 image without a zero point, so without a magnitude: {format_data_id(data_id(2))};" in curve.warnings[0]


def test_filter_in_which_no_image_has_a_zero_point(frames, monkeypatch):
    read = frames.butler.get

    def get(name, *args, **keys):
        found = read(name, *args, **keys)
        if name == "calexp":
            found.photo_calib = None
        return None if name.startswith("calexp_photoCalib") else found

    monkeypatch.setattr(frames.butler, "get", get)
    star = int(np.argmax(frames.flux0))
    images = [data_id(visit) for visit in VISITS]
    curve = measure_light_curve(frames.butler, images, target_of(frames, star), ForcedConfig())
    assert curve.instrumental == {"Clear"}
    assert "magnitudes are instrumental, 25 for 1 count per second, and show changes only" in curve.warnings[0]
    assert curve.table.columns["magnitude"].description.startswith("instrumental magnitude, differential")
    assert not any("without a magnitude" in warning for warning in curve.warnings)
    magnitude, error = curve.table["magnitude"], curve.table["magnitude_error"]
    assert (np.abs(magnitude - np.average(magnitude, weights=error**-2)) < 4 * error).all()
    assert np.ptp(curve.table["zero_point_offset"]) > 20 * error.max()  # the sky changed more than the star
    exposure_time = curve.table["exposure_time"]
    expected = 25.0 - 2.5 * np.log10(curve.table["flux"] / exposure_time) + curve.table["zero_point_offset"]
    np.testing.assert_allclose(magnitude - expected, (magnitude - expected)[0], atol=1e-9)
