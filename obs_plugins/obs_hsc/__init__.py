"""Hyper Suprime-Cam on the Subaru telescope: 104 science detectors, 1.5 degrees across."""

from pathlib import Path

from obs.instrument.instrument import Instrument
from obs_hsc.filters import FILTERS

__all__ = ["instrument"]

instrument = Instrument(
    "hsc",
    folder=Path(__file__).parent,
    policy="policy/hsc.yaml",
    filters=FILTERS,
    exposure_id="obs_hsc.exposure_id:exposure_id",
    exposure_id_bits=32,
    detector="%(ccd)d",
    translator="obs_hsc.translator:HscTranslator",
    mapper_names=("lsst.obs.hsc.hscMapper.HscMapper", "HscMapper", "lsst.obs.subaru.HyperSuprimeCam"),
)
