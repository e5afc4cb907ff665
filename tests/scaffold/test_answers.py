import json

import pytest

from obs.errors import ConfigError
from obs.scaffold.answers import Answers, read_answers


@pytest.mark.parametrize("name", ["my-cam", "1cam", "MyCam", "class", "", "my cam"])
def test_names_that_are_no_identifier_are_refused(name):
    with pytest.raises(ConfigError, match="cannot be the name of a camera"):
        Answers(camera=name)


def test_a_better_name_is_suggested():
    with pytest.raises(ConfigError, match="'my_cam' would do"):
        Answers(camera="My-Cam")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"detectors": "0"}, "detectors = '0' is no whole number from 1"),
        ({"detectors": "8193"}, "detectors = '8193' is no whole number from 1 to 8192"),
        ({"width": "many"}, "width = 'many' is no whole number from 1"),
        ({"gain": "-1"}, "gain = '-1' is no positive number"),
        ({"pixel_scale": ""}, "pixel_scale = '' is no positive number"),
        ({"filters": " "}, "a camera needs one"),
        ({"visit_key": "filter"}, "visit_key = 'filter' cannot be a key"),
        ({"detector_key": "my chip"}, "detector_key = 'my chip' cannot be a key"),
        ({"visit_key": "ccd"}, "visit_key and detector_key are both 'ccd'"),
        ({"title": "two\nlines"}, "title has more than one line"),
    ],
)
def test_answers_that_cannot_be_are_refused(answer, message):
    with pytest.raises(ConfigError, match=message):
        Answers(camera="toy", **answer)


def test_answers_from_a_file(tmp_path):
    path = tmp_path / "answers.yaml"
    path.write_text("detectors: 4\nfilters: [g, r]\ngain:\n")
    assert read_answers(path) == ({"detectors": "4", "filters": "g, r,", "gain": ""}, None)


def test_answers_that_a_package_stores(tmp_path):
    path = tmp_path / ".obs-template.json"
    facts = {"detectors": [{"id": 0}]}
    path.write_text(json.dumps({"template_version": "1", "answers": {"camera": "toy", "_facts": facts}}))
    assert read_answers(path) == ({"camera": "toy"}, facts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("detektors: 4", "'detektors' is no question; did you mean 'detectors'"),
        ("- 1", "no list of 'name: value'"),
        ("a: [", "cannot be read"),
        ("", "the file of answers is empty; its lines are 'name: value'"),
    ],
)
def test_files_that_hold_no_answers(tmp_path, text, message):
    path = tmp_path / "answers.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_answers(path)
