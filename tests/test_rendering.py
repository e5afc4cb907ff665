"""Templates that the engine renders: values are data, and never code."""

import ast

import jinja2
import pytest

from obs import rendering

ATTACK = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"


@pytest.fixture
def templates(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "template_folder", lambda: tmp_path)
    rendering._environment.cache_clear()
    yield tmp_path
    rendering._environment.cache_clear()


@pytest.mark.parametrize("name", ["ps1", "it's", "a\nimport os", '"""', ATTACK, "ü\\"])
def test_a_name_is_one_literal_of_the_python_file(name):
    tree = ast.parse(rendering.render("ref_cat_config.py.jinja", name=name, depth=7))
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert name in values
    assert len(tree.body) == 6


def test_values_are_not_rendered(templates):
    (templates / "a.txt").write_text("{{ value }}\n")
    assert rendering.render("a.txt", value=ATTACK) == ATTACK + "\n"


def test_pages_escape_values(templates):
    (templates / "a.html").write_text("<p>{{ value }}</p>")
    assert rendering.render("a.html", value="<script>") == "<p>&lt;script&gt;</p>"


def test_a_template_reaches_nothing_but_its_values(templates):
    (templates / "a.txt").write_text(ATTACK)
    with pytest.raises(jinja2.exceptions.SecurityError, match="access to attribute '__init__'"):
        rendering.render("a.txt")


def test_a_missing_value_is_an_error(templates):
    (templates / "a.txt").write_text("{{ value }}")
    with pytest.raises(jinja2.UndefinedError, match="'value' is undefined"):
        rendering.render("a.txt")
