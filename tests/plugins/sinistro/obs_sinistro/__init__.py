"""A Sinistro camera of Las Cumbres Observatory: four amplifiers, each in an extension of its own."""

from pathlib import Path

from obs.instrument.instrument import FilterDefinition, Instrument

__all__ = ["instrument"]

instrument = Instrument(
    "sinistro",
    folder=Path(__file__).parent,
    policy="policy/sinistro.yaml",
    filters=tuple(
        FilterDefinition(physical_filter=name, band=band, effective_wavelength=wavelength)
        for name, band, wavelength in (("gp", "g", 477.0), ("rp", "r", 621.5), ("ip", "i", 754.5), ("w", "w", 605.0))
    ),
    exposure_id="obs_sinistro.translator:exposure_id",
    exposure_id_bits=30,
    detector="%(ccd)d",
    translator="obs_sinistro.translator:SinistroTranslator",
)
