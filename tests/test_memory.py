"""Memory that images leave behind."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from obs.memory import keep_freed_memory, return_freed_memory
if "keep" in sys.argv:
    keep_freed_memory()
if "return" in sys.argv:
    return_freed_memory()
for _ in range(5):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    image = np.ones((3000, 4000), np.float32)
    del image
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to keep memory")
def test_a_second_image_takes_the_pages_of_the_first():
    words = [sys.executable, "-c", PROGRAM]
    plain, kept, returned = (
        int(subprocess.run([*words, *more], capture_output=True, check=True, text=True).stdout)
        for more in ([], ["keep"], ["keep", "return"])
    )
    assert plain > 0
    assert kept == 0
    assert returned == plain


IMPORTING = """
import gc
from obs.memory import pause_collection, resume_collection
resume_collection()
assert gc.isenabled() and not gc.get_freeze_count()
pause_collection()
assert not gc.isenabled()
resume_collection()
assert gc.isenabled() and gc.get_freeze_count() > 1000
"""


def test_garbage_is_looked_for_again_after_the_imports():
    subprocess.run([sys.executable, "-c", IMPORTING], check=True)
