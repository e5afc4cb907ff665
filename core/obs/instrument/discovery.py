"""Find the cameras that are installed.

Cameras, ours as well as others', are entry points of the group ``obs.cameras``. Names are known without importing
anything; a plugin is imported when it is asked for. One that fails hides no other.
"""

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points

from obs.errors import PluginError, suggest
from obs.frozen import frozen
from obs.instrument.instrument import Instrument
from obs.instrument.validate import contract_faults
from obs.version import read_name_and_version

__all__ = ["GROUP", "Broken", "Discovery", "Found", "discover", "instrument_for_mapper", "load_instrument"]

#: Entry-point group in which a plugin names its `Instrument`.
GROUP = "obs.cameras"


@frozen
class Found:
    """A camera that can be used, and the distribution that it came with.

    Parameters
    ----------
    name : str
        Name of the camera.
    distribution : str
        Name of the distribution.
    version : str
        Its version.
    instrument : Instrument
        The camera.
    """

    name: str
    distribution: str
    version: str
    instrument: Instrument


@frozen
class Broken:
    """A camera that cannot be used, and why.

    Parameters
    ----------
    name : str
        Name of the camera.
    distribution : str
        Name of the distribution.
    version : str
        Its version.
    cause : str
        Why it cannot be used.
    """

    name: str
    distribution: str
    version: str
    cause: str


@frozen
class Discovery:
    """All cameras, sorted by distribution and name.

    Parameters
    ----------
    instruments : dict of str to Found
        Name to camera.
    broken : list of Broken
        Cameras that are installed and cannot be used.
    """

    instruments: dict[str, Found]
    broken: list[Broken]


def discover(entry_points: Iterable[EntryPoint] | None = None) -> Discovery:
    """Load all cameras that are installed.

    Parameters
    ----------
    entry_points : iterable of EntryPoint, optional
        The entry points to look at; those installed if None.
    """
    discovery = Discovery({}, [])
    by_name = _by_name(entry_points)
    for name, points in by_name.items():
        try:
            instrument = _load(name, points)
        except PluginError as error:
            discovery.broken.extend(Broken(name, *_origin(point), str(error)) for point in points)
        else:
            discovery.instruments[name] = Found(name, *_origin(points[0]), instrument)
    return discovery


def load_instrument(name: str, entry_points: Iterable[EntryPoint] | None = None) -> Instrument:
    """Return a camera by its name; no other plugin is imported.

    A package of the LSST stack needs no installation: its folder, or its policy file, is a name as well, and an
    environment variable such as ``OBS_CTIO0M9_DIR`` makes its cameras known.

    Parameters
    ----------
    name : str
        Name of the camera, or the folder or policy file of a package of the LSST stack.
    entry_points : iterable of EntryPoint, optional
        Plugins to choose from. By default those that are installed.

    Raises
    ------
    PluginError
        If it is not installed, is installed twice, cannot be imported, or breaks the contract.

    Examples
    --------
    >>> from obs import load_instrument
    >>> len(load_instrument("hsc").load_camera())
    112
    """
    by_name = _by_name(entry_points)
    if name not in by_name and (found := _in_folder(name)):
        return found
    if name not in by_name:
        installed = ", ".join(sorted(by_name)) or "none"
        like = suggest(name, by_name)
        folder = (
            ""
            if like
            else f"; if it has a package of the LSST stack, {_folder_advice('obs.' + name.removeprefix('obs_'))}"
        )
        raise PluginError(f"no camera '{name}' is installed{like}; installed: {installed}{folder}", plugin=name)
    return _load(name, by_name[name])


def instrument_for_mapper(mapper: str, entry_points: Iterable[EntryPoint] | None = None) -> Instrument:
    """Return the camera that reads repositories of an LSST mapper class, such as ``lsst.obs.sdss.SdssMapper``.

    Parameters
    ----------
    mapper : str
        Full name of the mapper class, as in a repository's ``_mapper`` file.
    entry_points : iterable of EntryPoint, optional
        Plugins to choose from. By default those that are installed.

    Raises
    ------
    PluginError
        If no camera says that it does.
    """
    by_name = _by_name(entry_points)
    failed = []
    # The likely ones first: then a single plugin is imported.
    for name in sorted(by_name, key=lambda name: name.lower() not in mapper.lower()):
        try:
            instrument = _load(name, by_name[name])
        except PluginError as error:
            failed.append(str(error))
            continue
        # The class is exported by several modules of its package; its own name tells it.
        if mapper.rpartition(".")[2] in {known.rpartition(".")[2] for known in instrument.mapper_names}:
            return instrument
    if found := _in_folder(mapper):
        return found
    trouble = f"; broken: {'; '.join(failed)}" if failed else ""
    installed = ", ".join(sorted(by_name)) or "none"
    raise PluginError(
        f"no installed camera reads repositories of '{mapper}'; installed: {installed}{trouble}. Install the package "
        f"of that camera, make one with obs new, or {_folder_advice(mapper)}"
    )


def _in_folder(name: str) -> Instrument | None:
    """Return the camera of a package of the stack that is not installed, by a path, its name or its mapper class."""
    # readers of the stack's tables are not imported where all cameras are installed
    from obs.instrument.stack_package import (  # noqa: PLC0415
        find_stack_package,
        is_stack_package,
        open_stack_package,
    )

    return open_stack_package(name) if is_stack_package(name) else find_stack_package(name)


def _folder_advice(mapper: str) -> str:
    """Return how a folder is named that has the package of a mapper: EUPS names it by a variable, too."""
    match = re.search(r"\bobs\.(\w+)", mapper)
    variable = f"OBS_{match[1].upper()}_DIR" if match else "OBS_NAME_DIR"
    return f"name its folder: --camera FOLDER, or {variable}=FOLDER in the environment"


def _by_name(points: Iterable[EntryPoint] | None) -> dict[str, list[EntryPoint]]:
    """Sort entry points by distribution, and group them by name; one that is listed twice over counts once."""
    found = entry_points(group=GROUP) if points is None else points
    by_name: dict[str, list[EntryPoint]] = {}
    unique = {(*_origin(point)[:1], point.name, point.value): point for point in found}
    for _, point in sorted(unique.items(), key=lambda item: item[0]):
        by_name.setdefault(point.name, []).append(point)
    return by_name


def _origin(point: EntryPoint) -> tuple[str, str]:
    """Return name and version of the distribution."""
    return ("unknown", "unknown") if point.dist is None else read_name_and_version(point.dist)


def _load(name: str, points: Sequence[EntryPoint]) -> Instrument:
    if len(points) > 1:
        owners = " and ".join(f"{'=='.join(_origin(point))} ({point.value})" for point in points)
        raise PluginError(f"the camera '{name}' is installed twice, by {owners}; uninstall one of them", plugin=name)
    package = "==".join(_origin(points[0]))
    try:
        instrument = points[0].load()
    # A plugin can fail in any way, which must not take the others with it.
    except (Exception, SystemExit) as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"the camera '{name}' of {package} cannot be imported: {cause}", plugin=name) from error
    if faults := contract_faults(instrument, entry_point=name):
        raise PluginError(f"the camera '{name}' of {package} breaks the contract: {'; '.join(faults)}", plugin=name)
    checked: Instrument = instrument
    return checked
