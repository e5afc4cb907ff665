"""A process that has imported obs, and runs each command that it is sent in a child of its own.

A command typed in a shell spends most of its time on imports when its data are small. A child of this process has them
already, and is otherwise a process like any other: with its own folder, environment, output and exit status.
"""

import importlib
import json
import os
import sys
import traceback

PRELOADED = ("process", "calibs", "calibs_build", "ingest", "simulate", "new", "check", "init")


def serve():
    """Run the commands that arrive, one JSON object a line, and answer each with its exit status."""
    for name in PRELOADED:
        importlib.import_module(f"obs.cli.{name}")
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            run(**order)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def run(words, folder, environment, paths, output, errors):
    """Become the process of a command, which ends here."""
    status = 1
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:0] = paths
        importlib.invalidate_caches()
        for stream, path in ((0, os.devnull), (1, output), (2, errors)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), stream)
        from obs.cli.main import main  # noqa: PLC0415 - the parent has imported it, and this finds it there

        status = main(words)
    except BaseException:  # noqa: BLE001 - whatever ends it must not run the parent's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
