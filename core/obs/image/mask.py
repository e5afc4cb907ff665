"""Integer masks whose bits have names."""

from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from obs.display_link import display_function
from obs.facts_text import facts_html, facts_text
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["DEFAULT_PLANES", "PLANE_MEANINGS", "UNUSABLE_PLANES", "Mask"]

_ANY = Kernel("any_bits", "int32", "int", "int", "bool")
_SET = Kernel("set_bits", "int32", "int", "int", "bool")
_PART = 1 << 20
"""Pixels that a thread takes at a time."""

#: The planes that every mask has, and what a pixel is that has them set.
PLANE_MEANINGS = {
    "BAD": "Not to be used: a defect, or an amplifier that does not work.",
    "SAT": "Saturated, or in the trail of a saturated pixel.",
    "INTRP": "Interpolated over, from the pixels beside it.",
    "CR": "Hit by a cosmic ray.",
    "EDGE": "So near to the border that the smoothed image, or a correction, is not known.",
    "DETECTED": "In the footprint of a source.",
    "DETECTED_NEGATIVE": "In the footprint of a dip below the sky.",
    "SUSPECT": "Above the level from which the response is in doubt, on the rows at the border that settings name, or "
    "along an edge of the sky (vignetting, dome).",
    "NO_DATA": "Without data: vignetted, outside the detector, or not a number in the input.",
    "CROSSTALK": "Under the ghost of a bright pixel of another amplifier.",
    "UNMASKEDNAN": "Was not a number, though nothing said so.",
    "CLIPPED": "Rejected as an outlier when frames were combined; set by other software, not by obs.",
    "STREAK": "In the trail of a satellite or an aircraft, whose light was subtracted.",
}
DEFAULT_PLANES = tuple(PLANE_MEANINGS)
#: Planes of pixels whose value is not a measurement; sources, borders and doubts are not among them.
UNUSABLE_PLANES = ("BAD", "SAT", "INTRP", "CR", "NO_DATA", "UNMASKEDNAN")

#: Other names of planes, which older files and scripts use.
_ALIASES = {"SATURATED": "SAT", "INTERPOLATED": "INTRP", "SAT": "SATURATED", "INTRP": "INTERPOLATED"}
_MAX_BIT = 31
_HALF, _ROWS = 16, 512
"""Bits that are counted together, and rows, so that little memory is needed."""


