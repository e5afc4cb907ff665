"""Functions that the tests of executors run on workers."""

import logging
import os
import signal
import time
from pathlib import Path

from obs.errors import DatasetNotFoundError


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
