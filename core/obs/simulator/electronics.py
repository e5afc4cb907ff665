"""From charge to numbers in a file: gain, crosstalk, linearity, bias, overscan, read noise, conversion."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_blocks
from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.errors import ConfigError, PluginError
from obs.simulator.config import DetectorConfig
from obs.simulator.fixed_pattern import FixedPattern
from obs.simulator.saturation import bleed

__all__ = ["HIGHEST", "adu_from_charge", "bleed_amplifiers", "known_gain", "known_saturation", "read_out"]

Image = NDArray[np.float32]

#: Largest number that the converter gives, ADU.
HIGHEST = 65535

#: Steps of the table by which linearity is inverted, ADU.
_TABLE_STEP = 16.0
#: Rows that are worked on together.
_ROWS = 256


def known_gain(amp: Amplifier) -> float:
    """Return electrons per ADU; 1 where the camera does not say.

    Parameters
    ----------
    amp : Amplifier
        An amplifier; its gain may be NaN.
    """
    return amp.nominal.gain if amp.nominal.gain > 0 else 1.0


def known_saturation(amp: Amplifier) -> float:
    """Return the level of saturation in the raw frame, ADU: that of the converter where the camera does not say.

    Parameters
    ----------
    amp : Amplifier
        An amplifier; its saturation may be NaN.
    """
    return min(amp.nominal.saturation, float(HIGHEST)) if amp.nominal.saturation > 0 else float(HIGHEST)


def bleed_amplifiers(charge: Image, detector: Detector, levels: Sequence[float], full_well: float) -> NDArray[np.bool_]:
    """Let saturated pixels bleed within their amplifier.

    Parameters
    ----------
    charge : ndarray of float32, shape (ny, nx)
        Electrons in the assembled detector, changed in place.
    detector : Detector
        Whose amplifiers say where they saturate.
    levels : sequence of float
        Level of each amplifier's zero, ADU.
    full_well : float
        Charge at which pixels bleed, as a multiple of that at saturation.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        Pixels above saturation.
    """
    saturated = np.zeros(charge.shape, np.bool_)
    for amp, level in zip(detector.amplifiers, levels, strict=True):
        limit = max(known_saturation(amp) - level, 1.0) * known_gain(amp)
        bleed(charge[amp.bbox.slices], full_well * limit)
        saturated[amp.bbox.slices] = charge[amp.bbox.slices] >= limit
    return saturated


def adu_from_charge(charge: Image, detector: Detector, crosstalk: Sequence[Sequence[float]]) -> Image:
    """Return the assembled detector in ADU, with crosstalk, before linearity.

    Parameters
    ----------
    charge : ndarray of float32, shape (ny, nx)
        Electrons; overwritten.
    detector : Detector
        Whose amplifiers give gains and corners.
    crosstalk : sequence of sequence of float
        Part of the signal of each amplifier (row) that each other one (column) sees; empty for none.

    Raises
    ------
    ConfigError
        If the matrix has another size than the detector has amplifiers.
    """
    for amp in detector.amplifiers:
        charge[amp.bbox.slices] *= np.float32(1.0 / known_gain(amp))
    if not crosstalk:
        return charge
    n = len(detector.amplifiers)
    if len(crosstalk) != n or any(len(row) != n for row in crosstalk):
        raise ConfigError(
            f"detector.crosstalk: detector '{detector.name}' has {n} amplifiers and needs {n} rows of {n} numbers",
            field="detector.crosstalk",
        )
    adu, seen = charge, charge.copy()
    for source, row in zip(detector.amplifiers, crosstalk, strict=True):
        for target, coefficient in zip(detector.amplifiers, row, strict=True):
            if source is not target and coefficient and source.bbox.shape == target.bbox.shape:
                flip = _flip_between(source, target)
                seen[target.bbox.slices] += adu[source.bbox.slices][flip] * np.float32(coefficient)
    return seen


def _flip_between(source: Amplifier, target: Amplifier) -> tuple[slice, slice]:
    """Return the index that puts pixels of two amplifiers in the order in which they are read."""
    flip_x = source.readout_corner[1] != target.readout_corner[1]
    flip_y = source.readout_corner[0] != target.readout_corner[0]
    return slice(None, None, -1 if flip_y else 1), slice(None, None, -1 if flip_x else 1)


def read_out(
    adu: Image, detector: Detector, pattern: FixedPattern, config: DetectorConfig, random: np.random.Generator
) -> dict[int, NDArray[np.uint16]]:
    """Return the raw frame after readout.

    Parameters
    ----------
    adu : ndarray of float32, shape (ny, nx)
        Signal in the assembled detector, ADU; overwritten.
    detector : Detector
        Where the amplifiers' pixels are in the raw frame.
    pattern : FixedPattern
        Bias and levels.
    config : DetectorConfig
        Drift of the zero.
    random : Generator
        Random numbers.

    Returns
    -------
    dict of int to ndarray of uint16, shape ``detector.raw_shape``
        Numbers as in a file, by HDU; all in HDU 0 unless amplifiers have HDUs of their own.
    """
    empty = np.float32(pattern.levels.mean())
    images = {amp.raw_hdu: np.full(detector.raw_shape, empty, np.float32) for amp in detector.amplifiers}
    for amp, level in zip(detector.amplifiers, pattern.levels, strict=True):
        raw = images[amp.raw_hdu]
        rows = np.full(detector.raw_shape[0], level)
        if not amp.raw_serial_overscan_bbox.is_empty:
            rows += _drift(config.drift, len(rows), random)
        for box in amp.raw_boxes.values():
            raw[box.slices] = rows[box.slices[0], None]
        signal = _before_linearity(adu[amp.bbox.slices], amp)
        signal += pattern.bias[amp.bbox.slices]
        raw[amp.raw_data_bbox.slices] += signal[amp.flip]
        if amp.nominal.read_noise > 0:
            _add_noise(raw, amp, random)
    return {hdu: _convert(raw) for hdu, raw in images.items()}


def _add_noise(raw: Image, amp: Amplifier, random: np.random.Generator) -> None:
    """Add read noise to all pixels of an amplifier, some rows at a time."""
    noise = np.float32(amp.nominal.read_noise / known_gain(amp))
    for place in _distinct(amp):
        pixels = raw[place]
        for rows in row_blocks(pixels.shape):
            part = random.standard_normal(pixels[rows].shape, np.float32)
            part *= noise
            pixels[rows] += part


def _convert(raw: Image) -> NDArray[np.uint16]:
    """Return whole numbers within the range of the converter."""
    counts = np.empty(raw.shape, np.uint16)
    for rows in row_blocks(raw.shape):
        part = np.rint(raw[rows], out=raw[rows])
        counts[rows] = np.clip(part, 0.0, HIGHEST, out=part)
    return counts


def _distinct(amp: Amplifier) -> list[tuple[slice, slice]]:
    """Return index of the amplifier's pixels in the raw frame, each pixel once."""
    boxes = [amp.raw_bbox]
    boxes += [box for box in amp.raw_boxes.values() if box.intersection(amp.raw_bbox).is_empty and not box.is_empty]
    return [box.slices for box in boxes if not box.is_empty]


