"""Errors of the Butler, which are those of `obs` and those of the stack in one."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError

__all__ = ["NoResults", "RepositoryFault", "raise_as_stack"]

P = ParamSpec("P")
R = TypeVar("R")


class NoResults(DatasetNotFoundError, DataIdError, RuntimeError):
    """Nothing is found for a data ID, or several where one is wanted; a RuntimeError, as in the stack."""


class RepositoryFault(RepositoryError, RuntimeError):
    """A folder that is not a repository, or arguments contradict it; a RuntimeError, as in the stack."""


def raise_as_stack(method: Callable[P, R]) -> Callable[P, R]:
    """Let a method raise what scripts of the stack catch."""

    @wraps(method)
    def raising(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return method(*arguments, **keywords)
        except NoResults:
            raise
        except DatasetNotFoundError as error:
            raise NoResults(str(error), dataset_type=error.dataset_type, data_id=error.data_id) from error
        except DataIdError as error:
            raise NoResults(str(error), data_id=error.data_id) from error
        except RepositoryError as error:
            raise RepositoryFault(str(error), path=error.path) from error

    return raising
