"""What the bits of foreign masks mean."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.image.mask import Mask

__all__ = ["MaskReading", "read_foreign_mask"]


class _Convention(NamedTuple):
    """Bits (as numbers, or-ed) to mask planes; a bit that is in none is information about a usable pixel."""

    name: str
    planes: Mapping[str, int]


_JWST = _Convention("JWST", {"BAD": 1 | 1 << 9 | 1 << 10 | 1 << 11, "SAT": 2})
_HST = _Convention(
    "HST", {"BAD": 1 | 2 | 4 | 8 | 16 | 32 | 128 | 512, "SAT": 256 | 2048, "CR": 4096 | 8192, "SUSPECT": 16384}
)
#: Of the infrared camera, hits and blobs are corrected or mild.
_HST_INFRARED = _Convention(
    "HST WFC3/IR", {"BAD": 1 | 2 | 4 | 8 | 16 | 32 | 128, "SAT": 256, "CR": 4096, "SUSPECT": 512}
)
_GEMINI = _Convention("Gemini", {"BAD": 1, "SUSPECT": 2, "SAT": 4, "CR": 8, "NO_DATA": 16 | 64})
_LCO = _Convention("LCO", {"BAD": ~(2 | 8), "SAT": 2, "CR": 8})
_PLAIN = _Convention("", {"BAD": ~0})
_PLANE_NAME = re.compile(r"MSKN(\d{4})|MP_(\w+)")
"""Cards that name planes in masks of the LSST stack: MSKN0003 with the bits in MSKM0003, or MP_CR with its number."""

_LSST_NAMES = {"SATURATED": "SAT", "COSMIC_RAY": "CR", "UNMASKED_NAN": "UNMASKEDNAN", "VIGNETTED": "NO_DATA"}
_USED = ("BAD", "SAT", "CR", "SUSPECT", "NO_DATA", "UNMASKEDNAN")
"""Planes that are kept; detections, borders and pixels that were filled are usable."""

_MOST = 0.5  # a bit that more pixels have does not say that they are bad


class MaskReading(NamedTuple):
    """A mask in our planes, and what it was made from, in words.

    Parameters
    ----------
    mask : Mask
        Mask with the planes of this package.
    description : str
        Planes or bits from which it was made.
    warnings : tuple of str
        Problems that the user should know.
    """

    mask: Mask
    description: str
    warnings: tuple[str, ...]


def read_foreign_mask(
    bits: NDArray[Any],
    header: Mapping[str, Any],
    own: Mapping[str, Any] | None = None,
    *,
    is_good: bool = False,
    bad_bits: int | None = None,
) -> MaskReading:
    """Sort the bits of a mask into planes.

    Parameters
    ----------
    bits : ndarray of int, bool or float, shape (ny, nx)
        The pixels of the mask's HDU.
    header : mapping
        Cards of image and primary HDU, which name telescope and instrument.
    own : mapping, optional
        Cards of the mask's HDU, which may name its planes.
    is_good : bool, optional
        1 stands for a good pixel.
    bad_bits : int, optional
        Bits that make a pixel bad, or-ed, instead of those of the telescope.

    Returns
    -------
    MaskReading
    """
    if bits.dtype.kind == "f":
        bits = np.where(np.isfinite(bits), bits, 1)
    numbers = np.asarray(bits).astype(np.int64, copy=False)
    mask = Mask.zeros((numbers.shape[0], numbers.shape[1]))
    values = _present(numbers)
    warnings = []
    named = _named_planes(own or {})
    binary = values <= {0, 1} and named is None
    share = float((numbers != 0).mean())
    if not is_good and binary and bad_bits is None and share > _MOST:
        is_good = True
        warnings.append(f"{100 * share:.3g} % of the mask is 1: it is taken as a mask of good pixels (1 good, 0 bad)")
    if is_good:
        mask.set(numbers == 0, "BAD")
        return MaskReading(mask, f"1 = good, {_percent(mask, 'BAD')}", tuple(warnings))
    convention = named or (_PLAIN if binary else _convention(header))
    if bad_bits is not None:
        convention = _Convention("", {"BAD": bad_bits})
    frequent = 0 if bad_bits is not None else _frequent(numbers)
    for plane, wanted in convention.planes.items():
        if wanted & frequent:
            warnings.append(
                f"bits {wanted & frequent} of the mask are set in most pixels and are not taken as {plane}; name the "
                "bits of bad pixels with -c bad_bits=NUMBER"
            )
        mask.set((numbers & wanted & ~frequent) != 0, plane)
    parts = [_percent(mask, plane) for plane in convention.planes if mask.any(plane).any()]
    name = f"{convention.name} flags: " if convention.name else "not 0 = bad, " if bad_bits is None else ""
    return MaskReading(mask, name + (", ".join(parts) or "nothing masked"), tuple(warnings))


def _named_planes(own: Mapping[str, Any]) -> _Convention | None:
    """Return the planes that the mask's own cards name, or None if they do not."""
    planes: dict[str, int] = {}
    found = False
    for card, value in own.items():
        match = _PLANE_NAME.fullmatch(card)
        if match is None:
            continue
        found = True
        name = str(value if match[1] else match[2]).strip().upper()
        bits = own.get(f"MSKM{match[1]}", 0) if match[1] else 1 << int(value)
        plane = _LSST_NAMES.get(name, name)
        if plane in _USED:
            planes[plane] = planes.get(plane, 0) | int(bits)
    return _Convention("LSST", planes) if found else None


def _present(numbers: NDArray[np.int64]) -> set[int]:
    """Return the values of a mask if there are at most two, else what makes it more than binary."""
    low, high = int(numbers.min()), int(numbers.max())
    return {low, high} if low >= 0 and high <= 1 else {low, high, 2}


def _frequent(numbers: NDArray[np.int64]) -> int:
    """Return the bits that most pixels have, or-ed."""
    sample = numbers.ravel()[:: max(1, numbers.size // 200_000)]
    return sum(1 << bit for bit in range(32) if ((sample >> bit) & 1).mean() > _MOST)


def _percent(mask: Mask, plane: str) -> str:
    return f"{100 * float(mask.any(plane).mean()):.2g} % {plane}"


def _convention(header: Mapping[str, Any]) -> _Convention:
    telescope, origin = (str(header.get(name, "")).upper().strip() for name in ("TELESCOP", "ORIGIN"))
    if telescope in ("JWST", "ROMAN"):
        return _JWST
    if telescope == "HST":
        return _HST_INFRARED if str(header.get("DETECTOR", "")).upper().strip() == "IR" else _HST
    if telescope.startswith("GEMINI"):
        return _GEMINI
    if origin.startswith("LCO"):
        return _LCO
    return _PLAIN
