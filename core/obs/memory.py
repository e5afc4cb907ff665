"""Keep memory that was freed, for the next image, and do not search modules for garbage."""

import ctypes
import gc
import sys
from contextlib import suppress

__all__ = ["keep_freed_memory", "pause_collection", "resume_collection", "return_freed_memory"]

# Numbers that glibc's mallopt() knows the settings by.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -2, -3, -4, -8
_KEPT, _STEP, _LARGE = 1 << 30, 1 << 26, 1 << 24  # bytes
_MANY = 1 << 16  # arrays


def keep_freed_memory() -> None:
    """Let this process reuse the memory of images that are gone, rather than ask the system for fresh pages each time.

    The C library gives every array beyond 32 MB back to the system when it is freed, and the system has to clear pages
    for the next one: for images of eight million pixels a tenth of the processing time. Only on Linux with glibc;
    elsewhere nothing is done.
    """
    # one arena, so that what one thread has freed another one takes
    _tell_allocator({_ARENA_MAX: 1, _MMAP_MAX: 0, _TRIM_THRESHOLD: _KEPT, _TOP_PAD: _STEP})


def return_freed_memory() -> None:
    """Let this process give the memory of each large array back at once, until `keep_freed_memory` is called again.

    Of what is kept, a part is lost between smaller arrays that stay: a fifth of what the largest images need.
    """
    _tell_allocator({_MMAP_MAX: _MANY, _MMAP_THRESHOLD: _LARGE, _TRIM_THRESHOLD: _LARGE, _TOP_PAD: 0})


def _tell_allocator(settings: dict[int, int]) -> None:
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for setting, value in settings.items():
            mallopt(setting, value)


def pause_collection() -> None:
    """Let Python not look for garbage while a command is imported, which takes a tenth of that time and finds none.

    Only for a process that is the command's own: `resume_collection` keeps everything that is there by then.
    """
    gc.disable()


def resume_collection() -> None:
    """Look for garbage again, if that was paused, but never again among the modules that are imported by now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
