"""Each test breaks a sound package in one way."""

import pytest

from obs.cli.main import main
from obs.errors import OutputError, PluginError
from obs.resources import project_template
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.package_check import check_package


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    answers = Answers(camera="checked", detectors="2", width="64", height="32", overscan="8")
    return create_package(answers, tmp_path_factory.mktemp("sound"))


@pytest.fixture
def package(sound, tmp_path):
    target = tmp_path / sound.name
    for path in sound.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(sound)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return target


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def messages(package):
    return [str(problem) for problem in check_package(str(package))]


def test_a_new_package_is_sound(package):
    assert messages(package) == []
    assert messages(package / "obs_checked") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "part", "wanted"),
    [
        ("translator.py", "class Checked", "clas Checked", "code", "translator.py:33: invalid syntax"),
        ("translator.py", '"expTime": (', '"expTme": (', "translator", "'expTme' in translation is neither a column"),
        ("translator.py", '"ccd": int,', '"chip": int,', "translator", "'ccd' in translation is neither"),
        ("translator.py", "from typing import Any", "import nothing_there", "translator", "translator.py:5: "),
        ("__init__.py", '"checked",', '"other",', "contract", "the entry point is called 'checked'"),
        ("__init__.py", "import FilterDefinition, ", "import FilterDefinition as F, ", "code", "NameError"),
        ("__init__.py", 'detector="%(ccd)d"', 'detector="%(chip)d"', "policy", "the template of raw lacks chip"),
        ("exposure_id.py", "* _DETECTORS +", "+", "exposure id", ""),
        ("exposure_id.py", "instrument.find_detector(data_id).id", "0", "exposure id", "have the same number"),
        ("policy/checked.yaml", "defaultLevel: sensor", "", "policy", "the key 'defaultLevel' is missing"),
        ("policy/checked.yaml", "camera: ../camera", "camera: ../other", "policy", "make them agree"),
        ("policy/checked.yaml", "%(ccd)03d", "%(chip)03d", "translator", "the template of raw needs chip"),
        ("camera/camera.yaml", "plate_scale:", "plate_scales:", "camera", "line 3: plate_scales: this key is unknown"),
        ("camera/detectors.csv", "0.015,0.015", "0,0.015", "camera", "line 3, column 'pixel_size_x'"),
        ("camera/amplifiers.csv", "LL", "XX", "camera", "line 4, column 'readout_corner'"),
        ("config/process.yaml", "# isr:", "isrr: 1\n# isr:", "config", "process.yaml:3:"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(package, file, old, new, part, wanted):
    edit(package / "obs_checked" / file, old, new)
    found = messages(package)
    if not wanted:
        assert found == []  # as good a number for two detectors
        return
    assert any(text.startswith(f"{part}: ") and wanted in text for text in found), found


def test_settings_of_no_task_are_told(package):
    (package / "obs_checked" / "config" / "proces.yaml").write_text("isr: {}\n")
    assert any("there is no task 'proces'; call it process.yaml or simulate.yaml" in text for text in messages(package))


def test_a_project_without_a_camera_is_told(package):
    edit(package / "pyproject.toml", '"obs.cameras"', '"obs.kameras"')
    assert any("no camera is declared" in text for text in messages(package))


def test_what_is_no_package(tmp_path):
    with pytest.raises(PluginError, match="is no package of a camera"):
        check_package(str(tmp_path))
    with pytest.raises(PluginError, match="no camera 'nothing_here' is installed"):
        check_package("nothing_here")


def test_the_command_counts_and_exits(package, capsys):
    assert main(["check", str(package)]) == 0
    assert "0 problems" in capsys.readouterr().out
    edit(package / "obs_checked" / "translator.py", "class Checked", "clas Checked")
    assert main(["check", str(package)]) == 1
    captured = capsys.readouterr()
    assert "1 problem" in captured.out
    assert "translator.py:33" in captured.err
    assert "Traceback" not in captured.err


def test_a_folder_that_exists_is_left_alone(sound):
    with pytest.raises(OutputError, match="exists already"):
        create_package(Answers(camera="checked"), sound.parent)


def test_a_name_that_is_taken_is_refused(tmp_path):
    with pytest.raises(PluginError, match="the name 'sdss' is taken by the camera of"):
        create_package(Answers(camera="sdss"), tmp_path)


def test_template_has_a_question_for_each_answer():
    text = (project_template() / "cookiecutter.json").read_text()
    assert all(f'"{name}"' in text for name in Answers(camera="toy").as_context())


def test_nothing_is_left_blank(sound):
    for path in sound.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            text = path.read_text()
            assert "TODO" not in text
            assert "{%" not in text
            assert "cookiecutter" not in text
