"""Number the exposures of the camera's detectors."""

from obs.instrument.exposure_packer import Digit, ExposurePacker

__all__ = ["exposure_id"]

exposure_id = ExposurePacker(Digit("visit"), Digit("ccd", 200), bits=32)
"""``visit * 200 + ccd``, as in LSST's obs_subaru."""
