"""The tables of a camera that was described in answers: its detectors and their amplifiers."""

from collections.abc import Mapping
from typing import Any

from obs.scaffold.answer_checks import read_grid

__all__ = ["amplifier_rows", "count_detectors", "detector_rows", "detector_size"]

_EMPTY = (0, 0, 0, 0)


def count_detectors(answers: Mapping[str, Any]) -> int:
    """Return the number of detectors.

    Parameters
    ----------
    answers : mapping
        Answers; ``detectors`` is a grid such as "2 x 4".
    """
    rows, columns = read_grid(str(answers["detectors"]))
    return rows * columns


def detector_size(answers: Mapping[str, Any]) -> tuple[int, int]:
    """Return width and height of an assembled detector, pixels.

    Parameters
    ----------
    answers : mapping
        Answers; ``width`` and ``height`` are those of an amplifier's data, pixels.
    """
    rows, columns = read_grid(str(answers["amplifiers"]))
    return columns * int(answers["width"]), rows * int(answers["height"])


def detector_rows(answers: Mapping[str, Any]) -> list[list[Any]]:
    """Return the rows of ``detectors.csv``: numbered from the lower left of the mosaic, along its rows.

    Parameters
    ----------
    answers : mapping
        Fields of `obs.scaffold.answers.Answers`, as text.
    """
    rows, columns = read_grid(str(answers["detectors"]))
    width, height = detector_size(answers)
    raw_width, raw_height = _raw_size(answers)
    pixel = float(answers["pixel_size"])
    steps = (width + float(answers["gap_x"])) * pixel, (height + float(answers["gap_y"])) * pixel
    found: list[list[Any]] = []
    for row in range(rows):
        for column in range(columns):
            number = len(found)
            place = [f"{(column - (columns - 1) / 2) * steps[0]:.6g}", f"{(row - (rows - 1) / 2) * steps[1]:.6g}"]
            sizes = [width, height, raw_width, raw_height, pixel, pixel]
            found.append([number, f"ccd{number}", "SCIENCE", *sizes, *place, 0.0])
    return found


def amplifier_rows(answers: Mapping[str, Any]) -> list[list[Any]]:
    """Return the rows of ``amplifiers.csv``.

    Parameters
    ----------
    answers : mapping
        Fields of `obs.scaffold.answers.Answers`, as text.
    """
    rows, columns = read_grid(str(answers["amplifiers"]))
    width, height = int(answers["width"]), int(answers["height"])
    block = _block_size(answers)
    own = answers["amplifier_images"] == "own"
    corners = _corners(answers)
    nominal = [answers[name] or "nan" for name in ("gain", "read_noise", "saturation")]
    found: list[list[Any]] = []
    for detector in range(count_detectors(answers)):
        first_hdu = 1 + (detector * rows * columns if answers["file_holds"] == "exposure" else 0)
        for number, corner in enumerate(corners):
            row, column = divmod(number, columns)
            origin = (0, 0) if own else (column * block[0], row * block[1])
            boxes, flips = _raw_boxes(answers, corner, origin)
            hdu = first_hdu + number if own else 0
            bbox = (column * width, row * height, width, height)
            found.append([f"ccd{detector}", f"amp{number + 1}", hdu, *bbox, *boxes, corner, *map(int, flips), *nominal])
    return found


def _corners(answers: Mapping[str, Any]) -> list[str]:
    """Return the corner of each amplifier that is read first."""
    rows, columns = read_grid(str(answers["amplifiers"]))
    given = str(answers["readout"]).split() or ["LL"]
    return given if len(given) > 1 else given * (rows * columns)


def _block_size(answers: Mapping[str, Any]) -> tuple[int, int]:
    """Return columns and rows that an amplifier read."""
    columns = sum(int(answers[name]) for name in ("prescan", "width", "overscan"))
    return columns, int(answers["height"]) + int(answers["overscan_rows"])


def _raw_size(answers: Mapping[str, Any]) -> tuple[int, int]:
    """Return columns and rows of a raw image."""
    rows, columns = (1, 1) if answers["amplifier_images"] == "own" else read_grid(str(answers["amplifiers"]))
    width, height = _block_size(answers)
    return columns * width, rows * height


def _raw_boxes(
    answers: Mapping[str, Any], corner: str, origin: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[bool, bool]]:
    """Return the raw boxes of an amplifier in the order of the table, and whether its axes are reversed.

    As read, prescan, data and overscan follow each other from the left, and rows of overscan are above. A file that has
    the pixels as on the detector shows them from the corner that is read first.
    """
    prescan, width, overscan = (int(answers[name]) for name in ("prescan", "width", "overscan"))
    height, overscan_rows = int(answers["height"]), int(answers["overscan_rows"])
    block_width, block_height = _block_size(answers)
    from_right, from_top = corner.endswith("R"), corner.startswith("U")
    as_read = answers["pixel_order"] == "readout"
    mirror_x, mirror_y = from_right and not as_read, from_top and not as_read

    def placed(x: int, y: int, columns: int, rows: int) -> tuple[int, int, int, int]:
        if not columns or not rows:
            return _EMPTY
        left = block_width - x - columns if mirror_x else x
        bottom = block_height - y - rows if mirror_y else y
        return origin[0] + left, origin[1] + bottom, columns, rows

    boxes = (
        placed(0, 0, block_width, block_height),
        placed(prescan, 0, width, height),
        placed(prescan + width, 0, overscan, height),
        placed(prescan, height, width, overscan_rows),
        placed(0, 0, prescan, height),
    )
    return tuple(number for box in boxes for number in box), (from_right and as_read, from_top and as_read)
