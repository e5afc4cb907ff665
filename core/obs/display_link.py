"""The way from images to their pictures, which is taken when a picture is asked for.

Pictures are made far above images (`obs.display`), and need matplotlib. Still `exposure.show()` is how users ask.
"""

import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["display_function"]


def display_function(place: str) -> Callable[..., Any]:
    """Return a function of `obs.display`, which is imported now.

    Parameters
    ----------
    place : str
        Module and name, such as ``show:show``.
    """
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(f"obs.display.{module}"), name)
    return function
