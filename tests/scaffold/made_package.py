"""Use a package that was just made, without installing it."""

import sys
from contextlib import contextmanager

from obs.ingest.translation import load_translator, translate_file
from obs.instrument.instrument import resolve
from obs.repo.fits_raw import read_raw
from obs.tasks.isr import Calibrations, IsrConfig, remove_signature

BARE = IsrConfig(do_bias=False, do_dark=False, do_flat=False, do_fringe=False, do_defect=False)


@contextmanager
def imported(package):
    """Yield the instrument of a package in a folder ``obs_NAME``, and forget it afterwards."""
    name = package.name
    sys.path.insert(0, str(package))
    try:
        yield resolve(f"{name}:instrument")
    finally:
        sys.path.remove(str(package))
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]


def rows_of(instrument, path):
    """Return the registry's rows of a raw file."""
    translator = load_translator(instrument)
    translated = translate_file(path, instrument.translator, translator.unique)
    assert translated.error == ""
    return translated.rows


def processed(path, instrument, row):
    """Return a detector after overscan and assembly, ADU."""
    detector, translator = instrument.find_detector(row), load_translator(instrument)

    def choose(cards):
        return translator.registry_columns(cards).get("ccd") == row["ccd"]

    hdus = [amp.raw_hdu for amp in detector.amplifiers]
    raw = read_raw(path, amplifier_hdus=hdus, overscan_hdus=detector.overscan_hdus, choose=choose)
    info = translator.visit_info(raw.metadata)
    return remove_signature(raw, detector, Calibrations(), BARE, visit_info=info).masked_image.image
