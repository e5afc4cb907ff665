"""The blue camera of the Kast spectrograph at Lick Observatory, whose overscans are not beside their data."""

from pathlib import Path

from obs.instrument.instrument import FilterDefinition, Instrument

__all__ = ["instrument"]

instrument = Instrument(
    "kast",
    folder=Path(__file__).parent,
    policy="policy/kast.yaml",
    filters=(FilterDefinition(physical_filter="Open", band="white"),),
    exposure_id="obs_kast.translator:exposure_id",
    exposure_id_bits=30,
    detector="%(ccd)d",
    translator="obs_kast.translator:KastTranslator",
)
