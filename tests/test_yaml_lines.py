"""YAML with line numbers."""

import os

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import ConfigError, PolicyError
from obs.yaml_lines import dump_yaml, line_of, load_yaml, parse_yaml

TEXT = """\
# a comment
exposures:
  raw:
    template: raw/%(visit)d.fits
    tables: [raw, raw_visit]
levels:
  - one
  - two
"""


def test_lines_of_keys_and_items(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(TEXT)
    data, lines = load_yaml(path, error=PolicyError)
    assert data["exposures"]["raw"]["tables"] == ["raw", "raw_visit"]
    assert lines[("exposures",)] == 2
    assert lines[("exposures", "raw", "template")] == 4
    assert lines[("levels", 1)] == 8


def test_line_of_falls_back_to_what_is_around():
    _, lines = parse_yaml(TEXT, error=PolicyError)
    assert line_of(lines, ("exposures", "raw", "python")) == 3
    assert line_of({}, ("a",)) is None


def test_merged_keys_have_the_line_where_they_are_written():
    data, lines = parse_yaml("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", error=PolicyError)
    assert data["d"] == {"b": 1, "c": 3}
    assert lines[("d", "b")] == 1
    assert lines[("d", "c")] == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 1\na: 2\n", r"^f\.yaml:3: invalid YAML: the key 'a' is already on line 1$"),
        ("a: 1\nb: [1\n", r"^f\.yaml:3: invalid YAML: "),
        ("a:\n\tb: 1\n", r"^f\.yaml:2: invalid YAML: found .*character"),
        ("a: !!python/object:os.system 1\n", r"^f\.yaml:1: invalid YAML: could not determine a constructor"),
        ("a: 2020-13-45\n", r"^f\.yaml: invalid YAML: month must be in 1\.\.12"),
        (b"a: \xff\n", r"^f\.yaml: invalid YAML: "),
        ("a: 1\n---\nb: 2\n", r"^f\.yaml:2: invalid YAML: "),
        ("[" * 3000, r"^f\.yaml.*: invalid YAML: "),
    ],
)
def test_invalid_yaml_names_file_and_line(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text, error=ConfigError, path="f.yaml")


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot read this file: No such file"):
        load_yaml(tmp_path / "none.yaml", error=ConfigError)


def test_empty_file(tmp_path):
    (tmp_path / "empty.yaml").touch()
    assert load_yaml(tmp_path / "empty.yaml", error=ConfigError) == (None, {(): 1})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii", min_codepoint=32)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_reads_what_is_written(data):
    read, lines = parse_yaml(dump_yaml(data), error=ConfigError)
    assert read == yaml.safe_load(yaml.safe_dump(data)) == data
    assert lines[()] == 1


def test_bytes_of_a_path_that_are_not_utf_8():
    path = os.fsdecode(b"/data/\xe4\xff")
    data, _ = parse_yaml(dump_yaml({"path": path}), error=ConfigError)
    assert data == {"path": path}
