"""Give each process one thread for linear algebra, unless the user asks for more.

The libraries behind numpy start a thread a core for small products, which costs more time than it saves. They read
these variables when they are loaded, so `use_one_thread` has to run before numpy is imported.
"""

import os

__all__ = ["THREAD_LIMITS", "use_one_thread"]

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def use_one_thread() -> None:
    """Set the limits that are not set in the environment to one thread."""
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
