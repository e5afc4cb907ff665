"""Which reader and writer a dataset needs, from the storage and the class that its policy names."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from obs.errors import DatasetNotFoundError, FileFormatError, NoReaderError, OutputError
from obs.geom import Box
from obs.image.background import Background
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs
from obs.regular_file import open_regular
from obs.repo.atomic import atomic_write
from obs.repo.defects_table import read_defects
from obs.repo.exposure_parts import read_filter, read_photo_calib, read_psf, read_wcs
from obs.repo.fits_background import read_background, write_background
from obs.repo.fits_calibration import read_calibration, write_photo_calib, write_wcs
from obs.repo.fits_catalog import catalog_length, catalog_schema, is_parquet, read_catalog, write_catalog
from obs.repo.fits_exposure import read_exposure, read_image, write_exposure, write_image
from obs.repo.fits_exposure_header import header_box, header_visit_info, read_exposure_header
from obs.repo.fits_psf import write_psf
from obs.repo.linearizer_file import read_linearizer
from obs.repo.lsst_yaml import is_lsst_yaml, parse_lsst_yaml
from obs.repo.parquet_catalog import write_parquet
from obs.repo.yaml_fault import YamlFault
from obs.yaml_lines import dump_yaml, parse_yaml

__all__ = ["COMPONENTS", "read_dataset", "split_hdu", "write_dataset"]

COMPONENTS = ("md", "wcs", "bbox", "sub", "len", "schema", "visitInfo", "photoCalib", "psf", "filter", "detector")
"""Suffixes of a dataset type that ask for a part of the dataset."""

_HDU = re.compile(r"(.+)\[(\d+)\]")
_PICKLE = "is a pickle: loading one runs the code in it, so it is never read; convert it to YAML or FITS"
_TEXT_STORAGES = ("TextStorage", "ConfigStorage")
_YAML_STORAGES = ("YamlStorage", "BoostStorage")
_YAML_SUFFIXES = (".yaml", ".yml")
_EXPOSURE_CLASS = re.compile(r"(Exposure|MaskedImage|DecoratedImage)\w?")
_IMAGE_CLASS = re.compile(r"(Image|Mask)\w?|ndarray")
_CATALOG_CLASS = re.compile(r"\w*(Catalog|ParquetTable)")
_BACKGROUND_CLASS = re.compile(r"Background(List|Mesh)?|BackgroundMI")


def split_hdu(path: Path | str) -> tuple[Path, int | None]:
    """Split ``file.fits[2]`` into the file and the number of the HDU, None if there is none.

    Parameters
    ----------
    path : Path or str
        Path of a file, with or without the number of an HDU in brackets.
    """
    match = _HDU.fullmatch(str(path))
    return (Path(match[1]), int(match[2])) if match else (Path(path), None)


def read_dataset(
    storage: str, python_class: str, path: Path | str, component: str = "", box: Box | None = None
) -> object:
    """Read a dataset or a part of it.

    Parameters
    ----------
    storage : str
        Storage of the policy, such as ``FitsStorage``; may be empty.
    python_class : str
        Class of the policy, such as ``lsst.afw.image.ExposureF``; only its last part counts; may be empty.
    path : Path or str
        The file; may end in an HDU number in brackets.
    component : str, optional
        One of `COMPONENTS`, or empty for the whole dataset.
    box : Box, optional
        The pixels wanted, for the component ``sub``.

    Returns
    -------
    Exposure, ndarray, Catalog, list of Background, PixelPsf, TanSipWcs, PhotoCalib, dict or str
        As the class says; or, for a component, what that is.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file, or the dataset does not have the component.
    FileFormatError
        If the file cannot be what the policy says, or is a pickle.
    """
    file, hdu = split_hdu(path)
    name = python_class.rpartition(".")[2]
    if name.endswith("SkyMap"):
        from obs.repo.sky_map_file import read_sky_map  # noqa: PLC0415 - few commands need sky maps

        return _whole(read_sky_map(file), component, file)
    if storage == "PickleStorage" or file.suffix in (".pickle", ".pkl"):
        raise FileFormatError(_PICKLE, path=file)
    if name == "Linearizer":
        return _whole(read_linearizer(file), component, file)
    if name == "Defects":
        return _read_defects_part(file, component)
    fits = "Fits" in storage
    is_yaml = storage in _YAML_STORAGES or (storage == "ConfigStorage" and file.suffix in _YAML_SUFFIXES)
    if (storage in _TEXT_STORAGES and not is_yaml) or (file.suffix in (".txt", ".py") and not fits):
        return _whole(_read_text(file), component, file)
    if is_yaml or (file.suffix in (*_YAML_SUFFIXES, ".boost") and not fits):
        return _whole(_read_yaml(file), component, file)
    if storage == "MatplotlibStorage":
        raise FileFormatError("is a figure: open it with an image viewer", path=file)
    if _BACKGROUND_CLASS.fullmatch(name):
        return _whole(read_background(file), component, file)
    table = storage in ("FitsCatalogStorage", "ParquetStorage") or is_parquet(file) or _CATALOG_CLASS.fullmatch(name)
    if table:
        return _read_catalog_part(file, component)
    if component == "sub" and box is None:
        raise ValueError("the component 'sub' needs the box of the pixels wanted")
    if component and component != "sub":
        return _read_exposure_part(file, hdu, component)
    return _read_image_class(name, file, hdu, box)


def _whole(value: object, component: str, path: Path) -> object:
    if component:
        raise DatasetNotFoundError(f"{path} has no component '{component}'", paths=(path,))
    return value


def _read_image_class(name: str, path: Path, hdu: int | None, box: Box | None) -> object:
    if name == "" or _EXPOSURE_CLASS.fullmatch(name):
        try:
            exposure = read_exposure(path, box, hdu)
        except FileFormatError:
            alone = read_calibration(path) if box is None and hdu is None else None
            if alone is None:
                raise
            exposure = alone
        return exposure.masked_image if name.startswith("MaskedImage") else exposure
    if _IMAGE_CLASS.fullmatch(name):
        return read_image(path, box, hdu)
    if name in ("Psf", "PixelPsf"):
        return read_psf(path)
    parts = {"SkyWcs": "wcs", "Wcs": "wcs", "PhotoCalib": "photoCalib", "VisitInfo": "visitInfo", "PropertySet": "md"}
    if name in parts or name.casefold() == "propertylist":  # a policy has it in lower case
        return _read_exposure_part(path, hdu, parts.get(name, "md"))
    raise NoReaderError(f"no reader for a dataset of class {name}; the camera's plugin can give one", path=path)


def _read_exposure_part(path: Path, hdu: int | None, component: str) -> object:
    if component == "psf":
        return read_psf(path)
    header = read_exposure_header(path, hdu)
    parts: dict[str, Callable[[], object]] = {
        "md": lambda: header,
        "wcs": lambda: read_wcs(path, hdu),
        "photoCalib": lambda: read_photo_calib(path, hdu),
        "bbox": lambda: header_box(header),
        "visitInfo": lambda: header_visit_info(header),
        "filter": lambda: read_filter(path, hdu),
        "detector": lambda: header.get("DETNAME"),
    }
    value = parts[component]() if component in parts else None
    if value is None:
        raise DatasetNotFoundError(f"{path} has no component '{component}'", paths=(path,))
    return value


def _read_catalog_part(path: Path, component: str) -> object:
    if component == "len":
        return catalog_length(path)
    if component == "schema":
        return catalog_schema(path)
    if component == "md":
        return catalog_schema(path).metadata
    return _whole(read_catalog(path), component, path)


def _read_defects_part(path: Path, component: str) -> object:
    table = read_defects(path)
    parts = {"md": table.metadata, "len": len(table), "schema": table.select([])}
    return parts[component] if component in parts else _whole(table, component, path)


def _read_text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return file.read().decode("utf-8")
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path} does not exist", paths=(path,)) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileFormatError(f"cannot be read as text: {reason}", path=path) from error


def _read_yaml(path: Path) -> object:
    text = _read_text(path)
    if text.lstrip().startswith(("<?xml", "<!DOCTYPE")):
        raise FileFormatError("is Boost XML, which is not read; only YAML is", path=path)
    if is_lsst_yaml(text):
        return parse_lsst_yaml(text, path)
    return parse_yaml(text, error=YamlFault, path=path)[0]


def write_dataset(storage: str, obj: object, path: Path | str) -> None:
    """Write a dataset; the format follows from the object.

    Parameters
    ----------
    storage : str
        Storage of the policy; only ``ParquetStorage`` matters, which makes a catalog a Parquet file, and
        ``PickleStorage``, which is refused.
    obj : Exposure, MaskedImage, ndarray, PixelPsf, TanSipWcs, PhotoCalib, Catalog, Background, dict, str or figure
        What to write, or a list of Background; a dict, of numbers, text, lists and dicts, becomes YAML.
    path : Path or str
        The file, replaced if there is one.

    Raises
    ------
    OutputError
        If the file cannot be written, or there is no format for such an object.
    """
    path = Path(path)
    if storage == "PickleStorage":
        raise OutputError(f"cannot write {path}: pickles are never written; name another storage", path=path)
    match obj:
        case Exposure():
            write_exposure(obj, path)
        case MaskedImage():
            write_exposure(Exposure(obj), path)
        case Catalog() if storage == "ParquetStorage":
            write_parquet(obj, path)
        case Catalog():
            write_catalog(obj, path)
        case PixelPsf():
            write_psf(obj, path)
        case TanSipWcs():
            write_wcs(obj, path)
        case PhotoCalib():
            write_photo_calib(obj, path)
        case np.ndarray():
            write_image(obj, path)
        case Background():
            write_background(obj, path)
        case [Background(), *_]:
            write_background(cast(Sequence[Background], obj), path)
        case Mapping():
            _write_text(path, dump_yaml(_plain(obj)))
        case str():
            _write_text(path, obj)
        case _ if hasattr(obj, "savefig"):
            _write_figure(path, obj.savefig)
        case _ if (write := _sky_map_writer(obj)) is not None:
            write(path)
        case _:
            raise OutputError(f"cannot write {path}: no file format for an object of type {type(obj).__name__}")


def _sky_map_writer(obj: object) -> Callable[[Path], None] | None:
    """Return what writes a sky map; None for anything else. Whoever has one has imported its class."""
    module = sys.modules.get("obs.skymap.sky_map")
    if module is None or not isinstance(obj, module.SkyMap):
        return None
    from obs.repo.sky_map_file import write_sky_map  # noqa: PLC0415 - few commands need sky maps

    return partial(write_sky_map, obj)


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode("utf-8"))


def _write_figure(path: Path, save: Callable[..., None]) -> None:
    with atomic_write(path) as file:
        save(file, format=path.suffix.lstrip(".") or "png")


def _plain(value: object) -> object:
    """Return a value of types that YAML has, from one of numpy's, Python's and paths."""
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case np.generic():
            return value.item()
        case np.ndarray():
            return value.tolist()
        case list() | tuple() | set():
            return [_plain(item) for item in value]
        case Path():
            return str(value)
        case _:
            return value
