"""Pickles as the stack's classes make them, of stand-ins for these classes with the same names."""

import os
import pickle
import sys
import types

import pytest

from obs.errors import FileFormatError
from obs.repo.sky_map_file import read_sky_map

RINGS = """import lsst.skymap.ringsSkyMap
assert type(config)==lsst.skymap.ringsSkyMap.RingsSkyMapConfig
config.patchInnerDimensions=[4000, 4000]
config.patchBorder=100
config.tractOverlap=0.016666666666666666
config.pixelScale=0.168
config.projection='TAN'
config.rotation=0.0
config.numRings=120
config.raStart=0.0
"""


class _Called:
    """Pickles as a call of a function of another module."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.fixture
def stack(monkeypatch):
    """Modules with the names of the stack's, as far as pickles name them."""
    for name, members in {
        "lsst.skymap.ringsSkyMap": ("RingsSkyMap", "RingsSkyMapConfig"),
        "lsst.skymap.dodecaSkyMap": ("DodecaSkyMap",),
        "lsst.pex.config.config": ("unreduceConfig",),
    }.items():
        module = types.ModuleType(name)
        for member in members:
            kind = type(member, (), {"__module__": name})
            setattr(module, member, kind)
        monkeypatch.setitem(sys.modules, name, module)
    rings, config = (sys.modules[name] for name in ("lsst.skymap.ringsSkyMap", "lsst.pex.config.config"))
    return rings, config


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_rings(tmp_path, stack, protocol):
    rings, config = stack
    settings = _Called(config.unreduceConfig, rings.RingsSkyMapConfig, RINGS.encode())
    path = tmp_path / "skyMap.pickle"
    path.write_bytes(pickle.dumps(_Called(rings.RingsSkyMap, settings, 1), protocol))
    sky_map = read_sky_map(path)
    assert (sky_map.type_name, len(sky_map), sky_map.settings.pixel_scale) == ("rings", 18938, 0.168)


def test_the_old_numbers_of_rings_are_refused(tmp_path, stack):
    rings, config = stack
    settings = _Called(config.unreduceConfig, rings.RingsSkyMapConfig, RINGS.encode())
    path = tmp_path / "skyMap.pickle"
    path.write_bytes(pickle.dumps(_Called(rings.RingsSkyMap, settings, 0), 4))
    with pytest.raises(FileFormatError, match="version 0 rings sky map numbers tracts in another way"):
        read_sky_map(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(_Called(os.system, "touch hacked")), r"names (posix|nt)\.system, which no sky map needs"),
        (pickle.dumps(_Called(eval, "1")), r"names builtins\.eval"),
        (pickle.dumps({"config.numRings=3": 1}), "holds no sky map"),
        (b"not a pickle", "is not a whole pickle|has the opcode"),
        (b"", "is not a whole pickle"),
    ],
)
def test_other_pickles_are_refused(tmp_path, content, message):
    path = tmp_path / "skyMap.pickle"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        read_sky_map(path)
    assert not (tmp_path / "hacked").exists()


def test_settings_that_compute_are_refused(tmp_path, stack):
    rings, config = stack
    text = RINGS + "config.raStart=__import__('os').getpid()\n"
    path = tmp_path / "skyMap.pickle"
    path.write_bytes(pickle.dumps(_Called(rings.RingsSkyMap, _Called(config.unreduceConfig, 1, text.encode()), 1), 4))
    with pytest.raises(FileFormatError, match="sets raStart to no constant"):
        read_sky_map(path)
