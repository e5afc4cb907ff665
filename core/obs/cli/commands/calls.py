"""The bridge from what a command looks like to what it does, which is imported when it is needed."""

import importlib
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

__all__ = ["calls"]


def calls(place: str) -> Callable[[Callable[[], None]], Callable[..., Any]]:
    """Return a decorator for a declaration without body, which hands all parameters on to a function.

    Commands are declared here and carried out elsewhere, so that help and completion need nothing but click.

    Parameters
    ----------
    place
        The function, as ``package.module:name``; its parameters have the names of those declared.
    """

    def decorate(declaration: Callable[[], None]) -> Callable[..., Any]:
        def call(**parameters: object) -> object:
            module, _, name = place.partition(":")
            return getattr(importlib.import_module(module), name)(**parameters)

        update_wrapper(call, declaration)
        call.__dict__["place"] = place
        return call

    return decorate
