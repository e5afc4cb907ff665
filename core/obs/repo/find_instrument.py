"""Which camera a repository is of."""

from collections.abc import Sequence

from obs.errors import PluginError, RepositoryError
from obs.instrument.discovery import instrument_for_mapper, load_instrument
from obs.instrument.instrument import Instrument
from obs.repo.lineage import Lineage
from obs.repo.repository_arguments import RepositoryArguments

__all__ = ["find_instrument"]


def find_instrument(lineage: Lineage, given: Sequence[RepositoryArguments]) -> Instrument:
    """Return the camera that the user, the repositories or their parents name.

    Raises
    ------
    RepositoryError
        If none of them names one.
    PluginError
        If the camera is not installed.
    """
    named = [(argument.root, argument.mapper) for argument in given if argument.mapper]
    for repository in lineage.inputs:
        if repository.camera is not None:
            return load_instrument(repository.camera)
        if repository.mapper is not None:
            named.append((repository.root, repository.mapper))
            break
    for root, mapper in named:
        try:
            return instrument_for_mapper(mapper)
        except PluginError as error:
            raise PluginError(f"{root}: {error}", plugin=error.plugin) from error
    root = lineage.inputs[0].root
    raise RepositoryError(f"{root} and its parents name no camera; give one in obs.yaml", path=root)
