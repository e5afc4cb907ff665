"""Levels and units by which calibration frames made elsewhere show that they do not fit the exposures."""

import numpy as np
from numpy.typing import NDArray

from obs.tasks.frame_seconds import warn_of_no_time
from obs.tasks.isr_work import Work

__all__ = ["warn_of_levels"]

_SAMPLE = 20000
"""About so many pixels tell a level."""
_LEAST_LEVEL = 50.0
"""Levels below this, in counts, may be structure of a bias or dark current."""
_LIKE = 0.85, 1.3
"""Range of a level relative to that of the bias within which it is taken for it; a dark has dark current more."""
_FLAT = 0.1, 10.0
"""Range of levels of a flat that was scaled; detectors of a mosaic differ by less."""


def warn_of_levels(work: Work) -> None:
    """Warn of biases and darks that hold what is subtracted anyway, electrons or no time, and of flats in counts.

    Parameters
    ----------
    work : Work
        Frame after the overscan was fitted, and the calibrations that are in use. It is not changed.
    """
    config, found = work.config, {}
    for name in ("bias", "dark", "flat"):
        exposure = getattr(work.calibrations, name) if getattr(config, f"do_{name}") else None
        if exposure is not None:
            found[name] = _level(exposure.masked_image.image)
            unit = _electrons(work, name)
            if unit and name != "flat":
                work.warn(
                    f"the {name} is in {unit} (BUNIT) and the exposure in counts: divide the {name} by the gain, set "
                    "its BUNIT to adu, and ingest it again with obs calibs ingest --clobber"
                )
    for name, label in (("dark", "dark"), ("stray_light", "stray light")):
        exposure = getattr(work.calibrations, name) if getattr(config, f"do_{name}") else None
        if exposure is not None:
            warn_of_no_time(exposure, label, work.warn)
    overscan = [float(np.median(fit.level)) for fit in work.overscan.values()]
    level = float(np.median(overscan)) if overscan else 0.0
    if not config.do_bias_before_overscan and _is_like(found.get("bias", 0.0), level):
        work.warn(
            f"the bias has a level of {found['bias']:.4g}, that of the overscan ({level:.4g}), which is subtracted "
            "from the exposure anyway: subtract it from the bias, or build the bias with obs calibs build; or leave "
            "the overscan alone by -c isr.do_overscan=false"
        )
    if not overscan or config.do_bias_before_overscan:
        level = found.get("bias", 0.0)
    if _is_like(found.get("dark", 0.0), level):
        work.warn(
            f"the dark has a level of {found['dark']:.4g}, like the bias ({level:.4g}), which is subtracted "
            "from the exposure anyway: subtract the bias from the dark, or build it with obs calibs build; or, if it "
            "is as long as the exposure, leave the bias to it by -c isr.do_bias=false isr.do_overscan=false"
        )
    if config.flat.scaling_type == "USER" and "flat" in found:
        scale = found["flat"] / config.flat.user_scale
        if scale > _FLAT[1] or 0 < scale < _FLAT[0]:
            work.warn(
                f"the flat has a level of {found['flat']:.4g}, not of about 1, and counts are divided by it, so that "
                "they no longer fit gain and read noise: -c isr.flat.scaling_type=MEDIAN takes its median for 1"
            )


def _level(image: NDArray[np.float32]) -> float:
    sample = image[:: max(1, image.size // _SAMPLE)].ravel()
    sample = sample[np.isfinite(sample)]
    return float(np.median(sample)) if len(sample) else 0.0


def _is_like(level: float, other: float) -> bool:
    return other > _LEAST_LEVEL and _LIKE[0] * other < level < _LIKE[1] * other


def _electrons(work: Work, name: str) -> str:
    """Return the unit that a frame names if it is electrons, and the exposure does not name the same."""
    exposure = getattr(work.calibrations, name)
    unit = str(exposure.metadata.get("BUNIT", "")).strip()
    is_other = unit.lower() != str(work.raw.metadata.get("BUNIT", "")).strip().lower()
    return unit if is_other and unit.lower().startswith(("electron", "e-", "e/")) else ""
