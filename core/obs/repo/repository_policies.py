"""Policies of repositories: what one sets otherwise holds for itself, and neither for its parents nor its children."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from obs.instrument.instrument import Instrument
from obs.policy.dataset_type import DatasetType
from obs.policy.mapper import Mapper
from obs.policy.policy import Policy
from obs.repo.key_sources import KeySources
from obs.repo.lineage import Lineage
from obs.repo.repository_arguments import RepositoryArguments

__all__ = ["RepositoryPolicies", "with_policies"]


class RepositoryPolicies:
    """The policies of the repositories of one run.

    Parameters
    ----------
    lineage : Lineage
        The repositories.
    instrument : Instrument
        The camera, whose policy counts where a repository sets nothing.
    """

    def __init__(self, lineage: Lineage, instrument: Instrument) -> None:
        self._lineage = lineage
        overrides = [repository.policy for repository in lineage.inputs]
        self._plain = instrument.load_policy()
        self._of_inputs = [instrument.load_policy(over) if over else self._plain for over in overrides]

    @property
    def first(self) -> Policy:
        """The policy of the first input, with the dataset types that only others have."""
        others: dict[str, DatasetType] = {}
        for policy in (*self._of_inputs[1:], self._plain):
            others = {**policy.dataset_types, **others}
        first = self._of_inputs[0]
        return replace(first, dataset_types={**others, **first.dataset_types})

    def mappers(self, sources: KeySources) -> Mapping[Path, Mapper]:
        """Return the mappers of those repositories whose policy is not that of the first input, by their root."""
        policies = {
            repository.root: policy
            for repository, policy in zip(self._lineage.inputs, self._of_inputs, strict=True)
            if policy is not self._of_inputs[0]
        }
        if self._lineage.output is not None and self._of_inputs[0] is not self._plain:
            policies[self._lineage.output] = self._plain
        known = self.first.dataset_types
        return {
            root: Mapper(
                replace(policy, dataset_types={**known, **policy.dataset_types}),
                registry=sources.registry,
                calib_registry=sources.calib_registry,
                folder_registry=sources.folder_registry,
            )
            for root, policy in policies.items()
        }


def with_policies(lineage: Lineage, given: Sequence[RepositoryArguments]) -> Lineage:
    """Return repositories with what the user sets otherwise than their policies.

    Parameters
    ----------
    lineage : Lineage
        Repositories with their policies.
    given : sequence of RepositoryArguments
        Arguments of the user, whose ``policy`` wins key by key.
    """
    over = {Path(argument.root).expanduser().resolve(): argument.policy for argument in given if argument.policy}
    inputs = [
        replace(repository, policy=_merged(repository.policy, over[repository.root]))
        if repository.root in over
        else repository
        for repository in lineage.inputs
    ]
    return replace(lineage, inputs=tuple(inputs))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings as one; where both have a value, the second counts."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
