"""Simulated nights get their true reason, and a good night none."""

from collections import Counter

import numpy as np
import pytest

from obs.metrics.double_peak import measure_dip
from obs.metrics.gates import load_gates
from obs.metrics.verdict import judge
from synthetic_night import mosaic, night

MOON = {"moon_altitude": 50.0, "moon_phase": 95.0, "moon_separation": 40.0, "moon_sky": 2.2}
LATE = 14
CASES = {
    "moonlight": lambda: {"sky": 18.8, **MOON},
    "cloud": lambda: {"clear": 0.4, "astrom_scatter": 200.0, "zp_trend": 0.12, "zp_trend_error": 0.04},
    "moonlit cloud": lambda: {"clear": 0.4, "sky": 19.0, **MOON, "moon_sky": 1.0},
    "out of focus": lambda: {"seeing": 4.5, "psf_concentration": 0.7},
    "seeing": lambda: {"seeing": 2.2},
    "trailed": lambda: {"e": 0.4},
    "shutter": lambda: {
        "amp_dead": 1,
        "details": {"amplifiers": [["A", 0, 0, 0], ["B", 0, 0, 0]], "dark_parts": {"A": 0.5, "B": 0.5}},
    },
    "no light": lambda: {"light": 1e-4, "n_stars": 0, "zero_point": None, "zero_point_rate": None, "depth": None},
    "dead amplifier": lambda: {"amp_dead": 1, "masked": 25.0, "details": {"dead_amplifiers": ["B"]}},
    "dome": lambda: {"clear": 0.4, "sky": 22.5, "sky_gradient": 60.0},
    "twilight": lambda: {
        "sky": 18.5,
        "sun_altitude": -10.0,
        "psf_minus_aperture": 0.2,
        "psf_minus_aperture_error": 0.1,
    },
    "bright sky": lambda: {"sky": 19.3},
    "failed": lambda: {"status": "failed", "error": "MeasurementError: no good pixels"},
    "noise": lambda: {"details": {"overscan": [["A", 1000.0, 5.0], ["B", 1000.0, 12.0]]}},
    "read in light": lambda: {"streaks": 6.0, "n_streaks": 3, "details": {"streaks_along": "columns"}},
    "saturated": lambda: {
        "status": "failed",
        "error": "MeasurementError: no pixel of detector 'n1' can be used: BAD 100 %, SAT 100 %; nothing to process",
        "sky_rate": None,
    },
    "pointing": lambda: {"pointing_error": 900.0, "pointing_share": 1.5},
    "binning": lambda: {"scale_ratio": 2.0001, "amp_dead": 2, "masked": 75.0, "details": {"dead_amplifiers": ["A"]}},
    "scale": lambda: {"scale_ratio": 0.9},
    "hot pixels": lambda: {"cosmic_rays": 60.0, "cosmic_rays_single": 41.0},
}


