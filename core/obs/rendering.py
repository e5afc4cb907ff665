"""Render the files and pages that are made from the templates of the engine.

Values are data: they are never rendered themselves, and a template can reach nothing but the values that it is given.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from obs.resources import template_folder

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render"]


def render(template: str, **values: object) -> str:
    """Return a template with its values filled in.

    Parameters
    ----------
    template : str
        Name of a file in the folder ``templates``. Values in ``.html`` files are escaped; other templates escape them
        by a filter, for example ``{{ name | literal }}`` for a Python literal.
    **values : object
        What the template needs.

    Raises
    ------
    jinja2.UndefinedError
        If a value is missing.
    """
    return _environment().get_template(template).render(**values)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    # Imported here because jinja2 takes 50 ms to import, and few commands render anything.
    from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(template_folder()),
        autoescape=select_autoescape(enabled_extensions=("html", "html.jinja"), default=False),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["literal"] = repr
    return environment
