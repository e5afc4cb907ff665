"""The form of the guide's pages: how each begins and ends, its pictures, sentences, and quoted numbers."""

import re
import sys

import pytest
from pages import CHECKOUT, GUIDE, STEPS, WRITTEN

from obs.coadds.config import CoaddConfig
from obs.config.schema import iterate_fields
from obs.metrics.definitions import METRICS
from obs.tasks.calibs_config import CalibsConfig
from obs.tasks.difference.config import DifferenceConfig
from obs.tasks.process_config import ProcessConfig
from obs.tasks.relative.config import CalibrateVisitsConfig

GUIDE_PAGES = [path for path in WRITTEN if path.stem not in ("README", "index")]
DOCUMENTS = [CHECKOUT / name for name in ("CONTRIBUTING.md", "ARCHITECTURE.md")]
NOTEBOOKS = sorted((GUIDE / "notebooks").glob("*.md"))
SEMICOLONS = 3.0
"""Most semicolons in 1000 words."""
OPENING = re.compile(r"This (?:page|tutorial|section|notebook) (?:shows|explains|lists|describes)\b")
PICTURES = (
    *("index", "five_minutes", "your_camera", "one_image", "concepts", "how_it_works"),
    *("judge_a_run", "catalog", "using_images", "coadds", "light_curves", "calibration_frames", "camera"),
)
"""Pages with results that can be seen; pages on steps have pictures, too, and notebooks draw theirs."""


def ids(path):
    return path.stem


def prose(path):
    """Return the words of a page: what is neither a block, nor code, nor a comment, nor the target of a link."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"```.*?```|`[^`]*`|<!--.*?-->|\]\([^)]*\)|^ {4}.*$", "", text, flags=re.DOTALL | re.MULTILINE)


def semicolons(text):
    """Return how many semicolons are more than the style allows in this many words; short texts may have one."""
    return text.count(";") - max(SEMICOLONS * len(re.findall(r"\w+", text)) / 1000, 1.0)


@pytest.mark.parametrize("path", [*WRITTEN, *NOTEBOOKS, *DOCUMENTS], ids=ids)
def test_sentences_are_not_chained_by_semicolons(path):
    assert semicolons(prose(path)) <= 0


def test_chained_sentences_would_be_seen():
    assert semicolons("One; two; three; four.") > 0


@pytest.mark.parametrize("path", [*GUIDE_PAGES, *NOTEBOOKS], ids=ids)
def test_pages_begin_with_their_purpose_and_needs(path):
    text = path.read_text(encoding="utf-8")
    beginning = " ".join(re.search(r"^# .*?(?=^## )|^# .*", text, re.MULTILINE | re.DOTALL)[0].split())
    assert OPENING.search(beginning), "say what the page shows"
    assert re.search(r"\b[Yy]ou need\b", beginning), "say what the reader needs"
    assert re.search(r"\bfor\b", beginning), "say who it is for"


@pytest.mark.parametrize("path", GUIDE_PAGES, ids=ids)
def test_pages_end_with_what_next(path):
    """The last lines lead to another page; an index has links everywhere."""
    text = path.read_text(encoding="utf-8").split("```{toctree}")[0].rstrip()
    assert "](" in text[-700:]


@pytest.mark.parametrize("path", [*(GUIDE / f"{name}.md" for name in PICTURES), *STEPS], ids=ids)
def test_pages_have_a_picture_where_one_is_due(path):
    pictures = re.findall(r"^!\[(.+?)\]\((.+?)\)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert pictures
    assert all(len(words.split()) >= 2 for words, _ in pictures), "a picture has words for who cannot see it"


@pytest.fixture(scope="module")
def numbers():
    sys.path.insert(0, str(GUIDE))
    try:
        from generator import numbers  # noqa: PLC0415
    finally:
        sys.path.remove(str(GUIDE))
    return numbers


def test_pages_quote_numbers_that_the_benchmarks_have(numbers):
    fragments = numbers.number_fragments()
    quoted = {name for path in STEPS for name in re.findall(r"include\} \.\./numbers/(\w+)\.md", path.read_text())}
    assert quoted == set(fragments)
    for text in fragments.values():
        assert len(re.findall(r"^\| ", text, re.MULTILINE)) >= 2


def test_numbers_that_the_benchmarks_do_not_have_are_refused(numbers, monkeypatch):
    monkeypatch.setitem(numbers.NUMBERS, "psf", (numbers.Quote("Help", "quantity", ("none",)),))
    with pytest.raises(LookupError, match="section 'Help' has no table that begins with 'quantity'"):
        numbers.number_fragments()
    monkeypatch.setitem(numbers.NUMBERS, "psf", (numbers.Quote("Coadds", "", ("no such row",)),))
    with pytest.raises(LookupError, match="has no row 'no such row'"):
        numbers.number_fragments()


@pytest.mark.parametrize("path", STEPS, ids=ids)
def test_pages_on_steps_answer_the_same_questions(path):
    headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0].startswith("What it does")
    assert headings[1].startswith("Settings that matter")
    assert headings[2:] == ["Numbers", "When it fails", "How to judge the result", "Papers"]


#: Page on a step: the configuration class of the settings in its table; of the others it is that of `obs process`.
CONFIGS = {
    "calibration_frames": CalibsConfig,
    "relative_calibration": CalibrateVisitsConfig,
    "coadds": CoaddConfig,
    "differences": DifferenceConfig,
}


@pytest.mark.parametrize("path", STEPS, ids=ids)
def test_settings_and_metrics_on_the_pages_of_steps_exist(path):
    text = path.read_text(encoding="utf-8")
    known = {name for name, _ in iterate_fields(CONFIGS.get(path.stem, ProcessConfig))}
    table = re.findall(r"^\| (`.+?) \|", text.split("## Settings that matter")[1].split("\n## ")[0], re.MULTILINE)
    named = [name for cell in table for name in re.findall(r"`([\w.]+)`", cell)]
    assert [name for name in named if name not in known] == []
    assert named or path.stem == "metrics"
    metrics = re.findall(r"(?:metric|gate)s? `(\w+)`|^`(\w+)` (?:is|compares)", text, re.MULTILINE)
    outside = {"psf_origin"}  # a text, in the metadata
    assert {name for pair in metrics for name in pair if name} - set(METRICS) - outside == set()
