"""What made Butlers in the first years of the stack."""

from typing import Any

from obs.compat.lsst.daf.persistence.butler import Butler

__all__ = ["ButlerFactory"]


class ButlerFactory:
    """Makes Butlers of one mapper, as in the LSST stack.

    Parameters
    ----------
    mapper : CameraMapper
        Camera and repository, such as ``HscMapper(root="DATA")`` of ``lsst.obs.hsc``.
    """

    def __init__(self, mapper: Any) -> None:  # noqa: ANN401 - a mapper of any camera
        self._mapper = mapper

    def create(self) -> Butler:
        """Return a Butler, as in the LSST stack.

        Raises
        ------
        RuntimeError
            If there is no repository in the folder of the mapper.
        """
        return Butler(mapper=self._mapper)
