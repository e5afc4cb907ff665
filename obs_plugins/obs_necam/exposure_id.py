"""Number the exposures of the camera's detectors."""

from obs.instrument.exposure_packer import Digit, ExposurePacker

__all__ = ["exposure_id"]

# `visit * 64 + ccd`: there is room for 64 detectors, though the camera has one. Any function from a data ID to a number
# will do that gives each exposure of each detector its own, below 2 to the power of `exposure_id_bits - 1`.
exposure_id = ExposurePacker(Digit("visit"), Digit("ccd", 64), bits=30)
