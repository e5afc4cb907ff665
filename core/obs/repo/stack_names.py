"""Files of the LSST stack that have other names than the policy of a camera gives."""

import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["boost_name", "config_name", "config_task", "find_other_name", "metadata_name"]

#: Metadata were Boost XML until 2018.
_BOOST = ".boost"
_CONFIG = re.compile(r"config/(\w+)\.py")


def config_name(task: str) -> str:
    """Return the name that the stack gave the file of a task's settings."""
    return f"config/{task}.py"


def config_task(name: str) -> str:
    """Return the task whose settings a file of the stack has, by its name in a repository; empty if it has none."""
    match = _CONFIG.fullmatch(name)
    return match[1] if match else ""


def metadata_name(name: str) -> str:
    """Return the name that metadata of the stack, which were Boost XML, would have as YAML; empty for other files."""
    return f"{name.removesuffix(_BOOST)}.yaml" if name.endswith(_BOOST) else ""


def boost_name(name: str) -> str:
    """Return the name that metadata which are YAML here had in the stack; empty for other files."""
    return f"{name.removesuffix('.yaml')}{_BOOST}" if name.endswith(".yaml") else ""


def find_other_name(name: str, tried: Sequence[Path], roots: Sequence[Path]) -> Path | None:
    """Return the file that the stack wrote for a dataset, or None.

    Parameters
    ----------
    name : str
        Dataset type.
    tried : sequence of Path
        Places that the policy gives.
    roots : sequence of Path
        Folders of the repositories.
    """
    task, _, kind = name.rpartition("_")
    if kind == "config":
        places = [root / config_name(task) for root in roots]
    elif kind == "metadata":
        places = [path.with_suffix(_BOOST) for path in tried]
    else:
        places = []
    return next((path for path in places if path.is_file()), None)
