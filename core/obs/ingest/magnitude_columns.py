"""Recognize columns with magnitudes and fluxes by the names that catalogs give them."""

import re
from collections.abc import Iterable, Mapping

__all__ = ["error_column", "find_flux_columns", "find_magnitude_columns"]

#: Bands by the names that stand alone in tables of observers. Case matters: g is of SDSS, G of Gaia; r of SDSS, R of
#: Cousins.
_BANDS = (
    *("U", "B", "V", "R", "I", "Rc", "Ic", "u", "v", "g", "r", "i", "z", "y"),
    *("J", "H", "K", "Ks", "G", "BP", "RP", "BT", "VT", "GBP", "GRP"),
)
_BAND = "|".join(sorted(_BANDS, key=len, reverse=True))
#: Where one of these is a column, the other single letters are bands too; a z alone is a redshift, a y a position.
_TELLING = {"B", "V", "R", "Rc", "g", "r", "i", "G", "BT", "VT", "J"}
_SAME_BAND = {"Rc": "R", "Ic": "I", "GBP": "BP", "GRP": "RP"}

#: Ways to write a magnitude, the best first: where a catalog has several of a band, the first is taken.
_MAGNITUDES = (
    r"(?P<band>\w+?)_?MeanPSFMag",
    r"psf_?mag_?(?P<band>\w+)",
    r"(?P<band>\w+?)_?psf_?mag",
    rf"(?P<band>{_BAND})_?PSF",
    r"phot_(?P<gaia>g|bp|rp)_mean_mag",
    r"(?P<band>[^\W_]+)['`]?_?mag",
    r"(?P<band>\w+?)_mag",
    r"mag_(?P<band>\w+)",
    rf"mag(?P<band>{_BAND})",
    rf"(model|cmodel|aper|mean|inst|cal)mag_?(?P<band>{_BAND})",
    rf"(Johnson|Cousins|Bessell?|Sloan|SDSS|APASS|PS1|PanSTARRS)[ _-]?(?P<band>{_BAND})['`]?( \(\w+\))?",
    rf"(?P<band>{_BAND})['`]?[ _-]?(Johnson|Cousins|Bessell?|Sloan|SDSS|APASS|PS1|PanSTARRS|\(mag\)|\[mag\])",
)
_FLUXES = (r"(?P<band>\w+?)_?flux", r"flux_(?P<band>\w+)")
_ERRORS = ("{}Err", "{}_err", "{}err", "{}_error", "e_{}", "err_{}", "{}Sigma", "s_{}", "d{}")
#: Words that are not bands. Gaia's fluxes (phot_g_mean_flux) are electrons a second, so its magnitudes are taken.
_NOT_A_BAND = re.compile(r"(phot_.*|abs.*|lim(it)?|delta|[den]|err(or)?|.*dered.*|ext|a)", re.IGNORECASE)


def find_magnitude_columns(names: Iterable[str]) -> dict[str, str]:
    """Return the bands of a table, each with the column of its magnitudes.

    Parameters
    ----------
    names : iterable of str
        Columns of the table.
    """
    known = list(names)
    found = _match(_MAGNITUDES, known)
    bare = {name.strip("'`"): name for name in known if name.strip("'`") in _BANDS}
    if not _TELLING.isdisjoint(bare):
        for band, name in bare.items():
            found.setdefault(_SAME_BAND.get(band, band), name)
    return found


def find_flux_columns(names: Iterable[str]) -> dict[str, str]:
    """Return the bands of a table, each with the column of its fluxes.

    Parameters
    ----------
    names : iterable of str
        Columns of the table; their case does not matter.
    """
    return _match(_FLUXES, list(names))


def error_column(name: str, names: Mapping[str, object] | Iterable[str]) -> str | None:
    """Return the column with the standard errors of another one, or None.

    Parameters
    ----------
    name : str
        Column of magnitudes or fluxes.
    names : mapping or iterable of str
        All columns of the table; their case does not matter.
    """
    return _error_column(name, {other.lower(): other for other in names})


def _error_column(name: str, lower: Mapping[str, str]) -> str | None:
    """Do what `error_column` does, with the names by their lower case, which is made once for all columns."""
    spelled = [form.format(part) for form in _ERRORS for part in (name, name.strip("'`"))]
    spelled.append(re.sub("(mag|flux)", r"\1err", name, flags=re.IGNORECASE))  # psfMagErr_g of psfMag_g
    return next(
        (lower[text.lower()] for text in spelled if text.lower() in lower and text.lower() != name.lower()), None
    )


def _match(patterns: Iterable[str], names: list[str]) -> dict[str, str]:
    lower = {name.lower(): name for name in names}
    errors = {_error_column(name, lower) for name in names}
    found: dict[str, str] = {}
    used: set[str | None] = set(errors)
    for pattern in patterns:
        for name in names:
            match = None if name in used else re.fullmatch(pattern, name, re.IGNORECASE)
            if match is None:
                continue
            parts = match.groupdict()
            band = parts["band"].strip("_'`") if parts.get("band") else (parts.get("gaia") or "").upper()
            if band and not _NOT_A_BAND.fullmatch(band):
                used.add(name)
                found.setdefault(_SAME_BAND.get(band, band), name)
    return found
