"""Whether the overscan is where the camera has it: lower and flatter than the data, and without light."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.camera.amplifier import Amplifier
from obs.doctor.check import Check
from obs.doctor.exposure import RawFrame
from obs.doctor.geometry import section
from obs.doctor.levels import Level, amplifier_image, column_levels, measure_level
from obs.doctor.places import amplifier_place
from obs.frozen import frozen
from obs.geom import Box

__all__ = ["check_overscan"]

_PARTLY_LIT, _HALF = 0.3, 0.5
_LIGHT = 5.0
"""Light is seen where the data are this many times their noise above the overscan."""


@frozen
class _Amp:
    """An amplifier with its pixels and levels."""

    exposure: RawFrame
    amp: Amplifier
    image: NDArray[np.generic]
    data: Level
    overscan: Level

    @property
    def light(self) -> float:
        """How much higher the data are, ADU."""
        return self.data.level - self.overscan.level

    def is_lit(self) -> bool:
        return self.light > _LIGHT * max(self.overscan.noise, 1.0)

    def columns(self, box: Box) -> NDArray[np.float64]:
        return column_levels(np.asarray(self.image[box.slices], np.float64))

    def wrong(self, what: str, box: Box, note: str, column: str, how: str) -> Check:
        remedy = f"{amplifier_place(self.exposure.instrument, self.exposure.detector, self.amp, column)}: {how}"
        return Check("overscan", f"{what} of {self.amp.name}", section(box), "pixels", "wrong", note, remedy)


def check_overscan(exposure: RawFrame) -> Iterator[Check]:
    """Yield a check for the overscan of each amplifier, and for its data where they reach into it."""
    for amp in exposure.detector.amplifiers:
        name, box = f"overscan of {amp.name}", amp.raw_serial_overscan_bbox
        if box.is_empty:
            yield Check("overscan", name, "none", "amplifiers.csv", "not known", "the level is not subtracted")
            continue
        data = measure_level(exposure.raw, amp, amp.raw_data_bbox)
        overscan = measure_level(exposure.raw, amp, box)
        if data is None or overscan is None:
            yield Check("overscan", name, section(box), "pixels", "not known", "it has too few pixels to measure")
            continue
        image = amplifier_image(exposure.raw, amp)
        found = list(_faults(_Amp(exposure, amp, image, data, overscan)))
        yield from found
        if not found:
            value = f"{overscan.level:.1f} ADU, noise {overscan.noise:.2f}"
            yield Check("overscan", name, f"{value}; data {data.level:.1f}, noise {data.noise:.2f}", "pixels")


def _faults(it: _Amp) -> Iterator[Check]:
    box, data = it.amp.raw_serial_overscan_bbox, it.amp.raw_data_bbox
    beside = box.y_min < data.y_max and data.y_min < box.y_max
    if it.light < -max(1.5 * it.overscan.noise, 3.0):
        note = f"its level is {it.overscan.level:.1f} ADU, above that of the data, {it.data.level:.1f} ADU"
        yield it.wrong("overscan", box, note, "raw_serial_overscan_bbox_*", _other_place(it))
        return
    if beside:
        moved = list(_edges(it, box, data))
        yield from moved
        if moved:
            return
    if it.overscan.noise > 1.5 * it.data.noise and it.overscan.noise - it.data.noise > 1.0:
        note = f"its noise is {it.overscan.noise:.2f} ADU, that of the data {it.data.noise:.2f} ADU: it sees light"
        yield it.wrong("overscan", box, note, "raw_serial_overscan_bbox_*", _other_place(it))
    elif it.overscan.spread > max(3.0 * it.overscan.noise, 0.3 * it.light, 5.0) and it.is_lit():
        note = f"the levels of its columns scatter by {it.overscan.spread:.1f} ADU: it is not flat"
        yield it.wrong("overscan", box, note, "raw_serial_overscan_bbox_*", _other_place(it))


def _other_place(it: _Amp) -> str:
    """Return where the pixels have columns without light."""
    own_box = None
    for facts in it.exposure.facts.amplifiers if it.exposure.facts is not None else ():
        if facts.raw_hdu == it.amp.raw_hdu and not facts.overscan.is_empty:
            own_box = (
                facts.overscan if own_box is None or facts.data.intersection(it.amp.raw_data_bbox).width else own_box
            )
    if own_box is not None and own_box != it.amp.raw_serial_overscan_bbox:
        return f"the file itself has it at {section(own_box)}: x_min {own_box.x_min}, width {own_box.width}"
    size = f"{it.image.shape[1]} x {it.image.shape[0]} pixels"
    return f"find the columns without light in the image of {size}; is it the overscan of another amplifier?"


def _edges(it: _Amp, box: Box, data: Box) -> Iterator[Check]:
    """Yield checks for columns of the overscan that see light, and columns of the data that see none."""
    # the rows that both have
    common = Box(box.x_min, data.y_min, box.width, data.height).intersection(box)
    profile, light = it.columns(common), it.columns(data)
    dark = min(float(np.percentile(profile, 25)), float(np.median(profile)))
    level = float(np.median(light))
    step = level - dark
    if step < _LIGHT * max(it.data.noise / 2.0, 1.0):
        return
    left, right = _run(profile > dark + _PARTLY_LIT * step), _run((profile > dark + _PARTLY_LIT * step)[::-1])
    if left or right:
        yield _overscan_with_light(it, box, left, right)
    left, right = _dark_edge(light, dark, step), _dark_edge(light[::-1], dark, step)
    if left or right:
        yield _data_without_light(it, data, left, right)


def _run(flags: NDArray[np.bool_]) -> int:
    """Return how many flags in a row are set at the beginning."""
    return len(flags) if flags.all() else int(np.argmin(flags))


def _dark_edge(light: NDArray[np.float64], dark: float, step: float) -> int:
    """Return how many columns are dark at the beginning, if the light sets in at once behind them."""
    count = _run(light < dark + 0.1 * step)
    behind = light[count : count + 3]
    return count if len(behind) and count < len(light) // 2 and float(behind.max()) > dark + _HALF * step else 0


def _overscan_with_light(it: _Amp, box: Box, left: int, right: int) -> Check:
    many = f"{left + right} of its {box.width} columns"
    side = "left" if left >= right else "right"
    note = f"{many}, at its {side}, are as bright as the data: they see light"
    if left + right >= box.width:
        return it.wrong("overscan", box, note, "raw_serial_overscan_bbox_*", _other_place(it))
    shift = left if left >= right else -right
    keeps = box.x_min + shift >= 0 and box.x_max + shift <= it.image.shape[1] and not left * right
    width = box.width if keeps else box.width - left - right
    start = box.x_min + (shift if keeps else left)
    how = f"x_min {start} in place of {box.x_min}" + ("" if keeps else f", width {width} in place of {box.width}")
    return it.wrong("overscan", box, note, "raw_serial_overscan_bbox_x_min", how)


def _data_without_light(it: _Amp, data: Box, left: int, right: int) -> Check:
    side, count = ("left", left) if left >= right else ("right", right)
    note = f"{count} columns at its {side} are as dark as the overscan: they see no light"
    start = data.x_min + left if left >= right else data.x_min - right
    how = f"x_min {start} in place of {data.x_min}, or fewer columns"
    return it.wrong("data", data, note, "raw_data_bbox_x_min", how)
