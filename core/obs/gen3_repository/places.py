"""The place of each of our dataset types in a third-generation repository: its dimensions, and how it is stored."""

from collections.abc import Iterator

from obs.frozen import frozen
from obs.gen3_repository.exposures import NUMBERS
from obs.instrument.instrument import Instrument
from obs.policy.dataset_type import DatasetType, Template

__all__ = [
    "BAND_FILTER",
    "DICTIONARY",
    "METRICS",
    "RAW_KEYS",
    "SKY_MAP",
    "SKY_MAP_RUN",
    "TABLE",
    "Place",
    "find_place",
    "our_name",
]

#: What is known of the raw frames of an exposure whose headers do not give all of it, by the number of the detector.
RAW_KEYS = "raw_keys"
#: The filter of the coadds of a band, since data IDs of coadds have the band there.
BAND_FILTER = "coadd_filter"
#: How tables of metrics are called there, before what their rows are of.
METRICS = "obs_metrics_"
#: Our name of the sky map, and the collection of sky maps there.
SKY_MAP, SKY_MAP_RUN = "deepCoadd_skyMap", "skymaps"
#: Names that every repository of the stack has for something else, or for the same thing.
_OTHER_NAMES = {"packages": "obs_packages", SKY_MAP: "skyMap"}
#: Results of one exposure that the stack has before exposures are combined to visits.
_OF_EXPOSURES = ("postISRCCD", "overscanRaw", "isr_metadata")
#: Storage class of files that are taken as they are, by the last part of the class in our policy.
_IMAGES = ("ExposureF", "ExposureI", "ImageF", "ImageI", "ImageU", "MaskedImageF")
_FILES = {
    **{name: name for name in _IMAGES},
    **dict.fromkeys(("BackgroundList", "Background"), "Background"),
    "SkyWcs": "Wcs",
    "PhotoCalib": "PhotoCalib",
    "Defects": "Defects",
    "Linearizer": "Linearizer",
}
_TABLES = ("SourceCatalog", "BaseCatalog", "SimpleCatalog", "ExposureCatalog")
#: Storage classes of tables and of YAML.
TABLE, DICTIONARY = "ArrowAstropy", "StructuredDataDict"


@frozen
class Place:
    """The place of a dataset type in a third-generation repository.

    Attributes
    ----------
    name : str
        The dataset type there.
    dimensions : tuple of str
        What its data IDs consist of.
    storage : str
        Storage class.
    """

    name: str
    dimensions: tuple[str, ...]
    storage: str

    @property
    def of_exposure(self) -> bool:
        """Whether its data IDs have an exposure or its visit."""
        return "visit" in self.dimensions or "exposure" in self.dimensions


def find_place(kind: DatasetType, instrument: Instrument) -> Place | None:
    """Return the place of a dataset type; None if the third generation has none for it.

    Parameters
    ----------
    kind : DatasetType
        Dataset type of our policy.
    instrument : Instrument
        The camera.
    """
    storage = _storage(kind)
    if storage is None or kind.template is None:
        return None
    name = _OTHER_NAMES.get(kind.name, kind.name)
    if kind.name == SKY_MAP:
        return Place(name, ("skymap",), storage)
    dimensions = tuple(_dimensions(kind, instrument))
    return Place(name, dimensions, storage) if dimensions or not kind.keys else None


def our_name(name: str) -> str:
    """Return our name of a dataset type of the third generation."""
    return next((ours for ours, there in _OTHER_NAMES.items() if there == name), name)


def _storage(kind: DatasetType) -> str | None:
    name = kind.python.rpartition(".")[2]
    if name.endswith("SkyMap"):
        return "SkyMap"
    if name in _TABLES or kind.storage == "ParquetStorage":
        return TABLE
    if kind.storage in ("YamlStorage", "ConfigStorage"):
        return DICTIONARY
    return _FILES.get(name)


def _dimensions(kind: DatasetType, instrument: Instrument) -> Iterator[str]:
    """Yield the dimensions of a data ID; none at all if it has a key that the third generation does not know."""
    keys = set(kind.keys)
    detector = {key for key in Template(instrument.detector).keys if key != "filter"}
    exposure = _exposure_keys(instrument) - detector
    if keys - exposure - detector - {"filter", "tract", "patch"}:
        return
    if keys & {"tract", "patch"}:
        yield from ("skymap", "tract")
    if "patch" in keys:
        yield "patch"
    if keys & exposure:
        yield from ("instrument", "exposure" if kind.name in _OF_EXPOSURES else "visit")
        if detector <= keys and (detector or "patch" not in keys):
            yield "detector"
    elif "filter" in keys and "tract" in keys:
        yield "band"


def _exposure_keys(instrument: Instrument) -> set[str]:
    """Return the keys that raw frames are known by."""
    columns = instrument.make_translator().columns if instrument.translator is not None else {}
    types = instrument.load_policy().dataset_types
    raw = types[instrument.raw_dataset_type]
    parts = {key for part in raw.components.values() if part in types for key in types[part].keys}
    return {*raw.keys, *parts, *columns, *NUMBERS} - {"filter", "tract", "patch"}
