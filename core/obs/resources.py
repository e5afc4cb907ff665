"""Find the files that come with the engine but are not Python: in the wheel, or in the checkout beside it."""

from pathlib import Path

__all__ = ["project_template", "template_folder"]

_PACKAGE = Path(__file__).resolve().parent


def project_template() -> Path:
    """Return the folder of the template behind ``obs new``.

    Raises
    ------
    FileNotFoundError
        If the installation does not have it.
    """
    return _find("cookiecutter", "cookiecutter.json")


def template_folder() -> Path:
    """Return the folder of the templates that the engine renders at run time.

    Raises
    ------
    FileNotFoundError
        If the installation does not have it.
    """
    return _find("templates", "ref_cat_config.py.jinja")


def _find(folder: str, file: str) -> Path:
    places = (_PACKAGE / "_resources" / folder, _PACKAGE.parents[1] / folder)
    for place in places:
        if (place / file).is_file():
            return place
    raise FileNotFoundError(f"the folder {folder} is missing from the installation, looked for in {places[0]}")
