"""The teaching camera: as small as a camera package can be, with everything explained where it stands.

A package is found through its entry point in pyproject.toml::

    [project.entry-points."obs.cameras"]
    necam = "obs_necam:instrument"

Importing it must be quick, and reads no file: what is named below is opened when it is needed. Start reading with
README.md.
"""

from pathlib import Path

from obs.instrument.instrument import FilterDefinition, Instrument

__all__ = ["instrument"]

instrument = Instrument(
    # The name that users type: `obs process --camera necam`. It is that of the entry point.
    "necam",
    # All paths below are relative to this folder.
    folder=Path(__file__).parent,
    # Where datasets lie in a repository.
    policy="policy/necam.yaml",
    # The filters: the name in the camera's headers, and the band, which is the name in reference catalogs. Several
    # filters may have one band. The effective wavelength, nm, places the filter in a spectrum.
    filters=(FilterDefinition(physical_filter="Clear", band="clear", effective_wavelength=535.5),),
    # A number for each exposure of a detector. Source ids are this number with a counter behind it.
    exposure_id="obs_necam.exposure_id:exposure_id",
    exposure_id_bits=30,
    # How the data ID tells the detector: by its number, which the key `ccd` holds.
    detector="%(ccd)d",
    # The class that reads headers.
    translator="obs_necam.translator:NecamTranslator",
    # Repositories of LSST's obs_necam have one of these in their _mapper file; they are opened as they are.
    mapper_names=("lsst.obs.necam.NecamMapper", "lsst.obs.necam.necamMapper.NecamMapper"),
)
