"""Mappers of scripts, which name a camera and where its repository is."""

from collections.abc import Callable
from typing import Any

from obs.policy.mapper import Mapper
from obs.policy.policy import Policy
from obs.repo.key_sources import KeySources

__all__ = ["CameraMapper", "StackMapper"]


class CameraMapper:
    """A mapper as scripts make it for a Butler; classes of cameras have its arguments.

    Parameters
    ----------
    root : str or Path, optional
        The repository.
    calibRoot, outputRoot : str or Path, optional
        The repository of its calibrations, and that of results.
    **_ : Any
        Other arguments, which have no effect here.
    """

    def __init__(
        self,
        root: Any = None,  # noqa: ANN401 - as the docstring says
        calibRoot: Any = None,  # noqa: ANN401 - as the docstring says
        outputRoot: Any = None,  # noqa: ANN401 - as the docstring says
        **_: Any,
    ) -> None:
        self.root, self.calibRoot, self.outputRoot = root, calibRoot, outputRoot

    def butler_arguments(self) -> dict[str, Any]:
        """Return the arguments of a Butler that say the same."""
        given = {"calib": self.calibRoot, "output": self.outputRoot}
        return {name: value for name, value in given.items() if value is not None}


class StackMapper(Mapper):
    """The mapper of a Butler, with the camera as an attribute as in the stack.

    Parameters
    ----------
    policy : Policy
        The camera's policy.
    sources : KeySources
        The registries; see `obs.policy.mapper.Mapper`.
    read_camera : callable
        Reads the camera.
    """

    def __init__(self, policy: Policy, sources: KeySources, *, read_camera: Callable[[], Any]) -> None:
        super().__init__(
            policy,
            registry=sources.registry,
            calib_registry=sources.calib_registry,
            folder_registry=sources.folder_registry,
        )
        self._read_camera = read_camera

    @property
    def camera(self) -> Any:  # noqa: ANN401 - as `butler.get("camera")` gives it
        """The camera, as in the LSST stack."""
        return self._read_camera()
