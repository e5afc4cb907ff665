"""A part of a dataset that is in memory, by the suffix that asks for it."""

from typing import Any

from obs.errors import DatasetNotFoundError
from obs.geom import Box

__all__ = ["extract_component"]

#: Suffix -> attribute of what a camera's reader may return.
_ATTRIBUTES = {
    "md": "metadata",
    "wcs": "wcs",
    "visitInfo": "visit_info",
    "photoCalib": "photo_calib",
    "psf": "psf",
    "filter": "physical_filter",
    "detector": "detector_name",
}


def extract_component(value: Any, suffix: str, box: Box | None, name: str) -> object:  # noqa: ANN401 - any dataset
    """Return what a suffix asks for; the whole for an empty one.

    Parameters
    ----------
    value : object
        Dataset.
    suffix : str
        Part of it: "bbox", "sub", "len" or an attribute such as "wcs"; empty for the whole.
    box : Box or None
        Region of the part "sub", 0-based pixels.
    name : str
        Name of the dataset type, for the error.

    Raises
    ------
    DatasetNotFoundError
        If the dataset has no such part.
    """
    if not suffix:
        return value
    pixels = getattr(getattr(value, "masked_image", value), "image", value)
    shape: tuple[int, ...] = getattr(pixels, "shape", ())
    if suffix == "bbox" and len(shape) == 2:
        return Box(0, 0, shape[1], shape[0])
    if suffix == "sub" and len(shape) == 2 and box is not None and pixels is value:
        return value[box.slices]
    if suffix == "len" and hasattr(value, "__len__"):
        return len(value)
    part: object = getattr(value, _ATTRIBUTES.get(suffix, ""), None)
    if part is None:
        raise DatasetNotFoundError(f"{name} has no part '{suffix}'", dataset_type=name)
    return part