class Mask:
    """A 32-bit mask with named planes; code asks for planes by name, never by bit.

    Parameters
    ----------
    array : ndarray of int32, shape (ny, nx)
        The bits, kept without a copy.
    planes : mapping of str to int, optional
        Plane name to bit number 0 to 30; the default planes in their usual order if absent.

    Raises
    ------
    ValueError
        If the array is not two-dimensional int32, or two planes share a bit.

    Examples
    --------
    >>> from obs import Mask
    >>> mask = Mask.zeros((3, 4))
    >>> mask.set(mask.array == 0, "SAT")
    >>> mask.any("SAT", "BAD").sum()
    np.int64(12)
    """

    def __init__(self, array: NDArray[np.int32], planes: Mapping[str, int] | None = None) -> None:
        if array.dtype != np.int32 or array.ndim != 2:
            raise ValueError(f"a mask is a 2-d int32 array, got {array.ndim}-d {array.dtype}")
        self.array = array
        self.planes = dict(planes) if planes is not None else {name: bit for bit, name in enumerate(DEFAULT_PLANES)}
        bits = list(self.planes.values())
        if len(set(bits)) != len(bits) or any(not 0 <= bit < _MAX_BIT for bit in bits):
            raise ValueError(f"mask planes need bits of their own from 0 to {_MAX_BIT - 1}, got {self.planes}")

    @classmethod
    def zeros(cls, shape: tuple[int, int], planes: Mapping[str, int] | None = None) -> Self:
        """Return a mask with no bit set.

        Parameters
        ----------
        shape : tuple of int
            Shape (ny, nx).
        planes : mapping of str to int, optional
            Name to bit; the planes of LSST's masks if absent.
        """
        return cls(np.zeros(shape, np.int32), planes)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the pixel array."""
        return self.array.shape[0], self.array.shape[1]

    def bits(self, *names: str) -> int:
        """Return the bits of the named planes, or-ed together.

        ``SATURATED`` and ``INTERPOLATED`` are other names of ``SAT`` and ``INTRP``, and the other way round.

        Raises
        ------
        KeyError
            If a plane does not exist.
        """
        value = 0
        for name in names:
            bit = self._bit(name)
            if bit is None:
                raise KeyError(f"no mask plane '{name}'; there are {', '.join(self.planes)}")
            value |= 1 << bit
        return value

    def _bit(self, name: str) -> int | None:
        """Return the number of a plane's bit, by its name or its other name; None if there is no such plane."""
        return self.planes.get(name, self.planes.get(_ALIASES.get(name, name)))

    def known_bits(self, names: Iterable[str]) -> int:
        """Return the bits of those of the named planes that exist.

        Parameters
        ----------
        names : iterable of str
            Names of planes; those that the mask does not have are skipped.

        Returns
        -------
        int
            The bits joined by "or", so 0 if there is no such plane.
        """
        return self.bits(*(name for name in names if self._bit(name) is not None))

    def add_plane(self, name: str) -> int:
        """Make sure that a plane exists and return its bits.

        Parameters
        ----------
        name : str
            Name of the plane. A new plane gets the lowest free bit.

        Raises
        ------
        ValueError
            If all bits are taken.
        """
        if name not in self.planes:
            free = sorted(set(range(_MAX_BIT)) - set(self.planes.values()))
            if not free:
                raise ValueError(f"no free bit for mask plane '{name}': all {_MAX_BIT} are taken")
            self.planes[name] = free[0]
        return self.bits(name)

    def set(self, where: NDArray[np.bool_], *names: str) -> None:
        """Set planes in the chosen pixels, in place.

        Parameters
        ----------
        where : ndarray of bool, shape (ny, nx)
            The pixels.
        *names : str
            Planes of the mask.

        Raises
        ------
        KeyError
            If there is no such plane.
        """
        bits = self.bits(*names)
        plain = self.array.flags.c_contiguous and self.array.flags.writeable
        if _SET and plain and where.dtype == bool and where.shape == self.shape:
            pixels, chosen = self.array.ravel(), np.ascontiguousarray(where).ravel()
            map_threads(lambda part: _SET(pixels[part], pixels[part].size, bits, chosen[part]), _parts(pixels.size))
            return
        self.array[where] |= bits

    def clear(self, *names: str) -> None:
        """Clear the named planes everywhere."""
        self.array &= ~np.int32(self.bits(*names))

    def any(self, *names: str) -> NDArray[np.bool_]:
        """Return, shape (ny, nx), where any of the named planes is set."""
        return self._any(self.bits(*names))

    def any_known(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Return, shape (ny, nx), where any of those of the named planes that exist is set.

        Parameters
        ----------
        names : iterable of str
            Names of planes; those that the mask does not have are skipped.
        """
        return self._any(self.known_bits(names))

    def unusable(self) -> NDArray[np.bool_]:
        """Return, shape (ny, nx), where any of `UNUSABLE_PLANES` is set."""
        return self.any_known(UNUSABLE_PLANES)

    def _any(self, bits: int) -> NDArray[np.bool_]:
        if not (_ANY and self.array.flags.c_contiguous):
            return np.asarray((self.array & bits) != 0)
        found = np.empty(self.shape, np.bool_)
        pixels, seen = self.array.ravel(), found.ravel()
        map_threads(lambda part: _ANY(pixels[part], pixels[part].size, bits, seen[part]), _parts(pixels.size))
        return found

    def percentages(self) -> dict[str, float]:
        """Return what percentage of the pixels has each plane set, for planes that any pixel has."""
        if not self.array.size:
            return {}
        counts = _count_bits(self.array)
        return {name: 100.0 * float(counts[bit]) / self.array.size for name, bit in self.planes.items() if counts[bit]}

    def __repr__(self) -> str:
        return facts_text(self._title(), self._facts())

    def _repr_html_(self) -> str:
        shown = (self.array != 0).astype(np.float32)
        picture = display_function("thumbnail:thumbnail")(shown, scale="minmax")
        return facts_html(self._title(), self._facts(), picture=picture)

    def _title(self) -> str:
        return f"Mask of {self.shape[1]} x {self.shape[0]} pixels"

    def _facts(self) -> dict[str, str]:
        found = self.percentages()
        held = {name: f"{percent:.3g} % of pixels" for name, percent in found.items()}
        return held | {"in no pixel": ", ".join(name for name in self.planes if name not in found)}

    def copy(self) -> "Mask":
        """Return a mask with its own array."""
        return Mask(self.array.copy(), self.planes)


def _count_bits(array: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return in how many pixels each of 32 bits is set, from histograms of either half of the bits."""
    histograms = np.zeros((2, 1 << _HALF), np.int64)
    for low in range(0, array.shape[0], _ROWS):
        rows = array[low : low + _ROWS]
        for half in range(2):
            values = (rows >> (half * _HALF)) & ((1 << _HALF) - 1)
            histograms[half] += np.bincount(values.ravel(), minlength=1 << _HALF)
    has_bit = (np.arange(1 << _HALF)[:, None] >> np.arange(_HALF)) & 1
    return (histograms @ has_bit).ravel()


def _parts(size: int) -> list[slice]:
    """Return slices that divide so many pixels among threads."""
    return [slice(first, min(first + _PART, size)) for first in range(0, size, _PART)]
