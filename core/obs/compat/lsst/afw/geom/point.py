"""Positions and differences of positions, in pixels unless somebody says otherwise."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

__all__ = ["Extent2D", "Extent2I", "ExtentD", "ExtentI", "Point2D", "Point2I", "PointD", "PointI"]


class _Pair:
    """Two coordinates; made of two numbers, of another pair, or of a sequence."""

    _number: ClassVar[type] = float

    def __init__(self, x: Any = 0, y: Any = None) -> None:  # noqa: ANN401 - a number, or two in one
        if y is None and hasattr(x, "__getitem__"):
            x, y = x[0], x[1]
        self.x: Any = self._number(x)
        self.y: Any = self._number(x if y is None else y)

    def getX(self) -> Any:  # noqa: ANN401 - an int or a float
        """Return x, as in the LSST stack."""
        return self.x

    def getY(self) -> Any:  # noqa: ANN401 - an int or a float
        """Return y, as in the LSST stack."""
        return self.y

    def setX(self, x: float) -> None:
        """Set x, as in the LSST stack."""
        self.x = self._number(x)

    def setY(self, y: float) -> None:
        """Set y, as in the LSST stack."""
        self.y = self._number(y)

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401 - an int or a float
        return (self.x, self.y)[index]

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.y))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pair) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((self.x, self.y))

    def __neg__(self) -> Self:
        return type(self)(-self.x, -self.y)

    def __str__(self) -> str:
        return f"({self.x:.12g}, {self.y:.12g})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.x!r}, {self.y!r})"


class Extent2D(_Pair):
    """A difference of two positions, or a size."""

    def __add__(self, other: Any) -> Any:  # noqa: ANN401 - a point stays a point
        kind = type(other) if isinstance(other, Point2D | Point2I) else type(self)
        return kind(self.x + other[0], self.y + other[1])

    def __sub__(self, other: Any) -> Self:  # noqa: ANN401 - any pair
        return type(self)(self.x - other[0], self.y - other[1])

    def __mul__(self, number: float) -> Self:
        return type(self)(self.x * number, self.y * number)

    __rmul__ = __mul__

    def __truediv__(self, number: float) -> "Extent2D":
        return Extent2D(self.x / number, self.y / number)

    def computeNorm(self) -> float:
        """Return the length, as in the LSST stack."""
        return float((self.x**2 + self.y**2) ** 0.5)


class Extent2I(Extent2D):
    """A difference of two pixels, or a size in pixels."""

    _number = int


class Point2D(_Pair):
    """A position, as in the LSST stack."""

    _extent: ClassVar[type[Extent2D]] = Extent2D

    def __add__(self, other: Any) -> Self:  # noqa: ANN401 - any extent
        return type(self)(self.x + other[0], self.y + other[1])

    def __sub__(self, other: Any) -> Any:  # noqa: ANN401 - two points differ by an extent
        kind = self._extent if isinstance(other, Point2D) else type(self)
        return kind(self.x - other[0], self.y - other[1])

    def distanceSquared(self, other: "Point2D") -> float:
        """Return the square of the distance to another position."""
        return float((self.x - other.x) ** 2 + (self.y - other.y) ** 2)


class Point2I(Point2D):
    """The position of a pixel."""

    _number, _extent = int, Extent2I


PointD, PointI, ExtentD, ExtentI = Point2D, Point2I, Extent2D, Extent2I
