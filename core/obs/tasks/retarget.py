"""Let a function of the user's own do a step instead of ours."""

import inspect
from collections.abc import Callable
from typing import Any

from obs.errors import ConfigError, PluginError
from obs.instrument.instrument import resolve

__all__ = ["check_result", "find_step"]


def find_step(target: str | None, default: Callable[..., Any], setting: str) -> Callable[..., Any]:
    """Return the function that does a step.

    Parameters
    ----------
    target : str or None
        Dotted name of a function in an installed package, ``package.module:function`` or ``package.module.function``;
        None for the default.
    default : callable
        Our own function; the other must take the same arguments.
    setting : str
        Name of the setting, for messages.

    Raises
    ------
    ConfigError
        If it cannot be imported, is not a function, or does not take the arguments.
    """
    if target is None:
        return default
    reference = target if ":" in target else ":".join(target.rsplit(".", 1))
    try:
        found = resolve(reference)
    except PluginError as error:
        raise ConfigError(f"{setting}={target}: {error}", field=setting) from error
    if not callable(found):
        raise ConfigError(f"{setting}={target} is not a function", field=setting)
    parameters = inspect.signature(default).parameters.values()
    words = [parameter.name for parameter in parameters if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    options = {parameter.name: None for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    try:
        inspect.signature(found).bind(*words, **options)
    except (TypeError, ValueError) as error:
        wanted = ", ".join([*words, *(f"{name}=" for name in options)])
        raise ConfigError(
            f"{setting}={target} does not take the arguments ({wanted}): {error}", field=setting
        ) from None
    result: Callable[..., Any] = found
    return result


def check_result(result: object, wanted: type, setting: str, target: str | None) -> None:
    """Refuse what a function of the user's own has returned if it is nothing that the next step can work on.

    Parameters
    ----------
    result : object
        Return value of the user's function.
    wanted : type
        Class that it must have.
    setting : str
        Full name of the setting that names the function.
    target : str or None
        Value of that setting.

    Raises
    ------
    ConfigError
        If it is of another class.
    """
    if not isinstance(result, wanted):
        name = f"{wanted.__module__}.{wanted.__qualname__}"
        raise ConfigError(f"{setting}={target} returned a {type(result).__name__}, not a {name}", field=setting)
