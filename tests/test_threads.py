"""One thread a process, unless the user asks for more."""

import os
import subprocess
import sys
import threading

import click
import numpy as np
import pytest
from click.testing import CliRunner

from obs.cli.commands.calls import calls
from obs.cli.commands.options import run_options
from obs.threads import map_threads, thread_count, use_threads

CODE = (
    "import os, sys; from obs.cli.main import main; main(['cameras']); import numpy; "
    "print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])"
)


@pytest.mark.parametrize(("given", "expected"), [({}, "1 1"), ({"OMP_NUM_THREADS": "3"}, "3 1")])
def test_commands_use_the_threads_that_the_user_wants(given, expected):
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", CODE], env=kept | given, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == expected


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_the_order_of_the_parts(count):
    with use_threads(count):
        assert map_threads(lambda part: part**2, iter(range(40))) == [part**2 for part in range(40)]
        assert map_threads(str, []) == []
    assert thread_count() == 1


def test_parts_are_worked_on_at_the_same_time_and_not_divided_again():
    both = threading.Barrier(2, timeout=30)

    def work(part):
        both.wait()
        return part, thread_count(), map_threads(lambda inner: threading.get_ident(), range(3))

    with use_threads(2):
        (_, one, inner), (_, other, others) = map_threads(work, range(2))
    assert (one, other) == (1, 1)
    assert len(set(inner)) == len(set(others)) == 1
    assert inner != others


def test_the_first_error_is_raised_and_the_rest_left_undone():
    done = []

    def work(part):
        if part in (3, 4):
            raise ValueError(f"part {part}")
        done.append(part)

    with use_threads(2), pytest.raises(ValueError, match=r"part [34]"):
        map_threads(work, range(1000))
    assert len(done) < 10
    with pytest.raises(ValueError, match="part 3"):
        map_threads(work, range(1000))


def test_threads_see_the_context_of_the_one_that_asks():
    def divide(part):
        return np.float64(1.0) / np.float64(part)

    with use_threads(3), np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        map_threads(divide, [1.0, 1.0, 0.0, 1.0])


@click.command()
@run_options
@calls(f"{__name__}:report_threads")
def command():
    """Say how many threads there are."""


def report_threads(**_):
    click.echo(f"{thread_count()} threads")


@pytest.mark.parametrize(
    ("words", "environment", "count"),
    [
        ([], {}, 1),
        (["--threads", "2"], {}, 2),
        ([], {"OBS_THREADS": "3"}, 3),
        (["--threads", "2"], {"OBS_THREADS": "3"}, 2),
    ],
)
def test_the_option_and_the_variable_set_the_threads(words, environment, count):
    result = CliRunner(env={"OBS_THREADS": None, **environment}).invoke(command, words)
    assert result.output == f"{count} threads\n"
