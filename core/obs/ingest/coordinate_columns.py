"""Recognize columns with positions by the many spellings of their names, and the unit that a name gives."""

import re
from collections.abc import Iterator, Mapping

__all__ = ["coordinate_columns", "unit_in_name"]

#: Ends of the names of columns whose numbers are hours.
_IN_HOURS = re.compile(r"([^a-z]h|hours?|hms)[^a-z0-9]*$")

#: The same for radians.
_IN_RADIANS = re.compile(r"(rad|radians?)[^a-z0-9]*$")

#: What follows the coordinate in the many spellings of its column: equinox, frame, estimator, unit.
_QUALIFIER = (
    r"(j?2000|j|epoch2000|icrs|fk5|gaia|mean|m|win|psf|peak|sky|world|obs|obj|cat|deg|degrees?|d|hms|dms|hours?|h|rad)"
)
_PREFIX = r"(coord|mean|pos|sky|gaia|cat|ref|star|src|obj|s)?"
_SPELLINGS = {
    "ra": re.compile(rf"{_PREFIX}(ra|rightasc(ension)?|alpha){_QUALIFIER}*|xworld"),
    "dec": re.compile(rf"{_PREFIX}(dec|de|decl|declination|delta){_QUALIFIER}*|yworld"),
}
#: A radius, and the minutes or the degrees of a coordinate that is in several columns.
_NO_COORDINATE = ("rad", "radeg", "ram", "ded", "dem")


def coordinate_columns(what: str, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the columns whose names contain that of a coordinate, such as ``RAICRS`` and ``Dec (deg)``.

    Parameters
    ----------
    what : str
        ``ra`` or ``dec``; nothing is found for anything else.
    names : mapping of str to str
        Names in small letters, each with the column of that name.
    """
    if (pattern := _SPELLINGS.get(what)) is not None:
        plain = {re.sub("[^a-z0-9]", "", name): name for name in names}
        for letters, name in plain.items():
            in_parts = letters[-1:] in ("h", "d") and f"{letters[:-1]}m" in plain  # RAh RAm RAs
            if name not in _NO_COORDINATE and not in_parts and pattern.fullmatch(letters):
                yield names[name]


def unit_in_name(what: str, name: str) -> str:
    """Return the unit that the name of a column gives: ``hour``, ``rad``, or nothing.

    Parameters
    ----------
    what : str
        ``ra`` or ``dec``; declinations are never in hours.
    name : str
        Name of the column.
    """
    if what == "ra" and _IN_HOURS.search(name.lower()):
        return "hour"
    return "rad" if _IN_RADIANS.search(name.lower()) else ""
