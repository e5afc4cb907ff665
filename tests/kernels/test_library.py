import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hatch_build import SOURCES, compile_kernels, source_digest

from obs.kernels import library
from obs.kernels.library import Kernel

FOLDER = Path(__file__).parents[2] / SOURCES


def test_without_a_compiler_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert compile_kernels(FOLDER, tmp_path / "k.so") == (None, "no C compiler (no-such-compiler) was found")


def test_a_compiler_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "false")
    assert compile_kernels(FOLDER, tmp_path / "k.so") == (None, "the C compiler (false) failed: exit status 1")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_library_of_other_sources_is_not_used(tmp_path):
    (tmp_path / "digest.c").write_text((FOLDER / "digest.c").read_text() + "/* another version */\n")
    path, _ = compile_kernels(tmp_path, tmp_path / "k.so")
    assert path is not None
    with library.use_library(path) as usable:
        assert not usable
        assert library.is_of_other_version()
    with library.use_library(None):
        assert not library.is_of_other_version()


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_sources_are_right_where_functions_have_one_version():
    """Elsewhere than on Linux and x86-64 the other branch of WIDE counts."""
    words = ["cc", "-std=gnu11", "-U__gnu_linux__", "-fsyntax-only", "-w", *map(str, sorted(FOLDER.glob("*.c")))]
    assert subprocess.run(words, capture_output=True, text=True, check=False).stderr == ""


def test_one_digest_for_builder_and_loader():
    assert source_digest(FOLDER) == library.source_digest()


def test_which_kernels_are_in_use(compiled):
    with library.use_library(compiled):
        assert library.describe() == "compiled kernels"
    ask = "from obs.kernels import library; print(library.describe(), bool(library.Kernel('clip_rows')))"
    words, environment = [sys.executable, "-c", ask], os.environ | {"OBS_KERNELS": "numpy"}
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
    assert told == "numpy kernels, as OBS_KERNELS says False\n"


@pytest.mark.parametrize(
    ("value", "found"),
    [(np.zeros(3), "float64"), (np.zeros((4, 4), np.float32).T[1:], "float32"), ([1.0], "list")],
)
def test_arrays_of_another_kind_are_refused(compiled, value, found):
    message = f"argument 0 of sum_squares is {found}, not a contiguous array of float32"
    with library.use_library(compiled), pytest.raises(TypeError, match=re.escape(message)):
        Kernel("sum_squares", "float32", "int", "float", "float64")(value, 3, 0.0, np.zeros(1))
