"""Filters of warnings for a block, also where threads are in several such blocks at the same time.

The filters are those of the whole process, and `warnings.catch_warnings` sets back what it found, with what another
thread has set meanwhile.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["filtered_warnings"]

_lock = threading.Lock()
_blocks: list[Callable[[], None]] = []
_before = warnings.catch_warnings()


@contextmanager
def filtered_warnings(add_filters: Callable[[], None]) -> Iterator[None]:
    """Use filters of warnings inside the block, in front of those of blocks that others are in.

    Parameters
    ----------
    add_filters : callable
        Calls `warnings.simplefilter` or `warnings.filterwarnings`; called again when another block ends.
    """
    with _lock:
        if not _blocks:
            _keep_filters()
        _blocks.append(add_filters)
        add_filters()
    try:
        yield
    finally:
        with _lock:
            _blocks.remove(add_filters)
            _before.__exit__(None, None, None)
            if _blocks:
                _keep_filters()
                for block in _blocks:
                    block()


def _keep_filters() -> None:
    """Keep the filters that are there, to set them back."""
    global _before
    _before = warnings.catch_warnings()
    _before.__enter__()
