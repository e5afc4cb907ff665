"""A part of the settings, whose own parts are attributes."""

from typing import TYPE_CHECKING, Any

from obs.errors import ConfigError

if TYPE_CHECKING:
    from obs.compat.lsst.pipe.tasks.processCcdConfig import ProcessCcdConfig

__all__ = ["Section"]


class Section:
    """A section of settings, as in the LSST stack.

    Parameters
    ----------
    root : ProcessCcdConfig
        All settings.
    prefix : str
        Dotted name of the section with the dot behind it; empty for all.
    """

    _root: "ProcessCcdConfig"
    _prefix: str

    def __init__(self, root: "ProcessCcdConfig", prefix: str) -> None:
        object.__setattr__(self, "_root", root)
        object.__setattr__(self, "_prefix", prefix)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a section, or any setting
        if name.startswith("_"):
            raise AttributeError(name)
        dotted = self._prefix + name
        if self._root.is_section(dotted):
            return Section(self._root, f"{dotted}.")
        try:
            return self._root.get_setting(dotted)
        except ConfigError as error:
            raise AttributeError(str(error)) from error

    def __setattr__(self, name: str, value: object) -> None:
        try:
            self._root.set_setting(self._prefix + name, value)
        except ConfigError as error:
            raise AttributeError(str(error)) from error

    def __dir__(self) -> list[str]:
        below = {name.removeprefix(self._prefix) for name in self._root.names() if name.startswith(self._prefix)}
        return sorted({*super().__dir__(), *(name.partition(".")[0] for name in below)})

    def keys(self) -> list[str]:
        """Return our names of the settings below this section."""
        return sorted(name.removeprefix(self._prefix) for name in self._root.names() if name.startswith(self._prefix))

    def __repr__(self) -> str:
        lines = (f"{self._prefix}{name} = {self._root.get_setting(self._prefix + name)!r}" for name in self.keys())
        return "\n".join(lines)
