"""Cameras are found by their entry points; one that is broken hides no other."""

import itertools
import sys
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from obs.errors import PluginError
from obs.instrument.discovery import discover, instrument_for_mapper, load_instrument

NUMBERS = itertools.count()
DUMMY = Path(__file__).parents[1] / "dummy_plugin"


def distribution(folder, name, version, points):
    """Make the metadata that an installer would leave for a distribution."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = "\n".join(f"{key} = {value}" for key, value in points.items())
    (info / "entry_points.txt").write_text(f"[obs.cameras]\n{lines}\n")
    return list(Distribution.at(info).entry_points)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a module that can be imported, and return its entry points."""
    modules = tmp_path / "modules"
    modules.mkdir()
    monkeypatch.syspath_prepend(modules)

    def write(name, text, *, package=None, version="1.0"):
        module = f"plugin_{name}_{next(NUMBERS)}"
        (modules / f"{module}.py").write_text(text)
        return distribution(tmp_path / module, package or f"obs-{name}", version, {name: f"{module}:instrument"})

    return write


GOOD = """
from pathlib import Path
from obs.instrument.instrument import Instrument, FilterDefinition
def number(data_id): return data_id["visit"]
instrument = Instrument({name!r}, folder=Path(__file__).parent, policy="p.yaml", exposure_id=number,
                        exposure_id_bits=30, mapper_names=({mapper!r},){more})
"""


def good(name, mapper="a.b.CamMapper", more=""):
    return GOOD.format(name=name, mapper=mapper, more=f", {more}" if more else "")


