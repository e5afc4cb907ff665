"""Numbers of exposures, from which identifiers of sources are made."""

from obs.compat.lsst.obs.base.exposure_id_info import ExposureIdInfo

__all__ = ["ExposureIdInfo"]
