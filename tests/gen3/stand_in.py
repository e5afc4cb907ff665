"""What the package of a camera imports of the LSST stack's compiled parts, in plain Python, as far as tests need it.

Names and signatures are those of `lsst.obs.base`; the Butler and `lsst.pipe.base.Instrument` are the real ones.
"""

import enum
import importlib
import sys
import types
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import yaml


class VisitSystem(enum.Enum):
    ONE_TO_ONE = 0


@dataclass(frozen=True)
class FilterDefinition:
    physical_filter: str
    band: str | None = None
    alias: frozenset = frozenset()

    def __post_init__(self):
        object.__setattr__(self, "alias", frozenset(self.alias))


class FilterDefinitionCollection(list):
    def __init__(self, *filters):
        super().__init__(filters)
        self.physical_to_band = {one.physical_filter: one.band for one in filters}


def make_camera(path):
    """Return the detectors of a camera.yaml, with the methods that registration asks for."""
    with open(path) as file:
        data = yaml.safe_load(file)
    assert data["transforms"]["nativeSys"] == "FocalPlane"
    return [
        SimpleNamespace(
            getId=lambda ccd=ccd: ccd["id"], getName=lambda name=name: name, getType=lambda: "DetectorType.SCIENCE"
        )
        for name, ccd in data["CCDs"].items()
    ]


@contextmanager
def stack(folder):
    """Let ``lsst.obs`` of a package's folder be imported, with a stand-in for ``lsst.obs.base``."""
    lsst, pipe_base = importlib.import_module("lsst"), importlib.import_module("lsst.pipe.base")

    class Instrument(pipe_base.Instrument):
        def _registerFilters(self, registry, update=False):
            for one in self.filterDefinitions:
                record = {
                    "instrument": self.getName(),
                    "name": one.physical_filter,
                    "band": one.band or one.physical_filter,
                }
                registry.syncDimensionData("physical_filter", record, update=update)

    class FitsRawFormatterBase:
        pass

    base = types.ModuleType("lsst.obs.base")
    base.__dict__.update(
        Instrument=Instrument,
        VisitSystem=VisitSystem,
        FilterDefinition=FilterDefinition,
        FilterDefinitionCollection=FilterDefinitionCollection,
        FitsRawFormatterBase=FitsRawFormatterBase,
        RawIngestTask=type("RawIngestTask", (), {}),
        yamlCamera=SimpleNamespace(makeCamera=make_camera),
    )
    ingest = types.ModuleType("lsst.obs.base.ingest")
    ingest.RawFileData = SimpleNamespace
    afw = {name: types.ModuleType(f"lsst.afw{name}") for name in ("", ".fits", ".image")}
    afw[""].__path__ = []
    added = {"lsst.obs.base": base, "lsst.obs.base.ingest": ingest}
    added |= {module.__name__: module for module in afw.values()}

    sys.modules.update(added)
    place = str(folder / "python" / "lsst")
    lsst.__path__.append(place)
    try:
        yield
    finally:
        lsst.__path__.remove(place)
        for name in [name for name in sys.modules if name == "lsst.obs" or name.startswith(("lsst.obs.", "lsst.afw"))]:
            del sys.modules[name]
        for attribute in ("obs", "afw"):
            lsst.__dict__.pop(attribute, None)
