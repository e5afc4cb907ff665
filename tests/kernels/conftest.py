import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obs.kernels import library

sys.path.insert(0, str(Path(__file__).parents[2]))
from hatch_build import SOURCES, compile_kernels


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Path of the compiled library: the installed one, else one that is made now."""
    installed = library.FOLDER / library.NAME
    with library.use_library(installed) as usable:
        if usable:
            return installed
    path, reason = compile_kernels(Path(__file__).parents[2] / SOURCES, tmp_path_factory.mktemp("kernels") / "k.so")
    if path is None:
        pytest.skip(reason)
    return path


@pytest.fixture
def both(compiled) -> Callable[[Callable[[], Any]], tuple[Any, Any]]:
    """Run a function with numpy alone, then with the compiled kernels."""

    def run(function: Callable[[], Any]) -> tuple[Any, Any]:
        with library.use_library(None):
            reference = function()
        with library.use_library(compiled) as usable:
            assert usable
            return reference, function()

    return run
