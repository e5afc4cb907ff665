"""An amplifier and a detector as raw files show them."""

from dataclasses import field

from obs.frozen import frozen
from obs.geom import Box
from obs.inspection.finding import Finding

__all__ = ["OF_ONE_AMPLIFIER", "AmplifierFacts", "DetectorFacts"]

OF_ONE_AMPLIFIER = "that of the amplifier"
"""How the note of a value begins that a card gives for one of several amplifiers."""


@frozen
class AmplifierFacts:
    """An amplifier as it was found.

    Parameters
    ----------
    name : str
        Its name.
    raw_hdu : int
        HDU of its pixels, where it has one of its own; else 0.
    raw_bbox, data, overscan, parallel_overscan, prescan : Box
        Its pixels in the raw image.
    bbox : Box
        Its place in the detector.
    flip_x, flip_y : bool
        Whether its columns and rows are reversed in the detector.
    corner : str
        Which corner is read first.
    overscan_hdu : int
        HDU of its overscan, where that has one of its own; else 0.
    findings : dict of str to Finding
        ``data``, ``overscan``, ``bbox``, ``readout_corner``, ``gain``, ``read_noise``, ``saturation``.
    """

    name: str
    raw_hdu: int
    raw_bbox: Box
    data: Box
    overscan: Box
    parallel_overscan: Box
    prescan: Box
    bbox: Box
    flip_x: bool = False
    flip_y: bool = False
    corner: str = "LL"
    overscan_hdu: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)


@frozen
class DetectorFacts:
    """A detector as it was found.

    Parameters
    ----------
    raw_shape : tuple of int
        Shape (ny, nx) of a raw image.
    amplifiers : tuple of AmplifierFacts
        Its amplifiers.
    binning : Finding
        ``(x, y)``.
    warnings : tuple of str
        Where header and pixels, or two cards, disagree.
    """

    raw_shape: tuple[int, int]
    amplifiers: tuple[AmplifierFacts, ...]
    binning: Finding
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the assembled detector, pixels."""
        return max(amp.bbox.x_max for amp in self.amplifiers), max(amp.bbox.y_max for amp in self.amplifiers)
