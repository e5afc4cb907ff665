"""LSST's override files are read, never run."""

import logging

import pytest

from obs.config.overrides import read_override_file, read_override_text
from obs.errors import ConfigError


def read(folder, text, name="override.py"):
    path = folder / name
    path.write_text(text)
    return [(".".join(item.name), item.value, item.line) for item in read_override_file(path)]


def test_assignments_with_their_lines(tmp_path):
    text = '''"""Doc."""
import os.path
from lsst.pipe.tasks import x
assert type(config)==object, "wrong"
config.isr.doBias = False
config.plugins["name"].width = -3
root.fwhm = 1.5*2.355  # older files say root
config.charImage.measurePsf.starSelector['objectSize'].names = ["a", 'b']
'''
    assert read(tmp_path, text) == [
        ("isr.doBias", False, 5),
        ("plugins.name.width", -3, 6),
        ("fwhm", 1.5 * 2.355, 7),
        ("charImage.measurePsf.starSelector.objectSize.names", ["a", "b"], 8),
    ]


def test_a_file_may_load_its_neighbor(tmp_path):
    read(tmp_path, "config.doFlat = True\n", "isr.py")
    text = 'import os\nconfig.isr.load(os.path.join(os.path.dirname(__file__), "isr.py"))\nconfig.load("isr.py")\n'
    assert read(tmp_path, text) == [("isr.doFlat", True, 1), ("doFlat", True, 1)]


def test_retarget_is_ignored_with_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert read(tmp_path, "config.isr.retarget(SdssNullIsrTask)\n") == []
    assert "override.py:1: ignored: 'retarget' names a class of the LSST stack" in caplog.text


def test_retarget_to_a_function_of_another_package(tmp_path):
    text = "from my.tasks import dim as f\nimport os\nconfig.charImage.retarget(f)\nconfig.isr.retarget(target=f)\n"
    assert read(tmp_path, text) == [("charImage.target", "my.tasks:dim", 3), ("isr.target", "my.tasks:dim", 4)]
    text = "from lsst.obs.x import Isr\nconfig.isr.retarget(Isr)\n"
    assert read(tmp_path, text) == []


def test_a_name_as_python_writes_it():
    assignment = read_override_text("charImage.measurement.plugins['base_PsfFlux'].x=3")
    assert assignment.name == ("charImage", "measurement", "plugins", "base_PsfFlux", "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import pdb\npdb.set_trace()\n", r"override\.py:2: cannot read 'pdb\.set_trace\(\)'; only lines such as"),
        ("for x in y:\n    config.a = x\n", r"override\.py:1: cannot read 'for x in y:'"),
        ("config.a.names |= ['x']\n", r"override\.py:1: cannot read"),
        ("x = 3\n", r"override\.py:1: cannot read 'x = 3'"),
        (
            "config.a = open('/etc/passwd').read()\n",
            r"override\.py:1: 'open\('/etc/passwd'\)\.read\(\)' is not a plain value",
        ),
        ("config.a = float('3 apples')\n", r"override\.py:1: 'float\('3 apples'\)' is not a plain value"),
        ("config.a = 'x' * 3\n", r"override\.py:1: ''x' \* 3' is not a plain value"),
        ("config.a = 1 / 0\n", r"override\.py:1: '1 / 0': division by zero"),
        ("config.a = \n", r"override\.py:1: invalid Python: invalid syntax"),
        ("config.load('none.py')\n", r"none\.py: cannot read this file: No such file"),
        ("config.load('override.py')\n", r"override\.py: this file loads itself"),
        ("config.load(somewhere())\n", r"override\.py:1: the file 'somewhere\(\)' is ambiguous"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_a_text_keeps_what_was_typed():
    item = read_override_text("a.b= 12:30 ")
    assert (item.name, item.text, item.origin) == (("a", "b"), "12:30", "-c a.b= 12:30 ")
