"""Import astropy's FITS code first, without its units, and with settings that are looked up once.

For each of its settings astropy looks through all modules that have been imported, and resolves the links in their
paths: after the 400 modules of a command that takes a tenth of a second, before them hardly any time. And of
`astropy.units`, which takes as long, version 8 needs two names for the annotations of one module.

Each card that is read or written asks for two settings, which astropy then looks up in its configuration and validates:
6,700 times for a frame.
"""

import importlib
import sys
from functools import cache
from types import ModuleType

__all__ = ["import_fits"]

_UNITS, _WITH_ANNOTATIONS = "astropy.units", "astropy.utils.data"
_ANNOTATIONS = ("Quantity", "UnitBase")
#: The version that is known to use the names in annotations only.
_KNOWN_VERSION = "8."


def import_fits() -> None:
    """Import `astropy.io.fits`, and `astropy.units` only where another version of astropy needs it for that.

    Whoever imports `astropy.units` later gets it, as ever.
    """
    if importlib.import_module("astropy").__version__.startswith(_KNOWN_VERSION):
        _import_without_units()
    fits = importlib.import_module("astropy.io.fits")
    plain, remembering = _kinds_of_settings()
    for item in vars(fits.Conf).values():
        if type(item) is plain:
            item.__class__ = remembering


def _import_without_units() -> None:
    """Import the module with the annotations, with classes in the place of those that it annotates with."""
    if _UNITS in sys.modules or _WITH_ANNOTATIONS in sys.modules:
        return
    stand_in = ModuleType(_UNITS)
    for name in _ANNOTATIONS:
        setattr(stand_in, name, type(name, (), {}))
    sys.modules[_UNITS] = stand_in
    try:
        module = importlib.import_module(_WITH_ANNOTATIONS)
    except ImportError:  # it needs more of the units: it is imported again with them
        return
    finally:
        del sys.modules[_UNITS]
    for name in _ANNOTATIONS:  # so that nothing can mistake a stand-in for the class
        vars(module).pop(name, None)


@cache
def _kinds_of_settings() -> tuple[type, type]:
    """Return astropy's class of settings, and one of settings that are looked up once, and again when set or reloaded.

    Reading the whole configuration again, which no command does, is not noticed.
    """
    from astropy.config import ConfigItem  # noqa: PLC0415 - slow to import

    class Remembering(ConfigItem):  # type: ignore[misc]
        def __call__(self) -> object:
            if not hasattr(self, "known"):
                self.known = super().__call__()
            return self.known

        def set(self, value: object) -> None:
            super().set(value)
            self.__dict__.pop("known", None)

        def reload(self) -> object:
            self.__dict__.pop("known", None)
            return super().reload()

    return ConfigItem, Remembering