@pytest.fixture
def dummy_points(tmp_path, monkeypatch):
    """Return the entry points of the dummy plugin as its own packaging declares them."""
    monkeypatch.syspath_prepend(DUMMY)
    project = tomllib.loads((DUMMY / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["obs.cameras"]
    distribution(tmp_path, project["name"], project["version"], points)
    (found,) = distributions(path=[str(tmp_path)])
    return list(found.entry_points)


def test_the_dummy_plugin(dummy_points):
    found = discover(dummy_points)
    assert found.broken == []
    dummy = found.instruments["dummy"]
    assert (dummy.name, dummy.distribution, dummy.version) == ("dummy", "obs-dummy", "0.1.0")
    assert len(dummy.instrument.load_camera()) == 1
    assert dummy.instrument.load_policy().dataset_types["raw"].template


def test_one_broken_plugin_hides_no_other(plugin):
    points = [
        *plugin("zeta", good("zeta")),
        *plugin("bad", "import no_such_module_anywhere\n", version="2.3"),
        *plugin("quits", "raise SystemExit('no license')\n"),
        *plugin("alpha", good("alpha")),
    ]
    found = discover(points)
    assert list(found.instruments) == ["alpha", "zeta"]
    assert [(broken.name, broken.distribution, broken.version) for broken in found.broken] == [
        ("bad", "obs-bad", "2.3"),
        ("quits", "obs-quits", "1.0"),
    ]
    assert found.broken[0].cause == (
        "the camera 'bad' of obs-bad==2.3 cannot be imported: ModuleNotFoundError: "
        "No module named 'no_such_module_anywhere'"
    )
    assert "SystemExit: no license" in found.broken[1].cause


def test_a_broken_plugin_raises_when_it_is_asked_for(plugin):
    points = [*plugin("bad", "raise ValueError('two\\nlines')\n"), *plugin("fine", good("fine"))]
    assert load_instrument("fine", points).name == "fine"
    with pytest.raises(
        PluginError, match=r"the camera 'bad' of obs-bad==1\.0 cannot be imported: ValueError: two lines$"
    ):
        load_instrument("bad", points)


def test_only_the_plugin_asked_for_is_imported(plugin):
    points = [*plugin("one", good("one")), *plugin("two", good("two"))]
    load_instrument("one", points)
    imported = [point.module in sys.modules for point in points]
    assert imported == [True, False]


def test_two_cameras_of_one_name(plugin):
    points = [*plugin("twin", good("twin"), package="obs-b"), *plugin("twin", good("twin"), package="obs-a")]
    points += plugin("other", good("other"))
    found = discover(points)
    assert list(found.instruments) == ["other"]
    assert [broken.distribution for broken in found.broken] == ["obs-a", "obs-b"]
    with pytest.raises(
        PluginError, match=r"'twin' is installed twice, by obs-a==1\.0 \(.*\) and obs-b==1\.0 \(.*uninstall one"
    ):
        load_instrument("twin", points)


def test_an_entry_point_that_is_listed_twice_counts_once(plugin):
    points = plugin("one", good("one"))
    assert list(discover(points * 2).instruments) == ["one"]


def test_a_camera_that_is_not_installed(plugin):
    points = plugin("dummy", good("dummy"))
    with pytest.raises(PluginError, match=r"no camera 'dumy' is installed; did you mean 'dummy'\?; installed: dummy"):
        load_instrument("dumy", points)
    with pytest.raises(PluginError, match="no camera 'x' is installed; installed: none"):
        load_instrument("x", [])


def test_a_camera_by_its_lsst_mapper(plugin):
    points = [
        *plugin("aaa", "raise ValueError('broken')\n"),
        *plugin("cam", good("cam", "lsst.obs.cam.camMapper.CamMapper")),
        *plugin("other", good("other", "lsst.obs.other.OtherMapper")),
    ]
    assert instrument_for_mapper("lsst.obs.cam.camMapper.CamMapper", points).name == "cam"
    assert instrument_for_mapper("lsst.obs.other.OtherMapper", points).name == "other"
    assert instrument_for_mapper("lsst.obs.cam.CamMapper", points).name == "cam"
    message = r"camera reads repositories of 'x\.NoMapper'; installed: aaa, cam, other; broken: .*ValueError: broken"
    with pytest.raises(PluginError, match=message):
        instrument_for_mapper("x.NoMapper", points)


def test_the_likely_camera_is_the_only_one_imported(plugin):
    points = [*plugin("aaa", good("aaa")), *plugin("cam", good("cam", "lsst.obs.cam.CamMapper"))]
    instrument_for_mapper("lsst.obs.cam.CamMapper", points)
    assert [point.module in sys.modules for point in points] == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("instrument = 3\n", r"the entry point gives 3 \(int\); expected an obs Instrument"),
        (good("other"), "the entry point is called 'cam' but the Instrument 'other'; they must agree"),
        (
            good("cam").replace("(data_id)", "(visit, ccd)"),
            r"exposure_id is defined as exposure_id\(visit, ccd\); .* exposure_id\(data_id\)",
        ),
        (good("cam").replace("=number", "='number'"), "exposure_id is 'number'; expected a function or"),
        (good("cam").replace("=number", "=5"), r"exposure_id is 5 \(int\); expected a function or"),
        (good("cam").replace("=30", "=60"), "exposure_id_bits is 60; expected 1 to 48"),
        (good("cam").replace("=30", "='30'"), r"exposure_id_bits is '30' \(str\); expected an int"),
        (
            good("cam").replace("Path(__file__).parent", "Path('.')"),
            r"folder is '\.'; expected an absolute path",
        ),
        (
            good("cam", more="readers={'a': 'b'}"),
            r"'b' \(str\) is not a reference; expected 'package\.module:name'",
        ),
        (good("cam", more="filters=['r']"), "filters is a list; expected a tuple of FilterDefinition"),
        (good("cam", more="filters=('r',)"), r"filters holds 'r' \(str\); expected FilterDefinition"),
        (
            good(
                "cam",
                more="filters=(FilterDefinition(physical_filter='R', band='r'), "
                "FilterDefinition(physical_filter='R2', band='r', aliases=('R',)))",
            ),
            "the filter name 'R' belongs to 'R' and to 'R2'; keep one",
        ),
        (good("cam", more="nonsense=1"), "TypeError: .*unexpected keyword argument 'nonsense'"),
    ],
)
def test_both_sides_of_a_mismatch_are_named(plugin, text, message):
    with pytest.raises(PluginError, match=rf"the camera 'cam' of obs-cam==1\.0 .*{message}"):
        load_instrument("cam", plugin("cam", text))
