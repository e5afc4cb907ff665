"""Names of arguments as LSST's Butler has them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

__all__ = ["accept_lsst_words"]

_WORDS = {"datasetType": "dataset_type", "dataId": "data_id", "doBackup": "do_backup", "format": "keys"}

Method = TypeVar("Method", bound=Callable[..., Any])


def accept_lsst_words(method: Method) -> Method:
    """Let a method take ``datasetType``, ``dataId``, ``doBackup`` and ``format`` for its own names."""

    @wraps(method)
    def accepting(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the method
        return method(*arguments, **{_WORDS.get(name, name): value for name, value in named.items()})

    return cast(Method, accepting)
