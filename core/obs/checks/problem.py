"""One thing that is wrong with a camera's package, and where in it an error arose."""

from pathlib import Path

from obs.errors import place
from obs.frozen import frozen

__all__ = ["Problem", "last_place"]


@frozen
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    part : str
        Which part of the package: one of `obs.checks.instrument.PARTS`.
    message : str
        File and line where there is one, what is wrong, and how to fix it.
    """

    part: str
    message: str

    def __str__(self) -> str:
        return f"{self.part}: {self.message}"


def last_place(error: BaseException, folder: Path) -> str:
    """Return the last place in a package that an error passed, as ``file:line: ``; empty if it passed none.

    Parameters
    ----------
    error : BaseException
        Exception with its traceback.
    folder : Path
        Folder of the package.
    """
    where, trace = "", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if folder in file.parents:
            where = place(file, trace.tb_lineno)
        trace = trace.tb_next
    return where
