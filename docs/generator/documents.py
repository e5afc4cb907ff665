"""Pages that are documents of the project, with their links led to the guide's own pages."""

import re
from pathlib import Path

__all__ = ["document_pages"]

_ROOT = Path(__file__).parents[2]
#: Document: its page, seen from the folder of these pages.
_PAGES = {
    "README.md": "../index",
    "ARCHITECTURE.md": "architecture",
    "benchmarks/README.md": "accuracy",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
}


def document_pages() -> dict[str, str]:
    """Return the pages by file name; the first page of the guide has words of its own."""
    return {
        page: re.sub(r"\]\(([\w/.]+)\)", _link, (_ROOT / name).read_text(encoding="utf-8"))
        for name, page in _PAGES.items()
        if not page.startswith("../")
    }


def _link(match: re.Match[str]) -> str:
    return f"]({_PAGES[match[1]]}.md)" if match[1] in _PAGES else match[0]
