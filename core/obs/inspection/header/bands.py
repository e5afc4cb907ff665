"""The band that the name of a filter suggests."""

import re
from collections.abc import Iterable

from obs.instrument.filter_wheels import passes_all_colors

__all__ = ["guess_bands"]

_PLACE = re.compile(r"^\s*[a-z]?\d{1,2}\s*[:.)-]\s*(?=[a-z])", re.I)
"""The place in the wheel before a name, such as ``3:`` in ``3: V``."""
_COLORS = {"red": "R", "green": "V", "blue": "B"}
"""Filters of color pictures, and the bands that they are nearest to."""
_SDSS = re.compile(r"sdss|sloan|^hsc|^ps1?[_-]|^ztf|gunn|decam|mp\d{4}|_g\d{4}|^w-s-", re.I)
"""Names of filters like those of SDSS."""
_JOHNSON = re.compile(
    r"johnson|cousins|bess|harris|kron|mould|landolt|photometric|special|ubvri|^jc|^w-[jc]-|[-_ ]?high$", re.I
)
"""Names of filters of Johnson, Cousins and Bessell, and of broad ones near to them."""
_STROMGREN = re.compile(r"str(o|oe|\u00f6)m|ubvy", re.I)
_LETTER = re.compile(r"(?:^|[^A-Za-z0-9])([ugrizywUBVRIGZY])[12]?(?:$|[^A-Za-z0-9])")
_SHORT = re.compile(
    r"(?:^|[^A-Za-z])([UBVRI])[_-]?[cjb]|(?:^|[^A-Za-z])([BVRI])[CJB](?:$|[^A-Za-z])|^([ugriz])[p's](?:$|\W)"
)
"""A letter and that of its system: ``Rc``, ``V_J``, ``rp``, ``zs``."""
_JOINED = re.compile(r"(?:hsc|sdss|sloan|ps1|ztf|decam)[-_ ]?([ugrizy])", re.I)


def guess_bands(physical_filters: Iterable[str]) -> dict[str, str]:
    """Return the band that the name of each filter of a camera suggests.

    Parameters
    ----------
    physical_filters : iterable of str
        Names of all filters of the camera: a single capital letter is a filter of Johnson and Cousins, of the colors
        of a picture, or of SDSS, depending on the letters beside it.

    Returns
    -------
    dict of str to str
        Name to band. A filter that passes all colors is nearest to Gaia's ``G``. Where a name suggests no band, the
        band is the name in letters and digits.
    """
    names = list(physical_filters)
    letters = {letter for name in names if (letter := _letter(name))} | {name.strip() for name in names}
    of_picture = any(passes_all_colors(name) for name in names) or bool({"B", "Ha", "OIII"} & letters)
    is_sdss = bool({"G", "g", "u", "z", "Z"} & letters) and not of_picture and not {"V", "U"} & letters
    is_stromgren = len({"b", "v", "y"} & {name.strip() for name in names}) > 1
    return {name: _band(name, is_sdss=is_sdss, of_picture=of_picture, is_stromgren=is_stromgren) for name in names}


def _band(physical_filter: str, *, is_sdss: bool, of_picture: bool, is_stromgren: bool) -> str:
    name = _PLACE.sub("", physical_filter.strip()).strip()
    if name.lower() in _COLORS:
        return _COLORS[name.lower()]
    if passes_all_colors(name):
        return "G"
    letter = _letter(name)
    plain = re.sub(r"\W+", "_", name).strip("_").lower() or "none"
    if not letter or _STROMGREN.search(name) or (is_stromgren and letter in "ubvy"):
        return plain
    if _SDSS.search(name):
        return letter.lower()
    if _JOHNSON.search(name):
        return letter.upper() if letter.upper() in "UBVRI" and (letter.isupper() or letter in "bv") else letter
    if letter.islower() or (is_sdss and letter in "URIGZY"):
        return letter.lower()
    if letter == "G":
        return _COLORS["green"] if of_picture else "g"
    return letter if letter in "UBVRI" else letter.lower()


def _letter(name: str) -> str:
    """Return the letter by which a filter is called; empty if it has none."""
    name = _PLACE.sub("", name.strip()).strip()
    for pattern in (_JOINED, _SHORT, _LETTER):
        match = pattern.search(name)
        if match is not None:
            return next(part for part in match.groups() if part)
    high = re.fullmatch(r"([ubvgriz])[-_ ]?high", name, re.I)
    return high[1] if high is not None else ""