FOUR = [[name, 0, 0, 0] for name in "ABCD"]
OTHERS = {
    "light far from the stars": ("haze", {"clear": 0.4, "halo": 20.0, "halo_error": 1.0}),
    "light far from stars that are drawn out": ("trailed", {"e": 0.1, "halo": 20.0, "halo_error": 1.0}),
    "a focus that is a little off": ("out of focus", {"seeing": 2.4, "psf_concentration": 0.93}),
    "a part that is dark": ("shutter", {"sky_bimodal": 100.3}),
    "a part that is dark, and most of the detector": ("shutter", {"sky": 33.0, "n_stars": 150}),
    "long stars with two peaks": ("tracking jump", {"e": 0.4, "psf_dip": 0.5}),
    "long stars with a companion each": ("tracking jump", {"e": 0.4, "double_images": 80.0}),
    "faint companions": ("tracking jump", {"clear": 0.6, "double_images": 96.0}),
    "long stars whose PSF fluxes change over the detector": (
        "tracking jump",
        {"e": 0.4, "psf_dip": 0.5, "psf_trend": 0.4, "psf_trend_error": 0.01},
    ),
    "a half that ends between amplifiers": (
        "shutter",
        {"amp_dead": 2, "details": {"amplifiers": FOUR, "dead_amplifiers": ["A", "B"]}},
    ),
    "a part that ends within an amplifier": (
        "shutter",
        {"amp_dead": 1.3, "details": {"amplifiers": FOUR, "dead_amplifiers": ["A"], "dark_parts": {"B": 0.3}}},
    ),
    "one amplifier of four": (
        "dead amplifier",
        {"amp_dead": 1, "details": {"amplifiers": FOUR, "dead_amplifiers": ["A"]}},
    ),
    "a dome that covers most": (
        "dome",
        {"sky": 21.8, "sky_gradient": 120.0, "zero_point": None, "zero_point_rate": None, "zp_n_stars": 0},
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_frames_that_look_like_others_get_their_own_cause(case):
    name, change = OTHERS[case]
    verdict = judge(night(10, change=lambda i: change if i == 9 else {}), load_gates())[9]
    assert [cause.name for cause in verdict.causes] == [name], verdict.text
    assert verdict.level == ("look" if case == "a focus that is a little off" else "bad")


@pytest.mark.parametrize(("error", "level"), [(0.4, "good"), (0.02, "look")])
def test_a_few_hits_are_chance(error, level):
    def change(i):
        return {"cosmic_rays": 0.5 if i == 9 else 0.06, "cosmic_rays_error": error if i == 9 else 0.05}

    assert judge(night(10, change=change), load_gates())[9].level == level


def test_light_and_shadow_on_a_small_part_of_the_sky_are_told_apart():
    spots = {7: {"sky_spot": 8.0}, 8: {"sky_spot": -9.0}, 9: {"sky_spot": 6.0, "streaks": 8.0, "cosmic_rays": 60.0}}
    rows = night(12, change=lambda i: {"sky_spot": 0.5} | spots.get(i, {}))
    verdicts = judge(rows, load_gates())
    assert [verdict.level for verdict in verdicts] == ["good"] * 7 + ["look"] * 3 + ["good"] * 2
    assert "8 % brighter than the rest: ghost, stray light" in verdicts[7].text
    assert "9 % fainter than the rest: dome or vignetting" in verdicts[8].text
    assert [cause.name for cause in verdicts[9].causes] == ["streaks"]


def test_light_that_fades_step_by_step_is_dew_and_a_cloud_is_not():
    fading = night(14, change=lambda i: {"clear": 0.95 ** max(i - 5, 0), "airmass": 1.2 + 0.01 * i})
    verdicts = judge(fading, load_gates())
    assert [[cause.name for cause in verdict.causes] for verdict in verdicts[9:]] == [["dew"]] * 5
    assert "of the light lost, step by step over eight frames" in verdicts[13].text
    clouds = night(14, change=lambda i: {"clear": 0.65} if i > 10 else {})
    assert {cause.name for verdict in judge(clouds, load_gates()) for cause in verdict.causes} == {"cloud"}
    sinking = night(14, change=lambda i: {"clear": 0.95 ** max(i - 5, 0), "airmass": 1.2 + 0.1 * i})
    assert "dew" not in {cause.name for verdict in judge(sinking, load_gates()) for cause in verdict.causes}


def test_wind_shows_against_the_other_frames():
    """An ellipticity that is usual for the telescope is good, in this direction only."""
    rows = night(12, change=lambda i: {"e": 0.1 + 0.005 * (i % 3)} | ({"star_angle": 110.0} if i == 9 else {}))
    verdicts = judge(rows, load_gates())
    assert [verdict.level for verdict in verdicts] == ["good"] * 9 + ["look"] + ["good"] * 2
    assert verdicts[9].text.startswith("wind or guiding: the ellipticity that all stars share is 0.21 off")


def test_a_detector_that_left_the_others_of_its_visit_is_no_cloud():
    rows = mosaic(10, ["a", "b", "c", "d", "e"])
    for row in rows:
        row["zero_point_rate"] += 0.3 * row["ccd"]  # what detectors differ by always
        if (row["visit"], row["ccd"]) == (7, 3):
            row["zero_point_rate"] -= 0.4
        elif row["visit"] == 9:  # cloud that is thicker over some detectors
            row["zero_point_rate"] -= 0.7 + 0.1 * row["ccd"]
    verdicts = dict(zip([(row["visit"], row["ccd"]) for row in rows], judge(rows, load_gates()), strict=True))
    bad = {key: [cause.name for cause in verdict.causes] for key, verdict in verdicts.items() if verdict.causes}
    assert bad.pop((7, 3)) == ["response"]
    assert "the detectors of the visit by -0.40 mag" in verdicts[7, 3].text
    assert bad == {(9, ccd): ["cloud"] for ccd in range(5)}


@pytest.mark.parametrize(("stars", "level"), [(9, "good"), (80, "look")])
def test_the_scatter_of_a_few_stars_is_chance(stars, level):
    few = {"zp_scatter": 0.05, "zp_n_stars": stars}
    assert judge(night(10, change=lambda i: few if i == 9 else {}), load_gates())[9].level == level


@pytest.mark.parametrize(("usual", "level"), [(2.05, "good"), (3.0, "look")])
def test_a_camera_near_a_limit_does_not_fail_by_chance(usual, level):
    rows = night(10, change=lambda i: {"fwhm": 1.9 if i == 9 else usual})
    assert judge(rows, load_gates())[9].level == level


def test_a_field_that_other_frames_do_not_have():
    error = "MeasurementError: no astrometry: the 60 sources match nothing among 327 reference sources"
    lost = {"status": "failed", "error": error, "astrom_matched": None, "zero_point_rate": None, "stars_expected": None}
    verdicts = judge(night(12, change=lambda i: lost if i == 4 else {}), load_gates())
    assert (verdicts[4].level, [cause.name for cause in verdicts[4].causes]) == ("failed", ["wrong field"])
    assert "60 sources match nothing there, and those of 11 other frames do" in verdicts[4].text
    trailed = judge(night(12, change=lambda i: lost | {"e": 0.5} if i == 4 else {}), load_gates())[4]
    assert [cause.name for cause in trailed.causes] == ["failed", "trailed"]
    # a catalog that fits no frame is no fault of the telescope
    assert [cause.name for cause in judge(night(12, change=lambda i: lost), load_gates())[4].causes] == ["failed"]


def test_a_frame_out_of_focus_before_the_dew_is_no_part_of_it():
    def change(i):
        lost = max(i - 6, 0)
        return {"clear": 0.93**lost, "halo": 0.4 + 3.0 * lost} | ({"seeing": 4.5} if i == 6 else {})

    verdicts = judge(night(15, change=change), load_gates())
    assert [verdict.causes[0].name for verdict in (verdicts[6], verdicts[14])] == ["out of focus", "dew"]


def test_a_dip_is_one_of_two_peaks():
    y, x = np.indices((31, 31)) - 15.0

    def star(dx):
        return np.exp(-((x - 0.8 * dx) ** 2 + (y - 0.6 * dx) ** 2) / 2 / 1.4**2)

    assert measure_dip(star(0.0)) < 0.01
    assert measure_dip(sum(star(d) for d in np.linspace(-4, 4, 40))) < 0.05
    assert 0.3 < measure_dip(0.6 * star(-3.0) + 0.4 * star(3.0)) < 0.7
    assert measure_dip(np.zeros((5, 5))) == 0.0


@pytest.mark.parametrize("name", CASES)
def test_frames_get_their_true_cause(name):
    quiet = {"details": {"overscan": [["A", 1000.0, 5.0], ["B", 1000.0, 5.0]]}}
    rows = night(change=lambda i: CASES[name]() if i >= LATE else quiet)
    verdicts = judge(rows, load_gates())
    assert [verdict.level for verdict in verdicts[:LATE]].count("good") >= LATE - 1
    for verdict in verdicts[LATE:]:
        assert verdict.causes[0].name == name, verdict.text
        assert verdict.causes[0].remedy


def test_a_frame_that_is_too_bright_to_be_measured_is_in_twilight():
    none = {"sky_rate": None, "zero_point_rate": None, "depth": None, "sun_altitude": -4.0}
    rows = night(6, change=lambda i: CASES["failed"]() | none if i == 0 else {})
    verdict = judge(rows, load_gates())[0]
    assert [cause.name for cause in verdict.causes[:2]] == ["twilight", "failed"]
    assert verdict.level == "failed"
    rows[0]["error"] = "DatasetNotFoundError: no flat"
    assert judge(rows, load_gates())[0].causes[0].name == "failed"


def test_what_belongs_to_the_camera_is_not_held_against_its_frames():
    moments = {"psf_size_residual": 0.2, "psf_e1_residual": 0.05, "psf_concentration": 0.8}
    rows = night(6, change=lambda i: {"fwhm": 1.5, **moments})
    verdicts = judge(rows, load_gates())
    assert {verdict.level for verdict in verdicts} == {"good"}
    assert "is usual for this camera" in verdicts[0].without["fwhm"]
    assert "FWHM of 1.50 pixel is below 2" in verdicts[0].without["psf_size_residual"]
    # where stars are wide, the same values are faults, unless they are of few stars
    assert {verdict.level for verdict in judge(night(6, change=lambda i: moments), load_gates())} == {"look"}
    few = {"psf_size_residual": 0.04, "psf_size_scatter": 0.02, "n_psf_reserved": 2}
    assert judge(night(6, change=lambda i: few), load_gates())[0].level == "good"
    many = few | {"n_psf_reserved": 200}
    assert judge(night(6, change=lambda i: many), load_gates())[0].level == "look"
    # one undersampled frame in a night of others is a fault of its own
    odd = judge(night(6, change=lambda i: {"fwhm": 1.5} if i == 5 else {}), load_gates())[5]
    assert odd.causes[0].name == "fwhm"


@pytest.mark.parametrize(("degrees", "level"), [(0.3, "look"), (31.0, "good")])
def test_the_sky_of_a_wide_field_changes_by_itself(degrees, level):
    rows = night(6, change=lambda i: {"sky_gradient": 30.0, "field_size": degrees})
    assert {verdict.level for verdict in judge(rows, load_gates())} == {level}


def test_what_the_pipeline_said_is_the_remedy():
    said = "no zero point: the reference catalog has no flux 'V_flux' (it has VT_flux); add that band to the catalog"
    rows = night(6, change=lambda i: {"zp_n_stars": 0, "details": {"warnings": ["something else", said]}})
    cause = judge(rows, load_gates())[0].causes[0]
    assert (cause.name, cause.remedy) == ("zp_n_stars", said.removeprefix("no zero point: "))


def test_a_good_night_has_few_frames_to_look_at():
    verdicts = [verdict for seed in range(10) for verdict in judge(night(40, seed), load_gates())]
    levels = Counter(verdict.level for verdict in verdicts)
    assert levels["look"] <= 0.05 * len(verdicts)
    assert set(levels) <= {"good", "look"}


def test_gates_without_enough_frames_say_so():
    verdict = judge(night(2), load_gates())[0]
    assert verdict.level == "good"
    assert "fewer than 4 frames of the night, and no history" in verdict.without["seeing"]


def test_history_shows_what_a_bad_night_hides():
    history = night(20, seed=3)
    rows = [row | {"mjd": row["mjd"] + 3} for row in night(6, change=lambda i: {"clear": 0.3}, first=100)]
    assert all(verdict.level == "good" for verdict in judge([dict(row) for row in rows], load_gates()))
    verdicts = judge(rows, load_gates(), history)
    assert {verdict.causes[0].name for verdict in verdicts} == {"cloud"}
    assert "70 %" in verdicts[0].text or "71 %" in verdicts[0].text or "69 %" in verdicts[0].text


def test_gates_of_a_file_win_and_faults_name_file_and_line(tmp_path):
    path = tmp_path / "gates.yaml"
    path.write_text("date: 2026-01-02\ngates:\n  seeing: {compare: above, look: 1.0, bad: 2.0}\n")
    gates = load_gates(file=path)
    assert gates.date == "2026-01-02"
    assert judge(night(5), gates)[0].causes[0].text.startswith("poor seeing 1.")
    path.write_text("gates:\n  seing: {look: 1.0}\n")
    with pytest.raises(ValueError, match=r"gates.yaml:2: there is no metric 'seing'; did you mean 'seeing'"):
        load_gates(file=path)
    path.write_text("gates:\n  seeing: {look: high}\n")
    with pytest.raises(ValueError, match="seeing: look is a number, not 'high'"):
        load_gates(file=path)


def test_frames_without_a_scale_are_compared_in_pixels():
    rows = night(12, change=lambda i: {"seeing": 4.5} if i > 9 else {})
    for row in rows:
        row["seeing"] = None
    verdicts = judge(rows, load_gates())
    assert [verdict.level for verdict in verdicts[:10]] == ["good"] * 10
    assert verdicts[11].causes[0].text.startswith("out of focus: FWHM / usual")


def test_a_halo_that_grows_is_dew_though_the_seeing_stays():
    rows = night(12, change=lambda i: {"clear": 0.9 ** max(i - 3, 0), "halo": 1.0 + 2.5 * max(i - 3, 0)})
    last = judge(rows, load_gates())[8:]
    assert [[cause.name for cause in verdict.causes] for verdict in last] == [["dew"]] * 4
    assert "beyond the aperture grew to 21 %" in last[-1].text


def test_wide_stars_of_the_usual_profile_are_seeing_and_others_focus():
    rows = night(12, change=lambda i: [{}, {"seeing": 3.2}, {"seeing": 3.2, "psf_concentration": 0.9}][max(i - 9, 0)])
    assert [verdict.causes[0].name for verdict in judge(rows, load_gates())[10:]] == ["seeing", "out of focus"]


def test_patchy_cloud_a_dome_that_leaves_few_stars_and_frost_are_one_cause_each():
    patchy = {"clear": 0.6, "zp_trend": 0.5, "zp_trend_error": 0.05}
    covered = {"sky_gradient": 90.0, "n_stars": 40, "zp_trend": None, "streaks": 5.0}
    frosted = {"sky_gradient": 30.0, "zp_scatter": 0.1, "streaks": 4.0}
    rows = night(13, change=lambda i: [{}, patchy, covered, frosted][max(i - 9, 0)])
    causes = [[cause.name for cause in verdict.causes] for verdict in judge(rows, load_gates())[10:]]
    assert causes == [["cloud"], ["dome"], ["flat"]]


def test_dew_is_told_from_cloud():
    rows = night(12, change=lambda i: {"clear": 0.93 ** max(i - 3, 0), "seeing": 1.5 * 1.1 ** max(i - 3, 0)})
    assert {verdict.causes[0].name for verdict in judge(rows, load_gates())[8:]} == {"dew"}


def test_a_field_without_faint_sources_is_worth_what_is_predicted():
    rows = night(9, change=lambda i: {"clear": 0.5} if i == 8 else {})
    for row in rows:
        row["depth_predicted"], row["depth"] = row["depth"], None
    judge(rows, load_gates())
    assert min(row["effective"] for row in rows[:8]) > 80
    assert rows[8]["effective"] == pytest.approx(25, abs=6)


@pytest.mark.parametrize("town", [0.0, 2.5])
def test_moonlight_is_held_against_the_sky_of_the_site(town):
    """The model has a dark sky; in a town the same Moon changes little, and the dark frames are not to blame."""

    def change(i):
        above = 10 ** (0.4 * 2.2) - 1.0 if i > 7 else 0.0
        lit = 2.5 * np.log10(1.0 + 10 ** (-0.4 * town) * above)
        return {"sky": 21.0 - town - lit} | (MOON if above else {})

    rows = night(20, change=change)
    rows[15] |= {"sky_rate": 4.0 * rows[15]["sky_rate"]}
    names = [[cause.name for cause in verdict.causes] for verdict in judge(rows, load_gates())]
    assert [i for i in range(20) if names[i] != (["moonlight"] if i > 7 else [])] == [15]
    assert names[15] == ["bright sky"]


def test_moonlight_is_said_of_the_frames_or_of_the_whole_night():
    half = night(12, change=lambda i: {"sky": 20.2, **MOON, "moon_sky": 0.9} if i > 5 else {})
    half[9] |= {"zero_point_rate": half[9]["zero_point_rate"] - 0.12, "sky_rate": 1.1 * half[9]["sky_rate"]}
    verdicts = judge(half, load_gates())
    names = [[cause.name for cause in verdict.causes] for verdict in verdicts]
    assert names == [[]] * 6 + [["moonlight"]] * 3 + [["moonlit cloud"]] + [["moonlight"]] * 2
    assert "0.8 mag brighter than without it; the Moon (95 % lit, 50 deg high, 40 deg away)" in verdicts[6].text
    # nothing of the night is darker
    assert {verdict.level for verdict in judge(night(12, change=lambda i: MOON | {"sky": 19.0}), load_gates())} == {
        "good"
    }


def test_a_weak_ghost_shows_against_other_frames_of_the_field():
    def change(i):
        ghost = {"sky_gradient": 9.0, "cosmic_rays": 60.0}  # noise at its rim passes for cosmic rays
        return ghost if i == 3 else {"sky_gradient": 25.0, "sky": 19.0, **MOON} if i > 15 else {}

    verdicts = judge(night(20, change=change), load_gates())
    assert [[cause.name for cause in verdict.causes] for verdict in verdicts[:16]] == [
        ["uneven sky"] if i == 3 else [] for i in range(16)
    ]
    # the Moon makes the sky uneven, and the fixed limit holds
    assert not any("above usual" in verdict.text for verdict in verdicts[16:])


def test_a_moon_that_rises_lights_the_sky_by_paths_that_no_model_has():
    low = {"sky": 19.6, **MOON, "moon_altitude": 4.0, "moon_sky": 0.1}
    names = [verdict.text for verdict in judge(night(12, change=lambda i: low if i > 10 else {}), load_gates())]
    assert "bright sky" not in names[11]
    high = low | {"moon_altitude": 30.0}
    assert "bright sky" in judge(night(12, change=lambda i: high if i > 10 else {}), load_gates())[11].text
