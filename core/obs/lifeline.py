"""Worker processes end when the process that started them has ended, however that was."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing import connection

__all__ = ["Lifeline", "end_with_parent"]

#: Number of the request to the Linux kernel (``prctl``) for a signal when the parent ends.
_PARENT_DEATH_SIGNAL = 1

#: Time that a worker has to remove its temporary files, s.
_GRACE = 5.0


class Lifeline:
    """Ties a new process to its parent while its arguments are unpickled, before it has imported what it needs.

    Give it as the first argument of a process. Linux then sends SIGTERM when the parent ends, whatever the process is
    doing; elsewhere `end_with_parent` does the same a little later.
    """

    def __reduce__(self) -> "tuple[object, tuple[int]]":
        return _tie, (os.getpid(),)


def _tie(parent: int) -> Lifeline:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it has ended already
            os._exit(128 + signal.SIGTERM)
    return Lifeline()


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
