"""The camera of a repository, in the place of the class of its mapper."""

from obs.frozen import frozen
from obs.instrument.instrument import Instrument

__all__ = ["MapperClass"]


@frozen
class MapperClass:
    """Stands for the class of a mapper: it knows the names of the camera.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    """

    instrument: Instrument

    @property
    def name(self) -> str:
        """The name of the camera, as in `obs`."""
        return self.instrument.name

    @property
    def __name__(self) -> str:
        """The name of the class in the stack."""
        known = (*self.instrument.mapper_names, f"{self.name.capitalize()}Mapper")
        return known[0].rpartition(".")[2]

    def getCameraName(self) -> str:
        """Return the name of the camera, which begins with a small letter as in the stack."""
        name = self.__name__.removesuffix("Mapper")
        return name[:1].lower() + name[1:]

    def getPackageName(self) -> str:
        """Return the name of the camera's package, such as ``obs_sdss``."""
        return self.instrument.folder.name
