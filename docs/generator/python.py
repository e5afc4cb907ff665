"""The pages of the Python interface: every public name, from its docstring."""

import inspect

import obs
from generator.markdown import code, table

__all__ = ["GROUPS", "python_pages"]

#: Page: its title and the public names on it.
GROUPS = {
    "run": (
        "Run the pipeline",
        ("process", "process_file", "ProcessSummary", "Outcome", "simulate", "Observation"),
    ),
    "repository": (
        "Repositories and files",
        (
            "Butler",
            "DataRef",
            "make_repository",
            "ingest_raws",
            "IngestOptions",
            "export",
            "Exported",
            "read_exposure",
            "read_catalog",
            "ObsError",
        ),
    ),
    "images": (
        "Images and catalogs",
        (
            "Exposure",
            "MaskedImage",
            "Mask",
            "Catalog",
            "Psf",
            "PixelPsf",
            "Wcs",
            "PhotoCalib",
            "VisitInfo",
            "Background",
            "Box",
        ),
    ),
    "camera": (
        "Cameras",
        ("load_instrument", "Instrument", "FilterDefinition", "Camera", "Detector", "Translator"),
    ),
}


def python_pages() -> dict[str, str]:
    """Return the pages by file name."""
    pages = {stem: _page(title, names) for stem, (title, names) in GROUPS.items()}
    return {"index": _index(), **pages}


def _index() -> str:
    rows = [
        (f"[{code(name)}]({stem}.md)", (inspect.getdoc(getattr(obs, name)) or "").split("\n")[0])
        for stem, (_, names) in GROUPS.items()
        for name in names
    ]
    return f"""\
# Public names

These are the names that `from obs import ...` gives. They are stable: a release that changes one says so in the
[changelog](../documents/changelog.md). Everything else may change without notice.

{table(("name", "purpose"), rows)}"""


def _page(title: str, names: tuple[str, ...]) -> str:
    return f"# {title}\n\n" + "\n".join(_entry(name) for name in names)


def _entry(name: str) -> str:
    thing = getattr(obs, name)
    where = f"{thing.__module__}.{thing.__qualname__}"
    if inspect.isclass(thing):
        directive, options = "autoclass", "   :members:\n"
    else:
        directive, options = "autofunction", ""
    return f"## {name}\n\n```{{eval-rst}}\n.. {directive}:: {where}\n{options}```\n"
