"""Worker processes end when the process that started them has ended, however that was."""

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing import connection

__all__ = ["end_with_parent"]

#: Time that a worker has to remove its temporary files, s.
_GRACE = 5.0


def end_with_parent() -> None:
    """Watch the parent of this process, and end this process soon after it.

    A parent that is killed cannot tell its workers. They would go on, and write files that nobody waits for.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), name="lifeline", daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(128 + signal.SIGTERM)
