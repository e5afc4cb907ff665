"""Cameras that the LSST stack knows already, beside which a package of ours would not be asked."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["find_clashes"]

_PACKAGES = ("decam", "megaprime", "sdss", "subaru")
"""Packages ``lsst.obs.NAME`` of cameras that the stack has."""
_INSTRUMENTS = {
    "DECam": "DecamTranslator",
    "Hyper Suprime-Cam": "HscTranslator",
    "MegaPrime": "MegaPrimeTranslator",
    "SuprimeCam": "SuprimeCamTranslator",
}
"""INSTRUME of the headers that translators of astro_metadata_translator take."""


def find_clashes(package: str, headers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what of a camera the stack has already, and what to do.

    Parameters
    ----------
    package : str
        Name of the new package, below ``lsst.obs``.
    headers : iterable of mapping
        Cards of real files.
    """
    notes = []
    if package in _PACKAGES:
        notes.append(
            f"the stack has a package lsst.obs.{package} of its own: do not set up both, or make the camera again with "
            "obs new and another name"
        )
    taken = {name for cards in headers if (name := _translator(cards))}
    notes += [
        f"{name} of astro_metadata_translator takes these headers, too, and may be asked first: name yours where it "
        f"matters (ObservationInfo(header, translator_class=...))"
        for name in sorted(taken)
    ]
    return notes


def _translator(cards: Mapping[str, Any]) -> str:
    """Return the translator of the library that takes a header; empty if none does."""
    if "DECam" in str(cards.get("FILTER", "")):
        return _INSTRUMENTS["DECam"]
    return _INSTRUMENTS.get(str(cards.get("INSTRUME", "")).strip(), "")
