"""What a result was made with: settings, software, inputs. Kept in the metadata of each data ID."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.repo.input_files import InputFile

__all__ = ["ResultRecord", "settings_digest"]

#: Key of the record in ``processCcd_metadata``.
_KEY = "made_with"


@frozen
class ResultRecord:
    """What the results of one data ID were made with.

    Parameters
    ----------
    settings : str
        Digest of the settings; see `settings_digest`.
    version : str
        Version of obs.
    inputs : tuple of InputFile
        The raw file, the calibrations, and the files of the reference catalog.
    outputs : tuple of str
        Dataset types that were written.
    references : tuple of str
        Names of the reference catalogs that there were to choose from.
    """

    settings: str
    version: str
    inputs: tuple[InputFile, ...]
    outputs: tuple[str, ...]
    references: tuple[str, ...] = ()

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> "ResultRecord | None":
        """Return the record in the metadata of a data ID; None if they have none.

        Raises
        ------
        FileFormatError
            If it is damaged.
        """
        facts = metadata.get(_KEY)
        if facts is None:
            return None
        try:
            inputs = tuple(InputFile.from_plain(item) for item in facts["inputs"])
            outputs, references = (tuple(map(str, facts[name])) for name in ("outputs", "references"))
            return cls(str(facts["settings"]), str(facts["version"]), inputs, outputs, references)
        except (TypeError, KeyError) as error:
            raise FileFormatError(f"the record '{_KEY}' of what a result was made with is damaged: {error}") from None

    def to_metadata(self) -> dict[str, Any]:
        """Return the record as it is added to the metadata."""
        inputs = [item.to_plain() for item in self.inputs]
        return {
            _KEY: {
                "settings": self.settings,
                "version": self.version,
                "inputs": inputs,
                "outputs": list(self.outputs),
                "references": list(self.references),
            }
        }


def settings_digest(settings: Mapping[str, Any], free: Collection[str] = ()) -> str:
    """Return a digest of nested settings, equal for equal settings in any order.

    Parameters
    ----------
    settings : mapping
        Plain data, as JSON has it.
    free : collection of str, optional
        Dotted names of settings that do not count.
    """
    flat = {name: value for name, value in _flatten(settings, "") if name not in free}
    return hashlib.sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest()


def _flatten(settings: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in settings.items():
        whole = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            found += _flatten(value, f"{whole}.")
        else:
            found.append((whole, value))
    return found
