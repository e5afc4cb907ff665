"""Log messages and the progress bar."""

import logging
import sys
import warnings

import click
import pytest

from obs.cli.logs import configure_logging
from obs.cli.progress import show_progress
from obs.executor.outcome import Outcome, current_data_id
from obs.executor.run import run


@pytest.fixture(autouse=True)
def _restore_logging():
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.captureWarnings(False)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.getLogger("obs.some.part").setLevel(logging.NOTSET)


def test_messages_carry_the_data_id():
    lines = []
    configure_logging([], lines.append)
    logging.getLogger("obs.some").info("not shown")
    logging.getLogger("obs.some").warning("no %s", "stars")
    token = current_data_id.set("visit=1 ccd=2")
    logging.getLogger("obs.some").error("too few")
    current_data_id.reset(token)
    assert lines == ["WARNING no stars", "ERROR visit=1 ccd=2: too few"]


def test_levels_of_components_later_ones_win():
    lines = []
    configure_logging(["ERROR", "obs.some.part=debug", "info"], lines.append)
    logging.getLogger("obs.some").debug("a")
    logging.getLogger("obs.some").info("b")
    logging.getLogger("obs.some.part").debug("c")
    assert lines == ["INFO b", "DEBUG c"]


def test_unknown_level():
    with pytest.raises(click.BadParameter, match="'warnin' is not a log level; did you mean 'warning'"):
        configure_logging(["obs=warnin"])


def test_warnings_are_one_line():
    lines = []
    configure_logging([], lines.append)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)
    assert lines == ["WARNING RuntimeWarning: overflow"]


def test_debug_shows_the_traceback_of_a_failure():
    lines = []
    configure_logging(["debug"], lines.append)
    run(lambda data_id: 1 / 0, [{"visit": 1}])
    assert lines[0] == "DEBUG visit=1: the traceback of this failure:"
    assert "ZeroDivisionError: division by zero" in lines[1]


@pytest.mark.parametrize("terminal", [True, False])
def test_progress(terminal, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with show_progress(2) as progress:
        progress.done(Outcome({"visit": 1}, seconds=1.25))
        progress.write("WARNING [/] is not a markup")
        progress.done(Outcome({"visit": 2}, error="no bias", cause="ObsError"))
    out, err = capsys.readouterr()
    assert out == ""
    for line in ("[1/2] visit=1: 1.2 s", "WARNING [/] is not a markup", "[2/2] visit=2: FAILED: no bias"):
        assert line in err
    assert ("\x1b[" in err) == terminal
