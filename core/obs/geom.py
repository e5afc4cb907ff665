"""Integer boxes, and the conventions that hold everywhere.

Pixels are 0-based with centers at integers; boxes are half-open; arrays are indexed ``[y, x]`` while words are
``x, y``. FITS's 1-based inclusive sections exist only in `Box.from_section` and `Box.to_section`.
"""

import re

from obs.frozen import frozen

__all__ = ["Box"]

_SECTION = re.compile(r"\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*")


@frozen
class Box:
    """A half-open rectangle of pixels; ``width`` or ``height`` 0 is an empty box.

    Parameters
    ----------
    x_min, y_min : int
        First column and row, pixels.
    width, height : int
        Extent, pixels; not negative.

    Raises
    ------
    ValueError
        If an extent is negative.

    Examples
    --------
    >>> from obs import Box
    >>> box = Box(10, 20, 30, 40)
    >>> box.x_max, box.shape
    (40, (40, 30))
    """

    x_min: int
    y_min: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 0 or self.height < 0:
            raise ValueError(f"box extent must not be negative, got width {self.width}, height {self.height}")

    @property
    def x_max(self) -> int:
        """First column to the right of the box."""
        return self.x_min + self.width

    @property
    def y_max(self) -> int:
        """First row above the box."""
        return self.y_min + self.height

    @property
    def shape(self) -> tuple[int, int]:
        """Shape ``(height, width)`` of an array that covers the box."""
        return self.height, self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index ``[y, x]`` of the box in an array whose first pixel is (0, 0)."""
        return slice(self.y_min, self.y_max), slice(self.x_min, self.x_max)

    @property
    def is_empty(self) -> bool:
        """Whether the box holds no pixel."""
        return self.width == 0 or self.height == 0

    def contains(self, other: "Box") -> bool:
        """Whether every pixel of ``other`` lies in this box.

        Parameters
        ----------
        other : Box
            Another box in the same pixels. An empty one is contained in every box.
        """
        return other.is_empty or (
            self.x_min <= other.x_min
            and self.y_min <= other.y_min
            and other.x_max <= self.x_max
            and other.y_max <= self.y_max
        )

    def intersection(self, other: "Box") -> "Box":
        """Return the pixels that both boxes hold; empty where they do not meet.

        Parameters
        ----------
        other : Box
            Another box in the same pixels.
        """
        x_min, y_min = max(self.x_min, other.x_min), max(self.y_min, other.y_min)
        width = max(0, min(self.x_max, other.x_max) - x_min)
        height = max(0, min(self.y_max, other.y_max) - y_min)
        return Box(x_min, y_min, width, height)

    @classmethod
    def from_section(cls, section: str) -> "Box":
        """Read a FITS section such as ``[1:512, 1:4176]``; ends may be given in either order.

        Parameters
        ----------
        section : str
            Section whose pixels count from 1 and whose ends belong to it, x first.

        Returns
        -------
        Box
            Box in 0-based pixels.

        Raises
        ------
        ValueError
            If the text is not a section; pixels count from one.
        """
        match = _SECTION.fullmatch(section)
        ends = [int(end) for end in match.groups()] if match is not None else [0]
        if min(ends) < 1:
            raise ValueError(f"'{section}' is not a FITS section like '[1:512,1:4176]'")
        x_0, x_1, y_0, y_1 = ends
        return cls(min(x_0, x_1) - 1, min(y_0, y_1) - 1, abs(x_1 - x_0) + 1, abs(y_1 - y_0) + 1)

    def to_section(self) -> str:
        """Return the FITS section, 1-based and inclusive.

        Raises
        ------
        ValueError
            If the box is empty or begins below pixel 0: no section says that.
        """
        if self.is_empty or min(self.x_min, self.y_min) < 0:
            raise ValueError(f"{self} has no FITS section: sections begin at 1 and hold a pixel")
        return f"[{self.x_min + 1}:{self.x_max},{self.y_min + 1}:{self.y_max}]"
