"""From raw CCD frames to calibrated images and source catalogs, for any camera.

The names in ``__all__`` are the public interface. Each is imported when it is first used, so that ``import obs`` and
``obs --help`` take no time.
"""

import importlib
from typing import TYPE_CHECKING

from obs.version import __version__

if TYPE_CHECKING:
    from obs.camera.camera import Camera
    from obs.camera.detector import Detector
    from obs.errors import ObsError
    from obs.executor.outcome import Outcome
    from obs.exports.export import Exported, export
    from obs.geom import Box
    from obs.image.background import Background
    from obs.image.catalog import Catalog
    from obs.image.exposure import Exposure
    from obs.image.mask import Mask
    from obs.image.masked_image import MaskedImage
    from obs.image.photo_calib import PhotoCalib
    from obs.image.psf import PixelPsf, Psf
    from obs.image.visit_info import VisitInfo
    from obs.image.wcs import TanSipWcs as Wcs
    from obs.ingest.raws import IngestOptions, ingest_raws
    from obs.ingest.repository import make_repository
    from obs.instrument.discovery import load_instrument
    from obs.instrument.instrument import FilterDefinition, Instrument
    from obs.instrument.translator import Translator
    from obs.process_summary import ProcessSummary
    from obs.repo.butler import Butler
    from obs.repo.data_ref import DataRef
    from obs.repo.fits_catalog import read_catalog
    from obs.repo.fits_exposure import read_exposure
    from obs.runs.process import process
    from obs.runs.process_file import process_file
    from obs.runs.simulate import Observation, simulate

__all__ = [
    "Background",
    "Box",
    "Butler",
    "Camera",
    "Catalog",
    "DataRef",
    "Detector",
    "Exported",
    "Exposure",
    "FilterDefinition",
    "IngestOptions",
    "Instrument",
    "Mask",
    "MaskedImage",
    "ObsError",
    "Observation",
    "Outcome",
    "PhotoCalib",
    "PixelPsf",
    "ProcessSummary",
    "Psf",
    "Translator",
    "VisitInfo",
    "Wcs",
    "__version__",
    "export",
    "ingest_raws",
    "load_instrument",
    "make_repository",
    "process",
    "process_file",
    "read_catalog",
    "read_exposure",
    "simulate",
]


#: Module that defines each public name; ``module:name`` where the public name differs.
_PLACES = {
    "Background": "image.background",
    "Box": "geom",
    "Butler": "repo.butler",
    "Camera": "camera.camera",
    "Catalog": "image.catalog",
    "DataRef": "repo.data_ref",
    "Detector": "camera.detector",
    "Exported": "exports.export",
    "Exposure": "image.exposure",
    "FilterDefinition": "instrument.instrument",
    "IngestOptions": "ingest.raws",
    "Instrument": "instrument.instrument",
    "Mask": "image.mask",
    "MaskedImage": "image.masked_image",
    "ObsError": "errors",
    "Observation": "runs.simulate",
    "Outcome": "executor.outcome",
    "PhotoCalib": "image.photo_calib",
    "PixelPsf": "image.psf",
    "ProcessSummary": "process_summary",
    "Psf": "image.psf",
    "Translator": "instrument.translator",
    "VisitInfo": "image.visit_info",
    "Wcs": "image.wcs:TanSipWcs",
    "export": "exports.export",
    "ingest_raws": "ingest.raws",
    "load_instrument": "instrument.discovery",
    "make_repository": "ingest.repository",
    "process": "runs.process",
    "process_file": "runs.process_file",
    "read_catalog": "repo.fits_catalog",
    "read_exposure": "repo.fits_exposure",
    "simulate": "runs.simulate",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module 'obs' has no attribute '{name}'")
    module, _, defined_as = _PLACES[name].partition(":")
    value = getattr(importlib.import_module(f"obs.{module}"), defined_as or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
