"""Header cards that give the noise of pixels, in the spellings of observatories and camera programs."""

__all__ = ["GAIN_CARDS", "READ_NOISE_CARDS", "SATURATION_CARDS"]

GAIN_CARDS = (
    "EGAIN",
    "EGAINSAV",
    "CCDGAIN",
    "ATODGAIN",
    "EPERDN",
    "E_PER_DN",
    "EPERADU",
    "GTGAIN",
    "SYSGAIN",
    "RO_GAIN",
    "CCDSENS",
    "CONAD",
    "ESO DET OUT1 CONAD",
    "GAIN",
)
"""Electrons per ADU, the surest first: GAIN is often a setting of the camera."""

READ_NOISE_CARDS = (
    "RDNOISE",
    "READNOIS",
    "RON",
    "ENOISE",
    "RNOISE",
    "READNSE",
    "READNOI",
    "RDNOI",
    "GTRON",
    "READNOISE",
    "RO_NOISE",
    "CCDREADN",
    "ESO DET OUT1 RON",
    "ESO DET OUT RON",
)
"""Electrons."""

SATURATION_CARDS = ("SATURATE", "SATURAT", "SATLEVEL", "SATUR", "MAXLIN", "MAXADU", "SATVAL", "LINMAX")
"""ADU."""
