"""What became of a calibration frame, for the user and for its header."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from obs.ingest.calib_jobs import BuildJob
from obs.ingest.calib_store import format_calib_id
from obs.repo.provenance import package_versions
from obs.version import __version__

__all__ = ["BuildSummary", "calibration_cards"]

_DATE = "calibDate"


@dataclass
class BuildSummary:
    """What became of one calibration frame.

    Parameters
    ----------
    path : Path
        Its file.
    levels : dict of str to float
        Level of each input that was used, by its data ID: seconds of a dark, ADU of a flat.
    dropped : dict of str to str
        Why an input was not used, by its data ID.
    n_clipped : int
        Values that were rejected as outliers.
    noise_factors : list of float
        For each amplifier, the noise relative to what gain and read noise tell.
    peak_memory : float
        Most memory that the process has used so far, MB.
    warnings : list of str
        What the user should know.
    """

    path: Path
    levels: dict[str, float] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    n_clipped: int = 0
    noise_factors: list[float] = field(default_factory=list)
    peak_memory: float = float("nan")
    warnings: list[str] = field(default_factory=list)


def calibration_cards(job: BuildJob, summary: BuildSummary, camera: str) -> dict[str, Any]:
    """Return what the header of a calibration frame says: what it is, of what it was made, when and with what.

    Parameters
    ----------
    job : BuildJob
        Calibration frame that was built.
    summary : BuildSummary
        Numbers of the build.
    camera : str
        Name of the camera.

    Returns
    -------
    dict of str to object
        Keyword to value and comment.
    """
    now = datetime.now(UTC)
    quantity = {"bias": "OFFSET", "dark": "TIME", "flat": "LEVEL"}
    cards: dict[str, Any] = {
        "OBSTYPE": (job.name, "type of calibration"),
        "INSTRUME": (camera, "camera"),
        "CALIB_ID": format_calib_id(job.data_id),
        "DATE-OBS": (str(job.data_id[_DATE]), "mean date of the inputs"),
        "CALIB_CREATION_DATE": now.date().isoformat(),
        "CALIB_CREATION_TIME": now.time().isoformat("seconds"),
        "CALIB_NINPUT": len(summary.levels),
        "CALIB_NCLIPPED": summary.n_clipped,
        "OBSVERS": __version__,
    }
    for number, (name, level) in enumerate(summary.levels.items()):
        cards[f"CALIB_INPUT_{number}"] = name
        if quantity.get(job.name, "LEVEL") != "OFFSET":
            cards[f"CALIB_{quantity.get(job.name, 'LEVEL')}_{number}"] = level
    for package, version in package_versions().items():
        cards[f"VERSION_{package.upper()}"] = version
    return cards
