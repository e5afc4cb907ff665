"""A camera of one tiny detector."""

from pathlib import Path

from obs.instrument.instrument import FilterDefinition, Instrument

__all__ = ["instrument"]

instrument = Instrument(
    "dummy",
    folder=Path(__file__).parent,
    policy="policy/dummy.yaml",
    filters=(
        FilterDefinition(physical_filter="D-G", band="g", effective_wavelength=480.0),
        FilterDefinition(physical_filter="D-R", band="r", aliases=("D-RED",), effective_wavelength=620.0),
    ),
    exposure_id="obs_dummy.identifiers:exposure_id",
    exposure_id_bits=32,
    detector="%(ccd)d",
    mapper_names=("lsst.obs.dummy.DummyMapper",),
    readers={"guide": "obs_dummy.guide:read_guide"},
)
