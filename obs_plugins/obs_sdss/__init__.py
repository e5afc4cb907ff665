"""The imaging camera of the Sloan Digital Sky Survey: corrected frames, as published."""

from pathlib import Path

from obs.instrument.instrument import FilterDefinition, Instrument

__all__ = ["instrument"]

instrument = Instrument(
    "sdss",
    folder=Path(__file__).parent,
    policy="policy/sdss.yaml",
    camera="camera",
    config="config",
    # effective wavelengths of the system at airmass 1.2, as measured for data release 7
    filters=tuple(
        FilterDefinition(physical_filter=name, band=name, effective_wavelength=wavelength)
        for name, wavelength in (("u", 355.1), ("g", 468.6), ("r", 616.5), ("i", 748.1), ("z", 893.1))
    ),
    exposure_id="obs_sdss.exposure_id:exposure_id",
    exposure_id_bits=38,
    coadd_id_bits=(8, 13, 3),
    detector="%(filter)s%(camcol)d",
    translator="obs_sdss.translator:SdssTranslator",
    mapper_names=("lsst.obs.sdss.sdssMapper.SdssMapper", "SdssMapper"),
    readers={
        "fpC": "obs_sdss.fpc:read_fpc",
        "fpM": "obs_sdss.fpm:read_fpm",
        "psField": "obs_sdss.psfield:read_psfield",
        "asTrans": "obs_sdss.astrans:read_astrans",
        "tsField": "obs_sdss.tsfield:read_tsfield",
    },
    isr="obs_sdss.isr:assemble",
    raw_dataset_type="fpC",
)
