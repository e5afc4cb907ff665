"""What the author of a camera inherits to test it; it needs pytest, which nothing else of the engine does."""

try:
    import pytest  # noqa: F401 - whether it is there
except ModuleNotFoundError as error:
    raise ImportError("obs.testing needs pytest, which is not installed: pip install pytest") from error

from obs.testing.camera_contract import CameraContract

__all__ = ["CameraContract"]
