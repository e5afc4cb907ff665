"""Remove the instrument's signature from raw pixels."""

from obs.config.base import TaskConfig, setting

__all__ = ["IsrConfig"]


class IsrConfig(TaskConfig):
    """Settings of instrument-signature removal."""

    write: bool = setting(False, "Write the result as ``postISRCCD``.")
