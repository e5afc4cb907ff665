"""The command as a whole: help, errors, exit status."""

import importlib
import os
import re
import signal
import subprocess
import sys

import click
import pytest

from obs.cli.main import COMMANDS, main
from obs.errors import RepositoryError


def run(*words, **options):
    code = "import sys; from obs.cli.main import main; sys.exit(main())"
    return subprocess.run([sys.executable, *options.pop("python", ()), "-c", code, *words], text=True, **options)


def test_help_imports_nothing_heavy():
    done = run("--help", python=("-X", "importtime"), capture_output=True)
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"numpy", "astropy", "scipy", "pydantic", "sqlalchemy", "yaml", "rich"})


def test_process_imports_what_a_frame_needs():
    code = (
        "import sys; from obs.lean_astropy import import_fits; import_fits(); import obs.cli.process, obs.pipeline; "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert set(done.stdout.split()).isdisjoint(
        {"scipy", "sqlalchemy", "pyarrow", "matplotlib", "astropy.table", "astropy.units", "astropy.wcs"}
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name, capsys):
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(importlib.import_module(f"obs.cli.commands.{module}"), attribute)
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"  obs {name}" in out
    assert command.name == name
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_unknown_command(capsys):
    assert main(["proces"]) == 2
    assert "there is no command 'proces'; did you mean 'process'?" in capsys.readouterr().err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert re.match(r"obs, version \S+ \((compiled|numpy) kernels.*\)\n$", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RepositoryError("no\nrepository"), 1, "obs: error: no repository\n"),
        (KeyboardInterrupt(), 130, "obs: error: interrupted; what was finished is kept\n"),
        (
            ZeroDivisionError("oh"),
            1,
            "obs: error: unexpected ZeroDivisionError: oh (a fault of obs; --doraise shows where)\n",
        ),
    ],
)
def test_errors_are_one_line(monkeypatch, capsys, error, status, message):
    def fail():
        raise error

    monkeypatch.setattr("obs.cli.cameras.discover", fail)
    assert main(["cameras"]) == status
    assert capsys.readouterr().err.replace("\n\n", "\n").lstrip("\n") == message


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_request_to_end_is_one_line(monkeypatch, capsys, number, status):
    monkeypatch.setattr("obs.cli.cameras.discover", lambda: os.kill(os.getpid(), number))
    before = signal.signal(number, signal.SIG_DFL)  # nohup ignores some
    try:
        assert main(["cameras"]) == status
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)
    err = capsys.readouterr().err.strip()
    assert err == f"obs: error: ended by {number.name}; what was finished is kept"


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch):
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr("obs.cli.cameras.discover", lambda: os.kill(os.getpid(), signal.SIGHUP) or 1 / 0)
        assert main(["cameras"]) == 1
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_reader_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = run("cameras", "--help", stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_output_to_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        done = run("cameras", "--help", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert re.fullmatch(r"obs: error: cannot write what is printed: No space left on device; .*\n", done.stderr)
