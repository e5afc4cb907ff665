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
#: Page: its title in the guide, where the document has a shorter one.
_TITLES = {"accuracy": "Accuracy and speed", "changelog": "Release notes"}


def document_pages() -> dict[str, str]:
    """Return the pages by file name; the first page of the guide has words of its own."""
    return {
        page: _with_title(page, re.sub(r"\]\(([\w/.]+)\)", _link, (_ROOT / name).read_text(encoding="utf-8")))
        for name, page in _PAGES.items()
        if not page.startswith("../")
    }


def _link(match: re.Match[str]) -> str:
    return f"]({_PAGES[match[1]]}.md)" if match[1] in _PAGES else match[0]


def _with_title(page: str, text: str) -> str:
    return re.sub(r"\A# .*", f"# {_TITLES[page]}", text) if page in _TITLES else text
