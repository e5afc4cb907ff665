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

    Parameters
    ----------
    lineage : Lineage
        Repositories to read, with their parents.
    given : sequence of RepositoryArguments
        Arguments of the user, which may name a mapper.

    Raises
    ------
    RepositoryError
        If none of them names one, or the user and a repository name different ones.
    PluginError
        If the camera is not installed.
    """
    named = [(argument.root, argument.mapper) for argument in given if argument.mapper]
    for repository in lineage.inputs:
        if repository.camera is not None:
            return _checked(load_instrument(repository.camera), given)
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


def _checked(instrument: Instrument, given: Sequence[RepositoryArguments]) -> Instrument:
    """Return the camera of a repository, if it is also that of the mapper that the user names."""
    for argument in given:
        if argument.mapper and argument.mapper.rpartition(".")[2] not in _class_names(instrument):
            raise RepositoryError(
                f"{argument.root} is of the camera '{instrument.name}', which is not that of the mapper "
                f"'{argument.mapper}'; leave the mapper out",
                path=argument.root,
            )
    return instrument


def _class_names(instrument: Instrument) -> set[str]:
    return {name.rpartition(".")[2] for name in instrument.mapper_names}
