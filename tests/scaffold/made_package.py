"""Use a package that was just made, without installing it."""

import sys
from contextlib import contextmanager

from obs.ingest.translation import load_translator, translate_file
from obs.instrument.instrument import resolve


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
