"""The page "Your camera in an evening": every command on it is run, and prints what the page says."""

import re
import shutil

import numpy as np
import pytest
from astropy.table import Table
from night_camera import write_night
from pages import GUIDE, Shell, follow

PAGE = GUIDE / "your_camera.md"


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """The shell in which the page was followed, with the night of a camera of which nobody knows."""
    folder = tmp_path_factory.mktemp("evening")
    night = folder / "night1"
    night.mkdir()
    write_night(night, folder / "tables")
    shell = Shell(folder)
    follow(PAGE, shell)
    return shell


def test_the_evening_of_a_camera_of_which_nobody_knows(evening):
    assert len(list((evening.folder / "DATA/rerun/first/src").rglob("*.fits"))) == 2


def stated_failures():
    """Return the messages of the page's table, each as a pattern."""
    text = PAGE.read_text(encoding="utf-8").split("| message |")[1].split("\n\n")[0]
    return [message_pattern(message) for message in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)]


def message_pattern(message):
    return ".*".join(re.escape(part.strip()) for part in message.split("..."))


SCIENCE = "obs process DATA --rerun {} --id visit=161310021 -c "
FAILURES = {
    "unable to retrieve dark ...": [SCIENCE.format("dark") + "isr.do_dark=true"],
    "no PSF could be fitted ...": [SCIENCE.format("stars") + "characterize.stars.minimum_signal_to_noise=1e9"],
    "no astrometry: there is no reference catalog of this part of the sky ...": [
        "mv DATA/ref_cats away",
        SCIENCE.format("sky") + "calibrate.astrometry.required=true",
        "mv away DATA/ref_cats",
    ],
    "no astrometry: the ... sources match nothing ...": [
        "obs ingest-refcat DATA elsewhere elsewhere.csv",
        SCIENCE.format("pattern") + "calibrate.reference.name=elsewhere",
        "rm -r DATA/ref_cats/elsewhere",
    ],
    "... was made with other settings ...": [SCIENCE.format("first") + "isr.do_flat=false"],
}


#: Warnings about pixels that this night does not have, and the test that makes them.
TRIED_ELSEWHERE = {
    "stars are cut off at ...": "tasks/test_isr.py",
    "all pixels are equal in amplifier ...": "tasks/test_isr.py",
    "the reference catalog has no stars on ...": "algorithms/astrometry/test_astrometry.py",
    "the date of the exposure ...": "tasks/test_proper_motion.py",
    "the zero point changes by ...": "tasks/test_calibrate.py",
    "the brightest stars are ...": "tasks/test_calibrate.py",
}


def test_all_stated_failures_are_tried():
    tried = {*map(message_pattern, FAILURES), *map(message_pattern, TRIED_ELSEWHERE)}
    assert set(stated_failures()) == tried
    for message, name in TRIED_ELSEWHERE.items():
        text = (GUIDE.parent / "tests" / name).read_text(encoding="utf-8")
        assert message.removesuffix(" ...") in text


@pytest.mark.parametrize("message", FAILURES)
def test_failures_say_what_the_page_says(evening, message):
    stars = Table.read(evening.folder / "stars.csv")
    # each star at the right ascension of another
    stars["ra"] = np.random.default_rng(1).permutation(stars["ra"])
    stars.write(evening.folder / "elsewhere.csv", overwrite=True)
    told = " ".join(" ".join(evening.sh(line).stderr.split()) for line in FAILURES[message])
    assert re.search(message_pattern(message), told), told


def test_the_evening_of_kast_until_the_signature_is_removed(tmp_path, shared_data):
    night = tmp_path / "night1"
    night.mkdir()
    for path in (shared_data / "kast").glob("*.fits.gz"):
        shutil.copy(path, night)
    follow(PAGE, Shell(tmp_path), stars=False)
    assert len(list((tmp_path / "DATA" / "rerun" / "isr" / "postISRCCD").rglob("*.fits"))) == 3
