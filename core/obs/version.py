"""The version of the package, for everything that records it, and those of other packages."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["__version__", "read_name_and_version"]

__version__ = "0.2.0"


def read_name_and_version(distribution: "Distribution") -> tuple[str, str]:
    """Return name and version of an installed package.

    ``importlib.metadata`` parses the package's whole description for each of the two, which takes milliseconds.
    """
    facts: dict[str, str] = {}
    for line in (distribution.read_text("METADATA") or "").splitlines():
        if not line:
            break  # the description follows
        key, _, value = line.partition(": ")
        facts.setdefault(key, value.strip())
    if facts.get("Name") and facts.get("Version"):
        return facts["Name"], facts["Version"]
    return distribution.name, distribution.version
