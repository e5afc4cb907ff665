"""One thread a process, unless the user asks for more."""

import os
import subprocess
import sys

import pytest

CODE = (
    "import os, sys; from obs.cli.main import main; main(['cameras']); import numpy; "
    "print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])"
)


@pytest.mark.parametrize(("given", "expected"), [({}, "1 1"), ({"OMP_NUM_THREADS": "3"}, "3 1")])
def test_commands_use_the_threads_that_the_user_wants(given, expected):
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", CODE], env=kept | given, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == expected
