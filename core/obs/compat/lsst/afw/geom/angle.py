"""Angles that know their unit."""

import math
from typing import Any, overload

__all__ = ["Angle", "AngleUnit", "arcminutes", "arcseconds", "degrees", "hours", "milliarcseconds", "radians"]


class AngleUnit:
    """A unit of angles; a number times a unit is an `Angle`.

    Parameters
    ----------
    name : str
        Name.
    size : float
        Radians.
    """

    #: A number of numpy times a unit is an angle, too.
    __array_ufunc__ = None

    def __init__(self, name: str, size: float) -> None:
        self.name, self.size = name, size

    def __mul__(self, number: float) -> "Angle":
        return Angle(number, self)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return self.name


radians = AngleUnit("radians", 1.0)
degrees = AngleUnit("degrees", math.pi / 180.0)
hours = AngleUnit("hours", math.pi / 12.0)
arcminutes = AngleUnit("arcminutes", math.pi / 180.0 / 60.0)
arcseconds = AngleUnit("arcseconds", math.pi / 180.0 / 3600.0)
milliarcseconds = AngleUnit("milliarcseconds", math.pi / 180.0 / 3600.0e3)


class Angle(float):
    """An angle; as a number it is its radians.

    Parameters
    ----------
    value : float
        How many units.
    unit : AngleUnit, optional
        Radians if absent.
    """

    #: A number of numpy times an angle is an angle.
    __array_priority__ = 1000.0

    def __new__(cls, value: float = 0.0, unit: AngleUnit = radians) -> "Angle":  # noqa: D102 - as the class says
        return super().__new__(cls, float(value) * unit.size)

    def asRadians(self) -> float:
        """Return the angle in radians."""
        return float(self)

    def asDegrees(self) -> float:
        """Return the angle in degrees."""
        return self.asAngularUnits(degrees)

    def asHours(self) -> float:
        """Return the angle in hours."""
        return self.asAngularUnits(hours)

    def asArcminutes(self) -> float:
        """Return the angle in arcminutes."""
        return self.asAngularUnits(arcminutes)

    def asArcseconds(self) -> float:
        """Return the angle in arcseconds."""
        return self.asAngularUnits(arcseconds)

    def asAngularUnits(self, unit: AngleUnit) -> float:
        """Return the angle in a unit."""
        return float(self) / unit.size

    def wrap(self) -> "Angle":
        """Return the same direction between 0 and 2 pi."""
        return Angle(float(self) % (2.0 * math.pi))

    def wrapCtr(self) -> "Angle":
        """Return the same direction between -pi and pi."""
        return Angle((float(self) + math.pi) % (2.0 * math.pi) - math.pi)

    def wrapNear(self, other: float) -> "Angle":
        """Return the same direction within pi of another angle."""
        return Angle(float(other) + Angle(float(self) - float(other)).wrapCtr())

    def isWrappedNear(self, other: float) -> bool:
        """Return whether it is within pi of another angle."""
        return -math.pi <= float(self) - float(other) < math.pi

    def separation(self, other: float) -> "Angle":
        """Return the difference from another angle, between -pi and pi."""
        return Angle(float(self) - float(other)).wrapCtr()

    def __add__(self, other: float) -> "Angle":
        return Angle(float(self) + float(other))

    def __radd__(self, other: float) -> "Angle":
        return Angle(float(other) + float(self))

    def __sub__(self, other: float) -> "Angle":
        return Angle(float(self) - float(other))

    def __rsub__(self, other: float) -> "Angle":
        return Angle(float(other) - float(self))

    def __mul__(self, number: float) -> "Angle":
        return Angle(float(self) * float(number))

    __rmul__ = __mul__

    @overload
    def __truediv__(self, number: "Angle") -> float: ...
    @overload
    def __truediv__(self, number: float) -> Any: ...  # noqa: ANN401 - an angle is a float too
    def __truediv__(self, number: float) -> Any:
        quotient = float(self) / float(number)
        return quotient if isinstance(number, Angle) else Angle(quotient)

    def __neg__(self) -> "Angle":
        return Angle(-float(self))

    def __abs__(self) -> "Angle":
        return Angle(abs(float(self)))

    def __str__(self) -> str:
        return f"{float(self):.12g} rad"

    def __repr__(self) -> str:
        return f"Angle({float(self)!r}, radians)"
