"""What a camera plugin is: one `Instrument`, and the data beside it."""

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, field
from functools import cached_property
from pathlib import Path
from typing import Any

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.load import load_camera
from obs.errors import DataIdError, PluginError, suggest
from obs.facts_text import facts_html, facts_text, rows_html
from obs.frozen import frozen
from obs.instrument.exposure_packer import largest_exposure_id
from obs.instrument.translator import Translator
from obs.policy.dataset_type import Template
from obs.policy.policy import Policy, load_policy

__all__ = ["FilterDefinition", "Instrument", "make_translator", "resolve"]


@frozen(kw_only=True)
class FilterDefinition:
    """A filter of a camera, with band and wavelength.

    Parameters
    ----------
    physical_filter : str
        Name of the glass, as in the registry: ``HSC-R2``.
    band : str
        Name of the wavelength range, as in reference catalogs: ``r``.
    aliases : tuple of str
        Other names for the same glass.
    effective_wavelength : float
        Nanometers; NaN where it is not known.

    Examples
    --------
    >>> from obs import FilterDefinition
    >>> FilterDefinition(physical_filter="Johnson V", band="v", aliases=("V",)).band
    'v'
    """

    physical_filter: str
    band: str
    aliases: tuple[str, ...] = ()
    effective_wavelength: float = math.nan


