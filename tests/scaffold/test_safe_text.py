"""Nothing that an answer, a header or an answers file holds is run or becomes code."""

import json
import os

import pytest

from obs.cli.main import main
from obs.errors import ConfigError
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.safe_text import check_facts
from obs.scaffold.update import ANSWERS_FILE, plan_update

HOSTILE = [
    "{{ cycler.__init__.__globals__.os.mkdir('PWN') }}",
    "{% for i in range(10**9) %}a{% endfor %}",
    "{{ 7*7 }}",
    "{# hidden #}x",
    "{% raw %}{{ 1 }}",
    "{% endraw %}{{ 1 }}",
    'Max"""\nimport os'.replace("\n", " "),
    "Ω'\"\\{{}}",
    "{{ cookiecutter._facts }}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_answers_are_never_rendered(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    package = create_package(Answers(camera="toy", author=text, title=text), tmp_path)
    answers = json.loads((package / ANSWERS_FILE).read_text())["answers"]
    assert (answers["author"], answers["title"]) == (text, text)
    assert not (tmp_path / "PWN").exists()
    compile((package / "obs_toy" / "__init__.py").read_text(), "__init__.py", "exec")
    assert not plan_update(package).changes  # nor when the answers come from the file


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "toy", "--no-input", "--title", HOSTILE[0], "--filters", "g{{ 7*7 }},"]) == 0
    (tmp_path / "answers.yaml").write_text(json.dumps({"author": HOSTILE[0]}))
    assert main(["new", "toys", "--no-input", "--answers", "answers.yaml"]) == 0
    assert os.listdir(tmp_path).count("PWN") == 0
    assert '"g{{ 7*7 }}"' in (tmp_path / "obs_toy/obs_toy/__init__.py").read_text()


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"detector_type": "__import__('os')"}, "detector_type = .* must be one of int, str"),
        ({"translator": {"visit": {"keyword": 'X"""; import os'}}}, "visit.keyword .* it has the character"),
        ({"translator": {"visit": {"keyword": "{1/0}"}}}, "visit.keyword .* it has the character {"),
        ({"translator": {"visit": {"pattern": '")); import os'}}}, "visit.pattern .* is not one of the patterns"),
        ({"translator": {"detector": {"size": "1); import os"}}}, "detector.size .* is not a number"),
        ({"translator": {"site": {"longitude": "import os"}}}, "site.longitude .* is not a number"),
        ({"translator": {"site": {'"x': 1}}}, "site .key. .* it has the character"),
        ({"translator": {"exposure_time": {"unit": 's"}'}}}, "exposure_time.unit .* it has the character"),
        ({"translator": {"image_words": {"bias": ['a"']}}}, "image_words.bias .* it has the character"),
        ({"plate_scale_note": "a\nname: x"}, "plate_scale_note .* has a line break"),
        ({"plate_scale": "1\nname: x"}, "plate_scale .* is not a number"),
        ({"report": [["a", "b\nc"]]}, "report .* has a line break"),
        ({"amplifiers": [["ccd0", "a\nb"]]}, "amplifiers .* has a line break"),
    ],
)
def test_facts_that_could_be_code_are_refused(facts, message):
    with pytest.raises(ConfigError, match=message):
        check_facts(facts)


def test_an_answers_file_of_somebody_else(tmp_path):
    """`obs update` of a package whose answers file was written to run something, or to write elsewhere."""
    package = create_package(Answers(camera="toy"), tmp_path)
    whole = json.loads((package / ANSWERS_FILE).read_text())
    for change, message in (
        ({"answers": whole["answers"] | {"_facts": {"detector_type": "exit()", "detectors": [{}]}}}, "must be one of"),
        ({"originals": {"../../evil": "x"}}, "the answers file is damaged"),
        ({"originals": {"link/evil": "x"}}, "the answers file is damaged"),
        ({"originals": {"a\0b": "x"}}, "the answers file is damaged"),
        ({"template_version": 1e999}, "the answers file is damaged"),
        ({"template_version": [[]]}, "the answers file is damaged"),
    ):
        (package / "link").unlink(missing_ok=True)
        (package / "link").symlink_to(tmp_path)
        (package / ANSWERS_FILE).write_text(json.dumps(whole | change))
        with pytest.raises(ConfigError, match=message):
            plan_update(package)
