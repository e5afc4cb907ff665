"""Number the frames of the survey."""

from obs.instrument.exposure_packer import Digit, ExposurePacker

__all__ = ["exposure_id"]

exposure_id = ExposurePacker(
    Digit("run"),
    Digit("filter", 10, allowed="ugriz"),
    Digit("camcol", 10, allowed=range(1, 7)),
    Digit("field", 10_000),
    bits=38,
)
"""Run, filter, camcol and field as decimal digits, ``RRRRRRFCffff``; source ids: times 2^26."""
