"""Functions that the tests of executors run on workers."""

import logging
import os
import signal
import time
from pathlib import Path

from obs.errors import DatasetNotFoundError
from obs.executor.outcome import Unfinished


def act(data_id, folder):
    """Do what the number says."""
    logging.getLogger("obs.test").warning("working")
    match data_id["n"]:
        case 1:
            raise DatasetNotFoundError("no frame")
        case 2:
            os.kill(os.getpid(), signal.SIGKILL)
        case 3:
            if not (Path(folder) / "seen").exists():
                (Path(folder) / "seen").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case 4:
            time.sleep(60)
        case 5:
            (Path(folder) / "slow").touch()
            time.sleep(3)
    return data_id["n"] * 10


def nothing(data_id):
    """Return the number."""
    return data_id["n"]


def leave(data_id, folder):
    """Compute at once, and write when the next data ID is computed; say so before and after."""
    logging.getLogger("obs.test").warning("computing")
    number = data_id["n"]
    (Path(folder) / f"computed{number}").touch()

    def finish():
        for _ in range(2000):
            if number == 2 or (Path(folder) / f"computed{number + 1}").exists():
                logging.getLogger("obs.test").warning("written")
                return number
            time.sleep(0.01)
        raise TimeoutError("the next one is not computed")

    return Unfinished(finish, 0)
