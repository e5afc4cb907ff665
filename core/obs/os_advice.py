"""What to do about the errors of the operating system that a user meets."""

import errno
import os
import resource

__all__ = ["write_advice"]

_ADVICE = {
    errno.ENOSPC: "free some space or choose an output folder on another disk",
    errno.EDQUOT: "free some of your quota or choose an output folder on another disk",
    errno.EFBIG: "raise the limit on file sizes or choose an output folder on another disk",
    errno.EACCES: "choose an output folder that you may write to",
    errno.EPERM: "choose an output folder that you may write to",
    errno.EROFS: "choose an output folder that is not read-only",
    errno.EISDIR: "move the folder of that name away",
    errno.ENOTDIR: "move the file that is in the place of a folder away",
    errno.EEXIST: "move the file that is in the place of a folder away",
    errno.ENAMETOOLONG: "choose a shorter name",
}

#: What astropy says of a full disk, without an error number.
_NO_SPACE = "Not enough space on disk"
#: What numpy says when less was written than it gave, without an error number.
_CUT_SHORT = " requested and "


def write_advice(error: OSError) -> str:
    """Return why something cannot be written, and what to do about it."""
    if error.errno is None and any(sign in str(error) for sign in (_NO_SPACE, _CUT_SHORT)):
        if _NO_SPACE not in str(error) and resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
            too_large = f"{os.strerror(errno.EFBIG)}, or {os.strerror(errno.ENOSPC).lower()}"
            return f"{too_large}; {_ADVICE[errno.EFBIG]}"
        error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    advice = _ADVICE.get(error.errno or 0, "check the output folder and its disk")
    return f"{error.strerror or error}; {advice}"
