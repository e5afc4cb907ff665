"""One amplifier: where its pixels are in the raw image and in the assembled detector."""

from dataclasses import field
from typing import Literal, get_args

from obs.frozen import frozen
from obs.geom import Box

__all__ = ["READOUT_CORNERS", "Amplifier", "NominalCalibration", "ReadoutCorner"]

ReadoutCorner = Literal["LL", "LR", "UR", "UL"]
_EMPTY = Box(0, 0, 0, 0)
READOUT_CORNERS: tuple[ReadoutCorner, ...] = get_args(ReadoutCorner)


@frozen
class NominalCalibration:
    """What is known of an amplifier before any calibration frame is taken; NaN where nothing is known.

    Parameters
    ----------
    gain : float
        Electrons per ADU.
    read_noise : float
        Standard deviation of one read, electrons.
    saturation : float
        Level above which a pixel is masked SAT, ADU.
    suspect : float
        Level above which a pixel is masked SUSPECT, ADU; NaN for none.
    linearity_type : str
        ``None``, ``Squared``, ``Polynomial``, ``Spline`` or ``LookupTable``: how ``linearity_coefficients`` are read.
    linearity_coefficients : tuple of float
        Coefficients in ADU, their meaning given by the type.
    linearity_row : tuple of float
        For ``LookupTable``, the amplifier's row of the camera's table: what is added at each whole level, ADU.
    """

    gain: float = float("nan")
    read_noise: float = float("nan")
    saturation: float = float("nan")
    suspect: float = float("nan")
    linearity_type: str = "None"
    linearity_coefficients: tuple[float, ...] = ()
    linearity_row: tuple[float, ...] = field(default=(), repr=False)


@frozen
class Amplifier:
    """Geometry of one amplifier. Boxes named ``raw`` are in the raw image, before any flip.

    Parameters
    ----------
    name : str
        Name, unique within its detector.
    bbox : Box
        Place in the assembled detector, pixels of the detector.
    raw_bbox : Box
        All pixels that the amplifier read, pixels of the raw image.
    raw_data_bbox : Box
        Pixels that saw light, pixels of the raw image; as large as ``bbox``.
    raw_serial_overscan_bbox : Box
        Overscan read after the data of each row, pixels of the raw image; may be empty.
    raw_parallel_overscan_bbox : Box
        Rows read after the last row of data, pixels of the raw image; may be empty.
    raw_prescan_bbox : Box
        Pixels read before the data, pixels of the raw image; may be empty.
    readout_corner : {"LL", "LR", "UR", "UL"}
        Corner of ``bbox`` that is read first, in the assembled detector: lower left, lower right, upper right,
        upper left.
    flip_x, flip_y : bool
        Whether the columns (rows) of the raw data are reversed when the detector is assembled.
    nominal : NominalCalibration
        Gain, noise and levels; apart from the geometry, since measured values replace them.
    raw_hdu : int
        Number of the HDU of the raw file whose image the ``raw`` boxes are in, where each amplifier has its own; 0, for
        the one image of the file, where they share it.
    overscan_hdu : int
        Number of the HDU that has the overscan of that image, which is put behind its columns (or rows) when it is
        read: the ``raw`` boxes count so. 0 where the overscan is in the image.

    Raises
    ------
    ValueError
        If the corner has another name, ``bbox`` and ``raw_data_bbox`` differ in size, or the HDU is negative.
    """

    name: str
    bbox: Box
    raw_bbox: Box
    raw_data_bbox: Box
    raw_serial_overscan_bbox: Box = _EMPTY
    raw_parallel_overscan_bbox: Box = _EMPTY
    raw_prescan_bbox: Box = _EMPTY
    readout_corner: ReadoutCorner = "LL"
    flip_x: bool = False
    flip_y: bool = False
    nominal: NominalCalibration = field(default_factory=NominalCalibration)
    raw_hdu: int = 0
    overscan_hdu: int = 0

    def __post_init__(self) -> None:
        if self.readout_corner not in READOUT_CORNERS:
            raise ValueError(f"readout_corner is one of {', '.join(READOUT_CORNERS)}, got '{self.readout_corner}'")
        if self.bbox.shape != self.raw_data_bbox.shape:
            raise ValueError(
                f"bbox is {self.bbox.width} x {self.bbox.height} pixels, "
                f"raw_data_bbox {self.raw_data_bbox.width} x {self.raw_data_bbox.height}"
            )
        for name, number in (("raw_hdu", self.raw_hdu), ("overscan_hdu", self.overscan_hdu)):
            if number < 0:
                raise ValueError(f"{name} is the number of an HDU, from 0, got {number}")

    @property
    def raw_boxes(self) -> dict[str, Box]:
        """The boxes in the raw image by field name."""
        return {
            "raw_bbox": self.raw_bbox,
            "raw_data_bbox": self.raw_data_bbox,
            "raw_serial_overscan_bbox": self.raw_serial_overscan_bbox,
            "raw_parallel_overscan_bbox": self.raw_parallel_overscan_bbox,
            "raw_prescan_bbox": self.raw_prescan_bbox,
        }

    @property
    def flip(self) -> tuple[slice, slice]:
        """Index ``[y, x]`` that turns raw data pixels into the order of the assembled detector."""
        return slice(None, None, -1 if self.flip_y else 1), slice(None, None, -1 if self.flip_x else 1)
