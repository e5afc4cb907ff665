"""What BUNIT says of the pixels: counts, electrons, a rate, or a flux."""

import re
from typing import NamedTuple

__all__ = ["ImageUnit", "parse_image_unit"]

_RATE = re.compile(r"\s*(/\s*s(ec(ond)?s?)?|\s(per\s+s(ec(ond)?)?|s(ec)?\s*(\^|\*\*)?\s*\(?-1\)?))$")
_ELECTRON = re.compile(r"e-?|el|elec|electrons?|e-?lectrons|photo-?electrons?|photons?|ph")
_COUNT = re.compile(r"adus?|dns?|counts?|cts?|cnts?|du|digital numbers?")
_FLUX = re.compile(
    r"[nuµm]?jy(/(beam|pix(el)?))?|mjy\s*(/\s*|\s)sr(-1)?|(nano)?magg(y|ies)|nmgy|erg.*|w\b.*|.*(angstrom|hz|micron).*"
)


class ImageUnit(NamedTuple):
    """Unit of the pixels of an image.

    Parameters
    ----------
    name : str
        As astropy reads it, ``adu`` if the header gives none.
    kind : str
        ``count``, ``electron`` or ``flux``; empty where the unit is not known.
    is_rate : bool
        Whether it is a rate: per second.
    """

    name: str = "adu"
    kind: str = "count"
    is_rate: bool = False

    @property
    def squared(self) -> str:
        """The unit of the variance."""
        return "/".join(f"{part.strip()}2" for part in self.name.split("/"))

    def electrons(self, gain: float | None, seconds: float) -> tuple[float | None, str]:
        """Return the electrons of one unit, and how they follow from gain and exposure time, in words.

        Parameters
        ----------
        gain : float or None
            Electrons per count, from the header.
        seconds : float
            Exposure time; NaN if it is not known.

        Returns
        -------
        float or None
            None where they are not known.
        str
            Empty if they are the gain.
        """
        if self.kind in ("flux", ""):
            return None, f"none, because the image is in {self.name}"
        value = 1.0 if self.kind == "electron" else gain
        how = f"the image is in {self.name}" if self.kind == "electron" or self.is_rate else ""
        if not self.is_rate or value is None:
            return value, how
        return (value * seconds, f"{how}, exposed for {seconds:g} s") if seconds > 0 else (None, f"none, because {how}")


def parse_image_unit(text: str) -> ImageUnit:
    """Read the unit of an image from BUNIT.

    Parameters
    ----------
    text : str
        Value of the card; empty or ``adu`` for plain counts.

    Examples
    --------
    >>> parse_image_unit("ELECTRONS/S")
    ImageUnit(name='electron/s', kind='electron', is_rate=True)
    >>> parse_image_unit("DNs").name
    'adu'
    """
    word = text.strip().strip("[]").strip()
    lower = word.lower()
    if lower == "cps":
        return ImageUnit("adu/s", "count", True)
    if re.fullmatch(_FLUX, lower):
        return ImageUnit(word, "flux")
    base, rates = _RATE.subn("", lower)
    end = "/s" if rates else ""
    if not base or _COUNT.fullmatch(base.strip()):
        return ImageUnit(f"adu{end}", "count", bool(rates))
    if _ELECTRON.fullmatch(base.strip()):
        return ImageUnit(f"electron{end}", "electron", bool(rates))
    return ImageUnit(word, "")