@frozen
class Instrument:
    """A camera, as its plugin describes it. Making one reads no file and imports nothing.

    Functions and classes of the plugin are named as ``"package.module:name"``, so that they are imported when they are
    needed.

    Parameters
    ----------
    name : str
        Short name, the same as that of the entry point.
    folder : Path
        Folder of the plugin, against which the following three are relative.
    policy, camera, config : str
        Mapper policy, folder of the camera's tables, folder of the settings that differ from the engine's.
    filters : tuple of FilterDefinition
        The filters.
    exposure_id : callable or str
        From a data ID (mapping) to the integer that numbers one detector's exposure.
    exposure_id_bits : int
        Bits that this integer needs at most, with one for the sign; source ids have the rest of 64 for their counter.
    coadd_id_bits : tuple of int
        Bits of tract, patch column or row, and filter in the numbers of coadds; those of HSC if absent.
    detector : str
        From a data ID to the detector's name or id, as a template: ``%(ccd)d``, ``%(filter)s%(camcol)d``.
    translator : str or Translator, optional
        Class, or an instance of one, that goes from a header to registry columns and a visit's circumstances.
    mapper_names : tuple of str
        LSST mapper classes whose repositories this camera reads.
    readers : mapping
        Dataset type to a function ``read(path, data_id)`` that takes the place of the standard reader.
    isr : str, optional
        Function ``isr(get, data_id)`` that puts the exposure together where the data are not a raw frame and
        calibration frames; ``get`` is called with a dataset type.
    raw_dataset_type : str
        What the processing starts from.

    Examples
    --------
    >>> from obs import load_instrument
    >>> instrument = load_instrument("sdss")
    >>> [known.band for known in instrument.filters]
    ['u', 'g', 'r', 'i', 'z']
    """

    name: str
    _: KW_ONLY
    folder: Path
    policy: str
    camera: str = "camera"
    config: str = "config"
    filters: tuple[FilterDefinition, ...] = ()
    exposure_id: Callable[[Mapping[str, Any]], int] | str
    exposure_id_bits: int
    coadd_id_bits: tuple[int, int, int] = (16, 5, 6)
    detector: str = "%(detector)d"
    translator: str | Translator | None = None
    mapper_names: tuple[str, ...] = ()
    readers: Mapping[str, str] = field(default_factory=dict)
    isr: str | None = None
    raw_dataset_type: str = "raw"

    def __repr__(self) -> str:
        bands = ", ".join(f"{known.physical_filter} ({known.band})" for known in self.filters)
        return facts_text(f"Instrument {self.name}", {**self._facts(), f"{len(self.filters)} filters": bands})

    def _repr_html_(self) -> str:
        rows = [
            (
                known.physical_filter,
                known.band,
                "" if math.isnan(known.effective_wavelength) else f"{known.effective_wavelength:g}",
                ", ".join(known.aliases),
            )
            for known in self.filters
        ]
        below = rows_html(("filter", "band", "wavelength/nm", "other names"), rows)
        return facts_html(f"Instrument {self.name}", self._facts(), below=below)

    def _facts(self) -> dict[str, object]:
        """Return what is known without reading a file."""
        translator = self.translator if isinstance(self.translator, str) else type(self.translator).__name__
        return {
            "folder": self.folder,
            "starts from": self.raw_dataset_type,
            "detector": f"{self.detector} of a data ID",
            "translator": "none: headers cannot be read" if self.translator is None else translator,
            "LSST mappers": ", ".join(self.mapper_names),
        }

    @property
    def policy_path(self) -> Path:
        """Path of the mapper policy of the camera."""
        return self.folder / self.policy

    @property
    def camera_folder(self) -> Path:
        """The folder of camera.yaml, detectors.csv and amplifiers.csv."""
        return self.folder / self.camera

    @property
    def config_folder(self) -> Path:
        """The folder of the plugin's settings, one ``TASK.yaml`` a task; it need not exist."""
        return self.folder / self.config

    def load_policy(self, override: Mapping[str, Any] | None = None) -> Policy:
        """Read the mapper policy, once where nothing is overridden; ``override`` wins over the file key by key.

        Parameters
        ----------
        override : mapping, optional
            Nested keys and values above those of the file, as in the policy file of a repository.

        Raises
        ------
        PolicyError
            For a fault in it.
        """
        return load_policy(self.policy_path, override=override) if override else self._policy

    @cached_property
    def _policy(self) -> Policy:
        return load_policy(self.policy_path)

    def load_camera(self) -> Camera:
        """Read the camera's tables, once.

        Raises
        ------
        FileFormatError
            For a fault in them.
        """
        return self._camera

    @cached_property
    def _camera(self) -> Camera:
        return load_camera(self.camera_folder)

    def exposure_number(self, data_id: Mapping[str, Any]) -> int:
        """Return the number of a detector's exposure: from 0 to `largest_exposure_id` of ``exposure_id_bits``.

        Parameters
        ----------
        data_id : mapping
            Data ID of a detector's exposure.

        Raises
        ------
        DataIdError
            If the data ID does not have a key, or its values give a number that does not fit.
        """
        compute = self.exposure_id if callable(self.exposure_id) else self.load(self.exposure_id)
        try:
            number = int(compute(data_id))
        except KeyError as error:
            raise DataIdError(
                f"the exposure id of {self.name} needs the key {error}", data_id=data_id, key=str(error.args[0])
            ) from None
        largest = largest_exposure_id(self.exposure_id_bits)
        if not 0 <= number <= largest:
            raise DataIdError(
                f"the exposure id {number} of {self.name} does not fit in {self.exposure_id_bits} bits, which reach to "
                f"{largest}: one of them is the sign; raise exposure_id_bits of the camera",
                data_id=data_id,
            )
        return number

    def find_detector(self, data_id: Mapping[str, Any]) -> Detector:
        """Return the detector of a data ID.

        Parameters
        ----------
        data_id : mapping
            Data ID of an exposure.

        Raises
        ------
        DataIdError
            If the data ID does not have a key, or the camera has no such detector.
        """
        name = Template(self.detector).format(data_id)
        return self.load_camera().detector(int(name) if name.isdecimal() else name)

    def detector_keys(self, detector: Detector) -> dict[str, Any]:
        """Return the part of a data ID that names a detector; empty where a camera with one detector needs none.

        Parameters
        ----------
        detector : Detector
            One of the camera's detectors.

        Raises
        ------
        PluginError
            If the template ``detector`` fits neither its number nor its name.
        """
        template = Template(self.detector)
        for text in (detector.name, str(detector.id)):
            keys = template.parse(text)
            if keys is not None:
                return keys
        raise PluginError(
            f"detector = '{self.detector}' of camera '{self.name}' gives neither the number {detector.id} nor the name "
            f"'{detector.name}' of a detector in detectors.csv",
            plugin=self.name,
        )

    def find_filter(self, name: str) -> FilterDefinition:
        """Return a filter by its physical name, an alias, or a band that only one filter has.

        Parameters
        ----------
        name : str
            Physical name, alias or band.

        Raises
        ------
        DataIdError
            If there is none, or the band has several.
        """
        for known in self.filters:
            if name == known.physical_filter or name in known.aliases:
                return known
        in_band = [known for known in self.filters if known.band == name]
        if len(in_band) == 1:
            return in_band[0]
        names = [known.physical_filter for known in in_band or self.filters]
        unknown = f"{self.name} has no filter '{name}'{suggest(name, names)}"
        problem = f"several filters are of the band '{name}'" if in_band else unknown
        raise DataIdError(f"{problem}; filters: {', '.join(names)}", key="filter")

    def reader(self, dataset_type: str) -> Callable[[Path, Mapping[str, Any]], Any] | None:
        """Return the function that reads a dataset type in place of the standard one, or None.

        Parameters
        ----------
        dataset_type : str
            Name of the dataset type.

        Returns
        -------
        callable or None
            Called with the file and the data ID.

        Raises
        ------
        PluginError
            If it is named but cannot be imported.
        """
        return self.load(self.readers[dataset_type]) if dataset_type in self.readers else None

    def make_translator(self) -> Translator:
        """Return the translator of headers.

        Raises
        ------
        PluginError
            If the camera has none, it cannot be imported, or is not a `Translator`.
        """
        if self.translator is None:
            raise PluginError(
                f"camera '{self.name}' has no translator, so that its headers cannot be read", plugin=self.name
            )
        try:
            return make_translator(self.translator)
        except PluginError as error:
            raise PluginError(f"camera '{self.name}': {error}", plugin=self.name) from error.__cause__

    def load(self, reference: str) -> Any:  # noqa: ANN401 - whatever the plugin names
        """Import one of the plugin's functions or classes.

        Parameters
        ----------
        reference : str
            ``"package.module:name"``; the name may have points.

        Raises
        ------
        PluginError
            If it cannot be imported.
        """
        try:
            return resolve(reference)
        except PluginError as error:
            raise PluginError(f"camera '{self.name}': {error}", plugin=self.name) from error.__cause__


def make_translator(reference: str | Translator) -> Translator:
    """Return the translator that ``"package.module:name"``, a class or an instance, names; one that is given as it is.

    Raises
    ------
    PluginError
        If it cannot be imported, or is not a `Translator`.
    """
    found = resolve(reference) if isinstance(reference, str) else reference
    if isinstance(found, type) and issubclass(found, Translator):
        found = found()
    if not isinstance(found, Translator):
        raise PluginError(f"{reference} cannot be used: it is not an obs.instrument.translator.Translator")
    return found


def resolve(reference: str) -> Any:  # noqa: ANN401 - whatever is there
    """Import the object that ``"package.module:name"`` names.

    Parameters
    ----------
    reference : str
        ``"package.module:name"``; the name may have points.

    Raises
    ------
    PluginError
        If it cannot be imported.
    """
    module, colon, name = reference.partition(":")
    if not colon:
        raise PluginError(f"'{reference}' is not a reference such as 'package.module:name'")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except SyntaxError as error:
        place = f"{error.filename}:{error.lineno}: {error.msg}"
        raise PluginError(f"cannot import '{reference}': {place}; obs check shows the line") from error
    except Exception as error:
        raise PluginError(f"cannot import '{reference}': {type(error).__name__}: {error}") from error
    return found
