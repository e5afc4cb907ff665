"""Classes of cameras, as the third generation names them in its registry: ``obs.gen3_repository.instruments.hsc``.

The classes are made when they are asked for, from the cameras that are installed. They need ``lsst-pipe-base``.
"""

from typing import Any

from lsst.pipe.base import Instrument as Gen3Instrument

from obs.errors import PluginError
from obs.gen3_repository.formatter import ImageFormatter
from obs.gen3_repository.records import instrument_records
from obs.instrument.discovery import load_instrument

__all__: list[str] = []


def __getattr__(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        camera = load_instrument(name)
    except PluginError as error:
        raise AttributeError(f"{name}: {error}") from error

    class Camera(Gen3Instrument):
        """A camera of obs, as the Butler sees it."""

        @classmethod
        def getName(cls) -> str:
            """Return the name of the camera."""
            return camera.name

        @property
        def filterDefinitions(self) -> Any:  # noqa: ANN401 - a class of the compiled stack
            """The filters; a collection of the stack's, which cannot be made without it."""
            raise NotImplementedError("the filters are in the registry; their class is part of the compiled stack")

        def register(self, registry: Any, *, update: bool = False) -> None:  # noqa: ANN401 - a class of the library
            """Insert the records of the camera."""
            records = instrument_records(camera, f"{__name__}.{camera.name}")
            with registry.transaction():
                for element, rows in records.items():
                    for row in rows:
                        registry.syncDimensionData(element, row, update=update)

        def getRawFormatter(self, dataId: Any) -> type:  # noqa: ANN401 - a class of the library
            """Return the class that reads raw files."""
            return ImageFormatter

    Camera.__name__ = Camera.__qualname__ = camera.name
    return Camera
