"""Verdicts of a night that is going on, as lines for a terminal: those that are new, and those that have changed."""

from collections.abc import Container
from dataclasses import dataclass, field

from obs.report.night import Night
from obs.report.sentence import describe_night

__all__ = ["LiveVerdicts"]


@dataclass
class LiveVerdicts:
    """Verdicts of frames as they were printed last.

    Frames that come later show what an earlier one suffered from: dew is only known after some frames, and a cloud when
    the sky is clear again.
    """

    _printed: dict[str, tuple[str, str]] = field(default_factory=dict)

    def describe(self, night: Night, data_ids: Container[str]) -> list[str]:
        """Return a line for each frame that is not good or has another verdict than before, and one for the night.

        Parameters
        ----------
        night : Night
            All frames so far.
        data_ids : container of str
            Data IDs that were processed since the last call.

        Returns
        -------
        list of str
        """
        lines = []
        for frame in night.detectors:
            level, causes = frame.verdict.level, frame.verdict.causes
            if level == "waiting":
                continue
            before, now = self._printed.get(frame.name), (level, causes[0].name if causes else "")
            if frame.row["data_id"] in data_ids:
                if level != "good":
                    lines.append(f"{level.upper()} {frame.name}: {frame.verdict.text}")
            elif before is not None and before != now:
                reason = frame.verdict.text or "passes its gates"
                lines.append(f"now {level.upper()} {frame.name}, was {before[0]}: {reason}")
            self._printed[frame.name] = now
        return [*lines, describe_night(night)]
