"""Transmission curves in the archives of the LSST stack.

References
----------
The stack's afw (`image/TransmissionCurve.cc`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.repo.lsst_objects.archive import Archive, field, numbers
from obs.repo.lsst_objects.ast_maps import apply_frames
from obs.repo.lsst_objects.ast_text import parse_ast

__all__ = ["TransmissionCurve", "read_transmission_curve"]

Floats = NDArray[np.float64]

_MAX_DEPTH = 20
_CLASSES = ("Identity", "Constant", "Radial", "Product", "Transformed")


@frozen
class TransmissionCurve:
    """The fraction of light that comes through, by wavelength.

    Parameters
    ----------
    wavelengths : ndarray of float64, shape (n,)
        Wavelengths at which it is given, angstrom; none for a curve that is 1 everywhere.
    rule : callable
        From x and y, in the units of the curve, and wavelengths to fractions.
    """

    wavelengths: Floats
    rule: Callable[[float, float, Floats], Floats]

    def sample(self, wavelengths: Any, *, x: float = 0.0, y: float = 0.0) -> Floats:  # noqa: ANN401 - numbers
        """Return the fractions at wavelengths, angstrom, for a position as the stack counts pixels.

        Parameters
        ----------
        wavelengths : array_like of float
            Wavelengths, angstrom.
        x, y : float, default: 0.0
            Position on the detector, as the stack counts pixels.

        Returns
        -------
        ndarray of float64
            Of the shape of ``wavelengths``.
        """
        return self.rule(x, y, np.asarray(wavelengths, np.float64))


def read_transmission_curve(archive: Archive, number: int, depth: int = 0) -> TransmissionCurve:
    """Return a curve by its number.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the curve in it.
    depth : int, default: 0
        Number of curves that this one is inside of. It ends the reading of a curve that contains itself.

    Raises
    ------
    FileFormatError
        If it is of a class that is not read.
    """
    name, rows = archive.find(number)
    kind = name.removesuffix("TransmissionCurve")
    if kind not in _CLASSES or kind == name:
        known = ", ".join(f"{one}TransmissionCurve" for one in _CLASSES)
        raise FileFormatError(f"its transmission curve is of the stack's class {name}, which is not read; {known} are")
    if depth > _MAX_DEPTH:
        raise FileFormatError("the archive is damaged: a transmission curve contains itself")
    if kind == "Identity":
        return TransmissionCurve(np.zeros(0), lambda x, y, at: np.ones_like(at))
    row = rows[0][0]
    if kind == "Product":
        parts = [read_transmission_curve(archive, int(field(row, part)), depth + 1) for part in "ab"]
        return _product(*parts)
    if kind == "Transformed":
        nested = read_transmission_curve(archive, int(field(row, "nested")), depth + 1)
        return _transformed(nested, archive, int(field(row, "transform")))
    return _tabulated(row, is_radial=kind == "Radial")


def _tabulated(row: Any, *, is_radial: bool) -> TransmissionCurve:  # noqa: ANN401 - a row of astropy
    nodes, values = numbers(row, "wavelengths"), numbers(row, "throughput")
    ends = float(field(row, "throughputAtMin")), float(field(row, "throughputAtMax"))
    radii = numbers(row, "radii") if is_radial else np.zeros(1)
    if len(values) != len(nodes) * len(radii) or not len(nodes):
        raise FileFormatError(f"its transmission curve is damaged: {len(values)} values at {len(nodes)} wavelengths")
    table = values.reshape(len(radii), len(nodes))

    def rule(x: float, y: float, at: Floats) -> Floats:
        place = np.interp(np.hypot(x, y), radii, np.arange(len(radii)))
        low = min(int(place), len(radii) - 1)
        high = min(low + 1, len(radii) - 1)
        curve = table[low] + (place - low) * (table[high] - table[low])
        return np.asarray(np.interp(at, nodes, curve, left=ends[0], right=ends[1]))

    return TransmissionCurve(nodes, rule)


def _product(one: TransmissionCurve, other: TransmissionCurve) -> TransmissionCurve:
    def rule(x: float, y: float, at: Floats) -> Floats:
        first, second = one.rule(x, y, at), other.rule(x, y, at)
        # nothing comes through where one of them is 0, even if the other is not known there
        return np.where((first == 0) | (second == 0), 0.0, first * second)

    return TransmissionCurve(np.union1d(one.wavelengths, other.wavelengths), rule)


def _transformed(nested: TransmissionCurve, archive: Archive, number: int) -> TransmissionCurve:
    name, row = archive.row(number)
    column = next((column for column in ("bytes", "frameSet") if column in row.array.dtype.names), None)
    if column is None:
        raise FileFormatError(f"its transmission curve has a {name} without a text, which is not read")
    frames = parse_ast(bytes(np.asarray(field(row, column), np.uint8)).decode("latin-1"))

    def rule(x: float, y: float, at: Floats) -> Floats:
        u, v = apply_frames(frames, np.array([[x], [y]], np.float64))[:, 0]
        return nested.rule(float(u), float(v), at)

    return TransmissionCurve(nested.wavelengths, rule)
