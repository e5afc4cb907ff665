"""One amplifier, in the words of the stack."""

from obs.camera.amplifier import Amplifier as OwnAmplifier
from obs.compat.lsst.afw.geom.box import Box2I

__all__ = ["Amplifier"]


class Amplifier:
    """One amplifier, as in the LSST stack.

    Parameters
    ----------
    own : obs.camera.amplifier.Amplifier
        The amplifier of `obs`.
    """

    def __init__(self, own: OwnAmplifier) -> None:
        #: The amplifier of `obs`.
        self.own = own

    def getName(self) -> str:
        """Return the name of the amplifier."""
        return self.own.name

    def getBBox(self) -> Box2I:
        """Return the box of its pixels in the assembled detector."""
        return Box2I.from_box(self.own.bbox)

    def getGain(self) -> float:
        """Return the gain of the camera's table, electron/adu; NaN if it is unknown."""
        return self.own.nominal.gain

    def getReadNoise(self) -> float:
        """Return the read noise of the camera's table, electrons; NaN if it is unknown."""
        return self.own.nominal.read_noise

    def getSaturation(self) -> float:
        """Return the level at which pixels are saturated, ADU; NaN if it is unknown."""
        return self.own.nominal.saturation

    def getSuspectLevel(self) -> float:
        """Return the level from which counts are suspect, ADU; NaN if it is unknown."""
        return self.own.nominal.suspect

    def getLinearityType(self) -> str:
        """Return the kind of linearity correction."""
        return self.own.nominal.linearity_type

    def getLinearityCoeffs(self) -> list[float]:
        """Return the coefficients of the linearity correction."""
        return list(self.own.nominal.linearity_coefficients)

    def getRawBBox(self) -> Box2I:
        """Return all of its pixels in the raw image."""
        return Box2I.from_box(self.own.raw_bbox)

    def getRawDataBBox(self) -> Box2I:
        """Return its pixels that saw light, in the raw image."""
        return Box2I.from_box(self.own.raw_data_bbox)

    def getRawHorizontalOverscanBBox(self) -> Box2I:
        """Return the overscan of its rows, in the raw image."""
        return Box2I.from_box(self.own.raw_serial_overscan_bbox)

    def getRawSerialOverscanBBox(self) -> Box2I:
        """Return the overscan of its rows, in the raw image."""
        return self.getRawHorizontalOverscanBBox()

    def getRawVerticalOverscanBBox(self) -> Box2I:
        """Return the overscan of its columns, in the raw image."""
        return Box2I.from_box(self.own.raw_parallel_overscan_bbox)

    def getRawParallelOverscanBBox(self) -> Box2I:
        """Return the overscan of its columns, in the raw image."""
        return self.getRawVerticalOverscanBBox()

    def getRawPrescanBBox(self) -> Box2I:
        """Return the pixels read before the data of each row, in the raw image."""
        return Box2I.from_box(self.own.raw_prescan_bbox)

    def getRawFlipX(self) -> bool:
        """Return whether columns are reversed when the detector is assembled."""
        return self.own.flip_x

    def getRawFlipY(self) -> bool:
        """Return whether rows are reversed when the detector is assembled."""
        return self.own.flip_y

    def __repr__(self) -> str:
        """Return the name and the place in the detector."""
        return f"Amplifier({self.own.name!r}, {self.getBBox()})"
