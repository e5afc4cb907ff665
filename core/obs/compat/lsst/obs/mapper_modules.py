"""Modules of cameras, such as ``lsst.obs.hsc``, of which scripts take the mapper."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from obs.compat.lsst.absent import absent_reason
from obs.compat.lsst.daf.persistence.mappers import CameraMapper

__all__ = ["provide_mapper_modules"]

_ROOT = "obs.compat.lsst."
_CAMERAS = f"{_ROOT}obs."


class _MapperModules(MetaPathFinder, Loader):
    """Comes after other finders: makes a module of any camera, which has nothing but mappers."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a module of a camera; nothing for another one."""
        if not fullname.startswith(_CAMERAS) or fullname.startswith(f"{_CAMERAS}base."):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        """Let the module have mappers of any name, and say what to use instead of other names."""
        name = module.__name__.removeprefix(_ROOT)

        def attribute(wanted: str) -> Any:  # noqa: ANN401 - a class
            if wanted.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {wanted!r}")
            if not wanted.endswith("Mapper"):
                raise ImportError(absent_reason(name), name=wanted)
            made = type(wanted, (CameraMapper,), {"__module__": module.__name__, "__doc__": CameraMapper.__doc__})
            setattr(module, wanted, made)
            return made

        module.__dict__["__getattr__"] = attribute


def provide_mapper_modules() -> None:
    """Let scripts import mappers of cameras from where the stack has them."""
    if not any(isinstance(finder, _MapperModules) for finder in sys.meta_path):
        places = [place for place, finder in enumerate(sys.meta_path) if type(finder).__name__ == "_AbsentModules"]
        sys.meta_path.insert(places[0] if places else len(sys.meta_path), _MapperModules())
