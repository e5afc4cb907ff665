"""The filters of Hyper Suprime-Cam, with the names that Suprime-Cam had for them."""

import math

from obs.instrument.instrument import FilterDefinition

__all__ = ["FILTERS"]


def _filter(name: str, band: str, wavelength: float = math.nan, *, aliases: tuple[str, ...] = ()) -> FilterDefinition:
    return FilterDefinition(physical_filter=name, band=band, aliases=aliases, effective_wavelength=wavelength)


#: Broad bands, then narrow ones by wavelength (nm), then what is not a filter: Shack-Hartmann, pinhole, an empty slot.
FILTERS = (
    _filter("HSC-G", "g", 477.0, aliases=("W-S-G+",)),
    _filter("HSC-R", "r", 623.0, aliases=("W-S-R+",)),
    _filter("HSC-R2", "r", 623.0),
    _filter("HSC-I", "i", 775.0, aliases=("W-S-I+",)),
    _filter("HSC-I2", "i", 775.0),
    _filter("HSC-Z", "z", 925.0, aliases=("W-S-Z+",)),
    _filter("HSC-Y", "y", 990.0, aliases=("W-S-ZR",)),
    _filter("ENG-R1", "r", 623.0, aliases=("109",)),
    _filter("NB0387", "N387", 387.0),
    _filter("NB0400", "N400", 400.0),
    _filter("NB0468", "N468", 468.0),
    _filter("NB0515", "N515", 515.0),
    _filter("NB0527", "N527", 527.0),
    _filter("NB0656", "N656", 656.0),
    _filter("NB0718", "N718", 718.0),
    _filter("NB0816", "N816", 816.0),
    _filter("NB0921", "N921", 921.0),
    _filter("NB0926", "N926", 926.0),
    _filter("IB0945", "I945", 945.0),
    _filter("NB0973", "N973", 973.0),
    _filter("NB1010", "N1010", 1010.0),
    _filter("SH", "SH"),
    _filter("PH", "PH"),
    _filter("empty", "white", aliases=("NONE",)),
    _filter(
        "unknown",
        "unknown",
        aliases=("NOTSET", "UNKNOWN", "UNRECOGNISED", "UNRECOGNIZED", "Unrecognised", "Unrecognized"),
    ),
)
