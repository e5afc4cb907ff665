"""The columns of ``detectors.csv`` and ``amplifiers.csv`` and the keys of ``camera.yaml``, and what they mean."""

from obs.camera.amplifier import READOUT_CORNERS
from obs.camera.detector import DETECTOR_TYPES
from obs.camera.table import BOX_PARTS
from obs.frozen import frozen

__all__ = ["AMPLIFIER_COLUMNS", "CAMERA_KEYS", "DETECTOR_COLUMNS", "LINEARITY", "Column"]

#: Columns of the coefficients of linearity.
LINEARITY = tuple(f"linearity_c{power}" for power in range(16))


@frozen
class Column:
    """What is known of a column, or of a key.

    Parameters
    ----------
    description : str
        What it means, and what an empty cell or a missing key stands for.
    unit : str
        Unit; empty for none.
    required : bool
        Whether it must be there.
    """

    description: str
    unit: str = ""
    required: bool = False


def _box(name: str, description: str, *, required: bool = False) -> dict[str, Column]:
    """Return the four columns of a box."""
    first, *rest = (f"{name}_{part}" for part in BOX_PARTS)
    return {first: Column(description, "pixel", required)} | {
        part: Column("As above.", "pixel", required) for part in rest
    }


DETECTOR_COLUMNS = {
    "id": Column("Number, unique in the camera.", required=True),
    "name": Column("Name, unique in the camera.", required=True),
    "serial": Column("Serial number."),
    "type": Column(f"One of {', '.join(DETECTOR_TYPES)}; SCIENCE if empty."),
    "physical_type": Column("Make, such as E2V."),
    "width": Column("Columns of the assembled detector.", "pixel", required=True),
    "height": Column("Rows of the assembled detector.", "pixel", required=True),
    "raw_width": Column("Columns of the raw image.", "pixel", required=True),
    "raw_height": Column("Rows of the raw image.", "pixel", required=True),
    "pixel_size_x": Column("Width of a pixel.", "mm", required=True),
    "pixel_size_y": Column("Height of a pixel.", "mm", required=True),
    "offset_x": Column("Place of the reference point in the focal plane.", "mm", required=True),
    "offset_y": Column("As above.", "mm", required=True),
    "correction_x": Column(
        "Added to offset_x, measured from stars; 0 if empty. It leaves published offsets as they are.",
        "mm",
    ),
    "correction_y": Column("As above, of offset_y.", "mm"),
    "reference_x": Column("The reference point of the detector; its center if empty.", "pixel"),
    "reference_y": Column("As above.", "pixel"),
    "yaw": Column("Rotation of the detector in the focal plane, counter-clockwise; 0 if empty.", "deg"),
    "pitch": Column("Rotation about the focal plane's y axis; 0 if empty.", "deg"),
    "roll": Column("Rotation about the focal plane's x axis; 0 if empty.", "deg"),
    "color_pattern": Column(
        "Colors of the cell of 2 x 2 pixels of a color camera, as the file stores it: first row, then second; one of "
        "RGGB, BGGR, GRBG and GBRG. The detector is then one color of it, with half of the rows and columns."
    ),
    "color": Column("The color: R, G (the mean of both green pixels) or B."),
}

AMPLIFIER_COLUMNS = {
    "detector": Column("Name of the detector, as in detectors.csv.", required=True),
    "name": Column("Name, unique in the detector.", required=True),
    "raw_hdu": Column(
        "Number of the HDU whose image the raw boxes are in; 0, or empty, where amplifiers share the file's image."
    ),
    "overscan_hdu": Column(
        "Number of the HDU with the overscan, where it has one of its own: it is put behind the columns (or rows) of "
        "the image when that is read, and the raw boxes count so; 0 or empty elsewhere."
    ),
    **_box("bbox", "Its place in the assembled detector.", required=True),
    **_box("raw_bbox", "All that the amplifier read, in the raw image.", required=True),
    **_box("raw_data_bbox", "What saw light, in the raw image; as large as bbox.", required=True),
    **_box("raw_serial_overscan_bbox", "Overscan read after the data of each row; none if empty."),
    **_box("raw_parallel_overscan_bbox", "Rows read after the last row of data; none if empty."),
    **_box("raw_prescan_bbox", "What was read before the data; none if empty."),
    "readout_corner": Column(
        f"Corner of bbox that is read first: {', '.join(READOUT_CORNERS)} (lower left, lower right and so on).",
        required=True,
    ),
    "flip_x": Column("1 where the columns of the raw data are reversed in the assembled detector."),
    "flip_y": Column("1 where the rows are."),
    "gain": Column("Gain; counts as 1, with a warning, if empty.", "electron/adu", required=True),
    "read_noise": Column("Noise of one read; that of the overscan if empty.", "electron", required=True),
    "saturation": Column("Pixels above are masked SAT; none if empty.", "adu", required=True),
    "suspect": Column("Pixels above are masked SUSPECT; none if empty.", "adu"),
    "linearity_type": Column("None, Squared, Polynomial, Spline or LookupTable; None if empty."),
    LINEARITY[0]: Column("Coefficients, read as linearity_type says.", "adu"),
    **{name: Column("As above.", "adu") for name in LINEARITY[1:]},
}

CAMERA_KEYS = {
    "name": Column("Name of the camera.", required=True),
    "plate_scale": Column("Scale of the focal plane.", "arcsec/mm", required=True),
    "linearity_table": Column(
        "File beside camera.yaml, CSV without a header: a row a table, of what is added at 0, 1, 2 and so on adu; for "
        "amplifiers of the linearity type LookupTable."
    ),
    "distortion.radial": Column("The list of c, for r (1 + c0 r^2 + c1 r^4 + ...); none if missing."),
    "distortion.polynomial": Column("Polynomials of the distortion in both axes: keys order, unit, x and y."),
    "orientation.rotation": Column(
        "From north to the y axis, through east, with the rotator at zero; 0 if missing.", "deg"
    ),
    "orientation.flip_x": Column(
        "Whether x, on the sky with y up, points left: east where y is north; false if missing."
    ),
}
