"""A logger with the stack's methods and levels."""

import logging
from typing import Any, ClassVar

__all__ = ["Log", "getLogger"]


class Log:
    """A logger, as in the LSST stack.

    Parameters
    ----------
    name : str, optional
        Name of the logger; the root if absent.
    """

    TRACE: ClassVar[int] = 5000
    DEBUG: ClassVar[int] = 10000
    INFO: ClassVar[int] = 20000
    WARN: ClassVar[int] = 30000
    ERROR: ClassVar[int] = 40000
    FATAL: ClassVar[int] = 50000

    def __init__(self, name: str = "") -> None:
        self._logger = logging.getLogger(name or None)

    @classmethod
    def getLogger(cls, name: str = "") -> "Log":
        """Return the logger of a name."""
        return cls(name)

    @classmethod
    def getDefaultLogger(cls) -> "Log":
        """Return the logger above all others."""
        return cls()

    def getName(self) -> str:
        """Return the name of the logger."""
        return "" if self._logger.name == "root" else self._logger.name

    def getChild(self, suffix: str) -> "Log":
        """Return the logger below this one."""
        return type(self)(".".join(part for part in (self.getName(), suffix) if part))

    def setLevel(self, level: int) -> None:
        """Set the lowest level of messages, that of the stack or that of Python."""
        self._logger.setLevel(level // 1000 if level >= self.TRACE else level)

    def getLevel(self) -> int:
        """Return the lowest level of messages, as the stack numbers them."""
        return self._logger.getEffectiveLevel() * 1000

    def isDebugEnabled(self) -> bool:
        """Return whether messages for debugging are printed."""
        return self._logger.isEnabledFor(logging.DEBUG)

    def trace(self, text: str, *values: Any) -> None:
        """Log a message of the lowest level."""
        self._logger.log(5, text, *values)

    def debug(self, text: str, *values: Any) -> None:
        """Log a message for debugging."""
        self._logger.debug(text, *values)

    def info(self, text: str, *values: Any) -> None:
        """Log a message about what happens."""
        self._logger.info(text, *values)

    def warn(self, text: str, *values: Any) -> None:
        """Log a message about a doubt."""
        self._logger.warning(text, *values)

    def error(self, text: str, *values: Any) -> None:
        """Log a message about a failure."""
        self._logger.error(text, *values)

    def fatal(self, text: str, *values: Any) -> None:
        """Log a message about a failure that ends all."""
        self._logger.critical(text, *values)

    warning, critical = warn, fatal

    def _formatted(self, level: int, form: str, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", form.format(*values, **named))

    def debugf(self, form: str, *values: Any, **named: Any) -> None:
        """Log a message for debugging, as `str.format` makes it."""
        self._formatted(logging.DEBUG, form, values, named)

    def infof(self, form: str, *values: Any, **named: Any) -> None:
        """Log a message about what happens, as `str.format` makes it."""
        self._formatted(logging.INFO, form, values, named)

    def warnf(self, form: str, *values: Any, **named: Any) -> None:
        """Log a message about a doubt, as `str.format` makes it."""
        self._formatted(logging.WARNING, form, values, named)


def getLogger(name: str = "") -> Log:
    """Return the logger of a name."""
    return Log(name)
