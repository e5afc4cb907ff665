"""Pages that explain results: their scripts run, and the messages that they explain exist."""

import ast
import re

import matplotlib as mpl
import pytest
from pages import CHECKOUT, GUIDE, STEPS, WRITTEN, read_blocks
from test_python import in_night, night  # noqa: F401 - fixtures

TASKS = 48


def test_the_script_of_the_catalog_page_runs(in_night, capsys):  # noqa: F811 - the fixture
    mpl.use("agg")
    script = "\n".join(block.text for block in read_blocks(GUIDE / "catalog.md") if block.kind == "python")
    exec(compile(script, "catalog.md", "exec"), {})  # noqa: S102 - the guide's own text
    printed = capsys.readouterr().out
    assert int(re.search(r"(\d+) stars,", printed)[1]) > 20
    assert "row" in printed
    assert (in_night / "depth.png").stat().st_size > 5000


def message_parts():
    """Return the constant parts of all texts in the code."""
    parts = []
    for path in (CHECKOUT / "core" / "obs").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                constants = [item.value if isinstance(item, ast.Constant) else "\0" for item in node.values]
                parts.append("".join(map(str, constants)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts.append(node.value)
    return "\0".join(parts)


def quoted_messages(page):
    """Return the messages that the tables of a page explain."""
    tables = re.findall(r"^\| message contains .*\n((?:\|.*\n)+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    rows = re.findall(r"^\| (`[^|]+`)", "".join(tables), re.MULTILINE)
    return [text for row in rows for text in re.findall(r"`([^`]+)`", row)]


def test_every_message_that_a_page_explains_exists():
    pages = [GUIDE / "troubleshooting.md", *STEPS]
    quoted = [(page.name, text) for page in pages for text in quoted_messages(page)]
    assert len(quoted) > 45
    texts = message_parts()
    assert [(page, text) for page, text in quoted if text not in texts] == []


def test_the_index_of_tasks_answers_all_questions():
    text = (GUIDE / "questions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!question|---)(.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert len(rows) == TASKS
    assert [question for question, answer in rows if len(answer.split()) < 2] == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    generated = ("commands", "settings", "reference", "python", "documents", "figures", "gallery", "numbers")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)", text):
        page = path.parent / target if target else path
        if target.removeprefix("../").split("/")[0] in generated:
            continue  # the build of the guide checks these
        assert page.exists(), f"{path.name}: no page {target}"
        if anchor and page.suffix == ".md":
            assert anchor[1:] in anchors(page), f"{path.name}: {target} has no heading {anchor}"


def anchors(page):
    """Return what headings and labels of a page are called in links."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings]
    return {*plain, *re.findall(r"^\((\w[\w-]*)\)=$", text, re.MULTILINE)}
