"""The log of the guider, a format of this camera's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["read_guide"]


def read_guide(path: Path, data_id: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the guider noted, ``name value`` a line, and for which visit."""
    notes = dict(line.split(maxsplit=1) for line in path.read_text().splitlines())
    return {"visit": data_id["visit"], **notes}
