"""Installed packages that cannot be opened; those in folders are in test_package_check."""

import pytest

from obs.checks.open_package import open_package
from obs.checks.package import check_package
from obs.errors import PluginError

CAMERA = """
from pathlib import Path
from obs.instrument.instrument import Instrument
instrument = Instrument({name!r}, folder=Path(__file__).parent, policy="p.yaml", exposure_id=len, exposure_id_bits=30)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Leave what an installer would: metadata with an entry point, and a module."""
    monkeypatch.syspath_prepend(tmp_path)

    def apply(distribution, name, reference, code=None):
        info = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[obs.cameras]\n{name} = {reference}\n")
        if code is not None:
            package = tmp_path / reference.partition(":")[0]
            package.mkdir()
            (package / "__init__.py").write_text(code)
            return package / "__init__.py"
        return info

    return apply


def told(name):
    return [str(problem) for problem in check_package(name)]


def test_an_installed_camera_is_opened_by_its_name(install):
    install("obs-here", "here", "obs_here_now:instrument", CAMERA.format(name="here"))
    with open_package("here") as package:
        assert (package.name, package.instrument.name, package.problems) == ("here", "here", ())


def test_a_package_that_is_gone(install):
    install("obs-gone", "gone", "obs_gone_away:instrument")
    assert told("gone") == [
        "entry point: gone = 'obs_gone_away:instrument' of obs-gone==1.2: there is no package obs_gone_away; "
        "install it again"
    ]


def test_a_module_that_fails_is_told_with_its_line(install):
    path = install("obs-fails", "fails", "obs_fails_now:instrument", "import os\n\n1 / 0\n")
    assert told("fails") == [f"code: {path}:3: ZeroDivisionError: division by zero"]


def test_a_syntax_error_is_told_with_its_line(install):
    path = install("obs-slip", "slip", "obs_slip_now:instrument", "import os\nif True\n")
    assert told("slip") == [f"code: {path}:2: expected ':': if True"]


def test_a_name_that_the_module_lacks(install):
    install("obs-lacks", "lacks", "obs_lacks_it:instrumnt", CAMERA.format(name="lacks"))
    assert told("lacks") == [
        "entry point: lacks = 'obs_lacks_it:instrumnt': obs_lacks_it has no 'instrumnt'; did you mean 'instrument'?"
    ]


def test_two_packages_with_one_camera(install):
    install("obs-one", "double", "obs_one_of_two:instrument", CAMERA.format(name="double"))
    install("obs-two", "double", "obs_two_of_two:instrument", CAMERA.format(name="double"))
    (problem,) = told("double")
    assert problem.startswith("entry point: the camera 'double' is installed twice, by obs-one==1.2")


def test_a_folder_with_several_cameras(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project.entry-points."obs.cameras"]\nfirst = "obs_first:instrument"\nsecond = "obs_second:instrument"\n'
    )
    with (
        pytest.raises(PluginError, match=r"has the cameras first, second; give the folder of one"),
        open_package(str(tmp_path)),
    ):
        pass
