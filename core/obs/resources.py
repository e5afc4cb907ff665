"""Find the files that come with the engine but are no Python: in the wheel, or in the checkout beside it."""

from pathlib import Path

__all__ = ["project_template"]

_PACKAGE = Path(__file__).resolve().parent


def project_template() -> Path:
    """Return the folder of the template behind ``obs new``.

    Raises
    ------
    FileNotFoundError
        If the installation lacks it.
    """
    places = (_PACKAGE / "_resources" / "cookiecutter", _PACKAGE.parents[1] / "cookiecutter")
    for place in places:
        if (place / "cookiecutter.json").is_file():
            return place
    raise FileNotFoundError(
        f"the template of camera packages is missing from the installation, looked for in {places[0]}"
    )
