"""Moments, in the stack's words."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from astropy.time import Time

__all__ = ["DateTime"]

_NANOSECONDS = 86400 * 10**9
_EPOCH_MJD = 40587


class DateTime:
    """A moment, to a nanosecond.

    Parameters
    ----------
    value : int, float or str, optional
        Nanoseconds since 1970; a date in the system that is named; or text as ISO 8601.
    system : str, optional
        What a float is: ``DateTime.MJD``, ``DateTime.JD`` or ``DateTime.EPOCH`` (Julian years). For an int or text, the
        time scale.
    scale : str, optional
        Time scale: ``DateTime.TAI``, ``DateTime.UTC`` or ``DateTime.TT``.
    """

    JD: ClassVar[str] = "jd"
    MJD: ClassVar[str] = "mjd"
    EPOCH: ClassVar[str] = "jyear"
    TAI: ClassVar[str] = "tai"
    UTC: ClassVar[str] = "utc"
    TT: ClassVar[str] = "tt"

    def __init__(self, value: Any = None, system: str | None = None, scale: str = "tai") -> None:  # noqa: ANN401
        if isinstance(value, Time):
            self._held: Time | None = value
        elif value is None:
            self._held = None
        elif isinstance(value, str):
            text = value.rstrip("Z")
            self._held = Time(text, scale=system or ("utc" if value.endswith("Z") else scale))
        elif system in (self.JD, self.MJD, self.EPOCH):
            self._held = Time(float(value), format=system, scale=scale)
        else:
            days, rest = divmod(int(value), _NANOSECONDS)
            self._held = Time(_EPOCH_MJD + days, rest / _NANOSECONDS, format="mjd", scale=system or scale)

    @property
    def _time(self) -> Time:
        if self._held is None:
            raise RuntimeError("this DateTime is not valid; see isValid")
        return self._held

    @classmethod
    def now(cls) -> "DateTime":
        """Return the moment at which it is called."""
        return cls(Time(datetime.now(UTC).replace(tzinfo=None), scale="utc"))

    def get(self, system: str = "mjd", scale: str = "tai") -> float:
        """Return the moment as a number of days or years."""
        return float(getattr(getattr(self._time, scale), system))

    def nsecs(self, scale: str = "tai") -> int:
        """Return the nanoseconds since 1970."""
        moment = getattr(self._time, scale)
        days = (int(moment.jd1 - 2400000.5 - _EPOCH_MJD), moment.jd1 - 2400000.5 - _EPOCH_MJD)
        return int(days[0] * _NANOSECONDS + round((days[1] - days[0] + moment.jd2) * _NANOSECONDS))

    def toString(self, scale: str = "tai") -> str:
        """Return the moment as ISO 8601, with a Z in UTC."""
        moment = getattr(self._time, scale).copy()
        moment.precision = 9
        return f"{moment.isot}{'Z' if scale == self.UTC else ''}"

    def toPython(self, timescale: str = "utc") -> datetime:
        """Return the moment as Python has it, without a zone."""
        found: datetime = getattr(self._time, timescale).to_datetime()
        return found

    def toAstropy(self, scale: str = "tai") -> Time:
        """Return the moment as astropy has it."""
        return getattr(self._time, scale)

    def isValid(self) -> bool:
        """Return whether it is a moment at all."""
        return self._held is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DateTime) and self._number() == other._number()

    def __hash__(self) -> int:
        return hash(self._number())

    def _number(self) -> int | None:
        return self.nsecs() if self.isValid() else None

    def __repr__(self) -> str:
        return f"DateTime({self.toString()!r}, TAI)" if self.isValid() else "DateTime()"
