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
        ({"detectors": "0"}, "detectors = '0' is not an integer from 1"),
        ({"detectors": "8193"}, "detectors = '8193' is not an integer from 1 to 8192"),
        ({"width": "many"}, "width = 'many' is not an integer from 1"),
        ({"gain": "-1"}, "gain = '-1' is not a positive number"),
        ({"pixel_scale": ""}, "pixel_scale = '' is not a positive number"),
        ({"pixel_size": "15"}, "'15' is too many millimeters for a pixel; 0.015 mm are 15 micrometers"),
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
        ("detektors: 4", "'detektors' is not a question; did you mean 'detectors'"),
        ("- 1", "not a list of 'name: value'"),
        ("a: [", "cannot be read"),
        ("", "the file of answers is empty; its lines are 'name: value'"),
    ],
)
def test_files_that_hold_no_answers(tmp_path, text, message):
    path = tmp_path / "answers.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_answers(path)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"title": "a\rb"}, "title has more than one line"),
        ({"author": "a\u2028b"}, "author has more than one line"),
        ({"author": "a\x00b"}, "author has a control character"),
        ({"title": "a" * 301}, "title has 301 characters; 300 are the limit"),
        ({"camera": "a" * 61}, "it has 61 characters, 60 are the limit"),
        ({"visit_key": "v" * 61}, "cannot be a key of data IDs"),
    ],
)
def test_text_that_breaks_lines_or_names_is_refused(answer, message):
    with pytest.raises(ConfigError, match=message):
        Answers(**({"camera": "toy"} | answer))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", b"title: !!timestamp 2020", "a value does not agree with its tag"),
        ("a.yaml", b"title: " + b"[" * 5000, "nesting depth"),
        ("a.yaml", b"title: &a [*a]", "an alias contains itself"),
        ("a.yaml", b"title: \xff\xfe\xfa", "it is not UTF-8 text"),
        ("a.yaml", b"title: !!python/object/apply:os.system [false]", "could not determine a constructor"),
        ("a.json", b"[" * 100_000, "cannot be read"),
        ("a.json", b'{"width": 1' + b"0" * 5000 + b"}", "cannot be read"),
    ],
)
def test_files_of_answers_that_are_none(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=f"{name}.*{message}"):
        read_answers(tmp_path / name)
