"""Writes all generated pages below the guide's folder, where Sphinx finds them; none of them is kept in the project."""

from pathlib import Path

from generator.cameras import camera_pages, draw_cameras
from generator.catalogs import catalog_pages
from generator.commands import command_pages
from generator.documents import document_pages
from generator.errors import error_page
from generator.metrics import metric_page
from generator.numbers import number_fragments
from generator.python import python_pages
from generator.settings import settings_pages

__all__ = ["FOLDERS", "write_pages"]

#: Folders of which every page is generated, and that of the pictures.
FOLDERS = ("commands", "reference", "settings", "documents", "figures", "python", "numbers")


def write_pages(folder: Path) -> None:
    """Write the pages, leaving alone those that are as they should be, and remove those that no longer should be."""
    reference = {**camera_pages(), **catalog_pages(), "errors": error_page(), "metrics": metric_page()}
    pages = {
        "commands": command_pages(),
        "reference": reference,
        "settings": settings_pages(),
        "documents": document_pages(),
        "python": python_pages(),
        "numbers": number_fragments(),
    }
    for name, contents in pages.items():
        place = folder / name
        place.mkdir(exist_ok=True)
        for path in place.glob("*.md"):
            if path.stem not in contents:
                path.unlink()
        for stem, text in contents.items():
            path = place / f"{stem}.md"
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
    draw_cameras(folder / "figures")
