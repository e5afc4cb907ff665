"""Exposure numbers: what a data ID says, as the digits of one whole number."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from obs.errors import DataIdError
from obs.frozen import frozen

__all__ = ["Digit", "ExposurePacker", "largest_exposure_id"]


def largest_exposure_id(bits: int) -> int:
    """Return the largest exposure number that source ids can begin with.

    Source ids have 64 bits, the highest of which is their sign. So ``bits`` count a sign too, as in the LSST stack.

    Parameters
    ----------
    bits : int
        ``exposure_id_bits`` of the camera.
    """
    return (1 << (bits - 1)) - 1


@frozen
class Digit:
    """One key of the data ID, as a digit of the exposure number.

    Parameters
    ----------
    key : str
        The key.
    base : int, optional
        How many values have room. Only the first digit of a packer may do without: it has the rest of the bits.
    allowed : range or str or sequence of str, optional
        Which values there are: whole numbers that represent themselves, or words that represent their place in the
        list. All numbers from 0 to ``base - 1`` if None.
    """

    key: str
    base: int | None = None
    allowed: range | Sequence[str] | None = None

    def value(self, data_id: Mapping[str, Any], base: int) -> int:
        """Return the digit of a data ID.

        Parameters
        ----------
        data_id : mapping
            Data ID of an exposure.
        base : int
            Number of values that have room, used if the digit does not list its values.

        Returns
        -------
        int
            The value itself, or for words its place in the list, from 0.

        Raises
        ------
        DataIdError
            If the key is missing, or its value has no room.
        """
        if self.key not in data_id:
            raise DataIdError(f"the number of an exposure needs the key '{self.key}'", data_id=data_id, key=self.key)
        given, allowed = data_id[self.key], range(base) if self.allowed is None else self.allowed
        if not isinstance(allowed, range):
            words = list(allowed)
            if str(given) not in words:
                raise DataIdError(f"{self.key}={given} is none of {', '.join(words)}", data_id=data_id, key=self.key)
            return words.index(str(given))
        if int(given) not in allowed:
            limits = f"from {allowed[0]} to {allowed[-1]}"
            raise DataIdError(f"{self.key}={given} is not {limits}", data_id=data_id, key=self.key)
        return int(given)


class ExposurePacker:
    """Packs keys of a data ID into one whole number, in a mixed radix: the last digit changes fastest.

    An instance is a function from a data ID to the number, as ``exposure_id`` of an `Instrument` wants it::

        exposure_id = ExposurePacker(Digit("visit", 2**32), Digit("ccd", 8))

    Parameters
    ----------
    *digits : Digit
        The digits, the most significant first.
    bits : int, optional
        ``exposure_id_bits`` of the camera, for a first digit without a base.

    Attributes
    ----------
    bits : int
        Bits that its numbers need, with one for the sign.

    Raises
    ------
    ValueError
        If neither or both of ``bits`` and the base of the first digit are given, or another digit has no base.
    """

    def __init__(self, *digits: Digit, bits: int | None = None) -> None:
        first, *others = digits
        rest = [digit.base for digit in others if digit.base is not None]
        if len(rest) < len(others) or (first.base is None) == (bits is None):
            raise ValueError("give each digit a base; of the first digit, the base or the bits of the whole number")
        if first.base is None:
            self.bits = bits or 0
            base = (largest_exposure_id(self.bits) + 1) // prod(rest)
        else:
            base = first.base
            self.bits = (base * prod(rest) - 1).bit_length() + 1
        self._digits = tuple(zip(digits, (base, *rest), strict=True))

    def __call__(self, data_id: Mapping[str, Any]) -> int:
        """Return the number of a data ID, less than 2 to the power of ``bits - 1``.

        Raises
        ------
        DataIdError
            If a key is missing, or its value has no room.
        """
        number = 0
        for digit, base in self._digits:
            number = number * base + digit.value(data_id, base)
        return number