def _drift(amplitude: float, n: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return a smooth drift of the zero over the rows, and its offset in this exposure."""
    phase, offset = random.uniform(0.0, 2.0 * np.pi), random.standard_normal()
    place = np.arange(n) / max(n, 1)
    rows: NDArray[np.float64] = amplitude * (offset + np.sin(3.0 * np.pi * place + phase) + np.exp(-place / 0.02))
    return rows


def _before_linearity(signal: Image, amp: Amplifier) -> Image:
    """Return what the amplifier gives for a signal (ADU): what the camera's linearity correction turns into it.

    The signal itself is changed.

    Raises
    ------
    PluginError
        If the correction is of a kind that the simulator cannot turn round.
    """
    kind, coefficients = amp.nominal.linearity_type, amp.nominal.linearity_coefficients
    if kind in ("None", "none", "", "Proportional") or (not any(coefficients) and not amp.nominal.linearity_row):
        return signal
    step = 1.0 if amp.nominal.linearity_row else _TABLE_STEP
    given = np.arange(0.0, 4.0 * HIGHEST, step)
    corrected = given + _correction(given, amp)
    turn = np.flatnonzero(np.diff(corrected) <= 0)
    end = int(turn[0]) + 1 if len(turn) else len(given)
    for start in range(0, len(signal), _ROWS):
        part = signal[start : start + _ROWS]
        part[:] = np.where(part > 0, np.interp(part, corrected[:end], given[:end]), part)
    return signal


def _correction(given: NDArray[np.float64], amp: Amplifier) -> NDArray[np.float64]:
    """Return what the camera's correction adds to counts."""
    kind, coefficients = amp.nominal.linearity_type, amp.nominal.linearity_coefficients
    if kind in ("Squared", "squared"):
        return np.asarray(coefficients[0] * given**2)
    if kind in ("Polynomial", "polynomial"):
        terms = [value * given**power for power, value in enumerate(coefficients, start=2) if np.isfinite(value)]
        return np.asarray(np.sum(terms, axis=0))
    if kind == "Spline":
        from scipy.interpolate import Akima1DInterpolator  # noqa: PLC0415 - slow to import, and few cameras need it

        knots, values = np.split(np.array(coefficients), 2)
        subtracted: NDArray[np.float64] = Akima1DInterpolator(knots, values)(np.clip(given, knots[0], knots[-1]))
        return -subtracted
    if kind == "LookupTable" and amp.nominal.linearity_row:
        row = np.array(amp.nominal.linearity_row)
        first = int(coefficients[1]) if len(coefficients) > 1 else 0
        return np.asarray(row[np.clip(given.astype(int) + first, 0, len(row) - 1)])
    raise PluginError(f"amplifier '{amp.name}': the simulator knows no linearity of type '{kind}' without a table")
