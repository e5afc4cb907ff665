"""The report on one page."""

from broken_package import ROW, all_of, break_package, changed, run_doctor

from obs.doctor.check import Check
from obs.doctor.examine import Examined
from obs.doctor.page import find_complaints


def test_a_night_fits_on_a_page(made, night, tmp_path, capsys):
    status, out, _ = run_doctor(capsys, made, all_of(night), "--no-picture")
    lines = out.splitlines()
    assert status == 0
    assert len(lines) < 60
    assert f"the same in all {len(all_of(night))} exposures" in lines[0]
    table = next(line for line in lines if line.startswith("file "))
    assert "image type" in table
    assert "exposure time" in table
    assert "filter" not in table  # all have the same


def test_what_is_wrong_in_many_files_is_printed_once(made, night, tmp_path, capsys):
    package = break_package(made, tmp_path, "amplifiers.csv", ROW, changed(_16="300"))
    _, out, last = run_doctor(capsys, package, [*night["flat"], *night["science"]], "--no-picture")
    section = out.split("to fix or to look at")[1]
    assert section.count("overscan of amp1") <= 2
    assert last.startswith("next: ")


def test_the_trial_takes_an_exposure_to_a_catalog(made, night, tmp_path, capsys):
    status, out, last = run_doctor(capsys, made, all_of(night), "--no-picture")
    trial = out.split("\ntrial\n")[1]
    assert "obs calibs build" in trial
    assert "the trial continues without, and obs process does with -c isr.do_dark=false" in trial
    assert "obs process" in trial
    assert status == 0
    assert "; obs calibs build and obs process stop without dark: add the files, or --allow-missing" in last


def test_the_last_line_names_all_that_obs_process_would_lack(made, night, tmp_path, capsys):
    _, out, last = run_doctor(capsys, made, night["science"], "--no-picture")
    assert "without bias, dark and flat" in out.split("\ntrial\n")[1]
    assert "; obs process stops without bias, dark and flat of r: add the files, or --allow-missing" in last


def test_lights_alone_of_a_camera_that_has_nothing_else(made, night, tmp_path, capsys):
    switches = "isr:\n  do_bias: false\n  do_dark: false\n  do_flat: false\n"
    package = break_package(made, tmp_path, "process.yaml", "# isr:\n", switches)
    status, out, last = run_doctor(capsys, package, night["science"], "--no-picture")
    assert status == 0
    assert "obs process" in out.split("\ntrial\n")[1]
    assert last.startswith("nothing left to fix, as one processed exposure shows")


def test_several_warnings_of_one_exposure_count_once():
    saturated, noise = (Check("signature", "isr", verdict="doubtful", note=note) for note in ("cut off", "read noise"))
    exposures = [Examined("a.fits", [saturated, noise]), Examined("b.fits", [noise])]
    found = {one.check.note: (len(one.names), one.n_checked) for one in find_complaints(exposures)}
    assert found == {"cut off": (1, 2), "read noise": (2, 2)}
