"""astropy's FITS code without its units."""

import subprocess
import sys

PROGRAM = """
import sys
from obs.lean_astropy import import_fits
import_fits()
assert "astropy.io.fits" in sys.modules and "astropy.units" not in sys.modules
import_fits()
from astropy import units
from astropy.table import Table
from astropy.utils.data import check_free_space_in_dir, get_free_space_in_dir
assert Table({"a": [1.0] * units.m})["a"].unit == units.m
assert isinstance(get_free_space_in_dir(".", unit=True), units.Quantity)
check_free_space_in_dir(".", 1 * units.byte)
from astropy.io import fits
card = fits.Card.fromstring("A       = 'b   '")
assert card.value == "b"
with fits.conf.set_temp("strip_header_whitespace", False):
    assert card.value == "b   "
assert card.value == "b"
fits.conf.strip_header_whitespace = False
assert card.value == "b   "
fits.Conf.strip_header_whitespace.reload()
assert card.value == "b"
"""


def test_units_are_imported_when_they_are_needed():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert not done.stderr


NEEDS_MORE = """
import importlib, sys
import obs.lean_astropy as lean
lean._ANNOTATIONS = ("UnitBase",)
lean.import_fits()
assert "astropy.units" in sys.modules
assert sys.modules["astropy.utils.data"].Quantity is sys.modules["astropy.units"].Quantity
"""


def test_a_version_that_needs_more_of_the_units_gets_them():
    done = subprocess.run([sys.executable, "-c", NEEDS_MORE], capture_output=True, text=True)
    assert not done.stderr
