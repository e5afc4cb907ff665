"""The tests that a camera inherits.

Four lines in the tests of its package are all it takes::

    from obs.testing import CameraContract

    class TestMycam(CameraContract):
        camera = "mycam"
        headers = "tests/headers.json"

They try fixed samples, the same in every run; nothing but pytest has to be installed.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from obs.checks.instrument import PARTS, check_instrument
from obs.checks.package import check_package
from obs.checks.problem import Problem
from obs.errors import ObsError, PluginError
from obs.ingest.translation import load_translator
from obs.instrument.discovery import load_instrument
from obs.instrument.instrument import Instrument
from obs.instrument.translator import Translator
from obs.testing.real_headers import RealHeader, difference, impossible, read_headers
from obs.testing.simulated_frame import frame_faults
from obs.testing.simulated_header import header_faults

__all__ = ["CameraContract"]

T = TypeVar("T")


class CameraContract:
    """Subclass it in a test module, under a name that begins with ``Test``.

    Attributes
    ----------
    camera : str or Instrument
        Name of an installed camera, or its `Instrument`.
    headers : str or None
        File of real headers, JSON or YAML, see `obs.testing.real_headers`; relative to the folder in which pytest is at
        home (that of ``pyproject.toml``), or to that of the test module.
    simulated : bool
        False for a camera that cannot be simulated: its translator writes no headers, or its electronics are unlike
        those of the simulator.
    """

    camera: ClassVar[str | Instrument]
    headers: ClassVar[str | None] = None
    simulated: ClassVar[bool] = True

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each real header."""
        if "real_header" in metafunc.fixturenames:
            found = _find_headers(self.headers, metafunc)
            metafunc.parametrize("real_header", found)

    @pytest.mark.parametrize("part", PARTS)
    def test_is_sound(self, part: str) -> None:
        """Nothing is wrong with a part of the package, as ``obs check`` sees it."""
        _fail([problem.message for problem in _problems(self.camera) if problem.part == part])

    def test_real_header_gives_what_is_expected(self, real_header: RealHeader) -> None:
        """The translator makes of a real header what its author read in it."""
        instrument, translator = self._translator()
        _fail_with(real_header.name, difference, real_header, instrument, translator)

    def test_real_header_is_possible(self, real_header: RealHeader) -> None:
        """Times, pointing and airmass of a real header agree with each other."""
        _, translator = self._translator()
        _fail_with(real_header.name, impossible, real_header, translator)

    def test_simulated_header_is_read_back(self) -> None:
        """What the translator writes into the header of a simulated frame, it reads again."""
        _fail_with("", header_faults, self._simulated())

    def test_simulated_frame_comes_out_as_it_went_in(self, tmp_path: Path) -> None:
        """A frame is simulated, ingested and its signature removed: what is left is the light, but for the noise."""
        _fail_with("", frame_faults, self._simulated(), tmp_path)

    def _instrument(self) -> Instrument:
        return _or_fail(load_instrument, self.camera) if isinstance(self.camera, str) else self.camera

    def _translator(self) -> tuple[Instrument, Translator]:
        """Return the camera and its translator; skip where it has none that ingest could use."""
        instrument = self._instrument()
        kind: Any = instrument.translator
        if kind is None:
            pytest.skip(f"camera '{instrument.name}' has no translator: its headers are not read")
        if isinstance(kind, str):
            kind = _or_fail(instrument.load, kind)
        if isinstance(kind, type) and not issubclass(kind, Translator):
            pytest.skip(f"{instrument.translator} is not an obs Translator: raw frames of it are not ingested")
        return instrument, _or_fail(load_translator, instrument)

    def _simulated(self) -> Instrument:
        if not self.simulated:
            pytest.skip("simulated = False: the camera is said not to be one that can be simulated")
        instrument, _ = self._translator()
        if instrument.raw_dataset_type != "raw":
            pytest.skip(f"camera '{instrument.name}' starts from '{instrument.raw_dataset_type}', not from raw frames")
        return instrument


def _problems(camera: str | Instrument) -> list[Problem]:
    """Return what ``obs check`` finds."""
    if isinstance(camera, Instrument):
        return check_instrument(camera, camera.name)
    try:
        return _installed_problems(camera)
    except PluginError as error:
        return [Problem("entry point", str(error))]


@lru_cache(maxsize=4)
def _installed_problems(camera: str) -> list[Problem]:
    """Return what ``obs check`` finds, once for all parts."""
    return check_package(camera)


def _or_fail(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function; what a user has done wrong fails the test with a line."""
    try:
        return function(*arguments)
    except ObsError as error:
        message = str(error)
    pytest.fail(message, pytrace=False)


def _fail(faults: Sequence[str]) -> None:
    """Fail with a line for each fault, and without a traceback, which would tell of this file only."""
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


def _fail_with(what: str, check: Callable[..., Iterable[str]], *arguments: Any) -> None:
    """Fail with what a check finds, the name of what it looks at in front."""
    try:
        faults = list(check(*arguments))
    except ObsError as error:
        faults = [str(error)]
    _fail([f"{what}: {fault}" if what else fault for fault in faults])


def _find_headers(file: str | None, metafunc: pytest.Metafunc) -> list[Any]:
    """Return the parameters of the tests of real headers; one that is skipped or fails where there are none."""
    if file is None:
        reason = "no real headers: name a file of them, headers = 'tests/headers.json'"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="none")]
    places = [metafunc.config.rootpath / file, Path(str(metafunc.module.__file__)).parent / file]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise pytest.UsageError(
            f"{metafunc.cls.__name__}: headers = '{file}': there is no {' and no '.join(map(str, places))}"
        )
    try:
        found = read_headers(path)
    except ObsError as error:
        raise pytest.UsageError(str(error)) from None
    parameters = []
    for header in found:
        gone = not header.cards and not header.path.is_file()
        mark = [pytest.mark.skip(reason=f"{header.path.name} is not here")] if gone else []
        parameters.append(pytest.param(header, marks=mark, id=header.name))
    if not parameters:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{path.name} lists no headers"), id="none")]
    return parameters
